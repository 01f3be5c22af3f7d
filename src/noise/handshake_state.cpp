#include <algorithm>
#include <array>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/noise/handshake_state.hpp>

namespace ggen::p2p::noise {

// A letter for a key that is sent, two for a shared secret that is mixed in: the initiator's key
// first.
enum class HandshakeState::Token : std::uint8_t { kE, kS, kEe, kEs, kSe };

namespace {

constexpr std::size_t kMessages = 3;
constexpr std::size_t kKeySize = std::tuple_size_v<crypto::X25519PublicKey>;
constexpr std::size_t kTagSize = CipherState::kTagSize;

// What a message carries beside its payload: the keys, and a tag for all that is encrypted.
constexpr std::array<std::size_t, kMessages> kMessageOverhead = {
    kKeySize,
    kKeySize + kKeySize + kTagSize + kTagSize,
    kKeySize + kTagSize + kTagSize,
};

crypto::X25519PublicKey to_public_key(base::BytesView bytes) {
  crypto::X25519PublicKey key;
  GGEN_INVARIANT(bytes.size() == key.size());
  std::ranges::copy(bytes, key.begin());
  return key;
}

base::BytesView take(base::BytesView& rest, std::size_t size) {
  const base::BytesView front = rest.first(size);
  rest = rest.subspan(size);
  return front;
}

}  // namespace

HandshakeState::HandshakeState(Role role, const crypto::X25519KeyPair& static_key,
                               crypto::Crypto& crypto, base::BytesView prologue)
    : role_(role), static_key_(&static_key), crypto_(&crypto) {
  symmetric_.mix_hash(prologue);
}

bool HandshakeState::finished() const noexcept {
  return messages_ == kMessages;
}

bool HandshakeState::writes_next() const noexcept {
  const Role writer = messages_ % 2 == 0 ? Role::kInitiator : Role::kResponder;
  return !finished() && writer == role_;
}

std::size_t HandshakeState::overhead() const noexcept {
  return finished() ? 0 : kMessageOverhead[messages_];
}

std::span<const HandshakeState::Token> HandshakeState::next_tokens() const noexcept {
  using enum Token;
  static constexpr std::array kFirst = {kE};
  static constexpr std::array kSecond = {kE, kEe, kS, kEs};
  static constexpr std::array kThird = {kS, kSe};
  switch (messages_) {
    case 0:
      return kFirst;
    case 1:
      return kSecond;
    default:
      return kThird;
  }
}

std::expected<void, Error> HandshakeState::write_message(base::BytesView payload,
                                                         base::Bytes& out) {
  GGEN_INVARIANT(writes_next());
  for (const Token token : next_tokens()) {
    if (const auto written = write_token(token, out); !written) return written;
  }
  symmetric_.encrypt_and_hash(payload, out);
  ++messages_;
  return {};
}

std::expected<base::Bytes, Error> HandshakeState::read_message(base::BytesView message) {
  GGEN_INVARIANT(!finished() && !writes_next());
  if (message.size() < overhead()) return std::unexpected(Error::kMalformedFrame);
  base::BytesView rest = message;
  for (const Token token : next_tokens()) {
    if (const auto read = read_token(token, rest); !read) return std::unexpected(read.error());
  }
  auto payload = symmetric_.decrypt_and_hash(rest);
  if (payload) ++messages_;
  return payload;
}

std::expected<void, Error> HandshakeState::write_token(Token token, base::Bytes& out) {
  switch (token) {
    case Token::kE:
      ephemeral_ = crypto_->draw_x25519();
      base::append(out, ephemeral_->public_key());
      symmetric_.mix_hash(ephemeral_->public_key());
      return {};
    case Token::kS:
      symmetric_.encrypt_and_hash(static_key_->public_key(), out);
      return {};
    default:
      return mix_shared_secret(token);
  }
}

std::expected<void, Error> HandshakeState::read_token(Token token, base::BytesView& rest) {
  switch (token) {
    case Token::kE:
      remote_ephemeral_ = to_public_key(take(rest, kKeySize));
      symmetric_.mix_hash(*remote_ephemeral_);
      return {};
    case Token::kS: {
      const auto key = symmetric_.decrypt_and_hash(take(rest, kKeySize + symmetric_.tag_size()));
      if (!key) return std::unexpected(key.error());
      remote_static_ = to_public_key(*key);
      return {};
    }
    default:
      return mix_shared_secret(token);
  }
}

std::expected<void, Error> HandshakeState::mix_shared_secret(Token token) {
  const bool initiator = role_ == Role::kInitiator;
  const bool own_static = token == (initiator ? Token::kSe : Token::kEs);
  const bool remote_static = token == (initiator ? Token::kEs : Token::kSe);
  const crypto::X25519KeyPair& own = own_static ? *static_key_ : *ephemeral_;
  const auto& remote = remote_static ? remote_static_ : remote_ephemeral_;
  const auto shared = crypto_->agree(own, *remote);
  if (!shared) return std::unexpected(Error::kWeakKey);
  symmetric_.mix_key(*shared);
  return {};
}

Ciphers HandshakeState::split() const {
  GGEN_INVARIANT(finished());
  auto [initiators, responders] = symmetric_.split();
  if (role_ == Role::kInitiator) return {std::move(initiators), std::move(responders)};
  return {std::move(responders), std::move(initiators)};
}

}  // namespace ggen::p2p::noise
