#pragma once

#include <optional>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// The strict signing policy (libp2p/specs pubsub/README.md, StrictSign).
namespace ggen::p2p::gossipsub {

/// Encodes a message whose `from`, `seqno`, `topic` and `data` are set, with its signature. The key
/// is left out: that of an Ed25519 identity is in its peer id.
[[nodiscard]] base::Bytes sign_message(crypto::Crypto& crypto, const crypto::KeyPair& key,
                                       MessageView message);

/// The author, when the message has all that the policy asks for and the signature is the author's.
[[nodiscard]] std::optional<multiformats::PeerId> verified_author(crypto::Crypto& crypto,
                                                                  const MessageView& message);

}  // namespace ggen::p2p::gossipsub
