#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "owner.hpp"

namespace ggen::p2p::yamux::test {

/// Checks one direction's DATA against the other's WINDOW_UPDATEs, from what passes on the wire
/// alone. Throws on the first frame that breaks the rules.
class WindowModel {
 public:
  /// A frame of the data's sender has been put on the wire.
  void sent(const Frame& frame) {
    Stream& stream = at(frame.header.stream);
    if (frame.header.type != FrameType::kData) return;
    if (frame.header.length > stream.known_credit) throw std::logic_error("sent without credit");
    stream.known_credit -= frame.header.length;
    stream.sent += frame.header.length;
    largest_data_ = std::max<std::size_t>(largest_data_, frame.header.length);
  }
  /// A WINDOW_UPDATE of the data's receiver has been put on the wire, when its owner had consumed
  /// `consumed` bytes of the stream.
  void granted(const Frame& frame, std::size_t consumed) {
    const std::uint32_t delta = frame.header.length;
    if (frame.header.type != FrameType::kWindowUpdate || delta == 0) return;
    Stream& stream = at(frame.header.stream);
    if (delta < kInitialWindow / 2) throw std::logic_error("an update that is not worth a frame");
    stream.granted += delta;
    // What may be on the way or unconsumed at once is the window.
    const std::size_t window = stream.granted - consumed;
    if (window < stream.window) throw std::logic_error("the window shrank");
    if (window > 2 * stream.window) throw std::logic_error("the window more than doubled");
    stream.window = window;
  }
  /// It has reached the data's sender.
  void credit(const Frame& frame) {
    if (frame.header.type == FrameType::kWindowUpdate && !frame.header.has(flag::kRst)) {
      at(frame.header.stream).known_credit += frame.header.length;
    }
  }

  [[nodiscard]] std::size_t window(StreamId stream) { return at(stream).window; }
  [[nodiscard]] std::size_t sent_bytes(StreamId stream) { return at(stream).sent; }
  [[nodiscard]] std::size_t largest_data() const { return largest_data_; }

 private:
  struct Stream {
    std::size_t known_credit = kInitialWindow;
    std::size_t granted = kInitialWindow;
    std::size_t window = kInitialWindow;
    std::size_t sent = 0;
  };
  Stream& at(StreamId stream) { return streams_[stream.value]; }

  std::map<std::uint32_t, Stream> streams_;
  std::size_t largest_data_ = 0;
};

struct Link {
  base::Duration latency = 1ms;
  std::size_t bytes_per_second = 0;      ///< 0: no limit
  std::size_t span = 65408;              ///< what transmit() gets
  std::size_t cut = SIZE_MAX;            ///< receive() gets pieces of at most this size
  std::size_t socket = 4 * 1024 * 1024;  ///< bytes on the way; nothing is pulled beyond
};

/// A client and a server, joined by a link, in virtual time. Each frame on the wire is checked.
class Pair {
 public:
  explicit Pair(Link link = {}, const Config& config = {})
      : link_(link), ends_{End{Role::kClient, config}, End{Role::kServer, config}} {}

  [[nodiscard]] Owner& client() { return ends_[0].owner; }
  [[nodiscard]] Owner& server() { return ends_[1].owner; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Link& link() { return link_; }
  /// The rules for what `owner` sends as data.
  [[nodiscard]] WindowModel& model(const Owner& owner) { return ends_[index(owner)].data_model; }
  /// While false, the bytes for `owner` stay on the way.
  void set_reading(const Owner& owner, bool reading) { ends_[index(owner)].reading = reading; }

  /// Runs for `time`; `each` is called at every step and after every transmission, and may
  /// use the owners.
  void run(base::Duration time, const std::function<void()>& each = [] {}) {
    const Instant end = now_ + time;
    for (;;) {
      do {
        each();
      } while (pump());
      const std::optional<Instant> next = next_step();
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      deliver();
      for (End& side : ends_) {
        if (due(side)) side.owner.session.handle_timeout(now_);
        side.owner.drain(now_);
      }
    }
    now_ = end;
  }

  /// Opens a stream from the client and lets the server know it.
  StreamId open() {
    const StreamId stream = client().session.open(now_).value();
    run(2 * link_.latency);
    return stream;
  }

 private:
  struct Message {
    Instant arrival;
    Bytes bytes;
  };
  struct End {
    End(Role role, const Config& config) : owner(role, config) {}

    Owner owner;
    bool reading = true;
    std::deque<Message> inbox;
    std::size_t inbox_bytes = 0;
    Instant line_free;  // when what this side has sent has left it
    FrameParser outgoing;
    FrameParser incoming;
    WindowModel data_model;  // of the data that this side sends
  };

  [[nodiscard]] std::size_t index(const Owner& owner) const { return &owner == &ends_[1].owner; }
  [[nodiscard]] bool due(const End& end) const {
    const auto deadline = end.owner.session.next_deadline();
    return deadline && *deadline <= now_;
  }

  /// Moves what can be sent now to the link; true when there was anything.
  bool pump() {
    Bytes out(link_.span);
    bool moved = false;
    for (std::size_t i = 0; i < 2; ++i) {
      End& from = ends_[i];
      End& to = ends_[1 - i];
      while (from.owner.session.wants_transmit() && to.inbox_bytes < link_.socket) {
        const std::size_t size = from.owner.session.transmit(out, now_);
        if (size == 0) throw std::logic_error("wants_transmit(), and nothing was written");
        const BytesView bytes = BytesView{out}.first(size);
        for (const Frame& frame : from.outgoing.feed(bytes)) {
          if (frame.header.stream == StreamId{}) continue;
          from.data_model.sent(frame);
          const auto& seen = from.owner.at(frame.header.stream);
          to.data_model.granted(frame, seen.received.size() - seen.unconsumed);
        }
        base::Duration busy{0};
        if (link_.bytes_per_second > 0) {
          busy = base::Duration{size * 1'000'000'000 / link_.bytes_per_second};
        }
        from.line_free = std::max(from.line_free, now_) + busy;
        to.inbox.push_back({from.line_free + link_.latency, base::to_bytes(bytes)});
        to.inbox_bytes += size;
        from.owner.drain(now_);
        moved = true;
      }
    }
    return moved;
  }

  void deliver() {
    for (End& end : ends_) {
      while (end.reading && !end.inbox.empty() && end.inbox.front().arrival <= now_) {
        const Bytes bytes = std::move(end.inbox.front().bytes);
        end.inbox.pop_front();
        end.inbox_bytes -= bytes.size();
        for (const Frame& frame : end.incoming.feed(bytes)) end.data_model.credit(frame);
        for (std::size_t at = 0; at < bytes.size(); at += std::min(link_.cut, bytes.size() - at)) {
          const std::size_t size = std::min(link_.cut, bytes.size() - at);
          end.owner.receive(BytesView{bytes}.subspan(at, size), now_);
        }
      }
    }
  }

  [[nodiscard]] std::optional<Instant> next_step() const {
    std::optional<Instant> next;
    for (const End& end : ends_) {
      next = base::earlier(next, end.owner.session.next_deadline());
      if (end.reading && !end.inbox.empty()) next = base::earlier(next, end.inbox.front().arrival);
    }
    return next;
  }

  Link link_;
  Instant now_;
  std::array<End, 2> ends_;
};

}  // namespace ggen::p2p::yamux::test
