#include <numeric>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/registry/sync.hpp>

#include "field_reader.hpp"

namespace ggen::p2p::registry {

using reqresp::ArrayBuilder;
using reqresp::Map;
using reqresp::MapBuilder;

namespace {

constexpr std::size_t kMaxType = 32;

std::unexpected<BadMessage> bad(std::string field) {
  return std::unexpected(BadMessage{std::move(field)});
}

using DecodedRequest = std::expected<SyncRequest, BadMessage>;

DecodedRequest decode_heads_request(FieldReader& fields) {
  const auto after = fields.peer_if("after");
  const auto limit = fields.uint("limit", kMaxSyncHeads);
  if (limit == 0) fields.refuse("limit");
  if (fields.bad_field()) return bad(*fields.bad_field());
  return HeadsRequest{after, limit};
}

DecodedRequest decode_entries_request(FieldReader& fields) {
  const auto publisher = fields.peer("publisher");
  const SeqRange range{fields.uint("first", kMaxSequence), fields.uint("last", kMaxSequence)};
  if (range.last < range.first || range.last - range.first >= kMaxSyncEntries)
    fields.refuse("last");
  if (fields.bad_field()) return bad(*fields.bad_field());
  return EntriesRequest{*publisher, range};
}

DecodedRequest decode_fork_request(FieldReader& fields) {
  const auto publisher = fields.peer("publisher");
  if (fields.bad_field()) return bad(*fields.bad_field());
  return ForkRequest{*publisher};
}

}  // namespace

reqresp::Service sync_service() {
  return {.protocol = std::string(kSyncProtocol),
          .max_request = 1024,
          .max_response = 256 * 1024,
          // The largest entries, one request's worth of them.
          .max_responses = kMaxSyncEntries * kMaxEntry / kMaxSyncEntriesBytes + 4,
          .max_body = 0,
          // What nobody reads is held for each: at most kMaxSyncAnswerBytes.
          .max_inbound_per_peer = 4,
          .max_inbound = 64};
}

bool EntriesResponse::has_room(std::size_t size) const noexcept {
  const auto add = [](std::size_t sum, const base::Bytes& envelope) {
    return sum + envelope.size();
  };
  const std::size_t used = std::accumulate(envelopes.begin(), envelopes.end(), std::size_t{0}, add);
  return envelopes.size() < kMaxSyncEntries && used + size <= kMaxSyncEntriesBytes;
}

MapBuilder encode(const SyncRequest& request) {
  MapBuilder map;
  std::visit(
      base::Overloaded{[&](const HeadsRequest& heads) {
                         if (heads.after) map.binary("after", heads.after->bytes());
                         map.uint("limit", heads.limit).text("type", "heads");
                       },
                       [&](const EntriesRequest& entries) {
                         map.uint("first", entries.range.first)
                             .uint("last", entries.range.last)
                             .binary("publisher", entries.publisher.bytes())
                             .text("type", "entries");
                       },
                       [&](const ForkRequest& fork) {
                         map.binary("publisher", fork.publisher.bytes()).text("type", "fork");
                       }},
      request);
  return map;
}

MapBuilder encode(const HeadsResponse& response) {
  ArrayBuilder heads;
  for (const auto& [publisher, head, forked] : response.heads) {
    MapBuilder map;
    if (forked) map.boolean("forked", true);
    map.binary("id", head.id.digest).binary("publisher", publisher.bytes()).uint("seq", head.seq);
    heads.map(map);
  }
  MapBuilder map;
  map.array("heads", heads).boolean("more", response.more);
  return map;
}

MapBuilder encode(const EntriesResponse& response) {
  ArrayBuilder entries;
  for (const base::Bytes& envelope : response.envelopes) entries.binary(envelope);
  MapBuilder map;
  map.array("entries", entries);
  return map;
}

std::expected<SyncRequest, BadMessage> decode_sync_request(Map map) {
  FieldReader fields(map);
  const auto type = fields.text("type", kMaxType);
  if (type == "heads") return decode_heads_request(fields);
  if (type == "entries") return decode_entries_request(fields);
  if (type == "fork") return decode_fork_request(fields);
  return bad("type");
}

std::expected<HeadsResponse, BadMessage> decode_heads(Map map, const HeadsRequest& request) {
  FieldReader fields(map);
  HeadsResponse response;
  auto last = request.after;
  for (const Map& item : fields.maps("heads", static_cast<std::size_t>(request.limit))) {
    FieldReader head(item);
    const bool forked = head.boolean_if("forked").value_or(false);
    const auto id = head.digest("id");
    const auto publisher = head.peer("publisher");
    const auto seq = head.uint("seq", kMaxSequence);
    if (head.bad_field()) return bad("heads." + *head.bad_field());
    if (last && *publisher <= *last) return bad("heads");
    last = publisher;
    response.heads.push_back({*publisher, {seq, EntryId{*id}}, forked});
  }
  response.more = fields.boolean_if("more").value_or(false);
  if (response.more && response.heads.empty()) fields.refuse("more");
  if (fields.bad_field()) return bad(*fields.bad_field());
  return response;
}

std::expected<EntriesResponse, BadMessage> decode_entries(Map map) {
  FieldReader fields(map);
  const auto entries = fields.binaries("entries", kMaxSyncEntries, kMaxEntry);
  if (fields.bad_field()) return bad(*fields.bad_field());
  EntriesResponse response;
  for (const base::BytesView entry : entries) response.envelopes.push_back(base::to_bytes(entry));
  return response;
}

}  // namespace ggen::p2p::registry
