#pragma once

#include <cstdint>
#include <vector>

#include <ggen/p2p/multiformats/multiaddr.hpp>

/// A DHT server under a client's questions. README.md says what the cases are.
namespace bench {

/// Like serve(), with a DHT server beside the other protocols.
int serve_dht();

/// Fills the server's table with peers of its own, then asks it: numbers are how many questions, on
/// how many streams at a time, and how many on one stream.
int find_node(const ggen::p2p::multiformats::Multiaddr& address,
              const std::vector<std::uint64_t>& numbers);

/// Encodes and decodes an answer of 20 peers so many times.
int answers(std::uint64_t count);

}  // namespace bench
