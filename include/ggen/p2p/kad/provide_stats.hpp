#pragma once

#include <cstddef>
#include <cstdint>

#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::kad {

/// How well what this node provides is kept known: the numbers behind ReprovideBehind.
struct ProvideStats {
  std::size_t records = 0;  ///< keys that this node provides
  /// Of these, keys that others should have been told of again by now.
  std::size_t overdue = 0;
  base::Duration oldest{};          ///< for how long that is so of the one that waits longest
  bool behind = false;              ///< longer than MaintenanceConfig::reprovide_slack
  std::size_t regions = 0;          ///< of the key space, being swept now
  std::uint64_t swept = 0;          ///< regions, since the start
  std::uint64_t lookups = 0;        ///< made to tell others again, since the start
  std::uint64_t records_taken = 0;  ///< a key told to a peer counts one, since the start
  std::uint64_t records_failed = 0;
};

}  // namespace ggen::p2p::kad
