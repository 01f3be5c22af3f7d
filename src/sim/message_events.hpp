#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/connection/channel.hpp>

namespace ggen::p2p::sim {

/// The events of a channel that its owner has not polled. The frequent ones are kept as they are,
/// the others, which are large, in memory of their own: so an event takes 40 bytes instead of 96,
/// and the room for two stays, which is what a delivery brings about as a rule.
class MessageEvents {
 public:
  template <class Event>
  void push(Event event) {
    if constexpr (std::is_constructible_v<Kept, std::in_place_type_t<Event>, Event>) {
      kept_.push_back(std::move(event));
    } else {
      kept_.push_back(std::make_unique<connection::ChannelEvent>(std::move(event)));
    }
  }

  std::optional<connection::ChannelEvent> pop() {
    if (head_ == kept_.size()) return std::nullopt;
    std::optional<connection::ChannelEvent> event;
    std::visit(
        [&](auto& kept) {
          if constexpr (std::is_same_v<std::decay_t<decltype(kept)>, Rare>) {
            event = std::move(*kept);
          } else {
            event = std::move(kept);
          }
        },
        kept_[head_]);
    if (++head_ == kept_.size()) clear();
    return event;
  }

 private:
  using Rare = std::unique_ptr<connection::ChannelEvent>;
  using Kept =
      std::variant<connection::event::StreamData, connection::event::StreamWritable,
                   connection::event::StreamFinished, connection::event::StreamClosed, Rare>;
  static constexpr std::size_t kRoomKept = 2;

  void clear() {
    kept_.clear();
    if (kept_.capacity() > kRoomKept) std::vector<Kept>{}.swap(kept_);
    head_ = 0;
  }

  std::vector<Kept> kept_;
  std::size_t head_ = 0;  // events before it were polled
};

}  // namespace ggen::p2p::sim
