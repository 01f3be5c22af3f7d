#include "entry_payload.hpp"

#include <chrono>
#include <limits>

#include "entry_body.hpp"
#include "field_reader.hpp"

namespace ggen::p2p::registry {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kMaxKind = 32;
// The last millisecond that WallTime can hold, in the year 2262.
constexpr auto kMaxTime = static_cast<std::uint64_t>(
    std::chrono::floor<milliseconds>(base::WallTime::max().time_since_epoch()).count());

// An entry of 16 KiB has room for more values than any valid one needs.
constexpr reqresp::MessageLimits kLimits{.max_depth = 8, .max_values = 4096};

base::WallTime to_time(std::uint64_t since_epoch) {
  return base::WallTime(milliseconds(static_cast<std::int64_t>(since_epoch)));
}

}  // namespace

base::Bytes encode_payload(const Statement& statement) {
  const auto time = std::chrono::floor<milliseconds>(statement.time).time_since_epoch().count();
  reqresp::MapBuilder map;
  map.map("body", encode_body(statement.body)).text("kind", kind_of(statement.body));
  if (statement.prev) map.binary("prev", statement.prev->digest);
  map.binary("publisher", statement.publisher.bytes())
      .uint("seq", statement.seq)
      .integer("time", time)
      .uint("v", kVersion);
  return map.encode();
}

std::expected<Statement, EntryError> decode_payload(base::BytesView payload) {
  using Kind = EntryError::Kind;
  const auto message = reqresp::Message::parse(base::Buffer::copy_of(payload), kLimits);
  if (!message) return std::unexpected(EntryError{Kind::kPayload});
  FieldReader fields(message->map());
  // The version comes first: another one may have changed all the rest.
  const auto version = message->map().uint("v");
  if (!version) return std::unexpected(EntryError{Kind::kBadField, "v"});
  if (*version != kVersion) return std::unexpected(EntryError{Kind::kUnknownVersion});

  const auto kind = fields.text("kind", kMaxKind);
  const auto publisher = fields.peer("publisher");
  const auto seq = fields.uint("seq", kMaxSequence);
  const auto prev = fields.digest_if("prev");
  const auto time = fields.uint("time", kMaxTime);
  const auto body_map = fields.map("body");
  if (fields.bad_field()) return std::unexpected(EntryError{Kind::kBadField, *fields.bad_field()});
  if (prev.has_value() != (seq > 0)) return std::unexpected(EntryError{Kind::kBadField, "prev"});
  auto body = decode_body(kind, *body_map);
  if (!body) return std::unexpected(std::move(body.error()));
  const auto prev_id = prev ? std::optional(EntryId{*prev}) : std::nullopt;
  return Statement{*publisher, seq, prev_id, to_time(time), std::move(*body)};
}

}  // namespace ggen::p2p::registry
