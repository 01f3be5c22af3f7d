#pragma once

#include <ggen/p2p/swarm/config.hpp>
#include <ggen/p2p/swarm/records.hpp>

namespace ggen::p2p::swarm {

/// Writes the bounded past.
class HistoryLog {
 public:
  explicit HistoryLog(const Config::HistoryLimits& limits) : limits_(limits) {}

  void closed(const ConnectionRecord& record);
  /// A refusal like one that is still remembered adds to it: a flood from one place must not wash
  /// everything else out.
  void refused(const multiformats::Multiaddr& local, const multiformats::Multiaddr& remote,
               RefuseReason reason, base::Instant now);
  void dial_failed(FailedDialRecord record);

  [[nodiscard]] const History& history() const { return history_; }

 private:
  const Config::HistoryLimits& limits_;
  History history_;
};

}  // namespace ggen::p2p::swarm
