#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/registry/merkle.hpp>
#include <ggen/p2p/registry/search.hpp>
#include <ggen/p2p/registry/sync.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;
using reqresp::ArrayBuilder;
using reqresp::MapBuilder;
using reqresp::Message;

namespace {

Message message(const MapBuilder& map) {
  return Message::parse(base::Buffer::copy_of(map.encode())).value();
}

multiformats::PeerId peer(std::uint8_t seed) {
  return LogSigner{seed}.id();
}

// `count` different publishers in rising order.
std::vector<Catalog::PublisherHead> heads(std::size_t count) {
  std::vector<Catalog::PublisherHead> all;
  for (std::size_t i = 0; i < count; ++i) {
    base::Bytes multihash(34, 0);
    multihash[0] = 0x12;
    multihash[1] = 0x20;
    multihash[2] = static_cast<std::uint8_t>(i >> 8);
    multihash[3] = static_cast<std::uint8_t>(i);
    all.push_back({multiformats::PeerId::decode(multihash).value(), {i, EntryId{{7}}}});
  }
  return all;
}

template <class T>
std::string bad(const std::expected<T, BadMessage>& decoded) {
  return decoded ? "" : decoded.error().field;
}

}  // namespace

TEST_CASE("sync: requests come out as they went in") {
  const SyncRequest requests[] = {
      HeadsRequest{}, HeadsRequest{peer(1), 10}, EntriesRequest{peer(2), {0, kMaxSyncEntries - 1}},
      EntriesRequest{peer(2), {kMaxSequence, kMaxSequence}}, ForkRequest{peer(3)}};
  for (const SyncRequest& request : requests) {
    const Message sent = message(encode(request));
    CHECK(sent.bytes().size() <= sync_service().max_request);
    CHECK(decode_sync_request(sent.map()).value() == request);
  }
}

TEST_CASE("sync: what no request may be") {
  const auto decode = [](const MapBuilder& map) {
    return bad(decode_sync_request(message(map).map()));
  };
  const auto range = [&](std::uint64_t first, std::uint64_t last) {
    return decode(encode(SyncRequest{EntriesRequest{peer(1), {first, last}}}));
  };
  CHECK(decode(MapBuilder()) == "type");
  CHECK(decode(MapBuilder().text("type", "all")) == "type");
  CHECK(decode(MapBuilder().text("type", "fork")) == "publisher");
  CHECK(decode(MapBuilder().text("type", "fork").text("publisher", "x")) == "publisher");
  CHECK(decode(MapBuilder().text("type", "heads")) == "limit");
  CHECK(decode(encode(SyncRequest{HeadsRequest{.limit = 0}})) == "limit");
  CHECK(decode(encode(SyncRequest{HeadsRequest{.limit = kMaxSyncHeads + 1}})) == "limit");
  CHECK(range(5, 4) == "last");
  CHECK(range(0, kMaxSyncEntries) == "last");
  CHECK(range(0, kMaxSequence + 1) == "last");
}

TEST_CASE("sync: a page of heads, as large as it may be") {
  const HeadsResponse page{heads(kMaxSyncHeads), true};
  const Message sent = message(encode(page));
  CHECK(sent.bytes().size() <= sync_service().max_response);
  CHECK(decode_heads(sent.map(), {}).value() == page);
  CHECK(bad(decode_heads(sent.map(), {.limit = kMaxSyncHeads - 1})) == "heads");
  const HeadsResponse last{};
  CHECK(decode_heads(message(encode(last)).map(), {}).value() == last);
}

TEST_CASE("sync: pages always go on, so that asking for them ends") {
  const auto decode = [](const HeadsResponse& page, const HeadsRequest& request) {
    return bad(decode_heads(message(encode(page)).map(), request));
  };
  const auto all = heads(3);
  CHECK(decode({all}, {.after = all[0].publisher}) == "heads");
  CHECK(decode({{all[1], all[0]}}, {}) == "heads");
  CHECK(decode({{all[1], all[1]}}, {}) == "heads");
  CHECK(decode({{all[1], all[2]}}, {.after = all[0].publisher}).empty());
  CHECK(decode({{}, true}, {}) == "more");
  CHECK(bad(decode_heads(message(MapBuilder()).map(), {})) == "heads");
  ArrayBuilder without_id;
  without_id.map(MapBuilder().binary("publisher", peer(1).bytes()).uint("seq", 1));
  CHECK(bad(decode_heads(message(MapBuilder().array("heads", without_id)).map(), {})) ==
        "heads.id");
}

