#include "dht_json.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/multiformats/cid.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/head_record.hpp>

#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// Namespaces whose keys go on with a peer id in binary: public keys, and heads of publishers' logs.
constexpr std::array<std::string_view, 2> kOfPeers{"/pk/", "/ggen/"};

Json peer_json(const kad::PeerRecord& peer) {
  Json json;
  json["peer_id"] = peer.peer.to_string();
  json["addresses"] = Json::array();
  for (const auto& address : peer.addresses) json["addresses"].push_back(address.to_string());
  return json;
}

Json peers_json(const std::vector<kad::PeerRecord>& peers) {
  Json list = Json::array();
  for (const kad::PeerRecord& peer : peers) list.push_back(peer_json(peer));
  return list;
}

auto ms(base::Duration time) {
  return duration_cast<milliseconds>(time).count();
}

Json hop_json(const kad::QueryHop& hop) {
  Json json;
  json["peer_id"] = hop.peer.to_string();
  json["asked"] = to_string(hop.asked);
  json["shared_bits"] = hop.shared_bits;
  json["error"] = hop.error ? Json(to_string(*hop.error)) : Json(nullptr);
  json["closer"] = hop.closer;
  json["providers"] = hop.providers;
  json["value"] = hop.value;
  json["took_ms"] = ms(hop.took);
  return json;
}

// What a value says of a publisher's log; null when it is something else.
Json head_json(base::BytesView key, base::BytesView value) {
  const auto publisher = registry::publisher_of_head(key);
  const auto record = publisher ? registry::read_head(*publisher, value) : std::nullopt;
  if (!record) return nullptr;
  const registry::Statement& statement = record->head.statement;
  Json json;
  json["publisher"] = publisher->to_string();
  json["seq"] = statement.seq;
  json["entry"] = record->head.id.to_string();
  json["time_ms"] = duration_cast<milliseconds>(statement.time.time_since_epoch()).count();
  if (const auto* publish = std::get_if<registry::Publish>(&statement.body)) {
    json["package"] = publish->metadata.name.text();
    json["version"] = publish->metadata.version.text();
  }
  return json;
}

Json entry_json(const kad::TableEntry& entry, base::Instant now) {
  Json json;
  json["peer_id"] = entry.peer.to_string();
  json["address"] =
      entry.addresses.empty() ? Json(nullptr) : Json(entry.addresses.front().to_string());
  json["latency_ms"] = entry.latency ? Json(ms(*entry.latency)) : Json(nullptr);
  json["seen_ms_ago"] = ms(now - entry.last_seen);
  json["failures"] = entry.failures;
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
  for (const std::string_view name_space : kOfPeers) {
    if (!text.starts_with(name_space)) continue;
    const auto peer = multiformats::PeerId::parse(text.substr(name_space.size()));
    if (!peer) {
      return std::unexpected(
          fmt::format("has no peer id behind {}: {}", name_space, to_string(peer.error())));
    }
    base::Bytes key = base::to_bytes(base::as_bytes(name_space));
    base::append(key, peer->bytes());
    return key;
  }
  return parse_bytes(text);
}

std::expected<base::Bytes, std::string> parse_provider_key(std::string_view text) {
  if (const auto cid = multiformats::Cid::parse(text)) return cid->hash().encode();
  return parse_dht_key(text);
}

bool has_found(const kad::QueryDone& done) {
  return std::visit(base::Overloaded{
                        [](const kad::result::Placed& r) { return r.stored > 0; },
                        [](const kad::result::FoundValue& r) { return r.value.has_value(); },
                        [](const kad::result::Closest& r) { return !r.peers.empty(); },
                        [](const kad::result::FoundPeer& r) { return r.peer.has_value(); },
                        [](const kad::result::FoundProviders& r) { return !r.providers.empty(); },
                    },
                    done.result);
}

Json to_json(const request::DhtQuery& query, const marketplace::dht::Answer& answer) {
  const kad::QueryDone& done = answer.done;
  Json json;
  json["key"] = base::to_hex(query.key);
  std::visit(
      base::Overloaded{
          [&](const kad::result::Placed& placed) {
            json["stored"] = placed.stored;
            json["failed"] = placed.failed;
          },
          [&](const kad::result::FoundValue& found) {
            json["value"] = found.value ? Json(base::to_hex(*found.value)) : Json(nullptr);
            if (found.value) json["head"] = head_json(query.key, *found.value);
            json["same"] = found.same;
            json["outdated"] = found.outdated;
            json["invalid"] = found.invalid;
          },
          [&](const kad::result::Closest& closest) { json["peers"] = peers_json(closest.peers); },
          [&](const kad::result::FoundPeer& found) {
            json["peer"] = found.peer ? peer_json(*found.peer) : Json(nullptr);
            json["reached"] = found.reached;
          },
          [&](const kad::result::FoundProviders& found) {
            json["providers"] = peers_json(found.providers);
          },
      },
      done.result);
  json["found"] = has_found(done);
  json["asked"] = done.stats.asked;
  json["answered"] = done.stats.answered;
  json["end"] = to_string(done.stats.end);
  json["crowded"] = done.stats.crowded;
  json["took_ms"] = ms(done.stats.took);
  if (!query.trace) return json;
  json["hops"] = Json::array();
  for (const kad::QueryHop& hop : answer.hops) json["hops"].push_back(hop_json(hop));
  return json;
}

Json to_json(const kad::Engine& dht, base::Instant now) {
  const kad::RoutingTable& table = dht.table();
  Json json;
  json["buckets"] = Json::array();
  for (std::size_t prefix = 0; prefix < table.buckets(); ++prefix) {
    Json bucket;
    bucket["shared_bits"] = prefix;
    bucket["peers"] = Json::array();
    for (const kad::TableEntry& entry : table.bucket(prefix)) {
      bucket["peers"].push_back(entry_json(entry, now));
    }
    json["buckets"].push_back(std::move(bucket));
  }
  json["peers"] = table.size();
  const auto others = dht.network_size(now);
  json["network_size"] = others ? Json(std::llround(*others)) : Json(nullptr);
  const kad::LookupHealth::Sum& health = dht.lookup_health().sum();
  json["lookups"] = health.lookups;
  json["good_lookups"] = health.good;
  json["peers_asked"] = health.asked;
  json["peers_answered"] = health.answered;
  json["mode"] = dht.mode() == kad::Mode::kServer ? "server" : "client";
  return json;
}

Json to_json(const kad::ProvideStats& stats) {
  Json json;
  json["keys"] = stats.records;
  json["overdue"] = stats.overdue;
  json["overdue_ms"] = ms(stats.oldest);
  json["behind"] = stats.behind;
  json["regions"] = stats.regions;
  json["swept"] = stats.swept;
  json["lookups"] = stats.lookups;
  json["taken"] = stats.records_taken;
  json["failed"] = stats.records_failed;
  return json;
}

}  // namespace ggen::p2p::cli
