#include <algorithm>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/multiformats/multibase.hpp>

#include "base_codec.hpp"

namespace ggen::p2p::multiformats {
namespace {

/// Base16 spends the most characters on a byte.
constexpr std::size_t kMaxText = 2 * kMaxMultibaseBytes;

struct Encoding {
  std::string_view alphabet;
  bool as_number = false;  ///< rather than as groups of bits
  Padding padding = Padding::kNone;
  bool either_case = false;
  bool upper = false;
};

std::optional<Encoding> encoding_of(Multibase base) {
  switch (base) {
    case Multibase::kBase16:
      return Encoding{.alphabet = kBase16Alphabet, .either_case = true};
    case Multibase::kBase16Upper:
      return Encoding{.alphabet = kBase16Alphabet, .either_case = true, .upper = true};
    case Multibase::kBase32:
      return Encoding{.alphabet = kBase32Alphabet, .either_case = true};
    case Multibase::kBase32Upper:
      return Encoding{.alphabet = kBase32Alphabet, .either_case = true, .upper = true};
    case Multibase::kBase36:
      return Encoding{.alphabet = kBase36Alphabet, .as_number = true, .either_case = true};
    case Multibase::kBase36Upper:
      return Encoding{
          .alphabet = kBase36Alphabet, .as_number = true, .either_case = true, .upper = true};
    case Multibase::kBase58Btc:
      return Encoding{.alphabet = kBase58Alphabet, .as_number = true};
    case Multibase::kBase64:
      return Encoding{.alphabet = kBase64Alphabet};
    case Multibase::kBase64Pad:
      return Encoding{.alphabet = kBase64Alphabet, .padding = Padding::kEqualsSigns};
    case Multibase::kBase64Url:
      return Encoding{.alphabet = kBase64UrlAlphabet};
    case Multibase::kBase64UrlPad:
      return Encoding{.alphabet = kBase64UrlAlphabet, .padding = Padding::kEqualsSigns};
  }
  return std::nullopt;
}

std::string encode(const Encoding& encoding, base::BytesView bytes) {
  GGEN_INVARIANT(bytes.size() <= kMaxMultibaseBytes);
  std::string text = encoding.as_number ? encode_number(bytes, encoding.alphabet)
                                        : encode_bits(bytes, encoding.alphabet, encoding.padding);
  if (encoding.upper) std::ranges::transform(text, text.begin(), ascii_upper);
  return text;
}

std::optional<base::Bytes> decode(const Encoding& encoding, std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  std::string lower;
  if (encoding.either_case) {
    lower = text;
    std::ranges::transform(lower, lower.begin(), ascii_lower);
    text = lower;
  }
  auto bytes = encoding.as_number ? decode_number(text, encoding.alphabet)
                                  : decode_bits(text, encoding.alphabet, encoding.padding);
  if (bytes && bytes->size() > kMaxMultibaseBytes) return std::nullopt;
  return bytes;
}

}  // namespace

std::string encode_multibase(Multibase base, base::BytesView bytes) {
  const auto encoding = encoding_of(base);
  GGEN_INVARIANT(encoding.has_value());
  return static_cast<char>(base) + encode(*encoding, bytes);
}

std::optional<base::Bytes> decode_multibase(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto encoding = encoding_of(static_cast<Multibase>(text.front()));
  if (!encoding) return std::nullopt;
  return decode(*encoding, text.substr(1));
}

std::string encode_base58(base::BytesView bytes) {
  return encode(*encoding_of(Multibase::kBase58Btc), bytes);
}

std::optional<base::Bytes> decode_base58(std::string_view text) {
  return decode(*encoding_of(Multibase::kBase58Btc), text);
}

}  // namespace ggen::p2p::multiformats
