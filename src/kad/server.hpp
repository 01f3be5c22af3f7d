#pragma once

#include <cstddef>
#include <optional>

#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/stream_io.hpp>

#include "state.hpp"

namespace ggen::p2p::kad {

/// The answering side of streams: any number of requests on each, answered in order, one at a time.
class Server {
 public:
  explicit Server(State& state) : state_(state), mode_(state.config.mode) {}

  void set_mode(Mode mode);
  [[nodiscard]] Mode mode() const noexcept { return mode_; }

  // Inputs that concern no stream of ours do nothing.
  void handle(const connection::stream_input::Opened& in, base::Instant now);
  void handle(connection::stream_input::Data& in, base::Instant now);
  void handle(const connection::stream_input::Written& in, base::Instant now);
  void handle(const connection::stream_input::Finished& in, base::Instant now);
  void handle(const connection::stream_input::Closed& in);

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return timers_.earliest(); }

 private:
  struct Stream {
    multiformats::PeerId peer;
    base::FrameDecoder decoder;
    base::Buffer current{};     // what is being read
    base::ByteQueue pending{};  // what has come behind it
    bool writing = false;       // an answer is not yet under way
    bool remote_finished = false;
    bool finished = false;
  };

  void advance(connection::StreamRef ref, base::Instant now);
  [[nodiscard]] bool serve_one(connection::StreamRef ref, Stream& stream, base::Instant now);
  void drop(connection::StreamRef ref, DropReason reason);
  void forget(connection::StreamRef ref);

  State& state_;
  Mode mode_;
  base::HashMap<connection::StreamRef, Stream> streams_;
  base::HashMap<multiformats::PeerId, std::size_t> per_peer_;
  base::TimerHeap<connection::StreamRef> timers_;
};

}  // namespace ggen::p2p::kad
