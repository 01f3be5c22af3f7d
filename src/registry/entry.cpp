#include <ggen/p2p/crypto/signed_envelope.hpp>
#include <ggen/p2p/registry/entry.hpp>

#include "entry_payload.hpp"

namespace ggen::p2p::registry {

using crypto::SignedEnvelope;
using multiformats::PeerId;
using Kind = EntryError::Kind;

namespace {

std::unexpected<EntryError> refuse(Kind kind, std::string field = {}) {
  return std::unexpected(EntryError{kind, std::move(field)});
}

// What can be said without the log.
std::expected<void, EntryError> check_signer(const crypto::PublicKey& signer,
                                             const Statement& statement) {
  const Keys* keys = std::get_if<Keys>(&statement.body);
  if (statement.seq == 0) {
    if (!keys) return refuse(Kind::kBadField, "kind");
    if (statement.publisher != PeerId::of(signer)) return refuse(Kind::kBadField, "publisher");
  }
  if (keys) {
    if (!keys->keys.contains(signer)) return refuse(Kind::kBadField, "keys");
    if (keys->next == keys->keys.digest()) return refuse(Kind::kBadField, "next");
  }
  return {};
}

// `verify` says whether the signature is valid. It comes last, being what costs most.
template <class Verify>
std::expected<Entry, EntryError> read(base::BytesView bytes, Verify verify) {
  if (bytes.size() > kMaxEntry) return refuse(Kind::kTooLarge);
  const auto envelope = SignedEnvelope::decode(bytes, kMaxEntry);
  if (!envelope || base::as_text(envelope->payload_type) != kEntryPayloadType) {
    return refuse(Kind::kEnvelope);
  }
  auto statement = decode_payload(envelope->payload);
  if (!statement) return std::unexpected(std::move(statement.error()));
  if (auto signer = check_signer(envelope->key, *statement); !signer) {
    return std::unexpected(std::move(signer.error()));
  }
  if (!verify(*envelope)) return refuse(Kind::kBadSignature);
  return Entry{EntryId{crypto::sha256(envelope->payload)}, envelope->key, std::move(*statement),
               base::Buffer::copy_of(bytes)};
}

}  // namespace

std::string EntryError::message() const {
  switch (kind) {
    case Kind::kTooLarge:
      return "the entry is larger than 16 KiB: shorten its description, authors or dependencies";
    case Kind::kEnvelope:
      return "not a signed entry";
    case Kind::kBadSignature:
      return "the entry's signature is wrong";
    case Kind::kPayload:
      return "the entry's payload is not a valid map";
    case Kind::kUnknownVersion:
      return "the entry was made by a newer program: update this one to read it";
    case Kind::kUnknownKind:
      return "the entry is of an unknown kind";
    case Kind::kBadField:
      return "the entry's field '" + field + "' is missing or not valid";
  }
  return "not an entry";
}

std::expected<Entry, EntryError> Entry::open(crypto::Crypto& crypto, base::BytesView envelope) {
  return read(envelope, [&crypto](const SignedEnvelope& signed_envelope) {
    return signed_envelope.verify(crypto, kEntryDomain);
  });
}

std::expected<Entry, EntryError> Entry::decode(base::BytesView envelope) {
  return read(envelope, [](const SignedEnvelope&) { return true; });
}

std::expected<Entry, EntryError> Entry::seal(crypto::Crypto& crypto, const crypto::KeyPair& key,
                                             const Statement& statement) {
  return decode(SignedEnvelope::seal(crypto, key, kEntryDomain, base::as_bytes(kEntryPayloadType),
                                     encode_payload(statement)));
}

}  // namespace ggen::p2p::registry
