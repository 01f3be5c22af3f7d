#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <ggen/p2p/storage/unpack.hpp>

#include "file.hpp"
#include "tar_source.hpp"
#include "text.hpp"
#include "tree_writer.hpp"

namespace ggen::p2p::storage {

namespace fs = std::filesystem;

namespace {

using Done = std::expected<void, Failure>;

constexpr std::string_view kDistrust = ": do not trust this release, and tell its publisher";

struct FreeArchive {
  void operator()(archive* it) const noexcept { archive_read_free(it); }
};

// Reads a tar entry by entry and makes what it holds.
class TarReader {
 public:
  using Report = std::function<void()>;

  TarReader(TarSource& source, TreeWriter& writer, const ArchiveLimits& limits,
            const Report& report)
      : source_(source),
        writer_(writer),
        limits_(limits),
        report_(report),
        archive_(archive_read_new()) {}

  Done read(Unpacked& unpacked) {
    archive* tar = archive_.get();
    archive_read_support_filter_none(tar);
    archive_read_support_format_tar(tar);
    if (archive_read_open(tar, this, nullptr, give, nullptr) != ARCHIVE_OK) return failed();
    for (std::size_t count = 0;; ++count) {
      archive_entry* entry = nullptr;
      const int result = archive_read_next_header(tar, &entry);
      if (result == ARCHIVE_EOF) return {};
      // A warning is about something that pack() does not write.
      if (result != ARCHIVE_OK) return failed();
      if (count >= limits_.entries) {
        return std::unexpected(
            Failure{Failure::Kind::kTooLarge, "the archive holds more than " +
                                                  std::to_string(limits_.entries) +
                                                  " files, which is too many to unpack"});
      }
      if (auto made = make(entry, unpacked); !made) return made;
    }
  }

 private:
  static la_ssize_t give(archive*, void* self, const void** to) {
    auto& reader = *static_cast<TarReader*>(self);
    const auto bytes = reader.source_.next();
    if (!bytes) {
      reader.failure_ = bytes.error();
      return -1;
    }
    *to = bytes->data();
    return static_cast<la_ssize_t>(bytes->size());
  }

  // What the source found is why libarchive failed.
  std::unexpected<Failure> failed() {
    if (failure_) return std::unexpected(std::move(*failure_));
    const char* text = archive_error_string(archive_.get());
    std::string message = "the archive is no tar (";
    message.append(printable(text ? text : "no reason")).append(")").append(kDistrust);
    return std::unexpected(Failure{Failure::Kind::kBadArchive, std::move(message)});
  }

  static std::unexpected<Failure> unsafe(const std::string& path, std::string_view problem) {
    std::string message = "the archive holds " + quote(path) + ", which is ";
    message.append(problem).append(kDistrust);
    return std::unexpected(Failure{Failure::Kind::kUnsafe, std::move(message)});
  }

  Done make(archive_entry* entry, Unpacked& unpacked) {
    const char* name = archive_entry_pathname(entry);
    if (!name) return unsafe("", "a path that cannot be read");
    std::string path = name;
    if (archive_entry_hardlink(entry)) return unsafe(path, "a hard link");
    if (archive_entry_sparse_count(entry) > 0) return unsafe(path, "a sparse file");
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
        return make_file(path, entry, unpacked);
      case AE_IFDIR:
        if (path.ends_with('/')) path.pop_back();
        return writer_.make_folder(path);
      case AE_IFLNK: {
        const char* target = archive_entry_symlink(entry);
        return writer_.make_link(path, target ? target : "");
      }
      default:
        return unsafe(path, "neither file, folder nor link");
    }
  }

  Done make_file(const std::string& path, archive_entry* entry, Unpacked& unpacked) {
    auto file = writer_.make_file(path, (archive_entry_perm(entry) & S_IXUSR) != 0);
    if (!file) return std::unexpected(std::move(file.error()));
    base::Bytes piece(256 * 1024);
    for (std::uint64_t at = 0;;) {
      const la_ssize_t got = archive_read_data(archive_.get(), piece.data(), piece.size());
      if (got < 0) return failed();
      if (got == 0) break;
      const auto bytes = base::BytesView(piece).first(static_cast<std::size_t>(got));
      // Not all holes are among those that make() counts, and libarchive fills them with zeros: a
      // tar of a kilobyte would fill the disk. What is more than was read is none of its bytes.
      if (unpacked.bytes + bytes.size() > source_.size()) return unsafe(path, "a sparse file");
      if (auto put = file->write(at, bytes); !put) return std::unexpected(as_failure(put.error()));
      at += bytes.size();
      unpacked.bytes += bytes.size();
      report_();
    }
    ++unpacked.files;
    return {};
  }

