#include <algorithm>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/registry/merkle.hpp>

#include "field_reader.hpp"

namespace ggen::p2p::registry {

using crypto::Sha256Digest;
using reqresp::Map;
using reqresp::MapBuilder;

namespace {

constexpr std::size_t kMaxType = 32;
constexpr std::size_t kHashBytes = sizeof(Sha256Digest);

std::unexpected<BadMessage> bad(std::string field) {
  return std::unexpected(BadMessage{std::move(field)});
}

}  // namespace

reqresp::Service fetch_service() {
  return {.protocol = std::string(kFetchProtocol),
          .max_request = 1024,
          .max_response = 16 * 1024,
          .max_responses = kMaxFetchChunks,
          .max_body =
              std::max<std::uint64_t>(Archive::kLargestChunk, Archive::kMaxChunks * kHashBytes)};
}

MapBuilder encode(const FetchRequest& request) {
  MapBuilder map;
  std::visit(base::Overloaded{[&](const ListRequest& list) {
                                map.binary("root", list.root).text("type", "list");
                              },
                              [&](const ChunksRequest& chunks) {
                                map.uint("count", chunks.count)
                                    .uint("first", chunks.first)
                                    .binary("root", chunks.root)
                                    .text("type", "chunks");
                              }},
             request);
  return map;
}

MapBuilder encode(const ListResponse& response) {
  MapBuilder map;
  if (!response.chunks) return map.boolean("missing", true);
  map.uint("count", response.chunks->count());
  if (!response.chunks->is_full()) map.binary("have", response.chunks->bits());
  return map;
}

MapBuilder encode(const ChunkResponse& response) {
  MapBuilder map;
  map.uint("index", response.index);
  if (response.missing) map.boolean("missing", true);
  return map;
}

std::expected<FetchRequest, BadMessage> decode_fetch_request(Map map) {
  FieldReader fields(map);
  const auto type = fields.text("type", kMaxType);
  const auto root = fields.digest("root");
  if (type == "list" && root) return ListRequest{*root};
  if (type != "chunks") fields.refuse("type");
  const auto first = fields.uint("first", Archive::kMaxChunks - 1);
  const auto count = fields.uint("count", kMaxFetchChunks);
  if (count == 0 || first + count > Archive::kMaxChunks) fields.refuse("count");
  if (fields.bad_field()) return bad(*fields.bad_field());
  return ChunksRequest{*root, first, count};
}

std::expected<ListResponse, BadMessage> decode_list_response(Map map, std::uint64_t body,
                                                             const Archive& archive) {
  FieldReader fields(map);
  const bool missing = fields.boolean_if("missing").value_or(false);
  if (fields.bad_field()) return bad(*fields.bad_field());
  if (body != (missing ? 0 : archive.chunk_count() * kHashBytes)) {
    return bad(std::string(reqresp::kBodyKey));
  }
  if (missing) return ListResponse{};
  const auto count = fields.uint("count", Archive::kMaxChunks);
  if (count != archive.chunk_count()) fields.refuse("count");
  const auto have = fields.binary_if("have", Archive::kMaxChunks / 8);
  if (fields.bad_field()) return bad(*fields.bad_field());
  if (have) {
    auto set = ChunkSet::decode(count, *have);
    if (!set) return bad("have");
    return ListResponse{std::move(*set)};
  }
  ChunkSet all(count);
  for (std::uint64_t index = 0; index < count; ++index) all.insert(index);
  return ListResponse{std::move(all)};
}

std::expected<ChunkResponse, BadMessage> decode_chunk_response(Map map, std::uint64_t body,
                                                               const Archive& archive,
                                                               std::uint64_t index) {
  FieldReader fields(map);
  const ChunkResponse response{fields.uint("index", Archive::kMaxChunks - 1),
                               fields.boolean_if("missing").value_or(false)};
  if (response.index != index) fields.refuse("index");
  if (fields.bad_field()) return bad(*fields.bad_field());
  if (body != (response.missing ? 0 : archive.chunk_bytes(index))) {
    return bad(std::string(reqresp::kBodyKey));
  }
  return response;
}

base::Bytes chunk_list_body(std::span<const Sha256Digest> chunks) {
  base::Bytes body;
  body.reserve(chunks.size() * kHashBytes);
  for (const Sha256Digest& chunk : chunks) base::append(body, chunk);
  return body;
}

std::optional<std::vector<Sha256Digest>> read_chunk_list(base::BytesView body,
                                                         const Archive& archive) {
  if (body.size() != archive.chunk_count() * kHashBytes) return std::nullopt;
  std::vector<Sha256Digest> chunks(body.size() / kHashBytes);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    std::ranges::copy(body.subspan(i * kHashBytes, kHashBytes), chunks[i].begin());
  }
  if (merkle_root(chunks) != archive.root) return std::nullopt;
  return chunks;
}

}  // namespace ggen::p2p::registry
