#include <algorithm>
#include <array>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/telemetry/span.hpp>

namespace ggen::p2p::telemetry {
namespace {

std::string to_hex(std::uint64_t value) {
  std::array<std::uint8_t, sizeof value> bytes{};
  base::store_big_endian(bytes.data(), value);
  return base::to_hex(bytes);
}

}  // namespace

std::string to_hex(TraceId id) {
  return to_hex(id.high).append(to_hex(id.low));
}

std::string to_hex(SpanId id) {
  return to_hex(id.value);
}

const Attribute* find(const Attributes& attributes, std::string_view key) {
  const auto found = std::ranges::find(attributes, key, &Attribute::key);
  return found == attributes.end() ? nullptr : &*found;
}

}  // namespace ggen::p2p::telemetry
