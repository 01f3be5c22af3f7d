#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/sim/invariants.hpp>
#include <ggen/p2p/sim/observed_channel.hpp>
#include <ggen/p2p/sim/package.hpp>

namespace ggen::p2p::sim {

/// What a node serves of an archive, chunks and their hashes, is what was published, and so is each
/// chunk that its store takes.
///
/// Bytes are compared with those of the package, which is quicker than hashing them; the package's
/// own are hashed once. Archives that the world did not publish are left out.
class ChunksInvariant {
 public:
  ChunksInvariant(const Simulation& simulation, Invariant& invariant);
  ~ChunksInvariant();

  void published(const Package& package);
  /// A stream on which `node` is asked for archives.
  [[nodiscard]] std::unique_ptr<StreamWatch> watch(NodeIndex node);
  void storing(NodeIndex node, const registry::Store& operation);
  void stored(NodeIndex node, const registry::StoreDone& done);
  void stopped(NodeIndex node);

  /// Forgets the packages; how many of them are still held by others.
  [[nodiscard]] std::size_t release();

 private:
  class Watch;
  struct Known {
    Package package;
    base::Bytes list;  // the hashes of the chunks, as they are served
  };

  const Simulation& simulation_;
  Invariant& invariant_;
  std::map<crypto::Sha256Digest, Known> known_;
  std::set<std::pair<NodeIndex, registry::StoreId>> wrong_;  // writes under way
};

}  // namespace ggen::p2p::sim
