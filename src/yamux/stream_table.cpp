#include "stream_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <ggen/p2p/base/assert.hpp>

namespace ggen::p2p::yamux {
namespace {

constexpr std::size_t kSmallest = 8;

}  // namespace

Stream* StreamTable::find(StreamId id) const noexcept {
  if (size_ == 0) return nullptr;
  for (std::size_t at = home(id.value);; at = (at + 1) % slots_.size()) {
    Stream* stream = slots_[at].get();
    if (stream == nullptr || stream->id == id) return stream;
  }
}

Stream& StreamTable::emplace(StreamId id, bool local, base::Instant now) {
  if (2 * (size_ + 1) > slots_.size()) rehash(std::max(kSmallest, 2 * slots_.size()));
  std::size_t at = home(id.value);
  while (slots_[at] != nullptr) at = (at + 1) % slots_.size();
  slots_[at] = std::make_unique<Stream>(id, local, now);
  ++size_;
  return *slots_[at];
}

void StreamTable::erase(const Stream& stream) noexcept {
  std::size_t hole = home(stream.id.value);
  while (slots_[hole].get() != &stream) hole = (hole + 1) % slots_.size();
  slots_[hole].reset();
  --size_;
  // Streams that probed past the hole move up, so that no look-up ends early at it.
  for (std::size_t at = (hole + 1) % slots_.size(); slots_[at] != nullptr;
       at = (at + 1) % slots_.size()) {
    const std::size_t distance = (at - home(slots_[at]->id.value)) % slots_.size();
    if (distance >= (at - hole) % slots_.size()) {
      slots_[hole] = std::move(slots_[at]);
      hole = at;
    }
  }
  // A burst of streams must not weigh on the connection when it is over.
  if (slots_.size() > kSmallest && 16 * size_ < slots_.size()) rehash(slots_.size() / 4);
}

void StreamTable::clear() noexcept {
  std::vector<std::unique_ptr<Stream>>{}.swap(slots_);
  size_ = 0;
}

std::vector<Stream*> StreamTable::sorted() const {
  std::vector<Stream*> streams;
  streams.reserve(size_);
  for (const auto& slot : slots_) {
    if (slot != nullptr) streams.push_back(slot.get());
  }
  std::sort(streams.begin(), streams.end(),
            [](const Stream* a, const Stream* b) { return a->id < b->id; });
  return streams;
}

std::size_t StreamTable::home(std::uint32_t id) const noexcept {
  // Fibonacci hashing: consecutive ids land far apart.
  const auto hash = static_cast<std::uint64_t>(id) * 0x9e3779b97f4a7c15;
  return static_cast<std::size_t>(hash >> (64 - std::countr_zero(slots_.size())));
}

void StreamTable::rehash(std::size_t capacity) {
  std::vector<std::unique_ptr<Stream>> old(std::max(capacity, kSmallest));
  old.swap(slots_);
  for (auto& stream : old) {
    if (stream == nullptr) continue;
    std::size_t at = home(stream->id.value);
    while (slots_[at] != nullptr) at = (at + 1) % slots_.size();
    slots_[at] = std::move(stream);
  }
}

}  // namespace ggen::p2p::yamux
