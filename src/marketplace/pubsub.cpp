#include <algorithm>
#include <chrono>
#include <utility>

#include <asio/post.hpp>
#include <fmt/format.h>

#include "failures.hpp"
#include "impl.hpp"

namespace ggen::p2p::marketplace {
namespace {

Failure failure_of(gossipsub::PublishError error) {
  return {Reason::kInput, fmt::format("This cannot be published: {}", to_string(error)), {}};
}

bool contains(const std::vector<std::string>& topics, std::string_view topic) {
  return std::ranges::find(topics, topic) != topics.end();
}

base::WallTime wall_now() {
  return std::chrono::system_clock::now();
}

}  // namespace

namespace pubsub {

Subscription::Subscription(std::shared_ptr<Queue> queue) noexcept : queue_(std::move(queue)) {}
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&& other) noexcept {
  std::swap(queue_, other.queue_);
  return *this;
}
Subscription::~Subscription() {
  if (queue_) queue_->leave();
}

asio::awaitable<std::optional<Message>> Subscription::next() {
  return Queue::next(queue_);
}

}  // namespace pubsub

Result<pubsub::Subscription> Registry::Impl::subscribe_to(const std::string& topic) {
  if (stopped_) return std::unexpected(stopped());
  const bool was_there = contains(host_->node().gossipsub()->subscriptions(), topic);
  bool joined = false;
  host_->drive([&](node::Node& node, base::Instant now) {
    joined = node.gossipsub(now).subscribe(topic, now);
  });
  if (!joined) {
    return std::unexpected(Failure{Reason::kInput, "The topic's name is too long to join it", {}});
  }
  auto leave = [weak = weak_from_this(), topic](const Topics::Queue& queue) {
    if (const auto self = weak.lock()) self->leave(topic, queue);
  };
  auto queue = std::make_shared<Topics::Queue>(executor_, std::move(leave));
  topics_.add(topic, queue, !was_there);
  return pubsub::Subscription{std::move(queue)};
}

void Registry::Impl::leave(const std::string& topic, const Topics::Queue& queue) {
  if (!topics_.remove(topic, queue) || !host_) return;
  host_->drive(
      [&](node::Node& node, base::Instant now) { node.gossipsub(now).unsubscribe(topic, now); });
}

Result<pubsub::Published> Registry::Impl::publish_to(const std::string& topic,
                                                     base::BytesView data) {
  if (stopped_) return std::unexpected(stopped());
  if (topic == registry::kUpdatesTopic) {
    return std::unexpected(
        Failure{Reason::kInput,
                fmt::format("On {} stand signed releases only: peers would hold any other message "
                            "against this node",
                            topic),
                "To publish a release: ggen-p2p publish DIR. For messages, choose another topic"});
  }
  std::expected<gossipsub::MessageId, gossipsub::PublishError> id;
  std::uint64_t sent = 0;
  host_->drive([&](node::Node& node, base::Instant now) {
    gossipsub::Engine& gossip = node.gossipsub(now);
    const std::uint64_t before = gossip.stats().sent;
    id = gossip.publish(topic, data, now);
    sent = gossip.stats().sent - before;
  });
  if (!id) return std::unexpected(failure_of(id.error()));
  // The engine delivers what others publish; who reads here wants to see all of the topic.
  topics_.push(topic, {host_->id(), host_->id(), *id, base::to_bytes(data), wall_now()});
  return pubsub::Published{*id, sent};
}

// Whose verdict it is: that of the readers, who take everything, where the node is in the topic for
// them alone. What comes of a topic that was left meanwhile is nobody's any more.
void Registry::Impl::on_validate(const gossipsub::Validate& ask) {
  const std::string& topic = ask.message.topic;
  const bool ours = topics_.ours(topic);
  if (!ours && contains(host_->node().gossipsub()->subscriptions(), topic)) return;
  const auto verdict = ours ? gossipsub::Verdict::kAccept : gossipsub::Verdict::kIgnore;
  // An observer of the host must not call it.
  asio::post(executor_, [weak = weak_from_this(), token = ask.token, verdict] {
    const auto self = weak.lock();
    if (!self || !self->host_) return;
    self->host_->drive([&](node::Node& node, base::Instant now) {
      node.gossipsub(now).report(token, verdict, now);
    });
  });
}

void Registry::Impl::on_delivered(const gossipsub::Delivered& delivered) {
  const gossipsub::Message& message = delivered.message;
  if (!topics_.has(message.topic)) return;
  topics_.push(message.topic, {message.author, message.source, message.id,
                               base::to_bytes(message.data.view()), wall_now()});
}

}  // namespace ggen::p2p::marketplace
