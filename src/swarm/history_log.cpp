#include "history_log.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::swarm {
namespace {

template <class Record>
void push_bounded(std::deque<Record>& records, Record record, std::size_t limit) {
  records.push_back(std::move(record));
  if (records.size() > limit) records.pop_front();
}

}  // namespace

void HistoryLog::closed(const ConnectionRecord& record) {
  push_bounded(history_.closed, record, limits_.max_closed);
}

void HistoryLog::refused(const multiformats::Multiaddr& local,
                         const multiformats::Multiaddr& remote, RefuseReason reason,
                         base::Instant now) {
  std::deque<RefusalRecord>& records = history_.refused;
  const auto host = remote.ip();
  const auto like = std::ranges::find_if(records, [&](const RefusalRecord& other) {
    return other.reason == reason && other.remote.ip() == host;
  });
  RefusalRecord record{local, remote, reason, now, now, 1};
  if (like != records.end()) {
    record.first_at = like->first_at;
    record.count = like->count + 1;
    records.erase(like);
  }
  push_bounded(records, std::move(record), limits_.max_refused);
}

void HistoryLog::dial_failed(FailedDialRecord record) {
  push_bounded(history_.failed_dials, std::move(record), limits_.max_failed_dials);
}

}  // namespace ggen::p2p::swarm
