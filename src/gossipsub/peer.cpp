#include "peer.hpp"

#include <algorithm>

namespace ggen::p2p::gossipsub {

// kProtocols has the best first, Version the worst.
std::string_view protocol_of(Version version) noexcept {
  return kProtocols[kProtocols.size() - 1 - static_cast<std::size_t>(version)];
}

std::optional<Version> version_of(std::string_view protocol) noexcept {
  for (const Version version :
       {Version::kV13, Version::kV12, Version::kV11, Version::kV10, Version::kFloodsub}) {
    if (protocol_of(version) == protocol) return version;
  }
  return std::nullopt;
}

std::optional<Version> best_version(std::span<const std::string> protocols) noexcept {
  std::optional<Version> best;
  for (const std::string& protocol : protocols) best = std::max(best, version_of(protocol));
  return best;
}

}  // namespace ggen::p2p::gossipsub
