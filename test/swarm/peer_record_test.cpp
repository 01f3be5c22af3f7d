#include <memory>

#include <protozero/pbf_writer.hpp>

#include <ggen/p2p/swarm/swarm.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;

namespace {

/// Counts verifications.
class CountingCrypto : public crypto::Crypto {
 public:
  void random(base::MutableBytes out) override { system_->random(out); }
  std::array<std::uint8_t, 64> sign(const crypto::KeyPair& pair, base::BytesView message) override {
    return system_->sign(pair, message);
  }
  bool verify(const crypto::PublicKey& public_key, base::BytesView message,
              base::BytesView signature) override {
    ++verifications;
    return system_->verify(public_key, message, signature);
  }
  int verifications = 0;

 private:
  std::unique_ptr<crypto::Crypto> system_ = crypto::make_system_crypto();
};

struct Fixture {
  CountingCrypto crypto;
  Swarm swarm{Config{}, peer(0), crypto, base::Prng(1)};

  auto add(base::BytesView envelope) { return swarm.add_signed_record(envelope, kStart); }
  base::Bytes seal(std::uint32_t number, std::uint64_t sequence,
                   std::vector<Multiaddr> addresses = {addr("/ip4/192.0.2.1/tcp/1")}) {
    return seal_peer_record(crypto, key(number), record(number, sequence, std::move(addresses)));
  }
  static PeerRecord record(std::uint32_t number, std::uint64_t sequence,
                           std::vector<Multiaddr> addresses) {
    return {PeerId::of(key(number).public_key()), sequence, std::move(addresses)};
  }
};

base::Bytes bytes_of(const std::string& message) {
  return base::to_bytes(base::as_bytes(message));
}

}  // namespace

TEST_CASE("a record has the encoding of RFC 0003") {
  const PeerRecord record{*PeerId::decode(*base::from_hex("1220" + std::string(64, '1'))),
                          1570215229,
                          {addr("/ip4/192.0.2.0/tcp/42"), addr("/ip4/198.51.100.0/tcp/42")}};
  const std::string expected = "0a221220" + std::string(64, '1') +  // peer_id
                               "10bdaadeec05" +                     // seq
                               "1a0a0a0804c0000200"
                               "06002a" +  // addresses
                               "1a0a0a0804c6336400"
                               "06002a";
  CHECK(base::to_hex(encode(record)) == expected);
  CHECK(decode_peer_record(encode(record)) == record);
}

TEST_CASE("a record survives the round trip, empty and full") {
  for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    PeerRecord record{peer(1), sequence, {}};
    CHECK(decode_peer_record(encode(record)) == record);
    for (int i = 0; i < 20; ++i) {
      record.addresses.push_back(addr("/ip4/192.0.2.1/tcp/" + std::to_string(i)));
    }
    CHECK(decode_peer_record(encode(record)) == record);
  }
}

TEST_CASE("what a record does not need is skipped, what it needs must be right") {
  const PeerRecord record{peer(1), 7, {addr("/ip4/192.0.2.1/tcp/1")}};
  std::string message(base::as_text(encode(record)));
  protozero::pbf_writer writer(message);
  writer.add_string(99, "from the future");
  writer.add_string(3, "");                               // an address without a multiaddr
  writer.add_string(3, std::string("\x0a\x02\xff\xff"));  // one that nobody knows
  CHECK(decode_peer_record(bytes_of(message)) == record);

  const base::Bytes good = encode(record);
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto cut = decode_peer_record(base::BytesView(good).first(size));
    if (cut) CHECK(cut->peer == record.peer);  // cut between two fields
  }
  CHECK(decode_peer_record({}) == std::unexpected(RecordError::kMalformed));
  const std::string no_peer("\x10\x07");
  CHECK(decode_peer_record(bytes_of(no_peer)) == std::unexpected(RecordError::kMalformed));
  const std::string bad_peer("\x0a\x02\x01\x02");
  CHECK(decode_peer_record(bytes_of(bad_peer)) == std::unexpected(RecordError::kMalformed));
}

