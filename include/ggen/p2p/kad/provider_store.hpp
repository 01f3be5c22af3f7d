#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
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

/// Who provides what, in memory. A record takes eight bytes beside its key's node: what is known of
/// a peer is kept once, however many keys it provides. When the store is full, the keys farthest
/// from the local node go.
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

  [[nodiscard]] std::size_t keys() const noexcept { return keys_.size(); }
  [[nodiscard]] std::size_t records() const noexcept { return records_; }
  [[nodiscard]] std::size_t peers() const noexcept { return peers_.size(); }

 private:
  struct Provider {
    multiformats::PeerId peer;
    std::vector<multiformats::Multiaddr> addresses;
    base::Instant addresses_expire;
    std::size_t keys = 0;
  };
  struct ProviderRecord {
    std::uint32_t peer = 0;     // slot of the provider, which lives as long as it has records
    std::uint32_t expires = 0;  // seconds after the epoch of Instant
  };
  using Keys = std::map<Distance, std::vector<ProviderRecord>>;

  [[nodiscard]] static std::uint32_t seconds(base::Instant at) noexcept;
  [[nodiscard]] std::uint32_t provider_slot(const multiformats::PeerId& peer);
  void set_addresses(Provider& provider, std::span<const multiformats::Multiaddr> addresses,
                     base::Instant now);
  void drop(Keys::iterator key, std::size_t index);
  void release(std::uint32_t slot);
  [[nodiscard]] bool make_room(const Distance& distance);

  ProviderStoreConfig config_;
  Key local_;
  Keys keys_;  // by their distance from ours; none is empty
  std::vector<std::optional<Provider>> providers_;
  std::vector<std::uint32_t> free_;
  base::HashMap<multiformats::PeerId, std::uint32_t> peers_;
  std::size_t records_ = 0;
};

}  // namespace ggen::p2p::kad
