#include "hidden_service.hpp"

#include <algorithm>

#include "base_codec.hpp"
#include "decimal.hpp"

namespace ggen::p2p::multiformats {
namespace {

constexpr std::size_t kPort = 2;
constexpr std::size_t kMinGarlic64 = 386;
constexpr std::size_t kGarlic32Hash = 32;
constexpr std::size_t kMinGarlic32LeaseSet = 35;

}  // namespace

std::optional<base::Bytes> parse_onion(std::string_view text, std::size_t name_size) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string name{text.substr(0, colon)};
  std::ranges::transform(name, name.begin(), ascii_lower);
  auto value = decode_bits(name, kBase32Alphabet, Padding::kNone);
  const auto port = parse_decimal(text.substr(colon + 1), 65535);
  if (!value || value->size() != name_size || !port) return std::nullopt;
  value->resize(name_size + kPort);
  base::store_big_endian(value->data() + name_size, static_cast<std::uint16_t>(*port));
  return value;
}

std::string format_onion(base::BytesView value) {
  const base::BytesView name = value.first(value.size() - kPort);
  const auto port = base::load_big_endian<std::uint16_t>(value.last(kPort).data());
  return encode_bits(name, kBase32Alphabet, Padding::kNone) + ':' + std::to_string(port);
}

bool is_onion(base::BytesView value, std::size_t name_size) noexcept {
  if (value.size() != name_size + kPort) return false;
  return base::load_big_endian<std::uint16_t>(value.last(kPort).data()) != 0;
}

bool is_garlic64(base::BytesView value) noexcept {
  return value.size() >= kMinGarlic64;
}

bool is_garlic32(base::BytesView value) noexcept {
  return value.size() == kGarlic32Hash || value.size() >= kMinGarlic32LeaseSet;
}

}  // namespace ggen::p2p::multiformats
