#include <string>
#include <utility>

#include <ggen/p2p/registry/head_record.hpp>
#include <ggen/p2p/reqresp/message.hpp>

#include "field_reader.hpp"

namespace ggen::p2p::registry {
namespace {

using multiformats::PeerId;

constexpr std::string_view kPrefix = "/ggen/";
constexpr std::uint64_t kVersion = 1;
constexpr reqresp::MessageLimits kLimits{.max_depth = 2, .max_values = 2 * kMaxHeadEntries};

std::vector<base::BytesView> envelopes_of(const reqresp::Message& message) {
  FieldReader fields(message.map());
  if (fields.uint("v", kVersion) != kVersion) return {};
  auto envelopes = fields.binaries("entries", kMaxHeadEntries, kMaxEntry);
  return fields.bad_field() ? std::vector<base::BytesView>{} : envelopes;
}

// Whether the entry may follow, its keys having been named by `last`.
bool follows(const Entry& entry, const Entry& last) {
  const Keys& keys = *last.keys();
  if (entry.statement.seq <= last.statement.seq) return false;
  const Keys* next = entry.keys();
  return next == nullptr ? keys.keys.contains(entry.signer) : next->keys.digest() == keys.next;
}

// From the publisher's name to the last entry, each envelope being read by `open`.
template <class Open>
std::optional<HeadRecord> follow(const PeerId& publisher, base::BytesView value, Open open) {
  const auto message = reqresp::Message::parse(base::Buffer::copy_of(value), kLimits);
  if (!message) return std::nullopt;
  std::optional<HeadRecord> record;
  for (const base::BytesView envelope : envelopes_of(*message)) {
    auto entry = open(envelope);
    if (!entry || entry->statement.publisher != publisher) return std::nullopt;
    if (!record) {
      // That it is signed by the key which the publisher is named for, Entry::open() has seen.
      if (entry->statement.seq != 0) return std::nullopt;
      record.emplace(HeadRecord{0, *std::move(entry)});
    } else {
      // Only the last entry is something else.
      if (record->head.keys() == nullptr || !follows(*entry, record->head)) return std::nullopt;
      record->head = *std::move(entry);
    }
    if (record->head.keys() != nullptr) ++record->eras;
  }
  return record;
}

}  // namespace

base::Bytes head_key(const PeerId& publisher) {
  base::Bytes key = base::to_bytes(base::as_bytes(kPrefix));
  base::append(key, publisher.bytes());
  return key;
}

std::optional<PeerId> publisher_of_head(base::BytesView key) {
  if (!base::as_text(key).starts_with(kPrefix)) return std::nullopt;
  const auto publisher = PeerId::decode(key.subspan(kPrefix.size()));
  return publisher ? std::optional{*publisher} : std::nullopt;
}

base::Bytes encode_head(const std::vector<base::Bytes>& envelopes) {
  reqresp::ArrayBuilder entries;
  for (const base::Bytes& envelope : envelopes) entries.binary(envelope);
  return reqresp::MapBuilder{}.array("entries", entries).uint("v", kVersion).encode();
}

std::optional<HeadRecord> open_head(crypto::Crypto& crypto, const PeerId& publisher,
                                    base::BytesView value) {
  return follow(publisher, value,
                [&](base::BytesView envelope) { return Entry::open(crypto, envelope); });
}

std::optional<HeadRecord> read_head(const PeerId& publisher, base::BytesView value) {
  return follow(publisher, value, Entry::decode);
}

bool HeadValidator::valid(base::BytesView key, base::BytesView value) const {
  const auto publisher = publisher_of_head(key);
  return publisher && open_head(*crypto_, *publisher, value);
}

bool HeadValidator::better(base::BytesView key, base::BytesView candidate,
                           base::BytesView held) const {
  const auto publisher = publisher_of_head(key);
  if (!publisher) return false;
  // Both are valid: their signatures have been verified.
  const auto ours = read_head(*publisher, held);
  const auto theirs = read_head(*publisher, candidate);
  if (!ours || !theirs) return theirs.has_value() && !ours;
  return std::pair{theirs->eras, theirs->head.statement.seq} >
         std::pair{ours->eras, ours->head.statement.seq};
}

}  // namespace ggen::p2p::registry
