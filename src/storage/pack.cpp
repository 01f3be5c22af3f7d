#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <ggen/p2p/registry/merkle.hpp>
#include <ggen/p2p/storage/manifest_file.hpp>
#include <ggen/p2p/storage/pack.hpp>

#include "file.hpp"
#include "tar_sink.hpp"
#include "text.hpp"
#include "tree.hpp"

namespace ggen::p2p::storage {

namespace fs = std::filesystem;

namespace {

using Done = std::expected<void, Failure>;

constexpr std::size_t kPiece = 256 * 1024;

struct FreeArchive {
  void operator()(archive* it) const noexcept { archive_write_free(it); }
};
struct FreeEntry {
  void operator()(archive_entry* it) const noexcept { archive_entry_free(it); }
};

std::unexpected<Failure> changed(const fs::path& path) {
  return std::unexpected(
      Failure{Failure::Kind::kChanged, quote(path.native()) +
                                           " changed while it was packed: try again when nothing "
                                           "writes to it"});
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_mode == b.st_mode;
}

// Writes a tree as a tar. The format is GNU's: paths stay the bytes that they are, in any locale;
// long ones and large files have one form; and there is no field of which libarchive's versions
// could think differently. The hash that a test expects would show it.
class TarWriter {
 public:
  TarWriter(fs::path directory, TarSink& sink, const ArchiveLimits& limits)
      : directory_(std::move(directory)),
        sink_(sink),
        limits_(limits),
        archive_(archive_write_new()) {}

  Done write(const std::vector<TreeItem>& items, const Progress& progress, std::uint64_t total) {
    archive* tar = archive_.get();
    archive_write_set_format_gnutar(tar);
    archive_write_add_filter_none(tar);
    archive_write_set_bytes_in_last_block(tar, 1);  // no padding behind the end mark
    if (archive_write_open(tar, this, nullptr, take, nullptr) != ARCHIVE_OK) return failed();
    std::uint64_t done = 0;
    for (const TreeItem& item : items) {
      if (auto written = write_header(item); !written) return written;
      if (item.kind != TreeItem::Kind::kFile) continue;
      const auto report = [&](std::uint64_t bytes) {
        done += bytes;
        if (progress && !progress(done, total)) cancelled_ = true;
      };
      if (auto written = write_file(item, report); !written) return written;
    }
    return archive_write_close(tar) == ARCHIVE_OK ? Done{} : failed();
  }

 private:
  static la_ssize_t take(archive*, void* self, const void* data, std::size_t size) {
    return static_cast<TarWriter*>(self)->take({static_cast<const std::uint8_t*>(data), size});
  }
  la_ssize_t take(base::BytesView bytes) {
    if (cancelled_) {
      failure_ = Failure{Failure::Kind::kCancelled, "packing was cancelled"};
      return -1;
    }
    if (bytes.size() > limits_.tar_size - sink_.tar_size()) {
      failure_ = Failure{Failure::Kind::kTooLarge, quote(directory_.native()) + " has more than " +
                                                       std::to_string(limits_.tar_size) +
                                                       " bytes: pack less of it"};
      return -1;
    }
    if (auto written = sink_.write(bytes); !written) {
      failure_ = as_failure(written.error());
      return -1;
    }
    return static_cast<la_ssize_t>(bytes.size());
  }

  // What take() found is why libarchive failed.
  std::unexpected<Failure> failed() {
    if (failure_) return std::unexpected(std::move(*failure_));
    const char* text = archive_error_string(archive_.get());
    return std::unexpected(Failure{
        Failure::Kind::kIo, "cannot make the archive: " + printable(text ? text : "no reason")});
  }

