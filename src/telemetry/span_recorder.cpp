#include <algorithm>
#include <utility>
#include <vector>

#include <ggen/p2p/telemetry/span_recorder.hpp>

namespace ggen::p2p::telemetry {

SpanRecorder::SpanRecorder(base::Prng prng, base::WallTime wall_at_zero, const SpanLimits& limits)
    : prng_(prng), wall_at_zero_(wall_at_zero), limits_(limits) {}

std::uint64_t SpanRecorder::fresh_id() {
  std::uint64_t id = 0;
  while (id == 0) id = prng_.next();
  return id;
}

Span* SpanRecorder::find_open(SpanId id) {
  Open* open = open_.find(id);
  return open == nullptr ? nullptr : &open->span;
}

std::optional<SpanContext> SpanRecorder::begin(Beginning beginning, base::Instant now) {
  if (open_.size() >= limits_.max_open) {
    ++dropped_;
    return std::nullopt;
  }
  Span span;
  if (beginning.parent) {
    span.context.trace = beginning.parent->trace;
    span.parent = beginning.parent->span;
  } else {
    span.context.trace.high = fresh_id();
    span.context.trace.low = fresh_id();
  }
  do {
    span.context.span.value = fresh_id();
  } while (open_.contains(span.context.span));
  span.name = std::move(beginning.name);
  span.kind = beginning.kind;
  span.start = wall(now);
  span.attributes = std::move(beginning.attributes);
  const SpanContext context = span.context;
  open_.try_emplace(context.span, Open{std::move(span), begun_++});
  return context;
}

void SpanRecorder::set(SpanId id, Attribute attribute) {
  if (Span* span = find_open(id)) span->attributes.push_back(std::move(attribute));
}

void SpanRecorder::add_event(SpanId id, std::string name, Attributes attributes,
                             base::Instant now) {
  Span* span = find_open(id);
  if (span == nullptr) return;
  if (span->events.size() >= limits_.max_events) {
    ++span->dropped_events;
  } else {
    span->events.push_back({std::move(name), wall(now), std::move(attributes)});
  }
}

void SpanRecorder::end(SpanId id, base::Instant now, std::optional<std::string> error) {
  Span* span = find_open(id);
  if (span == nullptr) return;
  span->end = std::max(wall(now), span->start);
  span->error = std::move(error);
  if (finished_.size() < limits_.max_finished) {
    finished_.push(std::move(*span));
  } else {
    ++dropped_;
  }
  open_.erase(id);
}

void SpanRecorder::end_all(base::Instant now, const std::string& error) {
  // Ids are random: in their order, parts could come before what they are a part of.
  std::vector<std::pair<std::uint64_t, SpanId>> in_order;
  for (const auto* entry : std::as_const(open_).sorted()) {
    in_order.emplace_back(entry->second.number, entry->first);
  }
  std::ranges::sort(in_order);
  for (const auto& [number, id] : in_order) end(id, now, error);
}

}  // namespace ggen::p2p::telemetry
