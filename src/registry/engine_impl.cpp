#include "engine_impl.hpp"

#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/registry/sync.hpp>

namespace ggen::p2p::registry {

using multiformats::PeerId;

Engine::Impl::Impl(Config config, Below below, std::optional<Signer> signer, PeerId local,
                   base::Prng prng, base::WallTime wall_at_zero)
    : context_{std::move(config), below, local, prng, wall_at_zero},
      ledger_(context_),
      own_head_(context_),
      providing_(context_),
      publishing_(context_, ledger_, own_head_, std::move(signer),
                  {[this](const Archive& archive) { return holds(archive); },
                   [this](const Archive& archive, base::Instant now) {
                     providing_.add(archive.root, now);
                   }}),
      announcements_(context_, ledger_) {
  if (const auto own = publishing_.publisher()) ledger_.catalog().pin(*own);
}

void Engine::Impl::start(base::Instant now) {
  context_.below.gossip.subscribe(kUpdatesTopic, now);
  ledger_.start([this](base::Instant then) { loaded(then); });
}

void Engine::Impl::loaded(base::Instant now) {
  own_head_.loaded(now);
  context_.storage.submit(store::ListBlobs{}, [this](StoreResult result, base::Instant then) {
    auto blobs = taken<store::Blobs>(std::move(result));
    if (!blobs) return context_.storage_failed(blobs.error());
    for (const store::Blob& blob : blobs->blobs) {
      if (blob.held.is_full()) adopt_archive(blob.archive, then);
    }
  });
}

void Engine::Impl::peer_supports(const PeerId&, std::span<const std::string>, base::Instant) {}
void Engine::Impl::peer_gone(const PeerId&, base::Instant) {}

OperationId Engine::Impl::submit(EntryBody body, base::Instant now) {
  const OperationId id = next_operation_++;
  publishing_.submit(id, std::move(body), now);
  return id;
}

OperationId Engine::Impl::search(SearchRequest, base::Duration, base::Instant) {
  const OperationId id = next_operation_++;
  context_.emit(event::SearchDone{id, {}});
  return id;
}

OperationId Engine::Impl::fetch(const Archive&, std::span<const PeerId>, base::Instant) {
  const OperationId id = next_operation_++;
  context_.emit(event::FetchDone{id, std::unexpected(FetchError::kNoProviders)});
  return id;
}

void Engine::Impl::cancel(OperationId, base::Instant) {}

bool Engine::Impl::holds(const Archive& archive) const {
  const auto at = archives_.find(archive.root);
  return at != archives_.end() && at->second == archive;
}

void Engine::Impl::adopt_archive(const Archive& archive, base::Instant now) {
  archives_.insert_or_assign(archive.root, archive);
  providing_.add(archive.root, now);
}

Stats Engine::Impl::stats() const {
  const Catalog& catalog = ledger_.catalog();
  Stats stats{.publishers = catalog.size()};
  for (const auto& head : catalog.heads(std::nullopt, catalog.size())) {
    const PublisherLog& log = *catalog.log(head.publisher);
    stats.entries += log.size();
    stats.packages += log.releases().packages().size();
    stats.releases += log.releases().size();
  }
  return stats;
}

PeerStanding Engine::Impl::standing(const PeerId&, base::Instant) const {
  return {};
}

void Engine::Impl::handle(StoreDone done, base::Instant now) {
  context_.storage.done(std::move(done), now);
  publishing_.advance(now);
}

bool Engine::Impl::handle(const gossipsub::Validate& message, base::Instant now) {
  std::optional<Announcements::Gap> gap;
  return announcements_.handle(message, gap, now);
}

bool Engine::Impl::handle(reqresp::Response&, base::Instant) {
  return false;
}
bool Engine::Impl::handle(reqresp::ResponseBody&, base::Instant) {
  return false;
}
bool Engine::Impl::handle(const reqresp::RequestDone&, base::Instant) {
  return false;
}
bool Engine::Impl::handle(reqresp::Request&, base::Instant) {
  return false;
}
bool Engine::Impl::handle(const reqresp::BodyWritten&, base::Instant) {
  return false;
}
bool Engine::Impl::handle(const reqresp::ServedLost&, base::Instant) {
  return false;
}
bool Engine::Impl::handle(const kad::ProvidersFound&, base::Instant) {
  return false;
}
bool Engine::Impl::handle(const kad::QueryDone& done, base::Instant now) {
  return providing_.handle(done, now);
}

void Engine::Impl::handle_timeout(base::Instant now) {
  ledger_.handle_timeout(now);
  providing_.handle_timeout(now);
  publishing_.advance(now);
}

std::optional<Output> Engine::Impl::poll() {
  if (auto operation = context_.storage.poll()) return std::move(*operation);
  return context_.outputs.pop();
}

std::optional<base::Instant> Engine::Impl::next_deadline() const {
  return base::earlier(ledger_.next_deadline(),
                       base::earlier(providing_.next_deadline(), publishing_.next_deadline()));
}

}  // namespace ggen::p2p::registry
