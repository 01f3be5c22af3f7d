#include <algorithm>
#include <string>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include <ggen/p2p/swarm/peer_record.hpp>

namespace ggen::p2p::swarm {
namespace {

using multiformats::Multiaddr;
using multiformats::PeerId;

enum class Field : protozero::pbf_tag_type { kPeerId = 1, kSequence = 2, kAddresses = 3 };
enum class AddressField : protozero::pbf_tag_type { kMultiaddr = 1 };

protozero::data_view view_of(base::BytesView bytes) {
  const std::string_view text = base::as_text(bytes);
  return {text.data(), text.size()};
}

base::BytesView bytes_of(protozero::data_view view) {
  return base::as_bytes({view.data(), view.size()});
}

base::Bytes take_bytes(const std::string& message) {
  return base::to_bytes(base::as_bytes(message));
}

/// The fields as they stand, before any of them is believed. Throws on malformed protobuf.
struct RawRecord {
  std::optional<base::BytesView> peer;
  std::uint64_t sequence = 0;
  std::vector<base::BytesView> addresses;
};

std::optional<base::BytesView> read_address(protozero::data_view message) {
  std::optional<base::BytesView> address;
  protozero::pbf_reader reader(message);
  while (reader.next()) {
    if (reader.tag_and_type() ==
        protozero::tag_and_type(AddressField::kMultiaddr,
                                protozero::pbf_wire_type::length_delimited)) {
      address = bytes_of(reader.get_view());
    } else {
      reader.skip();
    }
  }
  return address;
}

RawRecord read_record(base::BytesView message) {
  using protozero::pbf_wire_type;
  RawRecord record;
  protozero::pbf_reader reader(view_of(message));
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case protozero::tag_and_type(Field::kPeerId, pbf_wire_type::length_delimited):
        record.peer = bytes_of(reader.get_view());
        break;
      case protozero::tag_and_type(Field::kSequence, pbf_wire_type::varint):
        record.sequence = reader.get_uint64();
        break;
      case protozero::tag_and_type(Field::kAddresses, pbf_wire_type::length_delimited): {
        const auto address = read_address(reader.get_view());
        if (address && record.addresses.size() < kMaxRecordAddresses) {
          record.addresses.push_back(*address);
        }
        break;
      }
      default:
        reader.skip();
    }
  }
  return record;
}

std::optional<RawRecord> try_read_record(base::BytesView message) {
  try {
    return read_record(message);
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
}

}  // namespace

base::Bytes encode(const PeerRecord& record) {
  std::string message;
  protozero::pbf_writer writer(message);
  const auto tag = [](auto field) { return static_cast<protozero::pbf_tag_type>(field); };
  writer.add_bytes(tag(Field::kPeerId), view_of(record.peer.bytes()));
  // As proto3 encodes it: a number that has its default value is left out.
  if (record.sequence != 0) writer.add_uint64(tag(Field::kSequence), record.sequence);
  for (const Multiaddr& address : record.addresses) {
    protozero::pbf_writer info(writer, tag(Field::kAddresses));
    info.add_bytes(tag(AddressField::kMultiaddr), view_of(address.bytes()));
  }
  return take_bytes(message);
}

std::expected<PeerRecord, RecordError> decode_peer_record(base::BytesView message) {
  const auto raw = try_read_record(message);
  if (!raw || !raw->peer) return std::unexpected(RecordError::kMalformed);
  const auto peer = PeerId::decode(*raw->peer);
  if (!peer) return std::unexpected(RecordError::kMalformed);
  PeerRecord record{*peer, raw->sequence, {}};
  for (const base::BytesView bytes : raw->addresses) {
    auto address = Multiaddr::decode(bytes);
    if (address) record.addresses.push_back(std::move(*address));
  }
  return record;
}

base::Bytes seal_peer_record(crypto::Crypto& crypto, const crypto::KeyPair& key,
                             const PeerRecord& record) {
  return crypto::SignedEnvelope::seal(crypto, key, kPeerRecordDomain, kPeerRecordType,
                                      encode(record));
}

std::expected<SignedPeerRecord, RecordError> SignedPeerRecord::decode(base::BytesView envelope,
                                                                      std::size_t limit) {
  if (envelope.size() > limit) return std::unexpected(RecordError::kTooLarge);
  auto opened = crypto::SignedEnvelope::decode(envelope, limit);
  if (!opened) return std::unexpected(RecordError::kBadEnvelope);
  if (!base::equal(opened->payload_type, kPeerRecordType)) {
    return std::unexpected(RecordError::kWrongType);
  }
  auto record = decode_peer_record(opened->payload);
  if (!record) return std::unexpected(record.error());
  if (PeerId::of(opened->key) != record->peer) return std::unexpected(RecordError::kWrongKey);
  return SignedPeerRecord(std::move(*opened), std::move(*record));
}

bool SignedPeerRecord::verify(crypto::Crypto& crypto) const {
  return envelope_.verify(crypto, kPeerRecordDomain);
}

}  // namespace ggen::p2p::swarm
