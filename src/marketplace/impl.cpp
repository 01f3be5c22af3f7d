#include "impl.hpp"

#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>

#include "failures.hpp"
#include "known_peers.hpp"

namespace ggen::p2p::marketplace {

namespace event = registry::event;

namespace {

// A node that is killed has lost no more than this.
constexpr std::chrono::minutes kSavePeers{2};

}  // namespace

Registry::Impl::Impl(asio::any_io_executor executor, std::unique_ptr<storage::DiskStorage> storage,
                     crypto::KeyPair identity, Config config)
    : executor_(executor),
      config_(std::move(config)),
      storage_(std::move(storage)),
      peers_timer_(executor) {
  host_.emplace(executor, std::move(identity), config_.host);
  host_->observe([this](const node::Output& output) { on_output(output); });
}

void Registry::Impl::close() {
  fail_everything();
  peers_timer_.cancel();
  host_.reset();
  storage_.reset();  // and with it the lock of the home
}

// ---- What the node reports ----

// Keeps the promise that waits under an operation's id.
template <class Waiting, class Done>
void keep(Waiting& waiting, const Done& done) {
  auto found = waiting.extract(done.id);
  if (!found.empty()) found.mapped()(done);
}

void Registry::Impl::on_output(const node::Output& output) {
  if (spans_ != nullptr) spans_->observe(output, host::Host::now());
  if (observer_) observer_(output);
  if (const auto* of_registry = std::get_if<registry::Output>(&output)) on_event(*of_registry);
  if (const auto* hop = std::get_if<kad::QueryHop>(&output)) on_hop(*hop);
  if (const auto* done = std::get_if<kad::QueryDone>(&output)) on_query_done(*done);
  if (const auto* ask = std::get_if<gossipsub::Validate>(&output)) on_validate(*ask);
  if (const auto* delivered = std::get_if<gossipsub::Delivered>(&output)) on_delivered(*delivered);
}

void Registry::Impl::on_event(const registry::Output& output) {
  std::visit(base::Overloaded{
                 [&](const event::Loaded& e) {
                   if (loading_) std::exchange(loading_, std::nullopt).value()(e);
                 },
                 [&](const event::EntryAdded& e) {
                   std::erase_if(subscribers_, [](const auto& queue) { return queue.expired(); });
                   for (const auto& weak : subscribers_) {
                     if (const auto queue = weak.lock()) queue->push(e);
                   }
                 },
                 [&](const event::PublishDone& e) { keep(publishing_, e); },
                 [&](const event::SearchDone& e) { keep(searching_, e); },
                 [&](const event::FetchProgress& e) { tell(e); },
                 [&](const event::FetchDone& e) {
                   auto found = fetching_.extract(e.id);
                   if (!found.empty()) found.mapped().promise(e);
                 },
                 [](const auto&) {},
             },
             output);
}

void Registry::Impl::tell(const event::FetchProgress& progress) {
  const auto found = fetching_.find(progress.id);
  if (found == fetching_.end() || !*found->second.progress) return;
  const Fetching& fetching = found->second;
  const std::uint64_t held = progress.chunks_held * fetching.chunk_size;
  (*fetching.progress)({Progress::Step::kFetching, std::min(held, fetching.size), fetching.size,
                        progress.providers});
}

// ---- Operations of the engine ----

asio::awaitable<event::PublishDone> Registry::Impl::announce(registry::Metadata metadata,
                                                             registry::Archive archive) {
  auto start = [spans = spans_, metadata = std::move(metadata), archive](node::Node& node,
                                                                         base::Instant now) {
    registry::Engine& engine = node.registry(now);
    engine.adopt_archive(archive, now);
    const OperationId id = engine.publish(metadata, archive, now);
    if (spans != nullptr) spans->publish_started(id, *engine.publisher(), metadata, archive, now);
    return id;
  };
  auto remember = [this](OperationId id, auto promise) {
    publishing_.emplace(id, std::move(promise));
  };
  return operation<event::PublishDone>(std::move(start), std::move(remember));
}

asio::awaitable<event::SearchDone> Registry::Impl::ask(Query query, telemetry::Parent parent) {
  auto start = [spans = spans_, query = std::move(query), parent](node::Node& node,
                                                                  base::Instant now) {
    const OperationId id = node.registry(now).search(query.request, query.timeout, now);
    if (spans != nullptr) spans->search_started(id, query.request, now, parent);
    return id;
  };
  auto remember = [this](OperationId id, auto promise) {
    searching_.emplace(id, std::move(promise));
  };
  return operation<event::SearchDone>(std::move(start), std::move(remember));
}

asio::awaitable<event::FetchDone> Registry::Impl::fetch(registry::Archive archive,
                                                        std::vector<multiformats::PeerId> hints,
                                                        SharedProgress progress) {
  auto start = [spans = spans_, archive, hints = std::move(hints)](node::Node& node,
                                                                   base::Instant now) {
    const OperationId id = node.registry(now).fetch(archive, hints, now);
    if (spans != nullptr) spans->fetch_started(id, archive, now);
    return id;
  };
  auto remember = [this, archive, progress = std::move(progress)](OperationId id, auto promise) {
    fetching_.emplace(
        id, Fetching{std::move(promise), progress, archive.chunk_size, archive.packed_size});
  };
  return operation<event::FetchDone>(std::move(start), std::move(remember));
}

void Registry::Impl::cancel(OperationId id) {
  if (!host_) return;
  host_->drive([&](node::Node& node, base::Instant now) { node.registry(now).cancel(id, now); });
}

// ---- The life of it ----

asio::awaitable<Result<void>> Registry::Impl::open(registry::Signer signer) {
  publisher_ = multiformats::PeerId::of(signer.key.public_key());
  auto start = [this, &signer](host::Promise<event::Loaded> promise) {
    loading_ = std::move(promise);
    host_->open_registry(config_.registry, std::move(signer), *storage_);
  };
  co_await host::promised<event::Loaded>(std::move(start));
  // The engine knows better when the keys have been changed since the first entry.
  if (const auto publisher = engine().publisher()) publisher_ = publisher;
  co_return Result<void>{};
}

asio::awaitable<Result<void>> Registry::Impl::listen() {
  for (const multiformats::Multiaddr& address : config_.listen) {
    auto bound = co_await host_->listen(address);
    if (bound) continue;
    std::string message = bound.error().message;  // "cannot listen on ..."
    if (message.starts_with('c')) message.front() = 'C';
    co_return std::unexpected(Failure{Reason::kListen, std::move(message),
                                      "Choose another address; port 0 takes any that is free"});
  }
  auto read = [path = peers_path()] { return read_known_peers(path); };
  auto reading = host_->pool().run(std::move(read));
  const std::vector<multiformats::Multiaddr> remembered = co_await std::move(reading);
  if (!host_) co_return std::unexpected(stopped());
  host_->drive([&](node::Node& node, base::Instant now) {
    const std::size_t known = config_.bootstrap.size();
    if (spans_ != nullptr && known > 0) spans_->joined(node.id(), known, now);
    node.join(config_.bootstrap, now);
    node.remember(remembered, now);
  });
  save_peers_later();
  co_return Result<void>{};
}

// ---- Whom it knows ----

void Registry::Impl::save_peers_later() {
  peers_timer_.expires_after(kSavePeers);
  peers_timer_.async_wait([weak = weak_from_this()](std::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->stopped_) return;
    auto save = [](std::shared_ptr<Impl> impl) -> asio::awaitable<void> {
      auto saving = save_peers(impl);
      co_await std::move(saving);
      if (!impl->stopped_) impl->save_peers_later();
    };
    asio::co_spawn(self->executor_, save(self), asio::detached);
  });
}

