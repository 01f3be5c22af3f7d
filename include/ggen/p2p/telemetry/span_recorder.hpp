#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/telemetry/span.hpp>

namespace ggen::p2p::telemetry {

/// What is beyond them is left out and counted.
struct SpanLimits {
  std::size_t max_open = 4096;       ///< spans that have begun and not ended
  std::size_t max_finished = 16384;  ///< spans that have ended and were not polled
  std::size_t max_events = 128;      ///< of one span
};

/// Keeps spans from their begin to their end, and gives them out then. Calls about a span that is
/// not open (any more) do nothing. Not thread-safe.
class SpanRecorder {
 public:
  /// The same generator gives the same ids. `wall_at_zero` is the calendar time at Instant{}.
  SpanRecorder(base::Prng prng, base::WallTime wall_at_zero, const SpanLimits& limits);

  struct Beginning {
    std::string name;
    Parent parent{};
    Attributes attributes{};
    SpanKind kind = SpanKind::kInternal;
  };
  /// Nothing, and it is counted in dropped(), when too many are open.
  std::optional<SpanContext> begin(Beginning beginning, base::Instant now);
  void set(SpanId id, Attribute attribute);
  void add_event(SpanId id, std::string name, Attributes attributes, base::Instant now);
  void end(SpanId id, base::Instant now, std::optional<std::string> error = {});
  /// Ends whatever is open, in the order of the beginnings.
  void end_all(base::Instant now, const std::string& error);

  /// Spans in the order in which they ended.
  [[nodiscard]] std::optional<Span> poll() { return finished_.pop(); }
  [[nodiscard]] bool is_open(SpanId id) const { return open_.contains(id); }
  [[nodiscard]] std::size_t open() const noexcept { return open_.size(); }
  /// Spans that were left out since the start.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  struct Open {
    Span span;
    std::uint64_t number = 0;  // counts beginnings
  };

  [[nodiscard]] base::WallTime wall(base::Instant at) const {
    return wall_at_zero_ + at.time_since_epoch();
  }
  [[nodiscard]] std::uint64_t fresh_id();
  [[nodiscard]] Span* find_open(SpanId id);

  base::Prng prng_;
  base::WallTime wall_at_zero_;
  SpanLimits limits_;
  base::HashMap<SpanId, Open> open_;
  std::uint64_t begun_ = 0;
  base::Fifo<Span> finished_;
  std::uint64_t dropped_ = 0;
};

}  // namespace ggen::p2p::telemetry
