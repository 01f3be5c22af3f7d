#include "value_codec.hpp"

#include <algorithm>
#include <limits>

#include <ggen/p2p/multiformats/ip_address.hpp>
#include <ggen/p2p/multiformats/multibase.hpp>
#include <ggen/p2p/multiformats/multihash.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

#include "base_codec.hpp"
#include "decimal.hpp"
#include "hidden_service.hpp"
#include "percent.hpp"
#include "printable.hpp"

namespace ggen::p2p::multiformats {
namespace {

/// 253 characters (RFC 1035) and the dot that may end them.
constexpr std::size_t kMaxDnsName = 254;

std::optional<base::Bytes> bytes_of(const std::optional<IpAddress>& address) {
  if (!address) return std::nullopt;
  return base::to_bytes(address->bytes());
}

template <class T>
std::optional<base::Bytes> parse_number(std::string_view text) {
  const auto number = parse_decimal(text, std::numeric_limits<T>::max());
  if (!number) return std::nullopt;
  base::Bytes bytes(sizeof(T));
  base::store_big_endian(bytes.data(), static_cast<T>(*number));
  return bytes;
}

template <class T>
std::string format_number(base::BytesView value) {
  return std::to_string(base::load_big_endian<T>(value.data()));
}

std::optional<base::Bytes> parse_peer_id(std::string_view text) {
  const auto id = PeerId::parse(text);
  if (!id) return std::nullopt;
  return base::to_bytes(id->bytes());
}

/// A name that stands between two slashes.
bool is_name(base::BytesView value) {
  return !value.empty() && is_printable_utf8(value) && std::ranges::count(value, '/') == 0 &&
         std::ranges::count(value, ' ') == 0;
}

/// Slashes at the end of a text are dropped: a path that ends in one could not be written down.
bool is_path(base::BytesView value) {
  return value.size() >= 2 && value.front() == '/' && value.back() != '/' &&
         is_printable_utf8(value);
}

std::optional<base::Bytes> read_text(ValueKind kind, std::string_view text) {
  switch (kind) {
    case ValueKind::kNone:
      return std::nullopt;
    case ValueKind::kIp4:
      return bytes_of(IpAddress::parse_v4(text));
    case ValueKind::kIp6:
      return bytes_of(IpAddress::parse_v6(text));
    case ValueKind::kPrefixLength:
      return parse_number<std::uint8_t>(text);
    case ValueKind::kPort:
      return parse_number<std::uint16_t>(text);
    case ValueKind::kUint64:
      return parse_number<std::uint64_t>(text);
    case ValueKind::kIp6Zone:
    case ValueKind::kDnsName:
    case ValueKind::kPath:
      return base::to_bytes(base::as_bytes(text));
    case ValueKind::kPeerId:
      return parse_peer_id(text);
    case ValueKind::kOnion:
      return parse_onion(text, kOnionName);
    case ValueKind::kOnion3:
      return parse_onion(text, kOnion3Name);
    case ValueKind::kGarlic64:
      return decode_bits(text, kGarlic64Alphabet, Padding::kEqualsSigns);
    case ValueKind::kGarlic32:
      // I2P's tools have produced names whose last bits are not zero.
      return decode_bits(text, kBase32Alphabet, Padding::kNone, LeftOver::kIgnored);
    case ValueKind::kCerthash:
      return decode_multibase(text);
    case ValueKind::kHttpPath:
      return percent_decode(text);
  }
  return std::nullopt;
}

}  // namespace

std::optional<base::Bytes> parse_value(ValueKind kind, std::string_view text) {
  auto value = read_text(kind, text);
  if (value && !is_valid_value(kind, *value)) return std::nullopt;
  return value;
}

bool is_valid_value(ValueKind kind, base::BytesView value) {
  switch (kind) {
    case ValueKind::kNone:
      return value.empty();
    case ValueKind::kPrefixLength:
      return value.size() == 1;
    case ValueKind::kPort:
      return value.size() == 2;
    case ValueKind::kIp4:
      return value.size() == 4;
    case ValueKind::kUint64:
      return value.size() == 8;
    case ValueKind::kIp6:
      return value.size() == 16;
    case ValueKind::kIp6Zone:
      return is_name(value);
    case ValueKind::kDnsName:
      return is_name(value) && value.size() <= kMaxDnsName;
    case ValueKind::kPeerId:
      return PeerId::decode(value).has_value();
    case ValueKind::kOnion:
      return is_onion(value, kOnionName);
    case ValueKind::kOnion3:
      return is_onion(value, kOnion3Name);
    case ValueKind::kGarlic64:
      return is_garlic64(value);
    case ValueKind::kGarlic32:
      return is_garlic32(value);
    case ValueKind::kCerthash:
      return Multihash::decode(value).has_value();
    case ValueKind::kPath:
      return is_path(value);
    case ValueKind::kHttpPath:
      return !value.empty();
  }
  return false;
}

std::string format_value(ValueKind kind, base::BytesView value) {
  switch (kind) {
    case ValueKind::kNone:
      return {};
    case ValueKind::kIp4:
    case ValueKind::kIp6:
      return IpAddress::from_bytes(value)->to_string();
    case ValueKind::kPrefixLength:
      return format_number<std::uint8_t>(value);
    case ValueKind::kPort:
      return format_number<std::uint16_t>(value);
    case ValueKind::kUint64:
      return format_number<std::uint64_t>(value);
    case ValueKind::kIp6Zone:
    case ValueKind::kDnsName:
    case ValueKind::kPath:
      return std::string(base::as_text(value));
    case ValueKind::kPeerId:
      return encode_base58(value);
    case ValueKind::kOnion:
    case ValueKind::kOnion3:
      return format_onion(value);
    case ValueKind::kGarlic64:
      return encode_bits(value, kGarlic64Alphabet, Padding::kEqualsSigns);
    case ValueKind::kGarlic32:
      return encode_bits(value, kBase32Alphabet, Padding::kNone);
    case ValueKind::kCerthash:
      return encode_multibase(Multibase::kBase64Url, value);
    case ValueKind::kHttpPath:
      return percent_encode(value);
  }
  return {};
}

std::string_view describe_value(ValueKind kind) noexcept {
  switch (kind) {
    case ValueKind::kNone:
      return "nothing";
    case ValueKind::kIp4:
      return "an IPv4 address like 192.0.2.1";
    case ValueKind::kIp6:
      return "an IPv6 address like 2001:db8::1";
    case ValueKind::kIp6Zone:
      return "the name of a network interface like eth0";
    case ValueKind::kPrefixLength:
      return "a number of bits from 0 to 255";
    case ValueKind::kPort:
      return "a port from 0 to 65535";
    case ValueKind::kDnsName:
      return "a domain name of at most 253 characters like example.com";
    case ValueKind::kPeerId:
      return "a peer id like 12D3KooW... or Qm..., or its CID bafz...";
    case ValueKind::kOnion:
      return "16 characters of base32, a colon, and a port from 1 to 65535";
    case ValueKind::kOnion3:
      return "56 characters of base32, a colon, and a port from 1 to 65535";
    case ValueKind::kGarlic64:
      return "an I2P address of at least 386 bytes in I2P's base64";
    case ValueKind::kGarlic32:
      return "an I2P address of 32 bytes, or 35 and more, in base32";
    case ValueKind::kCerthash:
      return "a multihash in multibase, like uEi...";
    case ValueKind::kPath:
      return "a path of printable characters";
    case ValueKind::kHttpPath:
      return "a percent-encoded path";
    case ValueKind::kUint64:
      return "a number from 0 to 18446744073709551615";
  }
  return {};
}

}  // namespace ggen::p2p::multiformats
