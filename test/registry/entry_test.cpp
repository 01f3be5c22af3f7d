#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/crypto/signed_envelope.hpp>
#include <ggen/p2p/registry/entry.hpp>
#include <ggen/p2p/reqresp/message.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;
using crypto::SignedEnvelope;
using reqresp::ArrayBuilder;
using reqresp::MapBuilder;
using Kind = EntryError::Kind;

namespace {

const LogSigner kSigner;

EntryId some_id() {
  return kSigner.first(2).id;
}

Publish full_publish() {
  Publish publish = registry::publish("left-pad", "1.2.3-rc.1+x");
  Metadata& metadata = publish.metadata;
  metadata.description = "Pads on the left, \xe2\x86\x90 there";
  metadata.category = "text";
  metadata.tags = {"strings", "padding"};
  metadata.license = "MIT OR Apache-2.0";
  metadata.authors = {"Ada <ada@example.org>", "Zo\xc3\xab"};
  metadata.dependencies = {{std::nullopt, name("spaces"), Range::parse("^1.2").value()},
                           {kSigner.id(), name("tabs")}};
  return publish;
}

base::Bytes seal_payload(const base::Bytes& payload, std::uint8_t key = 1,
                         std::string_view type = kEntryPayloadType,
                         std::string_view domain = kEntryDomain) {
  return SignedEnvelope::seal(test_crypto(), key_pair(key), domain, base::as_bytes(type), payload);
}

EntryError error_of(const base::Bytes& envelope) {
  const auto entry = Entry::open(test_crypto(), envelope);
  REQUIRE_FALSE(entry);
  return entry.error();
}

MapBuilder archive_map(std::uint64_t chunk = Archive::kUsualChunk, std::uint64_t packed = 1) {
  MapBuilder map;
  map.uint("chunk", chunk).uint("packed", packed).binary("root", base::Bytes(32)).uint("tar", 1);
  map.binary("tar_hash", base::Bytes(32));
  return map;
}

// A publish entry of which `change` may replace the body, or add to the rest.
base::Bytes publish_payload(const std::function<void(MapBuilder& body)>& change,
                            const MapBuilder& archive = archive_map()) {
  MapBuilder body;
  body.map("archive", archive).text("name", "a").text("version", "1.0.0");
  change(body);
  MapBuilder map;
  map.map("body", body).text("kind", "publish").binary("prev", some_id().digest);
  map.binary("publisher", kSigner.id().bytes()).uint("seq", 1).uint("time", 0).uint("v", 1);
  return map.encode();
}

}  // namespace

TEST_CASE("entry: every kind opens to what was sealed") {
  const EntryBody bodies[] = {full_publish(),
                              registry::publish("a", "0.0.1"),
                              Yank{name("a"), version("1.0.0"), "broken"},
                              Yank{name("a"), version("1.0.0")},
                              Unyank{name("a"), version("1.0.0")},
                              Deprecate{name("a"), version("1.0.0"), "use b"},
                              Deprecate{name("a"), std::nullopt, ""},
                              Keys{key_set(1), key_set(2).digest()}};
  for (const EntryBody& body : bodies) {
    CAPTURE(body.index());
    const Entry sealed = kSigner.sign(1, 5, some_id(), body, 123'456'789);
    const auto opened = Entry::open(test_crypto(), sealed.envelope.view());
    REQUIRE(opened);
    CHECK(opened->id == sealed.id);
    CHECK(opened->signer == key_pair(1).public_key());
    CHECK(opened->statement == sealed.statement);
    CHECK(opened->statement.body == body);
    CHECK(opened->statement.seq == 5);
    CHECK(base::equal(opened->envelope.view(), sealed.envelope.view()));
  }
}

