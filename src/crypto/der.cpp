#include "der.hpp"

#include <ggen/p2p/crypto/keys.hpp>

namespace ggen::p2p::crypto {

// Two bytes hold any length inside an encoded key.
static_assert(kMaxEncodedKey <= 0xffff);

std::optional<std::size_t> DerReader::read_length() noexcept {
  if (rest_.empty()) return std::nullopt;
  const std::size_t first = rest_[0];
  if (first < 0x80) {
    rest_ = rest_.subspan(1);
    return first;
  }
  const std::size_t digits = first - 0x80;
  if (digits < 1 || digits > 2 || rest_.size() < 1 + digits) return std::nullopt;
  const std::size_t length =
      digits == 1 ? rest_[1] : base::load_big_endian<std::uint16_t>(rest_.data() + 1);
  const bool shortest = digits == 1 ? length >= 0x80 : length >= 0x100;
  if (!shortest) return std::nullopt;
  rest_ = rest_.subspan(1 + digits);
  return length;
}

std::optional<base::BytesView> DerReader::read(DerTag tag) noexcept {
  if (rest_.empty() || rest_[0] != static_cast<std::uint8_t>(tag)) return std::nullopt;
  rest_ = rest_.subspan(1);
  const auto length = read_length();
  if (!length || *length > rest_.size()) return std::nullopt;
  const base::BytesView contents = rest_.first(*length);
  rest_ = rest_.subspan(*length);
  return contents;
}

std::optional<base::BytesView> DerReader::read_positive() noexcept {
  const auto digits = read(DerTag::kInteger);
  if (!digits || digits->empty() || (*digits)[0] >= 0x80) return std::nullopt;
  if ((*digits)[0] != 0) return digits;
  // A leading zero is only there to keep the number from reading as negative.
  if (digits->size() < 2 || (*digits)[1] < 0x80) return std::nullopt;
  return digits->subspan(1);
}

}  // namespace ggen::p2p::crypto
