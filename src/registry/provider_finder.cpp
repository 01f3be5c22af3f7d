#include "provider_finder.hpp"

#include "providing.hpp"

namespace ggen::p2p::registry {

void ProviderFinder::find(const Archive& archive, base::Instant now) {
  const auto query = context_.below.kad.find_providers(provider_key(archive.root), 0, now);
  if (query) {
    queries_.emplace(*query, archive.root);
  } else {
    fetcher_.providers_done(archive.root, now);
  }
}

bool ProviderFinder::handle(const kad::ProvidersFound& found, base::Instant now) {
  const auto at = queries_.find(found.id);
  if (at == queries_.end()) return false;
  std::vector<multiformats::PeerId> peers;
  for (const kad::PeerRecord& record : found.providers) {
    if (record.peer != context_.local) peers.push_back(record.peer);
  }
  fetcher_.add_providers(at->second, peers, now);
  return true;
}

bool ProviderFinder::handle(const kad::QueryDone& done, base::Instant now) {
  const auto at = queries_.find(done.id);
  if (at == queries_.end()) return false;
  const crypto::Sha256Digest root = at->second;
  queries_.erase(at);
  fetcher_.providers_done(root, now);
  return true;
}

}  // namespace ggen::p2p::registry
