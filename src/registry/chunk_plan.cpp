#include "chunk_plan.hpp"

#include <utility>

#include <ggen/p2p/base/assert.hpp>

namespace ggen::p2p::registry {

ChunkPlan::ChunkPlan(ChunkSet held, std::uint64_t from)
    : held_(std::move(held)),
      from_(from),
      chunks_(static_cast<std::size_t>(held_.count())),
      open_(held_.count() - held_.held()) {}

bool ChunkPlan::is_open(std::uint64_t index) const {
  return !held_.has(index) && chunks_.at(static_cast<std::size_t>(index)).asked == 0;
}

bool ChunkPlan::needs(std::uint64_t index) const {
  return !held_.has(index) && !chunks_.at(static_cast<std::size_t>(index)).writing;
}

bool ChunkPlan::may_ask_again(std::uint64_t index) const {
  return needs(index) && chunks_.at(static_cast<std::size_t>(index)).asked < kMaxAsked;
}

bool ChunkPlan::needs_any(ChunkRange range) const {
  for (std::uint64_t i = range.first; i < range.end; ++i) {
    if (needs(i)) return true;
  }
  return false;
}

bool ChunkPlan::wants(const ChunkSet& have) const {
  for (std::uint64_t i = 0; i < held_.count(); ++i) {
    if (!held_.has(i) && have.has(i)) return true;
  }
  return false;
}

std::optional<ChunkRange> ChunkPlan::pick(const ChunkSet& have, std::uint64_t limit) const {
  if (open_ == 0) return std::nullopt;
  const auto fits = [&](std::uint64_t i) { return is_open(i) && have.has(i); };
  for (std::uint64_t i = 0; i < held_.count(); ++i) {
    const std::uint64_t first = (from_ + i) % held_.count();
    if (!fits(first)) continue;
    std::uint64_t end = first + 1;
    while (end < held_.count() && end - first < limit && fits(end)) ++end;
    return ChunkRange{first, end};
  }
  return std::nullopt;
}

std::optional<ChunkRange> ChunkPlan::pick_again(const ChunkSet& have, ChunkRange range,
                                                std::uint64_t limit) const {
  const auto fits = [&](std::uint64_t i) { return may_ask_again(i) && have.has(i); };
  for (std::uint64_t end = range.end; end > range.first; --end) {
    if (!fits(end - 1)) continue;
    std::uint64_t first = end - 1;
    while (first > range.first && end - first < limit && fits(first - 1)) --first;
    return ChunkRange{first, end};
  }
  return std::nullopt;
}

template <class Change>
void ChunkPlan::change(std::uint64_t index, Change change) {
  open_ -= is_open(index) ? 1 : 0;
  change(chunks_.at(static_cast<std::size_t>(index)));
  open_ += is_open(index) ? 1 : 0;
}

void ChunkPlan::ask(ChunkRange range) {
  for (std::uint64_t i = range.first; i < range.end; ++i) {
    change(i, [](Chunk& chunk) { ++chunk.asked; });
  }
}

void ChunkPlan::release(ChunkRange range) {
  for (std::uint64_t i = range.first; i < range.end; ++i) {
    change(i, [](Chunk& chunk) {
      GGEN_INVARIANT(chunk.asked > 0);
      --chunk.asked;
    });
  }
}

void ChunkPlan::begin_write(std::uint64_t index) {
  GGEN_INVARIANT(needs(index));
  chunks_.at(static_cast<std::size_t>(index)).writing = true;
}

void ChunkPlan::end_write(std::uint64_t index, bool written) {
  change(index, [&](Chunk& chunk) {
    GGEN_INVARIANT(chunk.writing && chunk.asked > 0);
    chunk.writing = false;
    --chunk.asked;
    if (written) held_.insert(index);
  });
}

}  // namespace ggen::p2p::registry
