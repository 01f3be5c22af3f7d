// The messages of kad: what is kept of any bytes is within its limits, and encodes to bytes that
// decode to the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <ggen/p2p/kad/message.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::kad;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_peers(const std::vector<PeerRecord>& peers, const MessageLimits& limits) {
  require(peers.size() <= limits.max_peers);
  for (const PeerRecord& peer : peers) {
    require(peer.addresses.size() <= limits.max_addresses);
    require(encoded_size(peer) <= limits.max_peer_record + 8);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MessageLimits limits;
  const auto message = decode_message({data, size}, limits);
  if (!message) {
    require(!to_string(message.error()).empty());
    return 0;
  }
  require(message->key.size() <= limits.max_key);
  if (message->record) {
    require(message->record->key.size() <= limits.max_key);
    require(message->record->value.size() <= size);
    require(message->record->time_received.size() <= limits.max_time_received);
  }
  check_peers(message->closer, limits);
  check_peers(message->providers, limits);
  const base::Bytes encoded = encode_message(*message);
  const auto again = decode_message(encoded, limits);
  require(again && *again == *message);
  require(encode_message(*again) == encoded);
  return 0;
}
