#include "provider_finder.hpp"

#include <algorithm>
#include <iterator>

#include "providing.hpp"

namespace ggen::p2p::registry {

using crypto::Sha256Digest;
using multiformats::PeerId;

void ProviderFinder::heard(const event::EntryAdded& added) {
  const auto* publish = std::get_if<Publish>(&added.entry.statement.body);
  if (publish == nullptr || !added.from) return;
  const Sha256Digest& root = publish->archive.root;
  if (!heard_.try_emplace(root, std::vector{*added.from, added.entry.statement.publisher}).second) {
    return;
  }
  heard_order_.push(root);
  if (heard_order_.size() > kMaxHeard) heard_.erase(*heard_order_.pop());
}

void ProviderFinder::find(const Archive& archive, base::Instant now) {
  forget_ended();
  Search& search = searches_[archive.root];
  search.pause = kPause;
  search.limit = kEnough;
  if (!search.query) ask(archive.root, search, now);
}

void ProviderFinder::ask(const Sha256Digest& root, Search& search, base::Instant now) {
  const auto query = context_.below.kad.find_providers(provider_key(root), search.limit, now);
  search.limit = 0;
  if (query) {
    search.query = *query;
    queries_.emplace(*query, root);
  } else {
    wait(search, now);
  }
  fetcher_.add_guesses(root, guesses(root), now);
}

void ProviderFinder::wait(Search& search, base::Instant now) {
  search.query.reset();
  search.next = now + search.pause;
  search.pause = std::min(2 * search.pause, kMaxPause);
}

// The likeliest first: a fetch takes only so many.
std::vector<PeerId> ProviderFinder::guesses(const Sha256Digest& root) const {
  std::vector<PeerId> peers;
  if (const auto likely = heard_.find(root); likely != heard_.end()) {
    std::ranges::copy_if(likely->second, std::back_inserter(peers),
                         [&](const PeerId& peer) { return speakers_.contains(peer); });
  }
  peers.insert(peers.end(), speakers_.begin(), speakers_.end());
  return peers;
}

void ProviderFinder::forget_ended() {
  std::erase_if(searches_, [&](const auto& item) {
    return !item.second.query && !fetcher_.lacks(item.first);
  });
}

bool ProviderFinder::handle(const kad::ProvidersFound& found, base::Instant now) {
  const auto at = queries_.find(found.id);
  if (at == queries_.end()) return false;
  std::vector<PeerId> peers;
  for (const kad::PeerRecord& record : found.providers) {
    if (record.peer != context_.local) peers.push_back(record.peer);
  }
  fetcher_.add_providers(at->second, peers, now);
  return true;
}

bool ProviderFinder::handle(const kad::QueryDone& done, base::Instant now) {
  const auto at = queries_.find(done.id);
  if (at == queries_.end()) return false;
  wait(searches_.at(at->second), now);
  queries_.erase(at);
  return true;
}

void ProviderFinder::handle_timeout(base::Instant now) {
  if (const auto next = next_deadline(); !next || *next > now) return;
  forget_ended();
  for (auto& [root, search] : searches_) {
    if (search.query || search.next > now) continue;
    const auto lack = *fetcher_.lacks(root);
    const bool soon = lack == Fetcher::Lack::kAny;
    if (soon || (lack == Fetcher::Lack::kMore && search.pause == kMaxPause)) {
      ask(root, search, now);
    } else {
      wait(search, now);
    }
  }
}

std::optional<base::Instant> ProviderFinder::next_deadline() const {
  std::optional<base::Instant> earliest;
  for (const auto& [root, search] : searches_) {
    if (!search.query) earliest = base::earlier(earliest, search.next);
  }
  return earliest;
}

}  // namespace ggen::p2p::registry
