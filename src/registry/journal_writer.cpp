#include "journal_writer.hpp"

#include <iterator>

namespace ggen::p2p::registry {

void JournalWriter::push(Item item) {
  bytes_ += item.record.bytes.size();
  // Somebody who waits gets an answer now, even when the disk failed a moment ago.
  if (item.waiter) retry_at_.reset();
  items_.push_back(std::move(item));
  write();
}

void JournalWriter::write() {
  if (!under_way_.empty() || items_.empty() || retry_at_) return;
  store::Append append;
  std::size_t bytes = 0;
  while (!items_.empty() && under_way_.size() < kBatchItems && bytes < kBatchBytes) {
    Item& item = items_.front();
    bytes += item.record.bytes.size();
    append.records.push_back(item.record);
    under_way_.push_back(std::move(item));
    items_.pop_front();
  }
  bytes_ -= bytes;
  context_.storage.submit(std::move(append), [this](StoreResult result, base::Instant then) {
    written(std::move(result), then);
  });
}

void JournalWriter::written(StoreResult result, base::Instant now) {
  const auto appended = taken<store::Appended>(std::move(result));
  if (!appended) {
    context_.storage_failed(appended.error());
    put_back(appended.error(), now);
    return;
  }
  std::vector<Item> items = std::exchange(under_way_, {});
  committed_(std::move(items), appended->position, now);
  write();
}

void JournalWriter::put_back(const StoreError& error, base::Instant now) {
  std::vector<Item> items = std::exchange(under_way_, {});
  retry_at_ = now + kStoreRetry;
  std::vector<Waiter> failed;
  for (auto at = items.rbegin(); at != items.rend(); ++at) {
    if (at->waiter) {
      failed.push_back(std::move(at->waiter));
      continue;
    }
    bytes_ += at->record.bytes.size();
    items_.push_front(std::move(*at));
  }
  for (Waiter& waiter : failed) waiter(std::unexpected(error), now);
}

void JournalWriter::handle_timeout(base::Instant now) {
  if (!retry_at_ || *retry_at_ > now) return;
  retry_at_.reset();
  write();
}

}  // namespace ggen::p2p::registry
