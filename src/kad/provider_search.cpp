#include "provider_search.hpp"

#include <algorithm>
#include <functional>

namespace ggen::p2p::kad {

std::vector<PeerRecord> ProviderSearch::add(std::span<const PeerRecord> providers) {
  std::vector<PeerRecord> added;
  if (!providers.empty()) ++sources_;
  for (const PeerRecord& provider : providers) {
    if (provider.peer == local_) continue;
    const auto known = std::ranges::find_if(
        found_, [&](const Found& found) { return found.record.peer == provider.peer; });
    if (known != found_.end()) {
      ++known->sources;
      if (known->record.addresses.empty()) known->record.addresses = provider.addresses;
    } else if (found_.size() < max_found_) {
      found_.push_back({provider, 1});
      added.push_back(provider);
    }
  }
  return added;
}

std::vector<PeerRecord> ProviderSearch::result() const {
  std::vector<Found> sorted = found_;
  std::ranges::stable_sort(sorted, std::greater{}, &Found::sources);
  std::vector<PeerRecord> records;
  for (Found& found : sorted) records.push_back(std::move(found.record));
  return records;
}

}  // namespace ggen::p2p::kad
