#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>

#include "context.hpp"

namespace ggen::p2p::registry {

/// Tells the DHT which archives are here: a few at a time, and again when nobody took a record and
/// the network has changed. What was taken, kad keeps fresh.
class Providing {
 public:
  static constexpr std::size_t kMaxUnderWay = 4;
  /// Records that nobody took are not offered more often.
  static constexpr base::Duration kRetryInterval = std::chrono::seconds{5};

  explicit Providing(Context& context) : context_(context) {}

  void add(const crypto::Sha256Digest& root, base::Instant now);
  /// One that was here when the program started. Others were told of it before: a lookup for each
  /// of many would take hours, so kad tells of all of them together.
  void resume(const crypto::Sha256Digest& root, base::Instant now);
  void network_changed(base::Instant now);
  bool handle(const kad::QueryDone& done, base::Instant now);

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return retry_at_; }

 private:
  void retry(base::Instant now);
  void pump(base::Instant now);

  Context& context_;
  std::set<crypto::Sha256Digest> known_;    // all that were ever added
  std::set<crypto::Sha256Digest> waiting_;  // for their turn
  std::set<crypto::Sha256Digest> untaken_;  // nobody took them
  std::map<kad::QueryId, crypto::Sha256Digest> under_way_;
  base::Instant last_retry_ = base::Instant::min();
  std::optional<base::Instant> retry_at_;
};

}  // namespace ggen::p2p::registry
