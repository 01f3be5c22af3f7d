#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/kad/output.hpp>

#include "json.hpp"

/// Keys, values and answers of the DHT, as commands take and print them.
namespace ggen::p2p::cli {

/// Bytes as they are typed: `0x` and hexadecimal digits, or a text. The error is half a sentence.
[[nodiscard]] std::expected<base::Bytes, std::string> parse_bytes(std::string_view text);
/// A key as it is typed: also `/pk/` and a peer id, which stands there in its binary form.
[[nodiscard]] std::expected<base::Bytes, std::string> parse_dht_key(std::string_view text);

/// How a query for `key` ended: see Service.
[[nodiscard]] Json to_json(base::BytesView key, const kad::QueryDone& done);

}  // namespace ggen::p2p::cli
