#pragma once

#include <cstdint>
#include <string_view>

#include <protozero/pbf_reader.hpp>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::sim {

/// Calls visit(field, reader) for each field of a protobuf message, which reads it or leaves it
/// out. False when the message is malformed.
template <class Visit>
bool read_fields(base::BytesView message, Visit&& visit) {
  try {
    const std::string_view text = base::as_text(message);
    protozero::pbf_reader reader{text.data(), text.size()};
    while (reader.next()) {
      if (!visit(reader.tag_and_type(), reader)) reader.skip();
    }
    return true;
  } catch (const protozero::exception&) {
    return false;
  }
}

[[nodiscard]] constexpr std::uint32_t bytes_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::length_delimited);
}
[[nodiscard]] constexpr std::uint32_t number_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::varint);
}
[[nodiscard]] inline base::BytesView take_bytes(protozero::pbf_reader& reader) {
  const protozero::data_view view = reader.get_view();
  return base::as_bytes({view.data(), view.size()});
}

}  // namespace ggen::p2p::sim
