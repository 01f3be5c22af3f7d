#include "topics.hpp"

#include <utility>

namespace ggen::p2p::marketplace {

void Topics::add(const std::string& topic, const std::shared_ptr<Queue>& queue, bool ours) {
  topics_.try_emplace(topic, Topic{ours, {}}).first->second.queues.push_back(queue);
}

bool Topics::remove(std::string_view topic, const Queue& queue) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return false;
  Topic& left = found->second;
  std::erase_if(left.queues, [&](const auto& weak) { return weak.lock().get() == &queue; });
  if (!left.queues.empty()) return false;
  const bool leaves = left.ours;
  topics_.erase(found);
  return leaves;
}

bool Topics::ours(std::string_view topic) const {
  const auto found = topics_.find(topic);
  return found != topics_.end() && found->second.ours;
}

void Topics::push(std::string_view topic, const pubsub::Message& message) const {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  for (const auto& weak : found->second.queues) {
    if (const auto queue = weak.lock()) queue->push(message);
  }
}

void Topics::close() {
  for (const auto& [name, topic] : std::exchange(topics_, {})) {
    for (const auto& weak : topic.queues) {
      if (const auto queue = weak.lock()) queue->close();
    }
  }
}

}  // namespace ggen::p2p::marketplace
