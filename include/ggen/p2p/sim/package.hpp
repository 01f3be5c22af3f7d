#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/metadata.hpp>

namespace ggen::p2p::sim {

/// A release to publish: what packing a directory would have given.
struct Package {
  registry::Metadata metadata;
  registry::Archive archive;
  std::vector<crypto::Sha256Digest> hashes;  ///< of the chunks
  base::Buffer bytes;                        ///< the packed archive

  /// Of `size` bytes that depend on name and version only. `name` and `version` are valid.
  [[nodiscard]] static Package make(std::string_view name, std::string_view version,
                                    std::string description, std::uint64_t size);
};

}  // namespace ggen::p2p::sim
