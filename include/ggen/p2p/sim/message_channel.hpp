#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/node/channel_factory.hpp>

namespace ggen::p2p::sim {

/// The limits of one message channel; the names and defaults are those of connection::Config and
/// yamux::Config. Together they bound what a remote can make a channel hold: for each stream, what
/// its window lets in and its send queue holds; a frame's worth of protocol names; 5 bytes for each
/// answer that is not transmitted yet.
struct MessageChannelConfig {
  /// From the transport's connect until streams can be opened.
  base::Duration handshake_timeout = std::chrono::seconds{10};
  /// From a stream's opening until the remote has agreed to a protocol.
  base::Duration stream_negotiation_timeout = std::chrono::seconds{10};
  /// Streams that this side opened and that exist at once.
  std::size_t max_outbound_streams = 256;
  /// Streams that the remote opened and that exist at once; further ones are reset.
  std::size_t max_inbound_streams = 512;
  /// Streams beyond those whose reset is not transmitted yet. One more ends the channel.
  std::size_t max_pending_refusals = 256;
  /// Bytes written to a stream and not transmitted yet.
  std::size_t send_queue_limit = 256 * 1024;
};

/// Channels that keep connection::Channel's contract by plain ordered delivery: no negotiation, no
/// encryption and no yamux, for simulations of so many nodes that those would be all the work. Both
/// ends must be message channels.
///
/// A channel at rest with two streams takes about 500 bytes and has no deadline. What differs from
/// the real channel: nobody proves an identity, a peer is believed the key that it sends; windows
/// stay at 256 KiB; there are no keep-alive pings, so that a remote which falls silent is noticed
/// by the layers above only. The handshake takes as many trips as Noise: the dialler is secured
/// after one round trip, the listener half a trip later, and it does not learn of a dialler that
/// wanted somebody else.
[[nodiscard]] std::unique_ptr<node::ChannelFactory> make_message_channels(
    MessageChannelConfig config, const crypto::KeyPair& identity);

}  // namespace ggen::p2p::sim
