#pragma once

#include <cstdint>
#include <optional>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::crypto {

/// ASN.1 tags that public keys are made of.
enum class DerTag : std::uint8_t {
  kInteger = 0x02,
  kBitString = 0x03,
  kNull = 0x05,
  kObjectId = 0x06,
  kSequence = 0x30,
};

/// Reads DER, of which each value has exactly one encoding: lengths are definite and in their
/// shortest form, and never believed beyond the bytes that are there. Copies nothing.
class DerReader {
 public:
  explicit DerReader(base::BytesView bytes) noexcept : rest_(bytes) {}

  /// The contents of the next value, if it has this tag.
  [[nodiscard]] std::optional<base::BytesView> read(DerTag tag) noexcept;
  /// The next value as the big-endian digits of a positive integer, without leading zeros.
  [[nodiscard]] std::optional<base::BytesView> read_positive() noexcept;
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  [[nodiscard]] std::optional<std::size_t> read_length() noexcept;

  base::BytesView rest_;
};

}  // namespace ggen::p2p::crypto
