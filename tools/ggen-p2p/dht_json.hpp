#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/kad/engine.hpp>
#include <ggen/p2p/marketplace/dht.hpp>

#include "control_protocol.hpp"
#include "json.hpp"

/// Keys, values and answers of the DHT, as commands take and print them.
namespace ggen::p2p::cli {

/// Bytes as they are typed: `0x` and hexadecimal digits, or a text. The error is half a sentence.
[[nodiscard]] std::expected<base::Bytes, std::string> parse_bytes(std::string_view text);
/// A key as it is typed: also `/pk/` and a peer id, which stands there in its binary form.
[[nodiscard]] std::expected<base::Bytes, std::string> parse_dht_key(std::string_view text);

/// A key that is provided: also a CID, whose multihash others look for.
[[nodiscard]] std::expected<base::Bytes, std::string> parse_provider_key(std::string_view text);

/// Whether what was asked for is there, or what was put has been taken.
[[nodiscard]] bool has_found(const kad::QueryDone& done);
/// How a query ended, and the routing table: see Service.
[[nodiscard]] Json to_json(const request::DhtQuery& query, const marketplace::dht::Answer& answer);
[[nodiscard]] Json to_json(const kad::Engine& dht, base::Instant now);
[[nodiscard]] Json to_json(const kad::ProvideStats& stats);

}  // namespace ggen::p2p::cli
