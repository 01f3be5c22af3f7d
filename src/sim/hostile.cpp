#include <algorithm>
#include <utility>

#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/sim/hostile.hpp>

#include "hostile_channel.hpp"

namespace ggen::p2p::sim {

void Gang::add(kad::PeerRecord member) {
  const kad::Key key = kad::Key::of(member.peer);
  members_.emplace_back(key, std::move(member));
}

std::vector<kad::PeerRecord> Gang::nearest(const kad::Key& key, std::size_t count) const {
  std::vector<std::pair<kad::Distance, std::size_t>> order;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    order.emplace_back(key.distance(members_[i].first), i);
  }
  count = std::min(count, order.size());
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<kad::PeerRecord> found;
  for (std::size_t i = 0; i < count; ++i) found.push_back(members_[order[i].second].second);
  return found;
}

IdentitySeed identity_near(const kad::Key& key, unsigned bits, base::Prng& prng) {
  for (;;) {
    IdentitySeed seed{};
    prng.fill(seed);
    const auto id = multiformats::PeerId::of(crypto::KeyPair::from_seed(seed).public_key());
    if (kad::Key::of(id).common_prefix(key) >= bits) return seed;
  }
}

namespace {

class HostileChannels final : public node::ChannelFactory {
 public:
  HostileChannels(std::unique_ptr<node::ChannelFactory> inner, const Hostility& hostility,
                  const Gang& gang, kad::PeerRecord self, base::Prng prng)
      : inner_(std::move(inner)), mind_{hostility, &gang, std::move(self), prng, {}} {}

  std::unique_ptr<connection::Channel> make(connection::ConnectionId id,
                                            connection::Direction direction,
                                            std::optional<multiformats::PeerId> expected_peer,
                                            const connection::ProtocolSet& protocols,
                                            base::Instant now) override {
    return std::make_unique<HostileChannel>(
        inner_->make(id, direction, std::move(expected_peer), protocols, now), mind_, now);
  }

 private:
  std::unique_ptr<node::ChannelFactory> inner_;
  HostileMind mind_;
};

}  // namespace

std::unique_ptr<node::ChannelFactory> make_hostile(std::unique_ptr<node::ChannelFactory> inner,
                                                   const Hostility& hostility, const Gang& gang,
                                                   kad::PeerRecord self, base::Prng prng) {
  return std::make_unique<HostileChannels>(std::move(inner), hostility, gang, std::move(self),
                                           prng);
}

}  // namespace ggen::p2p::sim
