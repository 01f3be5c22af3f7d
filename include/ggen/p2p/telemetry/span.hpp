#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/base/time.hpp>

/// What a node did, as spans: named stretches of time with attributes, each perhaps a part of
/// another. The model is that of OpenTelemetry, so that its viewers show them.
namespace ggen::p2p::telemetry {

/// Names a trace: all spans that descend from one. Never 0.
struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const TraceId&) const = default;
};
[[nodiscard]] std::string to_hex(TraceId id);  ///< 32 lower-case digits

/// Names a span. Never 0.
struct SpanId {
  std::uint64_t value = 0;
  auto operator<=>(const SpanId&) const = default;
};
[[nodiscard]] std::string to_hex(SpanId id);  ///< 16 lower-case digits

/// All that others need to know of a span to be parts of it.
struct SpanContext {
  TraceId trace;
  SpanId span;
  auto operator<=>(const SpanContext&) const = default;
};
/// Without one a span begins a trace of its own.
using Parent = std::optional<SpanContext>;

struct Attribute {
  std::string key;
  std::variant<std::string, std::int64_t, double, bool> value;
  bool operator==(const Attribute&) const = default;
};
using Attributes = std::vector<Attribute>;
/// Null when there is none of that key.
[[nodiscard]] const Attribute* find(const Attributes& attributes, std::string_view key);

/// A moment within a span.
struct SpanEvent {
  std::string name;
  base::WallTime at;
  Attributes attributes{};
  bool operator==(const SpanEvent&) const = default;
};

enum class SpanKind : std::uint8_t {
  kInternal,
  kServer,  ///< what a remote asked for
  kClient,  ///< what this node asked of a remote
};

struct Span {
  SpanContext context;
  std::optional<SpanId> parent{};
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  base::WallTime start;
  base::WallTime end;
  Attributes attributes{};
  std::vector<SpanEvent> events{};
  std::uint64_t dropped_events = 0;  ///< beyond SpanLimits::max_events
  /// Why it failed; nothing when it did not.
  std::optional<std::string> error{};
  bool operator==(const Span&) const = default;
};

}  // namespace ggen::p2p::telemetry

template <>
struct std::hash<ggen::p2p::telemetry::SpanId> {
  std::size_t operator()(const ggen::p2p::telemetry::SpanId& id) const noexcept {
    return static_cast<std::size_t>(id.value);  // random already
  }
};
