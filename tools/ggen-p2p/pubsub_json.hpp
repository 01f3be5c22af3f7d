#pragma once

#include <string>
#include <string_view>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>
#include <ggen/p2p/marketplace/pubsub.hpp>

#include "json.hpp"
#include "peer_agents.hpp"

/// Topics, peers, scores and messages of pubsub as commands print them: see Service.
namespace ggen::p2p::cli {

// `engine` has been given `config`.

[[nodiscard]] Json topics_json(const gossipsub::Engine& engine);
/// `topic`: whose subscribers; empty: all peers.
[[nodiscard]] Json peers_json(const gossipsub::Engine& engine, const std::string& topic,
                              const PeerAgents& agents, base::Instant now);
/// `topic`: whose mesh; empty: those of all topics that this node subscribes to.
[[nodiscard]] Json mesh_json(const gossipsub::Engine& engine, const gossipsub::Config& config,
                             const std::string& topic, base::Instant now);
/// `peer`: whose; empty: those of all.
[[nodiscard]] Json scores_json(const gossipsub::Engine& engine, const gossipsub::Config& config,
                               const std::string& peer, base::Instant now);
[[nodiscard]] Json message_json(const std::string& topic,
                                const marketplace::pubsub::Message& message);

/// What a score leads to, the worst of it: "good", "no_mesh", "no_gossip", "no_publish" or
/// "graylisted".
[[nodiscard]] std::string_view standing_of(double score,
                                           const gossipsub::ScoreParameters& parameters);

}  // namespace ggen::p2p::cli
