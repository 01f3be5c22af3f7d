#pragma once

#include <optional>
#include <string>
#include <vector>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/entry_id.hpp>
#include <ggen/p2p/registry/storage.hpp>

/// What the stores of a simulation share: many nodes hold the same entries and archives.
namespace ggen::p2p::sim {

/// A record of a journal, with what looking it up takes.
struct StoredRecord {
  explicit StoredRecord(registry::JournalRecord stored);

  registry::JournalRecord record;
  /// Nothing for a record that is no envelope: it is kept, but nobody can ask for it.
  std::optional<registry::EntryId> id;
};

/// The hashes of all chunks of an archive.
using ChunkHashes = std::vector<crypto::Sha256Digest>;

/// A release in an index, with its texts cut into words once.
struct StoredRelease {
  using Tokens = std::vector<std::string>;
  struct Field {
    Tokens text;
    double weight = 0;  ///< how much a word found here counts
  };

  explicit StoredRelease(registry::IndexAdd stored);

  registry::IndexAdd add;
  std::vector<Field> fields;
};

/// The words of a text: what lies between anything but letters, digits and what is not ASCII. The
/// upper case of ASCII becomes lower case.
[[nodiscard]] StoredRelease::Tokens tokens_of(std::string_view text);

}  // namespace ggen::p2p::sim
