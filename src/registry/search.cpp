#include <algorithm>

#include <ggen/p2p/registry/entry.hpp>
#include <ggen/p2p/registry/metadata.hpp>
#include <ggen/p2p/registry/search.hpp>

#include "field_reader.hpp"
#include "text.hpp"

namespace ggen::p2p::registry {

using reqresp::ArrayBuilder;
using reqresp::Map;
using reqresp::MapBuilder;

namespace {

std::unexpected<BadMessage> bad(std::string field) {
  return std::unexpected(BadMessage{std::move(field)});
}

std::string label_if(FieldReader& fields, std::string_view key) {
  const auto label = fields.text_if(key, Metadata::kMaxLabel);
  if (label && !is_label(*label)) fields.refuse(key);
  return std::string(label.value_or(""));
}

}  // namespace

reqresp::Service search_service() {
  return {.protocol = std::string(kSearchProtocol),
          .max_request = 4 * 1024,
          .max_response = 256 * 1024,
          .max_responses = 1,
          .max_body = 0};
}

bool SearchResponse::has_room(std::size_t size) const noexcept {
  std::size_t used = 0;
  for (const SearchResult& result : results) used += result.envelope.size();
  return results.size() < kMaxSearchResults && used + size <= kMaxSearchBytes;
}

MapBuilder encode(const SearchRequest& request) {
  MapBuilder map;
  if (!request.category.empty()) map.text("category", request.category);
  map.uint("limit", request.limit);
  if (!request.tag.empty()) map.text("tag", request.tag);
  if (!request.words.empty()) map.texts("words", request.words);
  return map;
}

MapBuilder encode(const SearchResponse& response) {
  ArrayBuilder results;
  for (const SearchResult& result : response.results) {
    MapBuilder map;
    map.binary("entry", result.envelope).boolean("held", result.held);
    results.map(map);
  }
  MapBuilder map;
  map.array("results", results);
  return map;
}

std::expected<SearchRequest, BadMessage> decode_search_request(Map map) {
  FieldReader fields(map);
  SearchRequest request;
  request.words = fields.texts_if("words", kMaxSearchWords, kMaxSearchWord);
  request.category = label_if(fields, "category");
  request.tag = label_if(fields, "tag");
  request.limit = fields.uint("limit", kMaxSearchResults);
  if (request.limit == 0) fields.refuse("limit");
  const auto is_word = [](const std::string& word) { return !word.empty() && is_plain_text(word); };
  if (!std::ranges::all_of(request.words, is_word)) fields.refuse("words");
  if (fields.bad_field()) return bad(*fields.bad_field());
  return request;
}

std::expected<SearchResponse, BadMessage> decode_search_response(Map map,
                                                                 const SearchRequest& request) {
  FieldReader fields(map);
  SearchResponse response;
  for (const Map& item : fields.maps("results", static_cast<std::size_t>(request.limit))) {
    FieldReader result(item);
    const auto envelope = result.binary("entry", kMaxEntry);
    const bool held = result.boolean_if("held").value_or(false);
    if (result.bad_field()) return bad("results." + *result.bad_field());
    response.results.push_back({base::to_bytes(envelope), held});
  }
  if (fields.bad_field()) return bad(*fields.bad_field());
  return response;
}

}  // namespace ggen::p2p::registry
