#pragma once

#include <optional>

#include "context.hpp"
#include "ledger.hpp"

namespace ggen::p2p::registry {

/// Keeps the head of this node's own log in the DHT: put when it is loaded and after each new
/// entry, one put at a time, so that many entries in a row make few. What was taken, kad keeps
/// fresh.
class HeadPublishing {
 public:
  HeadPublishing(Context& context, const Ledger& ledger) : context_(context), ledger_(ledger) {}

  /// The log of `publisher` may have another head now.
  void look(const multiformats::PeerId& publisher, base::Instant now);
  /// Nobody may have been there to take it.
  void network_changed();
  bool handle(const kad::QueryDone& done);

 private:
  void read();
  void put(StoreResult result, base::Instant now);
  void try_again(base::Instant now);

  Context& context_;
  const Ledger& ledger_;
  std::optional<multiformats::PeerId> publisher_;
  std::optional<EntryId> head_;                      // the last one that was seen
  base::Instant not_before_ = base::Instant::min();  // after a read in vain
  bool is_due_ = false;
  bool is_reading_ = false;
  bool is_taken_ = true;  // the last put, by somebody
  std::optional<kad::QueryId> query_;
};

}  // namespace ggen::p2p::registry
