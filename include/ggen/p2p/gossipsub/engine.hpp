#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/gossipsub/conduct.hpp>
#include <ggen/p2p/gossipsub/config.hpp>
#include <ggen/p2p/gossipsub/message.hpp>
#include <ggen/p2p/gossipsub/score.hpp>
#include <ggen/p2p/multiformats/ip_address.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// Gossipsub 1.0 to 1.3, and floodsub towards peers that speak nothing better (libp2p/specs
/// pubsub/gossipsub): messages on topics reach every subscriber by way of a mesh of few links, and
/// by gossip where that fails.
namespace ggen::p2p::gossipsub {

/// Asks the owner about a message. Until report(token) it is neither delivered nor passed on, and
/// counts against Limits::max_pending.
struct Validate {
  MessageToken token;
  Message message;
};
/// A message of another peer that the owner has accepted. Comes once a message.
struct Delivered {
  Message message;
};
struct PeerSubscribed {
  multiformats::PeerId peer;
  std::string topic;
};
/// Not given for the topics of a peer that is gone.
struct PeerUnsubscribed {
  multiformats::PeerId peer;
  std::string topic;
};
/// The peer is in the mesh of a topic now, or in none any more: its connection is worth keeping, or
/// not.
struct MeshChanged {
  multiformats::PeerId peer;
  bool joined = false;
};
/// The peer does not read as fast as it is written to. At most one a heartbeat and peer.
struct SlowPeer {
  multiformats::PeerId peer;
  std::uint64_t dropped = 0;  ///< messages that were not sent to it since the last such event
  bool reset = false;         ///< it read so little that its stream was given up
};
/// A peer that has pruned us names others, whom the owner may connect to. Their records are not
/// verified.
struct PeersExchanged {
  struct Named {
    multiformats::PeerId peer;
    base::Bytes signed_record;  ///< an envelope; may be empty
  };
  multiformats::PeerId source;
  std::vector<Named> peers;
};
struct Misbehaved {
  multiformats::PeerId peer;
  Offence offence{};
};

using Output = std::variant<connection::StreamOutput, Validate, Delivered, PeerSubscribed,
                            PeerUnsubscribed, MeshChanged, SlowPeer, PeersExchanged, Misbehaved>;

enum class PublishError : std::uint8_t {
  kTooLarge,      ///< does not fit Limits::max_frame
  kTopicTooLong,  ///< above RpcLimits::max_topic
  kBadId,         ///< the topic's id function gave none, or one above RpcLimits::max_id
  kDuplicate,     ///< a message with the same id was seen within Config::seen_ttl
};
[[nodiscard]] std::string_view to_string(PublishError error) noexcept;

/// What the router holds, and what it has done since it started.
struct Stats {
  std::size_t peers = 0;
  std::size_t pending = 0;
  std::size_t seen = 0;
  std::size_t cached_bytes = 0;
  std::size_t queued_bytes = 0;  ///< for all peers
  // Of the peer that has the most.
  std::size_t most_queued_bytes = 0;
  std::size_t most_pending = 0;
  std::size_t backoffs = 0;
  std::size_t in_turn = 0;  ///< peers that wait for their turn with a large message

  std::uint64_t published = 0;
  std::uint64_t received = 0;  ///< messages of topics that we subscribe to, duplicates included
  std::uint64_t duplicates = 0;
  std::uint64_t delivered = 0;
  std::uint64_t sent = 0;       ///< messages queued for peers
  std::uint64_t dropped = 0;    ///< messages not queued, or taken out of a queue, for want of room
  std::uint64_t unwanted = 0;   ///< messages not sent because of an IDONTWANT
  std::uint64_t idontwant = 0;  ///< ids that came in IDONTWANTs and were heeded
};

/// What is known of the connection to a peer.
struct Link {
  /// A mesh keeps some peers that we have dialled.
  connection::Direction direction = connection::Direction::kInbound;
  /// The remote's. Many peers at one address lose by it.
  std::optional<multiformats::IpAddress> address{};
  /// The peer's signed record, verified, to be passed on (Config::peer_exchange); may be empty.
  base::BytesView signed_record{};
};

/// An engine (base::Engine); not thread-safe.
///
/// Messages are signed and checked as Config::signatures has it. Each side
/// opens its own stream to the other and only writes to it; a stream that the remote opened is only
/// read. One of each exists per peer.
class Engine {
 public:
  /// `crypto` and `key` outlive the engine. `first_seqno` is above every sequence number that this
  /// key has published with before: the Unix time in nanoseconds will do. `prng` makes the choices
  /// that need no secrecy.
  Engine(Config config, crypto::Crypto& crypto, const crypto::KeyPair& key,
         std::uint64_t first_seqno, base::Prng prng);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// A connected peer speaks these protocols (identify says so). Opens a stream for the best of
  /// them that is ours, unless there is one. May be called again when the peer's protocols change.
  void peer_supports(const multiformats::PeerId& peer, std::span<const std::string> protocols,
                     const Link& link, base::Instant now);
  /// The last connection to the peer has ended, whether or not peer_supports was called for it.
  /// Inputs about its streams may still follow, but no new stream.
  void peer_gone(const multiformats::PeerId& peer, base::Instant now);

  /// Joins a topic; does nothing when it is joined already. False when its name is longer than
  /// RpcLimits::max_topic.
  bool subscribe(std::string_view topic, base::Instant now);
  void unsubscribe(std::string_view topic, base::Instant now);

  /// Signs a message and sends it to the peers of its topic, subscribed or not. It is not delivered
  /// to this engine's owner. That there are no peers is no error.
  std::expected<MessageId, PublishError> publish(std::string_view topic, base::BytesView data,
                                                 base::Instant now);
  /// What the owner thinks of a connected peer (P5), for its score: any number, 0 at first.
  void set_application_score(const multiformats::PeerId& peer, double score, base::Instant now);

  /// The verdict on a message that Validate asked about. Does nothing on a dead token.
  void report(MessageToken token, Verdict verdict, base::Instant now);

  void handle(connection::StreamInput input, base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

  // Observations, in a fixed order.

  [[nodiscard]] std::vector<std::string> subscriptions() const;
  /// Those that we or a connected peer subscribe to.
  [[nodiscard]] std::vector<std::string> topics() const;
  [[nodiscard]] std::vector<multiformats::PeerId> mesh(std::string_view topic) const;
  [[nodiscard]] std::vector<multiformats::PeerId> subscribers(std::string_view topic) const;
  /// The one of kProtocols that is spoken with the peer. Nothing for a peer that is not connected.
  [[nodiscard]] std::optional<std::string_view> protocol(const multiformats::PeerId& peer) const;
  /// Nothing for a peer that is not connected.
  [[nodiscard]] std::optional<Conduct> conduct(const multiformats::PeerId& peer) const;
  /// The score that has consequences now: that of the last heartbeat, or of what was held against
  /// the peer since. Nothing for a peer that is not connected.
  [[nodiscard]] std::optional<double> score(const multiformats::PeerId& peer) const;
  /// Of all connected peers, in the order of their ids, with every term.
  [[nodiscard]] std::vector<PeerScore> scores(base::Instant now) const;
  /// Something is queued for the peer, or written and not yet in its stream's send queue.
  [[nodiscard]] bool has_unsent(const multiformats::PeerId& peer) const;
  [[nodiscard]] Stats stats() const;

 private:
  class Router;
  std::unique_ptr<Router> router_;
};

}  // namespace ggen::p2p::gossipsub
