#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <zstd.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/registry/merkle.hpp>

namespace ggen::p2p::test {

/// Makes tars that no honest packer makes.
class TarMaker {
 public:
  explicit TarMaker(int format = ARCHIVE_FORMAT_TAR_GNUTAR) : tar_(archive_write_new()) {
    archive_write_set_format(tar_, format);
    archive_write_set_bytes_in_last_block(tar_, 1);
    archive_write_open(tar_, &bytes_, nullptr, take, nullptr);
  }
  TarMaker(const TarMaker&) = delete;
  TarMaker& operator=(const TarMaker&) = delete;
  ~TarMaker() { archive_write_free(tar_); }

  using Change = std::function<void(archive_entry*)>;

  TarMaker& file(std::string_view path, std::string_view text = "x", const Change& change = {}) {
    return add(path, AE_IFREG, text, change);
  }
  TarMaker& folder(std::string_view path) { return add(path, AE_IFDIR, {}, {}); }
  TarMaker& link(std::string_view path, std::string_view target) {
    return add(path, AE_IFLNK, {}, [&](archive_entry* entry) {
      archive_entry_copy_symlink(entry, std::string(target).c_str());
    });
  }
  TarMaker& add(std::string_view path, unsigned type, std::string_view text, const Change& change) {
    archive_entry* entry = archive_entry_new();
    archive_entry_copy_pathname(entry, std::string(path).c_str());
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
    if (change) change(entry);
    archive_write_header(tar_, entry);
    if (!text.empty()) archive_write_data(tar_, text.data(), text.size());
    archive_entry_free(entry);
    return *this;
  }
  base::Bytes finish() {
    archive_write_close(tar_);
    return std::move(bytes_);
  }

 private:
  static la_ssize_t take(archive*, void* to, const void* data, std::size_t size) {
    base::append(*static_cast<base::Bytes*>(to), {static_cast<const std::uint8_t*>(data), size});
    return static_cast<la_ssize_t>(size);
  }

  base::Bytes bytes_;
  archive* tar_;
};

inline base::Bytes compressed(base::BytesView tar) {
  base::Bytes packed(ZSTD_compressBound(tar.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), tar.data(), tar.size(), 3));
  return packed;
}

/// What an honest entry would say of it.
inline registry::Archive archive_of(base::BytesView tar, base::BytesView packed) {
  return {.packed_size = packed.size(),
          .tar_size = tar.size(),
          .chunk_size = registry::Archive::chunk_size_for(packed.size()),
          .tar_hash = crypto::sha256(tar)};
}

}  // namespace ggen::p2p::test
