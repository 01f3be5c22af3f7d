#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/entry_id.hpp>
#include <ggen/p2p/registry/key_set.hpp>
#include <ggen/p2p/registry/metadata.hpp>

/// Entries of a publisher's log.
///
/// An entry travels and is kept as a libp2p signed envelope of at most kMaxEntry bytes, of the
/// domain `ggen-release` and the payload type `/ggen/entry`. Its payload is a msgpack map:
///
/// | key         | value                                                                          |
/// |-------------|--------------------------------------------------------------------------------|
/// | `body`      | map: what the kind takes, below                                                |
/// | `kind`      | `publish`, `yank`, `unyank`, `deprecate` or `keys`                             |
/// | `prev`      | id of the previous entry, 32 bytes; not in entry 0                             |
/// | `publisher` | the peer id of the key that signed entry 0, binary                             |
/// | `seq`       | 0 for the first entry, then one more each                                      |
/// | `time`      | milliseconds since 1970, UTC: what the publisher claims                        |
/// | `v`         | 1                                                                              |
///
/// | kind        | body                                                                           |
/// |-------------|--------------------------------------------------------------------------------|
/// | `publish`   | `name`, `version`, `archive`: map of `chunk`, `packed`, `root`, `tar`,
/// `tar_hash`; | |             | if not empty `authors`, `category`, `dependencies` (maps of `name`
/// and, if given, | |             | `publisher` and `range`), `description`, `license`, `tags` | |
/// `yank`      | `name`, `version`; `reason` if not empty                                       |
/// | `unyank`    | `name`, `version`                                                              |
/// | `deprecate` | `name`; `version`, if not the whole package; `reason`, if not taken back       |
/// | `keys`      | `keys`: public key messages in rising order; `next`: digest of the next set, 32
/// bytes |
///
/// Keys that this version does not know are kept, because nobody re-encodes an entry; another `v`
/// or kind is refused. What we make has its keys in order and its numbers in the shortest form.
namespace ggen::p2p::registry {

inline constexpr std::string_view kEntryDomain = "ggen-release";
inline constexpr std::string_view kEntryPayloadType = "/ggen/entry";
/// Bytes of an envelope.
inline constexpr std::size_t kMaxEntry = 16 * 1024;
inline constexpr std::size_t kMaxReason = 512;
inline constexpr std::uint64_t kMaxSequence = 0xffff'ffff;

/// A new release. The first one of a name and version in a log is final.
struct Publish {
  Metadata metadata;
  Archive archive;
  bool operator==(const Publish&) const = default;
};
/// Nobody should install this release any more.
struct Yank {
  Name name;
  Version version;
  std::string reason{};
  bool operator==(const Yank&) const = default;
};
/// A yank taken back.
struct Unyank {
  Name name;
  Version version;
  bool operator==(const Unyank&) const = default;
};
/// Whoever installs this release, or any of the package, is told the reason; an empty one takes the
/// deprecation back.
struct Deprecate {
  Name name;
  std::optional<Version> version{};
  std::string reason{};
  bool operator==(const Deprecate&) const = default;
};
/// The keys that sign from this entry on, this one included, and the digest of those that will sign
/// the next entry of this kind.
struct Keys {
  KeySet keys;
  crypto::Sha256Digest next{};
  bool operator==(const Keys&) const = default;
};
using EntryBody = std::variant<Publish, Yank, Unyank, Deprecate, Keys>;

/// What an entry says: what its payload holds.
struct Statement {
  multiformats::PeerId publisher;
  std::uint64_t seq = 0;
  std::optional<EntryId> prev{};
  base::WallTime time{};  ///< whole milliseconds
  EntryBody body;
  bool operator==(const Statement&) const = default;
};

/// Why bytes are no entry.
struct EntryError {
  enum class Kind {
    kTooLarge,        ///< above kMaxEntry
    kEnvelope,        ///< not a signed envelope, or one of another payload type
    kBadSignature,    ///< not the signature of the envelope's key
    kPayload,         ///< not a msgpack map
    kUnknownVersion,  ///< a `v` that is not 1: made by a newer program
    kUnknownKind,
    kBadField,  ///< `field` is missing, of the wrong type or outside its limits
  };
  Kind kind{};
  std::string field{};
  [[nodiscard]] std::string message() const;
};

/// An entry with a valid signature and valid fields. Whether its key may sign for its publisher,
/// and whether it fits the log, is PublisherLog's to say. What needs no log is checked: entry 0 is
/// signed by the key that the publisher is named for, and holds keys; every other entry has a
/// `prev`; a `keys` entry is signed by one of its keys and announces other ones.
struct Entry {
  EntryId id;
  crypto::PublicKey signer;
  Statement statement;
  base::Buffer envelope;  ///< as received

  /// Decodes and verifies what anybody sent.
  [[nodiscard]] static std::expected<Entry, EntryError> open(crypto::Crypto& crypto,
                                                             base::BytesView envelope);
  /// Decodes without verifying the signature: for what was verified before it was stored.
  [[nodiscard]] static std::expected<Entry, EntryError> decode(base::BytesView envelope);
  /// Makes an entry. Fails on what others would refuse: fields beyond their limits, an entry above
  /// kMaxEntry, a key that may not sign it.
  [[nodiscard]] static std::expected<Entry, EntryError> seal(crypto::Crypto& crypto,
                                                             const crypto::KeyPair& key,
                                                             const Statement& statement);

  [[nodiscard]] const Keys* keys() const noexcept { return std::get_if<Keys>(&statement.body); }
};

}  // namespace ggen::p2p::registry
