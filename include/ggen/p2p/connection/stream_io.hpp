#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/connection/channel.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// What passes between a protocol engine (identify, ping, kad, ...) and the node that wires it to
/// streams. An engine takes StreamInput through handle(input, now) and gives StreamOutput, beside
/// its own events, through poll().
namespace ggen::p2p::connection {

struct ConnectionTag;
/// Names a connection of one node.
using ConnectionId = base::Id<ConnectionTag>;

/// Names a stream of one node.
struct StreamRef {
  ConnectionId connection;
  StreamId stream;
  auto operator<=>(const StreamRef&) const = default;
};

/// An engine's own name for a stream that it asked for and has not got yet.
using OpenToken = std::uint64_t;

enum class OpenFailure : std::uint8_t {
  kNotConnected,  ///< the connection is gone, or no address of the peer could be reached
  kTooManyStreams,
  kRefusedLocally,  ///< the peer is on the deny list, or the node is stopping
};
[[nodiscard]] std::string_view to_string(OpenFailure failure) noexcept;

namespace stream_input {

/// The stream that Open{token} asked for exists. Bytes may be written: they travel with the request
/// when one protocol was asked for, after the negotiation otherwise. Opened or Closed follows.
struct Opening {
  OpenToken token = 0;
  StreamRef stream;
};
/// The stream that Open{token} asked for could not be made. Nothing follows.
struct OpenFailed {
  OpenToken token = 0;
  OpenFailure failure{};
};
/// A protocol was agreed on: the first input of an inbound stream.
struct Opened {
  StreamRef stream;
  multiformats::PeerId peer;
  Direction direction{};
  std::string protocol;
};
/// Bytes from the remote. They stay charged to the stream's receive window until the engine gives
/// Consume for them.
struct Data {
  StreamRef stream;
  base::Buffer data;
};
/// Answers one Write, in order: its bytes are now in the stream's bounded send queue. An engine
/// that sends much keeps at most a few Writes unanswered, so that a remote that does not read costs
/// no more than those.
struct Written {
  StreamRef stream;
};
/// The remote has finished sending.
struct Finished {
  StreamRef stream;
};
/// The stream is gone. The last input about it; unanswered Writes get no Written.
struct Closed {
  StreamRef stream;
  StreamEnd end{};
};

}  // namespace stream_input

using StreamInput = std::variant<stream_input::Opening, stream_input::OpenFailed,
                                 stream_input::Opened, stream_input::Data, stream_input::Written,
                                 stream_input::Finished, stream_input::Closed>;

namespace stream_output {

/// Asks for a stream to `peer`: on `connection` if given, else on the best one, dialling when there
/// is none. Answered by exactly one Opening or OpenFailed with the same token.
struct Open {
  OpenToken token = 0;
  multiformats::PeerId peer;
  std::optional<ConnectionId> connection;
  std::vector<std::string> protocols;
};
/// Sends bytes, in order. Answered by Written.
struct Write {
  StreamRef stream;
  base::Buffer data;
};
/// Finishes this side after what was written.
struct Finish {
  StreamRef stream;
};
/// Drops the stream, both ways. Closed follows.
struct Reset {
  StreamRef stream;
};
/// The engine has dealt with `size` received bytes: the remote may send as many more.
struct Consume {
  StreamRef stream;
  std::size_t size = 0;
};

}  // namespace stream_output

using StreamOutput = std::variant<stream_output::Open, stream_output::Write, stream_output::Finish,
                                  stream_output::Reset, stream_output::Consume>;

}  // namespace ggen::p2p::connection

template <>
struct std::hash<ggen::p2p::connection::StreamRef> {
  std::size_t operator()(const ggen::p2p::connection::StreamRef& ref) const noexcept {
    return std::hash<std::uint64_t>{}(ref.connection.value() * 0x9e3779b97f4a7c15 ^
                                      ref.stream.value);
  }
};
