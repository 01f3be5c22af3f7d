#include "pubsub_json.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using gossipsub::Engine;
using gossipsub::PeerScore;
using gossipsub::TopicScore;
using multiformats::PeerId;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::size_t meshes_of(const PeerScore& score) {
  return static_cast<std::size_t>(std::ranges::count_if(score.topics, &TopicScore::in_mesh));
}

bool contains(const std::vector<PeerId>& peers, const PeerId& peer) {
  return std::ranges::find(peers, peer) != peers.end();
}

Json term_json(const gossipsub::ScoreTerm& term) {
  return Json{{"counted", term.counted}, {"points", term.points}};
}

// Null while the peer is not in the mesh.
Json in_mesh_ms(const TopicScore& topic, const gossipsub::TopicScoreParameters& parameters) {
  if (!topic.in_mesh) return nullptr;
  const auto quantum = static_cast<double>(parameters.time_in_mesh_quantum / milliseconds{1});
  return static_cast<std::uint64_t>(topic.time_in_mesh.counted * quantum);
}

Json topic_json(const TopicScore& topic, const gossipsub::TopicScoreParameters& parameters) {
  Json json;
  json["topic"] = topic.topic;
  json["points"] = topic.points;
  json["in_mesh_ms"] = in_mesh_ms(topic, parameters);
  json["time_in_mesh"] = term_json(topic.time_in_mesh);
  json["first_deliveries"] = term_json(topic.first_deliveries);
  json["mesh_deliveries"] = term_json(topic.mesh_deliveries);
  json["mesh_failures"] = term_json(topic.mesh_failures);
  json["invalid_messages"] = term_json(topic.invalid_messages);
  return json;
}

Json score_json(const PeerScore& score, const gossipsub::Config& config) {
  Json json;
  json["peer_id"] = score.peer.to_string();
  json["score"] = score.score;
  json["standing"] = standing_of(score.score, config.score);
  Json topics = Json::array();
  double points = 0;
  for (const TopicScore& topic : score.topics) {
    topics.push_back(topic_json(topic, config.topic(topic.topic).score));
    points += topic.points;
  }
  json["topic_points"] = points;
  json["topics"] = std::move(topics);
  json["application"] = term_json(score.application);
  json["colocation"] = term_json(score.colocation);
  json["behaviour"] = term_json(score.behaviour);
  return json;
}

// The members of one topic's mesh.
Json mesh_of(const Engine& engine, const gossipsub::Config& config, const std::string& topic,
             const std::vector<PeerScore>& scores) {
  const std::vector<PeerId> mesh = engine.mesh(topic);
  Json peers = Json::array();
  for (const PeerScore& score : scores) {
    if (!contains(mesh, score.peer)) continue;
    Json json;
    json["peer_id"] = score.peer.to_string();
    json["score"] = score.score;
    const auto in = std::ranges::find(score.topics, topic, &TopicScore::topic);
    json["in_mesh_ms"] =
        in == score.topics.end() ? Json(nullptr) : in_mesh_ms(*in, config.topic(topic).score);
    peers.push_back(std::move(json));
  }
  return peers;
}

bool subscribes(const Engine& engine, const std::string& topic) {
  const std::vector<std::string> topics = engine.subscriptions();
  return std::ranges::find(topics, topic) != topics.end();
}

}  // namespace

std::string_view standing_of(double score, const gossipsub::ScoreParameters& parameters) {
  if (score < parameters.graylist_threshold) return "graylisted";
  if (score < parameters.publish_threshold) return "no_publish";
  if (score < parameters.gossip_threshold) return "no_gossip";
  return score < 0 ? "no_mesh" : "good";
}

Json topics_json(const Engine& engine) {
  Json json;
  json["topics"] = Json::array();
  for (const std::string& topic : engine.topics()) {
    Json entry;
    entry["topic"] = topic;
    entry["subscribed"] = subscribes(engine, topic);
    entry["peers"] = engine.subscribers(topic).size();
    entry["mesh"] = engine.mesh(topic).size();
    json["topics"].push_back(std::move(entry));
  }
  return json;
}

Json peers_json(const Engine& engine, const std::string& topic, const PeerAgents& agents,
                base::Instant now) {
  const bool all = topic.empty();
  const std::vector<PeerId> subscribers = engine.subscribers(topic);
  const std::vector<PeerId> mesh = engine.mesh(topic);
  Json json;
  json["topic"] = all ? Json(nullptr) : Json(topic);
  json["peers"] = Json::array();
  for (const PeerScore& score : engine.scores(now)) {
    if (!all && !contains(subscribers, score.peer)) continue;
    Json entry;
    entry["peer_id"] = score.peer.to_string();
    entry["protocol"] = engine.protocol(score.peer).value_or("");
    const std::string agent = agents.of(score.peer);
    entry["agent"] = agent.empty() ? Json(nullptr) : Json(agent);
    entry["score"] = score.score;
    entry["meshes"] = meshes_of(score);
    if (!all) entry["in_mesh"] = contains(mesh, score.peer);
    json["peers"].push_back(std::move(entry));
  }
  return json;
}

Json mesh_json(const Engine& engine, const gossipsub::Config& config, const std::string& topic,
               base::Instant now) {
  const std::vector<PeerScore> scores = engine.scores(now);
  const auto topics = topic.empty() ? engine.subscriptions() : std::vector<std::string>{topic};
  Json json;
  json["topics"] = Json::array();
  for (const std::string& name : topics) {
    Json entry;
    entry["topic"] = name;
    entry["subscribed"] = subscribes(engine, name);
    entry["subscribers"] = engine.subscribers(name).size();
    entry["peers"] = mesh_of(engine, config, name, scores);
    json["topics"].push_back(std::move(entry));
  }
  return json;
}

Json scores_json(const Engine& engine, const gossipsub::Config& config, const std::string& peer,
                 base::Instant now) {
  std::vector<PeerScore> scores = engine.scores(now);
  std::ranges::stable_sort(scores, {}, &PeerScore::score);
  Json json;
  json["thresholds"] = {{"gossip", config.score.gossip_threshold},
                        {"publish", config.score.publish_threshold},
                        {"graylist", config.score.graylist_threshold}};
  json["topic_cap"] = config.score.topic_cap;
  json["peers"] = Json::array();
  for (const PeerScore& score : scores) {
    if (peer.empty() || score.peer.to_string() == peer) {
      json["peers"].push_back(score_json(score, config));
    }
  }
  return json;
}

Json message_json(const std::string& topic, const marketplace::pubsub::Message& message) {
  const std::string data{base::as_text(message.data)};
  Json json;
  json["topic"] = topic;
  json["author"] = message.author ? Json(message.author->to_string()) : Json(nullptr);
  json["source"] = message.source.to_string();
  json["id"] = base::to_hex(message.id);
  json["time_ms"] = duration_cast<milliseconds>(message.received.time_since_epoch()).count();
  json["bytes"] = data.size();
  json["text"] = is_plain(data) ? Json(data) : Json(nullptr);
  json["data"] = base::to_hex(message.data);
  json["dropped"] = message.dropped;
  return json;
}

}  // namespace ggen::p2p::cli
