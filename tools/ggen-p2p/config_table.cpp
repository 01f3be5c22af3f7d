#include "config_table.hpp"

#include <algorithm>
#include <concepts>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/multistream/negotiation.hpp>
#include <ggen/p2p/swarm/ip.hpp>

#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using multiformats::Multiaddr;
using multiformats::PeerId;
using Check = std::expected<void, std::string>;

// Where a key's value lies, for reading and for writing.
#define GGEN_FIELD(path) [](auto& settings) -> auto& { return settings.path; }

template <class T>
std::unexpected<std::string> must_be(const T& valid) {
  return std::unexpected<std::string>{fmt::format("must be {}", valid)};
}

template <class Field>
Key number(std::string_view table, std::string_view name, std::string_view doc, std::int64_t low,
           std::int64_t high, Field field) {
  std::string valid = fmt::format("a whole number from {} to {}", low, high);
  auto get = [field](const Settings& s) { return Value{static_cast<std::int64_t>(field(s))}; };
  auto set = [field, low, high, valid](Settings& s, const Value& value) -> Check {
    const auto n = std::get<std::int64_t>(value);
    if (n < low || n > high) return must_be(valid);
    auto& target = field(s);
    target = static_cast<std::remove_reference_t<decltype(target)>>(n);
    return {};
  };
  return {table, name, doc, std::move(valid), {}, std::move(get), std::move(set)};
}

template <class Field>
Key time(std::string_view table, std::string_view name, std::string_view doc, base::Duration low,
         base::Duration high, Field field) {
  std::string valid =
      fmt::format("a time from \"{}\" to \"{}\"", format_duration(low), format_duration(high));
  auto get = [field](const Settings& s) { return Value{base::Duration{field(s)}}; };
  auto set = [field, low, high, valid](Settings& s, const Value& value) -> Check {
    const auto t = std::get<base::Duration>(value);
    if (t < low || t > high) return must_be(valid);
    field(s) = t;
    return {};
  };
  return {table, name, doc, std::move(valid), {}, std::move(get), std::move(set)};
}

template <class Field>
Key flag(std::string_view table, std::string_view name, std::string_view doc, Field field) {
  auto get = [field](const Settings& s) { return Value{bool{field(s)}}; };
  auto set = [field](Settings& s, const Value& value) -> Check {
    field(s) = std::get<bool>(value);
    return {};
  };
  return {table, name, doc, "true or false", {}, std::move(get), std::move(set)};
}

// A list whose items have a text form. `parse` gives an item, or what is wrong with the text.
template <class Field, class Parse, class Print>
Key list(std::string_view table, std::string_view name, std::string_view doc, std::string valid,
         Field field, Parse parse, Print print) {
  auto get = [field, print](const Settings& s) {
    std::vector<std::string> texts;
    for (const auto& item : field(s)) texts.push_back(print(item));
    return Value{std::move(texts)};
  };
  auto set = [field, parse](Settings& s, const Value& value) -> Check {
    auto& target = field(s);
    std::remove_reference_t<decltype(target)> items;
    for (const std::string& text : std::get<std::vector<std::string>>(value)) {
      auto item = parse(text);
      if (!item) return std::unexpected(std::move(item.error()));
      items.insert(items.end(), std::move(*item));
    }
    target = std::move(items);
    return {};
  };
  return {table, name, doc, std::move(valid), {}, std::move(get), std::move(set)};
}

std::expected<Multiaddr, std::string> parse_address(const std::string& text) {
  auto address = Multiaddr::parse(text);
  if (address) return *std::move(address);
  return std::unexpected(fmt::format("holds \"{}\", which is not an address: {}", printable(text),
                                     address.error().message()));
}

std::expected<Multiaddr, std::string> parse_listen(const std::string& text) {
  auto address = parse_address(text);
  if (!address || (swarm::endpoint_of(*address) && !address->peer_id())) return address;
  return std::unexpected(
      fmt::format("holds {}, where this node cannot listen: it takes /ip4 or /ip6, then /tcp",
                  printable(text)));
}

std::expected<PeerId, std::string> parse_peer(const std::string& text) {
  auto peer = PeerId::parse(text);
  if (peer) return *peer;
  return std::unexpected(fmt::format("holds \"{}\", which is not a peer id: {}", printable(text),
                                     to_string(peer.error())));
}

