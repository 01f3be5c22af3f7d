#pragma once

#include <cstddef>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/registry/sync.hpp>

#include "context.hpp"
#include "ledger.hpp"

namespace ggen::p2p::registry {

/// Answers `/ggen/sync/1.0.0`: heads from the catalog, entries from the store. The service's
/// limits bound how many requests there are, kMaxSyncAnswerBytes what each holds.
class SyncServer {
 public:
  SyncServer(Context& context, const Ledger& ledger, reqresp::ServiceId service)
      : context_(context), ledger_(ledger), service_(service) {}

  // True when it was about this service.
  bool handle(const reqresp::Request& request, base::Instant now);
  bool handle(const reqresp::ServedLost& lost) { return serving_.erase(lost.id); }

 private:
  /// Entries are read so many at a time.
  static constexpr std::size_t kReadAtOnce = 64;
  struct Serving {
    std::vector<EntryId> ids;
    std::size_t next = 0;
    std::size_t bytes = 0;  // sent
    EntriesResponse response{};
    bool responded = false;
  };

  void answer(reqresp::ServedId id, const HeadsRequest& request, base::Instant now);
  void answer(reqresp::ServedId id, const EntriesRequest& request, base::Instant now);
  void answer(reqresp::ServedId id, const ForkRequest& request, base::Instant now);
  void read(reqresp::ServedId id, const Serving& serving);
  void send(reqresp::ServedId id, StoreResult result, base::Instant now);
  void finish(reqresp::ServedId id, Serving& serving, base::Instant now);
  void respond(reqresp::ServedId id, Serving& serving, base::Instant now);

  Context& context_;
  const Ledger& ledger_;
  reqresp::ServiceId service_;
  base::HashMap<reqresp::ServedId, Serving> serving_;
};

}  // namespace ggen::p2p::registry
