#include <algorithm>
#include <string>
#include <utility>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include <ggen/p2p/identify/message.hpp>

namespace ggen::p2p::identify {

using multiformats::Multiaddr;

namespace {

// Field numbers of the Identify message. All its fields are length-delimited.
enum class Field : protozero::pbf_tag_type {
  kPublicKey = 1,
  kListenAddr = 2,
  kProtocol = 3,
  kObservedAddr = 4,
  kProtocolVersion = 5,
  kAgentVersion = 6,
  kSignedPeerRecord = 8,
};

base::BytesView bytes_of(protozero::data_view view) {
  return base::as_bytes({view.data(), view.size()});
}

void merge_text(std::optional<std::string>& to, base::BytesView value, const Limits& limits) {
  if (value.size() <= limits.max_text) to = std::string{base::as_text(value)};
}

std::expected<void, DecodeError> merge_field(Info& info, Field field, base::BytesView value,
                                             const Limits& limits) {
  switch (field) {
    case Field::kPublicKey: {
      if (value.empty()) break;
      auto key = crypto::PublicKey::decode(value);
      if (!key) return std::unexpected(DecodeError::kBadKey);
      info.public_key = std::move(*key);
      break;
    }
    case Field::kListenAddr:
      if (info.listen_addrs.size() >= limits.max_listen_addrs) break;
      if (auto address = Multiaddr::decode(value)) info.listen_addrs.push_back(std::move(*address));
      break;
    case Field::kProtocol:
      if (info.protocols.size() >= limits.max_protocols || value.size() > limits.max_text) break;
      info.protocols.emplace_back(base::as_text(value));
      break;
    case Field::kObservedAddr:
      if (auto address = Multiaddr::decode(value)) info.observed_addr = std::move(*address);
      break;
    case Field::kProtocolVersion:
      merge_text(info.protocol_version, value, limits);
      break;
    case Field::kAgentVersion:
      merge_text(info.agent_version, value, limits);
      break;
    case Field::kSignedPeerRecord:
      if (value.size() <= limits.max_record) info.signed_peer_record = base::to_bytes(value);
      break;
  }
  return {};
}

std::string encode_field(Field field, base::BytesView value) {
  std::string encoded;
  const std::string_view text = base::as_text(value);
  protozero::pbf_writer{encoded}.add_bytes(static_cast<protozero::pbf_tag_type>(field), text.data(),
                                           text.size());
  return encoded;
}

// All fields, each encoded by itself, the small and important ones first.
std::vector<std::string> encode_fields(const Info& info) {
  std::vector<std::string> fields;
  const auto add = [&](Field field, base::BytesView value) {
    fields.push_back(encode_field(field, value));
  };
  if (info.public_key) add(Field::kPublicKey, info.public_key->encode());
  if (info.protocol_version) {
    add(Field::kProtocolVersion, base::as_bytes(*info.protocol_version));
  }
  if (info.agent_version) add(Field::kAgentVersion, base::as_bytes(*info.agent_version));
  if (info.observed_addr) add(Field::kObservedAddr, info.observed_addr->bytes());
  for (const std::string& protocol : info.protocols) {
    add(Field::kProtocol, base::as_bytes(protocol));
  }
  for (const Multiaddr& address : info.listen_addrs) add(Field::kListenAddr, address.bytes());
  if (!info.signed_peer_record.empty()) add(Field::kSignedPeerRecord, info.signed_peer_record);
  return fields;
}

}  // namespace

std::string_view to_string(DecodeError error) noexcept {
  switch (error) {
    case DecodeError::kMalformed:
      return "not an Identify message";
    case DecodeError::kBadKey:
      return "the public key is invalid";
  }
  return "unknown decode error";
}

std::expected<void, DecodeError> merge_message(Info& info, base::BytesView message,
                                               const Limits& limits) {
  const std::string_view text = base::as_text(message);
  try {
    protozero::pbf_reader reader{text.data(), text.size()};
    while (reader.next()) {
      if (reader.wire_type() != protozero::pbf_wire_type::length_delimited) {
        reader.skip();
        continue;
      }
      const auto field = static_cast<Field>(reader.tag());
      const base::BytesView value = bytes_of(reader.get_view());
      if (const auto merged = merge_field(info, field, value, limits); !merged) return merged;
    }
  } catch (const protozero::exception&) {
    return std::unexpected(DecodeError::kMalformed);
  }
  return {};
}

std::vector<base::Bytes> encode_messages(const Info& info, std::size_t max_size,
                                         std::size_t max_messages) {
  std::vector<base::Bytes> messages(1);
  for (const std::string& field : encode_fields(info)) {
    if (field.size() > max_size) continue;
    auto at = std::ranges::find_if(messages, [&](const base::Bytes& message) {
      return message.size() + field.size() <= max_size;
    });
    if (at == messages.end()) {
      if (messages.size() >= max_messages) continue;
      at = messages.insert(at, base::Bytes{});
    }
    base::append(*at, base::as_bytes(field));
  }
  return messages;
}

}  // namespace ggen::p2p::identify
