#include "sync_session.hpp"

#include <algorithm>

namespace ggen::p2p::registry {

using multiformats::PeerId;

void SyncSession::add(LogPull pull) {
  // The first one may be waiting for its answer.
  const bool is_busy =
      !pulls_.empty() && request_ && !std::holds_alternative<HeadsRequest>(*request_);
  pulls_.insert(pulls_.begin() + (is_busy ? 1 : 0), std::move(pull));
}

std::optional<SyncRequest> SyncSession::next() {
  request_.reset();
  answered_ = false;
  entries_.clear();
  while (!pulls_.empty() && !request_) {
    request_ = pulls_.front().next(ledger_.catalog());
    if (request_) break;
    if (pulls_.front().was_in_vain(ledger_.catalog())) ++in_vain_;
    finished_.push_back(pulls_.front().publisher());
    pulls_.pop_front();
  }
  if (!request_ && heads_left_ > 0) {
    request_ = HeadsRequest{after_, std::min(heads_left_, kMaxSyncHeads)};
  }
  return request_;
}

std::expected<void, SyncSession::Misconduct> SyncSession::take(reqresp::Map map) {
  if (const auto* heads = std::get_if<HeadsRequest>(&*request_)) return take_heads(map, *heads);
  return take_entries(map);
}

std::expected<void, SyncSession::Misconduct> SyncSession::take_heads(reqresp::Map map,
                                                                     const HeadsRequest& request) {
  if (answered_) return std::unexpected("answered a request for heads twice");
  answered_ = true;
  const auto response = decode_heads(map, request);
  if (!response) return std::unexpected("sent heads that are none");
  for (const Catalog::PublisherHead& head : response->heads) note_missing(head);
  page_after_ = request.after;
  heads_left_ -= response->heads.size();
  if (!response->more) heads_left_ = 0;
  if (!response->heads.empty()) after_ = response->heads.back().publisher;
  return {};
}

void SyncSession::note_missing(const Catalog::PublisherHead& head) {
  const PublisherLog* log = ledger_.catalog().log(head.publisher);
  const HeadStanding standing = log ? log->compare(head.head) : HeadStanding::kAhead;
  const bool unknown_fork = head.forked && (log == nullptr || !log->fork());
  const bool newer = standing == HeadStanding::kAhead || standing == HeadStanding::kDiffers;
  if (newer || unknown_fork) pulls_.emplace_back(head.publisher, head.head, head.forked);
}

bool SyncSession::is_asked_for(const Entry& entry) const {
  const Statement& statement = entry.statement;
  if (const auto* asked = std::get_if<EntriesRequest>(&*request_)) {
    return statement.publisher == asked->publisher && statement.seq >= asked->range.first &&
           statement.seq <= asked->range.last;
  }
  return statement.publisher == std::get<ForkRequest>(*request_).publisher;
}

std::expected<void, SyncSession::Misconduct> SyncSession::take_entries(reqresp::Map map) {
  const auto response = decode_entries(map);
  if (!response) return std::unexpected("sent entries that are none");
  const auto* asked = std::get_if<EntriesRequest>(&*request_);
  const std::uint64_t most = asked ? asked->range.last - asked->range.first + 1 : 2;
  if (entries_.size() + response->envelopes.size() > most) {
    return std::unexpected("sent more entries than it was asked for");
  }
  for (const base::Bytes& envelope : response->envelopes) {
    auto entry = Entry::open(context_.below.crypto, envelope);
    if (!entry) {
      using Kind = EntryError::Kind;
      const Kind kind = entry.error().kind;
      if (kind == Kind::kUnknownVersion || kind == Kind::kUnknownKind) {
        pulls_.front().note_unreadable();
        continue;
      }
      return std::unexpected("sent an entry that does not verify");
    }
    if (!is_asked_for(*entry)) return std::unexpected("sent an entry that it was not asked for");
    entries_.push_back(std::move(*entry));
  }
  return {};
}

void SyncSession::complete(base::Instant now) {
  if (std::holds_alternative<HeadsRequest>(*request_)) return;
  pulls_.front().take(std::exchange(entries_, {}), ledger_, peer_, now);
}

}  // namespace ggen::p2p::registry
