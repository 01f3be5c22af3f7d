#pragma once

#include <optional>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/sim/hostile.hpp>

namespace ggen::p2p::sim {

/// What a hostile node says on any of its connections.
struct HostileMind {
  Hostility hostility;
  const Gang* gang = nullptr;
  kad::PeerRecord self;
  base::Prng prng;
  /// The id of the newest message that its node sent.
  std::optional<base::Bytes> newest;

  [[nodiscard]] bool active(base::Instant now) const { return now >= hostility.begins; }

  /// The answer to a question in the DHT, without its length; nothing when there is none.
  std::optional<base::Bytes> answer(base::BytesView question);
  /// What remains of a frame of publish/subscribe that its node would send.
  std::optional<base::Buffer> pass(const base::Buffer& frame, bool active);
  /// A frame to send each second; nothing when it sends none.
  std::optional<base::Buffer> spam();
};

}  // namespace ggen::p2p::sim
