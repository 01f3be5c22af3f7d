#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/swarm/book_address.hpp>
#include <ggen/p2p/swarm/config.hpp>
#include <ggen/p2p/swarm/output.hpp>
#include <ggen/p2p/swarm/peer_record.hpp>
#include <ggen/p2p/swarm/reasons.hpp>
#include <ggen/p2p/swarm/records.hpp>

namespace ggen::p2p::swarm {

/// A request to be connected to a peer, or to whoever is at an address.
struct DialRequest {
  /// Without a peer, the addresses decide: each its own /p2p, or anybody.
  std::optional<multiformats::PeerId> peer;
  /// Tried beside those that the book knows of the peer. IP or DNS names with TCP; /dnsaddr.
  std::vector<multiformats::Multiaddr> addresses;
  Purpose purpose = Purpose::kProtocol;
  /// Tries even a peer and addresses that failed a short while ago.
  bool force = false;
};

/// The two ends of a transport connection.
struct Endpoints {
  multiformats::Multiaddr local;
  multiformats::Multiaddr remote;
};

/// Decides which peers to dial, in which order and when; who may connect; which connections to
/// close; and remembers why. It moves no bytes: the driver carries out its outputs and reports, and
/// the owner of the channels says when one is secured or closed.
///
/// The life of a connection: accept() or dialed() names it (half-open), then secured() at most
/// once, then closed() exactly once, also after output::Close and after secured() has refused it.
/// The id is dead after closed(); calls with a dead id do nothing.
///
/// An engine (base::Engine): after every call that takes `now`, drain poll(), then note
/// next_deadline(). Memory and the work of each call are bounded by Config, whatever remote peers
/// do. Not thread-safe.
class Swarm {
 public:
  /// `crypto` outlives the swarm; it verifies signed records.
  Swarm(Config config, multiformats::PeerId self, crypto::Crypto& crypto, base::Prng prng);
  Swarm(Swarm&&) noexcept;
  Swarm& operator=(Swarm&&) noexcept;
  ~Swarm();

  // Dialling.

  /// Asks for a connection. Joins a dial to the same peer that is under way, and then shares its
  /// deadline. Answered by event::DialDone, at once when already connected.
  DialId dial(DialRequest request, base::Instant now);
  /// Withdraws a request; no DialDone follows. What was done only for it is undone.
  void cancel(DialId dial, base::Instant now);

  /// Answers output::ResolveHost.
  void resolved(ResolveId id, std::expected<std::vector<IpAddress>, ResolveError> result,
                base::Instant now);
  /// Answers output::ResolveText: the records, each in one piece.
  void resolved_text(ResolveId id, std::expected<std::vector<std::string>, ResolveError> result,
                     base::Instant now);
  /// Answers output::Dial. Names the new connection, whose channel must be made for
  /// connection(id)'s expected_peer; nothing when the attempt was given up in the meantime: then
  /// drop the socket.
  std::optional<connection::ConnectionId> dialed(AttemptId attempt,
                                                 std::expected<Endpoints, DialError> result,
                                                 base::Instant now);

  // Connections.

  /// An inbound transport connection: named, or refused before a byte is read.
  std::expected<connection::ConnectionId, RefuseReason> accept(
      const multiformats::Multiaddr& local, const multiformats::Multiaddr& remote,
      base::Instant now);
  /// The remote has proven to be `peer`. When refused, the owner closes the channel, uses it for
  /// nothing, and still calls closed().
  std::expected<void, LocalClose> secured(connection::ConnectionId id,
                                          const multiformats::PeerId& peer, base::Instant now);
  void closed(connection::ConnectionId id, connection::CloseReason reason, base::Instant now);
  /// The connection did something useful: trimming spares it for a while. Cheap; call it when a
  /// stream opens or carries data, or once for many such events.
  void used(connection::ConnectionId id, base::Instant now);
  /// Whether nothing is under way on the connection any longer. One that a lookup has asked its
  /// question on then makes place for the next, where places are few. Until the first call it is
  /// not idle. Cheap when nobody waits for a place; only `idle` may bring about an output.
  void set_idle(connection::ConnectionId id, bool idle, base::Instant now);

