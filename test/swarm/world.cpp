#include "world.hpp"

#include <ggen/p2p/base/overloaded.hpp>

namespace ggen::p2p::swarm::test {

using connection::CloseReason;
using connection::ConnectionId;

Place Place::of(const PeerId& peer, Duration connects_after) {
  Place place;
  place.peer = peer;
  place.connects_after = connects_after;
  return place;
}

Place Place::failing(DialError error, Duration after) {
  Place place;
  place.error = error;
  place.connects_after = after;
  return place;
}

Place Place::mute() {
  Place place;
  place.silent = true;
  return place;
}

Place Place::without_handshake(std::optional<CloseReason> end, Duration after) {
  Place place;
  place.handshake_fails = end;
  place.secured_after = after;
  return place;
}

World::World(Config config, std::uint32_t self)
    : crypto_(crypto::make_system_crypto()),
      swarm_(std::make_unique<Swarm>(std::move(config), peer(self), *crypto_, base::Prng(7))) {}

void World::step(const std::function<void(Swarm&)>& mutate) {
  std::vector<Output> outputs;
  deadline_ = base::step(*swarm_, now_, mutate,
                         [&](Output output) { outputs.push_back(std::move(output)); });
  for (Output& output : outputs) carry_out(std::move(output));
}

void World::later(Duration after, std::function<void()> what) {
  agenda_.emplace(std::pair(now_ + after, sequence_++), std::move(what));
}

void World::run_for(Duration duration) {
  const Instant end = now_ + duration;
  for (;;) {
    std::optional<Instant> next = deadline_;
    if (!agenda_.empty()) next = base::earlier(next, agenda_.begin()->first.first);
    if (!next || *next > end) break;
    REQUIRE(*next >= now_);
    now_ = *next;
    if (!agenda_.empty() && agenda_.begin()->first.first == now_) {
      const auto what = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      what();
    } else {
      step([&](Swarm& swarm) { swarm.handle_timeout(now_); });
    }
  }
  now_ = end;
}

void World::carry_out(Output output) {
  std::visit(
      base::Overloaded{
          [&](const output::Dial& dial) {
            dialled.push_back({elapsed(), dial.address.to_string()});
            const auto place = places.find(dial.address.to_string());
            if (place == places.end() || place->second.silent) return;
            answer_dial(dial.attempt, place->second, dial.address);
          },
          [&](const output::CancelDial& cancel) { cancelled.push_back(cancel.attempt); },
          [&](const output::ResolveHost& lookup) {
            resolved.push_back(lookup.name);
            if (!answer_resolves) return;
            later(resolves_after, [this, lookup] {
              std::expected<std::vector<IpAddress>, ResolveError> result =
                  std::unexpected(ResolveError::kNotFound);
              if (hosts.contains(lookup.name)) result = hosts[lookup.name];
              call([&](Swarm& swarm, Instant at) { swarm.resolved(lookup.id, result, at); });
            });
          },
          [&](const output::ResolveText& lookup) {
            resolved.push_back(lookup.name);
            if (!answer_resolves) return;
            later(resolves_after, [this, lookup] {
              std::expected<std::vector<std::string>, ResolveError> result =
                  std::unexpected(ResolveError::kNotFound);
              if (texts.contains(lookup.name)) result = texts[lookup.name];
              call([&](Swarm& swarm, Instant at) { swarm.resolved_text(lookup.id, result, at); });
            });
          },
          [&](const output::Close& close_it) {
            closes.emplace_back(close_it.connection, close_it.reason);
            later(1ms, [this, id = close_it.connection] { close(id, CloseReason::kLocal); });
          },
          [&](const event::DialDone& event) {
            REQUIRE_FALSE(done.contains(event.dial));
            done.emplace(event.dial, std::pair(elapsed(), event.result));
          },
          [&](const auto& other) { events.push_back(other); },
      },
      output);
}

void World::answer_dial(AttemptId attempt, const Place& place, const Multiaddr& address) {
  later(place.connects_after, [this, attempt, place, address] {
    std::expected<Endpoints, DialError> result =
        Endpoints{addr("/ip4/203.0.113.1/tcp/50000"), address};
    if (place.error) result = std::unexpected(*place.error);
    const auto id =
        call([&](Swarm& swarm, Instant at) { return swarm.dialed(attempt, result, at); });
    if (!id) return;
    later(place.secured_after, [this, id = *id, place] {
      const auto* const record = swarm().connection(id);
      if (record == nullptr) return;
      if (place.handshake_fails) return close(id, *place.handshake_fails);
      if (!place.peer) return;
      // The channel is made for the peer that was dialled, and lets nobody else in.
      if (record->expected_peer && *record->expected_peer != *place.peer) {
        return close(id, CloseReason::kWrongPeer);
      }
      if (!secure(id, *place.peer)) close(id, CloseReason::kLocal);
    });
  });
}

DialId World::dial(DialRequest request) {
  return call([&](Swarm& swarm, Instant at) { return swarm.dial(request, at); });
}

DialId World::dial(const PeerId& peer, std::vector<Multiaddr> addresses, bool force) {
  return dial(DialRequest{peer, std::move(addresses), Purpose::kUser, force});
}

std::expected<ConnectionId, DialFailure> World::finish(DialId dial) {
  for (int i = 0; i < 100'000 && !done.contains(dial); ++i) run_for(1ms);
  REQUIRE(done.contains(dial));
  return done.at(dial).second;
}

std::expected<ConnectionId, RefuseReason> World::accept(std::string_view remote) {
  return call(
      [&](Swarm& swarm, Instant at) { return swarm.accept(addr(kListen), addr(remote), at); });
}

std::expected<void, LocalClose> World::secure(ConnectionId id, const PeerId& peer) {
  return call([&](Swarm& swarm, Instant at) { return swarm.secured(id, peer, at); });
}

ConnectionId World::admit(std::string_view remote, const PeerId& peer) {
  const auto id = accept(remote);
  REQUIRE(id.has_value());
  REQUIRE(secure(*id, peer).has_value());
  return *id;
}

void World::close(ConnectionId id, CloseReason reason) {
  call([&](Swarm& swarm, Instant at) { swarm.closed(id, reason, at); });
}

}  // namespace ggen::p2p::swarm::test
