#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::crypto {

/// Overwrites secret bytes in a way that the compiler cannot leave out.
void wipe(base::MutableBytes bytes) noexcept;

/// `N` secret bytes, zero at first. They are wiped when the object goes or is moved from, and
/// cannot be copied by accident. For short-lived secrets: the memory is neither locked nor guarded.
template <std::size_t N>
class Secret {
 public:
  Secret() noexcept = default;
  explicit Secret(std::span<const std::uint8_t, N> bytes) noexcept {
    for (std::size_t i = 0; i < N; ++i) bytes_[i] = bytes[i];
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  ~Secret() { wipe(bytes_); }

  [[nodiscard]] std::span<const std::uint8_t, N> view() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t, N> writable() noexcept { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace ggen::p2p::crypto
