#pragma once

#include <expected>
#include <string>
#include <variant>
#include <vector>

#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/swarm/reasons.hpp>
#include <ggen/p2p/swarm/records.hpp>

/// What the swarm wants done (output) and what it has to tell (event).
namespace ggen::p2p::swarm {

/// Names a request to be connected.
using DialId = base::Id<struct DialTag>;
/// Names one attempt of the transport to connect.
using AttemptId = base::Id<struct AttemptTag>;
/// Names a look-up.
using ResolveId = base::Id<struct ResolveTag>;
using ListenId = base::Id<struct ListenTag>;

enum class AddressFamily : std::uint8_t { kAny, kIp4, kIp6 };

namespace output {

/// Look up the addresses of a host name. Answered by exactly one Swarm::resolved().
struct ResolveHost {
  ResolveId id;
  std::string name;
  AddressFamily family{};
};
/// Look up the TXT records of a name. Answered by exactly one Swarm::resolved_text().
struct ResolveText {
  ResolveId id;
  std::string name;  ///< complete: `_dnsaddr.` is in front already
};
/// Connect to `address`, which is /ip4 or /ip6 and /tcp. Answered by Swarm::dialed(), unless
/// CancelDial comes first. The driver sets no time limit: the swarm does.
struct Dial {
  AttemptId attempt;
  multiformats::Multiaddr address;
};
/// Give up an attempt, or close what it has made. Needs no answer: the id is dead.
struct CancelDial {
  AttemptId attempt;
};
/// Listen at `address`: /ip4 or /ip6 and /tcp, perhaps with an unspecified address or port 0.
/// Answered by Swarm::listening(), again whenever the bound addresses change or the listener dies.
struct Listen {
  ListenId id;
  multiformats::Multiaddr address;
};
/// Needs no answer: the id is dead. Connections that came from it live on.
struct StopListening {
  ListenId id;
};
/// End a connection in good order. Answered by Swarm::closed().
struct Close {
  connection::ConnectionId connection;
  LocalClose reason{};
};

}  // namespace output

namespace event {

/// Answers dial(), exactly once, unless cancel() came first.
struct DialDone {
  DialId dial;
  std::expected<connection::ConnectionId, DialFailure> result;
};
/// The first connection to a peer was secured.
struct PeerConnected {
  multiformats::PeerId peer;
  connection::ConnectionId connection;
};
/// The last secured connection to a peer has closed.
struct PeerDisconnected {
  multiformats::PeerId peer;
  CloseCause cause;
};
/// A connection was secured.
struct ConnectionOpened {
  ConnectionRecord record;
};
/// A connection ended, secured or not.
struct ConnectionClosed {
  ConnectionRecord record;
};
struct ConnectionRefused {
  multiformats::Multiaddr local;
  multiformats::Multiaddr remote;
  RefuseReason reason{};
};
/// Answers listen(): the bound addresses; again when they change.
struct Listening {
  ListenId id;
  std::vector<multiformats::Multiaddr> addresses;
};
/// A listener could not be made, or has died. The id is dead.
struct ListenFailed {
  ListenId id;
  multiformats::Multiaddr address;
  ListenError error{};
};
/// The addresses under which others may reach this node, bound and confirmed ones, have changed.
struct ListenAddressesChanged {
  std::vector<multiformats::Multiaddr> addresses;
};
/// Enough observers agree that this node can be reached at this address.
struct ExternalAddressConfirmed {
  multiformats::Multiaddr address;
};
/// Too few still do.
struct ExternalAddressExpired {
  multiformats::Multiaddr address;
};

}  // namespace event

using Output =
    std::variant<output::ResolveHost, output::ResolveText, output::Dial, output::CancelDial,
                 output::Listen, output::StopListening, output::Close, event::DialDone,
                 event::PeerConnected, event::PeerDisconnected, event::ConnectionOpened,
                 event::ConnectionClosed, event::ConnectionRefused, event::Listening,
                 event::ListenFailed, event::ListenAddressesChanged,
                 event::ExternalAddressConfirmed, event::ExternalAddressExpired>;

}  // namespace ggen::p2p::swarm
