#include "state.hpp"

#include <ggen/p2p/base/assert.hpp>

namespace ggen::p2p::yamux {

Session::State::State(Role own_role, const Config& limits, base::Instant now)
    : role(own_role),
      config(limits),
      keep_alive(limits, now),
      growth{limits.max_stream_window, limits.max_window_growth},
      local_ids(StreamId{own_role == Role::kClient ? 1u : 2u}) {
  GGEN_INVARIANT(config.max_stream_window >= kInitialWindow && config.max_stream_window < 1u << 31);
  GGEN_INVARIANT(config.send_queue_limit > 0);
  GGEN_INVARIANT(config.keep_alive_interval > base::Duration::zero() &&
                 config.keep_alive_timeout > base::Duration::zero());
}

bool Session::State::opened_by_remote(StreamId id) const noexcept {
  return opened_by_client(id) != (role == Role::kClient);
}

Stream* Session::State::find_alive(StreamId id) const noexcept {
  Stream* stream = streams.find(id);
  return stream != nullptr && !stream->dead ? stream : nullptr;
}

void Session::State::close_if_done(Stream& stream) {
  if (!stream.remote_finished || !stream.fin_sent) return;
  events.push(event::StreamClosed{stream.id, StreamEnd::kClosed});
  release(stream);
}

void Session::State::drop_content(Stream& stream) noexcept {
  stream.queue.clear();
  stream.receive.release(growth);
  stream.credit_due = false;
  if (body.stream == &stream) body.stream = nullptr;
}

void Session::State::release(Stream& stream) noexcept {
  drop_content(stream);
  mark_acknowledged(stream);
  if (!stream.local) --inbound;
  scheduler.remove(stream);
  streams.erase(stream);
}

void Session::State::mark_acknowledged(Stream& stream) noexcept {
  if (stream.acknowledged) return;
  stream.acknowledged = true;
  --(stream.local ? unacknowledged_outbound : unacknowledged_inbound);
}

void Session::State::end(Error error, std::optional<GoAwayCode> code, std::uint32_t remote_code) {
  if (ended) return;
  ended = true;
  for (const Stream* stream : streams.sorted()) {
    if (!stream->dead) events.push(event::StreamClosed{stream->id, StreamEnd::kSession});
  }
  events.push(event::SessionClosed{error, remote_code});
  streams.clear();
  scheduler = {};
  give_back(pongs);
  give_back(refusals);
  body = {};
  if (code) go_away = static_cast<std::uint32_t>(*code);
}

}  // namespace ggen::p2p::yamux