std::expected<swarm::IpPrefix, std::string> parse_prefix(const std::string& text) {
  if (const auto prefix = swarm::IpPrefix::parse(text)) return *prefix;
  return std::unexpected(
      fmt::format("holds \"{}\", which is not a range such as \"10.0.0.0/8\"", printable(text)));
}

template <class Field>
Key addresses(std::string_view table, std::string_view name, std::string_view doc,
              std::string_view option, Field field,
              std::expected<Multiaddr, std::string> (*parse)(const std::string&)) {
  Key key = list(table, name, doc, "a list of multiaddresses", field, parse,
                 [](const Multiaddr& address) { return address.to_string(); });
  key.flag = option;
  return key;
}

template <class Field>
Key peers(std::string_view name, std::string_view doc, Field field) {
  return list("security", name, doc, "a list of peer ids", field, parse_peer,
              [](const PeerId& peer) { return peer.to_string(); });
}

template <class Field>
Key prefixes(std::string_view name, std::string_view doc, Field field) {
  return list("security", name, doc, "a list of IP addresses and ranges", field, parse_prefix,
              [](const swarm::IpPrefix& prefix) {
                return fmt::format("{}/{}", prefix.base.to_string(), prefix.bits);
              });
}

Key max_connections() {
  static constexpr std::int64_t kMost = 100'000;
  return {"network",
          "max_connections",
          "Connections at a time, both directions; the least used are closed a little below",
          fmt::format("a whole number from 1 to {}", kMost),
          {},
          [](const Settings& s) {
            const std::size_t count = s.host.node.swarm.limits.max_connections;
            return Value{static_cast<std::int64_t>(count)};
          },
          [](Settings& s, const Value& value) -> Check {
            const auto count = std::get<std::int64_t>(value);
            if (count < 1 || count > kMost) {
              return must_be(fmt::format("a whole number from 1 to {}", kMost));
            }
            set_connections(s, static_cast<std::size_t>(count));
            return {};
          }};
}

Key identity() {
  return {"security",
          "identity",
          "The file of the node's private key; a relative path starts at the home",
          "a path",
          {},
          [](const Settings& s) { return Value{s.identity}; },
          [](Settings& s, const Value& value) -> Check {
            const auto& path = std::get<std::string>(value);
            if (path.empty() || path.contains('\0')) return must_be("a path");
            s.identity = path;
            return {};
          }};
}

Key enable_encryption() {
  Key key = flag("security", "enable_encryption",
                 "Always true: without encryption nobody could prove who they are",
                 GGEN_FIELD(enable_encryption));
  key.valid = "true";
  key.set = [](Settings&, const Value& value) -> Check {
    if (std::get<bool>(value)) return {};
    return std::unexpected<std::string>{
        "cannot be false: libp2p peers prove who they are in the encrypted handshake, so that "
        "without it anybody could pose as anybody, and no other node would connect"};
  };
  return key;
}

Key dht_mode() {
  static constexpr const char* kModes = "\"server\", \"client\" or \"auto\"";
  return {
      "dht",
      "mode",
      "Whether to answer others' questions, or only to ask; auto: answer once a peer has come in",
      kModes,
      {},
      [](const Settings& s) {
        if (s.dht_auto_mode) return Value{std::string{"auto"}};
        return Value{std::string{s.kad.mode == kad::Mode::kServer ? "server" : "client"}};
      },
      [](Settings& s, const Value& value) -> Check {
        const auto& mode = std::get<std::string>(value);
        if (mode != "server" && mode != "client" && mode != "auto") return must_be(kModes);
        s.kad.mode = mode == "server" ? kad::Mode::kServer : kad::Mode::kClient;
        s.dht_auto_mode = mode == "auto";
        return {};
      }};
}

Key dht_protocol() {
  return {"dht",
          "protocol_name",
          "The DHT's protocol id: nodes with different ones form different networks",
          "a protocol id such as \"/ggen/marketplace/1.0.0\"",
          {},
          [](const Settings& s) { return Value{s.kad.protocol}; },
          [](Settings& s, const Value& value) -> Check {
            const auto& protocol = std::get<std::string>(value);
            if (!protocol.starts_with('/') || !multistream::valid_protocol(protocol)) {
              return must_be("a protocol id such as \"/ggen/marketplace/1.0.0\"");
            }
            s.kad.protocol = protocol;
            return {};
          }};
}