  /// Asks for output::Close on all connections to a peer.
  void disconnect(const multiformats::PeerId& peer, base::Instant now);
  /// A protected peer is never trimmed. Protections of several purposes add up; each ends by its
  /// own unprotect(), whether the peer is connected or not.
  void protect(const multiformats::PeerId& peer, Purpose purpose);
  void unprotect(const multiformats::PeerId& peer, Purpose purpose);
  /// Replaces the access lists, and closes connections and ends dials that they no longer admit.
  void set_access(AccessLists access, base::Instant now);
  [[nodiscard]] const AccessLists& access() const;

  // Addresses of others.

  /// Notes addresses of a peer, for `ttl` (Config::Book::max_ttl at most). A trailing /p2p must be
  /// the peer's. What cannot be dialled is ignored. Returns how many are known now that were not.
  std::size_t add_addresses(const multiformats::PeerId& peer,
                            std::span<const multiformats::Multiaddr> addresses,
                            AddressSource source, base::Duration ttl, base::Instant now);
  /// Notes the addresses of a signed peer record in place of those of the peer's record before.
  std::expected<multiformats::PeerId, RecordError> add_signed_record(base::BytesView envelope,
                                                                     base::Instant now);
  /// What the book knows and has not expired, in no particular order: dialling ranks them.
  [[nodiscard]] std::vector<BookAddress> addresses(const multiformats::PeerId& peer,
                                                   base::Instant now) const;
  /// The envelope of the newest signed record of a peer, to pass on; empty when there is none.
  /// Valid until the next call that is not const.
  [[nodiscard]] base::BytesView signed_record(const multiformats::PeerId& peer) const;
  /// Peers that the book knows.
  [[nodiscard]] std::size_t known_peers() const;

  // Own addresses.

  /// Asks to listen. Answered by event::Listening or event::ListenFailed.
  ListenId listen(const multiformats::Multiaddr& address, base::Instant now);
  void stop_listening(ListenId id, base::Instant now);
  /// Answers output::Listen: all addresses bound, with unspecified ones expanded to those of the
  /// interfaces. May be repeated when they change, and with an error when the listener dies.
  void listening(ListenId id,
                 std::expected<std::vector<multiformats::Multiaddr>, ListenError> result,
                 base::Instant now);
  /// The remote of a secured connection says that this node has this address. Counts only where the
  /// port can be one that this node listens on: on inbound connections, and on outbound ones that
  /// were made from such a port.
  void observed(const multiformats::Multiaddr& address, connection::ConnectionId by,
                base::Instant now);
  /// Bound addresses, then confirmed external ones; without /p2p.
  [[nodiscard]] std::vector<multiformats::Multiaddr> own_addresses() const;

  // What is known.

  /// Null when the id is dead. Valid until the next call that is not const.
  [[nodiscard]] const ConnectionRecord* connection(connection::ConnectionId id) const;
  /// The secured connections to a peer that are not being closed, oldest first; the first is the
  /// one to use.
  [[nodiscard]] std::vector<connection::ConnectionId> connections_to(
      const multiformats::PeerId& peer) const;
  [[nodiscard]] bool connected(const multiformats::PeerId& peer) const;
  /// All open connections, half-open ones included.
  [[nodiscard]] std::vector<ConnectionRecord> connections() const;
  /// In the order of their ids.
  [[nodiscard]] std::vector<multiformats::PeerId> connected_peers() const;
  [[nodiscard]] std::size_t connected_peer_count() const;
  [[nodiscard]] const History& history() const;
  [[nodiscard]] const Config& config() const;
  [[nodiscard]] const multiformats::PeerId& self() const;

  /// Ends everything in good order: dials fail, listeners stop, each connection gets output::Close.
  /// Nothing new is begun or accepted after it. Done when connections() is empty.
  void stop(base::Instant now);

  // As an engine.

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ggen::p2p::swarm
