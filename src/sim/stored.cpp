#include <utility>

#include <ggen/p2p/crypto/signed_envelope.hpp>
#include <ggen/p2p/sim/stored.hpp>

namespace ggen::p2p::sim {

namespace {

std::optional<registry::EntryId> id_of(const registry::JournalRecord& record) {
  if (record.kind != registry::JournalRecord::Kind::kEntry) return std::nullopt;
  const auto envelope = crypto::SignedEnvelope::decode(record.bytes.view());
  if (!envelope) return std::nullopt;
  return registry::EntryId{crypto::sha256(envelope->payload)};
}

// The weights are those of the real index: names over tags over the rest.
std::vector<StoredRelease::Field> fields_of(const registry::IndexAdd& release) {
  const auto name = tokens_of(release.name.text());
  std::string squashed;
  for (const auto& token : name) squashed += token;
  std::vector<StoredRelease::Field> fields{{name, 10.0},
                                           {{std::move(squashed)}, 10.0},
                                           {tokens_of(release.description), 1.0},
                                           {tokens_of(release.category), 2.0}};
  for (const auto& tag : release.tags) fields.push_back({tokens_of(tag), 4.0});
  for (const auto& author : release.authors) fields.push_back({tokens_of(author), 1.0});
  return fields;
}

}  // namespace

StoredRecord::StoredRecord(registry::JournalRecord stored)
    : record(std::move(stored)), id(id_of(record)) {}

StoredRelease::StoredRelease(registry::IndexAdd stored)
    : add(std::move(stored)), fields(fields_of(add)) {}

StoredRelease::Tokens tokens_of(std::string_view text) {
  StoredRelease::Tokens found;
  bool inside = false;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool part = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
    if (part && !inside) found.emplace_back();
    if (part) found.back() += upper ? static_cast<char>(c - 'A' + 'a') : c;
    inside = part;
  }
  return found;
}

}  // namespace ggen::p2p::sim