TEST_CASE("sync: a response is filled until it is full, and then fits the service") {
  EntriesResponse response;
  while (response.has_room(kMaxEntry)) response.envelopes.emplace_back(kMaxEntry);
  CHECK(response.envelopes.size() == kMaxSyncEntriesBytes / kMaxEntry);
  Message sent = message(encode(response));
  CHECK(sent.bytes().size() <= sync_service().max_response);
  CHECK(decode_entries(sent.map()).value() == response);
  CHECK(sync_service().max_responses * response.envelopes.size() >= kMaxSyncEntries);

  response.envelopes.clear();
  while (response.has_room(1)) response.envelopes.emplace_back(1);
  CHECK(response.envelopes.size() == kMaxSyncEntries);
  response.envelopes.emplace_back(1);
  CHECK(bad(decode_entries(message(encode(response)).map())) == "entries");
  CHECK(bad(decode_entries(message(encode(EntriesResponse{{base::Bytes(kMaxEntry + 1)}})).map())) ==
        "entries");
  CHECK(bad(decode_entries(message(MapBuilder().text("entries", "x")).map())) == "entries");
}

TEST_CASE("search: requests come out as they went in, and what none may be") {
  const SearchRequest full{{"pad", "\xe2\x86\x90"}, "text", "strings", kMaxSearchResults};
  CHECK(decode_search_request(message(encode(full)).map()).value() == full);
  CHECK(decode_search_request(message(encode(SearchRequest{})).map()).value() == SearchRequest{});
  SearchRequest largest{std::vector(kMaxSearchWords, std::string(kMaxSearchWord, 'w'))};
  CHECK(message(encode(largest)).bytes().size() <= search_service().max_request);
  CHECK(decode_search_request(message(encode(largest)).map()));

  const auto field = [&](const std::function<void(SearchRequest&)>& change) {
    SearchRequest request = full;
    change(request);
    return bad(decode_search_request(message(encode(request)).map()));
  };
  CHECK(field([](auto& r) { r.words.assign(kMaxSearchWords + 1, "w"); }) == "words");
  CHECK(field([](auto& r) { r.words = {std::string(kMaxSearchWord + 1, 'w')}; }) == "words");
  CHECK(field([](auto& r) { r.words = {""}; }) == "words");
  CHECK(field([](auto& r) { r.words = {"a\nb"}; }) == "words");
  CHECK(field([](auto& r) { r.category = "Not It"; }) == "category");
  CHECK(field([](auto& r) { r.tag = "'"; }) == "tag");
  CHECK(field([](auto& r) { r.limit = 0; }) == "limit");
  CHECK(field([](auto& r) { r.limit = kMaxSearchResults + 1; }) == "limit");
  CHECK(bad(decode_search_request(message(MapBuilder().uint("limit", 1).uint("words", 1)).map())) ==
        "words");
}

TEST_CASE("search: a response is filled until it is full, and holds no more than was asked for") {
  SearchResponse response;
  while (response.has_room(kMaxEntry)) response.results.push_back({base::Bytes(kMaxEntry), true});
  CHECK(response.results.size() == kMaxSearchBytes / kMaxEntry);
  const Message sent = message(encode(response));
  CHECK(sent.bytes().size() <= search_service().max_response);
  CHECK(decode_search_response(sent.map(), {}).value() == response);
  CHECK(bad(decode_search_response(sent.map(), {.limit = response.results.size() - 1})) ==
        "results");
  response.results = {{base::Bytes(kMaxEntry + 1)}};
  CHECK(bad(decode_search_response(message(encode(response)).map(), {})) == "results.entry");
  response.results.clear();
  while (response.has_room(1)) response.results.push_back({base::Bytes(1)});
  CHECK(response.results.size() == kMaxSearchResults);
  CHECK(bad(decode_search_response(message(MapBuilder()).map(), {})) == "results");
}

TEST_CASE("fetch: requests come out as they went in, and what none may be") {
  const FetchRequest requests[] = {ListRequest{archive().root},
                                   ChunksRequest{archive().root, 0, kMaxFetchChunks},
                                   ChunksRequest{archive().root, Archive::kMaxChunks - 1, 1}};
  for (const FetchRequest& request : requests) {
    CHECK(decode_fetch_request(message(encode(request)).map()).value() == request);
  }
  const auto field = [](const MapBuilder& map) {
    return bad(decode_fetch_request(message(map).map()));
  };
  const auto chunks = [&](std::uint64_t first, std::uint64_t count) {
    return field(encode(FetchRequest{ChunksRequest{archive().root, first, count}}));
  };
  CHECK(field(MapBuilder()) == "type");
  CHECK(field(MapBuilder().text("type", "list")) == "root");
  CHECK(field(MapBuilder().text("type", "list").binary("root", base::Bytes(31))) == "root");
  CHECK(chunks(0, 0) == "count");
  CHECK(chunks(0, kMaxFetchChunks + 1) == "count");
  CHECK(chunks(Archive::kMaxChunks - 1, 2) == "count");
  CHECK(chunks(Archive::kMaxChunks, 1) == "first");
  CHECK(chunks(UINT64_MAX, 1) == "first");
}

