#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/node/node.hpp>

// How a node wires its engines to each other.
namespace ggen::p2p::node {

using connection::ConnectionId;
using multiformats::PeerId;

namespace {

// Claims of others about where a peer is: long enough for the dial that they are meant for.
constexpr base::Duration kDhtAddressTtl = std::chrono::minutes{10};

// The peer may be as well as before, and only the network between us have failed.
bool is_silent(connection::CloseReason reason) {
  return reason == connection::CloseReason::kTransportLost ||
         reason == connection::CloseReason::kKeepAliveTimeout;
}

}  // namespace

// The members that are there.
template <class Act>
void Node::on_engine(Owner owner, Act&& act) {
  const auto on = [&](auto& member) {
    if (member) act(member);
  };
  switch (owner) {
    case Owner::kSwarm:
      return on(swarm_);
    case Owner::kIdentify:
      return on(identify_);
    case Owner::kPing:
      return on(ping_);
    case Owner::kPerf:
      return on(perf_);
    case Owner::kRequests:
      return on(requests_);
    case Owner::kKad:
      return on(kad_);
    case Owner::kGossipsub:
      return on(gossipsub_);
    case Owner::kRegistry:
      return on(registry_);
    case Owner::kApplication:
    case Owner::kSeek:
    case Owner::kAbsent:
      return;
  }
}

void Node::on_output(swarm::Output output) {
  if (const auto* close = std::get_if<swarm::output::Close>(&output)) {
    if (Connection* connection = connections_.find(close->connection)) {
      connection->channel->close(now_);
      touch(close->connection, *connection);
    }
    return;
  }
  if (const auto* done = std::get_if<swarm::event::DialDone>(&output)) dial_done(*done);
  if (const auto* gone = std::get_if<swarm::event::PeerDisconnected>(&output)) peer_gone(*gone);
  if (const auto* back = std::get_if<swarm::event::PeerConnected>(&output)) peer_back(back->peer);
  if (std::holds_alternative<swarm::event::ListenAddressesChanged>(output)) announce_self();
  outputs_.push(std::move(output));
}

void Node::on_output(identify::Identified event) {
  learn(event.connection, event.peer, event.info);
  outputs_.push(std::move(event));
}

void Node::on_output(identify::Pushed event) {
  learn(event.connection, event.peer, event.info);
  outputs_.push(std::move(event));
}

void Node::on_output(registry::Output output) {
  outputs_.push(std::move(output));
}

void Node::on_output(kad::AddressesLearned event) {
  swarm_->add_addresses(event.peer, event.addresses, swarm::AddressSource::kDht, kDhtAddressTtl,
                        now_);
}

// Without its mesh a node hears of nothing: these connections are not closed for others.
void Node::on_output(gossipsub::MeshChanged event) {
  if (event.joined) {
    swarm_->protect(event.peer, swarm::Purpose::kGossip);
  } else {
    swarm_->unprotect(event.peer, swarm::Purpose::kGossip);
  }
}

// Who prunes us may tell whom else there is in the topic. Only who can be reached by an address
// that it has signed itself, or that is known already, is worth an attempt.
void Node::on_output(gossipsub::PeersExchanged event) {
  for (const auto& named : event.peers) {
    if (!named.signed_record.empty()) {
      // A record of another peer, or one that is old, does no harm.
      static_cast<void>(swarm_->add_signed_record(named.signed_record, now_));
    }
    if (swarm_.look().addresses(named.peer, now_).empty()) continue;
    swarm::DialRequest request;
    request.peer = named.peer;
    request.purpose = swarm::Purpose::kGossip;
    swarm_->dial(std::move(request), now_);
  }
}

// What the engines below the registry report is either about its work or for the application.
template <class Event>
void Node::on_output(Event event) {
  if (registry_) {
    if constexpr (requires { registry_->handle(event, now_); }) {
      if (registry_->handle(event, now_)) return;
    }
    if constexpr (std::is_same_v<Event, kad::RoutingUpdated>) {
      if (event.added) registry_->network_changed(now_);
    }
  }
  outputs_.push(Output{std::move(event)});
}

// A signed record replaces what was said before; unsigned addresses are taken only without one.
void Node::learn(ConnectionId id, const multiformats::PeerId& peer, const identify::Info& info) {
  const bool certified = !info.signed_peer_record.empty() &&
                         swarm_->add_signed_record(info.signed_peer_record, now_).has_value();
  if (!certified) {
    swarm_->add_addresses(peer, info.listen_addrs, swarm::AddressSource::kIdentify,
                          config_.swarm.book.record_ttl, now_);
  }
  if (info.observed_addr) swarm_->observed(*info.observed_addr, id, now_);

  // Identify may tell after its connection has gone.
  const swarm::ConnectionRecord* connection = swarm_.look().connection(id);
  if (connection == nullptr || !swarm_.look().connected(peer)) return;
  if (kad_) {
    const bool serves =
        std::ranges::find(info.protocols, config_.kad->protocol) != info.protocols.end();
    kad_->peer_identified(peer, info.listen_addrs, connection->remote.ip(), serves, now_);
  }
  if (gossipsub_) {
    const gossipsub::Link link{connection->direction, connection->remote.ip(),
                               swarm_.look().signed_record(peer)};
    gossipsub_->peer_supports(peer, info.protocols, link, now_);
  }
  if (registry_) registry_->peer_supports(peer, info.protocols, now_);
}

void Node::peer_gone(const swarm::event::PeerDisconnected& gone) {
  const multiformats::PeerId& peer = gone.peer;
  if (kad_) kad_->peer_gone(peer);
  if (gossipsub_) gossipsub_->peer_gone(peer, now_);
  if (registry_) registry_->peer_gone(peer, now_);
  peer_count_changed();
  const auto* reason = std::get_if<connection::CloseReason>(&gone.cause);
  if (reason == nullptr || !is_silent(*reason)) return;
  const auto known = std::ranges::find(bootstrap_, peer, &BootstrapPeer::peer);
  miss({peer, known == bootstrap_.end() ? std::nullopt : std::optional{known->address}});
}

// ---- Bootstrap, and coming back ----

void Node::join(std::vector<multiformats::Multiaddr> bootstrap, base::Instant now) {
  now_ = now;
  bootstrap_.clear();
  for (multiformats::Multiaddr& address : bootstrap) {
    const auto peer = address.peer_id();
    bootstrap_.push_back({std::move(address), peer});
  }
  seek_peers_after(base::Duration{});
}

void Node::seek_peers_after(base::Duration delay) {
  if (stopping_) return;
  seek_delay_ = config_.bootstrap.retry_min;
  deadline(Owner::kSeek) = now_ + delay;
}

// Not at once: whoever lost its peers together with others should not come back together with them.
void Node::peer_count_changed() {
  const std::size_t peers = swarm_.look().connected_peer_count();
  // One that comes and goes does not bring the next attempt nearer.
  const bool few = peers < config_.bootstrap.min_peers && !deadline(Owner::kSeek);
  if (peers == 0 || few) seek_peers_after(config_.bootstrap.retry_min);
}

void Node::seek_peers() {
  const std::size_t peers = swarm_.look().connected_peer_count();
  if (peers >= config_.bootstrap.min_peers) return;
  // Any of those known, not the nearest: these know each other.
  std::vector<PeerId> known = unconnected();
  if (known.empty() && (peers > 0 || bootstrap_.empty())) return;
  seek_prng_.shuffle(known);
  const std::size_t count = std::min(known.size(), config_.bootstrap.min_peers - peers);
  known.erase(known.begin() + static_cast<std::ptrdiff_t>(count), known.end());
  if (peers == 0) {
    for (const BootstrapPeer& peer : bootstrap_) dial_bootstrap(peer.address);
  }
  for (const PeerId& peer : known) {
    std::vector<multiformats::Multiaddr> addresses;
    if (kad_) {
      if (const auto* entry = kad_.look().table().find(peer)) addresses = entry->addresses;
    }
    swarm_->dial({peer, std::move(addresses), swarm::Purpose::kBootstrap}, now_);
  }
  deadline(Owner::kSeek) = now_ + seek_delay_;
  seek_delay_ = std::min(2 * seek_delay_, config_.bootstrap.retry_max);
}

// Who is in the routing table, or was in that of an earlier run.
std::vector<PeerId> Node::unconnected() const {
  std::vector<PeerId> known;
  const auto add = [&](const PeerId& peer) {
    if (!swarm_.look().connected(peer)) known.push_back(peer);
  };
  for (const PeerId& peer : remembered_) {
    const bool in_table = kad_ && kad_.look().table().find(peer) != nullptr;
    if (!in_table && !swarm_.look().addresses(peer, now_).empty()) add(peer);
  }
  if (!kad_) return known;
  const kad::RoutingTable& table = kad_.look().table();
  for (std::size_t i = 0; i < table.buckets(); ++i) {
    for (const kad::TableEntry& entry : table.bucket(i)) add(entry.peer);
  }
  return known;
}

void Node::remember(std::span<const multiformats::Multiaddr> peers, base::Instant now) {
  now_ = now;
  for (const multiformats::Multiaddr& address : peers) {
    const auto peer = address.peer_id();
    if (!peer || *peer == id()) continue;
    swarm_->add_addresses(*peer, std::span{&address, 1}, swarm::AddressSource::kDht,
                          config_.swarm.book.record_ttl, now);
    if (std::ranges::find(remembered_, *peer) == remembered_.end()) remembered_.push_back(*peer);
  }
  seek_peers_after(base::Duration{});
}

void Node::dial_bootstrap(const multiformats::Multiaddr& address) {
  swarm::DialRequest request{address.peer_id(), {address}, swarm::Purpose::kBootstrap, true};
  bootstrap_dials_.try_emplace(swarm_->dial(std::move(request), now_), address);
}

void Node::bootstrap_done(const multiformats::Multiaddr& address,
                          const swarm::event::DialDone& done) {
  if (!done.result) outputs_.push(output::BootstrapFailed{address, done.result.error()});
  const auto known = std::ranges::find(bootstrap_, address, &BootstrapPeer::address);
  if (known == bootstrap_.end()) return;  // join() was called again
  if (!done.result) return miss({known->peer, address});
  if (const auto* record = swarm_.look().connection(*done.result)) known->peer = record->peer;
  absent_.remove(address);
}

void Node::miss(AbsentPeers::Absent absent) {
  if (stopping_) return;
  absent_.add(std::move(absent), now_);
  deadline(Owner::kAbsent) = absent_.earliest();
}

void Node::peer_back(const multiformats::PeerId& peer) {
  peer_count_changed();
  absent_.remove(peer);
  deadline(Owner::kAbsent) = absent_.earliest();
}

void Node::dial_absent() {
  while (const auto absent = absent_.next_due(now_)) {
    if (absent->bootstrap) {
      // While there is no peer at all, seek_peers() sees to it.
      if (swarm_.look().connected_peer_count() > 0) dial_bootstrap(*absent->bootstrap);
    } else if (swarm_.look().addresses(*absent->peer, now_).empty()) {
      absent_.remove(*absent->peer);  // long gone
    } else {
      swarm_->dial({absent->peer, {}, swarm::Purpose::kBootstrap, true}, now_);
    }
  }
  deadline(Owner::kAbsent) = absent_.earliest();
}

// ---- What this node says of itself ----

// Tells identify what this node is now: its addresses, certified by a new signed record, and its
// protocols.
void Node::announce_self() {
  std::vector<multiformats::Multiaddr> addresses = swarm_.look().own_addresses();
  if (addresses != local_.listen_addrs || local_.signed_peer_record.empty()) {
    const base::WallTime wall_now = wall_at_zero() + now_.time_since_epoch();
    swarm::PeerRecord record{id(), 0, addresses};
    // Above the last also when the calendar was set back: others keep the highest.
    record_sequence_ = std::max(record_sequence_ + 1,
                                static_cast<std::uint64_t>(wall_now.time_since_epoch().count()));
    record.sequence = record_sequence_;
    local_.signed_peer_record = swarm::seal_peer_record(crypto_, identity_, record);
    if (kad_) kad_->set_addresses(addresses);
    local_.listen_addrs = std::move(addresses);
  }
  const auto protocols = protocols_.all();
  local_.protocols.assign(protocols.begin(), protocols.end());
  identify_->set_local(local_, now_);
}

void Node::answer(std::string_view protocol, Owner owner) {
  protocols_.add(std::string{protocol});
  owners_[std::string{protocol}] = owner;
}

void Node::silence(const std::string& protocol) {
  protocols_.remove(protocol);
  owners_.erase(protocol);
}

reqresp::ServiceId Node::serve(reqresp::Service service, base::Instant now) {
  now_ = now;
  answer(service.protocol, Owner::kRequests);
  announce_self();
  return requests_->add_service(std::move(service));
}

// Where a node announces public addresses, somebody from its own network does not show that others
// reach it.
void Node::reached(ConnectionId id) {
  if (!config_.dht_auto_mode || !kad_ || kad_.look().mode() == kad::Mode::kServer) return;
  const swarm::ConnectionRecord& connection = *swarm_.look().connection(id);
  if (connection.direction != connection::Direction::kInbound) return;
  const auto is_public = [](const multiformats::Multiaddr& address) {
    const auto ip = address.ip();
    return ip && !ip->is_private() && !ip->is_loopback();
  };
  const auto announced = swarm_.look().own_addresses();
  if (announced.empty()) return;
  if (std::ranges::any_of(announced, is_public) && !is_public(connection.remote)) return;
  set_dht_mode(kad::Mode::kServer, now_);
}

void Node::set_dht_mode(kad::Mode mode, base::Instant now) {
  now_ = now;
  if (kad_.look().mode() == mode) return;
  kad_->set_mode(mode, now);
  if (mode == kad::Mode::kServer) {
    answer(config_.kad->protocol, Owner::kKad);
  } else {
    silence(config_.kad->protocol);
  }
  announce_self();
}

void Node::open_registry(registry::Config config, std::optional<registry::Signer> signer,
                         base::Instant now) {
  GGEN_INVARIANT(kad_ && gossipsub_ && !registry_);
  now_ = now;
  registry_.emplace(std::move(config),
                    registry::Engine::Below{*kad_, *gossipsub_, *requests_, crypto_},
                    std::move(signer), id(), prng_.child("registry"), wall_at_zero());
  for (const std::string_view protocol : registry::Engine::protocols()) {
    answer(protocol, Owner::kRequests);
  }
  announce_self();
  registry_->start(now);
}

void Node::stored(registry::StoreDone done, base::Instant now) {
  registry(now).handle(std::move(done), now);
}

// ---- Running them ----

template <class Engine>
bool Node::run(Owner owner, Member<Engine>& member) {
  if (!member.settle()) return false;
  Engine& engine = member.aside();
  while (auto output = engine.poll()) {
    if constexpr (std::is_same_v<Engine, swarm::Swarm> ||
                  std::is_same_v<Engine, registry::Engine>) {
      on_output(std::move(*output));
    } else {
      std::visit(
          [&](auto& alternative) {
            if constexpr (std::is_same_v<std::decay_t<decltype(alternative)>,
                                         connection::StreamOutput>) {
              execute(owner, std::move(alternative));
            } else {
              on_output(std::move(alternative));
            }
          },
          *output);
    }
  }
  deadline(owner) = engine.next_deadline();
  if constexpr (std::is_same_v<Engine, registry::Engine>) {
    // It calls these itself.
    kad_.stir();
    gossipsub_.stir();
    requests_.stir();
  }
  return true;
}

bool Node::run_engines() {
  bool ran = false;
  for (const Owner owner : {Owner::kSwarm, Owner::kIdentify, Owner::kPing, Owner::kPerf,
                            Owner::kRequests, Owner::kKad, Owner::kGossipsub, Owner::kRegistry}) {
    on_engine(owner, [&](auto& member) { ran |= run(owner, member); });
  }
  return ran;
}

std::optional<Output> Node::poll() {
  if (outputs_.empty()) {
    while (settle_all() || run_engines() || announce_idle()) {
    }
  }
  return outputs_.pop();
}

void Node::handle_timeout(base::Instant now) {
  now_ = now;
  for (std::size_t i = 0; i < kOwners; ++i) {
    const auto owner = static_cast<Owner>(i);
    if (!deadline(owner) || *deadline(owner) > now) continue;
    deadline(owner).reset();
    on_engine(owner, [&](auto& member) { member->handle_timeout(now); });
    if (owner == Owner::kSeek) seek_peers();
    if (owner == Owner::kAbsent) dial_absent();
  }
  while (const auto id = channel_timers_.pop_due(now)) {
    Connection& connection = *connections_.find(*id);
    connection.timed = false;
    connection.channel->handle_timeout(now);
    touch(*id, connection);
  }
}

std::optional<base::Instant> Node::next_deadline() const {
  std::optional<base::Instant> earliest = channel_timers_.earliest();
  for (const auto& deadline : deadlines_) earliest = base::earlier(earliest, deadline);
  return earliest;
}

void Node::give(Owner owner, connection::StreamInput input) {
  if (owner == Owner::kApplication) {
    outputs_.push(std::move(input));
    return;
  }
  on_engine(owner, [&](auto& member) {
    if constexpr (requires { member->handle(std::move(input), now_); }) {
      member->handle(std::move(input), now_);
    }
  });
}

swarm::Purpose Node::purpose(Owner owner) noexcept {
  switch (owner) {
    case Owner::kKad:
      return swarm::Purpose::kDht;
    case Owner::kGossipsub:
      return swarm::Purpose::kGossip;
    default:
      return swarm::Purpose::kProtocol;
  }
}

}  // namespace ggen::p2p::node
