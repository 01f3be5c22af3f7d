#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>

#include "id_set.hpp"
#include "message_cache.hpp"
#include "peer.hpp"
#include "promises.hpp"
#include "topic.hpp"

namespace ggen::p2p::gossipsub {

/// What is seen is forgotten in steps: a part of the time to live each.
inline constexpr std::size_t kSeenGenerations = 4;
/// Of so many messages that are remembered as seen, one may be remembered as rejected.
inline constexpr std::size_t kSeenPerRejected = 16;

/// The state of an engine and all that is done with it. The parts are in files of their own:
/// router_peers.cpp (peers and their streams), router_messages.cpp (what is published and passed
/// on), router_control.cpp (topics and control messages), router_score.cpp (what peers are worth),
/// peer_exchange.cpp, heartbeat.cpp.
class Engine::Router {
 public:
  Router(Config config, crypto::Crypto& crypto, const crypto::KeyPair& key,
         std::uint64_t first_seqno, base::Prng prng);

  void peer_supports(const multiformats::PeerId& id, std::span<const std::string> protocols,
                     const Link& link, base::Instant now);
  void peer_gone(const multiformats::PeerId& id, base::Instant now);
  void handle(connection::StreamInput& input, base::Instant now);

  bool subscribe(std::string_view name, base::Instant now);
  void unsubscribe(std::string_view name, base::Instant now);

  std::expected<MessageId, PublishError> publish(std::string_view name, base::BytesView data,
                                                 base::Instant now);
  void report(MessageToken token, Verdict verdict, base::Instant now);
  void set_application_score(const multiformats::PeerId& id, double score, base::Instant now);

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

  /// Writes what the peers can take: at the end of every call that may have queued something.
  void flush(base::Instant now);
  std::optional<Output> poll() { return outputs_.pop(); }

