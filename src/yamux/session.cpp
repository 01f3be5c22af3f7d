#include <algorithm>

#include <ggen/p2p/yamux/session.hpp>

#include "state.hpp"

namespace ggen::p2p::yamux {
namespace {

// What is written is kept in blocks of this size: large enough for a Noise message, small enough to
// come from the pool.
constexpr std::size_t kWriteBlock = 64 * 1024 - 64;

}  // namespace

Session::Session(Role role, const Config& config, base::Instant now)
    : state_(std::make_unique<State>(role, config, now)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::expected<StreamId, OpenError> Session::open(base::Instant now) {
  State& state = *state_;
  if (state.ended) return std::unexpected(OpenError::kSessionClosed);
  if (state.unacknowledged_outbound >= state.config.max_ack_backlog) {
    return std::unexpected(OpenError::kBacklogFull);
  }
  const std::optional<StreamId> id = state.local_ids.take();
  if (!id) return std::unexpected(OpenError::kIdsExhausted);
  ++state.unacknowledged_outbound;
  state.scheduler.update(state.streams.emplace(*id, true, now));
  return *id;
}

std::size_t Session::write(StreamId id, base::BytesView bytes) {
  Stream* stream = state_->find_alive(id);
  if (stream == nullptr || stream->finishing) return 0;
  const std::size_t room = state_->config.send_queue_limit - stream->queue.size();
  const std::size_t size = std::min(bytes.size(), room);
  for (std::size_t at = 0; at < size; at += kWriteBlock) {
    stream->queue.push_copy(bytes.subspan(at, std::min(kWriteBlock, size - at)));
  }
  if (size < bytes.size()) stream->write_refused = true;
  state_->scheduler.update(*stream);
  return size;
}

std::size_t Session::writable(StreamId id) const noexcept {
  const Stream* stream = state_->find_alive(id);
  if (stream == nullptr || stream->finishing) return 0;
  return state_->config.send_queue_limit - stream->queue.size();
}

void Session::finish(StreamId id) {
  Stream* stream = state_->find_alive(id);
  if (stream == nullptr) return;
  stream->finishing = true;
  stream->write_refused = false;
  state_->scheduler.update(*stream);
}

void Session::reset(StreamId id) {
  Stream* stream = state_->find_alive(id);
  if (stream == nullptr) return;
  state_->events.push(event::StreamClosed{id, StreamEnd::kLocalReset});
  // The remote need not hear of a stream that it has not heard of.
  if (stream->local && !stream->greeted) return state_->release(*stream);
  state_->drop_content(*stream);
  stream->dead = true;
  state_->scheduler.update(*stream);
}

void Session::consume(StreamId id, std::size_t size, base::Instant now) {
  Stream* stream = state_->find_alive(id);
  if (stream == nullptr || size == 0) return;
  const bool due = stream->receive.consume(size, now, state_->keep_alive.rtt(), state_->growth);
  stream->credit_due = due && !stream->remote_finished;
  stream->announce = true;
  state_->scheduler.update(*stream);
}

void Session::go_away(GoAwayCode code) {
  state_->end(Error::kLocalGoAway, code);
}

std::optional<base::Duration> Session::rtt() const noexcept {
  return state_->keep_alive.rtt();
}

std::size_t Session::stream_count() const noexcept {
  return state_->streams.size();
}

void Session::handle_timeout(base::Instant now) {
  if (state_->ended) return;
  if (!state_->keep_alive.handle_timeout(now)) state_->end(Error::kKeepAliveTimeout, std::nullopt);
}

std::optional<Event> Session::poll() {
  return state_->events.pop();
}

std::optional<base::Instant> Session::next_deadline() const noexcept {
  if (state_->ended) return std::nullopt;
  return state_->keep_alive.deadline();
}

}  // namespace ggen::p2p::yamux
