#include "index_updater.hpp"

#include <iterator>

namespace ggen::p2p::registry {

void IndexUpdater::push(std::vector<IndexChange> changes, std::size_t records,
                        std::uint64_t position) {
  if (left_behind_) {
    applied_ += records;  // nobody waits for them
    return;
  }
  waiting_ += changes.size();
  steps_.push_back({std::move(changes), records, position});
  apply();
}

void IndexUpdater::apply() {
  if (under_way_ || steps_.empty() || retry_at_) return;
  Step step = std::move(steps_.front());
  steps_.pop_front();
  while (!steps_.empty() && step.changes.size() + steps_.front().changes.size() <= kBatchChanges) {
    Step& next = steps_.front();
    step.changes.insert(step.changes.end(), std::make_move_iterator(next.changes.begin()),
                        std::make_move_iterator(next.changes.end()));
    step.records += next.records;
    step.position = next.position;
    steps_.pop_front();
  }
  waiting_ -= step.changes.size();
  store::IndexApply op{step.changes, step.position};
  under_way_ = std::move(step);
  context_.storage.submit(std::move(op), [this](StoreResult result, base::Instant now) {
    done(std::move(result), now);
  });
}

void IndexUpdater::done(StoreResult result, base::Instant now) {
  Step step = std::move(*under_way_);
  under_way_.reset();
  if (!result) {
    context_.storage_failed(result.error());
    retry_at_ = now + kStoreRetry;
    waiting_ += step.changes.size();
    steps_.push_front(std::move(step));
    return;
  }
  applied_ += step.records;
  apply();
}

void IndexUpdater::handle_timeout(base::Instant now) {
  if (!retry_at_ || *retry_at_ > now) return;
  retry_at_.reset();
  apply();
}

}  // namespace ggen::p2p::registry
