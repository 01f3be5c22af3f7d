#include "key_message.hpp"

#include <ggen/p2p/base/varint.hpp>

namespace ggen::p2p::crypto {
namespace {

// Protobuf keys: field 1 as a varint, field 2 as bytes.
constexpr std::uint8_t kTypeField = 0x08;
constexpr std::uint8_t kDataField = 0x12;

std::optional<std::uint64_t> take_field(base::BytesView& rest, std::uint8_t field) {
  if (rest.empty() || rest[0] != field) return std::nullopt;
  const auto number = base::decode_varint(rest.subspan(1));
  if (!number) return std::nullopt;
  rest = rest.subspan(1 + number->size);
  return number->value;
}

}  // namespace

std::optional<KeyMessage> read_key_message(base::BytesView message) {
  const auto type = take_field(message, kTypeField);
  if (!type) return std::nullopt;
  const auto size = take_field(message, kDataField);
  if (!size || *size != message.size()) return std::nullopt;
  return KeyMessage{*type, message};
}

base::Bytes write_key_message(KeyType type, base::BytesView data) {
  base::Bytes message;
  message.reserve(3 + base::varint_size(data.size()) + data.size());
  message.push_back(kTypeField);
  message.push_back(static_cast<std::uint8_t>(type));
  message.push_back(kDataField);
  base::append_varint(message, data.size());
  base::append(message, data);
  return message;
}

}  // namespace ggen::p2p::crypto