Key trace() {
  return {"telemetry",
          "trace",
          "Where what the node does is written as spans; a relative path starts at the home",
          "a path; empty: nowhere",
          "--trace",
          [](const Settings& s) { return Value{s.trace}; },
          [](Settings& s, const Value& value) -> Check {
            const auto& path = std::get<std::string>(value);
            if (path.contains('\0')) return must_be("a path");
            s.trace = path;
            return {};
          }};
}

using namespace std::chrono_literals;
constexpr std::int64_t kGigabyte = std::int64_t{1} << 30;

void add_network(std::vector<Key>& keys) {
  keys.push_back(addresses("network", "listen", "Where to listen; port 0 takes a free one",
                           "--listen", GGEN_FIELD(listen), parse_listen));
  keys.push_back(max_connections());
  keys.push_back(time("network", "connect_timeout", "For one address to accept a connection", 100ms,
                      10min, GGEN_FIELD(host.node.swarm.dialing.attempt_timeout)));
  keys.push_back(time("network", "dial_timeout",
                      "For a dial as a whole: names, attempts, handshake", 100ms, 10min,
                      GGEN_FIELD(host.node.swarm.dialing.deadline)));
  keys.push_back(time("network", "handshake_timeout",
                      "From a connection's start until it is encrypted and carries streams", 100ms,
                      10min, GGEN_FIELD(host.connection.handshake_timeout)));
  keys.push_back(time("network", "stream_timeout", "For a stream to agree on its protocol", 100ms,
                      10min, GGEN_FIELD(host.connection.stream_negotiation_timeout)));
  keys.push_back(time("network", "idle_timeout",
                      "Only connections unused for so long are closed when there are too many", 0s,
                      24h, GGEN_FIELD(host.node.swarm.trimming.idle)));
  keys.push_back(time("network", "keep_alive_interval", "Between two signs of life on a connection",
                      1s, 1h, GGEN_FIELD(host.connection.yamux.keep_alive_interval)));
  keys.push_back(time("network", "keep_alive_timeout", "For the answer to a sign of life", 1s, 1h,
                      GGEN_FIELD(host.connection.yamux.keep_alive_timeout)));
  keys.push_back(flag("network", "serve_perf",
                      "Answer /perf/1.0.0: whoever connects may then use up the bandwidth",
                      GGEN_FIELD(host.node.serve_perf)));
}

void add_security(std::vector<Key>& keys) {
  keys.push_back(identity());
  keys.push_back(enable_encryption());
  keys.push_back(peers("allow_peers", "If not empty, only these peers may connect",
                       GGEN_FIELD(host.node.swarm.access.allow_peers)));
  keys.push_back(peers("deny_peers", "These peers may not connect",
                       GGEN_FIELD(host.node.swarm.access.deny_peers)));
  keys.push_back(prefixes("allow_addresses", "If not empty, only these may connect or be dialled",
                          GGEN_FIELD(host.node.swarm.access.allow_addresses)));
  keys.push_back(prefixes("deny_addresses", "These may neither connect nor be dialled",
                          GGEN_FIELD(host.node.swarm.access.deny_addresses)));
}

void add_dht(std::vector<Key>& keys) {
  keys.push_back(dht_mode());
  keys.push_back(dht_protocol());
  keys.push_back(number("dht", "k", "Peers that a lookup finds, and that a record is put to", 1,
                        100, GGEN_FIELD(kad.query.lookup.k)));
  keys.push_back(number("dht", "alpha", "Requests of one lookup under way at a time", 1, 100,
                        GGEN_FIELD(kad.query.lookup.alpha)));
  keys.push_back(number("dht", "disjoint_paths",
                        "Paths of a lookup that share no peer: more withstand more liars", 1,
                        kad::LookupConfig::kMaxPaths, GGEN_FIELD(kad.query.lookup.paths)));
  keys.push_back(number("dht", "bucket_size", "Peers in one bucket of the routing table", 1, 100,
                        GGEN_FIELD(kad.table.bucket_size)));
  keys.push_back(time("dht", "query_timeout", "For a query as a whole", 1s, 1h,
                      GGEN_FIELD(kad.query.timeout)));
  keys.push_back(time("dht", "request_timeout", "For one peer to answer, dialling included", 100ms,
                      10min, GGEN_FIELD(kad.query.request_timeout)));
  keys.push_back(time("dht", "refresh_interval", "Between two refreshes of the routing table", 1s,
                      24h, GGEN_FIELD(kad.maintenance.refresh_interval)));
  keys.push_back(time("dht", "republish_interval",
                      "Between two rounds of putting own records again", 1min, 240h,
                      GGEN_FIELD(kad.maintenance.republish_interval)));
  keys.push_back(time("dht", "value_lifetime", "How long others' values are kept", 1min, 720h,
                      GGEN_FIELD(kad.values.lifetime)));
  keys.push_back(time("dht", "provider_lifetime", "How long others' provider records are kept",
                      1min, 720h, GGEN_FIELD(kad.providers.lifetime)));
}

