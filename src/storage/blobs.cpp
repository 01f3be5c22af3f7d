#include "blobs.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <ggen/p2p/registry/merkle.hpp>

#include "chunk_list.hpp"

namespace ggen::p2p::storage {

using registry::Archive;
using registry::ChunkSet;
using registry::StoreError;
namespace fs = std::filesystem;
namespace store = registry::store;

namespace {

constexpr std::string_view kList = ".list";
constexpr std::string_view kPart = ".part";
constexpr std::string_view kData = ".data";

std::unexpected<StoreError> error(StoreError::Kind kind, std::string detail) {
  return std::unexpected(StoreError{kind, std::move(detail)});
}
std::unexpected<StoreError> missing(const crypto::Sha256Digest& root) {
  return error(StoreError::Kind::kMissing, "nothing of archive " + base::to_hex(root));
}
std::string chunk_name(const crypto::Sha256Digest& root, std::uint64_t index) {
  return "chunk " + std::to_string(index) + " of archive " + base::to_hex(root);
}

Outcome<> create_file(const fs::path& path) {
  auto file = File::open(path, O_WRONLY | O_CREAT);
  return file ? Outcome<>{} : std::unexpected(std::move(file.error()));
}

// Where the next data is, from a position on: holes of a sparse file are not read.
std::uint64_t next_data(const File& file, std::uint64_t at) {
  const off_t found = ::lseek(file.fd(), static_cast<off_t>(at), SEEK_DATA);
  if (found >= 0) return static_cast<std::uint64_t>(found);
  return errno == ENXIO ? UINT64_MAX : at;
}

// Which chunks a file holds.
Outcome<ChunkSet> hash_part(const fs::path& path, const Archive& archive,
                            std::span<const crypto::Sha256Digest> chunks) {
  ChunkSet held(archive.chunk_count());
  auto file = File::open(path, O_RDONLY);
  if (!file && file.error().kind == StoreError::Kind::kMissing) return held;
  if (!file) return std::unexpected(std::move(file.error()));
  base::Bytes bytes;
  for (std::uint64_t i = 0; i < chunks.size(); ++i) {
    const std::uint64_t data = next_data(*file, i * archive.chunk_size);
    if (data == UINT64_MAX) break;
    i = std::max(i, data / archive.chunk_size);
    if (i >= chunks.size()) break;
    bytes.resize(archive.chunk_bytes(i));
    const auto got = file->read(i * archive.chunk_size, bytes);
    if (!got) return std::unexpected(got.error());
    if (*got == bytes.size() && registry::chunk_hash(bytes) == chunks[i]) held.insert(i);
  }
  return held;
}

ChunkSet all_of(const Archive& archive) {
  ChunkSet set(archive.chunk_count());
  for (std::uint64_t i = 0; i < set.count(); ++i) set.insert(i);
  return set;
}
ChunkSet without(const ChunkSet& held, std::uint64_t index) {
  ChunkSet set(held.count());
  for (std::uint64_t i = 0; i < set.count(); ++i) {
    if (i != index && held.has(i)) set.insert(i);
  }
  return set;
}

Outcome<> copy_file(const File& from, const File& to) {
  base::Bytes piece(1024 * 1024);
  for (std::uint64_t at = 0;;) {
    const auto got = from.read(at, piece);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return {};
    if (auto put = to.write(at, base::BytesView(piece).first(*got)); !put) return put;
    at += *got;
  }
}

}  // namespace

Blobs::Blobs(fs::path folder) : folder_(std::move(folder)) {
  std::error_code failed;
  std::error_code ignored;
  // A loop over the range would throw when the disk fails on the way.
  fs::directory_iterator at(folder_, failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
    if (at->path().extension() == ".tmp") fs::remove(at->path(), ignored);
  }
}

fs::path Blobs::path(const Digest& root, std::string_view suffix) const {
  return folder_ / base::to_hex(root).append(suffix);
}

Blobs::Slot& Blobs::slot(const Digest& root) {
  const std::lock_guard lock(mutex_);
  return slots_[root];
}

Blobs::Slot* Blobs::find(const Digest& root) {
  const std::lock_guard lock(mutex_);
  if (const auto at = slots_.find(root); at != slots_.end()) return &at->second;
  std::error_code ignored;
  return fs::exists(path(root, kList), ignored) ? &slots_[root] : nullptr;
}

Outcome<Blobs::Known*> Blobs::load(const Digest& root, Slot& slot) {
  if (slot.known) return &*slot.known;
  const fs::path list_path = path(root, kList);
  auto list = read_chunk_list_file(list_path);
  if (list && list->archive.root != root) list = error(StoreError::Kind::kCorrupt, "misnamed");
  if (!list && list.error().kind == StoreError::Kind::kCorrupt) {
    // The data stays: whoever creates the archive again finds in it what is good.
    fs::path aside = list_path;
    aside += ".damaged";
    if (auto kept = rename_file(list_path, aside); !kept) {
      return std::unexpected(std::move(kept.error()));
    }
    return missing(root);
  }
  if (!list && list.error().kind == StoreError::Kind::kMissing) return missing(root);
  if (!list) return std::unexpected(std::move(list.error()));
  Known known{list->archive, ChunkSet(list->archive.chunk_count())};
  if (auto found = find_data(root, known, list->chunks); !found) {
    return std::unexpected(std::move(found.error()));
  }
  return &slot.known.emplace(std::move(known));
}

Outcome<> Blobs::find_data(const Digest& root, Known& known, std::span<const Digest> chunks) {
  const fs::path data = path(root, kData);
  const fs::path part = path(root, kPart);
  std::error_code absent;
  const auto size = fs::file_size(data, absent);
  if (!absent && size == known.archive.packed_size) {
    known.held = all_of(known.archive);  // reading verifies each chunk
    known.complete = true;
    return {};
  }
  if (!absent) {
    if (auto renamed = rename_file(data, part); !renamed) return renamed;
  }
  auto held = hash_part(part, known.archive, chunks);
  if (!held) return std::unexpected(std::move(held.error()));
  known.held = std::move(*held);
  return known.held.is_full() ? complete(known) : create_file(part);
}

// Everything has been written: makes it durable under its final name.
Outcome<> Blobs::complete(Known& known) {
  const Digest& root = known.archive.root;
  auto file = File::open(path(root, kPart), O_RDWR);
  if (!file) return std::unexpected(std::move(file.error()));
  auto done = file->truncate(known.archive.packed_size);
  if (done) done = file->sync();
  if (done) done = rename_file(path(root, kPart), path(root, kData));
  known.complete = done.has_value();
  return done;
}

Outcome<store::Blobs> Blobs::list() {
  store::Blobs all;
  std::error_code failed;
  std::vector<Digest> roots;
  fs::directory_iterator at(folder_, failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
    const auto bytes = base::from_hex(at->path().stem().native());
    if (at->path().extension() != kList || !bytes || bytes->size() != sizeof(Digest)) continue;
    std::ranges::copy(*bytes, roots.emplace_back().begin());
  }
  if (failed) return std::unexpected(os_error("list", folder_, failed.value()));
  std::ranges::sort(roots);
  for (const Digest& root : roots) {
    Slot& slot = this->slot(root);
    const std::lock_guard lock(slot.mutex);
    // One that cannot be read is as good as not here; the others are.
    if (auto known = load(root, slot)) all.blobs.push_back({(*known)->archive, (*known)->held});
  }
  return all;
}

Outcome<store::Blob> Blobs::create(const store::CreateBlob& op) {
  const Digest& root = op.archive.root;
  if (!belong_to(op.archive, op.chunks)) {
    return error(StoreError::Kind::kWrongHash,
                 "the chunks are not those of archive " + base::to_hex(root));
  }
  Slot& slot = this->slot(root);
  const std::lock_guard lock(slot.mutex);
  auto known = load(root, slot);
  if (!known && known.error().kind != StoreError::Kind::kMissing) {
    return std::unexpected(std::move(known.error()));
  }
  if (known && (*known)->archive == op.archive) return store::Blob{op.archive, (*known)->held};
  if (known && (*known)->complete && (*known)->archive.packed_size != op.archive.packed_size) {
    return error(StoreError::Kind::kWrongHash,
                 "archive " + base::to_hex(root) + " is here and has another size");
  }
  // Two entries may name one root and say different things of it: the last one asked for counts.
  if (auto written = write_chunk_list(path(root, kList), op.archive, op.chunks); !written) {
    return std::unexpected(std::move(written.error()));
  }
  slot.known.reset();
  known = load(root, slot);
  if (!known) return std::unexpected(std::move(known.error()));
  return store::Blob{op.archive, (*known)->held};
}

Outcome<store::Done> Blobs::write(const store::WriteChunk& op) {
  Slot* const slot = find(op.root);
  if (slot == nullptr) return missing(op.root);
  std::unique_lock lock(slot->mutex);
  const auto loaded = load(op.root, *slot);
  if (!loaded) return std::unexpected(loaded.error());
  const Archive archive = (*loaded)->archive;
  if (op.index >= archive.chunk_count()) return missing(op.root);
  const bool is_held = (*loaded)->held.has(op.index);
  lock.unlock();

  const auto hash = read_chunk_hash(path(op.root, kList), op.index);
  if (!hash) return std::unexpected(hash.error());
  if (op.bytes.size() != archive.chunk_bytes(op.index) ||
      registry::chunk_hash(op.bytes.view()) != *hash) {
    return error(StoreError::Kind::kWrongHash, chunk_name(op.root, op.index));
  }
  if (is_held) return store::Done{};
  // The file is there since the archive was created: if not, the archive was removed meanwhile.
  const auto file = File::open(path(op.root, kPart), O_WRONLY);
  if (!file) return std::unexpected(file.error());
  if (auto put = file->write(op.index * archive.chunk_size, op.bytes.view()); !put) {
    return std::unexpected(std::move(put.error()));
  }

  lock.lock();
  if (!slot->known) return missing(op.root);
  Known& known = *slot->known;
  known.held.insert(op.index);
  if (known.complete || !known.held.is_full()) return store::Done{};
  if (auto done = complete(known); !done) {
    known.held = without(known.held, op.index);
    return std::unexpected(std::move(done.error()));
  }
  return store::Done{};
}

Outcome<store::Chunk> Blobs::read(const store::ReadChunk& op) {
  Slot* const slot = find(op.root);
  if (slot == nullptr) return missing(op.root);
  std::unique_lock lock(slot->mutex);
  const auto loaded = load(op.root, *slot);
  if (!loaded) return std::unexpected(loaded.error());
  if (!(*loaded)->held.has(op.index)) {
    return error(StoreError::Kind::kMissing, chunk_name(op.root, op.index));
  }
  const Archive archive = (*loaded)->archive;
  // Opened before anybody can rename it.
  const auto file = File::open(path(op.root, (*loaded)->complete ? kData : kPart), O_RDONLY);
  lock.unlock();

  const auto hash = read_chunk_hash(path(op.root, kList), op.index);
  auto bytes = base::Buffer::allocate(archive.chunk_bytes(op.index));
  Outcome<std::size_t> got = 0;
  if (file) got = file->read(op.index * archive.chunk_size, bytes.writable());
  // A system that is out of file descriptors says nothing about the chunk.
  if (!file && file.error().kind == StoreError::Kind::kIo) return std::unexpected(file.error());
  if (!hash && hash.error().kind == StoreError::Kind::kIo) return std::unexpected(hash.error());
  if (file && hash && got && *got == bytes.size() && registry::chunk_hash(bytes.view()) == *hash) {
    return store::Chunk{std::move(bytes)};
  }
  lose(op, *slot);
  return error(StoreError::Kind::kCorrupt, chunk_name(op.root, op.index));
}

// A chunk that the disk did not keep is not held any more, and may be written again.
void Blobs::lose(const store::ReadChunk& op, Slot& slot) {
  const std::lock_guard lock(slot.mutex);
  if (!slot.known) return;
  Known& known = *slot.known;
  known.held = without(known.held, op.index);
  if (!known.complete) return;
  // Without its final name the data is hashed at the next start. Should that fail, reading finds
  // the damage again.
  known.complete = false;
  if (!rename_file(path(op.root, kData), path(op.root, kPart))) {
    (void)create_file(path(op.root, kPart));
  }
}

Outcome<store::ChunkList> Blobs::read_list(const Digest& root) {
  auto list = read_chunk_list_file(path(root, kList));
  if (!list) return std::unexpected(std::move(list.error()));
  return store::ChunkList{std::move(list->chunks)};
}

Outcome<store::Done> Blobs::remove(const Digest& root) {
  Slot& slot = this->slot(root);
  const std::lock_guard lock(slot.mutex);
  slot.known.reset();
  // The list goes last: until then, a crash leaves something that can be found and removed again.
  for (const auto suffix : {kData, kPart, kList}) {
    if (auto done = remove_file(path(root, suffix)); !done) {
      return std::unexpected(std::move(done.error()));
    }
  }
  return store::Done{};
}

Outcome<> Blobs::import(const Archive& archive, std::span<const Digest> chunks,
                        const fs::path& packed) {
  const Digest& root = archive.root;
  if (!belong_to(archive, chunks)) {
    return error(StoreError::Kind::kWrongHash, "the chunks are not those of the archive");
  }
  std::error_code failed;
  if (const auto size = fs::file_size(packed, failed); failed || size != archive.packed_size) {
    return error(failed ? StoreError::Kind::kMissing : StoreError::Kind::kWrongHash,
                 packed.native() + " is not the packed archive");
  }
  Slot& slot = this->slot(root);
  const std::lock_guard lock(slot.mutex);
  auto done = write_chunk_list(path(root, kList), archive, chunks);
  if (done) done = take_data(packed, root);
  if (done) done = remove_file(path(root, kPart));
  if (!done) return done;
  slot.known.emplace(Known{archive, all_of(archive), true});
  return {};
}

Outcome<> Blobs::take_data(const fs::path& packed, const Digest& root) {
  auto from = File::open(packed, O_RDONLY);
  if (!from) return std::unexpected(std::move(from.error()));
  if (auto synced = from->sync(); !synced) return synced;
  const fs::path data = path(root, kData);
  if (::rename(packed.c_str(), data.c_str()) == 0) return sync_folder(folder_);
  if (errno != EXDEV) return std::unexpected(os_error("rename", packed, errno));
  const fs::path copy = path(root, ".tmp");
  auto to = File::open(copy, O_WRONLY | O_CREAT | O_TRUNC);
  if (!to) return std::unexpected(std::move(to.error()));
  auto done = copy_file(*from, *to);
  if (done) done = to->sync();
  if (done) done = rename_file(copy, data);
  if (!done) {
    (void)remove_file(copy);
    return done;
  }
  return remove_file(packed);
}

}  // namespace ggen::p2p::storage
