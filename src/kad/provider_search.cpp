#include "provider_search.hpp"

#include <algorithm>
#include <functional>

#include "merge_addresses.hpp"

namespace ggen::p2p::kad {

ProviderSearch::News ProviderSearch::add(std::span<const PeerRecord> providers) {
  News news;
  if (!providers.empty()) ++sources_;
  for (const PeerRecord& provider : providers) {
    if (provider.peer == local_) continue;
    const auto known = std::ranges::find_if(
        found_, [&](const Found& found) { return found.record.peer == provider.peer; });
    if (known != found_.end()) {
      ++known->sources;
      auto more = merge_addresses(known->record.addresses, provider.addresses, max_addresses_);
      if (!more.empty()) news.addresses.push_back({provider.peer, std::move(more)});
    } else if (found_.size() < max_found_) {
      found_.push_back({provider, 1});
      news.providers.push_back(provider);
    }
  }
  return news;
}

std::vector<PeerRecord> ProviderSearch::result() const {
  std::vector<Found> sorted = found_;
  std::ranges::stable_sort(sorted, std::greater{}, &Found::sources);
  std::vector<PeerRecord> records;
  for (Found& found : sorted) records.push_back(std::move(found.record));
  return records;
}

}  // namespace ggen::p2p::kad