void add_gossipsub(std::vector<Key>& keys) {
  keys.push_back(time("gossipsub", "heartbeat", "Between two rounds of maintenance", 100ms, 1min,
                      GGEN_FIELD(gossipsub.heartbeat)));
  keys.push_back(number("gossipsub", "d", "Peers in a topic's mesh that maintenance aims at", 1,
                        100, GGEN_FIELD(gossipsub.mesh.degree)));
  keys.push_back(number("gossipsub", "d_low", "Below it peers are added", 0, 100,
                        GGEN_FIELD(gossipsub.mesh.degree_low)));
  keys.push_back(number("gossipsub", "d_high", "Above it peers are dropped", 1, 1000,
                        GGEN_FIELD(gossipsub.mesh.degree_high)));
  keys.push_back(number("gossipsub", "d_out", "So many of them are peers that this node dialled", 0,
                        50, GGEN_FIELD(gossipsub.mesh.degree_out)));
  keys.push_back(number("gossipsub", "d_score", "So many of the best stay when peers are dropped",
                        0, 100, GGEN_FIELD(gossipsub.mesh.degree_score)));
  keys.push_back(number("gossipsub", "d_lazy", "Peers outside the mesh that hear of new messages",
                        0, 1000, GGEN_FIELD(gossipsub.gossip.degree_lazy)));
  keys.push_back(time("gossipsub", "seen_ttl", "How long a message is remembered as seen", 1s, 24h,
                      GGEN_FIELD(gossipsub.seen_ttl)));
  keys.push_back(
      flag("gossipsub", "flood_publish",
           "Own messages below 32 KiB go to every peer of their topic, not just to the mesh",
           GGEN_FIELD(gossipsub.flood_publish)));
  keys.push_back(
      flag("gossipsub", "peer_exchange",
           "Tell peers that are dropped of others: for those whom all connect to at first",
           GGEN_FIELD(gossipsub.peer_exchange)));
}

void add_marketplace(std::vector<Key>& keys) {
  keys.push_back(number("store", "max_publishers",
                        "Publishers whose logs are kept, pinned ones aside", 1, 10'000'000,
                        GGEN_FIELD(registry.catalog.max_publishers)));
  keys.push_back(number("store", "max_log_bytes", "Bytes of these logs together", 1 << 20,
                        1024 * kGigabyte, GGEN_FIELD(registry.catalog.max_bytes)));
  keys.push_back(number("search", "max_peers", "Peers that one search asks", 0, 1000,
                        GGEN_FIELD(registry.search.max_peers)));
  keys.push_back(number("search", "max_active", "Searches at a time", 1, 10'000,
                        GGEN_FIELD(registry.search.max_active)));
  keys.push_back(time("search", "max_timeout", "No search takes longer", 1s, 1h,
                      GGEN_FIELD(registry.search.max_timeout)));
  keys.push_back(number("fetch", "max_providers", "Peers asked for chunks of one archive at a time",
                        1, 100, GGEN_FIELD(registry.fetch.max_providers)));
  keys.push_back(number("fetch", "requests_per_peer", "Chunk requests to one peer at a time", 1, 64,
                        GGEN_FIELD(registry.fetch.requests_per_peer)));
  keys.push_back(time("fetch", "chunk_timeout", "Then a chunk is asked of another peer", 100ms, 1h,
                      GGEN_FIELD(registry.fetch.chunk_timeout)));
  keys.push_back(time("fetch", "give_up_after", "Without any progress a fetch has failed", 1s, 24h,
                      GGEN_FIELD(registry.fetch.give_up_after)));
  keys.push_back(number("fetch", "max_active", "Fetches at a time; more wait", 1, 1000,
                        GGEN_FIELD(registry.fetch.max_active)));
  keys.push_back(number("fetch", "max_serving_bytes", "Bytes read from disk that wait to be sent",
                        1 << 20, 64 * kGigabyte, GGEN_FIELD(registry.fetch.max_serving_bytes)));
  keys.push_back(time("sync", "interval", "How often a connected peer is asked for news", 1s, 24h,
                      GGEN_FIELD(registry.sync.interval)));
  keys.push_back(time("sync", "request_timeout", "For its answer", 100ms, 10min,
                      GGEN_FIELD(registry.sync.request_timeout)));
  keys.push_back(time("reputation", "half_life", "After so long what a peer did counts half", 1s,
                      720h, GGEN_FIELD(registry.reputation.half_life)));
}

