#pragma once

#include <variant>

#include <ggen/p2p/base/bytes.hpp>

/// What the DHT beneath a registry can be asked directly: see kad::Engine for what each means.
namespace ggen::p2p::marketplace::dht {

/// Gives kad::result::Placed.
struct Put {
  base::Bytes key;
  base::Bytes value;
};
/// From all of the nearest peers; gives kad::result::FoundValue.
struct Get {
  base::Bytes key;
};
/// Gives kad::result::Closest.
struct Closest {
  base::Bytes key;
};
using Query = std::variant<Put, Get, Closest>;

}  // namespace ggen::p2p::marketplace::dht
