#include "engine_impl.hpp"

#include <algorithm>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/registry/head_record.hpp>
#include <ggen/p2p/registry/search.hpp>
#include <ggen/p2p/registry/sync.hpp>

namespace ggen::p2p::registry {

using multiformats::PeerId;

namespace {

// About so often, for it is looked at when something else is due.
constexpr base::Duration kTellGossipEvery = std::chrono::minutes{1};

}  // namespace

Engine::Impl::Impl(Config config, Below below, std::optional<Signer> signer, PeerId local,
                   base::Prng prng, base::WallTime wall_at_zero)
    : context_{std::move(config), below, local, prng, wall_at_zero},
      ledger_(context_),
      own_head_(context_),
      providing_(context_),
      head_publishing_(context_, ledger_),
      reputation_(context_.config.reputation),
      publishing_(context_, ledger_, own_head_, std::move(signer),
                  {[this](const Archive& archive) { return archives_.is_whole(archive.root); },
                   [this](const Archive& archive, base::Instant now) {
                     providing_.add(archive.root, now);
                   }}),
      announcements_(context_, ledger_),
      local_search_(context_, ledger_),
      sync_service_(below.requests.add_service(sync_service())),
      search_service_(below.requests.add_service(search_service())),
      fetch_service_(below.requests.add_service(fetch_service())),
      sync_client_(context_, ledger_, sync_service_),
      sync_server_(context_, ledger_, sync_service_),
      search_client_(context_, ledger_, local_search_, sync_client_, archives_, reputation_,
                     search_service_),
      search_server_(context_, ledger_, local_search_, archives_, search_service_),
      fetcher_(below.requests, fetch_service_, context_.storage, reputation_, archives_,
               context_.config.fetch, context_.prng.child("fetches")),
      chunk_server_(below.requests, fetch_service_, context_.storage, archives_,
                    context_.config.fetch),
      provider_finder_(context_, fetcher_) {
  if (const auto own = publishing_.publisher()) ledger_.catalog().pin(*own);
  below.kad.add_validator(std::string{kHeadNamespace},
                          std::make_unique<HeadValidator>(below.crypto));
}

void Engine::Impl::start(base::Instant now) {
  context_.below.gossip.subscribe(kUpdatesTopic, now);
  ledger_.start([this](base::Instant then) { loaded(then); });
}

void Engine::Impl::loaded(base::Instant now) {
  own_head_.loaded(now);
  sync_client_.start(now);
  context_.storage.submit(store::ListBlobs{}, [this](StoreResult result, base::Instant then) {
    take_blobs(std::move(result), then);
  });
}

void Engine::Impl::take_blobs(StoreResult result, base::Instant now) {
  auto blobs = taken<store::Blobs>(std::move(result));
  if (blobs) {
    archives_.load(std::move(*blobs));
  } else {
    context_.storage_failed(blobs.error());
  }
  for (const store::Blob* blob : archives_.all()) {
    if (blob->held.held() > 0) providing_.resume(blob->archive.root, now);
  }
  blobs_listed_ = true;
  for (const WaitingFetch& waiting : std::exchange(waiting_fetches_, {})) {
    fetcher_.fetch(waiting.id, waiting.archive, waiting.hints, now);
  }
}

// Who there is.

void Engine::Impl::peer_supports(const PeerId& peer, std::span<const std::string> protocols,
                                 base::Instant now) {
  const auto speaks = [&](std::string_view protocol) {
    return std::ranges::find(protocols, protocol) != protocols.end();
  };
  tell_gossip(peer, now);
  if (speaks(kSearchProtocol)) search_client_.peer_speaks(peer);
  if (speaks(kFetchProtocol)) provider_finder_.peer_speaks(peer);
  if (speaks(kSyncProtocol) && sync_peers_.size() < SyncClient::kMaxPeers) {
    sync_peers_.insert(peer);
    sync_client_.peer_speaks(peer, now);
  }
  settle(now);
}

void Engine::Impl::network_changed(base::Instant now) {
  providing_.network_changed(now);
  head_publishing_.network_changed();
}

void Engine::Impl::peer_gone(const PeerId& peer, base::Instant now) {
  search_client_.peer_gone(peer);
  provider_finder_.peer_gone(peer);
  sync_peers_.erase(peer);
  sync_client_.peer_gone(peer);
  settle(now);
}

void Engine::Impl::ask_for_own_log(base::Instant now) {
  const auto own = publishing_.publisher();
  if (!own || !ledger_.is_loaded()) return;
  for (const PeerId& peer : sync_peers_) {
    if (!own_head_.wants_answers()) return;
    if (own_head_.was_asked(peer)) continue;
    if (sync_client_.pull(peer, *own, std::nullopt, now)) own_head_.asked(peer);
  }
}

// The marketplace.

OperationId Engine::Impl::submit(EntryBody body, base::Instant now) {
  const OperationId id = next_operation_++;
  publishing_.submit(id, std::move(body), now);
  return id;
}

OperationId Engine::Impl::search(SearchRequest request, base::Duration timeout, base::Instant now) {
  const OperationId id = next_operation_++;
  search_client_.start(id, std::move(request), timeout, now);
  return id;
}

OperationId Engine::Impl::fetch(const Archive& archive, std::span<const PeerId> hints,
                                base::Instant now) {
  const OperationId id = next_operation_++;
  std::vector<PeerId> peers(hints.begin(), hints.end());
  std::erase(peers, context_.local);
  if (!archive.is_valid()) {
    context_.emit(event::FetchDone{id, std::unexpected(FetchError::kNoProviders), {}, {}});
  } else if (blobs_listed_) {
    fetcher_.fetch(id, archive, peers, now);
  } else if (waiting_fetches_.size() < context_.config.fetch.max_waiting) {
    waiting_fetches_.push_back({id, archive, std::move(peers)});
  } else {
    context_.emit(event::FetchDone{id, std::unexpected(FetchError::kBusy), {}, {}});
  }
  settle(now);
  return id;
}

void Engine::Impl::cancel(OperationId id, base::Instant now) {
  if (std::erase_if(waiting_fetches_, [id](const auto& one) { return one.id == id; }) > 0) {
    context_.emit(event::FetchDone{id, std::unexpected(FetchError::kCancelled), {}, {}});
  }
  if (!search_client_.cancel(id)) fetcher_.cancel(id, now);
  settle(now);
}

void Engine::Impl::adopt_archive(const Archive& archive, base::Instant now) {
  if (archives_.add_whole(archive)) providing_.add(archive.root, now);
}

// One chunk less will do: a fetch asks the store anew.
void Engine::Impl::doubt_archive(const Archive& archive) {
  archives_.chunk_lost(archive.root, 0);
}

Stats Engine::Impl::stats() const {
  const Catalog& catalog = ledger_.catalog();
  Stats stats{.publishers = catalog.size(),
              .archives = archives_.whole(),
              .partial_archives = archives_.partial(),
              .archive_bytes = archives_.bytes(),
              .fetched_bytes = fetcher_.fetched_bytes(),
              .served_bytes = chunk_server_.served_bytes()};
  for (const auto& head : catalog.heads(std::nullopt, catalog.size())) {
    const PublisherLog& log = *catalog.log(head.publisher);
    stats.entries += log.size();
    stats.packages += log.releases().packages().size();
    stats.releases += log.releases().size();
  }
  return stats;
}

PeerStanding Engine::Impl::standing(const PeerId& peer, base::Instant now) const {
  return reputation_.standing(peer, now);
}

// What the engines below report.

void Engine::Impl::handle(StoreDone done, base::Instant now) {
  context_.storage.done(std::move(done), now);
  sync_client_.resume(now);
  search_client_.advance();
  settle(now);
}

bool Engine::Impl::handle(const gossipsub::Validate& message, base::Instant now) {
  std::optional<Announcements::Gap> gap;
  if (!announcements_.handle(message, gap, now)) return false;
  if (gap) sync_client_.pull(gap->source, gap->publisher, gap->claim, now);
  settle(now);
  return true;
}

bool Engine::Impl::handle(reqresp::Response& response, base::Instant now) {
  const bool ours = sync_client_.handle(response, now) || search_client_.handle(response, now) ||
                    fetcher_.handle(response, now);
  settle(now);
  return ours;
}

bool Engine::Impl::handle(reqresp::ResponseBody& body, base::Instant now) {
  const bool ours = fetcher_.handle(body, now);
  settle(now);
  return ours;
}

bool Engine::Impl::handle(const reqresp::RequestDone& done, base::Instant now) {
  const bool ours = sync_client_.handle(done, now) || search_client_.handle(done, now) ||
                    fetcher_.handle(done, now);
  settle(now);
  return ours;
}

bool Engine::Impl::handle(reqresp::Request& request, base::Instant now) {
  const bool ours = sync_server_.handle(request, now) || search_server_.handle(request) ||
                    chunk_server_.handle(request, now);
  settle(now);
  return ours;
}

bool Engine::Impl::handle(const reqresp::BodyWritten& written, base::Instant now) {
  const bool ours = chunk_server_.handle(written, now);
  settle(now);
  return ours;
}

bool Engine::Impl::handle(const reqresp::ServedLost& lost, base::Instant now) {
  const bool ours =
      sync_server_.handle(lost) || search_server_.handle(lost) || chunk_server_.handle(lost, now);
  settle(now);
  return ours;
}

bool Engine::Impl::handle(const kad::ProvidersFound& found, base::Instant now) {
  const bool ours = provider_finder_.handle(found, now);
  settle(now);
  return ours;
}

bool Engine::Impl::handle(const kad::QueryDone& done, base::Instant now) {
  const bool ours = providing_.handle(done, now) || provider_finder_.handle(done, now) ||
                    head_publishing_.handle(done);
  settle(now);
  return ours;
}

// What the parts tell each other.

void Engine::Impl::tell_gossip(const PeerId& peer, base::Instant now) {
  const double success = reputation_.standing(peer, now).success;
  context_.below.gossip.set_application_score(peer, application_score(success), now);
}

// What is held against a peer fades, also while nothing is asked of it.
void Engine::Impl::tell_gossip_again(base::Instant now) {
  if (now < tell_gossip_at_) return;
  tell_gossip_at_ = now + kTellGossipEvery;
  for (const PeerId& peer : sync_peers_) tell_gossip(peer, now);
}

void Engine::Impl::settle(base::Instant now) {
  while (const auto changed = reputation_.take_changed()) tell_gossip(*changed, now);
  while (auto output = fetcher_.poll()) take(std::move(*output), now);
  while (const auto pulled = sync_client_.poll()) {
    if (pulled->publisher == publishing_.publisher()) {
      own_head_.finished(pulled->peer, pulled->answered);
    }
    search_client_.pulled(*pulled);
  }
  ask_for_own_log(now);
  publishing_.advance(now);
  if (const auto& own = publishing_.publisher(); own && ledger_.is_loaded()) {
    head_publishing_.look(*own, now);
  }
}

void Engine::Impl::take(FetcherOutput output, base::Instant now) {
  std::visit(base::Overloaded{
                 [&](ProvidersWanted& wanted) { provider_finder_.find(wanted.archive, now); },
                 [&](FirstChunk& first) { providing_.add(first.archive.root, now); },
                 [&](auto& event) { context_.emit(std::move(event)); },
             },
             output);
}

void Engine::Impl::handle_timeout(base::Instant now) {
  ledger_.handle_timeout(now);
  providing_.handle_timeout(now);
  sync_client_.handle_timeout(now);
  search_client_.handle_timeout(now);
  fetcher_.handle_timeout(now);
  provider_finder_.handle_timeout(now);
  tell_gossip_again(now);
  settle(now);
}

std::optional<Output> Engine::Impl::poll() {
  if (auto operation = context_.storage.poll()) return std::move(*operation);
  auto output = context_.outputs.pop();
  if (output) {
    const auto* added = std::get_if<event::EntryAdded>(&*output);
    if (added != nullptr) provider_finder_.heard(*added);
  }
  return output;
}

std::optional<base::Instant> Engine::Impl::next_deadline() const {
  std::optional<base::Instant> earliest = ledger_.next_deadline();
  for (const auto& deadline : {providing_.next_deadline(), publishing_.next_deadline(),
                               sync_client_.next_deadline(), search_client_.next_deadline(),
                               fetcher_.next_deadline(), provider_finder_.next_deadline()}) {
    earliest = base::earlier(earliest, deadline);
  }
  return earliest;
}

}  // namespace ggen::p2p::registry
