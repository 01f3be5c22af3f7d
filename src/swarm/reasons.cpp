#include <ggen/p2p/swarm/reasons.hpp>

namespace ggen::p2p::swarm {

std::string_view to_string(Purpose purpose) noexcept {
  switch (purpose) {
    case Purpose::kUser:
      return "asked for by the user";
    case Purpose::kBootstrap:
      return "bootstrap";
    case Purpose::kDiscovery:
      return "discovery";
    case Purpose::kDht:
      return "DHT";
    case Purpose::kGossip:
      return "gossip";
    case Purpose::kTransfer:
      return "transfer";
    case Purpose::kSync:
      return "sync";
    case Purpose::kProtocol:
      return "protocol";
  }
  return "unknown purpose";
}

std::string_view to_string(DialError error) noexcept {
  switch (error) {
    case DialError::kRefused:
      return "nobody listens there";
    case DialError::kTimedOut:
      return "no answer in time";
    case DialError::kUnreachable:
      return "no route to the host";
    case DialError::kReset:
      return "the connection was reset while it was being made";
    case DialError::kUnsupported:
      return "this machine has no such address family";
    case DialError::kOutOfResources:
      return "this machine is out of sockets, ports or memory";
    case DialError::kOther:
      return "the transport could not connect";
  }
  return "unknown dial error";
}

std::string_view to_string(ResolveError error) noexcept {
  switch (error) {
    case ResolveError::kNotFound:
      return "the name does not exist or has no such record";
    case ResolveError::kTimedOut:
      return "the name could not be resolved in time";
    case ResolveError::kUnavailable:
      return "no name server could be reached";
    case ResolveError::kUnsupported:
      return "this node cannot look up records of this kind";
    case ResolveError::kOther:
      return "the name could not be resolved";
  }
  return "unknown name resolution error";
}

std::string_view to_string(ListenError error) noexcept {
  switch (error) {
    case ListenError::kAddressInUse:
      return "the address is already in use";
    case ListenError::kAddressNotAvailable:
      return "no interface of this machine has this address";
    case ListenError::kPermissionDenied:
      return "not permitted: ports below 1024 often need root";
    case ListenError::kUnsupported:
      return "not an /ip4 or /ip6 address with /tcp";
    case ListenError::kOutOfResources:
      return "out of sockets, or of configured listeners";
    case ListenError::kStopping:
      return "the node is stopping";
    case ListenError::kOther:
      return "the address cannot be listened on";
  }
  return "unknown listen error";
}

std::string_view to_string(RefuseReason reason) noexcept {
  switch (reason) {
    case RefuseReason::kStopping:
      return "the node is stopping";
    case RefuseReason::kUnsupportedAddress:
      return "not an address of TCP over IP";
    case RefuseReason::kAddressDenied:
      return "its address is on the deny list";
    case RefuseReason::kAddressNotAllowed:
      return "its address is not on the allow list";
    case RefuseReason::kTooManyConnections:
      return "the limit of connections is reached";
    case RefuseReason::kTooManyInbound:
      return "the limit of inbound connections is reached";
    case RefuseReason::kTooManyHalfOpen:
      return "the limit of inbound connections in their handshake is reached";
    case RefuseReason::kTooManyFromAddress:
      return "the limit of connections from its address is reached";
    case RefuseReason::kTooFast:
      return "too many connections in a short time";
  }
  return "unknown reason to refuse";
}

std::string_view to_string(LocalClose reason) noexcept {
  switch (reason) {
    case LocalClose::kRequested:
      return "disconnected on request";
    case LocalClose::kTrimmed:
      return "trimmed: too many connections, and this one was used least recently";
    case LocalClose::kNotNeeded:
      return "not needed: another attempt came first, or the dial was cancelled";
    case LocalClose::kDialDeadline:
      return "the dial ran out of time during the handshake";
    case LocalClose::kTooManyForPeer:
      return "the limit of connections to one peer is reached";
    case LocalClose::kPeerDenied:
      return "the peer is on the deny list";
    case LocalClose::kPeerNotAllowed:
      return "the peer is not on the allow list";
    case LocalClose::kAddressDenied:
      return "its address is on the deny list";
    case LocalClose::kAddressNotAllowed:
      return "its address is not on the allow list";
    case LocalClose::kSelf:
      return "it led back to this node";
    case LocalClose::kWrongPeer:
      return "the remote proved another identity than the one dialled";
    case LocalClose::kStopping:
      return "the node is stopping";
  }
  return "unknown reason to close";
}

std::string_view to_string(NotTried reason) noexcept {
  switch (reason) {
    case NotTried::kUnsupported:
      return "not an IP address or DNS name with TCP";
    case NotTried::kUnusable:
      return "not an address that can be connected to";
    case NotTried::kOwnAddress:
      return "this node listens there itself";
    case NotTried::kNamesOtherPeer:
      return "the address names another peer";
    case NotTried::kAddressDenied:
      return "the address is on the deny list";
    case NotTried::kAddressNotAllowed:
      return "the address is not on the allow list";
    case NotTried::kBackoff:
      return "it failed a short while ago";
    case NotTried::kTooMany:
      return "beyond the limit of addresses or look-ups of one dial";
    case NotTried::kNoTime:
      return "not tried before the deadline";
    case NotTried::kNoRecords:
      return "the name leads to no address that can be dialled";
  }
  return "unknown reason not to try";
}

std::string_view to_string(DialFailureKind kind) noexcept {
  switch (kind) {
    case DialFailureKind::kNoAddresses:
      return "no address is known that can be dialled";
    case DialFailureKind::kAllFailed:
      return "no address could be reached";
    case DialFailureKind::kWrongPeer:
      return "the address leads to another peer";
    case DialFailureKind::kDeadline:
      return "not connected in time";
    case DialFailureKind::kBackoff:
      return "it failed a short while ago and rests";
    case DialFailureKind::kSelf:
      return "the peer is this node itself";
    case DialFailureKind::kPeerDenied:
      return "the peer is on the deny list";
    case DialFailureKind::kPeerNotAllowed:
      return "the peer is not on the allow list";
    case DialFailureKind::kTooManyConnections:
      return "the limit of connections is reached";
    case DialFailureKind::kTooManyDials:
      return "too many dials are under way";
    case DialFailureKind::kStopping:
      return "the node is stopping";
  }
  return "unknown dial failure";
}

std::string_view to_string(RecordError error) noexcept {
  switch (error) {
    case RecordError::kTooLarge:
      return "the record is too large";
    case RecordError::kBadEnvelope:
      return "not a signed envelope with a valid key";
    case RecordError::kWrongType:
      return "the envelope does not hold a peer record";
    case RecordError::kMalformed:
      return "not a valid peer record";
    case RecordError::kWrongKey:
      return "signed by another key than the peer's";
    case RecordError::kBadSignature:
      return "the signature is wrong";
    case RecordError::kStale:
      return "not newer than the record already known";
    case RecordError::kBookFull:
      return "the address book is full of connected peers";
    case RecordError::kOwnRecord:
      return "the record is about this node itself";
  }
  return "unknown record error";
}

std::string_view to_string(const CloseCause& cause) noexcept {
  return std::visit([](auto reason) { return to_string(reason); }, cause);
}

std::string_view to_string(const AddressFailureReason& reason) noexcept {
  return std::visit([](auto value) { return to_string(value); }, reason);
}

}  // namespace ggen::p2p::swarm
