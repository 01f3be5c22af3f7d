#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/sim/memory_index.hpp>

namespace ggen::p2p::sim {

using registry::IndexAdd;
using registry::SearchRequest;
namespace store = registry::store;

namespace {

using Tokens = StoredRelease::Tokens;
using Key = std::pair<const multiformats::PeerId&, std::uint64_t>;

Key key_of(const Shared<StoredRelease>& release) {
  return {release->add.publisher, release->add.seq};
}

bool has_phrase(const Tokens& text, const Tokens& phrase) {
  if (phrase.empty()) return false;
  for (std::size_t at = 0; at + phrase.size() <= text.size(); ++at) {
    const bool whole = std::equal(phrase.begin(), phrase.end() - 1,
                                  text.begin() + static_cast<std::ptrdiff_t>(at));
    if (whole && text[at + phrase.size() - 1].starts_with(phrase.back())) return true;
  }
  return false;
}

struct Query {
  explicit Query(const SearchRequest& asked) : request(asked) {
    for (const auto& word : asked.words) {
      if (!whole.empty()) whole += '-';
      whole += word;
      phrases.push_back(tokens_of(word));
    }
  }
  const SearchRequest& request;
  std::string whole;  // a package of that name is what was meant
  std::vector<Tokens> phrases;
};

// Negative: no match.
double score_of(const StoredRelease& release, const Query& query) {
  const IndexAdd& add = release.add;
  const SearchRequest& request = query.request;
  if (!request.category.empty() && add.category != request.category) return -1;
  if (!request.tag.empty() && std::ranges::count(add.tags, request.tag) == 0) return -1;
  double score = add.name.text() == query.whole ? 1000 : 0;
  for (const Tokens& phrase : query.phrases) {
    double best = 0;
    for (const auto& [text, weight] : release.fields) {
      if (weight > best && has_phrase(text, phrase)) best = weight;
    }
    if (best == 0) return -1;
    score += best;
  }
  return score;
}

}  // namespace

void MemoryIndex::apply(const store::IndexApply& apply, BlobPool& pool) {
  for (const auto& change : apply.changes) {
    if (const auto* release = std::get_if<IndexAdd>(&change)) {
      add(pool.release(*release));
    } else {
      remove(std::get<registry::IndexRemove>(change));
    }
  }
  position_ = apply.position;
}

void MemoryIndex::add(Shared<StoredRelease> release) {
  const auto at = std::ranges::lower_bound(releases_, key_of(release), std::less{}, key_of);
  if (at != releases_.end() && key_of(*at) == key_of(release)) {
    *at = std::move(release);
  } else {
    releases_.insert(at, std::move(release));
  }
}

void MemoryIndex::remove(const registry::IndexRemove& remove) {
  std::erase_if(releases_, [&](const auto& release) {
    return release->add.publisher == remove.publisher && release->add.seq >= remove.from_seq;
  });
}

store::Matches MemoryIndex::query(const SearchRequest& request) const {
  const Query query(request);
  std::map<std::pair<registry::Name, multiformats::PeerId>, double> best;
  for (const auto& release : releases_) {
    const double score = score_of(*release, query);
    if (score < 0) continue;
    auto [at, is_new] = best.try_emplace({release->add.name, release->add.publisher}, score);
    if (!is_new) at->second = std::max(at->second, score);
  }
  store::Matches found;
  for (const auto& [package, score] : best) {
    found.matches.push_back({package.second, package.first, score});
  }
  std::ranges::stable_sort(found.matches, std::ranges::greater{}, &store::Match::score);
  if (found.matches.size() > request.limit) {
    found.matches.erase(found.matches.begin() + static_cast<std::ptrdiff_t>(request.limit),
                        found.matches.end());
  }
  return found;
}

}  // namespace ggen::p2p::sim
