#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/registry/entry.hpp>

namespace ggen::p2p::registry {

inline crypto::Crypto& test_crypto() {
  static const auto crypto = crypto::make_system_crypto();
  return *crypto;
}

inline crypto::KeyPair key_pair(std::uint8_t seed) {
  return crypto::KeyPair::from_seed(std::array<std::uint8_t, 32>{seed, 0x5a});
}

inline KeySet key_set(std::uint8_t seed) {
  return KeySet::of({key_pair(seed).public_key()}).value();
}

inline Version version(std::string_view text) {
  return Version::parse(text).value();
}
inline Name name(std::string_view text) {
  return Name::parse(text).value();
}

inline Archive archive(std::uint8_t fill = 7) {
  Archive archive{
      .packed_size = 300'000, .tar_size = 1'000'000, .chunk_size = Archive::kUsualChunk};
  archive.tar_hash.fill(fill);
  archive.root.fill(static_cast<std::uint8_t>(fill + 1));
  return archive;
}

inline Publish publish(std::string_view package, std::string_view release, std::uint8_t fill = 7) {
  return Publish{{.name = name(package), .version = version(release)}, archive(fill)};
}

/// Signs entries. Keys are named by the seed of their only key; the publisher by that of entry 0.
struct LogSigner {
  std::uint8_t publisher = 1;

  [[nodiscard]] multiformats::PeerId id() const {
    return multiformats::PeerId::of(key_pair(publisher).public_key());
  }
  [[nodiscard]] Entry sign(std::uint8_t key, std::uint64_t seq, std::optional<EntryId> prev,
                           EntryBody body, int milliseconds = 0) const {
    return Entry::seal(test_crypto(), key_pair(key),
                       {.publisher = id(),
                        .seq = seq,
                        .prev = prev,
                        .time = base::WallTime(std::chrono::milliseconds(milliseconds)),
                        .body = std::move(body)})
        .value();
  }
  /// Entry 0, which commits to `next`.
  [[nodiscard]] Entry first(std::uint8_t next, int milliseconds = 0) const {
    return sign(publisher, 0, std::nullopt, Keys{key_set(publisher), key_set(next).digest()},
                milliseconds);
  }
  [[nodiscard]] Entry after(const Entry& prev, std::uint8_t key, EntryBody body,
                            int milliseconds = 0) const {
    return sign(key, prev.statement.seq + 1, prev.id, std::move(body), milliseconds);
  }
  /// An entry that reveals `key` and commits to `next`.
  [[nodiscard]] Entry rotate(const Entry& prev, std::uint8_t key, std::uint8_t next,
                             int milliseconds = 0) const {
    return after(prev, key, Keys{key_set(key), key_set(next).digest()}, milliseconds);
  }
};

}  // namespace ggen::p2p::registry