TEST_CASE("entry: the payload's bytes are these, and the id is their hash") {
  const Entry entry = kSigner.sign(1, 1, EntryId{}, Yank{name("a"), version("1.0.0"), "no"}, 1000);
  const auto envelope = SignedEnvelope::decode(entry.envelope.view());
  REQUIRE(envelope);
  const std::string expected =
      "87"  // a map of 7
      "a4626f6479"
      "83"  // body: a map of 3
      "a46e616d65"
      "a161"  // name: a
      "a6726561736f6e"
      "a26e6f"  // reason: no
      "a776657273696f6e"
      "a5312e302e30"  // version: 1.0.0
      "a46b696e64"
      "a479616e6b"  // kind: yank
      "a470726576"
      "c420" +
      std::string(64, '0') +  // prev
      "a97075626c6973686572"
      "c426" +
      base::to_hex(kSigner.id().bytes()) +
      "a3736571"
      "01"  // seq: 1
      "a474696d65"
      "cd03e8"  // time: 1000
      "a176"
      "01";  // v: 1
  CHECK(base::to_hex(envelope->payload) == expected);
  CHECK(entry.id.digest == crypto::sha256(envelope->payload));
}

TEST_CASE("entry: equal statements give equal bytes") {
  CHECK(base::equal(kSigner.sign(1, 5, some_id(), full_publish()).envelope.view(),
                    kSigner.sign(1, 5, some_id(), full_publish()).envelope.view()));
}

TEST_CASE("entry: unknown keys are kept, and count for the id") {
  const auto payload = publish_payload([](MapBuilder& body) { body.text("homepage", "x"); });
  const auto entry = Entry::open(test_crypto(), seal_payload(payload));
  REQUIRE(entry);
  CHECK(entry->id.digest == crypto::sha256(payload));
  CHECK(base::equal(SignedEnvelope::decode(entry->envelope.view())->payload, payload));
}

TEST_CASE("entry: the encoding of others, with keys in any order, is taken as it is") {
  MapBuilder body;
  body.text("version", "1.0.0").text("name", "a");
  MapBuilder map;
  map.uint("v", 1).uint("time", 0).uint("seq", 1).binary("publisher", kSigner.id().bytes());
  map.binary("prev", some_id().digest).text("kind", "unyank").map("body", body);
  const auto entry = Entry::open(test_crypto(), seal_payload(map.encode()));
  REQUIRE(entry);
  CHECK(entry->id.digest == crypto::sha256(map.encode()));
}

TEST_CASE("entry: another version is refused whatever else it holds, and so is another kind") {
  MapBuilder newer;
  newer.uint("v", 2).text("all", "different");
  CHECK(error_of(seal_payload(newer.encode())).kind == Kind::kUnknownVersion);
  MapBuilder none;
  none.text("kind", "publish");
  CHECK(error_of(seal_payload(none.encode())).field == "v");
  MapBuilder body;
  MapBuilder kind;
  kind.map("body", body).text("kind", "sell").binary("prev", some_id().digest);
  kind.binary("publisher", kSigner.id().bytes()).uint("seq", 1).uint("time", 0).uint("v", 1);
  CHECK(error_of(seal_payload(kind.encode())).kind == Kind::kUnknownKind);
}

TEST_CASE("entry: a changed signature, domain, type or byte is refused") {
  const auto payload = publish_payload([](MapBuilder&) {});
  REQUIRE(Entry::open(test_crypto(), seal_payload(payload)));
  CHECK(error_of(seal_payload(payload, 1, "/other")).kind == Kind::kEnvelope);
  CHECK(error_of(seal_payload(payload, 1, kEntryPayloadType, "libp2p-peer-record")).kind ==
        Kind::kBadSignature);
  CHECK(error_of({}).kind == Kind::kEnvelope);
  CHECK(error_of(seal_payload({0xc0})).kind == Kind::kPayload);
  const auto whole = seal_payload(payload);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto changed = whole;
    changed[i] ^= 0x10;
    const auto entry = Entry::open(test_crypto(), changed);
    if (entry) CHECK(entry->id.digest == crypto::sha256(payload));  // a bit nobody reads
    changed = whole;
    changed.resize(i);
    CHECK_FALSE(Entry::open(test_crypto(), changed));
  }
  // What was verified before it was stored is not verified again.
  auto unsigned_one = whole;
  unsigned_one.back() ^= 1;
  CHECK_FALSE(Entry::open(test_crypto(), unsigned_one));
  CHECK(Entry::decode(unsigned_one));
}

