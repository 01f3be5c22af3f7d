#pragma once

#include <optional>
#include <set>

#include "context.hpp"

namespace ggen::p2p::registry {

/// Whether this node may sign for its publisher: not before peers had a chance to say what it has
/// signed already, for the disk may be lost or a copy from yesterday.
class OwnHead {
 public:
  /// Peers that are asked at a time.
  static constexpr std::size_t kMaxAsked = 8;
  /// Peers that did not answer; after so many nobody else is asked.
  static constexpr std::size_t kMaxFailed = 64;

  explicit OwnHead(const Context& context) : context_(context) {}

  void loaded(base::Instant now) { loaded_at_ = now; }
  /// One more peer should be asked for the publisher's log.
  [[nodiscard]] bool wants_answers() const noexcept {
    return !settled_ && !answered_ && asked_.size() < kMaxAsked && failed_.size() < kMaxFailed;
  }
  void asked(const multiformats::PeerId& peer) { asked_.insert(peer); }
  [[nodiscard]] bool was_asked(const multiformats::PeerId& peer) const {
    return asked_.contains(peer) || failed_.contains(peer);
  }
  /// What the peer knows of the log is here now, or it did not answer.
  void finished(const multiformats::PeerId& peer, bool answered) {
    if (asked_.erase(peer) == 0) return;
    if (answered) {
      answered_ = true;
    } else if (failed_.size() < kMaxFailed) {
      failed_.insert(peer);
    }
  }
  /// Something was signed on top of what is known: nobody needs to be asked again.
  void settle() noexcept { settled_ = true; }

  /// For somebody who waits since `since`.
  [[nodiscard]] bool is_ready(base::Instant since, base::Instant now) const {
    if (settled_) return true;
    if (!loaded_at_) return false;
    const bool waited = now >= wait_until(since);
    if (asked_.empty()) return answered_ || waited;
    // Nobody makes us wait for ever, neither by silence nor by telling without end.
    const base::Duration most = context_.config.sync.request_timeout;
    return (answered_ && waited) || now >= wait_until(since) + most;
  }
  /// When is_ready() may change with time alone.
  [[nodiscard]] std::optional<base::Instant> deadline(base::Instant since,
                                                      base::Instant now) const {
    if (settled_ || !loaded_at_) return std::nullopt;
    const base::Instant until = wait_until(since);
    return now < until ? until : until + context_.config.sync.request_timeout;
  }

 private:
  [[nodiscard]] base::Instant wait_until(base::Instant since) const {
    return std::max(since, *loaded_at_) + context_.config.own_head_wait;
  }

  const Context& context_;
  std::optional<base::Instant> loaded_at_;
  std::set<multiformats::PeerId> asked_;
  std::set<multiformats::PeerId> failed_;
  bool answered_ = false;
  bool settled_ = false;
};

}  // namespace ggen::p2p::registry
