#pragma once

#include <map>
#include <string>

#include <ggen/p2p/node/node.hpp>

namespace ggen::p2p::cli {

/// What connected peers run, as they say. Sees every output of the node, in order.
class PeerAgents {
 public:
  void note(const node::Output& output);
  /// Empty when the peer has not said.
  [[nodiscard]] std::string of(const multiformats::PeerId& peer) const;

 private:
  std::map<multiformats::PeerId, std::string> agents_;
};

}  // namespace ggen::p2p::cli
