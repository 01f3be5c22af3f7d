#include "search_client.hpp"

#include <algorithm>

namespace ggen::p2p::registry {

using multiformats::PeerId;

namespace {

// What every peer accepts: a search that is typed is not refused for a word too many.
SearchRequest within_limits(SearchRequest request) {
  std::erase_if(request.words, [](const std::string& word) {
    return word.empty() || word.size() > kMaxSearchWord;
  });
  if (request.words.size() > kMaxSearchWords) request.words.resize(kMaxSearchWords);
  request.limit = std::clamp<std::uint64_t>(request.limit, 1, kMaxSearchResults);
  return request;
}

}  // namespace

SearchClient::SearchClient(Context& context, const Ledger& ledger, LocalSearch& search,
                           SyncClient& sync, const Archives& archives, Reputation& reputation,
                           reqresp::ServiceId service)
    : context_(context),
      ledger_(ledger),
      search_(search),
      sync_(sync),
      archives_(archives),
      reputation_(reputation),
      service_(service) {}

void SearchClient::peer_speaks(const PeerId& peer) {
  if (peers_.size() < SyncClient::kMaxPeers) peers_.insert(peer);
}

void SearchClient::start(OperationId id, SearchRequest request, base::Duration timeout,
                         base::Instant now) {
  if (!ledger_.is_loaded() || operations_.size() >= context_.config.search.max_active) {
    context_.emit(event::SearchLocal{id, {}});
    context_.emit(event::SearchDone{id, {}});
    return;
  }
  Operation& operation = operations_.try_emplace(id).first->second;
  operation.request = within_limits(std::move(request));
  operation.look_again = ledger_.indexed() < ledger_.recorded();
  timeout = std::clamp(timeout, base::Duration{}, context_.config.search.max_timeout);
  if (timeout > base::Duration{}) ask_peers(id, operation, timeout, now);
  if (operation.look_again) timeout = std::max(timeout, kLastLook);
  if (timeout > base::Duration{}) deadlines_.set(id, now + timeout);
  search_.run(operation.request, [this, id](std::vector<LocalSearch::Found> found, base::Instant) {
    const auto at = operations_.find(id);
    if (at == operations_.end()) return;
    at->second.hits = hits(found, at->second);
    at->second.local_done = true;
    context_.emit(event::SearchLocal{id, at->second.hits});
    advance(id, at->second);
  });
}

void SearchClient::ask_peers(OperationId id, Operation& operation, base::Duration timeout,
                             base::Instant now) {
  std::vector<PeerId> peers(peers_.begin(), peers_.end());
  context_.prng.shuffle(peers);
  if (peers.size() > context_.config.search.max_peers) {
    peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(context_.config.search.max_peers),
                peers.end());
  }
  for (const PeerId& peer : peers) {
    const reqresp::RequestId request =
        context_.below.requests.request(peer, service_, encode(operation.request), timeout, now);
    operation.asked.emplace(request, now);
    requests_.emplace(request, Asked{id, peer});
  }
  operation.peers = peers.size();
}

// Answers of peers.

bool SearchClient::handle(const reqresp::Response& response, base::Instant now) {
  const auto at = requests_.find(response.id);
  if (at == requests_.end()) return false;
  const Asked asked = at->second;
  const auto operation = operations_.find(asked.operation);
  const auto decoded = decode_search_response(response.message.map(), operation->second.request);
  if (decoded) {
    take(asked.operation, asked.peer, *decoded, now);
  } else {
    reputation_.blame(asked.peer, now);
    context_.misbehaved(asked.peer, "answered a search with garbage");
  }
  return true;
}

void SearchClient::take(OperationId id, const PeerId& peer, const SearchResponse& response,
                        base::Instant now) {
  Operation& operation = operations_.at(id);
  std::size_t pulls = 0;
  for (const SearchResult& result : response.results) {
    const auto entry = Entry::open(context_.below.crypto, result.envelope);
    if (entry) {
      take_entry(operation, peer, *entry, result.held, pulls, now);
      continue;
    }
    using Kind = EntryError::Kind;
    const Kind kind = entry.error().kind;
    if (kind == Kind::kUnknownVersion || kind == Kind::kUnknownKind) continue;
    reputation_.blame(peer, now);
    context_.misbehaved(peer, "answered a search with an entry that does not verify");
    return;
  }
}

