#include "scheduler.hpp"

#include <cstdint>

namespace ggen::p2p::yamux {
namespace {

// What is left of a turn when less than this is not worth a frame.
constexpr std::uint32_t kCrumb = 256;

}  // namespace

void Scheduler::update(Stream& stream) noexcept {
  if (stream.has_control() != control_.contains(stream)) {
    if (stream.has_control()) {
      control_.push_back(stream);
    } else {
      control_.remove(stream);
    }
  }
  const bool waits = DataList::contains(stream);
  if (!stream.sendable()) {
    if (waits) leave(stream);
    return;
  }
  const bool bulk = stream.queue.size() > kQuantum;
  if (waits && (stream.bulk || !bulk)) return;
  if (waits) leave(stream);
  enter(stream, bulk);
}

void Scheduler::remove(Stream& stream) noexcept {
  if (control_.contains(stream)) control_.remove(stream);
  if (DataList::contains(stream)) leave(stream);
}

Scheduler::Turn Scheduler::next_data() const noexcept {
  if (small_.empty() && bulk_.empty()) return {};
  if (bulk_.empty()) return {small_.front(), small_.single() ? SIZE_MAX : small_.front()->quantum};
  if (small_.empty()) return {bulk_.front(), bulk_.single() ? SIZE_MAX : bulk_.front()->quantum};
  Stream* stream = small_run_ < kQuantum ? small_.front() : bulk_.front();
  return {stream, stream->quantum};
}

void Scheduler::sent(Stream& stream, std::size_t size) noexcept {
  if (!stream.bulk) small_run_ = bulk_.empty() ? 0 : small_run_ + size;
  if (!stream.sendable()) {
    leave(stream);
  } else if (size + kCrumb < stream.quantum) {
    stream.quantum -= static_cast<std::uint32_t>(size);
  } else {
    leave(stream);
    enter(stream, true);
  }
}

void Scheduler::enter(Stream& stream, bool bulk) noexcept {
  stream.bulk = bulk;
  stream.quantum = kQuantum;
  list_of(stream).push_back(stream);
}

void Scheduler::leave(Stream& stream) noexcept {
  if (stream.bulk) small_run_ = 0;  // its turn is over
  list_of(stream).remove(stream);
}

}  // namespace ggen::p2p::yamux