  [[nodiscard]] std::vector<std::string> subscriptions() const;
  [[nodiscard]] std::vector<std::string> topics() const;
  [[nodiscard]] std::vector<multiformats::PeerId> mesh(std::string_view name) const;
  [[nodiscard]] std::vector<multiformats::PeerId> subscribers(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> protocol(const multiformats::PeerId& id) const;
  [[nodiscard]] std::optional<Conduct> conduct(const multiformats::PeerId& id) const;
  [[nodiscard]] std::optional<double> score(const multiformats::PeerId& id) const;
  [[nodiscard]] std::vector<PeerScore> scores(base::Instant now) const;
  [[nodiscard]] bool has_unsent(const multiformats::PeerId& id) const;
  [[nodiscard]] Stats stats() const;

 private:
  using Topics = std::map<std::string, Topic, std::less<>>;
  using TopicEntry = Topics::value_type;

  struct Pending {
    Message message;
    IdHash hash;
    base::Buffer frame;
    PeerKey source;
    std::vector<PeerKey> also_from;  // peers that sent a message of this id too
    std::vector<PeerKey> same_from;  // those of them whose message was this one to the last byte
  };
  // An accepted message of which another copy still counts as brought in time.
  struct Accepted {
    base::Instant until;
    IdHash data;
    std::vector<PeerKey> from;
  };
  // A peer that is sent a message of the cache when its turn comes.
  struct Turn {
    PeerKey peer;
    IdHash message;
  };
  struct Retained {
    ScoreCard card;
    base::Instant until;
  };

  // Peers and their streams.

  [[nodiscard]] Peer* find(PeerKey key);
  [[nodiscard]] const Peer* find(PeerKey key) const;
  [[nodiscard]] Peer* find(const multiformats::PeerId& id);
  Peer* admit(const multiformats::PeerId& id, base::Instant now);
  void open(Peer& peer);
  void outbound_lost(Peer& peer, base::Instant now);
  void drop_inbound(Peer& peer);
  void leave_meshes(Peer& peer, base::Instant now);

  void handle_input(const connection::stream_input::Opening& in, base::Instant now);
  void handle_input(const connection::stream_input::OpenFailed& in, base::Instant now);
  void handle_input(const connection::stream_input::Opened& in, base::Instant now);
  void handle_input(connection::stream_input::Data& in, base::Instant now);
  void handle_input(const connection::stream_input::Written& in, base::Instant now);
  void handle_input(const connection::stream_input::Finished& in, base::Instant now);
  void handle_input(const connection::stream_input::Closed& in, base::Instant now);
  void receive(Peer& peer, const base::Buffer& frame, base::Instant now);

  void send_subscription(Peer& peer, bool subscribe, std::string_view name);
  void send_control(Peer& peer, base::BytesView field);
  bool send_gossip(Peer& peer, base::BytesView field);
  void send_message(Peer& peer, IdHash hash, const base::Buffer& frame, bool own);
  void flush_later(Peer& peer);
  [[nodiscard]] bool can_write(const Peer& peer) const;
  void write(Peer& peer, base::Buffer frame);
  void overflowed(Peer& peer, base::Instant now);

  // Scores.

  void note_address(Peer& peer, const std::optional<multiformats::IpAddress>& address);
  void forget_address(Peer& peer);
  [[nodiscard]] std::size_t neighbours(const Peer& peer) const;
  void rescore(Peer& peer, base::Instant now);
  void offend(Peer& peer, Offence offence, base::Instant now);
  void offend(Peer& peer, Offence offence, std::string_view topic, base::Instant now);
  /// Whether it may be in a mesh.
  [[nodiscard]] bool welcome(const Peer& peer) const;
  [[nodiscard]] bool gossips_with(const Peer& peer) const;
  [[nodiscard]] bool publishes_to(const Peer& peer) const;
  [[nodiscard]] bool ignored(const Peer& peer) const;
  void retain(Peer& peer, base::Instant now);
  void restore(Peer& peer, base::Instant now);
  void tend_scores(base::Instant now);

  // Messages.

  void receive_message(Peer& peer, const MessageView& view, base::Instant now);
  void receive_duplicate(Peer& peer, const TopicEntry& topic, const MessageView& view, IdHash hash,
                         base::Instant now);
  void accepted(const Pending& pending, base::Instant now);
  void forget_accepted(base::Instant now);
  void rejected(const Pending& pending, base::Instant now);
  [[nodiscard]] bool has_room_for(const Peer& peer, std::size_t size) const;
  void announce_receipt(const TopicEntry& topic, const Message& message, PeerKey source);
  void send_own(std::string_view name, IdHash hash, const base::Buffer& frame, base::Instant now);
  void forward(const Pending& pending, base::Instant now);
  void send_in_turn(std::vector<Peer*> peers, const Outgoing& message, base::Instant now);
  void take_turns(base::Instant now);

  // Topics and control messages.

  TopicEntry& topic(std::string_view name);
  void forget_if_idle(std::string_view name);
  void peer_subscribed(Peer& peer, std::string_view name, base::Instant now);
  void peer_unsubscribed(Peer& peer, std::string_view name, base::Instant now);
  [[nodiscard]] bool graftable(const Topic& topic, const Peer& peer, base::Instant now) const;
  void enter_mesh(TopicEntry& topic, Peer& peer, base::Instant now);
  void leave_mesh(TopicEntry& topic, Peer& peer, base::Instant now);
  void graft(TopicEntry& topic, Peer& peer, base::Instant now);
  void prune(TopicEntry& topic, Peer& peer, base::Duration backoff, base::Instant now);
  [[nodiscard]] std::vector<PeerInfoView> exchange_for(const Topic& topic, const Peer& pruned);
  void receive_exchange(Peer& peer, const PruneView& prune);
  void receive_graft(Peer& peer, std::string_view name, base::Instant now);
  void receive_prune(Peer& peer, const PruneView& in, base::Instant now);
  void receive_ihave(Peer& peer, std::span<const IHaveView> ihave, base::Instant now);
  void receive_iwant(Peer& peer, std::span<const base::BytesView> ids);
  void receive_idontwant(Peer& peer, std::span<const base::BytesView> ids);
  std::size_t send_wants(Peer& peer, std::span<const MessageId> ids);

  // Heartbeat.

  void start(base::Instant now);
  void heartbeat(base::Instant now);
  void tend_peers(base::Instant now);
  void tend_mesh(TopicEntry& topic, base::Instant now);
  void prune_surplus(TopicEntry& topic, base::Instant now);
  void graft_better(TopicEntry& topic, base::Instant now);
  void graft_up_to(TopicEntry& topic, std::size_t count, bool dialled_only, base::Instant now);
  void top_up(std::set<PeerKey>& few, const Topic& topic);
  void tend_fanout(Topic& topic, base::Instant now);
  void gossip();
  void gossip(const TopicEntry& topic, std::vector<MessageId>& ids);
  [[nodiscard]] std::size_t dialled(const std::set<PeerKey>& peers) const;

  /// Up to `count` peers of `from` for which wanted(peer) holds, chosen at random.
  template <class Wanted>
  std::vector<Peer*> pick(const std::set<PeerKey>& from, std::size_t count, Wanted&& wanted) {
    std::vector<Peer*> peers;
    for (const PeerKey key : from) {
      Peer* peer = find(key);
      if (wanted(*peer)) peers.push_back(peer);
    }
    prng_.shuffle(peers);
    if (peers.size() > count) peers.resize(count);
    return peers;
  }

  Config config_;
  crypto::Crypto& crypto_;
  const crypto::KeyPair& key_;
  multiformats::PeerId local_;
  std::uint64_t next_seqno_;
  base::Prng prng_;
  IdHasher hasher_;

  base::SlotMap<std::unique_ptr<Peer>, Peer> peers_;
  base::HashMap<multiformats::PeerId, PeerKey> by_id_;
  base::HashMap<connection::StreamRef, PeerKey> inbound_;
  base::HashMap<connection::StreamRef, PeerKey> outbound_;
  base::HashMap<connection::OpenToken, PeerKey> opening_;
  connection::OpenToken next_token_ = 1;
  std::map<multiformats::PeerId, Retained> retained_;
  std::map<multiformats::IpAddress, std::size_t> peers_by_host_;
  std::size_t dialled_ = 0;  // of the peers, as of the last heartbeat
  base::Instant decay_at_;
  std::vector<PeerKey> flush_due_;

  Topics topics_;
  AgingIdSet seen_;
  base::Instant seen_ages_at_;
  MessageCache cache_;
  std::multimap<base::Instant, Turn> in_turn_;
  base::SlotMap<Pending, PendingTag> pending_;
  base::HashMap<IdHash, MessageToken> pending_by_hash_;
  std::size_t pending_bytes_ = 0;
  base::HashMap<IdHash, Accepted> accepted_;  // in topics where that counts
  base::Fifo<IdHash> accepted_order_;
  AgingIdSet rejected_;  // by their data
  Promises promises_;

  std::optional<base::Instant> next_heartbeat_;
  base::Instant graft_better_at_;
  Stats counts_;  // its counters
  base::Fifo<Output> outputs_;
};

}  // namespace ggen::p2p::gossipsub
