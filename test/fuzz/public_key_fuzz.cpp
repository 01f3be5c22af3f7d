// Public and private key messages. The input is read as a message, and as the data of a message of
// each type, so that mutations reach the DER reader without a fitting length in front.

#include <cstdlib>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>

using namespace ggen::p2p;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

base::Bytes message_of(std::uint8_t type, base::BytesView data) {
  base::Bytes message = {0x08, type, 0x12};
  base::append_varint(message, data.size());
  base::append(message, data);
  return message;
}

void check_public_key(crypto::Crypto& crypto, base::BytesView message) {
  const auto key = crypto::PublicKey::decode(message);
  if (!key) return;
  require(message.size() <= crypto::kMaxEncodedKey);
  require(base::equal(key->encode(), message));
  require(crypto::PublicKey::decode(key->encode()) == *key);
  require(!crypto.verify(*key, message, message));
}

void check_private_key(base::BytesView message) {
  const auto pair = crypto::KeyPair::decode(message);
  if (!pair) return;
  const auto encoded = pair->encode();
  const std::size_t older_form = 32;
  require(message.size() == encoded.size() || message.size() == encoded.size() + older_form);
  require(crypto::KeyPair::decode(encoded)->public_key() == pair->public_key());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto crypto = crypto::make_system_crypto();
  const base::BytesView input(data, size);
  check_public_key(*crypto, input);
  check_private_key(input);
  for (std::uint8_t type = 0; type < 4; ++type) check_public_key(*crypto, message_of(type, input));
  check_private_key(message_of(1, input));
  return 0;
}
