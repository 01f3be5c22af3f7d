#pragma once

#include <cstdint>
#include <variant>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/yamux/types.hpp>

namespace ggen::p2p::yamux {

namespace event {

/// The remote opened a stream. It is acknowledged with the first thing that this side does with it:
/// write(), consume() or finish().
struct StreamOpened {
  StreamId stream;
};
/// Bytes of the remote, never empty: a slice of what receive() was given. A frame may come in
/// several pieces.
struct Data {
  StreamId stream;
  base::Buffer data;
};
/// write() took less than it was given before; now at least half of the send queue is free.
struct Writable {
  StreamId stream;
};
/// The remote will send no more; this side may still write.
struct Finished {
  StreamId stream;
};
/// The last event of a stream, however it was opened: the id is dead, and calls with it do nothing.
struct StreamClosed {
  StreamId stream;
  StreamEnd end{};
};
/// A GO_AWAY of the remote ends the session at once, open streams included: that is how go-yamux,
/// rust-yamux and js-libp2p mean it and take it.
///
/// The last event of the session; each open stream has got its StreamClosed before it. Transmit
/// what is left (the GO_AWAY), then close the transport: some remotes leave it open.
struct SessionClosed {
  Error error{};
  std::uint32_t remote_code = 0;  ///< what the remote's GO_AWAY said; a GoAwayCode or its own
};

}  // namespace event

using Event = std::variant<event::StreamOpened, event::Data, event::Writable, event::Finished,
                           event::StreamClosed, event::SessionClosed>;

}  // namespace ggen::p2p::yamux
