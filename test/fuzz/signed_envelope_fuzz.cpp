// Signed envelopes: what decodes is never more than what came, what opens cannot have been changed,
// and what is sealed opens to the same.

#include <array>
#include <cstdlib>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/signed_envelope.hpp>

using namespace ggen::p2p;
using crypto::SignedEnvelope;

namespace {

constexpr char kDomain[] = "libp2p-testing";

void require(bool condition) {
  if (!condition) std::abort();
}

void check_decode(crypto::Crypto& crypto, base::BytesView message) {
  auto envelope = SignedEnvelope::decode(message);
  require(SignedEnvelope::open(crypto, kDomain, message).has_value() ==
          (envelope && envelope->verify(crypto, kDomain)));
  if (!envelope) return;
  const std::size_t taken = envelope->key.encode().size() + envelope->payload_type.size() +
                            envelope->payload.size() + envelope->signature.size();
  require(taken <= message.size());
  require(!SignedEnvelope::decode(message, message.size() - 1));
  if (!envelope->verify(crypto, kDomain)) return;
  require(!envelope->verify(crypto, "another domain"));
  envelope->payload.push_back(0);
  require(!envelope->verify(crypto, kDomain));
}

void check_seal(crypto::Crypto& crypto, base::BytesView input) {
  static const auto pair = crypto::KeyPair::from_seed(std::array<std::uint8_t, 32>{1});
  const base::BytesView type = input.first(input.size() / 4);
  const base::BytesView payload = input.subspan(type.size());
  const auto message = SignedEnvelope::seal(crypto, pair, kDomain, type, payload);
  const auto envelope = SignedEnvelope::open(crypto, kDomain, message);
  require(envelope.has_value() && envelope->key == pair.public_key());
  require(base::equal(envelope->payload_type, type) && base::equal(envelope->payload, payload));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto crypto = crypto::make_system_crypto();
  const base::BytesView input(data, size);
  check_decode(*crypto, input);
  if (size < 4096) check_seal(*crypto, input);
  return 0;
}
