#include <ggen/p2p/yamux/types.hpp>

namespace ggen::p2p::yamux {

std::string_view to_string(Error error) noexcept {
  switch (error) {
    case Error::kLocalGoAway:
      return "closed by this side";
    case Error::kRemoteGoAway:
      return "closed by the remote";
    case Error::kInvalidVersion:
      return "frame of an unknown version";
    case Error::kInvalidType:
      return "frame of an unknown type";
    case Error::kInvalidFlags:
      return "ping that is neither request nor answer";
    case Error::kInvalidStreamId:
      return "stream id not allowed in this frame";
    case Error::kDuplicateStream:
      return "stream opened twice";
    case Error::kWindowExceeded:
      return "more data than the receive window";
    case Error::kWindowOverflow:
      return "send window larger than 32 bits";
    case Error::kFlooded:
      return "too many answers owed to the remote";
    case Error::kKeepAliveTimeout:
      return "no sign of life from the remote";
  }
  return "unknown";
}

std::string_view to_string(StreamEnd end) noexcept {
  switch (end) {
    case StreamEnd::kClosed:
      return "both sides finished";
    case StreamEnd::kLocalReset:
      return "reset by this side";
    case StreamEnd::kRemoteReset:
      return "reset by the remote";
    case StreamEnd::kSession:
      return "session ended";
  }
  return "unknown";
}

std::string_view to_string(OpenError error) noexcept {
  switch (error) {
    case OpenError::kSessionClosed:
      return "session closed";
    case OpenError::kBacklogFull:
      return "too many streams that the remote has not acknowledged";
    case OpenError::kIdsExhausted:
      return "all stream ids used";
  }
  return "unknown";
}

}  // namespace ggen::p2p::yamux
