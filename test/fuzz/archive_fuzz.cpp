// Unpacking: a tar when the first byte is even, otherwise packed bytes. Nothing is ever written
// outside the target; what is refused leaves nothing; what comes out are files, folders and links
// that stay inside.

#include <cstdint>
#include <cstdlib>
#include <optional>

#include <zstd.h>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/storage/unpack.hpp>

#include "temp_folder.hpp"

using namespace ggen::p2p;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxTar = 256 * 1024;

void require(bool condition) {
  if (!condition) std::abort();
}

base::Bytes compressed(base::BytesView tar) {
  base::Bytes packed(ZSTD_compressBound(tar.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), tar.data(), tar.size(), 1));
  return packed;
}
// As much of the tar as packed bytes hold, so that an entry can say its hash.
base::Bytes decompressed(base::BytesView packed) {
  base::Bytes tar(kMaxTar);
  const std::size_t size = ZSTD_decompress(tar.data(), tar.size(), packed.data(), packed.size());
  tar.resize(ZSTD_isError(size) ? 1 : size);
  return tar;
}

std::size_t count(const fs::path& folder) {
  std::size_t found = 0;
  for (auto at = fs::recursive_directory_iterator(folder); at != fs::end(at); ++at) ++found;
  return found;
}

void check_tree(const fs::path& root) {
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto type = entry.symlink_status().type();
    require(type == fs::file_type::regular || type == fs::file_type::directory ||
            type == fs::file_type::symlink);
    if (type != fs::file_type::symlink) continue;
    // Where it leads, the system's way; loops lead nowhere.
    std::error_code loop;
    const fs::path to = fs::weakly_canonical(entry.path(), loop);
    if (!loop) require(to.native().starts_with(root.native()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > kMaxTar) return 0;
  const base::BytesView input(data + 1, size - 1);
  const bool is_tar = data[0] % 2 == 0;
  const base::Bytes tar = is_tar ? base::to_bytes(input) : decompressed(input);
  const base::Bytes packed = is_tar ? compressed(input) : base::to_bytes(input);
  const registry::Archive archive{.packed_size = packed.size(),
                                  .tar_size = tar.size(),
                                  .chunk_size = registry::Archive::chunk_size_for(packed.size()),
                                  .tar_hash = crypto::sha256(tar)};
  const TempFolder temp;
  const fs::path inner = temp.path() / "in";
  fs::create_directory(inner);
  bool given = false;
  const storage::PackedSource source = [&]() -> std::expected<base::Buffer, storage::Failure> {
    return std::exchange(given, true) ? base::Buffer() : base::Buffer::copy_of(packed);
  };
  const auto done = storage::unpack(source, archive, inner / "to", {},
                                    {.tar_size = kMaxTar, .entries = 100, .path = 256, .depth = 8});
  if (done) {
    require(count(temp.path()) == count(inner / "to") + 2);
    require(done->bytes <= tar.size());
    check_tree(inner / "to");
  } else {
    require(count(temp.path()) == 1 && !done.error().message.empty());
  }
  return 0;
}
