#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/kad/validator.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/entry.hpp>

/// The latest entry of a publisher's log as a value of the DHT, under `/ggen/` and the publisher's
/// peer id in binary: what anybody can look up without trusting whom they are connected to.
///
/// The value is a msgpack map: `v` is 1, and `entries` holds envelopes: all `keys` entries of the
/// log in their order, then its last entry unless that is the last of them. So anybody can follow
/// from the publisher's name, which is its first key, to the keys that signed the last entry.
namespace ggen::p2p::registry {

inline constexpr std::string_view kHeadNamespace = "ggen";
/// Entries in a record: a log whose keys have changed more often has none.
inline constexpr std::size_t kMaxHeadEntries = 32;

[[nodiscard]] base::Bytes head_key(const multiformats::PeerId& publisher);
/// Whose head stands under the key; nothing when it is not such a key.
[[nodiscard]] std::optional<multiformats::PeerId> publisher_of_head(base::BytesView key);

/// What a value says that is genuine.
struct HeadRecord {
  std::size_t eras = 0;  ///< `keys` entries
  Entry head;
};

/// `envelopes` as the value holds them.
[[nodiscard]] base::Bytes encode_head(const std::vector<base::Bytes>& envelopes);
/// Reads and verifies a value of anybody. Nothing when it is not genuine.
[[nodiscard]] std::optional<HeadRecord> open_head(crypto::Crypto& crypto,
                                                  const multiformats::PeerId& publisher,
                                                  base::BytesView value);

/// The same for what a validator has passed: reads it without verifying signatures.
[[nodiscard]] std::optional<HeadRecord> read_head(const multiformats::PeerId& publisher,
                                                  base::BytesView value);

/// Genuine is what follows from the publisher's name. Better is what more keys entries have led to,
/// since those who stole keys cannot make the next one; then the greater sequence number.
class HeadValidator final : public kad::Validator {
 public:
  /// `crypto` outlives it.
  explicit HeadValidator(crypto::Crypto& crypto) : crypto_(&crypto) {}

  [[nodiscard]] bool valid(base::BytesView key, base::BytesView value) const override;
  [[nodiscard]] bool better(base::BytesView key, base::BytesView candidate,
                            base::BytesView held) const override;

 private:
  crypto::Crypto* crypto_;
};

}  // namespace ggen::p2p::registry
