#pragma once

#include <set>

#include "archives.hpp"
#include "context.hpp"
#include "local_search.hpp"

namespace ggen::p2p::registry {

/// Answers `/ggen/search/1.0.0` from the own index, a few at a time.
class SearchServer {
 public:
  SearchServer(Context& context, const Ledger& ledger, LocalSearch& search,
               const Archives& archives, reqresp::ServiceId service)
      : context_(context),
        ledger_(ledger),
        search_(search),
        archives_(archives),
        service_(service) {}

  // True when it was about this service.
  bool handle(const reqresp::Request& request);
  bool handle(const reqresp::ServedLost& lost) { return serving_.erase(lost.id) > 0; }

 private:
  void answer(reqresp::ServedId id, const std::vector<LocalSearch::Found>& found,
              base::Instant now);

  Context& context_;
  const Ledger& ledger_;
  LocalSearch& search_;
  const Archives& archives_;
  reqresp::ServiceId service_;
  std::set<reqresp::ServedId> serving_;
  std::size_t under_way_ = 0;  // searches, also for those who are gone
};

}  // namespace ggen::p2p::registry
