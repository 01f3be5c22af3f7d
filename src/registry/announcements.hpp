#pragma once

#include <optional>

#include "context.hpp"
#include "ledger.hpp"

namespace ggen::p2p::registry {

/// Entries that come by gossip: each is verified before it is passed on.
class Announcements {
 public:
  Announcements(Context& context, Ledger& ledger) : context_(context), ledger_(ledger) {}

  /// An entry whose log lacks what stands before it: its source has it.
  struct Gap {
    multiformats::PeerId source;
    multiformats::PeerId publisher;
    Head claim;
  };
  /// Reports the verdict. False when the message is of another topic.
  bool handle(const gossipsub::Validate& message, std::optional<Gap>& gap, base::Instant now);

 private:
  [[nodiscard]] gossipsub::Verdict judge(const gossipsub::Message& message, std::optional<Gap>& gap,
                                         base::Instant now);

  Context& context_;
  Ledger& ledger_;
};

}  // namespace ggen::p2p::registry
