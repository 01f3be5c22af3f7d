#pragma once

#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/swarm/book_address.hpp>
#include <ggen/p2p/swarm/config.hpp>
#include <ggen/p2p/swarm/peer_record.hpp>

namespace ggen::p2p::swarm {

/// What is known of where peers can be reached, and what became of trying. Bounded: peers that were
/// never reached give way first.
class AddressBook {
 public:
  explicit AddressBook(const Config::Book& config) : config_(config) {}

  /// Returns how many addresses are new.
  std::size_t add(const multiformats::PeerId& peer,
                  std::span<const multiformats::Multiaddr> addresses, AddressSource source,
                  base::Duration ttl, base::Instant now);
  /// Takes a verified record and the envelope that it came in.
  std::expected<void, RecordError> add_record(const PeerRecord& record, base::BytesView envelope,
                                              base::Instant now);
  /// The sequence number of the record that is known.
  [[nodiscard]] std::optional<std::uint64_t> sequence(const multiformats::PeerId& peer) const;

  /// A connected peer is kept, with all that is known of it, until it has gone.
  void connected(const multiformats::PeerId& peer);
  void disconnected(const multiformats::PeerId& peer, base::Instant now);

  /// The peer was reached at `address`, which is noted if it was not known.
  void succeeded(const multiformats::PeerId& peer, const multiformats::Multiaddr& address,
                 base::Instant now);
  void failed(const multiformats::PeerId& peer, const multiformats::Multiaddr& address,
              base::Instant now);
  /// Somebody else is at `address`. What the user has said stays, as failed.
  void disproved(const multiformats::PeerId& peer, const multiformats::Multiaddr& address,
                 base::Instant now);

  [[nodiscard]] std::vector<BookAddress> addresses(const multiformats::PeerId& peer,
                                                   base::Instant now) const;
  /// What is known of one address; null when nothing. Valid until the next change.
  [[nodiscard]] const BookAddress* find(const multiformats::PeerId& peer,
                                        const multiformats::Multiaddr& address) const;
  [[nodiscard]] base::BytesView record(const multiformats::PeerId& peer) const;
  [[nodiscard]] std::size_t size() const { return peers_.size(); }

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  struct Peer {
    std::vector<BookAddress> addresses;
    base::Bytes record;
    std::optional<std::uint64_t> sequence;
    bool connected = false;
  };

  /// The entry of a peer, made if there is room for it.
  Peer* entry(const multiformats::PeerId& peer);
  bool insert(Peer& entry, BookAddress address, base::Instant now);
  /// After a change to a peer: forgets it when nothing is known, else sets when it expires.
  void settle(const multiformats::PeerId& peer, Peer& entry);
  [[nodiscard]] bool make_room();

  const Config::Book& config_;
  base::HashMap<multiformats::PeerId, Peer> peers_;
  /// When the last address of each peer that is not connected expires. Peers that were never
  /// reached stand apart, and are the first to go when the book is full: strangers' addresses,
  /// which anybody can make up without end, must not push out known ones.
  base::TimerHeap<multiformats::PeerId> strangers_;
  base::TimerHeap<multiformats::PeerId> known_;
};

}  // namespace ggen::p2p::swarm
