#include "render_pubsub.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "layout.hpp"
#include "result_fields.hpp"
#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string score_of(const Json& peer) {
  return fmt::format("{:.2f}", real_of(peer, "score"));
}

// How long a peer has been in a mesh.
std::string time_of(const Json& json) {
  return has_number(json, "in_mesh_ms") ? about(number_of(json, "in_mesh_ms")) : "-";
}

std::string render_topics(const Json& json) {
  Rows rows{{"topic", "this node", "peers", "in its mesh"}};
  for (const Json& topic : list_of(json, "topics")) {
    const bool subscribed = flag_of(topic, "subscribed");
    rows.push_back({text_of(topic, "topic"), subscribed ? "subscribed" : "-",
                    fmt::format("{}", number_of(topic, "peers")),
                    subscribed ? fmt::format("{}", number_of(topic, "mesh")) : "-"});
  }
  return rows.size() == 1 ? "No topics.\n" : columns(rows);
}

std::string render_peers(const Json& json) {
  const std::string topic = text_of(json, "topic");
  Rows rows{{"peer", "protocol", "score", "meshes"}};
  if (!topic.empty()) rows.front().push_back("in this one");
  rows.front().push_back("agent");
  for (const Json& peer : list_of(json, "peers")) {
    rows.push_back({text_of(peer, "peer_id"), text_of(peer, "protocol"), score_of(peer),
                    fmt::format("{}", number_of(peer, "meshes"))});
    if (!topic.empty()) rows.back().push_back(flag_of(peer, "in_mesh") ? "yes" : "no");
    rows.back().push_back(text_of(peer, "agent"));
  }
  if (rows.size() > 1) return columns(rows);
  if (topic.empty()) return "No connected peer speaks pubsub.\n";
  return fmt::format("No connected peer subscribes to {}.\n", topic);
}

std::string render_mesh(const Json& json) {
  std::string text;
  for (const Json& topic : list_of(json, "topics")) {
    const Json& peers = list_of(topic, "peers");
    if (!flag_of(topic, "subscribed")) {
      text += fmt::format("{}: no mesh, for this node does not subscribe to it.\n",
                          text_of(topic, "topic"));
      continue;
    }
    text += fmt::format("{}: {} of its {} in the mesh\n", text_of(topic, "topic"), peers.size(),
                        count_of(number_of(topic, "subscribers"), "peer"));
    Rows rows;
    for (const Json& peer : peers) {
      rows.push_back(
          {"  " + text_of(peer, "peer_id"), "for " + time_of(peer), "score " + score_of(peer)});
    }
    text += columns(rows);
  }
  return text.empty() ? "This node subscribes to no topic.\n" : text;
}

// ---- Scores ----

struct Consequence {
  std::string_view standing;
  std::string_view text;
};
constexpr std::array kConsequences = {
    Consequence{"no_mesh", "below 0: in no mesh"},
    Consequence{"no_gossip",
                "below the gossip threshold: in no mesh, and gossip is neither sent "
                "nor heard"},
    Consequence{"no_publish",
                "below the publish threshold: gets no message of this node, no "
                "gossip, and is in no mesh"},
    Consequence{"graylisted", "graylisted: nothing that it sends is read"},
};

std::string_view consequence_of(std::string_view standing) {
  const auto found = std::ranges::find(kConsequences, standing, &Consequence::standing);
  return found == kConsequences.end() ? std::string_view{} : found->text;
}

// A line for a term that says something: it adds to the score, or an offence was counted that is
// forgiven for now.
void add_term(std::string& text, const Json& of, const char* name, const std::string& words,
              const std::string& counted, bool offence = false) {
  const Json& term = object_of(of, name);
  const double points = real_of(term, "points");
  if (points == 0 && !(offence && real_of(term, "counted") > 0)) return;
  text += fmt::format("{:>+15.2f}  {}: {}\n", points, words, counted);
}

std::string count_in(const Json& of, const char* name) {
  return fmt::format("{:.3g}", real_of(object_of(of, name), "counted"));
}

std::string topic_terms(const Json& topic) {
  const std::string name = text_of(topic, "topic");
  std::string text;
  const auto add = [&](const char* term, std::string_view words) {
    add_term(text, topic, term, fmt::format(fmt::runtime(words), name), count_in(topic, term));
  };
  add_term(text, topic, "time_in_mesh", fmt::format("P1 time in the mesh of {}", name),
           time_of(topic));
  add("first_deliveries", "P2 first to bring messages of {}");
  add("mesh_deliveries", "P3 too few messages of {} brought while in its mesh");
  add("mesh_failures", "P3b left the mesh of {} after too few messages");
  add("invalid_messages", "P4 invalid messages on {}");
  return text;
}