  Done write_header(const TreeItem& item) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_copy_pathname(entry.get(), item.path.c_str());
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    archive_entry_set_size(entry.get(), 0);
    switch (item.kind) {
      case TreeItem::Kind::kFile:
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), item.about.st_mode & S_IXUSR ? 0755 : 0644);
        archive_entry_set_size(entry.get(), item.about.st_size);
        break;
      case TreeItem::Kind::kFolder:
        archive_entry_set_filetype(entry.get(), AE_IFDIR);
        archive_entry_set_perm(entry.get(), 0755);
        break;
      case TreeItem::Kind::kLink:
        archive_entry_set_filetype(entry.get(), AE_IFLNK);
        archive_entry_set_perm(entry.get(), 0777);
        archive_entry_copy_symlink(entry.get(), item.target.c_str());
        break;
    }
    return archive_write_header(archive_.get(), entry.get()) == ARCHIVE_OK ? Done{} : failed();
  }

  template <class Report>
  Done write_file(const TreeItem& item, const Report& report) {
    const fs::path path = directory_ / item.path;
    const auto file = File::open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file && file.error().kind == registry::StoreError::Kind::kMissing) return changed(path);
    if (!file) return std::unexpected(as_failure(file.error()));
    struct stat now{};
    if (::fstat(file->fd(), &now) != 0 || !is_same(now, item.about)) return changed(path);
    const auto size = static_cast<std::uint64_t>(now.st_size);
    for (std::uint64_t at = 0; at < size;) {
      piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - at)));
      const auto got = file->read(at, piece_);
      if (!got) return std::unexpected(as_failure(got.error()));
      if (*got != piece_.size()) return changed(path);
      if (archive_write_data(archive_.get(), piece_.data(), *got) !=
          static_cast<la_ssize_t>(*got)) {
        return failed();
      }
      at += *got;
      report(*got);
    }
    if (::fstat(file->fd(), &now) != 0 || !is_same(now, item.about)) return changed(path);
    return {};
  }

  fs::path directory_;
  TarSink& sink_;
  const ArchiveLimits& limits_;
  std::optional<Failure> failure_;
  bool cancelled_ = false;
  std::unique_ptr<archive, FreeArchive> archive_;  // last: freeing it calls take()
  base::Bytes piece_;
};

// The chunk size depends on the size of the packed file: it is known only now.
std::expected<void, Failure> hash_chunks(const File& file, Packed& packed) {
  registry::Archive& archive = packed.archive;
  base::Bytes chunk;
  for (std::uint64_t i = 0; i < archive.chunk_count(); ++i) {
    chunk.resize(archive.chunk_bytes(i));
    const auto got = file.read(i * archive.chunk_size, chunk);
    if (!got) return std::unexpected(as_failure(got.error()));
    if (*got != chunk.size()) return changed(file.path());
    packed.chunks.push_back(registry::chunk_hash(chunk));
  }
  archive.root = registry::merkle_root(packed.chunks);
  return {};
}

std::expected<Packed, Failure> pack_into(const File& out, registry::Metadata metadata,
                                         const fs::path& directory, const Progress& progress,
                                         const ArchiveLimits& limits) {
  const auto items = list_tree(directory, limits);
  if (!items) return std::unexpected(items.error());
  Packed packed{std::move(metadata), {}};
  for (const TreeItem& item : *items) {
    if (item.kind != TreeItem::Kind::kFile) continue;
    ++packed.files;
    packed.bytes += static_cast<std::uint64_t>(item.about.st_size);
  }
  TarSink sink(out);
  auto done = TarWriter(directory, sink, limits).write(*items, progress, packed.bytes);
  if (!done) return std::unexpected(std::move(done.error()));
  if (auto ended = sink.finish(); !ended) return std::unexpected(as_failure(ended.error()));
  packed.archive = {.packed_size = sink.packed_size(),
                    .tar_size = sink.tar_size(),
                    .chunk_size = registry::Archive::chunk_size_for(sink.packed_size()),
                    .tar_hash = sink.tar_hash()};
  if (!packed.archive.is_valid()) {
    return std::unexpected(Failure{
        Failure::Kind::kTooLarge, quote(directory.native()) + " is larger than any archive may be: "
                                                              "pack less of it"});
  }
  if (done = hash_chunks(out, packed); !done) return std::unexpected(std::move(done.error()));
  return packed;
}

// An archive within the directory would hold itself.
bool lies_within(const fs::path& out, const fs::path& directory) {
  std::error_code failed;
  const fs::path inner = fs::weakly_canonical(out, failed);
  const fs::path outer = fs::canonical(directory, failed);
  return !failed && std::ranges::mismatch(outer, inner).in1 == outer.end();
}

}  // namespace

std::expected<Packed, Failure> pack(const fs::path& directory, const fs::path& out,
                                    const Progress& progress, const ArchiveLimits& limits) {
  auto metadata = read_manifest_file(directory);
  if (!metadata) return std::unexpected(std::move(metadata.error()));
  if (lies_within(out, directory)) {
    return std::unexpected(Failure{
        Failure::Kind::kBadTree,
        quote(out.native()) + ", where the archive is to be made, lies "
                              "within the directory that is packed: choose a place outside"});
  }
  auto file = File::open(out, O_RDWR | O_CREAT | O_TRUNC);
  if (!file) return std::unexpected(as_failure(file.error()));
  auto packed = pack_into(*file, std::move(*metadata), directory, progress, limits);
  if (!packed) (void)remove_file(out);
  return packed;
}

}  // namespace ggen::p2p::storage
