#include <algorithm>
#include <utility>

#include "router.hpp"

namespace ggen::p2p::gossipsub {
namespace {

using multiformats::IpAddress;

constexpr base::Duration kDecayInterval = std::chrono::seconds{1};
// After a pause of the machine, what is left of a counter is nothing anyway.
constexpr int kMaxDecays = 3600;
constexpr unsigned kIp6UserBits = 64;  // what one user of IPv6 has at least

double weight_of(Offence offence) {
  switch (offence) {
    case Offence::kEarlyGraft:
    case Offence::kBrokenPromise:
      return 1;
    case Offence::kMalformedFrame:
    case Offence::kFrameTooLarge:
    case Offence::kTooManyEntries:
    case Offence::kRepeatedExtensions:
      return 4;
    case Offence::kInvalidMessage:
    case Offence::kRejectedMessage:
      return 0;  // their topic has them
  }
  return 0;
}

// What counts as one host; nothing for addresses whose users are known to share them.
std::optional<IpAddress> host_of(const std::optional<IpAddress>& address) {
  if (!address || address->is_loopback() || address->is_private()) return std::nullopt;
  const IpAddress plain = address->unmapped();
  return plain.is_v6() ? plain.masked(kIp6UserBits) : plain;
}

}  // namespace

void Engine::Router::note_address(Peer& peer, const std::optional<IpAddress>& address) {
  auto host = host_of(address);
  if (host == peer.host) return;
  forget_address(peer);
  peer.host = std::move(host);
  if (peer.host) ++peers_by_host_[*peer.host];
}

void Engine::Router::forget_address(Peer& peer) {
  if (!peer.host) return;
  const auto found = peers_by_host_.find(*peer.host);
  if (--found->second == 0) peers_by_host_.erase(found);
  peer.host.reset();
}

std::size_t Engine::Router::neighbours(const Peer& peer) const {
  return peer.host ? peers_by_host_.at(*peer.host) : 0;
}

void Engine::Router::rescore(Peer& peer, base::Instant now) {
  if (!peer.direct) peer.score = peer.card.score(config_, neighbours(peer), now);
}

void Engine::Router::offend(Peer& peer, Offence offence, base::Instant now) {
  peer.conduct.note(offence);
  peer.card.misbehaved(weight_of(offence));
  rescore(peer, now);
  outputs_.push(Misbehaved{peer.id, offence});
}

void Engine::Router::offend(Peer& peer, Offence offence, std::string_view topic,
                            base::Instant now) {
  peer.card.invalid_message(topic);
  offend(peer, offence, now);
}

bool Engine::Router::welcome(const Peer& peer) const {
  return peer.score >= 0;
}
bool Engine::Router::gossips_with(const Peer& peer) const {
  return peer.score >= config_.score.gossip_threshold;
}
bool Engine::Router::publishes_to(const Peer& peer) const {
  return peer.score >= config_.score.publish_threshold;
}
bool Engine::Router::ignored(const Peer& peer) const {
  return peer.score < config_.score.graylist_threshold;
}

// Keeps what is held against a peer that leaves, so that it cannot be rid of it by reconnecting.
// While it is away nothing of that fades.
void Engine::Router::retain(Peer& peer, base::Instant now) {
  peer.card.keep_what_is_held_against_it();
  rescore(peer, now);
  if (peer.score >= 0) return;
  if (retained_.size() >= config_.limits.max_retained) {
    retained_.erase(std::ranges::min_element(retained_, {},
                                             [](const auto& entry) { return entry.second.until; }));
  }
  retained_.insert_or_assign(peer.id, Retained{std::move(peer.card), now + config_.score.retain});
}

void Engine::Router::restore(Peer& peer, base::Instant now) {
  const auto former = retained_.find(peer.id);
  if (former == retained_.end()) return;
  peer.card = std::move(former->second.card);
  retained_.erase(former);
  rescore(peer, now);
}

void Engine::Router::tend_scores(base::Instant now) {
  int decays = 0;
  for (; decay_at_ <= now && decays < kMaxDecays; decay_at_ += kDecayInterval) ++decays;
  decay_at_ = std::max(decay_at_, now);
  peers_.for_each([&](PeerKey, const std::unique_ptr<Peer>& peer) {
    for (int i = 0; i < decays; ++i) peer->card.decay(config_);
    rescore(*peer, now);
  });
  std::erase_if(retained_, [&](const auto& entry) { return entry.second.until <= now; });
}

void Engine::Router::set_application_score(const multiformats::PeerId& id, double score,
                                           base::Instant now) {
  Peer* const peer = find(id);
  if (peer == nullptr) return;
  peer->card.set_application(score);
  rescore(*peer, now);
}

std::optional<double> Engine::Router::score(const multiformats::PeerId& id) const {
  const PeerKey* const key = by_id_.find(id);
  if (key == nullptr) return std::nullopt;
  return find(*key)->score;
}

std::vector<PeerScore> Engine::Router::scores(base::Instant now) const {
  std::vector<PeerScore> scores;
  for (const auto* entry : by_id_.sorted()) {
    const Peer& peer = *find(entry->second);
    scores.push_back(peer.card.explain(peer.id, config_, neighbours(peer), now));
    if (peer.direct) scores.back().score = 0;
  }
  return scores;
}

}  // namespace ggen::p2p::gossipsub
