#pragma once

#include <map>

#include "context.hpp"
#include "fetcher.hpp"

namespace ggen::p2p::registry {

/// Asks the DHT who holds an archive that is being fetched.
class ProviderFinder {
 public:
  ProviderFinder(Context& context, Fetcher& fetcher) : context_(context), fetcher_(fetcher) {}

  void find(const Archive& archive, base::Instant now);

  // True when it was about a query of this object.
  bool handle(const kad::ProvidersFound& found, base::Instant now);
  bool handle(const kad::QueryDone& done, base::Instant now);

 private:
  Context& context_;
  Fetcher& fetcher_;
  std::map<kad::QueryId, crypto::Sha256Digest> queries_;
};

}  // namespace ggen::p2p::registry
