#include "invariant_mesh.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "clear_fields.hpp"
#include "clear_frames.hpp"

namespace ggen::p2p::sim {
namespace {

// A frame of gossip that anybody takes.
constexpr std::size_t kMaxFrame = 1024 * 1024;
// For how long a message that was heard of may take to be accepted.
constexpr base::Duration kHeard = std::chrono::minutes{1};
constexpr std::size_t kMaxIds = 64 * 1024;

// Fields of RPC, Message, ControlMessage (libp2p/specs pubsub/README.md, pubsub/gossipsub).
constexpr std::uint32_t kRpcPublish = 2;
constexpr std::uint32_t kRpcControl = 3;
constexpr std::uint32_t kMessageData = 2;
constexpr std::uint32_t kMessageTopic = 4;
constexpr std::uint32_t kControlGraft = 3;
constexpr std::uint32_t kControlIDontWant = 5;
constexpr std::uint32_t kGraftTopic = 1;
constexpr std::uint32_t kIDontWantIds = 1;

std::uint64_t first_bytes(base::BytesView id) {
  return id.size() < sizeof(std::uint64_t) ? 0 : base::load_big_endian<std::uint64_t>(id.data());
}

bool contains(const std::vector<NodeIndex>& nodes, NodeIndex node) {
  return std::ranges::find(nodes, node) != nodes.end();
}
void add(std::vector<NodeIndex>& nodes, NodeIndex node) {
  if (!contains(nodes, node)) nodes.push_back(node);
}

}  // namespace

class MeshInvariant::Watch final : public StreamWatch {
 public:
  Watch(MeshInvariant& owner, NodeIndex node, NodeIndex peer)
      : owner_(owner), node_(node), peer_(peer), frames_(kMaxFrame) {}

  void sent(base::BytesView bytes) override { read(Way::kSent, bytes); }
  void received(base::BytesView bytes) override { read(Way::kReceived, bytes); }

 private:
  // Each side only writes to the stream that it opened: the bytes of one way do not meet others.
  void read(Way way, base::BytesView bytes) {
    while (!bytes.empty()) {
      const base::BytesView frame = frames_.take(bytes);
      if (!frame.empty()) owner_.read(node_, peer_, way, frame);
    }
  }

