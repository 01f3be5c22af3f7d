#include "entry_body.hpp"

#include <array>
#include <utility>

#include <ggen/p2p/base/overloaded.hpp>

#include "field_reader.hpp"
#include "text.hpp"

namespace ggen::p2p::registry {

using reqresp::ArrayBuilder;
using reqresp::MapBuilder;

namespace {

// In the order of EntryBody's alternatives.
constexpr std::array<std::string_view, std::variant_size_v<EntryBody>> kKinds = {
    "publish", "yank", "unyank", "deprecate", "keys"};

std::unexpected<EntryError> bad_field(std::string field) {
  return std::unexpected(EntryError{EntryError::Kind::kBadField, std::move(field)});
}

// Encoding. The keys of each map stand in their order.

void text_unless_empty(MapBuilder& map, std::string_view key, const std::string& text) {
  if (!text.empty()) map.text(key, text);
}

void texts_unless_empty(MapBuilder& map, std::string_view key,
                        const std::vector<std::string>& texts) {
  if (!texts.empty()) map.texts(key, texts);
}

MapBuilder encode(const Archive& archive) {
  MapBuilder map;
  map.uint("chunk", archive.chunk_size)
      .uint("packed", archive.packed_size)
      .binary("root", archive.root)
      .uint("tar", archive.tar_size)
      .binary("tar_hash", archive.tar_hash);
  return map;
}

ArrayBuilder encode(const std::vector<Dependency>& dependencies) {
  ArrayBuilder array;
  for (const Dependency& dependency : dependencies) {
    MapBuilder map;
    map.text("name", dependency.name.text());
    if (dependency.publisher) map.binary("publisher", dependency.publisher->bytes());
    text_unless_empty(map, "range", dependency.range.text());
    array.map(map);
  }
  return array;
}

MapBuilder encode(const Publish& publish) {
  const Metadata& metadata = publish.metadata;
  MapBuilder map;
  map.map("archive", encode(publish.archive));
  texts_unless_empty(map, "authors", metadata.authors);
  text_unless_empty(map, "category", metadata.category);
  if (!metadata.dependencies.empty()) map.array("dependencies", encode(metadata.dependencies));
  text_unless_empty(map, "description", metadata.description);
  text_unless_empty(map, "license", metadata.license);
  map.text("name", metadata.name.text());
  texts_unless_empty(map, "tags", metadata.tags);
  map.text("version", metadata.version.text());
  return map;
}

MapBuilder encode(const Yank& yank) {
  MapBuilder map;
  map.text("name", yank.name.text());
  text_unless_empty(map, "reason", yank.reason);
  map.text("version", yank.version.text());
  return map;
}

MapBuilder encode(const Unyank& unyank) {
  MapBuilder map;
  map.text("name", unyank.name.text()).text("version", unyank.version.text());
  return map;
}

MapBuilder encode(const Deprecate& deprecate) {
  MapBuilder map;
  map.text("name", deprecate.name.text());
  text_unless_empty(map, "reason", deprecate.reason);
  if (deprecate.version) map.text("version", deprecate.version->text());
  return map;
}

MapBuilder encode(const Keys& keys) {
  ArrayBuilder array;
  for (const crypto::PublicKey& key : keys.keys.keys()) array.binary(key.encode());
  MapBuilder map;
  map.array("keys", array).binary("next", keys.next);
  return map;
}

// Decoding. Each reads all its fields first: the reader remembers which of them is bad.

using Decoded = std::expected<EntryBody, EntryError>;

Archive decode_archive(FieldReader& publish) {
  Archive archive;
  const auto map = publish.map("archive");
  if (!map) return archive;
  FieldReader fields(*map);
  archive.chunk_size = static_cast<std::uint32_t>(fields.uint("chunk", Archive::kLargestChunk));
  archive.packed_size = fields.uint("packed", Archive::kMaxSize);
  archive.root = fields.digest("root").value_or(crypto::Sha256Digest{});
  archive.tar_size = fields.uint("tar", Archive::kMaxSize);
  archive.tar_hash = fields.digest("tar_hash").value_or(crypto::Sha256Digest{});
  if (fields.bad_field()) {
    publish.refuse("archive." + *fields.bad_field());
  } else if (!archive.is_valid()) {
    publish.refuse("archive");
  }
  return archive;
}

std::vector<Dependency> decode_dependencies(FieldReader& publish) {
  std::vector<Dependency> dependencies;
  for (const reqresp::Map& map : publish.maps_if("dependencies", Metadata::kMaxDependencies)) {
    FieldReader fields(map);
    auto name = fields.name("name");
    auto publisher = fields.peer_if("publisher");
    auto range = fields.range_if("range");
    if (fields.bad_field()) {
      publish.refuse("dependencies");
      break;
    }
    dependencies.push_back({publisher, std::move(*name), std::move(*range)});
  }
  return dependencies;
}

Decoded decode_publish(FieldReader& fields) {
  const Archive archive = decode_archive(fields);
  auto name = fields.name("name");
  auto version = fields.version("version");
  const auto text = [&](std::string_view key, std::size_t max) {
    return std::string(fields.text_if(key, max).value_or(""));
  };
  auto description = text("description", Metadata::kMaxDescription);
  auto category = text("category", Metadata::kMaxLabel);
  auto tags = fields.texts_if("tags", Metadata::kMaxTags, Metadata::kMaxLabel);
  auto license = text("license", Metadata::kMaxLicense);
  auto authors = fields.texts_if("authors", Metadata::kMaxAuthors, Metadata::kMaxAuthor);
  auto dependencies = decode_dependencies(fields);
  if (fields.bad_field()) return bad_field(*fields.bad_field());
  Metadata metadata{std::move(*name),    std::move(*version),    std::move(description),
                    std::move(category), std::move(tags),        std::move(license),
                    std::move(authors),  std::move(dependencies)};
  if (auto valid = validate(metadata); !valid) return bad_field(valid.error().key);
  return Publish{std::move(metadata), archive};
}

std::string decode_reason(FieldReader& fields) {
  const auto reason = fields.text_if("reason", kMaxReason).value_or("");
  if (!is_plain_text(reason)) fields.refuse("reason");
  return std::string(reason);
}

Decoded decode_yank(FieldReader& fields) {
  auto name = fields.name("name");
  auto version = fields.version("version");
  auto reason = decode_reason(fields);
  if (fields.bad_field()) return bad_field(*fields.bad_field());
  return Yank{std::move(*name), std::move(*version), std::move(reason)};
}

Decoded decode_unyank(FieldReader& fields) {
  auto name = fields.name("name");
  auto version = fields.version("version");
  if (fields.bad_field()) return bad_field(*fields.bad_field());
  return Unyank{std::move(*name), std::move(*version)};
}

Decoded decode_deprecate(FieldReader& fields) {
  auto name = fields.name("name");
  auto version = fields.version_if("version");
  auto reason = decode_reason(fields);
  if (fields.bad_field()) return bad_field(*fields.bad_field());
  return Deprecate{std::move(*name), std::move(version), std::move(reason)};
}

Decoded decode_keys(FieldReader& fields) {
  const auto encoded = fields.binaries("keys", KeySet::kMaxKeys, crypto::kMaxEncodedKey);
  const auto next = fields.digest("next");
  if (fields.bad_field()) return bad_field(*fields.bad_field());
  auto keys = KeySet::decode(encoded);
  if (!keys) return bad_field("keys");
  return Keys{std::move(*keys), *next};
}

constexpr std::array kDecoders = {decode_publish, decode_yank, decode_unyank, decode_deprecate,
                                  decode_keys};
static_assert(kDecoders.size() == kKinds.size());

}  // namespace

std::string_view kind_of(const EntryBody& body) noexcept {
  return kKinds[body.index()];
}

MapBuilder encode_body(const EntryBody& body) {
  return std::visit([](const auto& alternative) { return encode(alternative); }, body);
}

std::expected<EntryBody, EntryError> decode_body(std::string_view kind, reqresp::Map map) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] != kind) continue;
    FieldReader fields(map);
    return kDecoders[i](fields);
  }
  return std::unexpected(EntryError{EntryError::Kind::kUnknownKind});
}

}  // namespace ggen::p2p::registry
