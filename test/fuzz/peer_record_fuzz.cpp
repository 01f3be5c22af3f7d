// Peer records: what decodes is no more than what came and encodes to the same record again; what
// is sealed comes out as it went in; and a record in an envelope is its signer's.

#include <array>
#include <cstdlib>

#include <ggen/p2p/swarm/peer_record.hpp>

using namespace ggen::p2p;
using swarm::PeerRecord;
using swarm::SignedPeerRecord;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

const crypto::KeyPair& pair() {
  static const auto pair = crypto::KeyPair::from_seed(std::array<std::uint8_t, 32>{1});
  return pair;
}

void check_sealed(crypto::Crypto& crypto, PeerRecord record) {
  // Signed by somebody else, whatever it says is worth nothing.
  const auto self = multiformats::PeerId::of(pair().public_key());
  if (record.peer != self) {
    const auto forged = swarm::seal_peer_record(crypto, pair(), record);
    require(SignedPeerRecord::decode(forged, forged.size()).error() ==
            swarm::RecordError::kWrongKey);
  }
  record.peer = self;
  const auto sealed = swarm::seal_peer_record(crypto, pair(), record);
  const auto opened = SignedPeerRecord::decode(sealed, sealed.size());
  require(opened.has_value() && opened->claim() == record && opened->verify(crypto));
  require(SignedPeerRecord::decode(sealed, sealed.size() - 1).error() ==
          swarm::RecordError::kTooLarge);
}

void check_message(crypto::Crypto& crypto, base::BytesView input) {
  const auto record = swarm::decode_peer_record(input);
  if (!record) return;
  require(record->addresses.size() <= swarm::kMaxRecordAddresses);
  std::size_t taken = record->peer.bytes().size();
  for (const auto& address : record->addresses) taken += address.bytes().size();
  require(taken <= input.size());
  require(swarm::decode_peer_record(swarm::encode(*record)) == record);
  check_sealed(crypto, *record);
}

void check_envelope(crypto::Crypto& crypto, base::BytesView input) {
  const auto record = SignedPeerRecord::decode(input, 4096);
  if (!record || !record->verify(crypto)) return;
  // What verifies can be said again, and then says the same.
  require(swarm::decode_peer_record(swarm::encode(record->claim())) == record->claim());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto crypto = crypto::make_system_crypto();
  const base::BytesView input(data, size);
  check_message(*crypto, input);
  check_envelope(*crypto, input);
  return 0;
}
