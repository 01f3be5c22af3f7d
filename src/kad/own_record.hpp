#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::kad {

/// Names something that this node publishes again and again.
struct OwnRecord {
  enum class Kind : std::uint8_t { kValue, kProvider };
  Kind kind{};
  base::Bytes key;
  auto operator<=>(const OwnRecord&) const = default;
};

struct OwnRecordHash {
  std::size_t operator()(const OwnRecord& record) const noexcept {
    return std::hash<std::string_view>{}(base::as_text(record.key)) +
           static_cast<std::size_t>(record.kind);
  }
};

}  // namespace ggen::p2p::kad
