#pragma once

#include <cstddef>
#include <deque>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include <ggen/p2p/registry/sync.hpp>

#include "log_pull.hpp"

namespace ggen::p2p::registry {

/// What one peer is asked, one request after the other: the heads of all its logs if wanted, page
/// by page, and whatever they show to be missing here.
class SyncSession {
 public:
  /// Why the peer is not to be asked again for a while; a sentence without subject, for logs.
  using Misconduct = std::string_view;

  /// Logs of which the peer claimed to have more than it gave: after so many it is a liar.
  static constexpr std::size_t kMaxInVain = 3;

  SyncSession(Context& context, Ledger& ledger, const multiformats::PeerId& peer)
      : context_(context), ledger_(ledger), peer_(peer) {}

  /// All heads, from the first publisher above `after` on.
  void ask_heads(std::optional<multiformats::PeerId> after) {
    heads_left_ = context_.config.sync.max_heads;
    after_ = after;
  }
  /// One log, before all others.
  void add(LogPull pull);

  /// The next request; nothing when all is done.
  [[nodiscard]] std::optional<SyncRequest> next();
  /// A response to it.
  [[nodiscard]] std::expected<void, Misconduct> take(reqresp::Map map);
  /// All of them have come.
  void complete(base::Instant now);

  /// It claimed more than it has, too often.
  [[nodiscard]] bool is_lying() const noexcept { return in_vain_ >= kMaxInVain; }

  /// Logs that were dealt with since the last call.
  [[nodiscard]] std::vector<multiformats::PeerId> take_finished() {
    return std::exchange(finished_, {});
  }
  /// Logs that were not dealt with.
  [[nodiscard]] const std::deque<LogPull>& unfinished() const noexcept { return pulls_; }
  /// All was asked.
  [[nodiscard]] bool is_finished() const noexcept { return heads_left_ == 0 && pulls_.empty(); }
  /// Where a later session has to go on, unless this one is finished.
  [[nodiscard]] const std::optional<multiformats::PeerId>& after() const noexcept {
    return pulls_.empty() ? after_ : page_after_;
  }

 private:
  [[nodiscard]] std::expected<void, Misconduct> take_heads(reqresp::Map map,
                                                           const HeadsRequest& request);
  [[nodiscard]] std::expected<void, Misconduct> take_entries(reqresp::Map map);
  [[nodiscard]] bool is_asked_for(const Entry& entry) const;
  void note_missing(const Catalog::PublisherHead& head);

  Context& context_;
  Ledger& ledger_;
  multiformats::PeerId peer_;
  std::size_t heads_left_ = 0;  // that the peer may still tell
  std::optional<multiformats::PeerId> after_;
  std::optional<multiformats::PeerId> page_after_;  // of the page that pulls_ are from
  std::deque<LogPull> pulls_;                       // at most a page of heads, and those added
  std::optional<SyncRequest> request_;
  bool answered_ = false;       // heads came
  std::vector<Entry> entries_;  // of the answer so far
  std::size_t in_vain_ = 0;
  std::vector<multiformats::PeerId> finished_;
};

}  // namespace ggen::p2p::registry
