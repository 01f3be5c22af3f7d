#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/varint.hpp>

namespace ggen::p2p::base {

std::string_view to_string(VarintError error) noexcept {
  switch (error) {
    case VarintError::kTruncated:
      return "the bytes end inside a varint";
    case VarintError::kTooLong:
      return "a varint takes more than 9 bytes";
    case VarintError::kNotMinimal:
      return "a varint is not in its shortest form";
  }
  return "unknown varint error";
}

std::expected<Varint, VarintError> decode_long_varint(BytesView bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kMaxVarintBytes; ++i) {
    if (i == bytes.size()) return std::unexpected(VarintError::kTruncated);
    const std::uint8_t byte = bytes[i];
    value |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) {
      if (byte == 0 && i > 0) return std::unexpected(VarintError::kNotMinimal);
      return Varint{value, i + 1};
    }
  }
  return std::unexpected(VarintError::kTooLong);
}

std::size_t varint_size(std::uint64_t value) noexcept {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

std::size_t encode_varint(std::uint64_t value, std::uint8_t* out) noexcept {
  GGEN_INVARIANT(value <= kMaxVarint);
  std::size_t size = 0;
  for (; value >= 0x80; value >>= 7) out[size++] = static_cast<std::uint8_t>(value | 0x80);
  out[size++] = static_cast<std::uint8_t>(value);
  return size;
}

void append_varint(Bytes& to, std::uint64_t value) {
  std::array<std::uint8_t, kMaxVarintBytes> encoded{};
  const std::size_t size = encode_varint(value, encoded.data());
  append(to, BytesView{encoded}.first(size));
}

}  // namespace ggen::p2p::base
