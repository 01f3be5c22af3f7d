#include <algorithm>

#include "transfer.hpp"

// Whom a fetch asks for what, and until when it waits.
namespace ggen::p2p::registry {

void Transfer::schedule(base::Instant now) {
  if (result_ || stage_ == Stage::kWaiting) return;
  if (plan_ && plan_->is_complete()) return end({});
  deadline_.reset();
  if (stage_ != Stage::kCreating) {
    engage(now);
    // One request each before anybody gets a second one: that spreads the chunks.
    for (std::size_t round = 0; round < below_.config.requests_per_peer; ++round) {
      for (std::size_t i = 0; i < providers_.size(); ++i) {
        if (providers_[i].state == State::kEngaged && providers_[i].requests <= round) {
          give_work(i, now);
        }
      }
    }
    for (std::size_t i = 0; i < providers_.size(); ++i) {
      if (providers_[i].state == State::kEngaged && providers_[i].requests == 0) {
        look_after_idle(i, now);
      }
    }
  }
  give_up_if_due(now);
  if (!result_) set_deadline(now);
}

std::size_t Transfer::places() const {
  if (stage_ == Stage::kCreating) return 0;
  return stage_ == Stage::kList ? std::min(kListSources, below_.config.max_providers)
                                : below_.config.max_providers;
}

void Transfer::engage(base::Instant now) {
  while (engaged_ < places()) {
    const auto candidate = best_candidate(now);
    if (!candidate) break;
    providers_[*candidate].state = State::kEngaged;
    ++engaged_;
  }
  while (may_guess()) {
    const auto guess = std::ranges::find_if(
        providers_, [&](const Provider& one) { return is_guess(one) && one.rests_until <= now; });
    if (guess == providers_.end()) return;
    guess->state = State::kEngaged;
    ++guessing_;
  }
}

bool Transfer::may_guess() const {
  return places() > 0 && guessing_ < kGuessesAtATime && !knows_holder();
}

bool Transfer::is_guess(const Provider& provider) {
  return provider.guess && provider.state == State::kIdle && provider.failures < kMaxAsked;
}

bool Transfer::is_shunned(const Provider& provider, base::Instant now) const {
  return below_.reputation.standing(provider.source.peer, now).success < kShunned;
}

// Somebody is asked who need not be shunned: those who are wait until there is nobody.
bool Transfer::has_choice(base::Instant now) const {
  return std::ranges::any_of(providers_, [&](const Provider& one) {
    return !one.guess && one.state == State::kEngaged && !is_shunned(one, now);
  });
}

std::optional<std::size_t> Transfer::best_candidate(base::Instant now) const {
  const bool choosy = has_choice(now);
  std::optional<std::size_t> best;
  double best_score = 0;
  for (std::size_t i = 0; i < providers_.size(); ++i) {
    const Provider& provider = providers_[i];
    if (provider.guess || provider.state != State::kIdle || provider.rests_until > now) continue;
    if (choosy && is_shunned(provider, now)) continue;
    const double score = below_.reputation.score(provider.source.peer, now);
    if (best && score <= best_score) continue;
    best = i;
    best_score = score;
  }
  return best;
}

// The share of one request, small enough that all peers get some.
std::uint64_t Transfer::range_limit() const {
  const std::uint64_t requests =
      std::max<std::size_t>(1, engaged_ * below_.config.requests_per_peer);
  return std::clamp<std::uint64_t>((plan_->open() + requests - 1) / requests, 1, kMaxFetchChunks);
}

// While the disk is behind, nothing more is asked for: what came and is not written stays bounded.
bool Transfer::may_ask_chunks() const {
  return plan_ && writes_ < below_.config.max_providers * below_.config.requests_per_peer;
}

void Transfer::give_work(std::size_t index, base::Instant now) {
  const Provider& provider = providers_[index];
  if (!provider.have) {
    if (!provider.listing) ask_list(index, now);
  } else if (may_ask_chunks()) {
    const auto chunks = plan_->pick(*provider.have, range_limit());
    if (chunks) ask_chunks(index, *chunks, now);
  }
}

// There is work that this idle peer cannot do, and somebody else waits for its place: peers that
// claim to hold one chunk all together must not keep those away who hold the others.
bool Transfer::is_in_the_way(const Provider& idle, base::Instant now) const {
  return engaged_ >= places() && plan_->open() > 0 && !plan_->pick(*idle.have, 1) &&
         best_candidate(now).has_value();
}

// A peer that knows of nothing to do: it helps a slow one, or tells again what it holds.
void Transfer::look_after_idle(std::size_t index, base::Instant now) {
  Provider& provider = providers_[index];
  if (!plan_ || !provider.have) return;
  if (!plan_->wants(*provider.have) || is_in_the_way(provider, now)) {
    return leave(index, Conduct::kNothingNow, now);
  }
  if (may_ask_chunks()) help_slow(index, now);
  if (provider.requests > 0 || provider.have->is_full()) return;
  if (provider.told + kListAgain <= now) {
    ask_list(index, now);
  } else {
    wake_at(provider.told + kListAgain);
  }
}

// When the rest of a request will have taken too long: by the pace so far, or by the silence since
// the last chunk.
base::Instant Transfer::slow_at(const Request& request) const {
  if (request.delivered == 0) return request.asked + kPatience;
  const auto left = static_cast<std::int64_t>(request.chunks.size());
  const auto delivered = static_cast<std::int64_t>(request.delivered);
  const base::Duration pace = (request.moved - request.asked) / delivered;
  return pace * left >= kPatience ? request.moved : request.moved + kPatience / left;
}

// The helper takes the second half of what is left, so that the two meet; in the end it takes the
// very chunk that does not come.
void Transfer::help_slow(std::size_t helper, base::Instant now) {
  for (const auto* entry : requests_.sorted()) {
    const Request& request = entry->second;
    if (request.list || request.provider == helper || request.chunks.size() == 0) continue;
    const std::uint64_t half = (request.chunks.size() + 1) / 2;
    const auto chunks = plan_->pick_again(*providers_[helper].have, request.chunks, half);
    if (!chunks) continue;
    const base::Instant when = slow_at(request);
    if (when <= now) return ask_chunks(helper, *chunks, now);
    wake_at(when);
  }
}

void Transfer::give_up_if_due(base::Instant now) {
  if (stage_ == Stage::kCreating || writes_ > 0) return;
  if (now < progress_ + below_.config.give_up_after) return;
  const bool nobody = std::ranges::all_of(providers_, &Provider::guess);
  end(std::unexpected(nobody ? FetchError::kNoProviders : FetchError::kUnavailable));
}

void Transfer::wake_at(base::Instant when) {
  deadline_ = base::earlier(deadline_, when);
}

void Transfer::set_deadline(base::Instant now) {
  if (stage_ != Stage::kCreating && writes_ == 0) {
    wake_at(progress_ + below_.config.give_up_after);
  }
  for (const auto* entry : requests_.sorted()) {
    const Request& request = entry->second;
    if (request.writing == 0) wake_at(request.moved + below_.config.chunk_timeout);
  }
  const bool room = engaged_ < places();
  const bool guessing = may_guess();
  const bool choosy = has_choice(now);
  for (const Provider& provider : providers_) {
    if (choosy && is_shunned(provider, now)) continue;
    const bool wanted =
        provider.guess ? guessing && is_guess(provider) : room && provider.state == State::kIdle;
    if (wanted) wake_at(std::max(now, provider.rests_until));
  }
}

void Transfer::handle_timeout(base::Instant now) {
  if (result_ || !deadline_ || *deadline_ > now) return;
  std::vector<std::size_t> slow;
  for (const auto* entry : requests_.sorted()) {
    const Request& request = entry->second;
    const bool due = request.moved + below_.config.chunk_timeout <= now;
    if (due && request.writing == 0) slow.push_back(request.provider);
  }
  for (const std::size_t provider : slow) {
    // Leaving a peer ends all its requests: the second one finds it idle.
    if (providers_[provider].state == State::kEngaged) leave(provider, Conduct::kFailed, now);
  }
  schedule(now);
}

}  // namespace ggen::p2p::registry
