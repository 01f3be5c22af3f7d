#include "signing.hpp"

#include <array>

#include <ggen/p2p/crypto/keys.hpp>

namespace ggen::p2p::gossipsub {
namespace {

constexpr std::size_t kSeqnoSize = 8;

// The key that a message carries, or that its author's id does.
std::optional<crypto::PublicKey> key_of(const MessageView& message,
                                        const multiformats::PeerId& author) {
  if (!message.key || message.key->empty()) return author.public_key();
  const auto key = crypto::PublicKey::decode(*message.key);
  if (!key || multiformats::PeerId::of(*key) != author) return std::nullopt;
  return *key;
}

// The author, when the message has all that a signed one has and the signature is the author's.
std::optional<multiformats::PeerId> verified_author(crypto::Crypto& crypto,
                                                    const MessageView& message) {
  if (!message.from || !message.seqno || !message.signature) return std::nullopt;
  if (message.seqno->size() != kSeqnoSize) return std::nullopt;
  const auto author = multiformats::PeerId::decode(*message.from);
  if (!author) return std::nullopt;
  const auto key = key_of(message, *author);
  if (!key || !crypto.verify(*key, signed_bytes(message), *message.signature)) return std::nullopt;
  return *author;
}

}  // namespace

base::Bytes sign_message(crypto::Crypto& crypto, const crypto::KeyPair& key, MessageView message) {
  const std::array<std::uint8_t, 64> signature = crypto.sign(key, signed_bytes(message));
  message.signature = signature;
  return encode_message(message);
}

std::optional<Checked> check_signature(crypto::Crypto& crypto, SignaturePolicy policy,
                                       const MessageView& message) {
  if (!message.topic) return std::nullopt;
  if (policy == SignaturePolicy::kStrictNoSign) {
    const bool bare = !message.from && !message.seqno && !message.signature && !message.key;
    return bare ? std::optional{Checked{}} : std::nullopt;
  }
  if (!message.signature && policy != SignaturePolicy::kStrictSign) return Checked{};
  const auto author = verified_author(crypto, message);
  return author ? std::optional{Checked{*author}} : std::nullopt;
}

}  // namespace ggen::p2p::gossipsub
