#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

#include "archives.hpp"
#include "storage_queue.hpp"

namespace ggen::p2p::registry {

/// Answers `/ggen/fetch/1.0.0` from the store. A stream has at most kAhead chunks read and unsent,
/// and all together FetchConfig::max_serving_bytes (or one chunk, if that is larger); beyond it,
/// requests wait in their turn. Who does not read is ended by the service's stall_timeout.
///
/// What it was given outlives it, and it outlives the answers of the storage queue.
class ChunkServer {
 public:
  static constexpr std::size_t kAhead = 2;

  ChunkServer(reqresp::Engine& requests, reqresp::ServiceId service, StorageQueue& storage,
              Archives& archives, const FetchConfig& config);
  ChunkServer(const ChunkServer&) = delete;
  ChunkServer& operator=(const ChunkServer&) = delete;

  // True when it was about this service.
  bool handle(const reqresp::Request& request, base::Instant now);
  bool handle(const reqresp::BodyWritten& written, base::Instant now);
  bool handle(const reqresp::ServedLost& lost, base::Instant now);

  /// Bytes of chunks that were handed to the network since the start.
  [[nodiscard]] std::uint64_t served_bytes() const noexcept { return served_bytes_; }
  /// Bytes read, or being read, that are not sent yet.
  [[nodiscard]] std::size_t reserved_bytes() const noexcept { return reserved_; }
  /// Requests being answered, and those of them that wait for room.
  [[nodiscard]] std::size_t streams() const noexcept { return streams_.size(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  struct Stream {
    crypto::Sha256Digest root{};
    bool list = false;
    std::uint64_t next = 0;  // of a list, 0: not read yet
    std::uint64_t end = 0;
    bool reading = false;
    std::optional<std::uint64_t> turn{};  // its key in waiting_
    base::Fifo<std::size_t> unsent{};     // bytes of each body not yet answered by BodyWritten
    std::size_t unsent_bytes = 0;
  };

  /// Does what a stream's next chunk needs, as far as the limits allow.
  void advance(reqresp::ServedId id, base::Instant now);
  /// Bytes that the next answer takes; nothing when it is not here.
  [[nodiscard]] std::optional<std::size_t> next_size(const Stream& stream) const;
  void answer_missing(reqresp::ServedId id, Stream& stream, base::Instant now);
  [[nodiscard]] bool has_room(std::size_t size, bool ahead) const;
  void read(reqresp::ServedId id, Stream& stream, std::size_t size);
  void on_read(reqresp::ServedId id, std::size_t size, StoreResult result, base::Instant now);
  void send(reqresp::ServedId id, Stream& stream, std::size_t size, const StoreValue& value,
            base::Instant now);
  void send_body(reqresp::ServedId id, Stream& stream, const reqresp::MapBuilder& message,
                 base::Buffer body, std::size_t size, base::Instant now);
  void forget(reqresp::ServedId id);
  /// Gives bytes back, and the streams that wait for them their turn.
  void release(std::size_t size, base::Instant now);

  reqresp::Engine& requests_;
  reqresp::ServiceId service_;
  StorageQueue& storage_;
  Archives& archives_;
  std::size_t max_bytes_;
  base::HashMap<reqresp::ServedId, Stream> streams_;
  std::map<std::uint64_t, reqresp::ServedId> waiting_;  // for room, in their turn
  std::uint64_t next_turn_ = 0;
  std::size_t reserved_ = 0;
  std::uint64_t served_bytes_ = 0;
};

}  // namespace ggen::p2p::registry
