#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::crypto {

/// Slots of one size for secrets, in libsodium's guarded memory: locked, left out of core dumps,
/// between pages that cannot be touched, read-only except while a slot is written, wiped when
/// freed.
///
/// Many slots share a block, because each block takes four pages and as many of the system's
/// mappings, of which a process has about 65,000: a simulation holds more keys than that.
/// Thread-safe.
class LockedSlots {
 public:
  explicit LockedSlots(std::size_t slot_size) : slot_size_(slot_size) {}
  LockedSlots(const LockedSlots&) = delete;
  LockedSlots& operator=(const LockedSlots&) = delete;

  /// A slot that holds `secret`, which is of the slots' size.
  [[nodiscard]] std::uint8_t* put(base::BytesView secret);
  /// Wipes it.
  void free(std::uint8_t* slot) noexcept;

  /// In use: for tests.
  [[nodiscard]] std::size_t blocks() const;

  /// With keys of 64 bytes, a page and libsodium's canary beside them.
  static constexpr std::size_t kSlotsPerBlock = 63;

 private:
  [[nodiscard]] std::uint8_t* writable_block();

  const std::size_t slot_size_;
  mutable std::mutex mutex_;
  std::map<std::uint8_t*, std::uint64_t> blocks_;  // a set bit: the slot is in use
  std::set<std::uint8_t*> roomy_;                  // those that have a free slot
};

}  // namespace ggen::p2p::crypto
