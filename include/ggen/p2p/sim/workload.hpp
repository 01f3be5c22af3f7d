#pragma once

#include <cstdint>

namespace ggen::p2p::sim {

/// What people do with a network while a run goes on: so many times a minute, in all, at random
/// times and on random nodes.
struct Workload {
  double publishes = 0;
  double fetches = 0;
  double searches = 0;
  double puts = 0;  ///< of values into the DHT
  double gets = 0;
  /// Bytes of a package.
  std::uint64_t package_size = 64 * 1024;
};

}  // namespace ggen::p2p::sim
