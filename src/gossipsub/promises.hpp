#pragma once

#include <map>
#include <vector>

#include <ggen/p2p/base/time.hpp>

#include "id_set.hpp"
#include "peer_key.hpp"

namespace ggen::p2p::gossipsub {

/// Messages that peers have advertised and we have asked for: one, chosen at random, of each
/// request. Their number follows that of our requests, which Limits bounds.
class Promises {
 public:
  void add(IdHash id, PeerKey peer, base::Instant deadline) {
    promised_[id].try_emplace(peer, deadline);
  }
  /// The message has come, from whomever.
  void fulfilled(IdHash id) { promised_.erase(id); }

  /// Removes the promises that are broken by now; returns who broke each.
  std::vector<PeerKey> take_broken(base::Instant now) {
    std::vector<PeerKey> broken;
    for (auto& [id, peers] : promised_) {
      std::erase_if(peers, [&](const auto& promise) {
        if (promise.second > now) return false;
        broken.push_back(promise.first);
        return true;
      });
    }
    std::erase_if(promised_, [](const auto& entry) { return entry.second.empty(); });
    return broken;
  }

 private:
  std::map<IdHash, std::map<PeerKey, base::Instant>> promised_;
};

}  // namespace ggen::p2p::gossipsub
