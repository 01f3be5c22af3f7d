#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <variant>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/storage/disk_storage.hpp>

#include "blobs.hpp"
#include "file.hpp"
#include "index.hpp"
#include "journal.hpp"

namespace ggen::p2p::storage {

namespace fs = std::filesystem;
using registry::StoreResult;
namespace store = registry::store;

namespace {

std::expected<void, Failure> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return {};
  const int error = errno;
  std::error_code ignored;
  if (error == EEXIST && fs::is_directory(folder, ignored)) return {};
  return std::unexpected(as_failure(os_error("make the folder", folder, error)));
}

std::string holder(const File& lock) {
  std::array<std::uint8_t, 16> pid{};
  const auto size = lock.read(0, pid);
  const std::string text(base::as_text(base::BytesView(pid).first(size.value_or(0))));
  const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? "process " + text : std::string("another process");
}

// The lock goes with the process, however it ends.
std::expected<File, Failure> lock_folder(const fs::path& folder) {
  auto lock = File::open(folder / "lock", O_RDWR | O_CREAT);
  if (!lock) return std::unexpected(as_failure(lock.error()));
  if (::flock(lock->fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(as_failure(os_error("lock", folder, errno)));
    return std::unexpected(
        Failure{Failure::Kind::kInUse, folder.native() + " is in use by " + holder(*lock) +
                                           ": stop that one first, or choose another folder"});
  }
  // For people and messages only: what counts is the lock.
  if (lock->truncate(0)) (void)lock->write(0, base::as_bytes(std::to_string(::getpid())));
  return std::move(*lock);
}

void empty_folder(const fs::path& folder) {
  std::error_code failed;
  std::error_code ignored;
  fs::directory_iterator at(folder, failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
    fs::remove_all(at->path(), ignored);
  }
}

template <class T>
StoreResult result(Outcome<T> outcome) {
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  return std::move(*outcome);
}

}  // namespace

struct DiskStorage::Parts {
  fs::path folder;
  File lock;
  std::unique_ptr<Journal> journal;
  Blobs blobs;
  std::unique_ptr<Index> index;
};

DiskStorage::DiskStorage(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
DiskStorage::~DiskStorage() = default;

std::expected<std::unique_ptr<DiskStorage>, Failure> DiskStorage::open(const fs::path& folder) {
  for (const fs::path& each : {folder, folder / "blobs", folder / "scratch"}) {
    if (auto made = make_folder(each); !made) return std::unexpected(std::move(made.error()));
  }
  auto lock = lock_folder(folder);
  if (!lock) return std::unexpected(std::move(lock.error()));
  auto journal = Journal::open(folder / "journal");
  if (!journal) return std::unexpected(std::move(journal.error()));
  auto index = Index::open(folder / "index.sqlite", (*journal)->end());
  if (!index) return std::unexpected(std::move(index.error()));
  empty_folder(folder / "scratch");
  std::unique_ptr<Parts> parts(new Parts{folder, std::move(*lock), std::move(*journal),
                                         Blobs(folder / "blobs"), std::move(*index)});
  return std::unique_ptr<DiskStorage>(new DiskStorage(std::move(parts)));
}

StoreResult DiskStorage::run(registry::StoreOp op) {
  Parts& on = *parts_;
  return std::visit(
      base::Overloaded{
          [&](const store::ReadJournal& it) { return result(on.journal->read(it.from)); },
          [&](const store::Append& it) { return result(on.journal->append(it.records)); },
          [&](const store::ReadEntries& it) { return result(on.journal->read_entries(it.ids)); },
          [&](const store::ListBlobs&) { return result(on.blobs.list()); },
          [&](const store::CreateBlob& it) { return result(on.blobs.create(it)); },
          [&](const store::WriteChunk& it) { return result(on.blobs.write(it)); },
          [&](const store::ReadChunk& it) { return result(on.blobs.read(it)); },
          [&](const store::ReadList& it) { return result(on.blobs.read_list(it.root)); },
          [&](const store::RemoveBlob& it) { return result(on.blobs.remove(it.root)); },
          [&](const store::IndexPosition&) { return result(on.index->position()); },
          [&](const store::IndexApply& it) { return result(on.index->apply(it)); },
          [&](const store::IndexQuery& it) { return result(on.index->query(it.query)); }},
      op);
}

std::expected<void, registry::StoreError> DiskStorage::import(
    const registry::Archive& archive, std::span<const crypto::Sha256Digest> chunks,
    const fs::path& packed) {
  return parts_->blobs.import(archive, chunks, packed);
}

std::size_t DiskStorage::journal_damage() const noexcept {
  return parts_->journal->damaged();
}

fs::path DiskStorage::scratch_folder() const {
  return parts_->folder / "scratch";
}

}  // namespace ggen::p2p::storage
