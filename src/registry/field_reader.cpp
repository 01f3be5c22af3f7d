#include "field_reader.hpp"

#include <algorithm>

namespace ggen::p2p::registry {

using crypto::Sha256Digest;
using multiformats::PeerId;
using reqresp::Value;

void FieldReader::refuse(std::string_view key) {
  if (!bad_) bad_ = key;
}

template <class Read>
auto FieldReader::optional(std::string_view key, Read read)
    -> std::invoke_result_t<Read, const Value&> {
  const auto value = map_.find(key);
  if (!value) return std::nullopt;
  auto found = read(*value);
  if (!found) refuse(key);
  return found;
}

template <class T>
std::optional<T> FieldReader::required(std::string_view key, std::optional<T> found) {
  if (!found) refuse(key);
  return found;
}

namespace {

auto text_within(std::size_t max_bytes) {
  return [max_bytes](const Value& value) -> std::optional<std::string_view> {
    const auto text = value.as_text();
    if (!text || text->size() > max_bytes) return std::nullopt;
    return text;
  };
}

auto binary_within(std::size_t max_bytes) {
  return [max_bytes](const Value& value) -> std::optional<base::BytesView> {
    const auto bytes = value.as_binary();
    if (!bytes || bytes->size() > max_bytes) return std::nullopt;
    return bytes;
  };
}

// Every element of an array of at most `max_count`, each as `read` takes it.
template <class Read>
auto each(std::size_t max_count, Read read) {
  return [=](const Value& value) {
    using T = typename decltype(read(value))::value_type;
    std::optional<std::vector<T>> all;
    const auto elements = value.as_array();
    if (!elements || elements->size() > max_count) return all;
    std::vector<T> found;
    found.reserve(elements->size());
    for (const Value& element : *elements) {
      auto one = read(element);
      if (!one) return all;
      found.push_back(std::move(*one));
    }
    all = std::move(found);
    return all;
  };
}

std::optional<Sha256Digest> as_digest(const Value& value) {
  Sha256Digest digest;
  const auto bytes = value.as_binary();
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

std::optional<PeerId> as_peer(const Value& value) {
  const auto bytes = binary_within(PeerId::kMaxBytes)(value);
  if (!bytes) return std::nullopt;
  const auto peer = PeerId::decode(*bytes);
  return peer ? std::optional(*peer) : std::nullopt;
}

template <class T>
std::optional<T> as(const Value& value) {
  const auto text = value.as_text();
  if (!text) return std::nullopt;
  auto parsed = T::parse(*text);
  return parsed ? std::optional<T>(std::move(*parsed)) : std::nullopt;
}

}  // namespace

std::uint64_t FieldReader::uint(std::string_view key, std::uint64_t max) {
  const auto value = required(key, map_.uint(key));
  if (value && *value > max) refuse(key);
  return value.value_or(0);
}

std::optional<bool> FieldReader::boolean_if(std::string_view key) {
  return optional(key, [](const Value& value) { return value.as_bool(); });
}

std::string_view FieldReader::text(std::string_view key, std::size_t max_bytes) {
  return required(key, text_if(key, max_bytes)).value_or("");
}

std::optional<std::string_view> FieldReader::text_if(std::string_view key, std::size_t max_bytes) {
  return optional(key, text_within(max_bytes));
}

std::vector<std::string> FieldReader::texts_if(std::string_view key, std::size_t max_count,
                                               std::size_t max_bytes) {
  const auto texts = optional(key, each(max_count, text_within(max_bytes)))
                         .value_or(std::vector<std::string_view>{});
  return {texts.begin(), texts.end()};
}

std::optional<base::BytesView> FieldReader::binary_if(std::string_view key, std::size_t max_bytes) {
  return optional(key, binary_within(max_bytes));
}

base::BytesView FieldReader::binary(std::string_view key, std::size_t max_bytes) {
  return required(key, binary_if(key, max_bytes)).value_or(base::BytesView{});
}

std::vector<base::BytesView> FieldReader::binaries(std::string_view key, std::size_t max_count,
                                                   std::size_t max_bytes) {
  return required(key, optional(key, each(max_count, binary_within(max_bytes))))
      .value_or(std::vector<base::BytesView>{});
}

std::vector<reqresp::Map> FieldReader::maps_if(std::string_view key, std::size_t max_count) {
  const auto as_map = [](const Value& value) { return value.as_map(); };
  return optional(key, each(max_count, as_map)).value_or(std::vector<reqresp::Map>{});
}

std::vector<reqresp::Map> FieldReader::maps(std::string_view key, std::size_t max_count) {
  if (!map_.contains(key)) refuse(key);
  return maps_if(key, max_count);
}

std::optional<reqresp::Map> FieldReader::map(std::string_view key) {
  return required(key, map_.map(key));
}

std::optional<Sha256Digest> FieldReader::digest_if(std::string_view key) {
  return optional(key, as_digest);
}
std::optional<Sha256Digest> FieldReader::digest(std::string_view key) {
  return required(key, digest_if(key));
}
std::optional<PeerId> FieldReader::peer_if(std::string_view key) {
  return optional(key, as_peer);
}
std::optional<PeerId> FieldReader::peer(std::string_view key) {
  return required(key, peer_if(key));
}
std::optional<Name> FieldReader::name(std::string_view key) {
  return required(key, optional(key, as<Name>));
}
std::optional<Version> FieldReader::version_if(std::string_view key) {
  return optional(key, as<Version>);
}
std::optional<Version> FieldReader::version(std::string_view key) {
  return required(key, version_if(key));
}
std::optional<Range> FieldReader::range_if(std::string_view key) {
  if (!map_.contains(key)) return Range();
  return optional(key, as<Range>);
}

}  // namespace ggen::p2p::registry
