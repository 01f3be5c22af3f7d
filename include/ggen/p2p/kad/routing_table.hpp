#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/key.hpp>
#include <ggen/p2p/multiformats/ip_address.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::kad {

struct TableConfig {
  std::size_t bucket_size = 20;  ///< k of the specification
  /// Peers that wait for a place in a full bucket, for each bucket.
  std::size_t replacements = 10;
  /// Peers of one origin (multiformats::IpAddress::group) in the table, and in one bucket: a hoster
  /// that has one network must not fill the neighbourhood of a key. Loopback and private addresses
  /// do not count.
  std::size_t max_per_group = 3;
  std::size_t max_per_group_in_bucket = 2;
  /// Addresses kept of one peer.
  std::size_t max_addresses = 16;
  /// A peer that fails so many times in a row loses its place, at the first failure if another one
  /// waits for it.
  unsigned max_failures = 3;
};

/// A peer that serves the protocol.
struct TableEntry {
  multiformats::PeerId peer;
  Key key;
  std::vector<multiformats::Multiaddr> addresses;
  /// The origins it counts for.
  std::vector<multiformats::IpAddress> groups;
  base::Instant last_seen;
  unsigned failures = 0;  ///< in a row
  /// From the last question that it answered to the answer; dialling it is part of that where there
  /// was no connection.
  std::optional<base::Duration> latency{};
};

/// What add() made of a peer.
enum class Added : std::uint8_t {
  kAdded,
  kUpdated,  ///< it was there
  kWaiting,  ///< its bucket is full: it takes the place of the next peer that fails
  kCrowded,  ///< too many of its origin are there
  kOwn,      ///< the local peer
};

/// A peer entered or left the table proper (not the waiting list).
struct TableChange {
  multiformats::PeerId peer;
  bool added = false;
};

/// The peers that a node knows, by the length of the prefix that their key shares with its own: at
/// most bucket_size for each length, those longest known first, because who has been there long
/// stays long. Bounded: 256 buckets, of which a network of n peers fills about log2(n / 20).
class RoutingTable {
 public:
  RoutingTable(const TableConfig& config, const Key& local) : config_(config), local_(local) {}

  /// Puts a peer that was just shown to serve the protocol into the table, or renews it. `remote`
  /// is where a connection with it is from, when there is one: its origin. Addresses, which a peer
  /// may make up, count as origins only without it, or three peers could claim to be everywhere and
  /// keep all others out.
  Added add(const multiformats::PeerId& peer, std::span<const multiformats::Multiaddr> addresses,
            std::optional<multiformats::IpAddress> remote, base::Instant now);
  /// The peer answered, after `latency`.
  void alive(const multiformats::PeerId& peer, base::Duration latency, base::Instant now);
  /// The peer did not answer, or could not be reached.
  void failed(const multiformats::PeerId& peer);
  /// The peer no longer serves the protocol.
  void remove(const multiformats::PeerId& peer);

  /// Pointers into the table are valid until it changes.
  [[nodiscard]] const TableEntry* find(const multiformats::PeerId& peer) const;
  enum class Which : std::uint8_t {
    kAll,
    kHealthy,  ///< those that did not fail when last asked: what others are told
  };
  /// The `count` entries nearest to `key`, nearest first.
  [[nodiscard]] std::vector<const TableEntry*> nearest(const Key& key, std::size_t count,
                                                       Which which = Which::kAll) const;
  /// The peer of the bucket for `key` that has been silent longest; null when there is none.
  [[nodiscard]] const TableEntry* longest_silent(const Key& key) const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Buckets in use: one more than the longest prefix that any entry shares.
  [[nodiscard]] std::size_t buckets() const noexcept { return buckets_.size(); }
  /// Those whose key shares exactly `prefix` bits, longest silent first.
  [[nodiscard]] std::span<const TableEntry> bucket(std::size_t prefix) const noexcept;

  /// What has changed, oldest first.
  [[nodiscard]] std::optional<TableChange> poll_change() { return changes_.pop(); }

 private:
  using Entries = std::vector<TableEntry>;
  struct Bucket {
    Entries entries;  // longest silent first
    Entries waiting;  // latest seen last
  };

  [[nodiscard]] Bucket* bucket_for(const Key& key) noexcept;
  [[nodiscard]] const Bucket* bucket_for(const Key& key) const noexcept;
  [[nodiscard]] bool crowded(const Entries& among, const TableEntry& entry) const;
  [[nodiscard]] std::size_t group_size(const multiformats::IpAddress& group) const;
  void insert(Bucket& bucket, TableEntry entry);
  void wait(Bucket& bucket, TableEntry entry);
  TableEntry take_out(Bucket& bucket, Entries::iterator at);
  void promote(Bucket& bucket);
  void shrink();

  TableConfig config_;
  Key local_;
  std::vector<Bucket> buckets_;  // by length of the shared prefix; the last one is not empty
  std::size_t size_ = 0;
  std::map<multiformats::IpAddress, std::size_t> groups_;  // entries of each origin
  base::Fifo<TableChange> changes_;
};

}  // namespace ggen::p2p::kad