TEST_CASE("fetch: a list says what is held, and its body is checked against the root") {
  std::vector<crypto::Sha256Digest> hashes;
  for (const char* chunk : {"a", "b", "c"}) hashes.push_back(chunk_hash(base::as_bytes(chunk)));
  Archive whole = archive();
  whole.packed_size = 2 * Archive::kUsualChunk + 9;
  whole.root = merkle_root(hashes);

  ChunkSet some(3);
  some.insert(1);
  some.insert(1);
  ChunkSet all = some;
  all.insert(0);
  all.insert(2);
  for (const ListResponse& response : {ListResponse{some}, ListResponse{all}}) {
    CHECK(decode_list_response(message(encode(response)).map(), 96, whole).value() == response);
    CHECK(bad(decode_list_response(message(encode(response)).map(), 95, whole)) == "body");
    CHECK(bad(decode_list_response(message(encode(response)).map(), 0, whole)) == "body");
  }
  const Message none = message(encode(ListResponse{}));
  CHECK(decode_list_response(none.map(), 0, whole).value() == ListResponse{});
  CHECK(bad(decode_list_response(none.map(), 96, whole)) == "body");
  CHECK(bad(decode_list_response(message(encode(ListResponse{ChunkSet(4)})).map(), 96, whole)) ==
        "count");
  MapBuilder odd;
  odd.uint("count", 3).binary("have", base::Bytes{0x10});
  CHECK(bad(decode_list_response(message(odd).map(), 96, whole)) == "have");

  base::Bytes body = chunk_list_body(hashes);
  CHECK(read_chunk_list(body, whole).value() == hashes);
  body[40] ^= 1;
  CHECK_FALSE(read_chunk_list(body, whole));
  body[40] ^= 1;
  body.resize(64);
  CHECK_FALSE(read_chunk_list(body, whole));
}

TEST_CASE("fetch: the largest list fits its service") {
  ChunkSet half(Archive::kMaxChunks);
  for (std::uint64_t i = 0; i < half.count(); i += 2) half.insert(i);
  CHECK(half.held() == half.count() / 2);
  const Message sent = message(encode(ListResponse{half}));
  CHECK(sent.bytes().size() <= fetch_service().max_response);
  Archive largest{.packed_size = Archive::kMaxSize, .tar_size = 1};
  largest.chunk_size = Archive::kLargestChunk;
  REQUIRE(largest.is_valid());
  CHECK(decode_list_response(sent.map(), fetch_service().max_body / 8, largest)->chunks == half);
}

TEST_CASE("fetch: each chunk comes in its turn with as many bytes as it has") {
  const Archive whole = archive();  // two chunks
  const auto decode = [&](const ChunkResponse& response, std::uint64_t body, std::uint64_t index) {
    return decode_chunk_response(message(encode(response)).map(), body, whole, index);
  };
  CHECK(decode({0}, Archive::kUsualChunk, 0).value() == ChunkResponse{0});
  CHECK(decode({1}, 300'000 - Archive::kUsualChunk, 1).value() == ChunkResponse{1});
  CHECK(decode({1, true}, 0, 1).value() == ChunkResponse{1, true});
  CHECK(bad(decode({1}, Archive::kUsualChunk, 1)) == "body");
  CHECK(bad(decode({1, true}, 1, 1)) == "body");
  CHECK(bad(decode({0}, Archive::kUsualChunk, 1)) == "index");
  CHECK(bad(decode_chunk_response(message(MapBuilder()).map(), 0, whole, 0)) == "index");
}

TEST_CASE("fetch: a set of chunks is its bits") {
  base::Prng prng(1);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t count = 1 + prng.below(40);
    ChunkSet set(count);
    const std::uint64_t inserts = prng.below(60);
    for (std::uint64_t j = 0; j < inserts; ++j) set.insert(prng.below(count));
    CHECK(ChunkSet::decode(count, set.bits()) == set);
    std::uint64_t held = 0;
    for (std::uint64_t j = 0; j < count + 9; ++j) held += set.has(j) ? 1 : 0;
    CHECK(held == set.held());
    CHECK(set.is_full() == (held == count));
  }
  CHECK_FALSE(ChunkSet::decode(9, base::Bytes{0xff}));
  CHECK_FALSE(ChunkSet::decode(9, base::Bytes{0xff, 0xc0}));
  CHECK(ChunkSet::decode(9, base::Bytes{0xff, 0x80})->is_full());
}
