#pragma once

#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <ggen/p2p/host/promise.hpp>
#include <ggen/p2p/marketplace/registry.hpp>
#include <ggen/p2p/storage/disk_storage.hpp>
#include <ggen/p2p/storage/unpack.hpp>

#include "pool_work.hpp"
#include "subscription_queue.hpp"
#include "topics.hpp"

namespace ggen::p2p::marketplace {

using registry::OperationId;

/// Matches what people ask for with what the registry engine reports, and does the disk work that
/// an engine cannot: packing and unpacking.
///
/// Lives as long as the registry, and as long as an operation is under way: these own it, and look
/// after each wait whether the registry has been closed meanwhile.
class Registry::Impl : public std::enable_shared_from_this<Registry::Impl> {
 public:
  Impl(asio::any_io_executor executor, std::unique_ptr<storage::DiskStorage> storage,
       crypto::KeyPair identity, Config config);

  /// Reads the journal: Loaded completes it.
  asio::awaitable<Result<void>> open(registry::Signer signer);
  asio::awaitable<Result<void>> listen();

  static asio::awaitable<Result<Published>> publish(std::shared_ptr<Impl> self,
                                                    std::filesystem::path directory,
                                                    ProgressHandler progress);
  static asio::awaitable<Result<Found>> search(std::shared_ptr<Impl> self, Query query);
  static asio::awaitable<Result<Got>> get(std::shared_ptr<Impl> self, registry::Reference reference,
                                          std::optional<std::filesystem::path> output,
                                          ProgressHandler progress);
  static asio::awaitable<Result<dht::Answer>> ask_dht(std::shared_ptr<Impl> self, dht::Query query);
  Result<pubsub::Subscription> subscribe_to(const std::string& topic);
  Result<pubsub::Published> publish_to(const std::string& topic, base::BytesView data);
  Subscription subscribe();
  static asio::awaitable<void> stop(std::shared_ptr<Impl> self);
  /// Ends everything at once. Nothing of the node runs any more when it returns.
  void close();

  /// `spans` may be null.
  void observe(host::Host::Observer observer, telemetry::SpanTracker* spans) {
    observer_ = std::move(observer);
    spans_ = spans;
  }
  [[nodiscard]] host::Host& host() noexcept { return *host_; }
  [[nodiscard]] const registry::Engine& engine() const { return *host_->node().registry(); }
  [[nodiscard]] std::size_t journal_damage() const { return storage_->journal_damage(); }
  [[nodiscard]] const multiformats::PeerId& publisher() const noexcept { return *publisher_; }

 private:
  using SharedProgress = std::shared_ptr<ProgressHandler>;
  struct Fetching {
    host::Promise<registry::event::FetchDone> promise;
    SharedProgress progress;
    std::uint32_t chunk_size = 0;
    std::uint64_t size = 0;
  };
  struct Querying {
    host::Promise<Result<dht::Answer>> promise;
    std::vector<kad::QueryHop> hops;  // at most kad::LookupConfig::max_asked, and k
  };
  template <class Done>
  using Waiting = std::map<OperationId, host::Promise<Done>>;

  // What names a query of the DHT, or why there is none.
  using QueryStarted = std::expected<kad::QueryId, kad::InputError>;

  // Runs `start(node, now)`, which names an operation, and waits until `remember(id, promise)`'s
  // promise is kept. A coroutine that is cancelled meanwhile ends the operation early.
  template <class Done, class Start, class Remember>
  asio::awaitable<Done> operation(Start start, Remember remember) {
    auto initiate = [this](auto handler, Start begin, Remember keep) {
      auto slot = asio::get_associated_cancellation_slot(handler);
      auto executor = asio::get_associated_executor(handler);
      auto work = asio::make_work_guard(executor);
      host::Promise<Done> promise{
          [handler = std::move(handler), work = std::move(work)](Done done) mutable {
            const auto target = work.get_executor();
            auto resume = [handler = std::move(handler), done = std::move(done)]() mutable {
              std::move(handler)(std::move(done));
            };
            work.reset();
            asio::post(target, std::move(resume));
          }};
      std::optional<std::invoke_result_t<Start&, node::Node&, base::Instant>> id;
      host_->drive([&](node::Node& node, base::Instant now) {
        id = begin(node, now);
        keep(*id, std::move(promise));
      });
      if (!id || !slot.is_connected()) return;
      slot.assign([id = *id, weak = weak_from_this()](asio::cancellation_type) {
        if (const auto self = weak.lock()) self->cancel(id);
      });
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(Done)>(
        std::move(initiate), asio::use_awaitable, std::move(start), std::move(remember));
  }

  void on_output(const node::Output& output);
  void on_event(const registry::Output& output);
  void on_hop(const kad::QueryHop& hop);
  void on_query_done(const kad::QueryDone& done);
  void on_validate(const gossipsub::Validate& ask);
  void on_delivered(const gossipsub::Delivered& delivered);
  void leave(const std::string& topic, const Topics::Queue& queue);
  void tell(const registry::event::FetchProgress& progress);
  void cancel(OperationId id);
  void cancel(const QueryStarted& query);
  // A flag that stop() and close() raise.
  CancelFlag cancel_flag();
  void refuse_more();
  void fail_everything();
  [[nodiscard]] std::filesystem::path peers_path() const { return config_.home / "peers"; }
  static asio::awaitable<void> save_peers(std::shared_ptr<Impl> self);
  void save_peers_later();

  asio::awaitable<registry::event::PublishDone> announce(registry::Metadata metadata,
                                                         registry::Archive archive);
  asio::awaitable<registry::event::SearchDone> ask(Query query, telemetry::Parent parent = {});
  asio::awaitable<registry::event::FetchDone> fetch(registry::Archive archive,
                                                    std::vector<multiformats::PeerId> hints,
                                                    SharedProgress progress);
  struct Target {
    registry::Resolved release;
    std::vector<multiformats::PeerId> hints;
  };
  asio::awaitable<Result<Target>> find(registry::Reference reference, SharedProgress progress);
  asio::awaitable<Result<Target>> look_up(registry::Reference reference, SharedProgress progress,
                                          telemetry::Parent resolving);
  asio::awaitable<Result<storage::Unpacked>> unpack(registry::Archive archive,
                                                    std::filesystem::path output,
                                                    SharedProgress progress);
  asio::awaitable<Result<registry::Metadata>> metadata_of(registry::EntryId entry);

  asio::any_io_executor executor_;
  Config config_;
  std::unique_ptr<storage::DiskStorage> storage_;  // outlives the host's pool
  std::optional<multiformats::PeerId> publisher_;
  bool stopped_ = false;
  std::uint64_t scratch_files_ = 0;
  asio::steady_timer peers_timer_;  // until the known peers are saved again
  bool saving_peers_ = false;

  host::Host::Observer observer_;
  telemetry::SpanTracker* spans_ = nullptr;
  std::optional<host::Promise<registry::event::Loaded>> loading_;
  Waiting<registry::event::PublishDone> publishing_;
  Waiting<registry::event::SearchDone> searching_;
  std::map<OperationId, Fetching> fetching_;
  std::map<kad::QueryId, Querying> querying_;
  std::vector<std::weak_ptr<Subscription::Queue>> subscribers_;
  Topics topics_;
  std::vector<std::weak_ptr<std::atomic<bool>>> pool_work_;

  std::optional<host::Host> host_;  // until close()
};

}  // namespace ggen::p2p::marketplace
