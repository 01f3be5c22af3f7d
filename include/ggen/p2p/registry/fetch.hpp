#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/bad_message.hpp>
#include <ggen/p2p/reqresp/engine.hpp>
#include <ggen/p2p/reqresp/message.hpp>

/// The messages of `/ggen/fetch/1.0.0`, by which archives travel chunk by chunk. An archive is
/// named by its Merkle root; whoever fetches knows the rest of it from the signed entry.
///
/// | request  | keys beside `type`                    | responses |
/// |----------|---------------------------------------|--------------------------------------------------|
/// | `list`   | `root`                                | one: `count`, `have` when not all are held;
/// the  | |          |                                       | body holds the hashes of all chunks,
/// 32 bytes each | | `chunks` | `root`, `first`, `count` (at most 16) | for each in order: `index`;
/// the body is the chunk |
///
/// A response with `missing`: true and no body says that the server does not hold what it stands
/// for: the list, or the chunk `index`. `have` has a bit for each chunk, the first one highest in
/// the first byte, 1 when it is held.
namespace ggen::p2p::registry {

inline constexpr std::string_view kFetchProtocol = "/ggen/fetch/1.0.0";
/// Chunks of one request: 4 MiB of the usual size keep a path busy, and few are lost with a peer.
inline constexpr std::uint64_t kMaxFetchChunks = 16;

/// The protocol with limits that hold every message below.
[[nodiscard]] reqresp::Service fetch_service();

struct ListRequest {
  crypto::Sha256Digest root{};
  bool operator==(const ListRequest&) const = default;
};
struct ChunksRequest {
  crypto::Sha256Digest root{};
  std::uint64_t first = 0;
  std::uint64_t count = 1;  ///< 1 to kMaxFetchChunks; first + count is at most Archive::kMaxChunks
  bool operator==(const ChunksRequest&) const = default;
};
using FetchRequest = std::variant<ListRequest, ChunksRequest>;

/// Which chunks of an archive a peer holds.
class ChunkSet {
 public:
  /// None of `count`.
  explicit ChunkSet(std::uint64_t count);
  /// Nothing when the bytes are not as many as `count` bits take, or a bit behind the last is set.
  [[nodiscard]] static std::optional<ChunkSet> decode(std::uint64_t count, base::BytesView bits);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] bool has(std::uint64_t index) const noexcept;  ///< false from count() on
  void insert(std::uint64_t index);                            ///< `index` is below count()
  [[nodiscard]] bool is_full() const noexcept { return held_ == count_; }
  [[nodiscard]] std::uint64_t held() const noexcept { return held_; }
  [[nodiscard]] base::BytesView bits() const noexcept { return bits_; }

  bool operator==(const ChunkSet&) const = default;

 private:
  std::uint64_t count_;
  std::uint64_t held_ = 0;
  base::Bytes bits_;
};

/// Says what is held of an archive. `chunks` without a value: nothing, not even the list. Otherwise
/// chunk_list_body() goes with it.
struct ListResponse {
  std::optional<ChunkSet> chunks{};
  bool operator==(const ListResponse&) const = default;
};
/// One chunk, or that it is missing. Its bytes are the body.
struct ChunkResponse {
  std::uint64_t index = 0;
  bool missing = false;
  bool operator==(const ChunkResponse&) const = default;
};

[[nodiscard]] reqresp::MapBuilder encode(const FetchRequest& request);
[[nodiscard]] reqresp::MapBuilder encode(const ListResponse& response);
[[nodiscard]] reqresp::MapBuilder encode(const ChunkResponse& response);

[[nodiscard]] std::expected<FetchRequest, BadMessage> decode_fetch_request(reqresp::Map map);
/// `body` is what the response announces. It must be what `archive`, a valid one, makes of it.
[[nodiscard]] std::expected<ListResponse, BadMessage> decode_list_response(reqresp::Map map,
                                                                           std::uint64_t body,
                                                                           const Archive& archive);
/// The response for the chunk `index` of `archive`, which is the one that comes next.
[[nodiscard]] std::expected<ChunkResponse, BadMessage> decode_chunk_response(reqresp::Map map,
                                                                             std::uint64_t body,
                                                                             const Archive& archive,
                                                                             std::uint64_t index);

/// The body of a list: the hashes of all chunks.
[[nodiscard]] base::Bytes chunk_list_body(std::span<const crypto::Sha256Digest> chunks);
/// Reads the body of a list. Nothing when it is not that of `archive`: too short, too long, or of
/// another root.
[[nodiscard]] std::optional<std::vector<crypto::Sha256Digest>> read_chunk_list(
    base::BytesView body, const Archive& archive);

}  // namespace ggen::p2p::registry
