#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <fcntl.h>

#include <ggen/p2p/storage/unpack.hpp>

#include "file.hpp"

namespace ggen::p2p::storage {

using registry::StoreError;

namespace {

constexpr std::size_t kPiece = 256 * 1024;

Failure not_read(const StoreError& error) {
  switch (error.kind) {
    case StoreError::Kind::kMissing:
      return {Failure::Kind::kNotFound,
              "the archive is not here as a whole (" + error.detail + "): fetch it first"};
    case StoreError::Kind::kCorrupt:
      return {Failure::Kind::kDamaged, "the disk has damaged the archive (" + error.detail +
                                           "): fetch it again, which brings only what is damaged"};
    default:
      return as_failure(error);
  }
}

}  // namespace

PackedSource read_blob(registry::Storage& storage, const registry::Archive& archive) {
  return [&storage, archive,
          index = std::uint64_t{0}]() mutable -> std::expected<base::Buffer, Failure> {
    if (index == archive.chunk_count()) return base::Buffer();
    auto result = storage.run(registry::store::ReadChunk{archive.root, index});
    if (!result) return std::unexpected(not_read(result.error()));
    ++index;
    return std::move(std::get<registry::store::Chunk>(*result).bytes);
  };
}

PackedSource read_file(const std::filesystem::path& path) {
  // std::function wants to be able to copy what it holds.
  const auto file = std::make_shared<Outcome<File>>(File::open(path, O_RDONLY));
  return [file, at = std::uint64_t{0}]() mutable -> std::expected<base::Buffer, Failure> {
    if (!*file) return std::unexpected(as_failure(file->error()));
    auto piece = base::Buffer::allocate(kPiece);
    const auto got = (*file)->read(at, piece.writable());
    if (!got) return std::unexpected(as_failure(got.error()));
    at += *got;
    piece.truncate(*got);
    return piece;
  };
}

}  // namespace ggen::p2p::storage
