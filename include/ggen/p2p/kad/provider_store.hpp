#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/key.hpp>
#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::kad {

struct ProviderStoreConfig {
  std::size_t max_records = 100'000;    ///< pairs of a key and a provider
  std::size_t max_per_key = 64;         ///< providers of one key
  std::size_t max_per_peer = 25'000;    ///< keys of one provider
  std::size_t max_addresses = 16;       ///< of one provider
  std::size_t max_address_size = 1024;  ///< bytes of all addresses of one provider
  /// A provider is forgotten so long after it was last added; the specification's 48 hours leave
  /// room for one missed round of those who add themselves again every 22.
  base::Duration lifetime = std::chrono::hours{48};
  /// Addresses change sooner: later only the peer id is told.
  base::Duration address_lifetime = std::chrono::hours{24};
};

/// Who provides what, in memory. What is known of a peer is kept once, however many keys it
/// provides. A record takes about 45 bytes, a peer as many and those of its id and addresses: a
/// full store of peers that provide one key each takes about 20 MB. When the store is full, the
/// keys farthest from the local node go.
class ProviderStore {
 public:
  ProviderStore(const ProviderStoreConfig& config, const Key& local)
      : config_(config), local_(local) {}

  enum class Result : std::uint8_t {
    kAdded,
    kRenewed,
    kTooManyKeys,  ///< of this provider
    kFull,         ///< and everything there is nearer to us
  };
  Result add(const Key& key, const multiformats::PeerId& peer,
             std::span<const multiformats::Multiaddr> addresses, base::Instant now);
  void remove(const Key& key, const multiformats::PeerId& peer);

  /// At most `count` providers of the key; when there are more, `prng` chooses, so that none is
  /// hidden for good.
  [[nodiscard]] std::vector<PeerRecord> find(const Key& key, std::size_t count, base::Prng& prng,
                                             base::Instant now) const;
  void expire(base::Instant now);

  [[nodiscard]] std::size_t keys() const noexcept { return keys_; }
  [[nodiscard]] std::size_t records() const noexcept { return records_; }
  [[nodiscard]] std::size_t peers() const noexcept { return by_id_.size(); }

 private:
  /// A peer, packed: each field of its own would take three times as much.
  struct Provider {
    std::unique_ptr<std::uint8_t[]> bytes;  // the id, then each address behind its length
    std::uint16_t size = 0;
    std::uint16_t id_size = 0;
    std::uint32_t addresses_expire = 0;  // seconds after the epoch of Instant
    std::uint32_t keys = 0;

    [[nodiscard]] base::BytesView id() const { return {bytes.get(), id_size}; }
    [[nodiscard]] std::vector<multiformats::Multiaddr> addresses() const;
    void pack(base::BytesView id, base::BytesView addresses);
  };
  struct ProviderRecord {
    Distance key;               // from ours
    std::uint32_t peer = 0;     // slot of the provider, which lives as long as it has records
    std::uint32_t expires = 0;  // seconds after the epoch of Instant
  };
  /// Neighbours, nearest first: all records of a key are in one cell.
  using Cell = std::vector<ProviderRecord>;
  static constexpr std::size_t kMaxCell = 128;
  /// The records of one key.
  struct Place {
    std::size_t cell = 0;
    std::size_t first = 0;
    std::size_t count = 0;
  };

  [[nodiscard]] static std::uint32_t seconds(base::Instant at) noexcept;
  [[nodiscard]] Place place_of(const Distance& key) const;
  [[nodiscard]] std::span<ProviderRecord> records_at(const Place& place);
  [[nodiscard]] std::span<const ProviderRecord> records_at(const Place& place) const;
  void insert(const ProviderRecord& record);
  void split(std::size_t cell);
  void drop(std::size_t cell, std::size_t index);
  [[nodiscard]] bool make_room(const Distance& distance);

  [[nodiscard]] std::size_t index_of(base::BytesView id) const;
  [[nodiscard]] std::optional<std::uint32_t> find_peer(const multiformats::PeerId& peer) const;
  [[nodiscard]] std::uint32_t provider_slot(const multiformats::PeerId& peer);
  void set_addresses(Provider& provider, std::span<const multiformats::Multiaddr> addresses,
                     base::Instant now);
  void release(std::uint32_t slot);

  ProviderStoreConfig config_;
  Key local_;
  std::vector<Cell> cells_;  // nearest first; none is empty
  std::vector<Provider> providers_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> by_id_;  // slots in use
  std::size_t keys_ = 0;
  std::size_t records_ = 0;
};

}  // namespace ggen::p2p::kad
