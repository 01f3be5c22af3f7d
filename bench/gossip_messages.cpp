#include "gossip_messages.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace bench {

using namespace ggen::p2p;

namespace {

crypto::KeyPair author_key() {
  std::array<std::uint8_t, 32> seed{};
  seed.fill('a');
  return crypto::KeyPair::from_seed(seed);
}

}  // namespace

std::vector<base::Buffer> gossip_frames(const GossipMessages& messages) {
  const crypto::KeyPair key = author_key();
  const auto author = multiformats::PeerId::of(key.public_key());
  base::Bytes data(kGossipDataSize, 'x');
  std::vector<base::Buffer> frames;
  frames.reserve(messages.count);
  for (std::size_t i = 0; i < messages.count; ++i) {
    std::array<std::uint8_t, kGossipNumberSize> number{};
    base::store_big_endian(number.data(), static_cast<std::uint64_t>(messages.first + i));
    std::ranges::copy(number, data.begin());
    gossipsub::MessageView view;
    view.data = data;
    view.topic = messages.topic;
    std::array<std::uint8_t, 64> signature{};
    if (messages.with_signature) {
      view.from = author.bytes();
      view.seqno = number;
      signature = key.sign(gossipsub::signed_bytes(view));
      view.signature = signature;
    }
    frames.push_back(gossipsub::message_frame(gossipsub::encode_message(view)));
  }
  return frames;
}

}  // namespace bench
