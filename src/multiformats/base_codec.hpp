#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

/// Text encodings of bytes by an alphabet. Unless told otherwise, decoders accept exactly what the
/// encoders produce, so that each text has one meaning and each meaning one text.
namespace ggen::p2p::multiformats {

inline constexpr std::string_view kBase16Alphabet = "0123456789abcdef";
inline constexpr std::string_view kBase32Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
inline constexpr std::string_view kBase36Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
inline constexpr std::string_view kBase58Alphabet =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
inline constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view kBase64UrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The standard's functions follow the locale; these are about ASCII only.
[[nodiscard]] constexpr char ascii_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
[[nodiscard]] constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// How the last group of a power-of-two encoding ends.
enum class Padding : bool { kNone, kEqualsSigns };

/// For alphabets of 2^n characters (RFC 4648): takes time linear in the size.
[[nodiscard]] std::string encode_bits(base::BytesView bytes, std::string_view alphabet,
                                      Padding padding);
/// What to do with bits after the last whole byte: encoders set them to 0.
enum class LeftOver : bool { kMustBeZero, kIgnored };

/// Nothing for a character outside the alphabet, a length that no bytes encode to, padding other
/// than the encoder's, or bits left over that are not as they must be.
[[nodiscard]] std::optional<base::Bytes> decode_bits(std::string_view text,
                                                     std::string_view alphabet, Padding padding,
                                                     LeftOver left_over = LeftOver::kMustBeZero);

/// For any alphabet: the bytes as one number, a leading zero byte as a leading zero digit. Takes
/// time quadratic in the size, which callers therefore bound.
[[nodiscard]] std::string encode_number(base::BytesView bytes, std::string_view alphabet);
[[nodiscard]] std::optional<base::Bytes> decode_number(std::string_view text,
                                                       std::string_view alphabet);

}  // namespace ggen::p2p::multiformats
