#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/swarm/swarm.hpp>

#include "access.hpp"
#include "address_book.hpp"
#include "connection_table.hpp"
#include "dialer.hpp"
#include "history_log.hpp"
#include "inbound_gate.hpp"
#include "outbox.hpp"
#include "own_addresses.hpp"
#include "trimmer.hpp"

namespace ggen::p2p::swarm {

using connection::ConnectionId;
using connection::Direction;
using multiformats::Multiaddr;
using multiformats::PeerId;

struct Swarm::State {
  State(Config settings, const PeerId& id, crypto::Crypto& verifier, const base::Prng& prng)
      : config(std::move(settings)),
        self(id),
        crypto(verifier),
        dialer({config, self, book, connections, trimmer, own, history, outbox}, prng) {}

  Config config;
  const PeerId self;
  crypto::Crypto& crypto;
  bool stopping = false;
  Outbox outbox;
  HistoryLog history{config.history};
  AddressBook book{config.book};
  ConnectionTable connections{outbox};
  OwnAddresses own{config, outbox};
  InboundGate gate{config.limits};
  Trimmer trimmer{config.trimming, connections};
  Dialer dialer;

  std::optional<RefuseReason> objection(const std::optional<IpEndpoint>& remote, base::Instant now);
  [[nodiscard]] std::optional<LocalClose> objection(const ConnectionRecord& record,
                                                    const PeerId& peer) const;
  [[nodiscard]] std::optional<LocalClose> access_objection(const ConnectionRecord& record) const;
  [[nodiscard]] std::optional<RefuseReason> full(base::Instant now);
  void close_all(LocalClose reason);
};

namespace {

std::optional<LocalClose> peer_objection(const AccessLists& lists, const PeerId& peer) {
  switch (judge(lists, peer)) {
    case Access::kDenied:
      return LocalClose::kPeerDenied;
    case Access::kNotAllowed:
      return LocalClose::kPeerNotAllowed;
    case Access::kAdmitted:
      break;
  }
  return std::nullopt;
}

AddressFailureReason failure_of(const CloseCause& cause) {
  return std::visit([](auto reason) { return AddressFailureReason(reason); }, cause);
}

}  // namespace

Swarm::Swarm(Config config, PeerId self, crypto::Crypto& crypto, base::Prng prng)
    : state_(std::make_unique<State>(std::move(config), self, crypto, prng)) {}
Swarm::Swarm(Swarm&&) noexcept = default;
Swarm& Swarm::operator=(Swarm&&) noexcept = default;
Swarm::~Swarm() = default;

// Dialling.

DialId Swarm::dial(DialRequest request, base::Instant now) {
  return state_->dialer.dial(std::move(request), now);
}

void Swarm::cancel(DialId dial, base::Instant now) {
  state_->dialer.cancel(dial, now);
}

void Swarm::resolved(ResolveId id, std::expected<std::vector<IpAddress>, ResolveError> result,
                     base::Instant now) {
  state_->dialer.resolved(id, std::move(result), now);
}

void Swarm::resolved_text(ResolveId id,
                          std::expected<std::vector<std::string>, ResolveError> result,
                          base::Instant now) {
  state_->dialer.resolved_text(id, std::move(result), now);
}

std::optional<ConnectionId> Swarm::dialed(AttemptId attempt,
                                          std::expected<Endpoints, DialError> result,
                                          base::Instant now) {
  return state_->dialer.dialed(attempt, std::move(result), now);
}

// Connections.

std::optional<RefuseReason> Swarm::State::objection(const std::optional<IpEndpoint>& remote,
                                                    base::Instant now) {
  if (stopping) return RefuseReason::kStopping;
  if (!remote) return RefuseReason::kUnsupportedAddress;
  switch (judge(config.access, remote->address)) {
    case Access::kDenied:
      return RefuseReason::kAddressDenied;
    case Access::kNotAllowed:
      return RefuseReason::kAddressNotAllowed;
    case Access::kAdmitted:
      break;
  }
  if (const auto reason = gate.objection(remote->address, now)) return reason;
  return full(now);
}

// A node that refused everybody when it is full would leave newcomers without a way into the
// network.
std::optional<RefuseReason> Swarm::State::full(base::Instant now) {
  using For = Trimmer::For;
  const auto no_place = [&](For whom) { return !trimmer.make_place(whom, now); };
  if (connections.open().inbound >= config.limits.max_inbound && no_place(For::kOneInbound)) {
    return RefuseReason::kTooManyInbound;
  }
  if (connections.open().all + dialer.attempts() >= config.limits.max_connections &&
      no_place(For::kNewcomer)) {
    return RefuseReason::kTooManyConnections;
  }
  return std::nullopt;
}

std::expected<ConnectionId, RefuseReason> Swarm::accept(const Multiaddr& local,
                                                        const Multiaddr& remote,
                                                        base::Instant now) {
  const auto endpoint = endpoint_of(remote);
  if (const auto reason = state_->objection(endpoint, now)) {
    state_->history.refused(local, remote, *reason, now);
    state_->outbox.push(event::ConnectionRefused{local, remote, *reason});
    return std::unexpected(*reason);
  }
  state_->gate.admitted(endpoint->address);
  ConnectionRecord record;
  record.direction = Direction::kInbound;
  record.local = local.without_peer_id();
  record.remote = endpoint->to_multiaddr();
  record.opened_at = now;
  return state_->connections.add(std::move(record));
}

std::optional<LocalClose> Swarm::State::objection(const ConnectionRecord& record,
                                                  const PeerId& peer) const {
  if (record.cause) return std::get<LocalClose>(*record.cause);
  if (peer == self) return LocalClose::kSelf;
  if (record.expected_peer && *record.expected_peer != peer) return LocalClose::kWrongPeer;
  if (const auto reason = peer_objection(config.access, peer)) return reason;
  if (connections.to(peer).size() >= config.limits.max_per_peer) {
    return LocalClose::kTooManyForPeer;
  }
  return std::nullopt;
}

std::expected<void, LocalClose> Swarm::secured(ConnectionId id, const PeerId& peer,
                                               base::Instant now) {
  State& state = *state_;
  const ConnectionRecord* const record = state.connections.find(id);
  if (record == nullptr) return std::unexpected(LocalClose::kNotNeeded);
  GGEN_INVARIANT(!record->secured_at);
  if (const auto reason = state.objection(*record, peer)) {
    state.connections.mark_closing(id, *reason);
    state.dialer.lost(id, *reason, now);
    state.dialer.pump(now);
    return std::unexpected(*reason);
  }
  const bool first = state.connections.secure(id, peer, now);
  if (first) state.book.connected(peer);
  if (record->direction == Direction::kInbound) {
    state.gate.secured();
  } else {
    state.book.succeeded(peer, record->remote, now);
  }
  if (first) state.outbox.push(event::PeerConnected{peer, id});
  state.outbox.push(event::ConnectionOpened{*record});
  state.dialer.secured(*record, now);
  state.trimmer.schedule(now);
  return {};
}

void Swarm::closed(ConnectionId id, connection::CloseReason reason, base::Instant now) {
  State& state = *state_;
  const auto removed = state.connections.remove(id, reason, now);
  if (!removed) return;
  const ConnectionRecord& record = removed->record;
  if (record.direction == Direction::kInbound) {
    state.gate.closed(endpoint_of(record.remote)->address, record.secured_at.has_value());
  }
  state.history.closed(record);
  state.outbox.push(event::ConnectionClosed{record});
  if (removed->last_of_peer) {
    state.book.disconnected(*record.peer, now);
    state.outbox.push(event::PeerDisconnected{*record.peer, *record.cause});
  }
  state.dialer.lost(id, failure_of(*record.cause), now);
  state.dialer.pump(now);
}

void Swarm::used(ConnectionId id, base::Instant now) {
  state_->connections.used(id, now);
}

void Swarm::set_idle(ConnectionId id, bool idle, base::Instant now) {
  State& state = *state_;
  state.connections.set_idle(id, idle);
  const ConnectionRecord* const record = state.connections.find(id);
  if (!idle || record == nullptr || record->cause || record->purpose != Purpose::kDht) return;
  if (!record->peer || state.trimmer.is_protected(*record->peer)) return;
  state.trimmer.look_again();
  if (state.dialer.waits_for_place()) state.dialer.pump(now);
}

void Swarm::disconnect(const PeerId& peer, base::Instant) {
  for (const ConnectionId id : state_->connections.to(peer)) {
    state_->connections.close(id, LocalClose::kRequested);
  }
}

void Swarm::protect(const PeerId& peer, Purpose purpose) {
  state_->trimmer.protect(peer, purpose);
}

void Swarm::unprotect(const PeerId& peer, Purpose purpose) {
  state_->trimmer.unprotect(peer, purpose);
}

std::optional<LocalClose> Swarm::State::access_objection(const ConnectionRecord& record) const {
  switch (judge(config.access, endpoint_of(record.remote)->address)) {
    case Access::kDenied:
      return LocalClose::kAddressDenied;
    case Access::kNotAllowed:
      return LocalClose::kAddressNotAllowed;
    case Access::kAdmitted:
      break;
  }
  return record.peer ? peer_objection(config.access, *record.peer) : std::nullopt;
}

void Swarm::set_access(AccessLists access, base::Instant now) {
  state_->config.access = std::move(access);
  for (const ConnectionRecord& record : connections()) {
    if (const auto reason = state_->access_objection(record)) {
      state_->connections.close(record.id, *reason);
    }
  }
  state_->dialer.enforce_access(now);
}

const AccessLists& Swarm::access() const {
  return state_->config.access;
}

// Addresses of others.

std::size_t Swarm::add_addresses(const PeerId& peer, std::span<const Multiaddr> addresses,
                                 AddressSource source, base::Duration ttl, base::Instant now) {
  if (peer == state_->self) return 0;
  return state_->book.add(peer, addresses, source, ttl, now);
}

std::expected<PeerId, RecordError> Swarm::add_signed_record(base::BytesView envelope,
                                                            base::Instant now) {
  const auto signed_record =
      SignedPeerRecord::decode(envelope, state_->config.book.max_record_bytes);
  if (!signed_record) return std::unexpected(signed_record.error());
  const PeerRecord& record = signed_record->claim();
  if (record.peer == state_->self) return std::unexpected(RecordError::kOwnRecord);
  // Old records are common and cost nothing here; only what would be new is worth verifying.
  const auto known = state_->book.sequence(record.peer);
  if (known && record.sequence <= *known) return std::unexpected(RecordError::kStale);
  if (!signed_record->verify(state_->crypto)) return std::unexpected(RecordError::kBadSignature);
  const auto added = state_->book.add_record(record, envelope, now);
  if (!added) return std::unexpected(added.error());
  return record.peer;
}

std::vector<BookAddress> Swarm::addresses(const PeerId& peer, base::Instant now) const {
  return state_->book.addresses(peer, now);
}

base::BytesView Swarm::signed_record(const PeerId& peer) const {
  return state_->book.record(peer);
}

std::size_t Swarm::known_peers() const {
  return state_->book.size();
}

// Own addresses.

ListenId Swarm::listen(const Multiaddr& address, base::Instant) {
  return state_->own.listen(address);
}

void Swarm::stop_listening(ListenId id, base::Instant) {
  state_->own.stop_listening(id);
}

void Swarm::listening(ListenId id, std::expected<std::vector<Multiaddr>, ListenError> result,
                      base::Instant) {
  state_->own.listening(id, std::move(result));
}

void Swarm::observed(const Multiaddr& address, ConnectionId by, base::Instant now) {
  const ConnectionRecord* const record = state_->connections.find(by);
  if (record == nullptr || !record->secured_at || record->cause) return;
  state_->own.observed(address, *record, now);
}

std::vector<Multiaddr> Swarm::own_addresses() const {
  return state_->own.all();
}

// What is known.

const ConnectionRecord* Swarm::connection(ConnectionId id) const {
  return state_->connections.find(id);
}

std::vector<ConnectionId> Swarm::connections_to(const PeerId& peer) const {
  return state_->connections.to(peer);
}

bool Swarm::connected(const PeerId& peer) const {
  return state_->connections.reaches(peer);
}

std::vector<ConnectionRecord> Swarm::connections() const {
  std::vector<ConnectionRecord> result;
  state_->connections.for_each(
      [&](ConnectionId, const ConnectionTable::Entry& entry) { result.push_back(entry.record); });
  return result;
}

std::vector<PeerId> Swarm::connected_peers() const {
  return state_->connections.peers();
}

std::size_t Swarm::connected_peer_count() const {
  return state_->connections.peer_count();
}

const History& Swarm::history() const {
  return state_->history.history();
}
const Config& Swarm::config() const {
  return state_->config;
}
const PeerId& Swarm::self() const {
  return state_->self;
}

void Swarm::State::close_all(LocalClose reason) {
  std::vector<ConnectionId> ids;
  connections.for_each([&](ConnectionId id, const ConnectionTable::Entry&) { ids.push_back(id); });
  for (const ConnectionId id : ids) connections.close(id, reason);
}

void Swarm::stop(base::Instant now) {
  if (std::exchange(state_->stopping, true)) return;
  state_->own.stop();
  state_->close_all(LocalClose::kStopping);
  state_->dialer.stop(now);
}

// As an engine.

void Swarm::handle_timeout(base::Instant now) {
  state_->dialer.handle_timeout(now);
  state_->book.handle_timeout(now);
  state_->own.handle_timeout(now);
  state_->trimmer.handle_timeout(now);
}

std::optional<Output> Swarm::poll() {
  return state_->outbox.pop();
}

std::optional<base::Instant> Swarm::next_deadline() const {
  const State& state = *state_;
  return base::earlier(base::earlier(state.dialer.next_deadline(), state.book.next_deadline()),
                       base::earlier(state.own.next_deadline(), state.trimmer.next_deadline()));
}

}  // namespace ggen::p2p::swarm
