#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

#include "archives.hpp"
#include "reputation.hpp"
#include "storage_queue.hpp"
#include "transfer.hpp"

namespace ggen::p2p::registry {

/// A fetch that waited begins: who holds the archive is worth finding out now.
struct ProvidersWanted {
  Archive archive;
};
/// The first chunk of an archive is in the store: this node can give it to others.
struct FirstChunk {
  Archive archive;
};
using FetcherOutput =
    std::variant<ProvidersWanted, FirstChunk, event::FetchProgress, event::FetchDone>;

/// All fetches of a node: FetchConfig::max_active at a time, the others in their order. Operations
/// on one archive share one fetch, which goes on until the last of them is cancelled.
///
/// What it was given outlives it, and it outlives the answers of the storage queue.
class Fetcher {
 public:
  /// `service` is fetch_service(), registered with `requests`.
  Fetcher(reqresp::Engine& requests, reqresp::ServiceId service, StorageQueue& storage,
          Reputation& reputation, Archives& archives, const FetchConfig& config, base::Prng prng);
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /// Brings a valid archive into the store; FetchDone follows. `providers` are peers that may hold
  /// it, without this node itself; more come by add_providers() and add_guesses().
  void fetch(OperationId id, const Archive& archive,
             std::span<const multiformats::PeerId> providers, base::Instant now);
  /// Do nothing when the archive is not being fetched.
  void add_providers(const crypto::Sha256Digest& root,
                     std::span<const multiformats::PeerId> providers, base::Instant now);
  void add_guesses(const crypto::Sha256Digest& root, std::span<const multiformats::PeerId> peers,
                   base::Instant now);
  /// FetchDone with kCancelled follows; what came stays in the store. False when there is no such
  /// operation.
  bool cancel(OperationId id, base::Instant now);

  // True when it was about a request of this object.
  bool handle(reqresp::Response& response, base::Instant now);
  bool handle(reqresp::ResponseBody& body, base::Instant now);
  bool handle(const reqresp::RequestDone& done, base::Instant now);

  /// What a fetch lacks: nothing that more peers could give, peers beside those that it has, or
  /// any.
  enum class Lack : std::uint8_t { kNothing, kMore, kAny };
  /// Nothing when the archive is not being fetched.
  [[nodiscard]] std::optional<Lack> lacks(const crypto::Sha256Digest& root) const;

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<FetcherOutput> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

  /// Bytes of verified chunks since the start.
  [[nodiscard]] std::uint64_t fetched_bytes() const noexcept { return fetched_bytes_; }
  /// Fetches that have not ended.
  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

 private:
  struct FetchTag;
  using FetchId = base::Id<FetchTag>;
  struct Operation {
    OperationId id = 0;
    base::Instant began;
  };
  struct Fetch {
    std::unique_ptr<Transfer> transfer;
    std::vector<Operation> operations;
    bool active = false;
    std::uint64_t told = 0;  // bytes that the last progress told of
  };

  void finish(const Operation& operation, std::expected<void, FetchError> result,
              std::vector<event::FetchSource> sources, base::Instant now);
  [[nodiscard]] std::optional<FetchId> find(const crypto::Sha256Digest& root) const;
  /// Hands an input to the fetch that it is about.
  template <class Input>
  bool offer(Input& input, base::Instant now);
  [[nodiscard]] std::vector<FetchId> active() const;

  void activate_waiting(base::Instant now);
  void begin(FetchId id, base::Instant now);
  /// Carries out what a fetch wants, and takes it away when it has ended.
  void settle(FetchId id, base::Instant now);
  void carry_out(FetchId id, store::CreateBlob create);
  void carry_out(FetchId id, Transfer::Write write);
  void created(FetchId id, StoreResult result, base::Instant now);
  void written(FetchId id, const Archive& archive, const Transfer::Write& write,
               const StoreResult& result, base::Instant now);
  void remove(FetchId id, base::Instant now);

  reqresp::Engine& requests_;
  reqresp::ServiceId service_;
  StorageQueue& storage_;
  Reputation& reputation_;
  Archives& archives_;
  FetchConfig config_;
  base::Prng prng_;
  base::SlotMap<Fetch, FetchTag> fetches_;
  std::vector<FetchId> order_;  // of all fetches, oldest first
  std::size_t active_ = 0;
  std::uint64_t fetched_bytes_ = 0;
  base::Fifo<FetcherOutput> outputs_;
};

}  // namespace ggen::p2p::registry
