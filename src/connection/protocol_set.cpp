#include <ggen/p2p/connection/protocol_set.hpp>

#include <algorithm>

namespace ggen::p2p::connection {

void ProtocolSet::add(std::string protocol) {
  const auto at = std::ranges::lower_bound(protocols_, protocol);
  if (at == protocols_.end() || *at != protocol) protocols_.insert(at, std::move(protocol));
}

void ProtocolSet::remove(std::string_view protocol) { std::erase(protocols_, protocol); }

bool ProtocolSet::contains(std::string_view protocol) const {
  return std::ranges::binary_search(protocols_, protocol);
}

}  // namespace ggen::p2p::connection
