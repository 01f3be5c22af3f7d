#include "send_queue.hpp"

#include <utility>

#include <ggen/p2p/gossipsub/rpc.hpp>

namespace ggen::p2p::gossipsub {

bool ControlBatcher::add_subscription(base::BytesView field) {
  if (!make_room(field.size())) return false;
  base::append(open_.subscriptions, field);
  return true;
}

bool ControlBatcher::add_control(base::BytesView field) {
  if (!make_room(field.size())) return false;
  base::append(open_.control, field);
  return true;
}

bool ControlBatcher::make_room(std::size_t size) {
  if (bytes_ + size > max_bytes_) return false;
  bytes_ += size;
  if (open_.size() > 0 && open_.size() + size > max_frame_) full_.push(std::exchange(open_, {}));
  return true;
}

std::optional<base::Buffer> ControlBatcher::pop() {
  if (bytes_ == 0) return std::nullopt;
  const Batch batch = full_.empty() ? std::exchange(open_, {}) : *full_.pop();
  bytes_ -= batch.size();
  return control_frame(batch.subscriptions, batch.control);
}

SendQueue::SendQueue(const Limits& limits)
    : max_message_bytes_(limits.max_queued_messages),
      control_(limits.max_control_frame, limits.max_queued_control),
      gossip_(limits.max_control_frame, limits.max_queued_gossip) {}

bool SendQueue::fits(const Outgoing& message) const {
  return message_bytes_ + message.frame.size() <= max_message_bytes_;
}

std::size_t SendQueue::push_own(Outgoing message) {
  std::size_t dropped = 0;
  while (!fits(message)) {
    const auto oldest = forwarded_.pop();
    if (!oldest) return dropped + 1;
    message_bytes_ -= oldest->frame.size();
    ++dropped;
  }
  message_bytes_ += message.frame.size();
  own_.push(std::move(message));
  return dropped;
}

std::size_t SendQueue::push_forwarded(Outgoing message) {
  if (!fits(message)) return 1;
  message_bytes_ += message.frame.size();
  forwarded_.push(std::move(message));
  return 0;
}

std::optional<base::Buffer> SendQueue::pop(const AgingIdSet& unwanted, std::uint64_t& skipped) {
  if (auto frame = control_.pop()) return frame;
  if (auto frame = pop_message(own_, unwanted, skipped)) return frame;
  if (auto frame = pop_message(forwarded_, unwanted, skipped)) return frame;
  return gossip_.pop();
}

std::optional<base::Buffer> SendQueue::pop_message(Messages& from, const AgingIdSet& unwanted,
                                                   std::uint64_t& skipped) {
  while (auto message = from.pop()) {
    message_bytes_ -= message->frame.size();
    if (!unwanted.contains(message->id)) return std::move(message->frame);
    ++skipped;
  }
  return std::nullopt;
}

}  // namespace ggen::p2p::gossipsub
