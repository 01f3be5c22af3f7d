#pragma once

#include <optional>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/gossipsub/config.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// Message signing (libp2p/specs pubsub/README.md, "Message Signing").
namespace ggen::p2p::gossipsub {

/// Encodes a message whose `from`, `seqno`, `topic` and `data` are set, with its signature. The key
/// is left out: that of an Ed25519 identity is in its peer id.
[[nodiscard]] base::Bytes sign_message(crypto::Crypto& crypto, const crypto::KeyPair& key,
                                       MessageView message);

/// Whether the policy has our own messages signed.
[[nodiscard]] constexpr bool signs(SignaturePolicy policy) noexcept {
  return policy == SignaturePolicy::kStrictSign || policy == SignaturePolicy::kLaxSign;
}

/// A message that is as the policy wants it.
struct Checked {
  std::optional<multiformats::PeerId> author;  // whose signature it bears
};
[[nodiscard]] std::optional<Checked> check_signature(crypto::Crypto& crypto, SignaturePolicy policy,
                                                     const MessageView& message);

}  // namespace ggen::p2p::gossipsub
