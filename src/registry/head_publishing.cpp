#include "head_publishing.hpp"

#include <utility>
#include <vector>

#include <ggen/p2p/registry/head_record.hpp>

namespace ggen::p2p::registry {

void HeadPublishing::look(const multiformats::PeerId& publisher, base::Instant now) {
  if (now < not_before_) return;
  const PublisherLog* log = ledger_.catalog().log(publisher);
  const auto head = log == nullptr ? std::nullopt : log->head();
  if (!head || head->id == head_) return;
  publisher_ = publisher;
  head_ = head->id;
  is_due_ = true;
  read();
}

void HeadPublishing::network_changed() {
  if (is_taken_) return;
  is_due_ = true;
  read();
}

void HeadPublishing::read() {
  if (!is_due_ || is_reading_ || query_) return;
  is_due_ = false;
  const PublisherLog* log = ledger_.catalog().log(*publisher_);
  if (log == nullptr || !log->head() || log->is_frozen()) return;
  store::ReadEntries op{log->keys_entries()};
  if (op.ids.empty() || op.ids.back() != log->head()->id) op.ids.push_back(log->head()->id);
  if (op.ids.size() > kMaxHeadEntries) return;
  is_reading_ = true;
  context_.storage.submit(std::move(op), [this](StoreResult result, base::Instant now) {
    put(std::move(result), now);
  });
}

void HeadPublishing::put(StoreResult result, base::Instant now) {
  is_reading_ = false;
  const auto entries = taken<store::Entries>(std::move(result));
  if (!entries) {
    context_.storage_failed(entries.error());
    return try_again(now);
  }
  std::vector<base::Bytes> envelopes;
  for (const auto& envelope : entries->envelopes) {
    if (!envelope) return try_again(now);  // it came from a peer, and is being written
    envelopes.push_back(base::to_bytes(envelope->view()));
  }
  const auto query =
      context_.below.kad.put_value(head_key(*publisher_), encode_head(envelopes), now);
  if (query) query_ = *query;
  read();
}

void HeadPublishing::try_again(base::Instant now) {
  head_.reset();
  not_before_ = now + kStoreRetry;
}

bool HeadPublishing::handle(const kad::QueryDone& done) {
  if (query_ != done.id) return false;
  query_.reset();
  const auto* placed = std::get_if<kad::result::Placed>(&done.result);
  is_taken_ = placed != nullptr && placed->stored > 0;
  read();
  return true;
}

}  // namespace ggen::p2p::registry
