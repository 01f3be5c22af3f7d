#pragma once

#include <cstddef>
#include <optional>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/swarm/config.hpp>
#include <ggen/p2p/swarm/reasons.hpp>

namespace ggen::p2p::swarm {

/// Counts inbound connections, in all, in their handshake and by address, and says when there are
/// too many.
class InboundGate {
 public:
  explicit InboundGate(const Config::Limits& limits) : limits_(limits) {}

  /// Whether one more connection from `remote` may be taken while `in_use` of all connections are.
  /// When it may, it is counted.
  [[nodiscard]] std::optional<RefuseReason> admit(const IpAddress& remote, std::size_t in_use,
                                                  base::Instant now);
  void secured() { --half_open_; }
  void closed(const IpAddress& remote, bool was_secured);

 private:
  [[nodiscard]] bool limited(const IpAddress& remote) const;
  [[nodiscard]] bool too_fast(const IpAddress& group, base::Instant now);

  const Config::Limits& limits_;
  std::size_t inbound_ = 0;
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
