#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/sim/memory_index.hpp>

namespace ggen::p2p::sim {

using registry::IndexAdd;
using registry::SearchRequest;
namespace store = registry::store;

namespace {

using Tokens = std::vector<std::string>;

Tokens tokens(std::string_view text) {
  Tokens found;
  bool inside = false;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool part = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
    if (part && !inside) found.emplace_back();
    if (part) found.back() += upper ? static_cast<char>(c - 'A' + 'a') : c;
    inside = part;
  }
  return found;
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

struct Field {
  Tokens text;
  double weight;
};
// The weights are those of the real index: names over tags over the rest.
std::vector<Field> fields_of(const IndexAdd& release) {
  const Tokens name = tokens(release.name.text());
  std::string squashed;
  for (const auto& token : name) squashed += token;
  std::vector<Field> fields{{name, 10.0},
                            {Tokens{std::move(squashed)}, 10.0},
                            {tokens(release.description), 1.0},
                            {tokens(release.category), 2.0}};
  for (const auto& tag : release.tags) fields.push_back({tokens(tag), 4.0});
  for (const auto& author : release.authors) fields.push_back({tokens(author), 1.0});
  return fields;
}

// Negative: no match.
double score_of(const IndexAdd& release, const SearchRequest& query) {
  if (!query.category.empty() && release.category != query.category) return -1;
  if (!query.tag.empty() && std::ranges::count(release.tags, query.tag) == 0) return -1;
  const auto fields = fields_of(release);
  std::string asked;
  for (const auto& word : query.words) {
    if (!asked.empty()) asked += '-';
    asked += word;
  }
  double score = release.name.text() == asked ? 1000 : 0;
  for (const auto& word : query.words) {
    const Tokens phrase = tokens(word);
    double best = 0;
    for (const auto& [text, weight] : fields) {
      if (has_phrase(text, phrase)) best = std::max(best, weight);
    }
    if (best == 0) return -1;
    score += best;
  }
  return score;
}

}  // namespace

void MemoryIndex::apply(const store::IndexApply& apply) {
  for (const auto& change : apply.changes) {
    if (const auto* add = std::get_if<IndexAdd>(&change)) {
      releases_.insert_or_assign({add->publisher, add->seq}, *add);
    } else {
      const auto& remove = std::get<registry::IndexRemove>(change);
      std::erase_if(releases_, [&](const auto& item) {
        return item.first.first == remove.publisher && item.first.second >= remove.from_seq;
      });
    }
  }
  position_ = apply.position;
}

store::Matches MemoryIndex::query(const SearchRequest& query) const {
  std::map<std::pair<registry::Name, multiformats::PeerId>, double> best;
  for (const auto& [key, release] : releases_) {
    const double score = score_of(release, query);
    if (score < 0) continue;
    auto [at, is_new] = best.try_emplace({release.name, release.publisher}, score);
    if (!is_new) at->second = std::max(at->second, score);
  }
  store::Matches found;
  for (const auto& [package, score] : best) {
    found.matches.push_back({package.second, package.first, score});
  }
  std::ranges::stable_sort(found.matches, std::ranges::greater{}, &store::Match::score);
  if (found.matches.size() > query.limit) {
    found.matches.erase(found.matches.begin() + static_cast<std::ptrdiff_t>(query.limit),
                        found.matches.end());
  }
  return found;
}

}  // namespace ggen::p2p::sim
