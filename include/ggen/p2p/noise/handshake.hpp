#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/noise/error.hpp>
#include <ggen/p2p/noise/handshake_state.hpp>
#include <ggen/p2p/noise/receiver.hpp>
#include <ggen/p2p/noise/sender.hpp>
#include <ggen/p2p/noise/static_key.hpp>

namespace ggen::p2p::noise {

struct HandshakeConfig {
  /// Who must be at the other end: the dialled peer. Anybody when not given.
  std::optional<multiformats::PeerId> expected_peer = std::nullopt;
  /// Bytes of one handshake message of the remote, at most 65,535. The largest identity key and
  /// its signature take about 2.2 KiB.
  std::size_t max_message = 8192;
  /// Multiplexers that the remote may announce.
  std::size_t max_muxers = 32;
};

/// What a handshake leads to.
struct Session {
  crypto::PublicKey remote_key;
  multiformats::PeerId remote_peer;
  /// What the remote announced, its preferred one first; empty when it does not take part in early
  /// negotiation. Bounded by HandshakeConfig.
  std::vector<std::string> remote_muxers;
  /// The first of the initiator's multiplexers that the responder has too (libp2p/specs
  /// connections/inlined-muxer-negotiation.md). Nothing when either side announced none: then it is
  /// negotiated by multistream.
  std::optional<std::string> muxer;
  Sender sender;
  Receiver receiver;
};

/// The `/noise` handshake of libp2p/specs noise/README.md: framed XX messages that carry the
/// identity key, its signature of the Noise key, and the multiplexers. It knows no time: its owner
/// gives up when it takes too long. Nothing of what the remote said is to be had before all of it
/// has been checked. Not thread-safe.
class Handshake {
 public:
  /// `static_key` and `crypto` must outlive the object.
  Handshake(Role role, const StaticKey& static_key, crypto::Crypto& crypto, HandshakeConfig config);

  /// Takes handshake bytes from the front of `input`. Gives the session, once, as soon as the
  /// remote has proven who it is; what is then left of `input` is for its receiver. An initiator
  /// still has to transmit its last message at that point, before anything that it seals. After
  /// an error, that error for ever.
  std::expected<std::optional<Session>, Error> receive(base::BytesView& input);

  /// True while transmit() would write something.
  [[nodiscard]] bool wants_transmit() const noexcept { return sent_ < outbox_.size(); }
  /// Writes the next bytes for the remote to `out` and returns how many.
  std::size_t transmit(base::MutableBytes out) noexcept;

 private:
  std::expected<std::optional<Session>, Error> advance(base::BytesView& input);
  std::expected<bool, Error> gather(base::BytesView& input);
  std::expected<void, Error> read_message();
  std::expected<void, Error> write_message(base::BytesView payload);
  std::expected<void, Error> check_payload(base::BytesView bytes,
                                           const crypto::X25519PublicKey& remote_static);
  std::expected<Session, Error> make_session();

  Role role_;
  const StaticKey* static_key_;
  crypto::Crypto* crypto_;
  HandshakeConfig config_;
  HandshakeState state_;
  base::Bytes inbox_;   // the bytes of an unfinished frame, its length included
  base::Bytes outbox_;  // frames to transmit, of which `sent_` bytes have gone
  std::size_t sent_ = 0;
  std::optional<crypto::PublicKey> remote_key_;
  std::vector<std::string> remote_muxers_;
  std::optional<Error> failure_;
};

}  // namespace ggen::p2p::noise
