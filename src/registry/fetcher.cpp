#include "fetcher.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::registry {
namespace {

// Two entries may name one root; what is fetched is the same only if the chunks are cut alike.
bool same_chunks(const Archive& a, const Archive& b) {
  return a.root == b.root && a.packed_size == b.packed_size;
}

}  // namespace

Fetcher::Fetcher(reqresp::Engine& requests, reqresp::ServiceId service, StorageQueue& storage,
                 Reputation& reputation, Archives& archives, const FetchConfig& config,
                 base::Prng prng)
    : requests_(requests),
      service_(service),
      storage_(storage),
      reputation_(reputation),
      archives_(archives),
      config_(config),
      prng_(prng) {}

void Fetcher::fetch(OperationId operation_id, const Archive& archive,
                    std::span<const multiformats::PeerId> providers, base::Instant now) {
  const Operation operation{operation_id, now};
  const store::Blob* held = archives_.find(archive.root);
  if (held != nullptr && held->held.is_full()) {
    // The held chunks make up the root: an entry that claims another size is a lie.
    if (same_chunks(held->archive, archive)) return finish(operation, {}, {}, now);
    return finish(operation, std::unexpected(FetchError::kUnavailable), {}, now);
  }
  if (const auto shared = find(archive.root)) {
    Fetch& fetch = *fetches_.find(*shared);
    if (!same_chunks(fetch.transfer->archive(), archive)) {
      return finish(operation, std::unexpected(FetchError::kUnavailable), {}, now);
    }
    if (fetch.operations.size() >= config_.max_waiting) {
      return finish(operation, std::unexpected(FetchError::kBusy), {}, now);
    }
    fetch.operations.push_back(operation);
  } else {
    if (active_ >= config_.max_active && order_.size() - active_ >= config_.max_waiting) {
      return finish(operation, std::unexpected(FetchError::kBusy), {}, now);
    }
    const Transfer::Below below{requests_, service_, reputation_, config_};
    const std::uint64_t from = prng_.below(archive.chunk_count());
    order_.push_back(
        fetches_.emplace(Fetch{std::make_unique<Transfer>(below, archive, from), {operation}}));
  }
  add_providers(archive.root, providers, now);
  activate_waiting(now);
}

void Fetcher::finish(const Operation& operation, std::expected<void, FetchError> result,
                     std::vector<event::FetchSource> sources, base::Instant now) {
  outputs_.push(event::FetchDone{operation.id, result, std::move(sources), now - operation.began});
}

std::optional<Fetcher::FetchId> Fetcher::find(const crypto::Sha256Digest& root) const {
  for (const FetchId id : order_) {
    if (fetches_.find(id)->transfer->archive().root == root) return id;
  }
  return std::nullopt;
}

void Fetcher::add_providers(const crypto::Sha256Digest& root,
                            std::span<const multiformats::PeerId> providers, base::Instant now) {
  const auto id = find(root);
  if (!id) return;
  for (const auto& peer : providers) fetches_.find(*id)->transfer->add_provider(peer, now);
  settle(*id, now);
}

void Fetcher::add_guesses(const crypto::Sha256Digest& root,
                          std::span<const multiformats::PeerId> peers, base::Instant now) {
  const auto id = find(root);
  if (!id) return;
  for (const auto& peer : peers) fetches_.find(*id)->transfer->add_guess(peer, now);
  settle(*id, now);
}

std::optional<Fetcher::Lack> Fetcher::lacks(const crypto::Sha256Digest& root) const {
  const auto id = find(root);
  if (!id || !fetches_.find(*id)->active) return std::nullopt;
  const Transfer& transfer = *fetches_.find(*id)->transfer;
  if (!transfer.knows_holder()) return Lack::kAny;
  return transfer.providers() < config_.max_providers ? Lack::kMore : Lack::kNothing;
}

bool Fetcher::cancel(OperationId operation, base::Instant now) {
  for (const FetchId id : order_) {
    Fetch& fetch = *fetches_.find(id);
    const auto found = std::ranges::find(fetch.operations, operation, &Operation::id);
    if (found == fetch.operations.end()) continue;
    finish(*found, std::unexpected(FetchError::kCancelled), fetch.transfer->sources(), now);
    fetch.operations.erase(found);
    if (fetch.operations.empty()) {
      fetch.transfer->end(std::unexpected(FetchError::kCancelled));
      remove(id, now);
    }
    return true;
  }
  return false;
}

std::vector<Fetcher::FetchId> Fetcher::active() const {
  std::vector<FetchId> ids;
  for (const FetchId id : order_) {
    if (fetches_.find(id)->active) ids.push_back(id);
  }
  return ids;
}

template <class Input>
bool Fetcher::offer(Input& input, base::Instant now) {
  for (const FetchId id : active()) {
    if (!fetches_.find(id)->transfer->handle(input, now)) continue;
    settle(id, now);
    return true;
  }
  return false;
}

bool Fetcher::handle(reqresp::Response& response, base::Instant now) {
  return offer(response, now);
}
bool Fetcher::handle(reqresp::ResponseBody& body, base::Instant now) {
  return offer(body, now);
}
bool Fetcher::handle(const reqresp::RequestDone& done, base::Instant now) {
  return offer(done, now);
}

void Fetcher::handle_timeout(base::Instant now) {
  for (const FetchId id : active()) {
    // An earlier one may have ended, and let this one's place to another.
    if (Fetch* fetch = fetches_.find(id)) {
      fetch->transfer->handle_timeout(now);
      settle(id, now);
    }
  }
}

