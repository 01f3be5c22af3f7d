#include "message_cache.hpp"

#include <utility>

namespace ggen::p2p::gossipsub {

void MessageCache::put(IdHash hash, CachedMessage message) {
  const std::size_t size = message.frame.footprint();
  if (!messages_.try_emplace(hash, std::move(message)).second) return;
  order_.push_back({hash, window_});
  bytes_ += size;
  while (bytes_ > max_bytes_) drop_oldest();
}

std::map<std::string_view, std::vector<MessageId>> MessageCache::advertised() const {
  std::map<std::string_view, std::vector<MessageId>> ids;
  for (auto entry = order_.rbegin(); entry != order_.rend(); ++entry) {
    if (entry->window + gossip_ <= window_) break;
    const CachedMessage& message = *messages_.find(entry->hash);
    ids[message.topic].push_back(message.id);
  }
  return ids;
}

void MessageCache::shift() {
  ++window_;
  while (!order_.empty() && order_.front().window + length_ <= window_) drop_oldest();
}

void MessageCache::drop_oldest() {
  const IdHash hash = order_.front().hash;
  order_.pop_front();
  bytes_ -= messages_.find(hash)->frame.footprint();
  messages_.erase(hash);
}

}  // namespace ggen::p2p::gossipsub
