#include <array>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/noise/handshake.hpp>
#include <ggen/p2p/noise/static_key.hpp>

#include "measure.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;

constexpr std::size_t kPlaintext = noise::kBestPlaintext;
constexpr int kRounds = 9;
constexpr std::chrono::milliseconds kRound{200};

double mib(double messages_per_second, std::size_t size) {
  return messages_per_second * static_cast<double>(size) / 1048576.0;
}

crypto::KeyPair identity(crypto::Crypto& crypto) {
  std::array<std::uint8_t, 32> seed{};
  crypto.random(seed);
  return crypto::KeyPair::from_seed(seed);
}

struct Secured {
  noise::Session initiator;
  noise::Session responder;
};

void carry(noise::Handshake& from, noise::Handshake& to, std::optional<noise::Session>& session) {
  std::array<std::uint8_t, 4096> bytes{};
  while (from.wants_transmit()) {
    base::BytesView view = base::BytesView{bytes}.first(from.transmit(bytes));
    auto result = to.receive(view);
    if (result && *result) session = std::move(*result);
  }
}

Secured shake_hands(crypto::Crypto& crypto, const noise::StaticKey& a, const noise::StaticKey& b) {
  noise::Handshake initiator{noise::Role::kInitiator, a, crypto, {}};
  noise::Handshake responder{noise::Role::kResponder, b, crypto, {}};
  std::optional<noise::Session> of_initiator;
  std::optional<noise::Session> of_responder;
  while (!of_initiator || !of_responder) {
    carry(initiator, responder, of_responder);
    carry(responder, initiator, of_initiator);
  }
  return {std::move(*of_initiator), std::move(*of_responder)};
}

// The raw pair of one library: seal 64 KiB in place, open it in place.
class RawOpenSsl {
 public:
  RawOpenSsl() {
    const std::array<std::uint8_t, 32> key{1};
    EVP_EncryptInit_ex2(seal_.get(), EVP_chacha20_poly1305(), key.data(), nullptr, nullptr);
    EVP_DecryptInit_ex2(open_.get(), EVP_chacha20_poly1305(), key.data(), nullptr, nullptr);
  }
  void round(std::uint8_t* data, std::size_t size) {
    int n = 0;
    std::array<std::uint8_t, 16> tag{};
    EVP_EncryptInit_ex2(seal_.get(), nullptr, nullptr, nonce_.data(), nullptr);
    EVP_EncryptUpdate(seal_.get(), data, &n, data, static_cast<int>(size));
    EVP_EncryptFinal_ex(seal_.get(), data + n, &n);
    EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
    EVP_DecryptInit_ex2(open_.get(), nullptr, nullptr, nonce_.data(), nullptr);
    EVP_DecryptUpdate(open_.get(), data, &n, data, static_cast<int>(size));
    EVP_CIPHER_CTX_ctrl(open_.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data());
    if (EVP_DecryptFinal_ex(open_.get(), data + n, &n) != 1) std::abort();
    ++nonce_[4];
  }

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> seal_{EVP_CIPHER_CTX_new()};
  std::unique_ptr<EVP_CIPHER_CTX, Free> open_{EVP_CIPHER_CTX_new()};
  std::array<std::uint8_t, 12> nonce_{};
};

void raw_sodium_round(std::uint8_t* data, std::size_t size) {
  static const std::array<std::uint8_t, 32> key{1};
  static const std::array<std::uint8_t, 12> nonce{};
  std::array<std::uint8_t, 16> tag{};
  crypto_aead_chacha20poly1305_ietf_encrypt_detached(data, tag.data(), nullptr, data, size, nullptr,
                                                     0, nullptr, nonce.data(), key.data());
  if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
          data, nullptr, data, size, tag.data(), nullptr, 0, nonce.data(), key.data()) != 0) {
    std::abort();
  }
}

void channel_rows(Table& table, Secured& session, std::size_t plaintext) {
  std::vector<std::uint8_t> frame(plaintext + noise::kOverhead);
  std::vector<std::uint8_t> raw(plaintext + 16);
  RawOpenSsl openssl;
  const auto ours = [&] {
    const std::size_t size = *session.initiator.sender.seal(frame, plaintext);
    base::BytesView input{frame.data(), size};
    if (!*session.responder.receiver.next(input)) std::abort();
  };
  std::vector<double> channel;
  std::vector<double> by_openssl;
  std::vector<double> by_sodium;
  for (int i = 0; i < kRounds; ++i) {  // in turn, so that all see the same neighbours
    channel.push_back(rate(kRound, ours));
    by_openssl.push_back(rate(kRound, [&] { openssl.round(raw.data(), plaintext); }));
    by_sodium.push_back(rate(kRound, [&] { raw_sodium_round(raw.data(), plaintext); }));
  }
  const double best = std::max(median(by_openssl), median(by_sodium));
  table.push_back({fmt::format("secure channel, seal + open, {} B frames", plaintext),
                   fmt::format("{:.0f} MiB/s", mib(median(channel), plaintext)),
                   fmt::format("pinned, one core, median of {}; {:.2f} of the raw pair", kRounds,
                               median(channel) / best)});
  table.push_back({fmt::format("  raw seal + raw open, OpenSSL, {} B", plaintext),
                   fmt::format("{:.0f} MiB/s", mib(median(by_openssl), plaintext)),
                   "same run, in turn"});
  table.push_back({fmt::format("  raw seal + raw open, libsodium, {} B", plaintext),
                   fmt::format("{:.0f} MiB/s", mib(median(by_sodium), plaintext)),
                   "same run, in turn"});
}

}  // namespace

void noise_rows(Table& table) {
  pin(0);
  const auto crypto = crypto::make_system_crypto();
  const auto first = identity(*crypto);
  const auto second = identity(*crypto);
  const auto a = noise::StaticKey::create(*crypto, first, {"/yamux/1.0.0"});
  const auto b = noise::StaticKey::create(*crypto, second, {"/yamux/1.0.0"});
  std::vector<double> handshakes;
  for (int i = 0; i < kRounds; ++i) {
    handshakes.push_back(rate(kRound, [&] { shake_hands(*crypto, a, b); }));
  }
  table.push_back({"Noise handshakes, both sides", fmt::format("{:.0f} /s", median(handshakes)),
                   fmt::format("pinned, one core does both sides, median of {}", kRounds)});
  Secured session = shake_hands(*crypto, a, b);
  channel_rows(table, session, kPlaintext);
  channel_rows(table, session, 1024);
  pin(-1);
}

}  // namespace bench
