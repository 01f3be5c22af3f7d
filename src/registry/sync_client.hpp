#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/registry/sync.hpp>

#include "context.hpp"
#include "ledger.hpp"
#include "sync_session.hpp"

namespace ggen::p2p::registry {

/// Whom to ask for what is missing here: each peer when it comes, then one at every interval, and
/// those who showed something that was not known. Peers that come in a crowd, most of them to
/// leave soon, wait their turn: a lookup of the DHT connects to thirty within a second.
class SyncClient {
 public:
  static constexpr std::size_t kMaxPeers = 4096;
  /// Logs that wait to be asked of one peer, beside those that its heads showed.
  static constexpr std::size_t kMaxPullsPerPeer = 64;
  /// A peer that sent garbage, or claimed what it does not have, is not asked for so many
  /// intervals.
  static constexpr int kShunnedIntervals = 5;
  /// A peer that did not answer, such as one that still reads its own journal, is asked again after
  /// this, then after twice the time, at most after an interval.
  static constexpr base::Duration kRetry = std::chrono::seconds{2};
  /// So many peers are asked as soon as they come; of those that come then, one after each pause.
  static constexpr int kCrowd = 8;
  static constexpr base::Duration kCrowdPause = std::chrono::seconds{2};

  SyncClient(Context& context, Ledger& ledger, reqresp::ServiceId service)
      : context_(context), ledger_(ledger), service_(service) {}

  /// The journal has been read.
  void start(base::Instant now);
  /// A peer is connected that speaks the protocol.
  void peer_speaks(const multiformats::PeerId& peer, base::Instant now);
  void peer_gone(const multiformats::PeerId& peer);

  /// Asks a peer for one publisher's log, up to what it claims; without a claim for whatever is
  /// new. False when the peer cannot be asked. Otherwise a Pulled follows.
  bool pull(const multiformats::PeerId& peer, const multiformats::PeerId& publisher,
            std::optional<Head> claim, base::Instant now);
  /// What a pull was to bring is here, or the peer would not give it (`answered` false: said
  /// nothing).
  struct Pulled {
    multiformats::PeerId peer;
    multiformats::PeerId publisher;
    bool answered = false;
  };
  [[nodiscard]] std::optional<Pulled> poll() { return pulled_.pop(); }

  // True when it was about a request of this object.
  bool handle(const reqresp::Response& response, base::Instant now);
  bool handle(const reqresp::RequestDone& done, base::Instant now);
  /// The ledger may have room again.
  void resume(base::Instant now);

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const {
    return base::earlier(base::earlier(next_round_, next_of_crowd_), retries_.earliest());
  }

 private:
  static constexpr base::Instant kNever = base::Instant::min();
  struct Peer {
    std::vector<LogPull> pulls{};  // for the next session
    bool is_due = true;            // a round of all heads is to be made
    std::optional<multiformats::PeerId> after{};
    base::Instant came{};          // when it was found to speak the protocol
    base::Instant asked = kNever;  // when the last session began
    std::unique_ptr<SyncSession> session{};
    bool is_round = false;          // the session asks for heads
    base::Duration pause = kRetry;  // before it is asked again, if it does not answer
    reqresp::RequestId request{};
  };
  // The order in which peers are asked: those who are known to have something first, then who was
  // not asked for the longest time, last those who have just come, in the order in which they came:
  // whoever stays has its turn, however many come and go.
  struct Turn {
    bool is_round;
    bool has_just_come;
    base::Instant since;
    multiformats::PeerId id;
    auto operator<=>(const Turn&) const = default;
  };

  void pump(base::Instant now);
  [[nodiscard]] static Turn turn(const multiformats::PeerId& id, const Peer& peer) {
    const bool has_just_come = peer.asked == kNever;
    return {peer.pulls.empty(), has_just_come, has_just_come ? peer.came : peer.asked, id};
  }
  [[nodiscard]] std::optional<multiformats::PeerId> next_peer(base::Instant now) const;
  [[nodiscard]] base::Instant next_turn() const;
  void begin(const multiformats::PeerId& id, Peer& peer, base::Instant now);
  void go_on(const multiformats::PeerId& id, Peer& peer, base::Instant now);
  void end(const multiformats::PeerId& id, Peer& peer, bool answered);
  void due(const multiformats::PeerId& id, Peer& peer);
  void begin_round();
  void shun(const multiformats::PeerId& id, Peer& peer, std::string_view why, base::Instant now);
  void tell_finished(const multiformats::PeerId& id, Peer& peer);

  Context& context_;
  Ledger& ledger_;
  reqresp::ServiceId service_;
  std::map<multiformats::PeerId, Peer> peers_;
  std::set<Turn> waiting_;                 // without a session, due or with pulls
  std::set<multiformats::PeerId> active_;  // with a session
  std::map<reqresp::RequestId, multiformats::PeerId> requests_;
  std::map<multiformats::PeerId, base::Instant> shunned_;  // until when
  base::TimerHeap<multiformats::PeerId> retries_;
  std::optional<base::Instant> next_round_;
  base::Instant crowd_over_{};  // each peer asked as it came puts this off by a pause
  std::optional<base::Instant> next_of_crowd_;
  bool held_up_ = false;  // a session waits for room in the ledger
  base::Fifo<Pulled> pulled_;
};

}  // namespace ggen::p2p::registry