  TarSource& source_;
  TreeWriter& writer_;
  const ArchiveLimits& limits_;
  const Report& report_;
  std::unique_ptr<archive, FreeArchive> archive_;
  std::optional<Failure> failure_;
};

// A fresh folder beside the destination; removed unless it became the destination.
class Workplace {
 public:
  static std::expected<Workplace, Failure> beside(const fs::path& destination) {
    const std::string name = "." + destination.filename().native() + ".unpack-XXXXXX";
    std::string path = (destination.parent_path() / name).native();
    if (::mkdtemp(path.data()) == nullptr) {
      return std::unexpected(
          as_failure(os_error("make a folder in", destination.parent_path(), errno)));
    }
    return Workplace(std::move(path));
  }
  Workplace(Workplace&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  Workplace& operator=(Workplace&&) = delete;
  ~Workplace() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  [[nodiscard]] const fs::path& path() const { return path_; }
  Done become(const fs::path& destination) {
    if (::chmod(path_.c_str(), 0755) != 0 || std::rename(path_.c_str(), destination.c_str()) != 0) {
      return std::unexpected(as_failure(os_error("write", destination, errno)));
    }
    path_.clear();
    return {};
  }

 private:
  explicit Workplace(std::string path) : path_(std::move(path)) {}
  fs::path path_;
};

Done check_destination(const fs::path& destination) {
  std::error_code failed;
  const auto status = fs::symlink_status(destination, failed);
  if (status.type() == fs::file_type::not_found) {
    if (fs::is_directory(destination.parent_path(), failed)) return {};
    return std::unexpected(
        Failure{Failure::Kind::kNotFound, "there is no folder " +
                                              quote(destination.parent_path().native()) +
                                              " to unpack into: make it, or choose another place"});
  }
  if (status.type() == fs::file_type::directory && fs::is_empty(destination, failed) && !failed) {
    return {};
  }
  return std::unexpected(
      Failure{Failure::Kind::kTargetExists, quote(destination.native()) +
                                                " is there already and not an empty "
                                                "folder: move it away, or choose another place"});
}

// `a/b/` and `.` are named as what they are.
fs::path plain(const fs::path& destination) {
  std::error_code ignored;
  const fs::path full = fs::absolute(destination, ignored).lexically_normal();
  return full.has_filename() ? full : full.parent_path();
}

}  // namespace

std::expected<Unpacked, Failure> unpack(const PackedSource& packed,
                                        const registry::Archive& archive,
                                        const fs::path& destination, const Progress& progress,
                                        const ArchiveLimits& limits) {
  if (!archive.is_valid()) {
    return std::unexpected(
        Failure{Failure::Kind::kBadArchive,
                std::string("the entry says sizes that no archive has").append(kDistrust)});
  }
  if (archive.tar_size > limits.tar_size) {
    return std::unexpected(
        Failure{Failure::Kind::kTooLarge, "the archive has " + std::to_string(archive.tar_size) +
                                              " bytes unpacked, and the limit is " +
                                              std::to_string(limits.tar_size)});
  }
  const fs::path target = plain(destination);
  if (auto free = check_destination(target); !free) {
    return std::unexpected(std::move(free.error()));
  }
  auto work = Workplace::beside(target);
  if (!work) return std::unexpected(std::move(work.error()));
  auto root = File::open(work->path(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!root) return std::unexpected(as_failure(root.error()));

  bool cancelled = false;
  const PackedSource until_cancelled = [&]() -> std::expected<base::Buffer, Failure> {
    if (!cancelled) return packed();
    return std::unexpected(Failure{Failure::Kind::kCancelled, "unpacking was cancelled"});
  };
  TarSource source(until_cancelled, archive);
  TreeWriter writer(std::move(*root), limits);
  const std::function<void()> report = [&] {
    if (progress && !progress(source.size(), archive.tar_size)) cancelled = true;
  };
  Unpacked unpacked;
  auto done = TarReader(source, writer, limits, report).read(unpacked);
  if (done) done = source.finish();
  if (done && cancelled) done = std::unexpected(until_cancelled().error());
  if (done) done = work->become(target);
  if (!done) return std::unexpected(std::move(done.error()));
  report();
  return unpacked;
}

}  // namespace ggen::p2p::storage
