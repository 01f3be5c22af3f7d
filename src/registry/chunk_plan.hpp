#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ggen/p2p/registry/fetch.hpp>

namespace ggen::p2p::registry {

/// Chunks from `first` up to, without it, `end`.
struct ChunkRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  [[nodiscard]] std::uint64_t size() const noexcept { return end - first; }
  bool operator==(const ChunkRange&) const = default;
};

/// Which chunks of one archive are held, being written, or asked of somebody; and which to ask for
/// next.
class ChunkPlan {
 public:
  /// A chunk may be asked of so many peers at a time: the second one when the first is slow.
  static constexpr std::uint8_t kMaxAsked = 2;

  /// Picks begin at chunk `from` and go around: those who fetch at the same time from places of
  /// their own soon have something to give each other.
  explicit ChunkPlan(ChunkSet held, std::uint64_t from = 0);

  [[nodiscard]] const ChunkSet& held() const noexcept { return held_; }
  [[nodiscard]] bool is_complete() const noexcept { return held_.is_full(); }
  /// Chunks that nobody was asked for.
  [[nodiscard]] std::uint64_t open() const noexcept { return open_; }
  /// Neither held nor being written.
  [[nodiscard]] bool needs(std::uint64_t index) const;
  [[nodiscard]] bool needs_any(ChunkRange range) const;
  /// True when a peer that has these chunks has one that is not held.
  [[nodiscard]] bool wants(const ChunkSet& have) const;

  /// The next chunks in a row that nobody was asked for and a peer has, at most `limit`.
  [[nodiscard]] std::optional<ChunkRange> pick(const ChunkSet& have, std::uint64_t limit) const;
  /// The last chunks in a row of `range` that are needed, may be asked of one more peer, and that
  /// this one has; at most `limit`.
  [[nodiscard]] std::optional<ChunkRange> pick_again(const ChunkSet& have, ChunkRange range,
                                                     std::uint64_t limit) const;

  /// Somebody was asked for them, or is no longer expected to bring them.
  void ask(ChunkRange range);
  void release(ChunkRange range);
  /// A chunk came and goes to the store. It stays asked until the write ends.
  void begin_write(std::uint64_t index);
  void end_write(std::uint64_t index, bool written);

 private:
  struct Chunk {
    std::uint8_t asked = 0;
    bool writing = false;
  };
  [[nodiscard]] bool is_open(std::uint64_t index) const;
  [[nodiscard]] bool may_ask_again(std::uint64_t index) const;
  // Changes a chunk and keeps open_ right.
  template <class Change>
  void change(std::uint64_t index, Change change);

  ChunkSet held_;
  std::uint64_t from_;
  std::vector<Chunk> chunks_;
  std::uint64_t open_ = 0;
};

}  // namespace ggen::p2p::registry
