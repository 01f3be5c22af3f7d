#pragma once

#include <memory>
#include <optional>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/channel.hpp>
#include <ggen/p2p/connection/protocol_set.hpp>
#include <ggen/p2p/connection/secure_channel.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::node {

/// Makes the channels of one node. A driver chooses: real ones over bytes, or the simulator's that
/// deliver messages.
class ChannelFactory {
 public:
  virtual ~ChannelFactory() = default;

  /// `expected_peer`: who must be at the other end, anybody when not given. `protocols` is the
  /// node's and outlives the channel; the factory outlives it too.
  [[nodiscard]] virtual std::unique_ptr<connection::Channel> make(
      connection::ConnectionId id, connection::Direction direction,
      std::optional<multiformats::PeerId> expected_peer, const connection::ProtocolSet& protocols,
      base::Instant now) = 0;
};

/// Channels over a byte stream, secured by Noise with a static key drawn here.
[[nodiscard]] std::unique_ptr<ChannelFactory> make_secure_channels(connection::Config config,
                                                                   crypto::Crypto& crypto,
                                                                   const crypto::KeyPair& identity);

}  // namespace ggen::p2p::node