TEST_CASE("entry: each field has its limits, and the error names it") {
  const struct {
    std::string field;
    std::function<void(MapBuilder&)> change;
  } cases[] = {
      {"description", [](auto& body) { body.uint("description", 1); }},
      {"description", [](auto& body) { body.text("description", std::string(1025, 'a')); }},
      {"description", [](auto& body) { body.text("description", "a\nb"); }},
      {"description", [](auto& body) { body.text("description", "\x1b[2J"); }},
      {"description", [](auto& body) { body.text("description", "\xe2\x80\xae"); }},
      {"category", [](auto& body) { body.text("category", "Not A Label"); }},
      {"tags", [](auto& body) { body.text("tags", "a"); }},
      {"tags[0]", [](auto& body) { body.texts("tags", std::vector<std::string>{""}); }},
      {"tags", [](auto& body) { body.texts("tags", std::vector<std::string>{"a", "a"}); }},
      {"tags", [](auto& body) { body.texts("tags", std::vector<std::string>(17, "a")); }},
      {"license", [](auto& body) { body.text("license", "MIT; DROP"); }},
      {"authors[0]", [](auto& body) { body.texts("authors", std::vector<std::string>{""}); }},
      {"authors", [](auto& body) { body.texts("authors", std::vector<std::string>(17, "a")); }},
      {"dependencies", [](auto& body) { body.array("dependencies", ArrayBuilder().uint(1)); }},
      {"dependencies",
       [](auto& body) {
         body.array("dependencies", ArrayBuilder().map(MapBuilder().text("name", "../b")));
       }},
      {"dependencies",
       [](auto& body) {
         body.array("dependencies",
                    ArrayBuilder().map(MapBuilder().text("name", "b").text("range", "nightly")));
       }},
      {"dependencies.b",
       [](auto& body) {
         const MapBuilder twice = std::move(MapBuilder().text("name", "b"));
         body.array("dependencies", ArrayBuilder().map(twice).map(twice));
       }},
      {"dependencies.a",
       [](auto& body) {
         body.array("dependencies", ArrayBuilder().map(MapBuilder().text("name", "a")));
       }},
  };
  for (const auto& example : cases) {
    CAPTURE(example.field);
    const auto error = error_of(seal_payload(publish_payload(example.change)));
    CHECK(error.kind == Kind::kBadField);
    CHECK(error.field == example.field);
    CHECK(error.message().find(example.field) != std::string::npos);
  }
}

TEST_CASE("entry: an archive's sizes and chunk size must fit each other") {
  const auto error = [](const MapBuilder& archive) {
    return error_of(seal_payload(publish_payload([](MapBuilder&) {}, archive))).field;
  };
  CHECK(error(archive_map(0)) == "archive");
  CHECK(error(archive_map(1)) == "archive");
  CHECK(error(archive_map(Archive::kUsualChunk * 2)) == "archive");
  CHECK(error(archive_map(Archive::kUsualChunk, 0)) == "archive");
  CHECK(error(archive_map(Archive::kUsualChunk, Archive::kMaxChunks * Archive::kUsualChunk + 1)) ==
        "archive");
  CHECK(error(archive_map(Archive::kLargestChunk, Archive::kMaxSize + 1)) == "archive.packed");
  CHECK(error(archive_map(UINT64_MAX)) == "archive.chunk");
  CHECK(error(MapBuilder()) == "archive.chunk");
  const auto largest = archive_map(Archive::kLargestChunk, Archive::kMaxSize);
  CHECK(Entry::open(test_crypto(), seal_payload(publish_payload([](MapBuilder&) {}, largest))));
}

TEST_CASE("entry: sequence, previous id, publisher and time are bounded") {
  const auto field = [](std::uint64_t seq, bool prev, std::int64_t time,
                        const base::Bytes& publisher) {
    MapBuilder body;
    body.text("name", "a").text("version", "1.0.0");
    MapBuilder map;
    map.map("body", body).text("kind", "unyank");
    if (prev) map.binary("prev", some_id().digest);
    map.binary("publisher", publisher).uint("seq", seq).integer("time", time).uint("v", 1);
    const auto entry = Entry::open(test_crypto(), seal_payload(map.encode()));
    return entry ? std::string() : entry.error().field;
  };
  const auto id = base::to_bytes(kSigner.id().bytes());
  CHECK(field(1, true, 0, id).empty());
  CHECK(field(kMaxSequence, true, 9'223'372'036'854, id).empty());
  CHECK(field(kMaxSequence + 1, true, 0, id) == "seq");
  CHECK(field(1, false, 0, id) == "prev");
  CHECK(field(0, true, 0, id) == "prev");
  CHECK(field(0, false, 0, id) == "kind");
  CHECK(field(1, true, -1, id) == "time");
  CHECK(field(1, true, 9'223'372'036'855, id) == "time");
  CHECK(field(1, true, 0, {}) == "publisher");
  CHECK(field(1, true, 0, base::Bytes(64)) == "publisher");
}

