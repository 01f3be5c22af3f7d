#pragma once

#include <expected>
#include <optional>
#include <span>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/x25519.hpp>
#include <ggen/p2p/noise/error.hpp>
#include <ggen/p2p/noise/symmetric_state.hpp>

namespace ggen::p2p::noise {

enum class Role : std::uint8_t { kInitiator, kResponder };

/// The two ciphers that a finished handshake leaves.
struct Ciphers {
  CipherState send;
  CipherState receive;
};

/// One side of the XX pattern (Noise specification, sections 5.3 and 7.5), without framing:
///
///     -> e
///     <- e, ee, s, es
///     -> s, se
///
/// The payload of the first message travels in the clear. After an error the object is of no more
/// use. Not thread-safe.
class HandshakeState {
 public:
  /// Both references must outlive the object. The ephemeral secret is the first 32 bytes drawn from
  /// `crypto`, at the moment when this side first writes.
  HandshakeState(Role role, const crypto::X25519KeyPair& static_key, crypto::Crypto& crypto,
                 base::BytesView prologue = {});

  /// True when the next message is this side's to write.
  [[nodiscard]] bool writes_next() const noexcept;
  /// All three messages have passed.
  [[nodiscard]] bool finished() const noexcept;
  /// How much longer than its payload the next message is.
  [[nodiscard]] std::size_t overhead() const noexcept;

  /// Appends the next message to `out`. Only when it is this side's turn; fails with kWeakKey
  /// alone.
  std::expected<void, Error> write_message(base::BytesView payload, base::Bytes& out);
  /// Takes a whole message of the remote and gives its payload. Only when it is the remote's turn.
  std::expected<base::Bytes, Error> read_message(base::BytesView message);

  /// The remote's static key, once a message has brought it.
  [[nodiscard]] const std::optional<crypto::X25519PublicKey>& remote_static() const noexcept {
    return remote_static_;
  }
  /// The same value on both sides of a finished handshake, and different in every other one.
  [[nodiscard]] const crypto::Sha256Digest& hash() const noexcept { return symmetric_.hash(); }
  /// Only of a finished handshake.
  [[nodiscard]] Ciphers split() const;

 private:
  enum class Token : std::uint8_t;
  [[nodiscard]] std::span<const Token> next_tokens() const noexcept;
  std::expected<void, Error> write_token(Token token, base::Bytes& out);
  std::expected<void, Error> read_token(Token token, base::BytesView& rest);
  std::expected<void, Error> mix_shared_secret(Token token);

  Role role_;
  std::uint8_t messages_ = 0;
  const crypto::X25519KeyPair* static_key_;
  crypto::Crypto* crypto_;
  SymmetricState symmetric_;
  std::optional<crypto::X25519KeyPair> ephemeral_;
  std::optional<crypto::X25519PublicKey> remote_ephemeral_;
  std::optional<crypto::X25519PublicKey> remote_static_;
};

}  // namespace ggen::p2p::noise