TEST_CASE("addresses without end are not all taken") {
  PeerRecord record{peer(1), 1, {}};
  for (int i = 1; i <= 2000; ++i) {
    record.addresses.push_back(addr("/ip4/192.0.2.1/tcp/" + std::to_string(i)));
  }
  CHECK(decode_peer_record(encode(record))->addresses.size() == kMaxRecordAddresses);
}

TEST_CASE("a signed record is taken, and passed on as it came") {
  Fixture fixture;
  const base::Bytes envelope = fixture.seal(1, 10);
  const PeerId signer = PeerId::of(key(1).public_key());
  REQUIRE(fixture.add(envelope) == signer);
  const auto addresses = fixture.swarm.addresses(signer, kStart);
  REQUIRE(addresses.size() == 1);
  CHECK(addresses[0].source == AddressSource::kRecord);
  CHECK(addresses[0].address == addr("/ip4/192.0.2.1/tcp/1"));
  CHECK(base::equal(fixture.swarm.signed_record(signer), envelope));
}

TEST_CASE("only a newer record is worth a verification") {
  Fixture fixture;
  REQUIRE(fixture.add(fixture.seal(1, 10)));
  const int verified = fixture.crypto.verifications;
  CHECK(fixture.add(fixture.seal(1, 10)) == std::unexpected(RecordError::kStale));
  CHECK(fixture.add(fixture.seal(1, 9)) == std::unexpected(RecordError::kStale));
  CHECK(fixture.crypto.verifications == verified);
  CHECK(fixture.add(fixture.seal(1, 11)));
}

TEST_CASE("a record about somebody else is refused (RUSTSEC-2022-0009)") {
  Fixture fixture;
  const auto victim = Fixture::record(1, 10, {addr("/ip4/198.51.100.66/tcp/1")});
  const base::Bytes forged = seal_peer_record(fixture.crypto, key(2), victim);
  CHECK(fixture.add(forged) == std::unexpected(RecordError::kWrongKey));
  CHECK(fixture.swarm.addresses(victim.peer, kStart).empty());
}

TEST_CASE("every other way to be wrong has its reason") {
  Fixture fixture;
  using crypto::SignedEnvelope;
  const base::Bytes payload = encode(Fixture::record(1, 1, {}));
  const std::uint8_t other_type[] = {0x03, 0x02};

  base::Bytes tampered = fixture.seal(1, 1);
  tampered.back() ^= 1;
  CHECK(fixture.add(tampered) == std::unexpected(RecordError::kBadSignature));
  CHECK(fixture.add(SignedEnvelope::seal(fixture.crypto, key(1), "another-domain", kPeerRecordType,
                                         payload)) == std::unexpected(RecordError::kBadSignature));
  CHECK(fixture.add(SignedEnvelope::seal(fixture.crypto, key(1), kPeerRecordDomain, other_type,
                                         payload)) == std::unexpected(RecordError::kWrongType));
  const std::uint8_t garbage[] = {0xff, 0xff, 0xff};
  CHECK(fixture.add(SignedEnvelope::seal(fixture.crypto, key(1), kPeerRecordDomain, kPeerRecordType,
                                         garbage)) == std::unexpected(RecordError::kMalformed));
  CHECK(fixture.add(garbage) == std::unexpected(RecordError::kBadEnvelope));
  CHECK(fixture.add({}) == std::unexpected(RecordError::kBadEnvelope));

  std::vector<Multiaddr> many;
  for (int i = 1; i < 1000; ++i) many.push_back(addr("/ip4/192.0.2.1/tcp/" + std::to_string(i)));
  CHECK(fixture.add(fixture.seal(1, 1, many)) == std::unexpected(RecordError::kTooLarge));

  Swarm own(Config{}, PeerId::of(key(1).public_key()), fixture.crypto, base::Prng(1));
  CHECK(own.add_signed_record(fixture.seal(1, 1), kStart) ==
        std::unexpected(RecordError::kOwnRecord));
  CHECK(fixture.swarm.known_peers() == 0);
}
