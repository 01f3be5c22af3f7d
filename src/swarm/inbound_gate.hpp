#pragma once

#include <cstddef>
#include <optional>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/swarm/config.hpp>
#include <ggen/p2p/swarm/reasons.hpp>

namespace ggen::p2p::swarm {

/// Says when there are too many inbound connections in their handshake or from one address.
class InboundGate {
 public:
  explicit InboundGate(const Config::Limits& limits) : limits_(limits) {}

  [[nodiscard]] std::optional<RefuseReason> objection(const IpAddress& remote, base::Instant now);
  /// Counts one that was accepted.
  void admitted(const IpAddress& remote);
  void secured() { --half_open_; }
  void closed(const IpAddress& remote, bool was_secured);

 private:
  [[nodiscard]] bool limited(const IpAddress& remote) const;
  [[nodiscard]] bool too_fast(const IpAddress& group, base::Instant now);

  const Config::Limits& limits_;
  std::size_t half_open_ = 0;
  /// Open connections by group, for addresses that limits apply to.
  base::HashMap<IpAddress, std::size_t> open_;
  /// Connections accepted in the current window. Windows have fixed borders: at worst twice the
  /// rate passes around one, which costs far less memory than times by address.
  base::HashMap<IpAddress, std::size_t> recent_;
  base::Instant window_ends_{};
};

/// What counts as one address: an IPv4 address, or the /64 that one IPv6 user has at least.
[[nodiscard]] IpAddress limit_group(const IpAddress& address);

}  // namespace ggen::p2p::swarm
