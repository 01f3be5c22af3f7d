#include "sync_client.hpp"

#include <algorithm>

namespace ggen::p2p::registry {

using multiformats::PeerId;

void SyncClient::start(base::Instant now) {
  next_round_ = now + context_.config.sync.interval;
  pump(now);
}

void SyncClient::peer_speaks(const PeerId& peer, base::Instant now) {
  if (peers_.size() >= kMaxPeers) return;
  const auto [at, is_new] = peers_.try_emplace(peer);
  if (!is_new) return;
  at->second.came = now;
  waiting_.insert(turn(peer, at->second));
  pump(now);
}

void SyncClient::peer_gone(const PeerId& id) {
  const auto at = peers_.find(id);
  if (at == peers_.end()) return;
  Peer& peer = at->second;
  if (peer.session) {
    requests_.erase(peer.request);
    context_.below.requests.cancel(peer.request);
    end(id, peer, false);
  }
  for (const LogPull& pull : peer.pulls) pulled_.push({id, pull.publisher(), false});
  retries_.set(id, std::nullopt);
  waiting_.erase(turn(id, peer));
  peers_.erase(at);
}

bool SyncClient::pull(const PeerId& id, const PeerId& publisher, std::optional<Head> claim,
                      base::Instant now) {
  const auto at = peers_.find(id);
  if (at == peers_.end() || shunned_.contains(id)) return false;
  Peer& peer = at->second;
  const auto has = [&](const auto& pulls) {
    return std::ranges::find(pulls, publisher, &LogPull::publisher) != pulls.end();
  };
  if (peer.session ? has(peer.session->unfinished()) : has(peer.pulls)) return true;
  if (peer.session) {
    if (peer.session->unfinished().size() >= kMaxSyncHeads + kMaxPullsPerPeer) return false;
    peer.session->add(LogPull(publisher, claim));
    return true;
  }
  if (peer.pulls.size() >= kMaxPullsPerPeer) return false;
  waiting_.erase(turn(id, peer));
  peer.pulls.emplace_back(publisher, claim);
  waiting_.insert(turn(id, peer));
  pump(now);
  return true;
}

// Sessions.

void SyncClient::pump(base::Instant now) {
  if (!ledger_.is_loaded()) return;
  while (active_.size() < context_.config.sync.max_active) {
    const auto next = next_peer(now);
    if (!next) break;
    begin(*next, peers_.at(*next), now);
  }
  next_of_crowd_.reset();
  if (!waiting_.empty() && next_turn() > now) next_of_crowd_ = next_turn();
}

// When a peer may be asked only because it has come.
base::Instant SyncClient::next_turn() const {
  return crowd_over_ - (kCrowd - 1) * kCrowdPause;
}

// Rounds leave one place free, so that slow ones do not keep out what is wanted now.
std::optional<PeerId> SyncClient::next_peer(base::Instant now) const {
  const bool crowded = next_turn() > now;
  const std::size_t most = std::max<std::size_t>(context_.config.sync.max_active, 2) - 1;
  const auto rounds = static_cast<std::size_t>(
      std::ranges::count_if(active_, [this](const PeerId& id) { return peers_.at(id).is_round; }));
  for (const Turn& turn : waiting_) {
    if (turn.is_round && (rounds >= most || (turn.has_just_come && crowded))) break;
    if (!shunned_.contains(turn.id)) return turn.id;
  }
  return std::nullopt;
}

void SyncClient::begin(const PeerId& id, Peer& peer, base::Instant now) {
  waiting_.erase(turn(id, peer));
  if (peer.asked == kNever) crowd_over_ = std::max(crowd_over_, now) + kCrowdPause;
  peer.session = std::make_unique<SyncSession>(context_, ledger_, id);
  active_.insert(id);
  peer.asked = now;
  for (LogPull& pull : peer.pulls) peer.session->add(std::move(pull));
  // What is wanted now does not wait for a place that rounds may take.
  peer.is_round = peer.pulls.empty();
  peer.pulls.clear();
  if (peer.is_round) {
    peer.is_due = false;
    peer.session->ask_heads(peer.after);
  }
  go_on(id, peer, now);
}

void SyncClient::go_on(const PeerId& id, Peer& peer, base::Instant now) {
  if (!ledger_.has_room()) {
    held_up_ = true;  // resume() goes on
    return;
  }
  const bool had_its_time = now - peer.asked >= context_.config.sync.interval;
  const auto request = had_its_time ? std::nullopt : peer.session->next();
  tell_finished(id, peer);
  if (peer.session->is_lying()) {
    return shun(id, peer, "does not have the entries that it claims to have", now);
  }
  if (!request) return end(id, peer, true);
  peer.request = context_.below.requests.request(id, service_, encode(*request),
                                                 context_.config.sync.request_timeout, now);
  requests_.emplace(peer.request, id);
}

void SyncClient::tell_finished(const PeerId& id, Peer& peer) {
  for (const PeerId& publisher : peer.session->take_finished()) {
    pulled_.push({id, publisher, true});
  }
}

// The session is over: what it did not come to is left to the next one.
void SyncClient::end(const PeerId& id, Peer& peer, bool answered) {
  const std::unique_ptr<SyncSession> session = std::move(peer.session);
  active_.erase(id);
  peer.request = {};
  for (const LogPull& pull : session->unfinished()) pulled_.push({id, pull.publisher(), false});
  if (peer.is_round) {
    peer.is_due = answered && !session->is_finished();
    peer.after = peer.is_due ? session->after() : std::nullopt;
  }
  if (peer.is_due) waiting_.insert(turn(id, peer));
}

void SyncClient::shun(const PeerId& id, Peer& peer, std::string_view why, base::Instant now) {
  end(id, peer, false);
  // Also when it comes back: a connection costs nothing.
  if (shunned_.size() < kMaxPeers) {
    shunned_[id] = now + kShunnedIntervals * context_.config.sync.interval;
  }
  context_.misbehaved(id, why);
}

// Answers.

bool SyncClient::handle(const reqresp::Response& response, base::Instant now) {
  const auto at = requests_.find(response.id);
  if (at == requests_.end()) return false;
  const PeerId id = at->second;
  Peer& peer = peers_.at(id);
  if (auto taken = peer.session->take(response.message.map()); !taken) {
    context_.below.requests.cancel(response.id);
    requests_.erase(at);
    shun(id, peer, taken.error(), now);
    pump(now);
  }
  return true;
}

bool SyncClient::handle(const reqresp::RequestDone& done, base::Instant now) {
  const auto at = requests_.find(done.id);
  if (at == requests_.end()) return false;
  const PeerId id = at->second;
  requests_.erase(at);
  Peer& peer = peers_.at(id);
  peer.request = {};
  using reqresp::Error;
  const auto is = [&](Error error) { return !done.result && done.result.error() == error; };
  if (done.result) {
    peer.pause = kRetry;
    peer.session->complete(now);
    go_on(id, peer, now);
  } else if (is(Error::kMalformed) || is(Error::kTooLarge) || is(Error::kTooManyResponses)) {
    shun(id, peer, "answered a sync request with garbage", now);
  } else {
    end(id, peer, false);
    if (is(Error::kUnsupported)) {
      retries_.set(id, std::nullopt);
      waiting_.erase(turn(id, peer));
      peers_.erase(id);
    } else {
      retries_.set(id, now + peer.pause);
      peer.pause = std::min(2 * peer.pause, context_.config.sync.interval);
    }
  }
  pump(now);
  return true;
}

void SyncClient::resume(base::Instant now) {
  if (!held_up_ || !ledger_.has_room()) return;
  held_up_ = false;
  for (const PeerId& id : std::set<PeerId>{active_}) {  // which going on may end
    Peer& peer = peers_.at(id);
    if (!peer.request) go_on(id, peer, now);
  }
  pump(now);
}

void SyncClient::handle_timeout(base::Instant now) {
  while (const auto id = retries_.pop_due(now)) due(*id, peers_.at(*id));
  if (next_round_ && *next_round_ <= now) {
    next_round_ = now + context_.config.sync.interval;
    std::erase_if(shunned_, [now](const auto& item) { return item.second <= now; });
    begin_round();
  }
  pump(now);
}

void SyncClient::due(const PeerId& id, Peer& peer) {
  peer.is_due = true;
  if (!peer.session) waiting_.insert(turn(id, peer));
}

void SyncClient::begin_round() {
  std::pair<const PeerId, Peer>* oldest = nullptr;
  for (auto& item : peers_) {
    Peer& peer = item.second;
    if (peer.session || shunned_.contains(item.first)) continue;
    if (oldest == nullptr || peer.asked < oldest->second.asked) oldest = &item;
  }
  if (oldest != nullptr) due(oldest->first, oldest->second);
}

}  // namespace ggen::p2p::registry
