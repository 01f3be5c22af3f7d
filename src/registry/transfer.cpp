#include "transfer.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::registry {

Transfer::Transfer(const Below& below, const Archive& archive, std::uint64_t from)
    : below_(below), archive_(archive), from_(from) {}

void Transfer::add_provider(const multiformats::PeerId& peer, base::Instant now) {
  const auto known = find(peer);
  if (known != providers_.end()) {
    if (!known->guess) return;
    if (known->state == State::kEngaged) {
      guessed_right(*known);
    } else {
      known->guess = false;
      known->rests_until = now;
    }
  } else {
    if (providers_.size() >= kMaxProviders) return;
    providers_.push_back(Provider{.source = {.peer = peer}, .rests_until = now, .told = now});
    // Others may be named in a moment.
    if (is_shunned(providers_.back(), now)) providers_.back().rests_until = now + kRest;
  }
  schedule(now);
}

void Transfer::add_guess(const multiformats::PeerId& peer, base::Instant now) {
  if (find(peer) != providers_.end() || providers_.size() >= kMaxProviders) return;
  if (below_.reputation.standing(peer, now).success < kShunned) return;
  if (std::ranges::count_if(providers_, &Provider::guess) >= std::ptrdiff_t{kMaxGuesses}) return;
  providers_.push_back(
      Provider{.source = {.peer = peer}, .guess = true, .rests_until = now, .told = now});
  schedule(now);
}

std::vector<Transfer::Provider>::iterator Transfer::find(const multiformats::PeerId& peer) {
  return std::ranges::find_if(
      providers_, [&](const Provider& provider) { return provider.source.peer == peer; });
}

bool Transfer::knows_holder() const {
  return std::ranges::any_of(providers_, [](const Provider& provider) {
    return provider.state == State::kEngaged && provider.have.has_value();
  });
}

void Transfer::start(std::optional<ChunkSet> held, base::Instant now) {
  progress_ = now;
  stage_ = Stage::kList;
  if (held) {
    stage_ = Stage::kChunks;
    plan_.emplace(std::move(*held), from_);
  }
  schedule(now);
}

void Transfer::created(std::expected<ChunkSet, StoreError> held, base::Instant now) {
  if (result_) return;
  if (!held) return end(std::unexpected(FetchError::kStorage));
  start(std::move(*held), now);
}

void Transfer::written(const Write& write, std::expected<void, StoreError> outcome,
                       base::Instant now) {
  if (result_) return;
  --writes_;
  plan_->end_write(write.index, outcome.has_value());
  if (Request* request = requests_.find(write.request)) {
    --request->writing;
    request->moved = now;
    below_.requests.consume(write.request, write.charged, now);
    release_surplus(write.request, *request, now);
  }
  Provider& provider = providers_[write.provider];
  if (outcome) {
    progress_ = now;
    const std::uint32_t size = archive_.chunk_bytes(write.index);
    bytes_ += size;
    provider.source.bytes += size;
    ++provider.source.chunks;
    provider.failures = 0;
    below_.reputation.success(provider.source.peer, write.latency, now);
    cancel_needless();
  } else if (outcome.error().kind == StoreError::Kind::kWrongHash) {
    ++provider.source.bad_chunks;
    leave(write.provider, Conduct::kLied, now);
  } else {
    return end(std::unexpected(FetchError::kStorage));
  }
  schedule(now);
}

void Transfer::end(std::expected<void, FetchError> result) {
  if (result_) return;
  result_ = result;
  for (const auto* entry : requests_.sorted()) below_.requests.cancel(entry->first);
  requests_.clear();
  outputs_.clear();
  deadline_.reset();
}

std::uint64_t Transfer::chunks_held() const noexcept {
  return plan_ ? plan_->held().held() : 0;
}

std::vector<event::FetchSource> Transfer::sources() const {
  std::vector<event::FetchSource> sources;
  for (const Provider& provider : providers_) {
    if (provider.source.chunks > 0 || provider.source.bad_chunks > 0) {
      sources.push_back(provider.source);
    }
  }
  return sources;
}

}  // namespace ggen::p2p::registry
