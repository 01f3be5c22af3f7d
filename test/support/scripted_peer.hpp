#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/connection/stream_io.hpp>

namespace ggen::p2p::test {

/// Plays a remote peer that does exactly what a test says, right or wrong, against one protocol
/// engine. The engine's Writes are answered at once unless told otherwise.
template <class Engine>
class ScriptedPeer {
 public:
  using Output = typename decltype(std::declval<Engine&>().poll())::value_type;

  /// What the engine has done to a stream.
  struct Seen {
    base::Bytes written;
    std::size_t writes = 0;
    std::size_t consumed = 0;
    bool finished = false;
    bool reset = false;
  };

  ScriptedPeer(Engine& engine, const multiformats::PeerId& peer) : engine_(engine), peer_(peer) {}

  [[nodiscard]] base::Instant now() const noexcept { return now_; }
  static constexpr connection::ConnectionId kConnection{7, 1};

  template <class Mutate>
  void call(Mutate&& mutate) {
    deadline_ = base::step(engine_, now_, std::forward<Mutate>(mutate),
                           [this](Output output) { take(std::move(output)); });
    // Answers to Writes are inputs of their own.
    while (answer_writes_ && !unanswered_.empty()) written(unanswered_.front());
  }
  void tell(connection::StreamInput input) {
    call([&](Engine& engine) { engine.handle(std::move(input), now_); });
  }
  /// Lets time pass, deadline by deadline.
  void pass(base::Duration duration) {
    const base::Instant until = now_ + duration;
    while (deadline_ && *deadline_ <= until) {
      now_ = *deadline_;
      call([](Engine&) {});
    }
    now_ = until;
  }
  [[nodiscard]] std::optional<base::Instant> deadline() const { return deadline_; }

  /// Opens a stream to the engine.
  connection::StreamRef open(std::string_view protocol) {
    const connection::StreamRef stream = next_stream();
    tell(connection::stream_input::Opened{stream, peer_, connection::Direction::kInbound,
                                          std::string{protocol}});
    return stream;
  }
  /// The streams that the engine asked for and nobody has answered yet, oldest first.
  std::vector<connection::stream_output::Open>& asked() { return asked_; }
  /// Lets the oldest such stream come into being, without an answer of the remote yet.
  connection::StreamRef begin_open() {
    const connection::OpenToken token = asked_.at(0).token;
    protocol_ = asked_.at(0).protocols.at(0);
    asked_.erase(asked_.begin());
    const connection::StreamRef stream = next_stream();
    tell(connection::stream_input::Opening{token, stream});
    return stream;
  }
  void agree(connection::StreamRef stream) {
    tell(connection::stream_input::Opened{stream, peer_, connection::Direction::kOutbound,
                                          protocol_});
  }
  connection::StreamRef accept_open() {
    const connection::StreamRef stream = begin_open();
    agree(stream);
    return stream;
  }

  void send(connection::StreamRef stream, base::BytesView bytes) {
    tell(connection::stream_input::Data{stream, base::Buffer::copy_of(bytes)});
  }
  void finish(connection::StreamRef stream) { tell(connection::stream_input::Finished{stream}); }
  void close(connection::StreamRef stream, connection::StreamEnd end) {
    tell(connection::stream_input::Closed{stream, end});
  }

  /// With false, the remote does not read: nothing that the engine writes is answered.
  void answer_writes(bool yes) {
    answer_writes_ = yes;
    call([](Engine&) {});
  }
  [[nodiscard]] std::size_t unanswered() const { return unanswered_.size(); }

  [[nodiscard]] Seen& seen(connection::StreamRef stream) { return seen_[stream]; }

  template <class Event>
  std::vector<Event> take_events() {
    std::vector<Event> found;
    std::vector<Output> rest;
    for (Output& output : events_) {
      if (auto* event = std::get_if<Event>(&output)) {
        found.push_back(std::move(*event));
      } else {
        rest.push_back(std::move(output));
      }
    }
    events_ = std::move(rest);
    return found;
  }
  [[nodiscard]] bool no_events() const { return events_.empty(); }

 private:
  connection::StreamRef next_stream() { return {kConnection, {next_stream_++}}; }

  void written(connection::StreamRef stream) {
    unanswered_.erase(unanswered_.begin());
    deadline_ = base::step(
        engine_, now_,
        [&](Engine& engine) { engine.handle(connection::stream_input::Written{stream}, now_); },
        [this](Output output) { take(std::move(output)); });
  }

  void take(Output output) {
    if (auto* io = std::get_if<connection::StreamOutput>(&output)) {
      std::visit([&](auto& out) { take_io(out); }, *io);
    } else {
      events_.push_back(std::move(output));
    }
  }
  void take_io(connection::stream_output::Open& open) { asked_.push_back(std::move(open)); }
  void take_io(const connection::stream_output::Write& write) {
    Seen& stream = seen_[write.stream];
    base::append(stream.written, write.data.view());
    ++stream.writes;
    unanswered_.push_back(write.stream);
  }
  void take_io(const connection::stream_output::Finish& finish) {
    seen_[finish.stream].finished = true;
  }
  void take_io(const connection::stream_output::Reset& reset) {
    seen_[reset.stream].reset = true;
    std::erase(unanswered_, reset.stream);
  }
  void take_io(const connection::stream_output::Consume& consume) {
    seen_[consume.stream].consumed += consume.size;
  }

  Engine& engine_;
  multiformats::PeerId peer_;
  base::Instant now_{};
  std::optional<base::Instant> deadline_;
  std::uint32_t next_stream_ = 1;
  std::string protocol_;
  std::vector<connection::stream_output::Open> asked_;
  std::vector<connection::StreamRef> unanswered_;
  std::map<connection::StreamRef, Seen> seen_;
  std::vector<Output> events_;
  bool answer_writes_ = true;
};

}  // namespace ggen::p2p::test
