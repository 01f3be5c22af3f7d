#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/registry/entry.hpp>

#include "context.hpp"
#include "ledger.hpp"
#include "own_head.hpp"

namespace ggen::p2p::registry {

/// Signs entries of this node's publisher, one after the other: each is durable before anybody else
/// hears of it.
class Publishing {
 public:
  /// Those that wait for their turn.
  static constexpr std::size_t kMaxWaiting = 64;

  /// `holds` says whether a whole archive is here; `provide` announces one that was published.
  struct Archives {
    std::move_only_function<bool(const Archive&) const> holds;
    std::move_only_function<void(const Archive&, base::Instant)> provide;
  };

  Publishing(Context& context, Ledger& ledger, OwnHead& own_head, std::optional<Signer> signer,
             Archives archives);

  /// The publisher that the signer stands for.
  [[nodiscard]] const std::optional<multiformats::PeerId>& publisher() const noexcept {
    return publisher_;
  }

  /// PublishDone follows, perhaps at once.
  void submit(OperationId id, EntryBody body, base::Instant now);
  /// Goes on, if it can: whenever the ledger or what is known of the own head has changed.
  void advance(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return wait_until_; }

 private:
  using Failure = event::PublishDone::Failure;
  struct Job {
    OperationId id = 0;
    EntryBody body;
    base::Instant since;
  };

  [[nodiscard]] std::expected<void, Failure> check(const EntryBody& body) const;
  [[nodiscard]] std::expected<void, Failure> check_log() const;
  [[nodiscard]] std::expected<void, Failure> check_body(const Publish& publish) const;
  [[nodiscard]] std::expected<void, Failure> check_body(const Yank& yank) const;
  [[nodiscard]] std::expected<void, Failure> check_body(const Unyank& unyank) const;
  [[nodiscard]] std::expected<void, Failure> check_body(const Deprecate& deprecate) const;
  [[nodiscard]] std::expected<void, Failure> check_body(const Keys& keys) const;
  [[nodiscard]] const Releases* releases() const;
  [[nodiscard]] std::expected<Entry, Failure> seal(EntryBody body, base::Instant now) const;
  [[nodiscard]] std::expected<EntryBody, Failure> first_keys() const;

  void write(base::Instant now);
  void written(const Entry& entry, base::Instant now);
  void finish(std::expected<EntryId, Failure> result);

  Context& context_;
  Ledger& ledger_;
  OwnHead& own_head_;
  std::optional<Signer> signer_;
  std::optional<multiformats::PeerId> publisher_;
  Archives archives_;
  base::Fifo<Job> jobs_;
  bool writing_ = false;  // an entry for the first of jobs_
  std::optional<base::Instant> wait_until_;
};

}  // namespace ggen::p2p::registry
