#include "hostile_channel.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/gossipsub/config.hpp>
#include <ggen/p2p/kad/config.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/registry/fetch.hpp>

namespace ggen::p2p::sim {

using connection::Direction;
using connection::StreamId;
namespace event = connection::event;

namespace {

constexpr base::Duration kBeat = std::chrono::seconds{1};
constexpr std::size_t kMaxFrame = 1024 * 1024;
// What is longer is a piece of a chunk, or of a list of chunks.
constexpr std::size_t kLongestHeader = 256;

bool is_gossip(std::string_view protocol) {
  return std::ranges::find(gossipsub::kProtocols, protocol) != gossipsub::kProtocols.end();
}
bool is_dht(std::string_view protocol) {
  return protocol == kad::Config{}.protocol;
}
bool is_marketplace(std::string_view protocol) {
  const auto all = registry::Engine::protocols();
  return std::ranges::find(all, protocol) != all.end();
}

}  // namespace

HostileChannel::Stream* HostileChannel::find(StreamId stream) {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : &found->second;
}

void HostileChannel::watch(StreamId stream, Use use) {
  streams_.try_emplace(stream, Stream{use, base::FrameDecoder{kMaxFrame}});
}

// ---- What its node does ----

std::expected<StreamId, connection::OpenError> HostileChannel::open(
    std::span<const std::string> protocols, base::Instant now) {
  now_ = now;
  const auto stream = inner_->open(protocols, now);
  if (stream && std::ranges::all_of(protocols, is_gossip)) {
    watch(*stream, Use::kGossip);
    if (!next_spam_) next_spam_ = std::max(now, mind_->hostility.begins) + kBeat;
  }
  return stream;
}

std::size_t HostileChannel::write(StreamId id, base::BytesView bytes, base::Instant now) {
  now_ = now;
  Stream* stream = find(id);
  if (stream == nullptr) return inner_->write(id, bytes, now);
  if (stream->use == Use::kSpoilt) return spoil(id, bytes);
  base::Buffer data = base::Buffer::copy_of(bytes);
  while (!data.empty()) {
    const auto frame = stream->decoder.take(data);
    if (!frame || !*frame) break;  // its own node's frames are well formed
    if (auto rest = mind_->pass(**frame, mind_->active(now))) say(id, *stream, std::move(*rest));
  }
  return bytes.size();
}

std::size_t HostileChannel::spoil(StreamId id, base::BytesView bytes) {
  if (bytes.size() <= kLongestHeader) return inner_->write(id, bytes, now_);
  base::Bytes spoilt = base::to_bytes(bytes);
  spoilt.front() ^= 1;
  return inner_->write(id, spoilt, now_);
}

void HostileChannel::finish(StreamId stream, base::Instant now) {
  now_ = now;
  streams_.erase(stream);
  inner_->finish(stream, now);
}

// ---- What others do ----

std::optional<connection::ChannelEvent> HostileChannel::poll() {
  while (auto event = inner_->poll()) {
    if (!takes(*event)) return event;
  }
  return std::nullopt;
}

bool HostileChannel::takes(const connection::ChannelEvent& event) {
  return std::visit(base::Overloaded{
                        [&](const event::StreamOpened& e) { return takes_opened(e); },
                        [&](const event::StreamClosed& e) { return takes_closed(e); },
                        [&](const event::StreamData& e) {
                          Stream* stream = find(e.stream);
                          if (stream == nullptr || is_nodes(stream->use)) return false;
                          inner_->consume(e.stream, e.data.size(), now_);
                          if (stream->use == Use::kQuestions) question(e.stream, *stream, e.data);
                          return true;
                        },
                        [&](const event::StreamFinished& e) {
                          Stream* stream = find(e.stream);
                          if (stream == nullptr || is_nodes(stream->use)) return false;
                          stream->finishing = true;
                          flush(e.stream, *stream);
                          return true;
                        },
                        [&](const event::StreamWritable& e) {
                          Stream* stream = find(e.stream);
                          if (stream == nullptr || stream->use == Use::kSpoilt) return false;
                          flush(e.stream, *stream);
                          return true;
                        },
                        [&](const event::Closed&) {
                          later_.clear();
                          next_spam_.reset();
                          return false;
                        },
                        [](const auto&) { return false; },
                    },
                    event);
}

bool HostileChannel::takes_opened(const event::StreamOpened& opened) {
  if (opened.direction != Direction::kInbound || !mind_->active(now_)) return false;
  if (is_dht(opened.protocol) && mind_->hostility.dht != Hostility::Dht::kHonest) {
    watch(opened.stream, Use::kQuestions);
    return true;
  }
  if (is_marketplace(opened.protocol) && mind_->hostility.withholds) {
    watch(opened.stream, Use::kRefused);
    inner_->reset(opened.stream, now_);
    return true;
  }
  if (opened.protocol == registry::kFetchProtocol && mind_->hostility.spoils) {
    watch(opened.stream, Use::kSpoilt);
  }
  return false;
}

bool HostileChannel::takes_closed(const event::StreamClosed& closed) {
  const auto found = streams_.find(closed.stream);
  if (found == streams_.end()) return false;
  const Use use = found->second.use;
  streams_.erase(found);
  return !is_nodes(use);
}

void HostileChannel::question(StreamId id, Stream& stream, base::Buffer data) {
  while (!data.empty()) {
    const auto frame = stream.decoder.take(data);
    if (!frame) return inner_->reset(id, now_);
    if (!*frame) return;
    auto answer = mind_->answer((*frame)->view());
    if (!answer) continue;
    ++stream.waiting;
    later_.push_back({now_ + mind_->hostility.answers_after, id, std::move(*answer)});
  }
}

// ---- What it says ----

void HostileChannel::say(StreamId id, Stream& stream, base::Buffer bytes) {
  stream.out.push(std::move(bytes));
  flush(id, stream);
}

void HostileChannel::flush(StreamId id, Stream& stream) {
  while (!stream.out.empty()) {
    const std::size_t taken = inner_->write(id, stream.out.front(), now_);
    if (taken == 0) return;
    stream.out.pop(taken);
  }
  if (stream.finishing && stream.waiting == 0) inner_->finish(id, now_);
}

void HostileChannel::spam() {
  for (auto& [id, stream] : streams_) {
    if (stream.use != Use::kGossip) continue;
    if (auto frame = mind_->spam()) say(id, stream, std::move(*frame));
  }
}

void HostileChannel::handle_timeout(base::Instant now) {
  now_ = now;
  inner_->handle_timeout(now);
  while (!later_.empty() && later_.front().when <= now) {
    const Later due = std::move(later_.front());
    later_.pop_front();
    Stream* stream = find(due.stream);
    if (stream == nullptr) continue;
    --stream->waiting;
    say(due.stream, *stream, base::encode_frame(due.answer));
  }
  if (next_spam_ && *next_spam_ <= now) {
    next_spam_ = now + kBeat;
    spam();
  }
}

std::optional<base::Instant> HostileChannel::next_deadline() const {
  auto next = inner_->next_deadline();
  if (!later_.empty()) next = base::earlier(next, later_.front().when);
  return base::earlier(next, next_spam_);
}

// ---- What is passed on ----

void HostileChannel::receive(base::MutableBytes bytes, base::Instant now) {
  now_ = now;
  inner_->receive(bytes, now);
}
void HostileChannel::receive_end(bool clean, base::Instant now) {
  now_ = now;
  inner_->receive_end(clean, now);
}
bool HostileChannel::wants_transmit() const {
  return inner_->wants_transmit();
}
std::size_t HostileChannel::transmit(base::MutableBytes out, base::Instant now) {
  now_ = now;
  return inner_->transmit(out, now);
}
void HostileChannel::reset(StreamId stream, base::Instant now) {
  now_ = now;
  inner_->reset(stream, now);
}
void HostileChannel::consume(StreamId stream, std::size_t size, base::Instant now) {
  now_ = now;
  inner_->consume(stream, size, now);
}
void HostileChannel::close(base::Instant now) {
  now_ = now;
  inner_->close(now);
}

}  // namespace ggen::p2p::sim
