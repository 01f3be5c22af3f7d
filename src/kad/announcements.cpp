#include "announcements.hpp"

#include <utility>
#include <variant>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/overloaded.hpp>

namespace ggen::p2p::kad {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

namespace {

// Beside those of Requests, whose tokens are ids too: a slot is not used two thousand million
// times.
constexpr connection::OpenToken kOurs = connection::OpenToken{1} << 63;
// Two keep the stream busy.
constexpr std::size_t kMaxUnanswered = 2;
constexpr std::size_t kWriteSize = 8 * 1024;

}  // namespace

bool Announcements::has_room() const {
  return streams_.size() < state_.config.maintenance.max_announced;
}

void Announcements::begin(Batch batch, base::Instant now) {
  const multiformats::PeerId peer = batch.peer.peer;
  const Id id = streams_.emplace(Stream{.batch = std::move(batch), .started = now, .ref = {}});
  timers_.set(id, now + state_.config.query.request_timeout);
  state_.outputs.push(
      output::Open{id.value() | kOurs, peer, std::nullopt, {state_.config.protocol}});
}

std::optional<Announcements::Id> Announcements::id_of(connection::OpenToken token) const {
  if ((token & kOurs) == 0) return std::nullopt;
  return Id{static_cast<std::uint32_t>(token), static_cast<std::uint32_t>((token & ~kOurs) >> 32)};
}

std::optional<Announcements::Id> Announcements::id_of(connection::StreamRef ref) const {
  const Id* id = refs_.find(ref);
  return id == nullptr ? std::nullopt : std::optional{*id};
}

bool Announcements::handle(connection::StreamInput& in, base::Instant now) {
  const auto opened = [&](const input::Opening& opening, Id id) {
    Stream* stream = streams_.find(id);
    if (stream == nullptr) {
      state_.outputs.push(output::Reset{opening.stream});  // given up meanwhile
      return;
    }
    stream->ref = opening.stream;
    refs_.try_emplace(opening.stream, id);
    write(id, now);
  };
  const auto failed = [&](const input::OpenFailed& in_failed, Id id) {
    const bool unreachable = in_failed.failure == connection::OpenFailure::kNotConnected;
    end(id, false, unreachable ? RequestError::kUnreachable : RequestError::kRefused, now);
  };
  return std::visit(base::Overloaded{
                        [&](const input::Opening& event) {
                          const auto id = id_of(event.token);
                          if (id) opened(event, *id);
                          return id.has_value();
                        },
                        [&](const input::OpenFailed& event) {
                          const auto id = id_of(event.token);
                          if (id) failed(event, *id);
                          return id.has_value();
                        },
                        [&](const input::Opened& event) {
                          const auto id = id_of(event.stream);
                          if (!id) return false;
                          streams_.find(*id)->agreed = true;
                          write(*id, now);
                          return true;
                        },
                        [&](const input::Data& event) {
                          const auto id = id_of(event.stream);
                          // There is no answer; what comes all the same is of no interest.
                          if (id) {
                            state_.outputs.push(output::Consume{event.stream, event.data.size()});
                          }
                          return id.has_value();
                        },
                        [&](const input::Written& event) {
                          const auto id = id_of(event.stream);
                          if (!id) return false;
                          --streams_.find(*id)->unanswered;
                          write(*id, now);
                          return true;
                        },
                        [&](const input::Finished& event) {
                          const auto id = id_of(event.stream);
                          if (!id) return false;
                          Stream& stream = *streams_.find(*id);
                          stream.remote_finished = true;
                          if (stream.finished) end(*id, true, std::nullopt, now);
                          return true;
                        },
                        [&](const input::Closed& event) {
                          const auto id = id_of(event.stream);
                          if (id) closed(*id, event.end, now);
                          return id.has_value();
                        },
                    },
                    in);
}

/// Goes on as far as the peer takes it; ends the stream behind the last message.
void Announcements::write(Id id, base::Instant now) {
  Stream& stream = *streams_.find(id);
  timers_.set(id, now + state_.config.query.request_timeout);
  while (stream.written < stream.batch.keys.size() && stream.unanswered < kMaxUnanswered) {
    base::Buffer messages = next_messages(stream);
    if (messages.empty()) continue;
    ++stream.unanswered;
    state_.outputs.push(output::Write{*stream.ref, std::move(messages)});
  }
  const bool all_sent = stream.unanswered == 0 && stream.written == stream.batch.keys.size();
  if (!all_sent || !stream.agreed || stream.finished) return;
  stream.finished = true;
  state_.outputs.push(output::Finish{*stream.ref});
  if (stream.remote_finished) end(id, true, std::nullopt, now);
}

base::Buffer Announcements::next_messages(Stream& stream) const {
  PeerRecord own = state_.own_record();
  own.connection = Connectedness::kNotConnected;
  Message message{.type = MessageType::kAddProvider, .providers = {std::move(own)}};
  base::Bytes bytes;
  while (stream.written < stream.batch.keys.size() && bytes.size() < kWriteSize) {
    base::Bytes& key = stream.batch.keys[stream.written++];
    if (!state_.provided.contains(key)) continue;  // no longer
    message.key = std::move(key);
    base::append(bytes, base::encode_frame(encode_message(message)).view());
  }
  return base::Buffer::copy_of(bytes);
}

void Announcements::closed(Id id, connection::StreamEnd how, base::Instant now) {
  Stream& stream = *streams_.find(id);
  refs_.erase(*stream.ref);
  stream.ref.reset();
  const bool good = how == connection::StreamEnd::kClosed && stream.finished;
  std::optional<RequestError> error;
  if (!good && !stream.agreed) {
    const bool refused = how == connection::StreamEnd::kProtocolRefused;
    error = refused ? RequestError::kUnsupported : RequestError::kClosed;
  }
  end(id, good, error, now);
}

void Announcements::end(Id id, bool taken, std::optional<RequestError> error, base::Instant now) {
  const Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  done_.push({stream->batch.region, stream->batch.share, stream->batch.peer.peer,
              stream->batch.keys.size(), taken, error, now - stream->started});
  if (stream->ref) {
    refs_.erase(*stream->ref);
    if (!stream->finished || !stream->remote_finished)
      state_.outputs.push(output::Reset{*stream->ref});
  }
  timers_.set(id, std::nullopt);
  streams_.erase(id);
}

void Announcements::handle_timeout(base::Instant now) {
  while (const auto id = timers_.pop_due(now)) {
    const Stream& stream = *streams_.find(*id);
    // What a peer does with a stream that this side has ended differs.
    if (stream.finished) {
      end(*id, true, std::nullopt, now);
    } else {
      end(*id, false, RequestError::kTimeout, now);
    }
  }
}

}  // namespace ggen::p2p::kad
