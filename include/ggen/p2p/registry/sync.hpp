#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/bad_message.hpp>
#include <ggen/p2p/registry/catalog.hpp>
#include <ggen/p2p/registry/publisher_log.hpp>
#include <ggen/p2p/reqresp/engine.hpp>
#include <ggen/p2p/reqresp/message.hpp>

/// The messages of `/ggen/sync/1.0.0`, by which a node that was away catches up: first the heads of
/// all logs, page by page, then the entries that it lacks.
///
/// | request   | keys beside `type`                              | responses |
/// |-----------|-------------------------------------------------|-----------------------------------|
/// | `heads`   | `limit`; `after`, a publisher, but on page one  | one with `heads` and `more` | |
/// `entries` | `publisher`, `first`, `last`: sequence numbers  | some with `entries`: what is held
/// | | `fork`    | `publisher`                                     | one with `entries`: both sides
/// |
///
/// `heads` is an array of maps of `publisher`, `seq`, `id` and, when the server has a proof that
/// the publisher signed two histories, `forked`: true; in rising order of the publishers. `more`
/// says that another page follows. `entries` is an array of envelopes, in any order: whoever
/// receives them verifies each.
namespace ggen::p2p::registry {

inline constexpr std::string_view kSyncProtocol = "/ggen/sync/1.0.0";

/// What both sides hold to; decoding refuses more.
inline constexpr std::size_t kMaxSyncHeads = 1024;   ///< of one page
inline constexpr std::size_t kMaxSyncEntries = 256;  ///< of one request, and of one response
/// Bytes of the envelopes in one response: with more, the server begins another.
inline constexpr std::size_t kMaxSyncEntriesBytes = 192 * 1024;
/// About so many bytes of envelopes answer one request: the server leaves out the highest sequence
/// numbers of what would be more, and whoever wants them asks again.
inline constexpr std::size_t kMaxSyncAnswerBytes = 1024 * 1024;

/// The protocol with limits that hold every message below.
[[nodiscard]] reqresp::Service sync_service();

struct HeadsRequest {
  std::optional<multiformats::PeerId> after{};
  std::uint64_t limit = kMaxSyncHeads;  ///< 1 to kMaxSyncHeads
  bool operator==(const HeadsRequest&) const = default;
};
struct EntriesRequest {
  multiformats::PeerId publisher;
  SeqRange range;  ///< of at most kMaxSyncEntries
  bool operator==(const EntriesRequest&) const = default;
};
struct ForkRequest {
  multiformats::PeerId publisher;
  bool operator==(const ForkRequest&) const = default;
};
using SyncRequest = std::variant<HeadsRequest, EntriesRequest, ForkRequest>;

struct HeadsResponse {
  std::vector<Catalog::PublisherHead> heads;
  bool more = false;
  bool operator==(const HeadsResponse&) const = default;
};
struct EntriesResponse {
  std::vector<base::Bytes> envelopes;
  bool operator==(const EntriesResponse&) const = default;

  /// True when an envelope of so many bytes fits this response.
  [[nodiscard]] bool has_room(std::size_t size) const noexcept;
};

[[nodiscard]] reqresp::MapBuilder encode(const SyncRequest& request);
[[nodiscard]] reqresp::MapBuilder encode(const HeadsResponse& response);
[[nodiscard]] reqresp::MapBuilder encode(const EntriesResponse& response);

[[nodiscard]] std::expected<SyncRequest, BadMessage> decode_sync_request(reqresp::Map map);
/// The page that `request` asked for: at most its limit, all above its `after` and rising, and
/// never empty when more is to come. So asking on always ends.
[[nodiscard]] std::expected<HeadsResponse, BadMessage> decode_heads(reqresp::Map map,
                                                                    const HeadsRequest& request);
[[nodiscard]] std::expected<EntriesResponse, BadMessage> decode_entries(reqresp::Map map);

}  // namespace ggen::p2p::registry
