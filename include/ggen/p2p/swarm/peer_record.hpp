#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/crypto/signed_envelope.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/swarm/reasons.hpp>

/// Signed peer records: a peer's word on its own addresses (libp2p/specs
/// RFC/0003-routing-records.md, with the domain and the payload type that implementations agreed on
/// later).
namespace ggen::p2p::swarm {

struct PeerRecord {
  multiformats::PeerId peer;
  /// Grows with each record of a peer. Not a time, whatever it looks like.
  std::uint64_t sequence = 0;
  std::vector<multiformats::Multiaddr> addresses;

  bool operator==(const PeerRecord&) const = default;
};

inline constexpr std::string_view kPeerRecordDomain = "libp2p-peer-record";
/// The multicodec libp2p-peer-record, as the two bytes that implementations send.
inline constexpr std::uint8_t kPeerRecordType[] = {0x03, 0x01};
/// Addresses of a record beyond this many are ignored.
inline constexpr std::size_t kMaxRecordAddresses = 64;

/// The PeerRecord protobuf message.
[[nodiscard]] base::Bytes encode(const PeerRecord& record);
/// Reads the PeerRecord message. Unknown fields and addresses that this node cannot parse are
/// skipped, as new protocols must not void a record; anything else that is wrong is kMalformed.
[[nodiscard]] std::expected<PeerRecord, RecordError> decode_peer_record(base::BytesView message);

/// The record in a signed envelope. `key` is that of record.peer.
[[nodiscard]] base::Bytes seal_peer_record(crypto::Crypto& crypto, const crypto::KeyPair& key,
                                           const PeerRecord& record);

/// A record in its envelope, as it comes from a remote.
class SignedPeerRecord {
 public:
  /// Reads an envelope of at most `limit` bytes and checks all but the signature, in particular
  /// that the signer and the peer that the record is about are the same: a record is a peer's word
  /// on itself, and on nobody else.
  [[nodiscard]] static std::expected<SignedPeerRecord, RecordError> decode(base::BytesView envelope,
                                                                           std::size_t limit);
  /// What it says. Not to be believed before verify(): for those who can refuse it more cheaply.
  [[nodiscard]] const PeerRecord& claim() const { return claim_; }
  [[nodiscard]] bool verify(crypto::Crypto& crypto) const;

 private:
  SignedPeerRecord(crypto::SignedEnvelope envelope, PeerRecord claim)
      : envelope_(std::move(envelope)), claim_(std::move(claim)) {}

  crypto::SignedEnvelope envelope_;
  PeerRecord claim_;
};

}  // namespace ggen::p2p::swarm
