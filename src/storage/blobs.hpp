#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/storage.hpp>

#include "file.hpp"

namespace ggen::p2p::storage {

// The archives in a folder, each with its list and its data (see DiskStorage). What is held of an
// archive in part is known by hashing it, once in the life of this object: there is no record of it
// that could be wrong. Files are open only while an operation uses them.
//
// Threads: any operation at any time. Two on the same archive wait for each other only for what is
// in memory, and when it becomes complete.
class Blobs {
 public:
  using Digest = crypto::Sha256Digest;

  // The folder exists. Leftovers of a crash are removed.
  explicit Blobs(std::filesystem::path folder);

  [[nodiscard]] Outcome<registry::store::Blobs> list();
  [[nodiscard]] Outcome<registry::store::Blob> create(const registry::store::CreateBlob& op);
  [[nodiscard]] Outcome<registry::store::Done> write(const registry::store::WriteChunk& op);
  [[nodiscard]] Outcome<registry::store::Chunk> read(const registry::store::ReadChunk& op);
  [[nodiscard]] Outcome<registry::store::ChunkList> read_list(const Digest& root);
  [[nodiscard]] Outcome<registry::store::Done> remove(const Digest& root);
  [[nodiscard]] Outcome<> import(const registry::Archive& archive, std::span<const Digest> chunks,
                                 const std::filesystem::path& packed);

 private:
  // What is known of an archive; nothing before it was loaded, and after it was removed.
  struct Known {
    registry::Archive archive;
    registry::ChunkSet held;
    bool complete = false;  // the data has its final name
  };
  struct Slot {
    std::mutex mutex;
    std::optional<Known> known;
  };

  [[nodiscard]] std::filesystem::path path(const Digest& root, std::string_view suffix) const;
  // Slots stay where they are, also those of archives that were removed: there are as many as this
  // node has ever held. Strangers may ask for any root, so find() makes none for what is not here.
  [[nodiscard]] Slot& slot(const Digest& root);
  [[nodiscard]] Slot* find(const Digest& root);
  // The archive that the caller may look at and change while it holds slot.mutex.
  [[nodiscard]] Outcome<Known*> load(const Digest& root, Slot& slot);
  [[nodiscard]] Outcome<> find_data(const Digest& root, Known& known,
                                    std::span<const Digest> chunks);
  [[nodiscard]] Outcome<> complete(Known& known);
  void lose(const registry::store::ReadChunk& op, Slot& slot);
  [[nodiscard]] Outcome<> take_data(const std::filesystem::path& packed, const Digest& root);

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<Digest, Slot> slots_;
};

}  // namespace ggen::p2p::storage
