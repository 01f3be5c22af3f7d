#include "render.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>

#include "layout.hpp"
#include "render_pubsub.hpp"
#include "result_fields.hpp"
#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

std::string joined(const Json& list) {
  std::string text;
  for (const Json& item : list) {
    if (!item.is_string()) continue;
    if (!text.empty()) text += ", ";
    text += printable(item.get_ref<const std::string&>());
  }
  return text;
}

std::string render_publish(const Json& json) {
  Lines lines;
  lines.add("published", text_of(json, "reference"));
  lines.add("size", fmt::format("{} in {}", format_bytes(number_of(json, "bytes")),
                                count_of(number_of(json, "files"), "file")));
  lines.add("entry", text_of(json, "entry"));
  return lines.take();
}

std::string render_search(const Json& json, bool colour) {
  std::string text;
  for (const Json& hit : list_of(json, "results")) {
    text += fmt::format(
        "{}  {}\n",
        bold(fmt::format("{}@{}", text_of(hit, "name"), text_of(hit, "version")), colour),
        text_of(hit, "description"));
    std::string facts = format_bytes(number_of(hit, "bytes"));
    const auto also = [&](const std::string& fact) {
      if (!fact.empty()) facts += "  " + fact;
    };
    also(text_of(hit, "license"));
    also(text_of(hit, "category"));
    also(joined(list_of(hit, "tags")));
    const bool held = flag_of(hit, "held");
    const std::size_t others = list_of(hit, "providers").size();
    also(held ? std::string{"here already"} : others > 0 ? "from " + count_of(others, "peer") : "");
    text += fmt::format("  {}\n", facts);
    if (const auto why = text_of(hit, "deprecated"); !why.empty()) {
      text += fmt::format("  deprecated: {}\n", why);
    }
    text += fmt::format("  ggen-p2p get {}\n", text_of(hit, "reference"));
  }
  if (text.empty()) text = "Nothing found.\n";
  if (number_of(json, "asked") == 0) {
    return text + "No peer was asked: this is what the node itself knows.\n";
  }
  text +=
      fmt::format("{}; {} of {} answered{}.\n", count_of(list_of(json, "results").size(), "result"),
                  number_of(json, "answered"), count_of(number_of(json, "asked"), "peer"),
                  flag_of(json, "timed_out") ? " in time" : "");
  return text;
}

std::string render_get(const Json& json) {
  Lines lines;
  lines.add("fetched", text_of(json, "reference"));
  lines.add("into", text_of(json, "output"));
  const std::uint64_t ms = number_of(json, "took_ms");
  lines.add("size", fmt::format("{}, {} of it over the network, in {}",
                                format_bytes(number_of(json, "bytes")),
                                format_bytes(number_of(json, "fetched")), about(ms)));
  for (const Json& source : list_of(json, "sources")) {
    lines.add("from", fmt::format("{}  {}", text_of(source, "peer"),
                                  format_bytes(number_of(source, "bytes"))));
  }
  lines.add("deprecated", text_of(json, "deprecated"));
  lines.add("publisher", text_of(json, "publisher"));
  return lines.take();
}

std::string render_status(const Json& json) {
  Lines lines;
  lines.add("peer id", text_of(json, "peer_id"));
  lines.add("publisher", text_of(json, "publisher_id"));
  std::string_view label = "listens on";
  for (const Json& address : list_of(json, "addresses")) {
    if (address.is_string()) lines.add(label, printable(address.get<std::string>()));
    label = "";
  }
  lines.add("peers", fmt::format("{}", number_of(json, "peers")));
  lines.add("packages", fmt::format("{}", number_of(json, "packages")));
  lines.add("running for", about(number_of(json, "uptime_ms")));
  lines.add("home", text_of(json, "home"));
  return lines.take();
}

std::string render_peers(const Json& json, bool history) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& peer : list_of(json, "peers")) {
    rows.push_back({text_of(peer, "peer_id"), text_of(peer, "direction"),
                    about(number_of(peer, "connected_ms")), text_of(peer, "address"),
                    text_of(peer, "agent")});
  }
  std::string text = rows.empty() ? "No peers.\n" : columns(rows);
  if (!history) return text;
  rows.clear();
  for (const Json& past : list_of(json, "history")) {
    const std::string peer = text_of(past, "peer_id");
    rows.push_back({text_of(past, "what"), peer.empty() ? "-" : peer, text_of(past, "address"),
                    text_of(past, "reason")});
  }
  text += rows.empty() ? "\nNo connection has ended.\n" : "\n" + columns(rows);
  return text;
}

