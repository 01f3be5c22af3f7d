// The messages of sync, search and fetch. The first byte names the decoder, the rest is the map.
// What decodes is within its limits and comes out the same when encoded and decoded again.

#include <cstdlib>

#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/registry/search.hpp>
#include <ggen/p2p/registry/sync.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::registry;
using reqresp::Map;
using reqresp::Message;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// `decode` takes a map.
template <class Decode>
void check(Map map, const reqresp::Service& service, std::size_t limit, Decode decode) {
  const auto decoded = decode(map);
  if (!decoded) {
    require(!decoded.error().field.empty());
    return;
  }
  const base::Bytes encoded = encode(*decoded).encode();
  require(encoded.size() <= limit);
  const auto again = Message::parse(base::Buffer::copy_of(encoded), service.message);
  require(again.has_value());
  const auto same = decode(again->map());
  require(same && *same == *decoded);
}

const Archive kArchive{.packed_size = 11 * Archive::kUsualChunk - 5,
                       .tar_size = 1,
                       .chunk_size = Archive::kUsualChunk,
                       .tar_hash = {},
                       .root = {}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const reqresp::Service sync = sync_service();
  const reqresp::Service search = search_service();
  const reqresp::Service fetch = fetch_service();
  const auto message = Message::parse(base::Buffer::copy_of({data + 1, size - 1}), sync.message);
  if (!message) return 0;
  const Map map = message->map();
  switch (data[0] % 8) {
    case 0:
      check(map, sync, sync.max_request, decode_sync_request);
      break;
    case 1:
      check(map, sync, sync.max_response, [](Map m) { return decode_heads(m, {}); });
      break;
    case 2:
      // A response may hold more than a server of ours puts into one: what came bounds it.
      check(map, sync, size, decode_entries);
      break;
    case 3:
      check(map, search, search.max_request, decode_search_request);
      break;
    case 4:
      check(map, search, size + 6 * kMaxSearchResults,
            [](Map m) { return decode_search_response(m, {}); });
      break;
    case 5:
      check(map, fetch, fetch.max_request, decode_fetch_request);
      break;
    case 6:
      check(map, fetch, fetch.max_response, [](Map m) {
        const bool missing = m.boolean("missing").value_or(false);
        return decode_list_response(m, missing ? 0 : 32 * kArchive.chunk_count(), kArchive);
      });
      break;
    default:
      check(map, fetch, fetch.max_response, [](Map m) {
        const bool missing = m.boolean("missing").value_or(false);
        return decode_chunk_response(m, missing ? 0 : kArchive.chunk_bytes(10), kArchive, 10);
      });
  }
  return 0;
}
