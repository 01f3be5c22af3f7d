#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>

/// What a router is given to pass on.
namespace bench {

struct GossipMessages {
  std::string_view topic;
  std::size_t count = 0;
  std::size_t first = 0;  ///< the number of the first; no two messages of a run have the same
  bool with_signature = true;
};

inline constexpr std::size_t kGossipDataSize = 1024;
/// The number stands in so many of the first bytes of the data.
inline constexpr std::size_t kGossipNumberSize = 8;

/// A frame with one message each, of an author of their own.
[[nodiscard]] std::vector<ggen::p2p::base::Buffer> gossip_frames(const GossipMessages& messages);

}  // namespace bench
