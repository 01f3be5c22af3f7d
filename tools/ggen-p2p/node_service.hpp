#pragma once

#include <chrono>
#include <functional>

#include <ggen/p2p/marketplace/registry.hpp>

#include "control_service.hpp"
#include "peer_agents.hpp"
#include "settings.hpp"

namespace ggen::p2p::cli {

/// The commands, carried out by a running node.
class NodeService final : public Service {
 public:
  /// All of them outlive the service. `stop` begins to stop the node, and returns at once.
  NodeService(const Settings& settings, marketplace::Registry& registry, const PeerAgents& agents,
              std::function<void()> stop);

  [[nodiscard]] Answer publish(request::Publish request, Report report) override;
  [[nodiscard]] Answer search(request::Search request, Report report) override;
  [[nodiscard]] Answer get(request::Get request, Report report) override;
  [[nodiscard]] Answer dht_query(request::DhtQuery request) override;
  [[nodiscard]] Answer dht_table() override;
  [[nodiscard]] Answer pubsub_look(request::PubsubLook request) override;
  [[nodiscard]] Answer pubsub_subscribe(request::PubsubSubscribe request, Send send) override;
  [[nodiscard]] Answer pubsub_publish(request::PubsubPublish request) override;
  [[nodiscard]] Answer status() override;
  [[nodiscard]] Answer peers() override;
  [[nodiscard]] Answer stop() override;

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] Json connection_json(const swarm::ConnectionRecord& record) const;
  [[nodiscard]] Json history_json() const;
  [[nodiscard]] const gossipsub::Engine& gossip() const;

  const Settings& settings_;
  marketplace::Registry& registry_;
  const PeerAgents& agents_;
  std::function<void()> stop_;
  Clock::time_point started_ = Clock::now();
};

/// The addresses of a node, as `status` and `start` tell them.
[[nodiscard]] Json addresses_json(const marketplace::Registry& registry);
/// What the marketplace says of a failure, with its exit code.
[[nodiscard]] Error error_of(const marketplace::Failure& failure);

}  // namespace ggen::p2p::cli
