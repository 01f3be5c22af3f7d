#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::kad {

/// Collects the providers that peers name for one key. What one peer alone names may be made up:
/// providers named by more peers come first in the result, and the search does not stop before
/// some have named any.
class ProviderSearch {
 public:
  /// Peers that must have named providers before `limit` of them are enough.
  static constexpr std::size_t kMinSources = 3;

  /// Keeps up to `max_found` providers, and up to `max_addresses` of each, whoever named them.
  ProviderSearch(std::size_t limit, std::size_t max_found, std::size_t max_addresses,
                 const multiformats::PeerId& local)
      : limit_(limit), max_found_(max_found), max_addresses_(max_addresses), local_(local) {}

  struct News {
    std::vector<PeerRecord> providers;  ///< not known before
    std::vector<PeerRecord> addresses;  ///< further ones of those that were known
  };
  /// Takes what one source names. The local node is left out.
  News add(std::span<const PeerRecord> providers);
  [[nodiscard]] bool enough() const noexcept {
    return limit_ > 0 && found_.size() >= limit_ && sources_ >= kMinSources;
  }
  /// Those named most often first.
  [[nodiscard]] std::vector<PeerRecord> result() const;

 private:
  struct Found {
    PeerRecord record;
    std::size_t sources = 1;
  };

  std::size_t limit_;
  std::size_t max_found_;
  std::size_t max_addresses_;
  multiformats::PeerId local_;
  std::size_t sources_ = 0;
  std::vector<Found> found_;  // in the order of discovery
};

}  // namespace ggen::p2p::kad
