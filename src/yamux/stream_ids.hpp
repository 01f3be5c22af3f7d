#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <ggen/p2p/yamux/types.hpp>

namespace ggen::p2p::yamux {

/// Whether the client opens a stream of this id (the server otherwise).
[[nodiscard]] constexpr bool opened_by_client(StreamId id) noexcept {
  return id.value % 2 == 1;
}

/// The ids of the streams that this side opens, each once.
class LocalIds {
 public:
  explicit LocalIds(StreamId first) noexcept : next_(first.value) {}

  /// Nothing when all 32-bit ids of this parity are used.
  [[nodiscard]] std::optional<StreamId> take() noexcept {
    if (next_ > UINT32_MAX) return std::nullopt;
    const StreamId id{static_cast<std::uint32_t>(next_)};
    next_ += 2;
    return id;
  }

 private:
  std::uint64_t next_;
};

/// Which ids the remote has used. A sliding window, because remotes may announce ids in another
/// order than they drew them (go-yamux and rust-yamux do); an id that has left the window counts as
/// used.
class RemoteIds {
 public:
  /// True when `id` is new; it is used from now on.
  [[nodiscard]] bool use(StreamId id) noexcept {
    const std::uint32_t index = (id.value - 1) / 2;
    const std::uint32_t word = index / 64;
    if (word > newest_) {
      const std::uint32_t skipped = std::min(word - newest_, kWords);
      for (std::uint32_t i = 0; i < skipped; ++i) used_[(word - i) % kWords] = 0;
      newest_ = word;
    }
    if (newest_ - word >= kWords) return false;
    std::uint64_t& bits = used_[word % kWords];
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if ((bits & bit) != 0) return false;
    bits |= bit;
    return true;
  }

 private:
  static constexpr std::uint32_t kWords = 16;  // more than 960 ids of the remote back

  std::array<std::uint64_t, kWords> used_{};
  std::uint32_t newest_ = 0;
};

}  // namespace ggen::p2p::yamux
