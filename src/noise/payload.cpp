#include "payload.hpp"

#include <optional>
#include <string_view>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

namespace ggen::p2p::noise {
namespace {

constexpr std::string_view kSignedPrefix = "noise-libp2p-static-key:";

constexpr protozero::pbf_tag_type kIdentityKey = 1;
constexpr protozero::pbf_tag_type kIdentitySignature = 2;
constexpr protozero::pbf_tag_type kExtensions = 4;
constexpr protozero::pbf_tag_type kStreamMuxers = 2;  // within the extensions

constexpr std::uint32_t bytes_field(protozero::pbf_tag_type tag) {
  return protozero::tag_and_type(tag, protozero::pbf_wire_type::length_delimited);
}

protozero::data_view to_data_view(base::BytesView bytes) {
  const std::string_view text = base::as_text(bytes);
  return {text.data(), text.size()};
}

base::BytesView to_bytes_view(const protozero::data_view& view) {
  return base::as_bytes({view.data(), view.size()});
}

// False when there are more than `max_muxers`. Throws on malformed bytes.
bool read_muxers(protozero::pbf_reader extensions, std::size_t max_muxers,
                 std::vector<std::string>& muxers) {
  while (extensions.next()) {
    if (extensions.tag_and_type() != bytes_field(kStreamMuxers)) {
      extensions.skip();
      continue;
    }
    if (muxers.size() == max_muxers) return false;
    muxers.push_back(extensions.get_string());
  }
  return true;
}

// Throws on malformed bytes.
std::optional<Payload> read_payload(base::BytesView message, std::size_t max_muxers) {
  Payload payload;
  protozero::pbf_reader reader{to_data_view(message)};
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(kIdentityKey):
        payload.identity_key = to_bytes_view(reader.get_view());
        break;
      case bytes_field(kIdentitySignature):
        payload.identity_signature = to_bytes_view(reader.get_view());
        break;
      case bytes_field(kExtensions):
        if (!read_muxers(reader.get_message(), max_muxers, payload.muxers)) return std::nullopt;
        break;
      default:
        reader.skip();
    }
  }
  if (payload.identity_key.empty() || payload.identity_signature.empty()) return std::nullopt;
  return payload;
}

}  // namespace

base::Bytes signed_text(const crypto::X25519PublicKey& static_key) {
  base::Bytes text = base::to_bytes(base::as_bytes(kSignedPrefix));
  base::append(text, static_key);
  return text;
}

base::Bytes encode_payload(base::BytesView identity_key, base::BytesView identity_signature,
                           std::span<const std::string> muxers) {
  std::string message;
  protozero::pbf_writer writer{message};
  writer.add_bytes(kIdentityKey, to_data_view(identity_key));
  writer.add_bytes(kIdentitySignature, to_data_view(identity_signature));
  if (!muxers.empty()) {
    protozero::pbf_writer extensions{writer, kExtensions};
    for (const std::string& muxer : muxers) extensions.add_string(kStreamMuxers, muxer);
  }
  return base::to_bytes(base::as_bytes(message));
}

std::expected<Payload, Error> decode_payload(base::BytesView message, std::size_t max_muxers) {
  try {
    if (auto payload = read_payload(message, max_muxers)) return std::move(*payload);
  } catch (const protozero::exception&) {
    // Malformed bytes are the one thing that protozero throws for.
  }
  return std::unexpected(Error::kBadPayload);
}

}  // namespace ggen::p2p::noise
