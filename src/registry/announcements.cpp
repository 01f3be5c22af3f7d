#include "announcements.hpp"

namespace ggen::p2p::registry {

using gossipsub::Verdict;

gossipsub::MessageId update_message_id(const gossipsub::MessageFields& fields) {
  const auto entry = Entry::decode(fields.data);
  return base::to_bytes(entry ? entry->id.digest : crypto::sha256(fields.data));
}

bool Announcements::handle(const gossipsub::Validate& message, std::optional<Gap>& gap,
                           base::Instant now) {
  if (message.message.topic != kUpdatesTopic) return false;
  context_.below.gossip.report(message.token, judge(message.message, gap, now), now);
  return true;
}

Verdict Announcements::judge(const gossipsub::Message& message, std::optional<Gap>& gap,
                             base::Instant now) {
  // Sync brings what is ignored here.
  if (!ledger_.is_loaded() || !ledger_.has_room()) return Verdict::kIgnore;
  auto entry = Entry::open(context_.below.crypto, message.data.view());
  if (!entry) {
    using Kind = EntryError::Kind;
    const Kind kind = entry.error().kind;
    const bool is_newer = kind == Kind::kUnknownVersion || kind == Kind::kUnknownKind;
    return is_newer ? Verdict::kIgnore : Verdict::kReject;
  }
  const multiformats::PeerId publisher = entry->statement.publisher;
  const Head claim{entry->statement.seq, entry->id};
  const auto added = ledger_.add(std::move(*entry), message.source, now);
  if (!added) return Verdict::kIgnore;
  const PublisherLog* log = ledger_.catalog().log(publisher);
  if (added->wanted) gap = Gap{message.source, publisher, claim};
  switch (added->outcome) {
    case AddOutcome::kAccepted:
    case AddOutcome::kEquivocation:
      return Verdict::kAccept;
    case AddOutcome::kGap:
      // Without a log nothing says that this key may speak for the publisher.
      return log != nullptr ? Verdict::kAccept : Verdict::kIgnore;
    case AddOutcome::kDuplicate:
      // Sync may have been faster. What is old is not passed on: that would let anybody repeat all
      // of history to everybody.
      return ledger_.came_lately(claim.id, now) ? Verdict::kAccept : Verdict::kIgnore;
    case AddOutcome::kWrongKey:
    case AddOutcome::kReusedKeys:
      return Verdict::kReject;
    case AddOutcome::kUnverifiable:
    case AddOutcome::kForked:
    case AddOutcome::kFull:
      return Verdict::kIgnore;
  }
  return Verdict::kIgnore;
}

}  // namespace ggen::p2p::registry
