#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/gossipsub/conduct.hpp>
#include <ggen/p2p/gossipsub/config.hpp>
#include <ggen/p2p/multiformats/ip_address.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

#include "id_set.hpp"
#include "peer_key.hpp"
#include "score_card.hpp"
#include "send_queue.hpp"

namespace ggen::p2p::gossipsub {

/// What a peer speaks; each can do what those before it can.
enum class Version : std::uint8_t { kFloodsub, kV10, kV11, kV12, kV13 };

[[nodiscard]] std::optional<Version> version_of(std::string_view protocol) noexcept;
[[nodiscard]] std::string_view protocol_of(Version version) noexcept;
/// The best version that both speak.
[[nodiscard]] std::optional<Version> best_version(std::span<const std::string> protocols) noexcept;

/// The stream that we write to.
struct Outbound {
  std::optional<connection::OpenToken> opening;
  std::optional<connection::StreamRef> stream;
  std::size_t unanswered = 0;  // Writes
  std::size_t attempts = 0;    // since a Write was last answered
  std::optional<base::Instant> retry_at;

  /// What is queued for the peer will be written, if all goes well.
  [[nodiscard]] bool usable() const noexcept { return opening || stream; }
};

/// What a peer has asked of us, or made us ask, since the last heartbeat.
struct Allowance {
  std::size_t ihave_frames = 0;
  std::size_t asked = 0;
  std::size_t iwant_ids = 0;
  std::size_t idontwant_ids = 0;
  std::size_t exchanged = 0;  // peers that it has named
};

/// Heartbeats for which an IDONTWANT is obeyed.
inline constexpr std::size_t kUnwantedHeartbeats = 3;

/// A connected peer.
struct Peer {
  Peer(const multiformats::PeerId& peer, const Limits& limits)
      : id(peer),
        decoder(limits.max_frame),
        queue(limits),
        unwanted(kUnwantedHeartbeats, kUnwantedHeartbeats * limits.max_idontwant_ids) {}

  multiformats::PeerId id;
  PeerKey key;
  Version version = Version::kFloodsub;
  connection::Direction direction = connection::Direction::kInbound;
  bool direct = false;
  std::optional<multiformats::IpAddress> host;  // that counts for colocation
  base::Bytes signed_record;                    // for peer exchange

  std::optional<connection::StreamRef> inbound;
  bool inbound_read = false;  // a frame has come on it
  base::FrameDecoder decoder;
  Outbound outbound;
  SendQueue queue;
  bool flush_due = false;
  bool overflowed = false;  // the queue had no room for something that the peer must know

  std::set<std::string, std::less<>> topics;
  AgingIdSet unwanted;  // messages that it does not want from us
  Allowance allowance;
  Conduct conduct;
  ScoreCard card;
  double score = 0;           // as of the last heartbeat, or of what was held against it since
  std::size_t meshes = 0;     // that it is in
  std::size_t pending = 0;    // its messages that wait for a verdict
  std::uint64_t dropped = 0;  // since the last SlowPeer
};

}  // namespace ggen::p2p::gossipsub
