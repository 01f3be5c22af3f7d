#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <stdlib.h>
#include <unistd.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/crypto/signed_envelope.hpp>
#include <ggen/p2p/registry/merkle.hpp>
#include <ggen/p2p/registry/storage.hpp>

#include "../support/peers.hpp"

namespace ggen::p2p::test {

namespace fs = std::filesystem;
namespace store = registry::store;

/// Where waiting for the disk costs nothing, if there is such a place.
inline fs::path temp_root() {
  const fs::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
}

/// A folder of its own, gone with the object.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (temp_root() / "ggen-test-XXXXXX").native();
    path_ = ::mkdtemp(name.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] fs::path operator/(std::string_view name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline base::Bytes read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
inline void write_all(const fs::path& path, base::BytesView bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}
inline void write_all(const fs::path& path, std::string_view text) {
  write_all(path, base::as_bytes(text));
}

inline base::Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  base::Bytes bytes(size);
  base::Prng(seed).fill(bytes);
  return bytes;
}

/// True when no terminal would obey it.
inline bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

/// An envelope of its own for each number.
inline base::Buffer envelope(std::uint8_t number, std::size_t size = 20) {
  SeededCrypto crypto(number);
  const auto payload = random_bytes(size, number);
  return base::Buffer::copy_of(crypto::SignedEnvelope::seal(crypto, key_pair(number), "test",
                                                            base::as_bytes("/test"), payload));
}
inline registry::EntryId entry_id(const base::Buffer& envelope) {
  return {crypto::sha256(crypto::SignedEnvelope::decode(envelope.view())->payload)};
}
inline registry::JournalRecord entry_record(std::uint8_t number, std::size_t size = 20) {
  return {registry::JournalRecord::Kind::kEntry, envelope(number, size)};
}

inline bool same(const registry::JournalRecord& a, const registry::JournalRecord& b) {
  return a.kind == b.kind && base::equal(a.bytes.view(), b.bytes.view());
}

/// An archive of random bytes.
struct TestArchive {
  base::Bytes packed;
  registry::Archive archive;
  std::vector<crypto::Sha256Digest> chunks;

  explicit TestArchive(std::size_t size, std::uint64_t seed = 1)
      : packed(random_bytes(size, seed)) {
    archive.packed_size = size;
    archive.tar_size = size * 3;
    archive.chunk_size = registry::Archive::chunk_size_for(size);
    archive.tar_hash.fill(static_cast<std::uint8_t>(seed));
    for (std::uint64_t i = 0; i < archive.chunk_count(); ++i) {
      chunks.push_back(registry::chunk_hash(view(i)));
    }
    archive.root = registry::merkle_root(chunks);
  }
  [[nodiscard]] base::BytesView view(std::uint64_t index) const {
    return base::BytesView(packed).subspan(static_cast<std::size_t>(index * archive.chunk_size),
                                           archive.chunk_bytes(index));
  }
  [[nodiscard]] base::Buffer chunk(std::uint64_t index) const {
    return base::Buffer::copy_of(view(index));
  }
};

/// The value that an operation gave; fails the test by throwing when it is another or an error.
template <class T>
T value(registry::StoreResult result) {
  if (!result) throw std::runtime_error("store error: " + result.error().detail);
  return std::get<T>(std::move(*result));
}
/// The kind of the error that it must have given.
inline registry::StoreError::Kind failure(const registry::StoreResult& result) {
  if (result) throw std::runtime_error("the operation did not fail");
  return result.error().kind;
}

/// The whole journal, page by page.
inline std::vector<registry::JournalRecord> whole_journal(registry::Storage& storage,
                                                          std::uint64_t from = 0) {
  std::vector<registry::JournalRecord> all;
  while (true) {
    auto page = value<store::JournalPage>(storage.run(store::ReadJournal{from}));
    std::ranges::move(page.records, std::back_inserter(all));
    if (!page.more) return all;
    if (page.next <= from) throw std::runtime_error("the journal does not advance");
    from = page.next;
  }
}

}  // namespace ggen::p2p::test
