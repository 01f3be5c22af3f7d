#include "providing.hpp"

namespace ggen::p2p::registry {

void Providing::add(const crypto::Sha256Digest& root, base::Instant now) {
  if (!known_.insert(root).second) return;
  waiting_.insert(root);
  pump(now);
}

void Providing::resume(const crypto::Sha256Digest& root, base::Instant now) {
  if (!known_.insert(root).second) return;
  static_cast<void>(context_.below.kad.resume_providing(provider_key(root), now));
}

void Providing::pump(base::Instant now) {
  while (!waiting_.empty() && under_way_.size() < kMaxUnderWay) {
    const crypto::Sha256Digest root = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    const auto query = context_.below.kad.provide(provider_key(root), now);
    if (query) under_way_.emplace(*query, root);
  }
}

bool Providing::handle(const kad::QueryDone& done, base::Instant now) {
  const auto at = under_way_.find(done.id);
  if (at == under_way_.end()) return false;
  const auto* placed = std::get_if<kad::result::Placed>(&done.result);
  const event::Provided provided{at->second, provider_key(at->second),
                                 placed == nullptr ? kad::result::Placed{} : *placed,
                                 done.stats.took};
  if (provided.placed.stored == 0) untaken_.insert(provided.root);
  under_way_.erase(at);
  context_.emit(provided);
  pump(now);
  return true;
}

void Providing::network_changed(base::Instant now) {
  if (last_retry_ == base::Instant::min() || now - last_retry_ >= kRetryInterval) {
    retry(now);
  } else {
    retry_at_ = last_retry_ + kRetryInterval;
  }
}

void Providing::retry(base::Instant now) {
  last_retry_ = now;
  retry_at_.reset();
  waiting_.merge(untaken_);
  untaken_.clear();
  pump(now);
}

void Providing::handle_timeout(base::Instant now) {
  if (retry_at_ && *retry_at_ <= now) retry(now);
}

}  // namespace ggen::p2p::registry
