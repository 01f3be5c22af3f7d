// What a running node does for the commands of pubsub.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "node_service.hpp"
#include "pubsub_json.hpp"
#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

Result<void> check_topic(const gossipsub::Engine& gossip, const std::string& topic) {
  const std::vector<std::string> known = gossip.topics();
  if (topic.empty() || std::ranges::find(known, topic) != known.end()) return {};
  const auto suggestion = nearest(topic, known);
  return fail(
      Exit::kNotFound,
      fmt::format("Neither this node nor a connected peer subscribes to \"{}\".", printable(topic)),
      suggestion ? fmt::format("Did you mean {}?", printable(*suggestion))
                 : std::string{"See: ggen-p2p pubsub topics"});
}

Result<Json> scores_of(const gossipsub::Engine& gossip, const gossipsub::Config& config,
                       const std::string& peer) {
  Json json = scores_json(gossip, config, peer, host::Host::now());
  if (peer.empty() || !json["peers"].empty()) return json;
  return fail(Exit::kNotFound,
              fmt::format("{} is not connected, or does not speak pubsub.", printable(peer)),
              "See: ggen-p2p pubsub peers");
}

}  // namespace

const gossipsub::Engine& NodeService::gossip() const {
  return *registry_.host().node().gossipsub();
}

Service::Answer NodeService::pubsub_look(request::PubsubLook request) {
  using Kind = request::PubsubLook::Kind;
  const base::Instant now = host::Host::now();
  if (request.kind == Kind::kTopics) co_return topics_json(gossip());
  if (request.kind == Kind::kScores) {
    co_return scores_of(gossip(), settings_.gossipsub, request.about);
  }
  if (auto known = check_topic(gossip(), request.about); !known) {
    co_return std::unexpected(std::move(known.error()));
  }
  if (request.kind == Kind::kPeers) co_return peers_json(gossip(), request.about, agents_, now);
  co_return mesh_json(gossip(), settings_.gossipsub, request.about, now);
}

Service::Answer NodeService::pubsub_subscribe(request::PubsubSubscribe request, Send send) {
  auto joined = registry_.subscribe_to(request.topic);
  if (!joined) co_return std::unexpected(error_of(joined.error()));
  marketplace::pubsub::Subscription messages = *std::move(joined);

  Json begin;
  begin["topic"] = request.topic;
  begin["peers"] = gossip().subscribers(request.topic).size();
  auto beginning = send(std::move(begin));
  co_await std::move(beginning);

  std::uint64_t count = 0;
  while (request.count == 0 || count < request.count) {
    auto waiting = messages.next();
    const auto message = co_await std::move(waiting);
    if (!message) co_return fail(Exit::kNodeGone, "The node has been stopped.");
    Json state;
    state["message"] = message_json(request.topic, *message);
    auto sending = send(std::move(state));
    co_await std::move(sending);
    ++count;
  }
  Json json;
  json["topic"] = request.topic;
  json["messages"] = count;
  co_return json;
}

Service::Answer NodeService::pubsub_publish(request::PubsubPublish request) {
  const auto published = registry_.publish_to(request.topic, request.data);
  if (!published) co_return std::unexpected(error_of(published.error()));
  Json json;
  json["topic"] = request.topic;
  json["id"] = base::to_hex(published->id);
  json["peers"] = published->peers;
  co_return json;
}

}  // namespace ggen::p2p::cli