std::string render_placed(const Json& json) {
  std::string text = fmt::format("{} took it", count_of(number_of(json, "stored"), "peer"));
  if (const auto failed = number_of(json, "failed"); failed > 0) {
    text += fmt::format(", {} did not", failed);
  }
  return text + '\n';
}

std::string render_dht_peers(const Json& peers) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& peer : peers) {
    const Json& addresses = list_of(peer, "addresses");
    const bool known = !addresses.empty() && addresses.front().is_string();
    rows.push_back({text_of(peer, "peer_id"),
                    known ? printable(addresses.front().get_ref<const std::string&>()) : "-"});
  }
  return rows.empty() ? "Nobody.\n" : columns(rows);
}

std::string render_found_peer(const Json& json) {
  const auto peer = json.find("peer");
  if (peer == json.end() || !peer->is_object()) return "Nobody.\n";
  Lines lines;
  lines.add("peer id", text_of(*peer, "peer_id"));
  std::string_view label = "address";
  for (const Json& address : list_of(*peer, "addresses")) {
    if (address.is_string()) lines.add(label, printable(address.get_ref<const std::string&>()));
    label = "";
  }
  lines.add("reached", flag_of(json, "reached") ? "yes" : "no: the addresses are what others say");
  return lines.take();
}

// What a peer said, in a few words.
std::string said(const Json& hop) {
  if (const auto error = text_of(hop, "error"); !error.empty()) return error;
  const std::string asked = text_of(hop, "asked");
  if (asked == "PUT_VALUE" || asked == "ADD_PROVIDER") return "took it";
  std::string text = fmt::format("{} closer", number_of(hop, "closer"));
  if (const auto providers = number_of(hop, "providers"); providers > 0) {
    text += ", " + count_of(providers, "provider");
  }
  if (flag_of(hop, "value")) text += ", a value";
  return text;
}

// A line for each request, in the order in which they came back, and how the query ended.
std::string render_trace(const Json& json) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& hop : list_of(json, "hops")) {
    rows.push_back({text_of(hop, "peer_id"), text_of(hop, "asked"),
                    count_of(number_of(hop, "shared_bits"), "bit") + " shared",
                    about(number_of(hop, "took_ms")), said(hop)});
  }
  std::string text =
      columns(rows) + fmt::format("{} of {} answered in {}: {}\n", number_of(json, "answered"),
                                  count_of(number_of(json, "asked"), "peer"),
                                  about(number_of(json, "took_ms")), text_of(json, "end"));
  if (flag_of(json, "crowded")) {
    text +=
        "Too many peers are too near to the key to be there by chance, so the region was "
        "searched.\n";
  }
  return text + '\n';
}

std::string render_value(const Json& json) {
  if (!flag_of(json, "found")) return "No value.\n";
  const auto head = json.find("head");
  if (head == json.end() || !head->is_object())
    return fmt::format("0x{}\n", text_of(json, "value"));
  Lines lines;
  lines.add("publisher", text_of(*head, "publisher"));
  lines.add("entry", fmt::format("{} {}", number_of(*head, "seq"), text_of(*head, "entry")));
  if (const auto package = text_of(*head, "package"); !package.empty()) {
    lines.add("release", package + '@' + text_of(*head, "version"));
  }
  return lines.take();
}

std::string render_dht_query(const request::DhtQuery& query, const Json& json) {
  using Kind = request::DhtQuery::Kind;
  std::string text = query.trace ? render_trace(json) : std::string{};
  switch (query.kind) {
    case Kind::kPut:
    case Kind::kProvide:
      return text + render_placed(json);
    case Kind::kGet:
      return text + render_value(json);
    case Kind::kClosest:
      return text + render_dht_peers(list_of(json, "peers"));
    case Kind::kProviders:
      return text + render_dht_peers(list_of(json, "providers"));
    case Kind::kFindPeer:
      return text + render_found_peer(json);
  }
  return text;
}

std::string render_provided(const Json& provided) {
  const auto keys = number_of(provided, "keys");
  if (keys == 0) return {};
  const std::string text = "It provides " + count_of(keys, "key");
  const auto overdue = number_of(provided, "overdue");
  if (overdue == 0) return text + ".\n";
  return text + fmt::format("; others should have been told again of {}, of the first {} ago.\n",
                            overdue, about(number_of(provided, "overdue_ms")));
}

