#pragma once

#include <expected>
#include <string_view>

#include <ggen/p2p/registry/entry.hpp>
#include <ggen/p2p/reqresp/message.hpp>

namespace ggen::p2p::registry {

[[nodiscard]] std::string_view kind_of(const EntryBody& body) noexcept;
[[nodiscard]] reqresp::MapBuilder encode_body(const EntryBody& body);
[[nodiscard]] std::expected<EntryBody, EntryError> decode_body(std::string_view kind,
                                                               reqresp::Map map);

}  // namespace ggen::p2p::registry
