#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/connection/channel.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/multistream/negotiation.hpp>

/// What message channels say to each other: frames of a kind (one byte), a stream's id and the
/// length of the payload (unsigned varints), and the payload.
namespace ggen::p2p::sim {

/// As many bytes as a stream's receiver has not consumed may be on their way to it.
inline constexpr std::uint32_t kStreamWindow = 256 * 1024;
/// Protocols that one Open may ask for: as many as a multistream listener lets propose.
inline constexpr std::size_t kMaxProtocols = 64;

enum class FrameKind : std::uint8_t {
  // Of the channel: the stream's id is 0.
  kKnock,    ///< the dialler asks for the other side's Hello
  kHello,    ///< payload: the sender's public key, encoded
  kGoodbye,  ///< the sender ends the channel
  // Of a stream.
  kOpen,    ///< payload: protocols, each a varint length and text; the first is preferred
  kAccept,  ///< payload: which of them it will be, a varint
  kRefuse,  ///< it is none of them
  kData,    ///< payload: bytes of the stream
  kFinish,  ///< the sender sends no more
  kReset,   ///< the stream is gone
  kCredit,  ///< payload: how many more bytes may be sent, a varint
};
inline constexpr std::size_t kFrameKinds = 10;

/// A kind, and two 32-bit numbers.
inline constexpr std::size_t kMaxHeader = 11;
inline constexpr std::size_t kMaxNumber = 5;
inline constexpr std::size_t kMaxOpen = kMaxProtocols * (2 + multistream::kMaxMessage);

struct FrameHeader {
  FrameKind kind{};
  connection::StreamId stream;
  std::uint32_t length = 0;
  std::size_t size = 0;  ///< bytes that the header itself takes
};

enum class FrameError : std::uint8_t {
  kUnknownKind,
  kBadNumber,     ///< not the shortest form, or above 32 bits
  kTooLong,       ///< a payload above what its kind may have
  kWrongStream,   ///< 0 on a stream's frame, or not 0 on the channel's
  kBadPayload,    ///< not what its kind carries
  kOutOfPlace,    ///< it may not come now
  kReusedStream,  ///< an Open whose id is not new, or not for the remote to use
  kWindowExceeded,
  kWindowOverflow,  ///< credit that adds up to more than 32 bits
};
[[nodiscard]] std::string_view to_string(FrameError error) noexcept;

/// Reads the header at the front of `bytes`; nothing when they end inside it.
[[nodiscard]] std::expected<std::optional<FrameHeader>, FrameError> decode_header(
    base::BytesView bytes) noexcept;
/// The payload of an Accept or a Credit.
[[nodiscard]] std::expected<std::uint32_t, FrameError> decode_number(
    base::BytesView payload) noexcept;
/// The payload of an Open. The texts are slices of it.
[[nodiscard]] std::expected<std::vector<std::string_view>, FrameError> decode_protocols(
    base::BytesView payload);
/// `protocols` are valid ones, at least 1 and at most kMaxProtocols.
[[nodiscard]] base::Bytes encode_protocols(std::span<const std::string> protocols);

/// Puts frames into a transport's span. One that no longer fits goes into `rest`, and on with the
/// next span: nothing is ever too large to be sent.
class FrameWriter {
 public:
  /// Begins with what is in `rest`.
  FrameWriter(base::MutableBytes out, base::Buffer& rest) noexcept;

  /// Nothing more should be put: there is no room for a header and some payload.
  [[nodiscard]] bool full() const noexcept { return !rest_->empty() || room() <= kMaxHeader; }
  [[nodiscard]] std::size_t room() const noexcept { return out_.size() - written_; }
  [[nodiscard]] std::size_t written() const noexcept { return written_; }

  /// Only while not full.
  void put(FrameKind kind, connection::StreamId stream, base::BytesView payload = {});
  void put_number(FrameKind kind, connection::StreamId stream, std::uint32_t number);

 private:
  base::MutableBytes out_;
  base::Buffer* rest_;
  std::size_t written_ = 0;
};

}  // namespace ggen::p2p::sim
