#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <ggen/p2p/base/timer_heap.hpp>

#include "archives.hpp"
#include "context.hpp"
#include "local_search.hpp"
#include "reputation.hpp"
#include "sync_client.hpp"

namespace ggen::p2p::registry {

/// Searches of this node: in the own index at once, and at peers. What peers know and this node
/// does not is fetched by sync, so that it stands in a verified log; then the own index is asked
/// again, whose ranking is the one that counts.
class SearchClient {
 public:
  /// When the time for peers is over, the own index is asked once more, for so long at most.
  static constexpr base::Duration kLastLook = std::chrono::seconds{1};

  /// Logs that the answer of one peer may have us fetch.
  static constexpr std::size_t kMaxPullsPerAnswer = 32;

  SearchClient(Context& context, const Ledger& ledger, LocalSearch& search, SyncClient& sync,
               const Archives& archives, Reputation& reputation, reqresp::ServiceId service);

  void start(OperationId id, SearchRequest request, base::Duration timeout, base::Instant now);
  /// False when there is no such search.
  bool cancel(OperationId id);

  /// A peer is connected that speaks the protocol; or not any more.
  void peer_speaks(const multiformats::PeerId& peer);
  void peer_gone(const multiformats::PeerId& peer) { peers_.erase(peer); }

  // True when it was about a request of this object.
  bool handle(const reqresp::Response& response, base::Instant now);
  bool handle(const reqresp::RequestDone& done, base::Instant now);
  void pulled(const SyncClient::Pulled& pulled);
  /// The index may have come further.
  void advance();

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return deadlines_.earliest(); }

 private:
  using Pull = std::pair<multiformats::PeerId, multiformats::PeerId>;  // from whom, whose log
  struct Operation {
    SearchRequest request;
    std::map<reqresp::RequestId, base::Instant> asked{};  // who has not answered, since when
    std::set<Pull> pulls{};
    // Those who said that they hold the archive of an entry.
    std::map<EntryId, std::vector<multiformats::PeerId>> providers{};
    std::vector<event::Hit> hits{};
    std::size_t peers = 0;
    std::size_t answers = 0;
    bool local_done = false;
    bool timed_out = false;
    bool finishing = false;
    bool look_again = false;  // the index was behind the journal at the first look
    std::optional<std::uint64_t> until_indexed{};  // records of the journal
  };

  void ask_peers(OperationId id, Operation& operation, base::Duration timeout, base::Instant now);
  void take(OperationId id, const multiformats::PeerId& peer, const SearchResponse& response,
            base::Instant now);
  void take_entry(Operation& operation, const multiformats::PeerId& peer, const Entry& entry,
                  bool held, std::size_t& pulls, base::Instant now);
  void advance(OperationId id, Operation& operation);
  void finish(OperationId id, Operation& operation);
  void done(OperationId id);
  [[nodiscard]] std::vector<event::Hit> hits(const std::vector<LocalSearch::Found>& found,
                                             const Operation& operation) const;

  Context& context_;
  const Ledger& ledger_;
  LocalSearch& search_;
  SyncClient& sync_;
  const Archives& archives_;
  Reputation& reputation_;
  reqresp::ServiceId service_;
  std::set<multiformats::PeerId> peers_;
  std::map<OperationId, Operation> operations_;
  struct Asked {
    OperationId operation = 0;
    multiformats::PeerId peer;
  };
  std::map<reqresp::RequestId, Asked> requests_;
  base::TimerHeap<OperationId> deadlines_;
};

}  // namespace ggen::p2p::registry
