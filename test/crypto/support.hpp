#pragma once

#include <initializer_list>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/varint.hpp>

namespace ggen::p2p::crypto {

inline base::Bytes hex(std::string_view text) {
  return base::from_hex(text).value();
}

inline base::Bytes join(std::initializer_list<base::BytesView> parts) {
  base::Bytes whole;
  for (const base::BytesView part : parts) base::append(whole, part);
  return whole;
}

/// A key message with whatever type and data.
inline base::Bytes key_message(std::uint8_t type, base::BytesView data) {
  base::Bytes message = {0x08, type, 0x12};
  base::append_varint(message, data.size());
  base::append(message, data);
  return message;
}

/// A DER value with its length in the shortest form.
inline base::Bytes der(std::uint8_t tag, base::BytesView contents) {
  base::Bytes value = {tag};
  if (contents.size() >= 0x100) {
    value.push_back(0x82);
    value.push_back(static_cast<std::uint8_t>(contents.size() >> 8));
  } else if (contents.size() >= 0x80) {
    value.push_back(0x81);
  }
  value.push_back(static_cast<std::uint8_t>(contents.size()));
  base::append(value, contents);
  return value;
}

}  // namespace ggen::p2p::crypto