void SearchClient::take_entry(Operation& operation, const PeerId& peer, const Entry& entry,
                              bool held, std::size_t& pulls, base::Instant now) {
  if (!std::holds_alternative<Publish>(entry.statement.body)) return;
  if (held) {
    auto& providers = operation.providers[entry.id];
    if (std::ranges::find(providers, peer) == providers.end()) providers.push_back(peer);
  }
  const Statement& statement = entry.statement;
  const PublisherLog* log = ledger_.catalog().log(statement.publisher);
  if (log != nullptr && log->entry(statement.seq) == entry.id) return;
  if (pulls >= kMaxPullsPerAnswer) return;
  ++pulls;
  if (sync_.pull(peer, statement.publisher, Head{statement.seq, entry.id}, now)) {
    operation.pulls.emplace(peer, statement.publisher);
  }
}

bool SearchClient::handle(const reqresp::RequestDone& done, base::Instant now) {
  const auto at = requests_.find(done.id);
  if (at == requests_.end()) return false;
  const OperationId id = at->second.operation;
  requests_.erase(at);
  Operation& operation = operations_.at(id);
  const base::Instant since = operation.asked.at(done.id);
  operation.asked.erase(done.id);
  if (done.result) {
    ++operation.answers;
    reputation_.success(done.peer, now - since, now);
  } else {
    if (done.result.error() == reqresp::Error::kTimeout) operation.timed_out = true;
    reputation_.failure(done.peer, now);
  }
  advance(id, operation);
  return true;
}

void SearchClient::pulled(const SyncClient::Pulled& pulled) {
  for (auto at = operations_.begin(); at != operations_.end();) {
    const auto here = at++;  // which may end
    if (here->second.pulls.erase({pulled.peer, pulled.publisher}) == 0) continue;
    advance(here->first, here->second);
  }
}

// To the end.

void SearchClient::advance() {
  for (auto at = operations_.begin(); at != operations_.end();) {
    const auto here = at++;  // which may end
    advance(here->first, here->second);
  }
}

void SearchClient::advance(OperationId id, Operation& operation) {
  if (operation.finishing || !operation.local_done) return;
  if (!operation.asked.empty() || !operation.pulls.empty()) return;
  if (operation.peers == 0 && !operation.look_again) return done(id);
  // What is known by now must be in the index before it is asked again; the deadline ends the wait.
  if (!operation.until_indexed) operation.until_indexed = ledger_.recorded();
  if (ledger_.indexed() >= *operation.until_indexed) finish(id, operation);
}

void SearchClient::finish(OperationId id, Operation& operation) {
  operation.finishing = true;
  search_.run(operation.request, [this, id](std::vector<LocalSearch::Found> found, base::Instant) {
    const auto at = operations_.find(id);
    if (at == operations_.end()) return;
    at->second.hits = hits(found, at->second);
    done(id);
  });
}

void SearchClient::done(OperationId id) {
  const auto at = operations_.find(id);
  Operation& operation = at->second;
  for (const auto& [request, since] : operation.asked) {
    context_.below.requests.cancel(request);
    requests_.erase(request);
  }
  context_.emit(event::SearchDone{id, std::move(operation.hits), operation.peers, operation.answers,
                                  operation.timed_out});
  deadlines_.set(id, std::nullopt);
  operations_.erase(at);
}

bool SearchClient::cancel(OperationId id) {
  if (!operations_.contains(id)) return false;
  done(id);
  return true;
}

void SearchClient::handle_timeout(base::Instant now) {
  while (const auto id = deadlines_.pop_due(now)) {
    Operation& operation = operations_.at(*id);
    if (operation.finishing) {
      // The store is slow: the hits of the first look are what there is.
      operation.timed_out = true;
      done(*id);
      continue;
    }
    for (const auto& [request, since] : operation.asked) {
      operation.timed_out = true;
      reputation_.failure(requests_.at(request).peer, now);
      context_.below.requests.cancel(request);
      requests_.erase(request);
    }
    operation.asked.clear();
    if (!operation.pulls.empty()) operation.timed_out = true;
    operation.pulls.clear();
    finish(*id, operation);
    if (operations_.contains(*id)) deadlines_.set(*id, now + kLastLook);
  }
}

std::vector<event::Hit> SearchClient::hits(const std::vector<LocalSearch::Found>& found,
                                           const Operation& operation) const {
  std::vector<event::Hit> all;
  for (const LocalSearch::Found& one : found) {
    const auto entry = Entry::decode(one.envelope.view());
    if (!entry) continue;
    const auto* publish = std::get_if<Publish>(&entry->statement.body);
    if (publish == nullptr) continue;
    event::Hit hit{one.publisher, one.release, publish->metadata, one.deprecated};
    hit.pinned = ledger_.catalog().is_pinned(one.publisher);
    hit.held = archives_.is_whole(one.release.archive.root);
    const auto providers = operation.providers.find(one.release.entry);
    if (providers != operation.providers.end()) hit.providers = providers->second;
    all.push_back(std::move(hit));
  }
  return all;
}

}  // namespace ggen::p2p::registry
