#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include <ggen/p2p/marketplace/registry.hpp>

#include "control_service.hpp"
#include "settings.hpp"

namespace ggen::p2p::cli {

/// The commands, carried out by a running node.
class NodeService final : public Service {
 public:
  /// All of them outlive the service. `stop` begins to stop the node, and returns at once.
  NodeService(const Settings& settings, marketplace::Registry& registry,
              std::function<void()> stop);

  [[nodiscard]] Answer publish(request::Publish request, Report report) override;
  [[nodiscard]] Answer search(request::Search request, Report report) override;
  [[nodiscard]] Answer get(request::Get request, Report report) override;
  [[nodiscard]] Answer status() override;
  [[nodiscard]] Answer peers() override;
  [[nodiscard]] Answer stop() override;

  /// What the registry's observer sees: who is connected since when, and what they run.
  void note(const node::Output& output);

 private:
  using Clock = std::chrono::steady_clock;

  void note(const swarm::Output& output);
  [[nodiscard]] Json connection_json(const swarm::ConnectionRecord& record) const;
  [[nodiscard]] Json history_json() const;

  const Settings& settings_;
  marketplace::Registry& registry_;
  std::function<void()> stop_;
  Clock::time_point started_ = Clock::now();
  std::map<connection::ConnectionId, Clock::time_point> connected_since_;
  std::map<multiformats::PeerId, std::string> agents_;  // of connected peers
};

/// The addresses of a node, as `status` and `start` tell them.
[[nodiscard]] Json addresses_json(const marketplace::Registry& registry);
/// What the marketplace says of a failure, with its exit code.
[[nodiscard]] Error error_of(const marketplace::Failure& failure);

}  // namespace ggen::p2p::cli
