// Entries of publishers' logs: an envelope as it is when the first byte is even, otherwise a
// payload that is put into one. What opens is bounded, is the same when sealed again, and never
// harms a log.

#include <array>
#include <cstdlib>

#include <ggen/p2p/crypto/signed_envelope.hpp>
#include <ggen/p2p/registry/catalog.hpp>
#include <ggen/p2p/registry/entry.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

const crypto::KeyPair& key() {
  static const auto pair = crypto::KeyPair::from_seed(std::array<std::uint8_t, 32>{1, 0x5a});
  return pair;
}

void check(crypto::Crypto& crypto, base::BytesView envelope) {
  const auto entry = Entry::decode(envelope);
  const auto opened = Entry::open(crypto, envelope);
  if (opened) require(entry && opened->id == entry->id);
  if (!entry) return;
  require(envelope.size() <= kMaxEntry && base::equal(entry->envelope.view(), envelope));
  const auto payload = crypto::SignedEnvelope::decode(envelope)->payload;
  require(entry->id.digest == crypto::sha256(payload));
  require(entry->statement.prev.has_value() == (entry->statement.seq > 0));

  Catalog catalog;
  const auto added = catalog.add(*entry);
  require((added.added.outcome == AddOutcome::kAccepted) == (entry->statement.seq == 0));
  require(catalog.size() == added.added.accepted.size());

  // An envelope whose signature is wrong may be shorter than any that is right.
  if (!opened || entry->signer != key().public_key()) return;
  const auto again = Entry::seal(crypto, key(), entry->statement);
  require(again && again->statement == entry->statement);
  require(again->envelope.size() <= envelope.size());
  const auto third = Entry::seal(crypto, key(), again->statement);
  require(third && third->id == again->id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto crypto = crypto::make_system_crypto();
  if (size == 0) return 0;
  const base::BytesView input(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    check(*crypto, input);
  } else {
    check(*crypto, crypto::SignedEnvelope::seal(*crypto, key(), kEntryDomain,
                                                base::as_bytes(kEntryPayloadType), input));
  }
  return 0;
}
