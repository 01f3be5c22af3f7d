#pragma once

#include <expected>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/registry/entry.hpp>

namespace ggen::p2p::registry {

[[nodiscard]] base::Bytes encode_payload(const Statement& statement);
[[nodiscard]] std::expected<Statement, EntryError> decode_payload(base::BytesView payload);

}  // namespace ggen::p2p::registry
