#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "stream.hpp"

namespace ggen::p2p::yamux {

/// Owns the streams of a session and finds them by id: open addressing with linear probing, because
/// each frame needs one look-up. Streams stay where they are in memory. A remote that picks ids
/// which collide makes a look-up as long as its limit of streams, no longer.
class StreamTable {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Null when there is none.
  [[nodiscard]] Stream* find(StreamId id) const noexcept;
  /// `id` is not in the table.
  Stream& emplace(StreamId id, bool local, base::Instant now);
  void erase(const Stream& stream) noexcept;
  void clear() noexcept;
  /// The streams by ascending id.
  [[nodiscard]] std::vector<Stream*> sorted() const;

 private:
  [[nodiscard]] std::size_t home(std::uint32_t id) const noexcept;
  void rehash(std::size_t capacity);

  std::vector<std::unique_ptr<Stream>> slots_;  // a power of two, at most half of it in use
  std::size_t size_ = 0;
};

}  // namespace ggen::p2p::yamux
