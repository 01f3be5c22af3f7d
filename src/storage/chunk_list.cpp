#include "chunk_list.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include <fcntl.h>

#include <ggen/p2p/registry/merkle.hpp>

namespace ggen::p2p::storage {

using crypto::Sha256Digest;
using registry::Archive;
using registry::StoreError;

namespace {

constexpr std::string_view kMagic("ggen-chunks-v1\n\0", 16);
constexpr std::size_t kHash = sizeof(Sha256Digest);
constexpr std::size_t kFields = kMagic.size() + 8 + 8 + 4 + kHash + kHash;
constexpr std::size_t kHeader = kFields + kHash;
constexpr std::uint64_t kMaxFile = kHeader + Archive::kMaxChunks * kHash;

std::unexpected<StoreError> damaged(const std::filesystem::path& path) {
  return std::unexpected(
      StoreError{StoreError::Kind::kCorrupt, path.native() + " is not what was written"});
}

base::Bytes encode_header(const Archive& archive) {
  base::Bytes header = base::to_bytes(base::as_bytes(kMagic));
  std::array<std::uint8_t, 20> sizes{};
  base::store_big_endian(sizes.data(), archive.packed_size);
  base::store_big_endian(sizes.data() + 8, archive.tar_size);
  base::store_big_endian(sizes.data() + 16, archive.chunk_size);
  base::append(header, sizes);
  base::append(header, archive.tar_hash);
  base::append(header, archive.root);
  base::append(header, crypto::sha256(header));
  return header;
}

std::optional<Archive> decode_header(base::BytesView header) {
  const std::uint8_t* at = header.data() + kMagic.size();
  Archive archive{.packed_size = base::load_big_endian<std::uint64_t>(at),
                  .tar_size = base::load_big_endian<std::uint64_t>(at + 8),
                  .chunk_size = base::load_big_endian<std::uint32_t>(at + 16)};
  std::copy_n(at + 20, kHash, archive.tar_hash.begin());
  std::copy_n(at + 20 + kHash, kHash, archive.root.begin());
  // The encoding has one form, so that comparing it checks magic and checksum, too.
  if (!archive.is_valid() || !base::equal(encode_header(archive), header)) return std::nullopt;
  return archive;
}

}  // namespace

bool belong_to(const Archive& archive, std::span<const Sha256Digest> chunks) {
  return archive.is_valid() && chunks.size() == archive.chunk_count() &&
         registry::merkle_root(chunks) == archive.root;
}

Outcome<> write_chunk_list(const std::filesystem::path& path, const Archive& archive,
                           std::span<const Sha256Digest> chunks) {
  base::Bytes bytes = encode_header(archive);
  bytes.reserve(bytes.size() + chunks.size() * kHash);
  for (const Sha256Digest& chunk : chunks) base::append(bytes, chunk);
  return replace_file(path, bytes);
}

Outcome<ChunkListFile> read_chunk_list_file(const std::filesystem::path& path) {
  auto file = File::open(path, O_RDONLY);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = file->size();
  if (!size) return std::unexpected(size.error());
  if (*size < kHeader || *size > kMaxFile) return damaged(path);
  base::Bytes bytes(static_cast<std::size_t>(*size));
  const auto got = file->read(0, bytes);
  if (!got) return std::unexpected(got.error());
  const base::BytesView view(bytes);
  const auto archive = decode_header(view.first(kHeader));
  if (!archive || view.size() != kHeader + archive->chunk_count() * kHash) return damaged(path);
  ChunkListFile list{*archive, std::vector<Sha256Digest>(archive->chunk_count())};
  for (std::size_t i = 0; i < list.chunks.size(); ++i) {
    std::ranges::copy(view.subspan(kHeader + i * kHash, kHash), list.chunks[i].begin());
  }
  if (!belong_to(list.archive, list.chunks)) return damaged(path);
  return list;
}

Outcome<Sha256Digest> read_chunk_hash(const std::filesystem::path& path, std::uint64_t index) {
  auto file = File::open(path, O_RDONLY);
  if (!file) return std::unexpected(std::move(file.error()));
  Sha256Digest hash{};
  const auto got = file->read(kHeader + index * kHash, hash);
  if (!got) return std::unexpected(got.error());
  if (*got != kHash) return damaged(path);
  return hash;
}

}  // namespace ggen::p2p::storage