// Who knows nobody now may still know somebody when it starts again.
asio::awaitable<void> Registry::Impl::save_peers(std::shared_ptr<Impl> self) {
  const kad::Engine* dht = self->host_ ? self->host_->node().kad() : nullptr;
  std::string lines = dht == nullptr ? std::string{} : describe_known_peers(dht->table());
  if (lines.empty() || std::exchange(self->saving_peers_, true)) co_return;
  auto write = [path = self->peers_path(), lines = std::move(lines)] {
    return write_known_peers(path, lines);
  };
  auto writing = self->host_->pool().run(std::move(write));
  static_cast<void>(co_await std::move(writing));
  self->saving_peers_ = false;
}

Subscription Registry::Impl::subscribe() {
  auto queue = std::make_shared<Subscription::Queue>();
  if (stopped_) queue->close();
  subscribers_.push_back(queue);
  return Subscription{std::move(queue)};
}

asio::awaitable<void> Registry::Impl::stop(std::shared_ptr<Impl> self) {
  if (self->stopped_) co_return;
  self->refuse_more();
  self->peers_timer_.cancel();
  auto saving = save_peers(self);
  co_await std::move(saving);
  if (!self->host_) co_return;
  auto stopping = self->host_->stop();
  co_await std::move(stopping);
  self->fail_everything();
}

CancelFlag Registry::Impl::cancel_flag() {
  std::erase_if(pool_work_, [](const auto& flag) { return flag.expired(); });
  auto flag = std::make_shared<std::atomic<bool>>(false);
  pool_work_.push_back(flag);
  return flag;
}

void Registry::Impl::refuse_more() {
  stopped_ = true;
  for (const auto& weak : pool_work_) {
    if (const auto flag = weak.lock()) flag->store(true);
  }
}

// Ends what waits: its promises are kept with what says that it was cut short.
void Registry::Impl::fail_everything() {
  refuse_more();
  for (auto& [id, promise] : std::exchange(publishing_, {})) {
    promise({id, std::unexpected(event::PublishDone::Failure{registry::PublishError::kStorage,
                                                             "The registry has been stopped"})});
  }
  for (auto& [id, promise] : std::exchange(searching_, {})) promise({.id = id, .hits = {}});
  for (auto& [id, fetching] : std::exchange(fetching_, {})) {
    fetching.promise({id, std::unexpected(registry::FetchError::kCancelled)});
  }
  for (auto& [id, query] : std::exchange(querying_, {})) query.promise(std::unexpected(stopped()));
  for (const auto& weak : std::exchange(subscribers_, {})) {
    if (const auto queue = weak.lock()) queue->close();
  }
  topics_.close();
}

}  // namespace ggen::p2p::marketplace
