#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/registry/bad_message.hpp>
#include <ggen/p2p/reqresp/engine.hpp>
#include <ggen/p2p/reqresp/message.hpp>

/// The messages of `/ggen/search/1.0.0`, by which a node asks another one's index.
///
/// The request is a map of `limit` and, if given, `words`, `category` and `tag`; all of them must
/// hold. The response is a map of `results`: an array of maps of `entry`, the envelope of a publish
/// entry, and `held`, true when the server has the whole archive. Whoever asks verifies each entry
/// and ranks them itself: what a stranger's index finds good means nothing.
namespace ggen::p2p::registry {

inline constexpr std::string_view kSearchProtocol = "/ggen/search/1.0.0";

inline constexpr std::size_t kMaxSearchWords = 16;
inline constexpr std::size_t kMaxSearchWord = 64;  ///< bytes
inline constexpr std::size_t kMaxSearchResults = 100;
/// Bytes of the envelopes in a response: the server leaves out what does not fit.
inline constexpr std::size_t kMaxSearchBytes = 240 * 1024;

/// The protocol with limits that hold every message below.
[[nodiscard]] reqresp::Service search_service();

struct SearchRequest {
  std::vector<std::string> words{};  ///< plain text, not empty
  std::string category{};            ///< empty: any
  std::string tag{};                 ///< empty: any
  std::uint64_t limit = 20;          ///< 1 to kMaxSearchResults
  bool operator==(const SearchRequest&) const = default;
};
struct SearchResult {
  base::Bytes envelope;
  bool held = false;
  bool operator==(const SearchResult&) const = default;
};
struct SearchResponse {
  std::vector<SearchResult> results;
  bool operator==(const SearchResponse&) const = default;

  /// True when an envelope of so many bytes fits this response.
  [[nodiscard]] bool has_room(std::size_t size) const noexcept;
};

[[nodiscard]] reqresp::MapBuilder encode(const SearchRequest& request);
[[nodiscard]] reqresp::MapBuilder encode(const SearchResponse& response);

[[nodiscard]] std::expected<SearchRequest, BadMessage> decode_search_request(reqresp::Map map);
/// At most as many results as `request` asked for.
[[nodiscard]] std::expected<SearchResponse, BadMessage> decode_search_response(
    reqresp::Map map, const SearchRequest& request);

}  // namespace ggen::p2p::registry