std::string render_terms(const Json& peer, double topic_cap) {
  std::string text;
  for (const Json& topic : list_of(peer, "topics")) text += topic_terms(topic);
  const double surplus = real_of(peer, "topic_points") - topic_cap;
  if (topic_cap > 0 && surplus > 0) {
    text += fmt::format("{:>+15.2f}  topics add no more than {} together\n", -surplus, topic_cap);
  }
  add_term(text, peer, "application", "P5 what the application thinks of it",
           count_in(peer, "application"));
  add_term(text, peer, "colocation", "P6 peers at its address", count_in(peer, "colocation"));
  add_term(text, peer, "behaviour", "P7 misbehaviour: broken promises, early grafts, bad frames",
           count_in(peer, "behaviour"), true);
  return text;
}

std::string render_scores(const Json& json) {
  const Json& peers = list_of(json, "peers");
  if (peers.empty()) return "No connected peer speaks pubsub.\n";
  std::string text = fmt::format("{:>9}  peer\n", "score");
  for (const Json& peer : peers) {
    text += fmt::format("{:>9}  {}", score_of(peer), text_of(peer, "peer_id"));
    const std::string_view consequence = consequence_of(text_of(peer, "standing"));
    if (!consequence.empty()) text += fmt::format("  {}", consequence);
    text += '\n' + render_terms(peer, real_of(json, "topic_cap"));
  }
  const Json& thresholds = object_of(json, "thresholds");
  text += fmt::format(
      "Counts fade with time. Below 0 a peer is in no mesh, below {} it has no part in gossip,\n"
      "below {} it gets no message of this node, below {} nothing that it sends is read.\n",
      real_of(thresholds, "gossip"), real_of(thresholds, "publish"),
      real_of(thresholds, "graylist"));
  return text;
}

// ---- Messages ----

std::string time_text(std::uint64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(ms / 1000)));
}

// One line beside the header, several below it and indented: none can pass for another message.
std::string body(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::string line{text};
  std::ranges::replace(line, '\t', ' ');
  if (!line.contains('\n')) return line.empty() ? "" : "  " + printable(line);
  std::string lines;
  std::string_view rest = line;
  while (true) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines += fmt::format("\n    {}", printable(rest.substr(0, end)));
    if (end == rest.size()) return lines;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

std::string render_pubsub(const request::PubsubLook& look, const Json& result) {
  using Kind = request::PubsubLook::Kind;
  switch (look.kind) {
    case Kind::kTopics:
      return render_topics(result);
    case Kind::kPeers:
      return render_peers(result);
    case Kind::kMesh:
      return render_mesh(result);
    case Kind::kScores:
      return render_scores(result);
  }
  return {};
}

std::string render_published(const Json& result) {
  const auto peers = number_of(result, "peers");
  return fmt::format("published   {}\n", text_of(result, "id")) +
         (peers > 0 ? fmt::format("to          {}\n", count_of(peers, "peer"))
                    : fmt::format("to          nobody: no connected peer subscribes to {}\n",
                                  text_of(result, "topic")));
}

std::string render_joined(const Json& state) {
  const auto peers = number_of(state, "peers");
  return fmt::format("Listening to {}, as {} {}. Ctrl-C ends it.\n", text_of(state, "topic"),
                     peers == 0 ? "no connected peer" : count_of(peers, "connected peer"),
                     peers <= 1 ? "does" : "do");
}

std::string render_message(const Json& message) {
  std::string text;
  if (const auto dropped = number_of(message, "dropped"); dropped > 0) {
    text += fmt::format("({} dropped: they came faster than they were read)\n",
                        count_of(dropped, "message"));
  }
  const std::string author = text_of(message, "author");
  text +=
      fmt::format("{}  {}  {}", time_text(number_of(message, "time_ms")),
                  author.empty() ? "unsigned" : author, format_bytes(number_of(message, "bytes")));
  const auto found = message.find("text");
  const bool is_text = found != message.end() && found->is_string();
  return text +
         (is_text ? body(found->get_ref<const std::string&>())
                  : "  0x" + text_of(message, "data")) +
         '\n';
}

}  // namespace ggen::p2p::cli
