#pragma once

#include <variant>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/kad/output.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

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
/// Gives kad::result::FoundPeer.
struct FindPeer {
  multiformats::PeerId peer;
};
/// As many as there are, up to kad::QueryConfig::max_providers; gives kad::result::FoundProviders.
struct FindProviders {
  base::Bytes key;
};
/// That this node provides `key`, now and again while it runs; gives kad::result::Placed.
struct Provide {
  base::Bytes key;
};
using Query = std::variant<Put, Get, Closest, FindPeer, FindProviders, Provide>;

/// How a query ended, and each request that was answered or failed before, in that order.
struct Answer {
  kad::QueryDone done;
  std::vector<kad::QueryHop> hops;
};

}  // namespace ggen::p2p::marketplace::dht
