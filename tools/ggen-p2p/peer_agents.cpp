#include "peer_agents.hpp"

#include "text.hpp"

namespace ggen::p2p::cli {

void PeerAgents::note(const node::Output& output) {
  if (const auto* identified = std::get_if<identify::Identified>(&output)) {
    agents_[identified->peer] = printable(identified->info.agent_version.value_or(""));
  } else if (const auto* of_swarm = std::get_if<swarm::Output>(&output)) {
    const auto* gone = std::get_if<swarm::event::PeerDisconnected>(of_swarm);
    if (gone != nullptr) agents_.erase(gone->peer);
  }
}

std::string PeerAgents::of(const multiformats::PeerId& peer) const {
  const auto found = agents_.find(peer);
  return found == agents_.end() ? std::string{} : found->second;
}

}  // namespace ggen::p2p::cli
