#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/registry/storage.hpp>

namespace ggen::p2p::test {

/// A plain index with the rules of the real one: each word must begin a token of the name, the
/// tags, the category, the authors or the description; a word of several tokens, such as
/// `left-pad`, must find them one behind the other. Upper and lower case of ASCII are the same.
class MemorySearch {
 public:
  using Publisher = multiformats::PeerId;

  [[nodiscard]] std::uint64_t position() const { return position_; }

  void apply(const registry::store::IndexApply& apply) {
    for (const auto& change : apply.changes) {
      if (const auto* add = std::get_if<registry::IndexAdd>(&change)) {
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

  [[nodiscard]] registry::store::Matches query(const registry::SearchRequest& query) const {
    std::map<std::pair<registry::Name, Publisher>, double> best;
    for (const auto& [key, release] : releases_) {
      const double score = score_of(release, query);
      if (score < 0) continue;
      auto [at, is_new] = best.try_emplace({release.name, release.publisher}, score);
      if (!is_new) at->second = std::max(at->second, score);
    }
    registry::store::Matches found;
    for (const auto& [package, score] : best) {
      found.matches.push_back({package.second, package.first, score});
    }
    std::ranges::stable_sort(found.matches, std::ranges::greater{}, &registry::store::Match::score);
    if (found.matches.size() > query.limit) {
      found.matches.erase(found.matches.begin() + static_cast<std::ptrdiff_t>(query.limit),
                          found.matches.end());
    }
    return found;
  }

 private:
  using Tokens = std::vector<std::string>;

  static Tokens tokens(std::string_view text) {
    Tokens found;
    bool inside = false;
    for (const char c : text) {
      const bool upper = c >= 'A' && c <= 'Z';
      const bool part =
          upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
      if (part && !inside) found.emplace_back();
      if (part) found.back() += upper ? static_cast<char>(c - 'A' + 'a') : c;
      inside = part;
    }
    return found;
  }

  static bool has_phrase(const Tokens& text, const Tokens& phrase) {
    if (phrase.empty()) return false;
    for (std::size_t at = 0; at + phrase.size() <= text.size(); ++at) {
      const bool whole = std::equal(phrase.begin(), phrase.end() - 1,
                                    text.begin() + static_cast<std::ptrdiff_t>(at));
      if (whole && text[at + phrase.size() - 1].starts_with(phrase.back())) return true;
    }
    return false;
  }

  // Negative: no match. The weights are those of the real index: names over tags over the rest.
  static double score_of(const registry::IndexAdd& release, const registry::SearchRequest& query) {
    if (!query.category.empty() && release.category != query.category) return -1;
    if (!query.tag.empty() && std::ranges::count(release.tags, query.tag) == 0) return -1;
    std::string squashed;
    for (const auto& token : tokens(release.name.text())) squashed += token;
    std::vector<std::pair<Tokens, double>> fields{{tokens(release.name.text()), 10.0},
                                                  {Tokens{squashed}, 10.0},
                                                  {tokens(release.description), 1.0},
                                                  {tokens(release.category), 2.0}};
    for (const auto& tag : release.tags) fields.emplace_back(tokens(tag), 4.0);
    for (const auto& author : release.authors) fields.emplace_back(tokens(author), 1.0);
    std::string asked;
    for (const auto& word : query.words) asked += (asked.empty() ? "" : "-") + word;
    double score = release.name.text() == asked ? 1000 : 0;
    for (const auto& word : query.words) {
      const Tokens phrase = tokens(word);
      double word_score = 0;
      for (const auto& [text, weight] : fields) {
        if (has_phrase(text, phrase)) word_score = std::max(word_score, weight);
      }
      if (word_score == 0) return -1;
      score += word_score;
    }
    return score;
  }

  std::map<std::pair<Publisher, std::uint64_t>, registry::IndexAdd> releases_;
  std::uint64_t position_ = 0;
};

}  // namespace ggen::p2p::test
