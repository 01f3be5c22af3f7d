#include <ggen/p2p/connection/channel.hpp>

#include <ggen/p2p/connection/stream_io.hpp>

namespace ggen::p2p::connection {

std::string_view to_string(CloseReason reason) noexcept {
  switch (reason) {
    case CloseReason::kLocal: return "closed by this node";
    case CloseReason::kRemoteClosed: return "closed by the remote";
    case CloseReason::kTransportLost: return "the transport broke";
    case CloseReason::kHandshakeTimeout: return "the handshake took too long";
    case CloseReason::kNegotiationFailed: return "no security or multiplexer protocol in common";
    case CloseReason::kSecurityFailed: return "the Noise handshake failed";
    case CloseReason::kWrongPeer: return "the remote is not the peer that was dialled";
    case CloseReason::kProtocolViolation: return "the remote broke the multiplexer's rules";
    case CloseReason::kFlooded: return "the remote flooded us with control frames";
    case CloseReason::kKeepAliveTimeout: return "no answer to a keep-alive ping";
  }
  return "unknown reason";
}

std::string_view to_string(StreamEnd end) noexcept {
  switch (end) {
    case StreamEnd::kClosed: return "closed by both sides";
    case StreamEnd::kLocalReset: return "reset by this node";
    case StreamEnd::kRemoteReset: return "reset by the remote";
    case StreamEnd::kProtocolRefused: return "the remote does not speak the protocol";
    case StreamEnd::kNegotiationFailed: return "the protocol negotiation failed";
    case StreamEnd::kConnectionClosed: return "the connection closed";
  }
  return "unknown end";
}

std::string_view to_string(OpenError error) noexcept {
  switch (error) {
    case OpenError::kNotReady: return "the connection is not secured yet";
    case OpenError::kClosing: return "the connection is closing";
    case OpenError::kTooManyStreams: return "too many streams are open";
  }
  return "unknown error";
}

std::string_view to_string(OpenFailure failure) noexcept {
  switch (failure) {
    case OpenFailure::kNotConnected: return "the peer could not be reached";
    case OpenFailure::kTooManyStreams: return "too many streams are open";
    case OpenFailure::kRefusedLocally: return "this node's rules do not allow it";
  }
  return "unknown failure";
}

}  // namespace ggen::p2p::connection
