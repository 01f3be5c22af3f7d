#include <bit>

#include <ggen/p2p/registry/merkle.hpp>

namespace ggen::p2p::registry {

using crypto::Sha256;
using crypto::Sha256Digest;

namespace {

constexpr std::uint8_t kLeaf[] = {0x00};
constexpr std::uint8_t kNode[] = {0x01};

Sha256Digest node(const Sha256Digest& left, const Sha256Digest& right) {
  return Sha256().update(kNode).update(left).update(right).finish();
}

// Where a tree of `count` > 1 leaves is divided: the largest power of two below it.
std::size_t left_part(std::size_t count) {
  return std::bit_floor(count - 1);
}

}  // namespace

Sha256Digest chunk_hash(base::BytesView chunk) {
  return Sha256().update(kLeaf).update(chunk).finish();
}

Sha256Digest merkle_root(std::span<const Sha256Digest> chunks) {
  if (chunks.empty()) return crypto::sha256({});
  if (chunks.size() == 1) return chunks.front();
  const std::size_t left = left_part(chunks.size());
  return node(merkle_root(chunks.first(left)), merkle_root(chunks.subspan(left)));
}

std::vector<Sha256Digest> audit_path(std::span<const Sha256Digest> chunks, std::size_t index) {
  if (chunks.size() <= 1) return {};
  const std::size_t left = left_part(chunks.size());
  const bool in_left = index < left;
  const auto mine = in_left ? chunks.first(left) : chunks.subspan(left);
  const auto other = in_left ? chunks.subspan(left) : chunks.first(left);
  auto path = audit_path(mine, in_left ? index : index - left);
  path.push_back(merkle_root(other));
  return path;
}

bool verify_audit_path(const Sha256Digest& root, const Sha256Digest& chunk, std::uint64_t index,
                       std::uint64_t count, std::span<const Sha256Digest> path) {
  if (index >= count) return false;
  // `index` and `last` are the positions of our node and of the last node of the same level.
  std::uint64_t last = count - 1;
  Sha256Digest hash = chunk;
  for (const Sha256Digest& sibling : path) {
    if (last == 0) return false;
    if (index % 2 == 1 || index == last) {
      hash = node(sibling, hash);
      // The last node of a level of odd size has no sibling there: it moves up as it is.
      while (index % 2 == 0 && index != 0) {
        index /= 2;
        last /= 2;
      }
    } else {
      hash = node(hash, sibling);
    }
    index /= 2;
    last /= 2;
  }
  return last == 0 && hash == root;
}

}  // namespace ggen::p2p::registry
