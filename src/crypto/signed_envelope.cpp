#include <optional>

#include <protozero/pbf_reader.hpp>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/crypto/signed_envelope.hpp>

namespace ggen::p2p::crypto {
namespace {

// Field numbers of the Envelope message, all of them length-delimited.
enum Field : protozero::pbf_tag_type {
  kPublicKey = 1,
  kPayloadType = 2,
  kPayload = 3,
  kSignature = 5,
};

void append_prefixed(base::Bytes& to, base::BytesView bytes) {
  base::append_varint(to, bytes.size());
  base::append(to, bytes);
}

void append_field(base::Bytes& to, Field field, base::BytesView bytes) {
  if (bytes.empty()) return;  // proto3 leaves out what has its default value
  to.push_back(static_cast<std::uint8_t>(field << 3 | 2));
  append_prefixed(to, bytes);
}

/// What the signature is over: domain, payload type and payload, each behind its length so that
/// none can pass for a part of its neighbour.
base::Bytes signed_bytes(std::string_view domain, base::BytesView payload_type,
                         base::BytesView payload) {
  base::Bytes bytes;
  bytes.reserve(domain.size() + payload_type.size() + payload.size() + 3 * base::kMaxVarintBytes);
  append_prefixed(bytes, base::as_bytes(domain));
  append_prefixed(bytes, payload_type);
  append_prefixed(bytes, payload);
  return bytes;
}

struct Fields {
  base::BytesView public_key;
  base::BytesView payload_type;
  base::BytesView payload;
  base::BytesView signature;
};

base::BytesView take_bytes(protozero::pbf_reader& reader) {
  const protozero::data_view view = reader.get_view();
  return base::as_bytes({view.data(), view.size()});
}

/// Protozero reports malformed messages by exceptions: they end here.
std::optional<Fields> read_fields(base::BytesView message) {
  using protozero::pbf_wire_type;
  Fields fields;
  try {
    const std::string_view text = base::as_text(message);
    protozero::pbf_reader reader(text.data(), text.size());
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case protozero::tag_and_type(kPublicKey, pbf_wire_type::length_delimited):
          fields.public_key = take_bytes(reader);
          break;
        case protozero::tag_and_type(kPayloadType, pbf_wire_type::length_delimited):
          fields.payload_type = take_bytes(reader);
          break;
        case protozero::tag_and_type(kPayload, pbf_wire_type::length_delimited):
          fields.payload = take_bytes(reader);
          break;
        case protozero::tag_and_type(kSignature, pbf_wire_type::length_delimited):
          fields.signature = take_bytes(reader);
          break;
        default:
          reader.skip();
      }
    }
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
  return fields;
}

}  // namespace

std::string_view to_string(EnvelopeError error) noexcept {
  switch (error) {
    case EnvelopeError::kTooLarge:
      return "the envelope is too large";
    case EnvelopeError::kMalformed:
      return "not an envelope";
    case EnvelopeError::kBadKey:
      return "the envelope has no valid public key";
    case EnvelopeError::kBadSignature:
      return "the envelope's signature is wrong";
  }
  return "unknown envelope error";
}

base::Bytes SignedEnvelope::seal(Crypto& crypto, const KeyPair& key, std::string_view domain,
                                 base::BytesView payload_type, base::BytesView payload) {
  const auto signature = crypto.sign(key, signed_bytes(domain, payload_type, payload));
  base::Bytes message;
  append_field(message, kPublicKey, key.public_key().encode());
  append_field(message, kPayloadType, payload_type);
  append_field(message, kPayload, payload);
  append_field(message, kSignature, signature);
  return message;
}

std::expected<SignedEnvelope, EnvelopeError> SignedEnvelope::open(Crypto& crypto,
                                                                  std::string_view domain,
                                                                  base::BytesView message,
                                                                  std::size_t limit) {
  auto envelope = decode(message, limit);
  if (envelope && !envelope->verify(crypto, domain)) {
    return std::unexpected(EnvelopeError::kBadSignature);
  }
  return envelope;
}

std::expected<SignedEnvelope, EnvelopeError> SignedEnvelope::decode(base::BytesView message,
                                                                    std::size_t limit) {
  if (message.size() > limit) return std::unexpected(EnvelopeError::kTooLarge);
  const auto fields = read_fields(message);
  if (!fields) return std::unexpected(EnvelopeError::kMalformed);
  auto key = PublicKey::decode(fields->public_key);
  if (!key) return std::unexpected(EnvelopeError::kBadKey);
  return SignedEnvelope{std::move(*key), base::to_bytes(fields->payload_type),
                        base::to_bytes(fields->payload), base::to_bytes(fields->signature)};
}

bool SignedEnvelope::verify(Crypto& crypto, std::string_view domain) const {
  return crypto.verify(key, signed_bytes(domain, payload_type, payload), signature);
}

}  // namespace ggen::p2p::crypto
