#pragma once

#include <optional>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/swarm/records.hpp>

#include "outbox.hpp"

namespace ggen::p2p::swarm {

/// The open connections, half-open ones included, and who they lead to.
class ConnectionTable {
 public:
  explicit ConnectionTable(Outbox& outbox) : outbox_(outbox) {}

  struct Entry {
    ConnectionRecord record;
    base::Instant last_used;
    bool idle = false;  // nothing is under way on it any longer
  };

  connection::ConnectionId add(ConnectionRecord record);
  [[nodiscard]] const ConnectionRecord* find(connection::ConnectionId id) const;

  /// Notes the proven identity. True when it is the first connection to this peer.
  bool secure(connection::ConnectionId id, const multiformats::PeerId& peer, base::Instant now);
  /// Notes why a connection is to end, unless that is known already. False when it is, or when the
  /// id is dead.
  bool mark_closing(connection::ConnectionId id, LocalClose reason);
  /// The same, and has the driver end it.
  void close(connection::ConnectionId id, LocalClose reason);

  struct Removed {
    ConnectionRecord record;
    bool last_of_peer = false;
  };
  std::optional<Removed> remove(connection::ConnectionId id, connection::CloseReason reason,
                                base::Instant now);
  void used(connection::ConnectionId id, base::Instant now);
  void set_idle(connection::ConnectionId id, bool idle);

  /// Secured and not being closed, oldest first.
  [[nodiscard]] std::vector<connection::ConnectionId> to(const multiformats::PeerId& peer) const;
  /// Whether there is one.
  [[nodiscard]] bool reaches(const multiformats::PeerId& peer) const;
  [[nodiscard]] std::vector<multiformats::PeerId> peers() const;
  [[nodiscard]] std::size_t peer_count() const noexcept { return by_peer_.size(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Not being closed, secured or not; what the limits count.
  struct Open {
    std::size_t all = 0;
    std::size_t inbound = 0;
  };
  [[nodiscard]] const Open& open() const { return open_; }
  /// Secured and not being closed.
  [[nodiscard]] std::size_t in_service() const { return in_service_; }

  template <class Visit>
  void for_each(Visit&& visit) const {
    entries_.for_each(std::forward<Visit>(visit));
  }

 private:
  void no_longer_open(const ConnectionRecord& record);

  Outbox& outbox_;
  base::SlotMap<Entry, connection::ConnectionTag> entries_;
  /// Secured connections, also those being closed, oldest first. Each list is bounded by the limit
  /// of connections for a peer, plus those being closed.
  base::HashMap<multiformats::PeerId, std::vector<connection::ConnectionId>> by_peer_;
  Open open_;
  std::size_t in_service_ = 0;
};

}  // namespace ggen::p2p::swarm
