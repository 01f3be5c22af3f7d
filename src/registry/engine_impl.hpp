#pragma once

#include <optional>

#include "announcements.hpp"
#include "archives.hpp"
#include "chunk_server.hpp"
#include "context.hpp"
#include "fetcher.hpp"
#include "head_publishing.hpp"
#include "ledger.hpp"
#include "local_search.hpp"
#include "own_head.hpp"
#include "provider_finder.hpp"
#include "providing.hpp"
#include "publishing.hpp"
#include "reputation.hpp"
#include "search_client.hpp"
#include "search_server.hpp"
#include "sync_client.hpp"
#include "sync_server.hpp"

namespace ggen::p2p::registry {

/// Composes the parts: which of them an input is for, and what they tell each other.
class Engine::Impl {
 public:
  Impl(Config config, Below below, std::optional<Signer> signer, multiformats::PeerId local,
       base::Prng prng, base::WallTime wall_at_zero);

  void start(base::Instant now);
  void peer_supports(const multiformats::PeerId& peer, std::span<const std::string> protocols,
                     base::Instant now);
  void peer_gone(const multiformats::PeerId& peer, base::Instant now);
  void set_wall_at_zero(base::WallTime wall) { context_.wall_at_zero = wall; }
  void network_changed(base::Instant now);

  OperationId submit(EntryBody body, base::Instant now);
  OperationId search(SearchRequest request, base::Duration timeout, base::Instant now);
  OperationId fetch(const Archive& archive, std::span<const multiformats::PeerId> hints,
                    base::Instant now);
  void cancel(OperationId id, base::Instant now);
  void adopt_archive(const Archive& archive, base::Instant now);
  void doubt_archive(const Archive& archive);

  [[nodiscard]] Catalog& catalog() noexcept { return ledger_.catalog(); }
  [[nodiscard]] std::optional<multiformats::PeerId> publisher() const {
    return publishing_.publisher();
  }
  [[nodiscard]] bool is_loaded() const noexcept { return ledger_.is_loaded(); }
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] std::size_t fetches() const noexcept { return fetcher_.size(); }
  [[nodiscard]] std::size_t serving_bytes() const noexcept {
    return chunk_server_.reserved_bytes();
  }
  [[nodiscard]] PeerStanding standing(const multiformats::PeerId& peer, base::Instant now) const;

  void handle(StoreDone done, base::Instant now);
  bool handle(const gossipsub::Validate& message, base::Instant now);
  bool handle(reqresp::Response& response, base::Instant now);
  bool handle(reqresp::ResponseBody& body, base::Instant now);
  bool handle(const reqresp::RequestDone& done, base::Instant now);
  bool handle(reqresp::Request& request, base::Instant now);
  bool handle(const reqresp::BodyWritten& written, base::Instant now);
  bool handle(const reqresp::ServedLost& lost, base::Instant now);
  bool handle(const kad::ProvidersFound& found, base::Instant now);
  bool handle(const kad::QueryDone& done, base::Instant now);

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  void loaded(base::Instant now);
  void take_blobs(StoreResult result, base::Instant now);
  void ask_for_own_log(base::Instant now);
  /// Lets the parts learn what others did: after every input.
  void tell_gossip(const multiformats::PeerId& peer, base::Instant now);
  void tell_gossip_again(base::Instant now);
  void settle(base::Instant now);
  void take(FetcherOutput output, base::Instant now);

  Context context_;
  OperationId next_operation_ = 1;
  std::set<multiformats::PeerId> sync_peers_;  // who speaks sync
  struct WaitingFetch {
    OperationId id = 0;
    Archive archive;
    std::vector<multiformats::PeerId> hints;
  };
  std::vector<WaitingFetch> waiting_fetches_;  // for the list of what is held
  bool blobs_listed_ = false;

  Ledger ledger_;
  OwnHead own_head_;
  Providing providing_;
  HeadPublishing head_publishing_;
  Archives archives_;
  base::Instant tell_gossip_at_;
  Reputation reputation_;
  Publishing publishing_;
  Announcements announcements_;
  LocalSearch local_search_;
  reqresp::ServiceId sync_service_;
  reqresp::ServiceId search_service_;
  reqresp::ServiceId fetch_service_;
  SyncClient sync_client_;
  SyncServer sync_server_;
  SearchClient search_client_;
  SearchServer search_server_;
  Fetcher fetcher_;
  ChunkServer chunk_server_;
  ProviderFinder provider_finder_;
};

}  // namespace ggen::p2p::registry
