#pragma once

#include <optional>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/swarm/config.hpp>

#include "connection_table.hpp"

namespace ggen::p2p::swarm {

/// Closes the least useful connections when there are too many, and keeps those of protected peers.
/// All connections are looked at once an interval at most, however many come and go.
class Trimmer {
 public:
  Trimmer(const Config::Trimming& config, ConnectionTable& table)
      : config_(config), table_(table) {}

  void protect(const multiformats::PeerId& peer, Purpose purpose);
  void unprotect(const multiformats::PeerId& peer, Purpose purpose);

  /// After a connection was secured.
  void schedule(base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return next_look_; }

 private:
  void trim(base::Instant now);

  const Config::Trimming& config_;
  ConnectionTable& table_;
  /// A bit for each purpose.
  base::HashMap<multiformats::PeerId, std::uint32_t> protections_;
  std::optional<base::Instant> last_look_;
  std::optional<base::Instant> next_look_;
};

}  // namespace ggen::p2p::swarm
