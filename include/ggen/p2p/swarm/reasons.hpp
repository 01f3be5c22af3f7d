#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include <ggen/p2p/connection/channel.hpp>

/// Why connections are made, refused and closed. Each value has one phrase for people, without a
/// full stop, that reads after "because" or a colon.
namespace ggen::p2p::swarm {

/// What a connection is wanted for; also the tag under which a peer is protected from trimming.
enum class Purpose : std::uint8_t {
  kUser,       ///< a person or a program on this machine asked for it
  kBootstrap,  ///< to join the network
  kDiscovery,
  kDht,
  kGossip,
  kTransfer,  ///< to fetch or to serve content
  kSync,      ///< to catch up with what was missed
  kProtocol,  ///< a protocol engine asked for a stream, for no purpose named above
};
[[nodiscard]] std::string_view to_string(Purpose purpose) noexcept;

/// Why the transport could not connect, as the driver reports it.
enum class DialError : std::uint8_t {
  kRefused,      ///< nobody listens there
  kTimedOut,     ///< no answer; also what the swarm itself records when it gives up waiting
  kUnreachable,  ///< no route to the host or its network
  kReset,
  kUnsupported,     ///< this machine has no such address family
  kOutOfResources,  ///< no free file descriptor, port or memory
  kOther,
};
[[nodiscard]] std::string_view to_string(DialError error) noexcept;

/// Why a name could not be resolved, as the driver reports it.
enum class ResolveError : std::uint8_t {
  kNotFound,  ///< no such name, or no record of the kind asked for
  kTimedOut,
  kUnavailable,  ///< no name server could be asked
  kUnsupported,  ///< this driver cannot look up records of this kind
  kOther,
};
[[nodiscard]] std::string_view to_string(ResolveError error) noexcept;

/// Why this node listens no longer, or never did, as the driver reports it.
enum class ListenError : std::uint8_t {
  kAddressInUse,
  kAddressNotAvailable,  ///< no interface of this machine has this address
  kPermissionDenied,
  kUnsupported,     ///< not /ip4 or /ip6 with /tcp, or no such address family here
  kOutOfResources,  ///< no free file descriptor, or the configured number of listeners
  kStopping,
  kOther,
};
[[nodiscard]] std::string_view to_string(ListenError error) noexcept;

/// Why an inbound connection was refused before a byte was read from it.
enum class RefuseReason : std::uint8_t {
  kStopping,
  kUnsupportedAddress,  ///< the driver gave an address that is not IP and TCP
  kAddressDenied,       ///< on the deny list
  kAddressNotAllowed,   ///< there is an allow list, and it is not on it
  kTooManyConnections,
  kTooManyInbound,
  kTooManyHalfOpen,  ///< too many that have not proven who they are
  kTooManyFromAddress,
  kTooFast,  ///< too many in a short time, from this address or from too many of them
};
[[nodiscard]] std::string_view to_string(RefuseReason reason) noexcept;

/// Why this node closed a connection: the swarm's own decisions.
enum class LocalClose : std::uint8_t {
  kRequested,     ///< disconnect() was called
  kTrimmed,       ///< too many, and this one was used longest ago
  kNotNeeded,     ///< another attempt of the same dial came first, or the dial was cancelled
  kDialDeadline,  ///< the dial that made it ran out of time before the handshake was done
  kTooManyForPeer,
  kPeerDenied,
  kPeerNotAllowed,  ///< there is an allow list of peers, and it is not on it
  kAddressDenied,   ///< the access lists changed
  kAddressNotAllowed,
  kSelf,       ///< it led back to this node
  kWrongPeer,  ///< the remote proved another identity than the one dialled
  kStopping,
};
[[nodiscard]] std::string_view to_string(LocalClose reason) noexcept;

/// Why a connection ended: the swarm's decision if it made one, else what the channel reported.
using CloseCause = std::variant<connection::CloseReason, LocalClose>;
[[nodiscard]] std::string_view to_string(const CloseCause& cause) noexcept;

/// Why an address of a dial was not tried.
enum class NotTried : std::uint8_t {
  kUnsupported,     ///< not /ip4, /ip6 or a DNS name, then /tcp
  kUnusable,        ///< port 0, or an unspecified, multicast or reserved address
  kOwnAddress,      ///< this node listens there
  kNamesOtherPeer,  ///< its /p2p component is not the peer that was asked for
  kAddressDenied,
  kAddressNotAllowed,
  kBackoff,    ///< failed a short while ago
  kTooMany,    ///< beyond the limit of addresses, look-ups or recursion of one dial
  kNoTime,     ///< the deadline of the dial came first
  kNoRecords,  ///< its name resolved to nothing that can be dialled
};
[[nodiscard]] std::string_view to_string(NotTried reason) noexcept;

/// Why one address of a dial led nowhere.
using AddressFailureReason =
    std::variant<NotTried, ResolveError, DialError, connection::CloseReason, LocalClose>;
[[nodiscard]] std::string_view to_string(const AddressFailureReason& reason) noexcept;

/// Why a dial as a whole failed.
enum class DialFailureKind : std::uint8_t {
  kNoAddresses,  ///< none known, or none that can be dialled
  kAllFailed,    ///< every address was tried
  kWrongPeer,    ///< every address failed, and at least one led to another peer
  kDeadline,
  kBackoff,  ///< failed a short while ago: retry_at says when it may be tried again
  kSelf,     ///< the peer is this node
  kPeerDenied,
  kPeerNotAllowed,
  kTooManyConnections,  ///< no connection became free before the deadline
  kTooManyDials,        ///< the queue of dials is full
  kStopping,
};
[[nodiscard]] std::string_view to_string(DialFailureKind kind) noexcept;

/// Why add_signed_record() took nothing.
enum class RecordError : std::uint8_t {
  kTooLarge,
  kBadEnvelope,  ///< not an envelope, or its key is not valid
  kWrongType,    ///< the envelope's payload is not a peer record
  kMalformed,    ///< the payload is not a valid peer record
  kWrongKey,     ///< signed by another key than the peer's
  kBadSignature,
  kStale,  ///< its sequence number is not above the one already known
  kBookFull,
  kOwnRecord,  ///< about this node itself
};
[[nodiscard]] std::string_view to_string(RecordError error) noexcept;

}  // namespace ggen::p2p::swarm
