#pragma once

#include <map>
#include <optional>

#include "announcements.hpp"
#include "context.hpp"
#include "ledger.hpp"
#include "own_head.hpp"
#include "providing.hpp"
#include "publishing.hpp"

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
  void network_changed(base::Instant now) { providing_.network_changed(now); }

  OperationId submit(EntryBody body, base::Instant now);
  OperationId search(SearchRequest request, base::Duration timeout, base::Instant now);
  OperationId fetch(const Archive& archive, std::span<const multiformats::PeerId> hints,
                    base::Instant now);
  void cancel(OperationId id, base::Instant now);
  void adopt_archive(const Archive& archive, base::Instant now);

  [[nodiscard]] Catalog& catalog() noexcept { return ledger_.catalog(); }
  [[nodiscard]] std::optional<multiformats::PeerId> publisher() const {
    return publishing_.publisher();
  }
  [[nodiscard]] bool is_loaded() const noexcept { return ledger_.is_loaded(); }
  [[nodiscard]] Stats stats() const;
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
  [[nodiscard]] bool holds(const Archive& archive) const;

  Context context_;
  base::Instant now_{};  // of the last input
  OperationId next_operation_ = 1;
  Ledger ledger_;
  OwnHead own_head_;
  Providing providing_;
  Publishing publishing_;
  Announcements announcements_;
  std::map<crypto::Sha256Digest, Archive> archives_;
};

}  // namespace ggen::p2p::registry
