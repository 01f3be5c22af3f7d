#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>

namespace ggen::p2p::yamux {

/// Which side of the connection this is. The client (the side that dialled) opens streams with odd
/// ids, the server with even ones.
enum class Role : std::uint8_t { kClient, kServer };

/// Names a stream of one session, as on the wire. A session never uses an id for a second stream,
/// whatever the remote does.
struct StreamId {
  std::uint32_t value = 0;
  auto operator<=>(const StreamId&) const = default;
};

/// What a GO_AWAY frame says (spec, "Session termination"). Remotes also send codes of their own.
enum class GoAwayCode : std::uint32_t { kNormal = 0, kProtocolError = 1, kInternalError = 2 };

/// Why a session ended.
enum class Error : std::uint8_t {
  kLocalGoAway,       ///< go_away() was called
  kRemoteGoAway,      ///< the remote sent GO_AWAY
  kInvalidVersion,    ///< a frame of a version other than 0
  kInvalidType,       ///< a frame of an unknown type
  kInvalidFlags,      ///< a ping that is neither request nor answer, or both
  kInvalidStreamId,   ///< wrong parity, 0 on a stream's frame, or not 0 on the session's
  kDuplicateStream,   ///< SYN for a stream that is open
  kWindowExceeded,    ///< more data than this side gave credit for
  kWindowOverflow,    ///< credit that adds up to more than 32 bits
  kFlooded,           ///< more answers owed to the remote than Config allows to wait
  kKeepAliveTimeout,  ///< silence after a ping
};
[[nodiscard]] std::string_view to_string(Error error) noexcept;

/// How a stream ended.
enum class StreamEnd : std::uint8_t {
  kClosed,  ///< both sides finished, and all that was written has been transmitted
  kLocalReset,
  kRemoteReset,  ///< the remote reset it, or refused to accept it
  kSession,      ///< the session ended
};
[[nodiscard]] std::string_view to_string(StreamEnd end) noexcept;

enum class OpenError : std::uint8_t {
  kSessionClosed,
  kBacklogFull,   ///< too many opened streams that the remote has not acknowledged; try again later
  kIdsExhausted,  ///< this session has used all its ids: only a new connection helps
};
[[nodiscard]] std::string_view to_string(OpenError error) noexcept;

}  // namespace ggen::p2p::yamux

template <>
struct std::hash<ggen::p2p::yamux::StreamId> {
  std::size_t operator()(ggen::p2p::yamux::StreamId id) const noexcept {
    return std::hash<std::uint32_t>{}(id.value);
  }
};
