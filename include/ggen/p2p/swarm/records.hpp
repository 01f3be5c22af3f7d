#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/channel.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/swarm/reasons.hpp>

/// What is known, and later remembered, of each connection, refusal and failed dial.
namespace ggen::p2p::swarm {

/// A connection, open or closed.
struct ConnectionRecord {
  connection::ConnectionId id;
  connection::Direction direction{};
  /// Without /p2p.
  multiformats::Multiaddr local;
  multiformats::Multiaddr remote;
  /// Outbound: who it was dialled for. The channel must accept nobody else.
  std::optional<multiformats::PeerId> expected_peer;
  /// Who the remote has proven to be.
  std::optional<multiformats::PeerId> peer;
  /// Outbound only.
  std::optional<Purpose> purpose;
  base::Instant opened_at;
  std::optional<base::Instant> secured_at;
  std::optional<base::Instant> closed_at;
  /// Set once the swarm has decided to close it, and in any case when it is closed.
  std::optional<CloseCause> cause;
};

/// Inbound connections of one address that were refused for one reason.
struct RefusalRecord {
  multiformats::Multiaddr local;
  multiformats::Multiaddr remote;  ///< of the last one
  RefuseReason reason{};
  base::Instant first_at;
  base::Instant last_at;
  std::uint64_t count = 0;
};

struct AddressFailure {
  multiformats::Multiaddr address;
  AddressFailureReason reason;
  bool operator==(const AddressFailure&) const = default;
};

/// Why a dial failed, address by address.
struct DialFailure {
  DialFailureKind kind{};
  std::vector<AddressFailure> addresses;
  /// kBackoff: when the peer may be tried again.
  std::optional<base::Instant> retry_at;
  bool operator==(const DialFailure&) const = default;
};

struct FailedDialRecord {
  std::optional<multiformats::PeerId> peer;
  Purpose purpose{};
  base::Instant started_at;
  base::Instant failed_at;
  DialFailure failure;
};

/// The bounded past, oldest first.
struct History {
  std::deque<ConnectionRecord> closed;
  std::deque<RefusalRecord> refused;
  std::deque<FailedDialRecord> failed_dials;
};

}  // namespace ggen::p2p::swarm