#undef GGEN_FIELD

std::vector<Key> make_keys() {
  std::vector<Key> keys;
  add_network(keys);
  add_security(keys);
  keys.push_back(addresses(
      "bootstrap", "peers", "Peers to connect to first", "--bootstrap",
      [](auto& s) -> auto& { return s.bootstrap; }, parse_address));
  keys.push_back(time("bootstrap", "interval",
                      "They are dialled again so often while there is no peer", 1s, 24h,
                      [](auto& s) -> auto& { return s.bootstrap_interval; }));
  add_dht(keys);
  add_gossipsub(keys);
  add_marketplace(keys);
  keys.push_back(trace());
  return keys;
}

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      result += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  result += '"';
  return result;
}

}  // namespace

std::string to_toml(const Value& value) {
  struct Printer {
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(std::int64_t n) const { return fmt::format("{}", n); }
    std::string operator()(base::Duration t) const { return toml_string(format_duration(t)); }
    std::string operator()(const std::string& text) const { return toml_string(text); }
    std::string operator()(const std::vector<std::string>& items) const {
      std::string result = "[";
      for (const std::string& item : items) {
        if (result.size() > 1) result += ", ";
        result += toml_string(item);
      }
      result += ']';
      return result;
    }
  };
  return std::visit(Printer{}, value);
}

std::string Key::path() const {
  return fmt::format("{}.{}", table, name);
}

std::span<const Key> config_keys() {
  static const std::vector<Key> keys = make_keys();
  return keys;
}

const Key* find_key(std::string_view table, std::string_view name) {
  for (const Key& key : config_keys()) {
    if (key.table == table && key.name == name) return &key;
  }
  return nullptr;
}

std::vector<Conflict> conflicts(const Settings& settings) {
  std::vector<Conflict> found;
  const auto& mesh = settings.gossipsub.mesh;
  if (mesh.degree_low > mesh.degree) {
    found.push_back(
        {"gossipsub.d_low", "gossipsub.d", "gossipsub.d_low must not be above gossipsub.d"});
  }
  if (mesh.degree > mesh.degree_high) {
    found.push_back(
        {"gossipsub.d_high", "gossipsub.d", "gossipsub.d_high must not be below gossipsub.d"});
  }
  // libp2p/specs pubsub/gossipsub/gossipsub-v1.1.md, "Outbound Mesh Quotas".
  if (mesh.degree_out > 0 &&
      (mesh.degree_out >= mesh.degree_low || mesh.degree_out > mesh.degree / 2)) {
    found.push_back({"gossipsub.d_out", "gossipsub.d_low",
                     "gossipsub.d_out must be below gossipsub.d_low and at most half of "
                     "gossipsub.d"});
  }
  if (mesh.degree_score > mesh.degree) {
    found.push_back(
        {"gossipsub.d_score", "gossipsub.d", "gossipsub.d_score must not be above gossipsub.d"});
  }
  if (settings.kad.query.request_timeout > settings.kad.query.timeout) {
    found.push_back({"dht.request_timeout", "dht.query_timeout",
                     "dht.request_timeout must not be above dht.query_timeout"});
  }
  return found;
}

}  // namespace ggen::p2p::cli