std::string render_dht_table(const Json& json) {
  std::vector<std::vector<std::string>> rows{
      {"shared bits", "peer", "latency", "last seen", "address"}};
  for (const Json& bucket : list_of(json, "buckets")) {
    for (const Json& peer : list_of(bucket, "peers")) {
      const auto latency = peer.find("latency_ms");
      const bool measured = latency != peer.end() && latency->is_number();
      std::string seen = about(number_of(peer, "seen_ms_ago")) + " ago";
      if (const auto failures = number_of(peer, "failures"); failures > 0) {
        seen += ", " + count_of(failures, "failure") + " since";
      }
      rows.push_back({fmt::format("{}", number_of(bucket, "shared_bits")), text_of(peer, "peer_id"),
                      measured ? about(number_of(peer, "latency_ms")) : "-", std::move(seen),
                      text_of(peer, "address")});
    }
  }
  std::string about_all = fmt::format("This node is a {} of the DHT.\n", text_of(json, "mode"));
  if (const auto size = json.find("network_size"); size != json.end() && size->is_number()) {
    about_all += fmt::format("About {} serve it beside this one.\n",
                             count_of(number_of(json, "network_size"), "node"));
  }
  if (const auto lookups = number_of(json, "lookups"); lookups > 0) {
    about_all += fmt::format("Of its last {} {} went well; {} of {} answered.\n",
                             count_of(lookups, "lookup"), number_of(json, "good_lookups"),
                             number_of(json, "peers_answered"),
                             count_of(number_of(json, "peers_asked"), "peer"));
  }
  if (const auto provided = json.find("provided"); provided != json.end()) {
    about_all += render_provided(*provided);
  }
  return (rows.size() == 1 ? "No peers.\n" : columns(rows)) + about_all;
}

}  // namespace

std::string render(const Request& request, const Json& result, const RenderOptions& options) {
  return std::visit(
      base::Overloaded{
          [&](const request::Publish&) { return render_publish(result); },
          [&](const request::Search&) { return render_search(result, options.colour); },
          [&](const request::Get&) { return render_get(result); },
          [&](const request::DhtQuery& query) { return render_dht_query(query, result); },
          [&](const request::DhtTable&) { return render_dht_table(result); },
          [&](const request::PubsubLook& look) { return render_pubsub(look, result); },
          [&](const request::PubsubSubscribe&) { return std::string{}; },
          [&](const request::PubsubPublish&) { return render_published(result); },
          [&](const request::Status&) { return render_status(result); },
          [&](const request::Peers&) { return render_peers(result, options.history); },
          [&](const request::Stop&) { return std::string{"stopped\n"}; },
      },
      request);
}

Exit exit_of(const Request& request, const Json& result) {
  const auto* query = std::get_if<request::DhtQuery>(&request);
  if (query == nullptr || flag_of(result, "found")) return Exit::kOk;
  using Kind = request::DhtQuery::Kind;
  const bool placed = query->kind == Kind::kPut || query->kind == Kind::kProvide;
  return placed ? Exit::kUnavailable : Exit::kNotFound;
}

std::string render_error(const Error& error, bool colour) {
  std::string text = colour ? "\x1b[31merror:\x1b[0m " : "error: ";
  text += printable(error.message);
  text += '\n';
  // A hint may have several lines: each by itself is made harmless.
  std::string_view rest = error.hint;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    text += fmt::format("       {}\n", printable(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return text;
}

std::string ProgressLine::operator()(const Json& progress, Clock::time_point now) const {
  std::string text = text_of(progress, "phase");
  const auto also = [&](const std::string& more) { text += (text.empty() ? "" : "  ") + more; };
  const std::uint64_t bytes = number_of(progress, "bytes");
  const std::uint64_t total = number_of(progress, "total");
  if (total > 0) {
    also(fmt::format("{:3}%  {} of {}", std::min<std::uint64_t>(100, bytes * 100 / total),
                     format_bytes(bytes), format_bytes(total)));
  } else if (bytes > 0) {
    also(format_bytes(bytes));
  }
  const double passed = std::chrono::duration<double>(now - start_).count();
  if (bytes > 0 && passed > 0.1) {
    also(format_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / passed)) + "/s");
  }
  if (const auto files = number_of(progress, "files"); files > 0) also(count_of(files, "file"));
  if (progress.contains("providers")) {
    also("from " + count_of(number_of(progress, "providers"), "peer"));
  }
  return text;
}

}  // namespace ggen::p2p::cli