  MeshInvariant& owner_;
  NodeIndex node_;
  NodeIndex peer_;
  ClearFrames frames_;
};

MeshInvariant::MeshInvariant(const Simulation& simulation, Invariant& invariant)
    : simulation_(simulation), invariant_(invariant) {}
MeshInvariant::~MeshInvariant() = default;

void MeshInvariant::started(NodeIndex node) {
  if (routers_.size() <= node) routers_.resize(node + 1);
  routers_[node] = std::make_unique<Router>();
}

void MeshInvariant::stopped(NodeIndex node) {
  routers_[node].reset();
}

std::unique_ptr<StreamWatch> MeshInvariant::watch(NodeIndex node, NodeIndex peer) {
  return std::make_unique<Watch>(*this, node, peer);
}

// ---- What is seen on streams ----

void MeshInvariant::read(NodeIndex node, NodeIndex peer, Way way, base::BytesView rpc) {
  read_fields(rpc, [&](std::uint32_t field, protozero::pbf_reader& reader) {
    if (field == bytes_field(kRpcPublish)) {
      message(node, peer, way, take_bytes(reader));
    } else if (field == bytes_field(kRpcControl)) {
      control(node, peer, way, take_bytes(reader));
    } else {
      return false;
    }
    return true;
  });
}

void MeshInvariant::message(NodeIndex node, NodeIndex peer, Way way, base::BytesView message) {
  base::BytesView data;
  base::BytesView topic;
  const bool whole = read_fields(message, [&](std::uint32_t field, protozero::pbf_reader& reader) {
    if (field == bytes_field(kMessageData)) {
      data = take_bytes(reader);
    } else if (field == bytes_field(kMessageTopic)) {
      topic = take_bytes(reader);
    } else {
      return false;
    }
    return true;
  });
  if (!whole || base::as_text(topic) != registry::kUpdatesTopic) return;
  const Id id = id_of(data);
  if (way == Way::kSent) {
    needs_no(node, peer, id);
  } else {
    has(node, peer, id);
  }
}

void MeshInvariant::control(NodeIndex node, NodeIndex peer, Way way, base::BytesView control) {
  read_fields(control, [&](std::uint32_t field, protozero::pbf_reader& reader) {
    if (field == bytes_field(kControlGraft)) {
      read_fields(take_bytes(reader), [&](std::uint32_t inner, protozero::pbf_reader& graft) {
        if (inner != bytes_field(kGraftTopic)) return false;
        if (base::as_text(take_bytes(graft)) == registry::kUpdatesTopic) grafted(node, peer);
        return true;
      });
    } else if (field == bytes_field(kControlIDontWant) && way == Way::kReceived) {
      read_fields(take_bytes(reader), [&](std::uint32_t inner, protozero::pbf_reader& ids) {
        if (inner != bytes_field(kIDontWantIds)) return false;
        needs_no(node, peer, first_bytes(take_bytes(ids)));
        return true;
      });
    } else {
      return false;
    }
    return true;
  });
}

// The id of an entry takes decoding and hashing it, and each comes many times over many streams.
MeshInvariant::Id MeshInvariant::id_of(base::BytesView data) {
  const std::uint64_t hash = std::hash<std::string_view>{}(base::as_text(data));
  if (const Id* known = ids_.find(hash)) return *known;
  if (ids_.size() >= kMaxIds) ids_.clear();
  const Id id = first_bytes(registry::update_message_id({registry::kUpdatesTopic, {}, {}, data}));
  ids_.try_emplace(hash, id);
  return id;
}

MeshInvariant::Message* MeshInvariant::heard_of(Router& router, Id id) {
  if (router.settled.contains(id)) return nullptr;
  const auto [message, first] = router.messages.try_emplace(id);
  if (first) router.heard.push({simulation_.now(), id});
  return &message;
}

void MeshInvariant::has(NodeIndex node, NodeIndex peer, Id id) {
  Message* message = heard_of(*routers_[node], id);
  // What the peer has from others does not mend that it was not sent to it before.
  if (message != nullptr && !message->accepted) add(message->have, peer);
}

// It was sent the message, or does not want it.
void MeshInvariant::needs_no(NodeIndex node, NodeIndex peer, Id id) {
  Message* message = heard_of(*routers_[node], id);
  if (message == nullptr) return;
  if (message->accepted) {
    std::erase(message->owed, peer);
  } else {
    add(message->have, peer);
  }
}

// Who joins the mesh is owed what is accepted after it.
void MeshInvariant::grafted(NodeIndex node, NodeIndex peer) {
  Router& router = *routers_[node];
  if (router.grafted_at != simulation_.now()) {
    router.grafted_at = simulation_.now();
    router.grafted.clear();
  }
  add(router.grafted, peer);
  for (const Id id : router.owing) {
    if (Message* message = router.messages.find(id)) std::erase(message->owed, peer);
  }
}

// ---- What must follow ----

void MeshInvariant::published(NodeIndex node, const registry::EntryId& entry) {
  const Id id = first_bytes(entry.digest);
  Message* message = heard_of(*routers_[node], id);
  if (message != nullptr && !message->accepted) accept(node, id, *message);
}

void MeshInvariant::delivered(NodeIndex node, const gossipsub::Message& delivered) {
  if (delivered.topic != registry::kUpdatesTopic) return;
  const Id id = first_bytes(delivered.id);
  Message* message = heard_of(*routers_[node], id);
  if (message == nullptr || message->accepted) return;
  if (const NodeIndex* source = by_id_.find(delivered.source)) add(message->have, *source);
  if (delivered.author) {
    if (const NodeIndex* author = by_id_.find(*delivered.author)) add(message->have, *author);
  }
  accept(node, id, *message);
}

void MeshInvariant::accept(NodeIndex node, Id id, Message& message) {
  Router& router = *routers_[node];
  const gossipsub::Engine& gossip = *simulation_.node(node).gossipsub();
  message.accepted = true;
  for (const multiformats::PeerId& id_in_mesh : gossip.mesh(registry::kUpdatesTopic)) {
    const NodeIndex* peer = by_id_.find(id_in_mesh);
    if (peer == nullptr) continue;
    invariant_.look();
    if (contains(message.have, *peer)) continue;
    // It may have joined only after the message was sent on.
    const bool joined = router.grafted_at == simulation_.now() && contains(router.grafted, *peer);
    if (!joined) message.owed.push_back(*peer);
  }
  message.have = {};
  router.owing.push_back(id);
  look_again(node);
}

// Who is owed a message and is sent nothing any more will not get it.
void MeshInvariant::look_again(NodeIndex node) {
  Router& router = *routers_[node];
  const gossipsub::Engine& gossip = *simulation_.node(node).gossipsub();
  std::erase_if(router.owing, [&](Id id) {
    Message& message = *router.messages.find(id);
    std::erase_if(message.owed, [&](NodeIndex peer) {
      if (gossip.has_unsent(simulation_.id(peer))) return false;
      const auto mesh = gossip.mesh(registry::kUpdatesTopic);
      const bool in_mesh = std::ranges::find(mesh, simulation_.id(peer)) != mesh.end();
      if (in_mesh) missed(node, peer, id);
      return true;
    });
    if (!message.owed.empty()) return false;
    router.settled.insert(id);
    router.messages.erase(id);
    return true;
  });
}

void MeshInvariant::missed(NodeIndex node, NodeIndex peer, Id id) {
  Router& router = *routers_[node];
  // The limits of a queue are documented, and what they cost is counted.
  if (router.dropped < simulation_.node(node).gossipsub()->stats().dropped) {
    ++router.dropped;
    return invariant_.excuse("of them dropped for want of room");
  }
  invariant_.violate(
      simulation_.now(), node,
      fmt::format("message {:016x} was accepted and not sent to node {} in the mesh", id, peer));
}

void MeshInvariant::sample() {
  for (NodeIndex node = 0; node < routers_.size(); ++node) {
    if (!routers_[node]) continue;
    if (!routers_[node]->owing.empty()) look_again(node);
    forget_old(*routers_[node]);
  }
}

void MeshInvariant::forget_old(Router& router) {
  const base::Instant now = simulation_.now();
  while (!router.heard.empty() && router.heard.front().when + kHeard < now) {
    const Id id = router.heard.pop()->id;
    const Message* message = router.messages.find(id);
    if (message != nullptr && !message->accepted) router.messages.erase(id);
  }
  if (router.ages_at > now) return;
  router.ages_at = now + kHeard;
  router.settled.age();
}

}  // namespace ggen::p2p::sim
