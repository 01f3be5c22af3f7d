#pragma once

#include <cstdint>

#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/yamux/frame.hpp>
#include <ggen/p2p/yamux/types.hpp>

#include "list.hpp"
#include "receive_window.hpp"

namespace ggen::p2p::yamux {

/// One stream. What it has to send is not queued as frames but follows from these fields, so that
/// no behaviour of the remote can make it hold more than they do.
struct Stream {
  Stream(StreamId stream, bool opened_here, base::Instant now) noexcept
      : id(stream), local(opened_here), announce(opened_here), receive(now) {}

  StreamId id;
  bool local;                 ///< opened by this side
  bool greeted = false;       ///< SYN (local) or ACK (remote) has been sent
  bool acknowledged = false;  ///< local: the remote has answered
  bool announce;              ///< SYN or ACK may go in a frame of its own
  bool credit_due = false;    ///< a window update is worth sending
  bool finishing = false;     ///< finish() was called
  bool fin_sent = false;
  bool remote_finished = false;
  bool write_refused = false;  ///< the owner waits for Writable
  bool dead = false;           ///< reset here: only the RST is left to send
  bool bulk = false;           ///< Scheduler: waits among the streams with much to send
  std::uint32_t quantum = 0;   ///< Scheduler: bytes left in its turn

  std::uint32_t send_window = kInitialWindow;
  ReceiveWindow receive;
  base::ByteQueue queue;

  ListHook<Stream> control_hook;
  ListHook<Stream> data_hook;

  [[nodiscard]] bool sendable() const noexcept {
    return !dead && send_window > 0 && !queue.empty();
  }
  [[nodiscard]] bool fin_due() const noexcept { return finishing && !fin_sent && queue.empty(); }
  /// Whether it has something to say that does not wait for, or travel with, its data.
  [[nodiscard]] bool has_control() const noexcept {
    return dead || credit_due || fin_due() || (announce && !greeted && !sendable());
  }
};

}  // namespace ggen::p2p::yamux
