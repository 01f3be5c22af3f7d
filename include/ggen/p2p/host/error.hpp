#pragma once

#include <string>
#include <system_error>

namespace ggen::p2p::host {

/// What an operation on a Host or a Stream can end with, beside the operating system's own errors
/// and asio::error::eof (the remote finished a stream) and asio::error::operation_aborted (the
/// caller cancelled).
enum class Errc {
  kStreamReset = 1,    ///< the remote, or this side, dropped the stream
  kProtocolRefused,    ///< the remote speaks none of the protocols asked for
  kNegotiationFailed,  ///< the remote broke multistream's rules or took too long
  kConnectionClosed,   ///< the connection under the stream is gone
  kNotConnected,       ///< no connection to the peer, and none could be made
  kTooManyStreams,
  kRefusedLocally,  ///< this node's own lists or limits do not allow it
  kTimedOut,
  kProtocolViolation,  ///< the remote's answer was not what the protocol allows
  kInvalidAddress,     ///< not an address that this node can dial or listen on
  kInvalidProtocol,    ///< not something that multistream can negotiate
  kStopped,            ///< the host has been stopped
};

[[nodiscard]] const std::error_category& error_category() noexcept;
[[nodiscard]] std::error_code make_error_code(Errc error) noexcept;

/// An error and a sentence for a person: what failed, with which address, and why.
struct Failure {
  std::error_code code;
  std::string message;
};

}  // namespace ggen::p2p::host

template <>
struct std::is_error_code_enum<ggen::p2p::host::Errc> : std::true_type {};
