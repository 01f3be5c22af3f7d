#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/sim/invariants.hpp>
#include <ggen/p2p/sim/observed_channel.hpp>

#include "recent_ids.hpp"

namespace ggen::p2p::sim {

/// A message of the marketplace that a node accepts, or publishes, is queued to every peer in its
/// mesh that is not known to have it, nor said that it does not want it.
///
/// What is sent is read from the streams themselves. When a message is accepted, each peer of the
/// mesh that does not have it must either have been sent it by then, or the router says that
/// something still waits for that peer; the latter are looked at again.
class MeshInvariant {
 public:
  MeshInvariant(const Simulation& simulation, Invariant& invariant);
  ~MeshInvariant();

  /// There is such a node, whether or not what it does is looked at.
  void know(NodeIndex node) { by_id_.try_emplace(simulation_.id(node), node); }
  void started(NodeIndex node);
  void stopped(NodeIndex node);
  [[nodiscard]] std::unique_ptr<StreamWatch> watch(NodeIndex node, NodeIndex peer);
  /// A node has accepted a message of another one...
  void delivered(NodeIndex node, const gossipsub::Message& message);
  /// ... or has published one, and says so at the same instant.
  void published(NodeIndex node, const registry::EntryId& entry);
  void sample();

 private:
  /// The first bytes of a message's id, which is a digest.
  using Id = std::uint64_t;
  class Watch;
  enum class Way : std::uint8_t { kSent, kReceived };

  /// A message on its way through a node.
  struct Message {
    bool accepted = false;
    std::vector<NodeIndex> have;  // until it is accepted: who has it, or does not want it
    std::vector<NodeIndex> owed;  // after it: who has not been sent it
  };
  struct Heard {
    base::Instant when;
    Id id = 0;
  };
  /// What one node is seen to do.
  struct Router {
    base::HashMap<Id, Message> messages;
    base::Fifo<Heard> heard;
    RecentIds settled;               // accepted, and nobody is owed it
    std::vector<Id> owing;           // accepted, and somebody is owed it
    std::vector<NodeIndex> grafted;  // joined the mesh at...
    base::Instant grafted_at;
    base::Instant ages_at;
    std::uint64_t dropped = 0;  // of those that the router dropped, how many were missed here
  };

  void read(NodeIndex node, NodeIndex peer, Way way, base::BytesView rpc);
  void message(NodeIndex node, NodeIndex peer, Way way, base::BytesView message);
  void control(NodeIndex node, NodeIndex peer, Way way, base::BytesView control);
  void grafted(NodeIndex node, NodeIndex peer);
  void needs_no(NodeIndex node, NodeIndex peer, Id id);
  void has(NodeIndex node, NodeIndex peer, Id id);
  [[nodiscard]] Message* heard_of(Router& router, Id id);

  void accept(NodeIndex node, Id id, Message& message);
  void look_again(NodeIndex node);
  void missed(NodeIndex node, NodeIndex peer, Id id);
  void forget_old(Router& router);
  [[nodiscard]] Id id_of(base::BytesView data);

  const Simulation& simulation_;
  Invariant& invariant_;
  base::HashMap<multiformats::PeerId, NodeIndex> by_id_;
  std::vector<std::unique_ptr<Router>> routers_;  // by node; null while it is down
  base::HashMap<std::uint64_t, Id> ids_;          // of data, by its hash
};

}  // namespace ggen::p2p::sim