std::optional<base::Instant> Fetcher::next_deadline() const {
  std::optional<base::Instant> earliest;
  fetches_.for_each([&](FetchId, const Fetch& fetch) {
    earliest = base::earlier(earliest, fetch.transfer->next_deadline());
  });
  return earliest;
}

std::optional<FetcherOutput> Fetcher::poll() {
  if (outputs_.empty()) {
    // Only now, so that many chunks at once are told of once.
    for (const FetchId id : active()) {
      Fetch& fetch = *fetches_.find(id);
      const Transfer& transfer = *fetch.transfer;
      if (fetch.told == transfer.bytes()) continue;
      fetch.told = transfer.bytes();
      for (const Operation& operation : fetch.operations) {
        outputs_.push(event::FetchProgress{operation.id, transfer.archive().chunk_count(),
                                           transfer.chunks_held(), transfer.bytes(),
                                           transfer.providers()});
      }
    }
  }
  return outputs_.pop();
}

void Fetcher::activate_waiting(base::Instant now) {
  // begin() may end a fetch at once, and so change the order.
  for (std::size_t i = 0; i < order_.size() && active_ < config_.max_active;) {
    const FetchId id = order_[i];
    if (fetches_.find(id)->active) {
      ++i;
    } else {
      begin(id, now);
      i = 0;
    }
  }
}

void Fetcher::begin(FetchId id, base::Instant now) {
  Fetch& fetch = *fetches_.find(id);
  fetch.active = true;
  ++active_;
  Transfer& transfer = *fetch.transfer;
  const Archive archive = transfer.archive();
  outputs_.push(ProvidersWanted{archive});
  const store::Blob* held = archives_.find(archive.root);
  if (held == nullptr && archives_.is_full()) {
    transfer.end(std::unexpected(FetchError::kStorage));
  } else if (held == nullptr) {
    transfer.start(std::nullopt, now);
  } else if (same_chunks(held->archive, archive)) {
    transfer.start(held->held, now);
  } else if (held->held.is_full()) {
    // It was published from here while this one waited; see fetch().
    transfer.end(std::unexpected(FetchError::kUnavailable));
  } else {
    // A part that was fetched for an entry with another size. One of the two entries lies, and
    // whoever wants this one now believes it: the other must not stand in the way for ever.
    archives_.remove(archive.root);
    storage_.submit(store::RemoveBlob{archive.root}, [this, id](StoreResult, base::Instant then) {
      Fetch* waiting = fetches_.find(id);
      if (waiting == nullptr) return;
      waiting->transfer->start(std::nullopt, then);
      settle(id, then);
    });
  }
  settle(id, now);
}

void Fetcher::settle(FetchId id, base::Instant now) {
  Fetch* fetch = fetches_.find(id);
  if (fetch == nullptr) return;
  while (auto output = fetch->transfer->poll()) {
    std::visit([&](auto& wanted) { carry_out(id, std::move(wanted)); }, *output);
  }
  if (!fetch->transfer->result()) return;
  for (const Operation& operation : fetch->operations) {
    finish(operation, *fetch->transfer->result(), fetch->transfer->sources(), now);
  }
  remove(id, now);
}

void Fetcher::remove(FetchId id, base::Instant now) {
  if (fetches_.find(id)->active) --active_;
  fetches_.erase(id);
  std::erase(order_, id);
  activate_waiting(now);
}

// The outcome of a write counts whether or not the fetch still runs: the fetch is looked up when it
// comes.

void Fetcher::carry_out(FetchId id, store::CreateBlob create) {
  storage_.submit(std::move(create), [this, id](StoreResult result, base::Instant now) {
    created(id, std::move(result), now);
  });
}

void Fetcher::created(FetchId id, StoreResult result, base::Instant now) {
  std::expected<ChunkSet, StoreError> held =
      std::unexpected(StoreError{StoreError::Kind::kFull, "too many archives"});
  if (!result) {
    held = std::unexpected(std::move(result.error()));
  } else if (auto* blob = std::get_if<store::Blob>(&*result)) {
    const crypto::Sha256Digest root = blob->archive.root;
    if (archives_.create(std::move(*blob))) held = archives_.find(root)->held;
  }
  if (Fetch* fetch = fetches_.find(id)) {
    fetch->transfer->created(std::move(held), now);
    settle(id, now);
  }
}

void Fetcher::carry_out(FetchId id, Transfer::Write write) {
  const Archive archive = fetches_.find(id)->transfer->archive();
  store::WriteChunk op{archive.root, write.index, std::move(write.bytes)};
  storage_.submit(std::move(op), [this, id, archive, write = std::move(write)](StoreResult result,
                                                                               base::Instant now) {
    written(id, archive, write, result, now);
  });
}

void Fetcher::written(FetchId id, const Archive& archive, const Transfer::Write& write,
                      const StoreResult& result, base::Instant now) {
  if (result) {
    fetched_bytes_ += archive.chunk_bytes(write.index);
    const store::Blob* before = archives_.find(archive.root);
    const bool first = before != nullptr && before->held.held() == 0;
    archives_.chunk_written(archive.root, write.index);
    if (first) outputs_.push(FirstChunk{archive});
  }
  Fetch* fetch = fetches_.find(id);
  if (fetch == nullptr) return;
  std::expected<void, StoreError> outcome;
  if (!result) outcome = std::unexpected(result.error());
  fetch->transfer->written(write, std::move(outcome), now);
  settle(id, now);
}

}  // namespace ggen::p2p::registry
