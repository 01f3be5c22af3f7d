#include "local_search.hpp"

#include <algorithm>

namespace ggen::p2p::registry {

const Release* newest_release(const PublisherLog& log, const Name& name) {
  const Package* package = log.releases().package(name);
  if (package == nullptr) return nullptr;
  const Release* prerelease = nullptr;
  for (auto at = package->releases.rbegin(); at != package->releases.rend(); ++at) {
    const Release& release = at->second;
    if (release.yank.is_on()) continue;
    if (log.is_frozen() && release.seq >= log.fork()->seq) continue;
    if (!release.version.is_prerelease()) return &release;
    if (prerelease == nullptr) prerelease = &release;
  }
  return prerelease;
}

void LocalSearch::run(const SearchRequest& request, Then then) {
  waiting_.push({request, std::move(then)});
  if (!asking_) ask_next();
}

void LocalSearch::ask_next() {
  auto question = waiting_.pop();
  asking_ = question.has_value();
  if (!question) return;
  auto on_matches = [this, next = std::move(question->then)](StoreResult result,
                                                             base::Instant now) mutable {
    ask_next();
    auto matches = taken<store::Matches>(std::move(result));
    if (!matches) {
      context_.storage_failed(matches.error());
      return next({}, now);
    }
    read(std::move(*matches), std::move(next), now);
  };
  context_.storage.submit(store::IndexQuery{std::move(question->request)}, std::move(on_matches));
}

void LocalSearch::read(store::Matches matches, Then then, base::Instant now) {
  std::vector<Found> found;
  store::ReadEntries read;
  for (const store::Match& match : matches.matches) {
    if (found.size() == store::kMaxEntriesRead) break;
    const PublisherLog* log = ledger_.catalog().log(match.publisher);
    const Release* release = log ? newest_release(*log, match.name) : nullptr;
    if (release == nullptr) continue;  // the index lags behind
    const Mark& package = log->releases().package(match.name)->deprecation;
    const Mark& mark = release->deprecation.is_on() ? release->deprecation : package;
    found.push_back({match.publisher, *release, mark.reason(), {}});
    read.ids.push_back(release->entry);
  }
  if (found.empty()) return then({}, now);
  auto on_entries = [this, all = std::move(found), next = std::move(then)](
                        StoreResult result, base::Instant later) mutable {
    auto entries = taken<store::Entries>(std::move(result));
    if (!entries) {
      context_.storage_failed(entries.error());
      return next({}, later);
    }
    const std::size_t read_count = std::min(entries->envelopes.size(), all.size());
    std::vector<Found> complete;
    for (std::size_t i = 0; i < read_count; ++i) {
      if (!entries->envelopes[i]) continue;
      all[i].envelope = std::move(*entries->envelopes[i]);
      complete.push_back(std::move(all[i]));
    }
    next(std::move(complete), later);
  };
  context_.storage.submit(std::move(read), std::move(on_entries));
}

}  // namespace ggen::p2p::registry
