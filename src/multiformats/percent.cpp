#include "percent.hpp"

namespace ggen::p2p::multiformats {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string percent_encode(base::BytesView bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  text.reserve(bytes.size());
  for (const std::uint8_t byte : bytes) {
    const char c = static_cast<char>(byte);
    if (is_unreserved(c)) {
      text.push_back(c);
    } else {
      text.push_back('%');
      text.push_back(kDigits[byte >> 4]);
      text.push_back(kDigits[byte & 15]);
    }
  }
  return text;
}

std::optional<base::Bytes> percent_decode(std::string_view text) {
  base::Bytes bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes.push_back(static_cast<std::uint8_t>(text[i]));
      continue;
    }
    const auto byte = base::from_hex(text.substr(i + 1, 2));
    if (!byte || byte->empty()) return std::nullopt;
    bytes.push_back(byte->front());
    i += 2;
  }
  return bytes;
}

}  // namespace ggen::p2p::multiformats