TEST_CASE("entry: entry 0 is signed by the key that names the publisher") {
  const Statement first{.publisher = kSigner.id(), .body = Keys{key_set(1), key_set(2).digest()}};
  CHECK(Entry::seal(test_crypto(), key_pair(1), first));
  Statement stolen = first;
  stolen.body = Keys{key_set(3), key_set(2).digest()};
  CHECK(Entry::seal(test_crypto(), key_pair(3), stolen).error().field == "publisher");
}

TEST_CASE("entry: keys are signed by one of themselves and announce others") {
  const auto field = [](std::uint8_t signer, const Keys& keys) {
    const auto entry =
        Entry::seal(test_crypto(), key_pair(signer),
                    {.publisher = kSigner.id(), .seq = 3, .prev = some_id(), .body = keys});
    return entry ? std::string() : entry.error().field;
  };
  CHECK(field(2, {key_set(2), key_set(3).digest()}).empty());
  CHECK(field(1, {key_set(2), key_set(3).digest()}) == "keys");
  CHECK(field(2, {key_set(2), key_set(2).digest()}) == "next");
}

TEST_CASE("entry: a set of keys has one encoding and one digest") {
  const auto a = key_pair(1).public_key();
  const auto b = key_pair(2).public_key();
  CHECK(KeySet::of({a, b}).value() == KeySet::of({b, a}).value());
  CHECK(KeySet::of({a, b})->digest() != KeySet::of({a})->digest());
  CHECK(KeySet::of({}).error() == KeySetError::kEmpty);
  CHECK(KeySet::of({a, a}).error() == KeySetError::kNotSorted);
  CHECK(KeySet::of(std::vector(9, a)).error() == KeySetError::kTooMany);
  const auto set = KeySet::of({a, b}).value();
  const auto first = set.keys()[0].encode();
  const auto second = set.keys()[1].encode();
  CHECK(KeySet::decode({first, second}).value() == set);
  CHECK(KeySet::decode({second, first}).error() == KeySetError::kNotSorted);
  CHECK(KeySet::decode({base::as_bytes("x")}).error() == KeySetError::kBadKey);
}

TEST_CASE("entry: at most 16 KiB") {
  Publish big = registry::publish("a", "1.0.0");
  for (int i = 0; i < 128; ++i) {
    big.metadata.dependencies.push_back(
        {kSigner.id(), name("b" + std::to_string(i)), Range::parse("111111111").value()});
  }
  CHECK(Entry::seal(test_crypto(), key_pair(1),
                    {.publisher = kSigner.id(), .seq = 1, .prev = some_id(), .body = big}));
  for (auto& dependency : big.metadata.dependencies) {
    dependency.name = name(std::string(50, 'b') + dependency.name.text());
  }
  const auto refused =
      Entry::seal(test_crypto(), key_pair(1),
                  {.publisher = kSigner.id(), .seq = 1, .prev = some_id(), .body = big});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == Kind::kTooLarge);
}

TEST_CASE("archive: the chunk size grows so that the hash list stays bounded") {
  CHECK(Archive::chunk_size_for(1) == 256 * 1024);
  CHECK(Archive::chunk_size_for(Archive::kMaxChunks * Archive::kUsualChunk) == 256 * 1024);
  CHECK(Archive::chunk_size_for(Archive::kMaxChunks * Archive::kUsualChunk + 1) == 512 * 1024);
  CHECK(Archive::chunk_size_for(Archive::kMaxSize) == Archive::kLargestChunk);
  Archive archive = registry::archive();
  archive.packed_size = 2 * Archive::kUsualChunk + 1;
  CHECK(archive.is_valid());
  CHECK(archive.chunk_count() == 3);
  CHECK(archive.chunk_bytes(1) == Archive::kUsualChunk);
  CHECK(archive.chunk_bytes(2) == 1);
}
