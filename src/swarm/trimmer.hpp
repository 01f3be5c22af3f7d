#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/swarm/config.hpp>

#include "connection_table.hpp"

namespace ggen::p2p::swarm {

/// Closes the least useful connections when there are too many, and keeps those of protected peers
/// and those that are here the longest. All connections are looked at once an interval at most,
/// however many come and go, unless the node is full.
class Trimmer {
 public:
  Trimmer(const Config::Trimming& config, ConnectionTable& table)
      : config_(config), table_(table) {}

  void protect(const multiformats::PeerId& peer, Purpose purpose);
  void unprotect(const multiformats::PeerId& peer, Purpose purpose);
  [[nodiscard]] bool is_protected(const multiformats::PeerId& peer) const {
    return protections_.contains(peer);
  }

  /// After a connection was secured.
  void schedule(base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return next_look_; }

  /// After make_place() has found none, before all connections are looked at again, unless
  /// look_again() is called.
  static constexpr base::Duration kLook = std::chrono::milliseconds{250};
  /// For whom place is made.
  enum class For : std::uint8_t {
    kDial,
    /// Only inbound connections and those of lookups are closed: whom this node has chosen to stay
    /// with, others must not push out.
    kNewcomer,
    /// The same where there are too many inbound ones: only one of these will do.
    kOneInbound,
  };
  /// Closes one connection; false when none may be.
  bool make_place(For whom, base::Instant now);
  /// There may be one now.
  void look_again() { no_place_until_ = {}; }

 private:
  struct Seen {
    connection::ConnectionId id;
    base::Instant secured_at;
    base::Instant last_used;
    std::optional<Purpose> purpose;  // of an outbound one
    bool is_protected = false;
    bool is_idle = false;
  };

  /// Those that may be closed at all, the one used longest ago first.
  [[nodiscard]] std::vector<Seen> candidates() const;
  void trim(base::Instant now);

  const Config::Trimming& config_;
  ConnectionTable& table_;
  /// A bit for each purpose.
  base::HashMap<multiformats::PeerId, std::uint32_t> protections_;
  std::optional<base::Instant> last_look_;
  std::optional<base::Instant> next_look_;
  std::array<base::Instant, 3> no_place_until_{};  // of make_place(), by For
};

}  // namespace ggen::p2p::swarm
