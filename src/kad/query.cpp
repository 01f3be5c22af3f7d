#include "query.hpp"

#include <ggen/p2p/base/overloaded.hpp>

namespace ggen::p2p::kad {

using multiformats::PeerId;

std::optional<Query::Ask> Query::next() {
  if (placement_) {
    auto peer = placement_->next();
    if (!peer) return std::nullopt;
    return Ask{std::move(*peer), std::get<Place>(goal_).message};
  }
  if (early_) {
    if (auto peer = early_->next()) return Ask{std::move(*peer), std::get<Place>(goal_).message};
  }
  if (enough()) return std::nullopt;
  auto peer = current().next();
  if (!peer) return std::nullopt;
  return Ask{std::move(*peer), question()};
}

Message Query::question() const {
  if (widening_.aside() != nullptr) {
    return Message{.type = MessageType::kFindNode, .key = base::to_bytes(widening_.key())};
  }
  MessageType type = MessageType::kFindNode;
  if (std::holds_alternative<ValueSearch>(goal_)) type = MessageType::kGetValue;
  if (std::holds_alternative<ProviderSearch>(goal_)) type = MessageType::kGetProviders;
  return Message{.type = type, .key = key_};
}

Query::Yield Query::answered(const PeerId& peer, const Message& answer) {
  Yield yield;
  if (early_ && early_->has(peer) && answer.type == MessageType::kAddProvider) {
    early_->done(peer, true);
    return yield;
  }
  if (placement_) {
    const Message& sent = std::get<Place>(goal_).message;
    if (answer.type != sent.type) return yield;
    // Who took a value echoes it.
    yield.malformed = sent.type == MessageType::kPutValue &&
                      (!answer.record || answer.record->value != sent.record->value);
    placement_->done(!yield.malformed);
    return yield;
  }
  current().answered(peer, answer.closer);
  if (early_) early_->hear(answer.closer);
  if (widening_.aside() != nullptr) return yield;
  std::visit(base::Overloaded{
                 [](const Closest&) {},
                 [](const Place&) {},
                 [&](FindPeer& goal) { goal.reached = goal.reached || goal.peer == peer; },
                 [&](ValueSearch& search) { yield.value = search.add(peer, answer.record); },
                 [&](ProviderSearch& search) {
                   auto news = search.add(answer.providers);
                   yield.providers = std::move(news.providers);
                   yield.addresses = std::move(news.addresses);
                 },
             },
             goal_);
  return yield;
}

void Query::failed(const PeerId& peer, MessageType asked, RequestError error) {
  if (early_ && early_->has(peer) && asked == MessageType::kAddProvider) {
    early_->done(peer, false);
    return;
  }
  if (placement_) {
    if (asked == std::get<Place>(goal_).message.type) placement_->done(false);
    return;
  }
  current().failed(peer);
  if (auto* goal = std::get_if<FindPeer>(&goal_)) {
    // That it speaks another language was said over a connection that proved who it is.
    if (goal->peer == peer && error == RequestError::kUnsupported) goal->reached = true;
  }
}

void Query::slow(const PeerId& peer) {
  if (!placement_) current().slow(peer);
}

bool Query::enough() const {
  return std::visit(base::Overloaded{
                        [](const Closest&) { return false; },
                        [](const Place&) { return false; },
                        [](const FindPeer& goal) { return goal.reached; },
                        [](const ValueSearch& search) { return search.enough(); },
                        [](const ProviderSearch& search) { return search.enough(); },
                    },
                    goal_);
}

bool Query::look_further(State& state, base::Instant now) {
  // Who asks for the nearest peers gets just these.
  if (placement_ || enough() || std::holds_alternative<Closest>(goal_)) return false;
  return widening_.begin_or_go_on(lookup_, state, now);
}

bool Query::stop_looking() {
  if (placement_ || !std::holds_alternative<Place>(goal_)) return false;
  auto targets = lookup_.closest();
  if (early_) std::erase_if(targets, [&](const auto& peer) { return early_->has(peer.peer); });
  place_at(std::move(targets));
  return true;
}

bool Query::finished() const {
  if (placement_) return placement_->finished() && (!early_ || early_->under_way() == 0);
  if (enough()) return true;
  return widening_.aside() != nullptr ? widening_.aside()->finished() : lookup_.finished();
}

QueryResult Query::result() const {
  return std::visit(
      base::Overloaded{
          [&](const Closest&) -> QueryResult { return result::Closest{lookup_.closest()}; },
          [&](const Place&) -> QueryResult {
            auto placed = placement_ ? placement_->result() : result::Placed{};
            if (early_) {
              placed.stored += early_->result().stored;
              placed.failed += early_->result().failed;
            }
            return placed;
          },
          [&](const FindPeer& goal) -> QueryResult {
            const PeerRecord* record = lookup_.find(goal.peer);
            if (record == nullptr) return result::FoundPeer{};
            return result::FoundPeer{*record, goal.reached};
          },
          [](const ValueSearch& search) -> QueryResult { return search.result(); },
          [](const ProviderSearch& search) -> QueryResult {
            return result::FoundProviders{search.result()};
          },
      },
      goal_);
}

QueryStats Query::stats(bool timed_out, base::Instant now) const {
  QueryStats stats{.end = QueryEnd::kExhausted,
                   .asked = lookup_.asked_count() + widening_.asked(),
                   .answered = lookup_.answered_count() + widening_.answered(),
                   .failed = lookup_.failed_count() + widening_.failed(),
                   .hops = lookup_.hops(),
                   .crowded = widening_.searched_region(),
                   .took = now - started_};
  if (timed_out) {
    stats.end = QueryEnd::kTimeout;
  } else if (enough()) {
    stats.end = QueryEnd::kEnough;
  } else if (lookup_.converged()) {
    stats.end = QueryEnd::kConverged;
  } else if (placed_early()) {
    stats.end = QueryEnd::kEnough;
  } else if (stats.asked == 0) {
    stats.end = QueryEnd::kNoPeers;
  }
  return stats;
}

}  // namespace ggen::p2p::kad
