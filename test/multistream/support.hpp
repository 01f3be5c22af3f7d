#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/varint.hpp>

namespace ggen::p2p::multistream {

/// Texts as messages, one after the other.
inline base::Bytes messages(std::initializer_list<std::string_view> texts) {
  base::Bytes bytes;
  for (const std::string_view text : texts) {
    base::append_varint(bytes, text.size() + 1);
    base::append(bytes, base::as_bytes(text));
    bytes.push_back('\n');
  }
  return bytes;
}

/// All that is pending, which is then sent.
template <class Side>
std::string drain(Side& side) {
  const std::string text(base::as_text(side.pending()));
  side.sent(text.size());
  return text;
}

inline std::string text_of(const base::Bytes& bytes) {
  return std::string(base::as_text(bytes));
}

inline constexpr std::string_view kHeader = "/multistream/1.0.0";

}  // namespace ggen::p2p::multistream
