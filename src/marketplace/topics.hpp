#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pubsub_queue.hpp"

namespace ggen::p2p::marketplace {

/// Who reads which topic, and whether the node is in it for their sake alone.
class Topics {
 public:
  using Queue = pubsub::Subscription::Queue;

  /// `ours`: the node was not in the topic before.
  void add(const std::string& topic, const std::shared_ptr<Queue>& queue, bool ours);
  /// A reader has gone. True when the node has nobody left to be in the topic for.
  bool remove(std::string_view topic, const Queue& queue);
  [[nodiscard]] bool has(std::string_view topic) const { return topics_.contains(topic); }
  /// Nobody but these readers would say what a message of the topic is worth.
  [[nodiscard]] bool ours(std::string_view topic) const;
  void push(std::string_view topic, const pubsub::Message& message) const;
  /// Tells every reader that nothing more comes.
  void close();

 private:
  struct Topic {
    bool ours = false;
    std::vector<std::weak_ptr<Queue>> queues;
  };
  std::map<std::string, Topic, std::less<>> topics_;
};

}  // namespace ggen::p2p::marketplace
