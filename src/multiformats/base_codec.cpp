#include "base_codec.hpp"

#include <array>
#include <bit>

namespace ggen::p2p::multiformats {
namespace {

constexpr std::uint8_t kNotADigit = 0xff;

/// The value of each character.
std::array<std::uint8_t, 256> digit_values(std::string_view alphabet) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotADigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

unsigned bits_per_digit(std::string_view alphabet) {
  return static_cast<unsigned>(std::countr_zero(alphabet.size()));
}

/// Padding fills the text up to a multiple of this: the digits of the fewest bytes that leave no
/// bits over.
std::size_t group_digits(unsigned bits) {
  return bits == 5 ? 8 : bits == 6 ? 4 : 2;
}

std::size_t digits_of(std::size_t bytes, unsigned bits) {
  return (bytes * 8 + bits - 1) / bits;
}

}  // namespace

std::string encode_bits(base::BytesView bytes, std::string_view alphabet, Padding padding) {
  const unsigned bits = bits_per_digit(alphabet);
  std::string text;
  text.reserve(digits_of(bytes.size(), bits) + group_digits(bits));
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const std::uint8_t byte : bytes) {
    pending = (pending << 8) | byte;
    pending_bits += 8;
    while (pending_bits >= bits) {
      pending_bits -= bits;
      text.push_back(alphabet[(pending >> pending_bits) & (alphabet.size() - 1)]);
    }
  }
  if (pending_bits > 0) {
    text.push_back(alphabet[(pending << (bits - pending_bits)) & (alphabet.size() - 1)]);
  }
  if (padding == Padding::kEqualsSigns) {
    while (text.size() % group_digits(bits) != 0) text.push_back('=');
  }
  return text;
}

std::optional<base::Bytes> decode_bits(std::string_view text, std::string_view alphabet,
                                       Padding padding, LeftOver left_over) {
  const unsigned bits = bits_per_digit(alphabet);
  if (padding == Padding::kEqualsSigns) {
    if (text.size() % group_digits(bits) != 0) return std::nullopt;
    const std::size_t padded = text.size();
    while (text.ends_with('=')) text.remove_suffix(1);
    if (padded - text.size() >= group_digits(bits)) return std::nullopt;
  }
  const std::size_t size = text.size() * bits / 8;
  if (digits_of(size, bits) != text.size()) return std::nullopt;

  const auto values = digit_values(alphabet);
  base::Bytes bytes;
  bytes.reserve(size);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
    if (value == kNotADigit) return std::nullopt;
    pending = (pending << bits) | value;
    pending_bits += bits;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
    }
  }
  const bool clean = (pending & ((1U << pending_bits) - 1)) == 0;
  if (!clean && left_over == LeftOver::kMustBeZero) return std::nullopt;
  return bytes;
}

std::string encode_number(base::BytesView bytes, std::string_view alphabet) {
  const auto radix = static_cast<std::uint32_t>(alphabet.size());
  std::string text;
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;

  base::Bytes digits;  // least significant first
  for (const std::uint8_t byte : bytes.subspan(zeros)) {
    std::uint32_t carry = byte;
    for (std::uint8_t& digit : digits) {
      carry += std::uint32_t{digit} * 256;
      digit = static_cast<std::uint8_t>(carry % radix);
      carry /= radix;
    }
    for (; carry > 0; carry /= radix) digits.push_back(static_cast<std::uint8_t>(carry % radix));
  }
  text.reserve(zeros + digits.size());
  text.append(zeros, alphabet[0]);
  for (std::size_t i = digits.size(); i-- > 0;) text.push_back(alphabet[digits[i]]);
  return text;
}

std::optional<base::Bytes> decode_number(std::string_view text, std::string_view alphabet) {
  const auto radix = static_cast<std::uint32_t>(alphabet.size());
  const auto values = digit_values(alphabet);
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == alphabet[0]) ++zeros;

  base::Bytes reversed;  // least significant first
  for (const char c : text.substr(zeros)) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
    if (value == kNotADigit) return std::nullopt;
    std::uint32_t carry = value;
    for (std::uint8_t& byte : reversed) {
      carry += byte * radix;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    if (carry > 0) reversed.push_back(static_cast<std::uint8_t>(carry));
  }
  base::Bytes bytes(zeros, 0);
  bytes.insert(bytes.end(), reversed.rbegin(), reversed.rend());
  return bytes;
}

}  // namespace ggen::p2p::multiformats
