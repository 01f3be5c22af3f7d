#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/gossipsub/message.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>
#include <ggen/p2p/gossipsub/score.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// The parameters of the router. Those without another remark have the values that the
/// specification recommends (libp2p/specs pubsub/gossipsub/gossipsub-v1.0.md and -v1.1.md).
namespace ggen::p2p::gossipsub {

/// What we speak, the best first: what an owner serves, and tells other peers that it does.
inline constexpr std::array<std::string_view, 5> kProtocols = {
    "/meshsub/1.3.0", "/meshsub/1.2.0", "/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0"};

/// How many peers a topic's mesh has.
struct MeshParameters {
  std::size_t degree = 6;        ///< D: what maintenance aims at
  std::size_t degree_low = 5;    ///< D_lo: below it, peers are grafted
  std::size_t degree_high = 12;  ///< D_hi: above it, peers are pruned; at it, only those that we
                                 ///< dialled, or that have earned it, may graft us
  std::size_t degree_out = 2;    ///< D_out: so many are peers that we dialled
  std::size_t degree_score = 4;  ///< D_score: so many of the best stay when peers are pruned
  base::Duration prune_backoff = std::chrono::minutes{1};
  /// Shorter, so that one may soon subscribe again.
  base::Duration unsubscribe_backoff = std::chrono::seconds{10};
  /// A peer that asks for a longer backoff gets this one.
  base::Duration max_backoff = std::chrono::hours{1};
  base::Duration fanout_ttl = std::chrono::minutes{1};
  /// How often the scores in the mesh are looked at for peers better than half of it, and how many
  /// of them are grafted (ScoreParameters::opportunistic_graft_threshold). More often than the
  /// specification's minute: where messages are rare, a mesh that was taken over must not last.
  base::Duration opportunistic_graft_every = std::chrono::seconds{15};
  std::size_t opportunistic_grafts = 2;
};

/// What is told to peers outside the mesh.
struct GossipParameters {
  std::size_t degree_lazy = 6;     ///< D_lazy: at least so many peers hear of new messages...
  double factor = 0.25;            ///< ... and this share of those outside the mesh
  std::size_t history_length = 5;  ///< heartbeats for which messages can be asked for
  std::size_t history_gossip = 3;  ///< heartbeats for which they are advertised
  /// A peer that has advertised a message and not sent it by then has broken a promise.
  base::Duration followup = std::chrono::seconds{3};
  /// How often one peer may have the same message.
  std::size_t retransmissions = 3;
  /// Messages of at least so many bytes are announced by IDONTWANT when they arrive.
  std::size_t idontwant_size = 1024;
  /// Not in the specification: messages that take at least so many bytes are passed on to `eager`
  /// peers of the mesh at once, and to one more after each `stagger`. Whoever says IDONTWANT before
  /// its turn is left out; peers that do not know it, those before 1.2, get them at once.
  std::size_t stagger_size = 32 * 1024;
  std::size_t eager = 2;
  base::Duration stagger = std::chrono::milliseconds{100};
};

/// What remote peers can make us hold and do. Sizes in bytes; "a heartbeat" means between two.
struct Limits {
  RpcLimits rpc;
  /// A frame, in both directions, its length prefix not counted. What js-libp2p and go-libp2p take.
  std::size_t max_frame = 1024 * 1024;
  std::size_t max_peers = 2048;
  /// Topics of one peer; more are not noted.
  std::size_t max_topics_per_peer = 512;
  std::size_t max_backoffs_per_topic = 4096;
  std::size_t max_ihave_frames = 10;     ///< of a peer, a heartbeat
  std::size_t max_ihave_ids = 5000;      ///< asked of a peer, a heartbeat
  std::size_t max_iwant_ids = 5000;      ///< answered to a peer, a heartbeat
  std::size_t max_idontwant_ids = 1000;  ///< obeyed of a peer, a heartbeat
  /// Ids that we advertise to one peer in one topic. With ids of usual sizes they fit the frames
  /// that a peer reads a heartbeat.
  std::size_t max_advertised_ids = 3000;
  /// Subscriptions and control messages that we put into one frame: rust-libp2p reads 16 KiB.
  std::size_t max_control_frame = 15 * 1024;
  /// Messages seen within seen_ttl; above it, the oldest are forgotten early. About 40 bytes each.
  std::size_t max_seen = 1024 * 1024;
  /// Messages that can be asked for; above it, the oldest are forgotten early.
  std::size_t max_cached_bytes = 32 * 1024 * 1024;
  /// Messages that wait for a verdict: in total, of one peer, and their bytes. Those above it are
  /// dropped as if they had never come.
  std::size_t max_pending = 4096;
  std::size_t max_pending_per_peer = 512;
  std::size_t max_pending_bytes = 32 * 1024 * 1024;
  /// Peers that wait for their turn with a large message; above it, nobody waits.
  std::size_t max_in_turn = 4096;
  /// What waits for one peer to read. A peer that leaves more subscriptions, GRAFTs and PRUNEs
  /// unread loses its stream; one that leaves messages or gossip unread does not get more of them.
  std::size_t max_queued_control = 256 * 1024;
  std::size_t max_queued_messages = 4 * 1024 * 1024;
  std::size_t max_queued_gossip = 256 * 1024;
  /// Frames under way to one peer beside the queue.
  std::size_t max_unanswered_writes = 2;
  /// Attempts to open a stream to a peer whose streams end without one byte read.
  std::size_t max_open_attempts = 6;
  /// Peers that we name in a PRUNE, and that are heard of one peer in a heartbeat.
  std::size_t max_exchanged_peers = 16;
  /// Peers that are gone and whose negative score is remembered.
  std::size_t max_retained = 1024;
};

struct TopicConfig {
  MessageIdFunction message_id = origin_stamp_id;
  TopicScoreParameters score;
};

/// Who signs, and who must (libp2p/specs pubsub/README.md, "Message Signing").
enum class SignaturePolicy : std::uint8_t {
  kStrictSign,    ///< every message has author, sequence number and a signature that is right
  kStrictNoSign,  ///< no message has any of these; its topic needs an id function of the data
  kLaxSign,       ///< ours are signed; a message without signature is taken, a wrong one is not
  kLaxNoSign,     ///< ours are not signed; the rest as above
};

struct Config {
  base::Duration heartbeat = std::chrono::seconds{1};
  base::Duration seen_ttl = std::chrono::minutes{2};
  /// Our own messages go to every peer of their topic, not just to the mesh. Those of
  /// GossipParameters::stagger_size never do.
  bool flood_publish = true;
  SignaturePolicy signatures = SignaturePolicy::kStrictSign;
  /// A peer that is pruned is told of others. For those whom everybody connects to at first: they
  /// keep the signed record of each peer for it.
  bool peer_exchange = false;
  MeshParameters mesh;
  GossipParameters gossip;
  ScoreParameters score;
  Limits limits;
  /// Topics that differ from the default.
  std::map<std::string, TopicConfig, std::less<>> topics;
  /// Peers with a mutual agreement: they get every message, are never in a mesh and never
  /// scored. Keeping them connected is up to the owner.
  std::set<multiformats::PeerId> direct_peers;

  [[nodiscard]] const TopicConfig& topic(std::string_view name) const {
    static const TopicConfig kDefault;
    const auto found = topics.find(name);
    return found == topics.end() ? kDefault : found->second;
  }
};

}  // namespace ggen::p2p::gossipsub
