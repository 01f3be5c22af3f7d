#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/yamux/session.hpp>

#include "wire.hpp"

namespace ggen::p2p::yamux::test {

using base::Bytes;
using base::BytesView;
using base::Instant;
using namespace std::chrono_literals;

static_assert(base::Engine<Session>);

/// The owner of one session: keeps what its events say, by stream.
struct Owner {
  struct Seen {
    bool opened_by_remote = false;
    Bytes received;
    std::size_t unconsumed = 0;
    int writable = 0;
    bool finished = false;
    std::optional<StreamEnd> end;
  };

  explicit Owner(Role role, const Config& config = {}, Instant now = {})
      : session(role, config, now) {}

  /// Takes the events; with consume_all, returns credit for all data at once.
  void drain(Instant now) {
    std::vector<event::Data> consumed;
    while (auto event = session.poll()) {
      std::visit(base::Overloaded{
                     [&](const event::StreamOpened& e) {
                       at(e.stream) = Seen{};
                       at(e.stream).opened_by_remote = true;
                       opened.push_back(e.stream);
                     },
                     [&](event::Data& e) {
                       base::append(at(e.stream).received, e.data.view());
                       at(e.stream).unconsumed += e.data.size();
                       ++data_events;
                       if (consume_all) consumed.push_back(std::move(e));
                     },
                     [&](const event::Writable& e) { ++at(e.stream).writable; },
                     [&](const event::Finished& e) { at(e.stream).finished = true; },
                     [&](const event::StreamClosed& e) { at(e.stream).end = e.end; },
                     [&](const event::SessionClosed& e) { closed = e; },
                 },
                 *event);
    }
    for (const event::Data& e : consumed) consume(e.stream, e.data.size(), now);
  }

  void consume(StreamId stream, std::size_t size, Instant now) {
    at(stream).unconsumed -= size;
    session.consume(stream, size, now);
    while (session.poll()) throw std::logic_error("consume() gives no events");
  }

  /// Gives the session raw frames, as a remote would.
  void receive(BytesView bytes, Instant now = {}) {
    session.receive(base::Buffer::copy_of(bytes), now);
    drain(now);
  }
  void receive(const Header& header, BytesView body = {}, Instant now = {}) {
    receive(encode(header, body), now);
  }

  /// Everything that the session wants to send, in spans of `span` bytes.
  std::vector<Frame> transmit(Instant now = {}, std::size_t span = 65408) {
    FrameParser parser;
    std::vector<Frame> frames;
    Bytes out(span);
    while (session.wants_transmit()) {
      const std::size_t size = session.transmit(out, now);
      if (size == 0) throw std::logic_error("wants_transmit(), and nothing was written");
      for (Frame& frame : parser.feed(BytesView{out}.first(size))) frames.push_back(frame);
      if (!parser.between_frames()) throw std::logic_error("a frame was cut");
    }
    drain(now);
    return frames;
  }

  Seen& at(StreamId stream) { return streams[stream.value]; }

  Session session;
  bool consume_all = true;
  std::map<std::uint32_t, Seen> streams;
  std::vector<StreamId> opened;
  std::size_t data_events = 0;
  std::optional<event::SessionClosed> closed;
};

/// An owner whose first ping has been sent, for tests that look at single frames.
inline Owner quiet_owner(Role role, const Config& config = {}) {
  Owner owner{role, config};
  if (owner.transmit() != std::vector<Frame>{{ping(1), {}}})
    throw std::logic_error("no first ping");
  return owner;
}

}  // namespace ggen::p2p::yamux::test
