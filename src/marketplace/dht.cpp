#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>

#include "failures.hpp"
#include "impl.hpp"

namespace ggen::p2p::marketplace {
namespace {

using Started = std::expected<kad::QueryId, kad::InputError>;

Failure failure_of(kad::InputError error) {
  Failure failure{
      Reason::kInput, fmt::format("The DHT cannot be asked that: {}", to_string(error)), {}};
  if (error == kad::InputError::kNoValidator) {
    failure.hint = "Values stand under keys of a namespace that nodes can check: /pk/PEER_ID";
  }
  return failure;
}

Started begin(kad::Engine& kad, const dht::Query& query, base::Instant now) {
  return std::visit(
      base::Overloaded{
          [&](const dht::Put& put) { return kad.put_value(put.key, put.value, now); },
          [&](const dht::Get& get) { return kad.get_value(get.key, 0, now); },
          [&](const dht::Closest& closest) { return kad.closest(closest.key, now); },
          [&](const dht::FindPeer& find) { return Started{kad.find_peer(find.peer, now)}; },
          [&](const dht::FindProviders& find) { return kad.find_providers(find.key, 0, now); },
          [&](const dht::Provide& provide) { return kad.provide(provide.key, now); },
      },
      query);
}

void add_span(telemetry::SpanTracker& spans, kad::QueryId id, const dht::Query& query,
              base::Instant now) {
  std::visit(
      base::Overloaded{
          [&](const dht::Put& put) { spans.dht_put_started(id, put.key, now); },
          [&](const dht::Get& get) { spans.dht_get_started(id, get.key, now); },
          [&](const dht::Closest& closest) { spans.dht_closest_started(id, closest.key, now); },
          [&](const dht::FindPeer& find) { spans.find_peer_started(id, find.peer, now); },
          [&](const dht::FindProviders& find) { spans.find_providers_started(id, find.key, now); },
          [&](const dht::Provide& provide) { spans.dht_put_started(id, provide.key, now); },
      },
      query);
}

}  // namespace

asio::awaitable<Result<dht::Answer>> Registry::Impl::ask_dht(std::shared_ptr<Impl> self,
                                                             dht::Query query) {
  if (self->stopped_) co_return std::unexpected(stopped());
  auto start = [spans = self->spans_, query = std::move(query)](node::Node& node,
                                                                base::Instant now) {
    const Started id = begin(node.kad(now), query, now);
    if (id && spans != nullptr) add_span(*spans, *id, query, now);
    return id;
  };
  auto remember = [impl = self.get()](const Started& id, auto promise) {
    if (!id) return promise(std::unexpected(failure_of(id.error())));
    impl->querying_.emplace(*id, Querying{std::move(promise), {}});
  };
  auto asking = self->operation<Result<dht::Answer>>(std::move(start), std::move(remember));
  co_return co_await std::move(asking);
}

void Registry::Impl::on_hop(const kad::QueryHop& hop) {
  const auto found = querying_.find(hop.id);
  if (found != querying_.end()) found->second.hops.push_back(hop);
}

void Registry::Impl::on_query_done(const kad::QueryDone& done) {
  auto found = querying_.extract(done.id);
  if (found.empty()) return;
  Querying& query = found.mapped();
  query.promise(dht::Answer{done, std::move(query.hops)});
}

void Registry::Impl::cancel(const QueryStarted& query) {
  if (!host_ || !query) return;
  auto found = querying_.extract(*query);
  if (found.empty()) return;
  host_->drive([&](node::Node& node, base::Instant now) {
    node.kad(now).cancel(*query);
    if (spans_ != nullptr) spans_->query_cancelled(*query, now);
  });
  found.mapped().promise(std::unexpected(Failure{Reason::kCancelled, "Cancelled", {}}));
}

}  // namespace ggen::p2p::marketplace
