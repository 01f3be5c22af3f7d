#include "dht_json.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::string_view kPublicKeys = "/pk/";

Json peer_json(const kad::PeerRecord& peer) {
  Json json;
  json["peer_id"] = peer.peer.to_string();
  json["addresses"] = Json::array();
  for (const auto& address : peer.addresses) json["addresses"].push_back(address.to_string());
  return json;
}

}  // namespace

std::expected<base::Bytes, std::string> parse_bytes(std::string_view text) {
  if (!text.starts_with("0x")) return base::to_bytes(base::as_bytes(text));
  auto bytes = base::from_hex(text.substr(2));
  if (bytes) return *std::move(bytes);
  return std::unexpected<std::string>{"has something other than hexadecimal digits behind 0x"};
}

std::expected<base::Bytes, std::string> parse_dht_key(std::string_view text) {
  if (!text.starts_with(kPublicKeys)) return parse_bytes(text);
  const auto peer = multiformats::PeerId::parse(text.substr(kPublicKeys.size()));
  if (!peer) {
    return std::unexpected(fmt::format("has no peer id behind /pk/: {}", to_string(peer.error())));
  }
  base::Bytes key = base::to_bytes(base::as_bytes(kPublicKeys));
  key.insert(key.end(), peer->bytes().begin(), peer->bytes().end());
  return key;
}

Json to_json(base::BytesView key, const kad::QueryDone& done) {
  Json json;
  json["key"] = base::to_hex(key);
  std::visit(base::Overloaded{
                 [&](const kad::result::Placed& placed) {
                   json["stored"] = placed.stored;
                   json["failed"] = placed.failed;
                 },
                 [&](const kad::result::FoundValue& found) {
                   json["value"] = found.value ? Json(base::to_hex(*found.value)) : Json(nullptr);
                   json["same"] = found.same;
                   json["outdated"] = found.outdated;
                   json["invalid"] = found.invalid;
                 },
                 [&](const kad::result::Closest& closest) {
                   json["peers"] = Json::array();
                   for (const auto& peer : closest.peers) json["peers"].push_back(peer_json(peer));
                 },
                 [](const auto&) {},
             },
             done.result);
  json["asked"] = done.stats.asked;
  json["answered"] = done.stats.answered;
  json["end"] = to_string(done.stats.end);
  json["took_ms"] = duration_cast<milliseconds>(done.stats.took).count();
  return json;
}

}  // namespace ggen::p2p::cli
