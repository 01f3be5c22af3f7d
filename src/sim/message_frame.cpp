#include "message_frame.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/varint.hpp>

namespace ggen::p2p::sim {
namespace {

struct KindRule {
  bool of_stream;
  std::uint32_t max_payload;
};
// In the order of FrameKind.
constexpr std::array<KindRule, kFrameKinds> kRules{{
    {false, 0},
    {false, crypto::kMaxEncodedKey},
    {false, 0},
    {true, kMaxOpen},
    {true, kMaxNumber},
    {true, 0},
    {true, kStreamWindow},
    {true, 0},
    {true, 0},
    {true, kMaxNumber},
}};

// Nothing when the bytes end inside the number.
std::expected<std::optional<base::Varint>, FrameError> take_number(base::BytesView bytes) noexcept {
  const auto number = base::decode_varint(bytes);
  if (number) {
    if (number->value > UINT32_MAX) return std::unexpected(FrameError::kBadNumber);
    return *number;
  }
  // Its first bytes show that a number will be too large: the rest need not be waited for.
  const bool truncated = number.error() == base::VarintError::kTruncated;
  if (truncated && bytes.size() < kMaxNumber) return std::nullopt;
  return std::unexpected(FrameError::kBadNumber);
}

}  // namespace

std::string_view to_string(FrameError error) noexcept {
  switch (error) {
    case FrameError::kUnknownKind:
      return "a frame of an unknown kind";
    case FrameError::kBadNumber:
      return "a malformed number in a frame";
    case FrameError::kTooLong:
      return "a frame above the limit";
    case FrameError::kWrongStream:
      return "a frame with the wrong kind of stream id";
    case FrameError::kBadPayload:
      return "a frame with a malformed payload";
    case FrameError::kOutOfPlace:
      return "a frame that may not come now";
    case FrameError::kReusedStream:
      return "a stream id that the remote may not use";
    case FrameError::kWindowExceeded:
      return "more data than there was credit for";
    case FrameError::kWindowOverflow:
      return "credit above 32 bits";
  }
  return "unknown frame error";
}

std::expected<std::optional<FrameHeader>, FrameError> decode_header(
    base::BytesView bytes) noexcept {
  if (bytes.empty()) return std::nullopt;
  if (bytes[0] >= kFrameKinds) return std::unexpected(FrameError::kUnknownKind);
  const KindRule& rule = kRules[bytes[0]];
  const auto stream = take_number(bytes.subspan(1));
  if (!stream) return std::unexpected(stream.error());
  if (!*stream) return std::nullopt;
  if (rule.of_stream != ((*stream)->value != 0)) return std::unexpected(FrameError::kWrongStream);
  const auto length = take_number(bytes.subspan(1 + (*stream)->size));
  if (!length) return std::unexpected(length.error());
  if (!*length) return std::nullopt;
  if ((*length)->value > rule.max_payload) return std::unexpected(FrameError::kTooLong);
  return FrameHeader{static_cast<FrameKind>(bytes[0]),
                     {static_cast<std::uint32_t>((*stream)->value)},
                     static_cast<std::uint32_t>((*length)->value),
                     1 + (*stream)->size + (*length)->size};
}

std::expected<std::uint32_t, FrameError> decode_number(base::BytesView payload) noexcept {
  const auto number = take_number(payload);
  if (!number) return std::unexpected(number.error());
  if (!*number || (*number)->size != payload.size()) {
    return std::unexpected(FrameError::kBadPayload);
  }
  return static_cast<std::uint32_t>((*number)->value);
}

std::expected<std::vector<std::string_view>, FrameError> decode_protocols(base::BytesView payload) {
  std::vector<std::string_view> protocols;
  while (!payload.empty()) {
    const auto size = base::decode_varint(payload);
    if (!size || size->value > payload.size() - size->size) {
      return std::unexpected(FrameError::kBadPayload);
    }
    const auto text = base::as_text(payload.subspan(size->size, size->value));
    if (!multistream::valid_protocol(text)) return std::unexpected(FrameError::kBadPayload);
    if (protocols.size() == kMaxProtocols) return std::unexpected(FrameError::kTooLong);
    protocols.push_back(text);
    payload = payload.subspan(size->size + text.size());
  }
  if (protocols.empty()) return std::unexpected(FrameError::kBadPayload);
  return protocols;
}

base::Bytes encode_protocols(std::span<const std::string> protocols) {
  base::Bytes payload;
  for (const std::string& protocol : protocols) {
    base::append_varint(payload, protocol.size());
    base::append(payload, base::as_bytes(protocol));
  }
  return payload;
}

FrameWriter::FrameWriter(base::MutableBytes out, base::Buffer& rest) noexcept
    : out_(out), rest_(&rest), written_(std::min(out.size(), rest.size())) {
  if (written_ == 0) return;
  std::memcpy(out.data(), rest.data(), written_);
  rest.remove_prefix(written_);
  if (rest.empty()) rest = {};
}

void FrameWriter::put(FrameKind kind, connection::StreamId stream, base::BytesView payload) {
  GGEN_INVARIANT(!full());
  std::uint8_t* at = out_.data() + written_;
  *at++ = static_cast<std::uint8_t>(kind);
  at += base::encode_varint(stream.value, at);
  at += base::encode_varint(payload.size(), at);
  written_ = static_cast<std::size_t>(at - out_.data());
  const base::BytesView fitting = payload.first(std::min(payload.size(), room()));
  if (!fitting.empty()) std::memcpy(at, fitting.data(), fitting.size());
  written_ += fitting.size();
  *rest_ = base::Buffer::copy_of(payload.subspan(fitting.size()));
}

void FrameWriter::put_number(FrameKind kind, connection::StreamId stream, std::uint32_t number) {
  std::array<std::uint8_t, kMaxNumber> payload{};
  const std::size_t size = base::encode_varint(number, payload.data());
  put(kind, stream, base::BytesView{payload}.first(size));
}

}  // namespace ggen::p2p::sim
