#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

/// The Merkle tree of RFC 9162 section 2.1 over the chunks of an archive: a leaf is the SHA-256 of
/// 0x00 and the chunk's bytes, a node that of 0x01 and its two children, so that no chunk can pass
/// for a node. Whoever knows the root, from a signed entry, can check a chunk that a stranger sent.
namespace ggen::p2p::registry {

/// The hash of one chunk: its leaf.
[[nodiscard]] crypto::Sha256Digest chunk_hash(base::BytesView chunk);

/// The root over the hashes of all chunks, in order. No chunks: the hash of nothing.
[[nodiscard]] crypto::Sha256Digest merkle_root(std::span<const crypto::Sha256Digest> chunks);

/// The siblings on the way from a leaf up to the root, lowest first (RFC 9162 section 2.1.3.1).
/// `index` is below chunks.size().
[[nodiscard]] std::vector<crypto::Sha256Digest> audit_path(
    std::span<const crypto::Sha256Digest> chunks, std::size_t index);

/// True when `path` proves that the chunk with this hash stands at `index` of `count` below `root`
/// (RFC 9162 section 2.1.3.2). Any arguments.
[[nodiscard]] bool verify_audit_path(const crypto::Sha256Digest& root,
                                     const crypto::Sha256Digest& chunk, std::uint64_t index,
                                     std::uint64_t count,
                                     std::span<const crypto::Sha256Digest> path);

}  // namespace ggen::p2p::registry
