#include <array>
#include <utility>
#include <variant>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/kad/engine.hpp>

#include "impl.hpp"

namespace ggen::p2p::kad {
namespace {

namespace input = connection::stream_input;
using multiformats::PeerId;

base::Prng seeded(crypto::Crypto& crypto) {
  std::array<std::uint8_t, 8> seed{};
  crypto.random(seed);
  return base::Prng{base::load_big_endian<std::uint64_t>(seed.data())};
}

std::optional<InputError> to_input_error(Stored stored) {
  switch (stored) {
    case Stored::kStored:
    case Stored::kRenewed:
    case Stored::kFull:  // the store is for others: own values need no place there
      return std::nullopt;
    case Stored::kBadKey:
      return InputError::kBadKey;
    case Stored::kTooLarge:
      return InputError::kTooLarge;
    case Stored::kNoValidator:
      return InputError::kNoValidator;
    case Stored::kInvalid:
      return InputError::kInvalid;
    case Stored::kOld:
      return InputError::kOld;
  }
  return std::nullopt;
}

bool bad_key(base::BytesView key, std::size_t limit) {
  return key.empty() || key.size() > limit;
}

}  // namespace

Engine::Engine(const Config& config, const PeerId& local, crypto::Crypto& crypto,
               base::WallTime wall_at_zero)
    : impl_(std::make_unique<Impl>(config, local, seeded(crypto), wall_at_zero)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

void Engine::add_validator(std::string name_space, std::unique_ptr<Validator> validator) {
  impl_->state.validators.add(std::move(name_space), std::move(validator));
}

void Engine::set_mode(Mode mode, base::Instant now) {
  impl_->server.set_mode(mode);
  impl_->settle(now);
}

Mode Engine::mode() const noexcept {
  return impl_->server.mode();
}

void Engine::set_wall_at_zero(base::WallTime wall_at_zero) {
  impl_->state.wall_at_zero = wall_at_zero;
}

void Engine::set_addresses(std::vector<multiformats::Multiaddr> addresses) {
  const std::size_t limit = impl_->state.config.table.max_addresses;
  if (addresses.size() > limit) addresses.resize(limit);
  impl_->state.addresses = std::move(addresses);
}

void Engine::peer_identified(const PeerId& peer, std::span<const multiformats::Multiaddr> addresses,
                             std::optional<multiformats::IpAddress> remote, bool serves,
                             base::Instant now) {
  const auto kept =
      addresses.first(std::min(addresses.size(), impl_->state.config.table.max_addresses));
  impl_->peer_identified(peer, {{kept.begin(), kept.end()}, remote, serves}, now);
  impl_->settle(now);
}

void Engine::peer_gone(const PeerId& peer) {
  impl_->state.connected.erase(peer);
}

// Queries.

QueryId Engine::bootstrap(base::Instant now) {
  const QueryId id =
      impl_->start(impl_->make_query(impl_->state.local.bytes(), Query::Closest{}, now), now);
  impl_->maintenance.refresh(false, now);
  impl_->settle(now);
  return id;
}

QueryId Engine::find_peer(const PeerId& peer, base::Instant now) {
  Query query = impl_->make_query(peer.bytes(), Query::FindPeer{peer}, now);
  if (auto known = impl_->state.find_peer(peer)) {
    const bool here = known->connection == Connectedness::kConnected;
    std::get<Query::FindPeer>(query.goal()).reached = here;
    query.hear(std::array{std::move(*known)});
  }
  const QueryId id = impl_->start(std::move(query), now);
  impl_->settle(now);
  return id;
}

std::expected<QueryId, InputError> Engine::closest(base::BytesView key, base::Instant now) {
  if (bad_key(key, impl_->state.config.server.max_key)) return std::unexpected(InputError::kBadKey);
  const QueryId id = impl_->start(impl_->make_query(key, Query::Closest{}, now), now);
  impl_->settle(now);
  return id;
}

std::expected<QueryId, InputError> Engine::get_value(base::BytesView key, std::size_t quorum,
                                                     base::Instant now) {
  if (bad_key(key, impl_->state.config.values.max_key)) return std::unexpected(InputError::kBadKey);
  const Validator* validator = impl_->state.validators.find(key);
  if (validator == nullptr) return std::unexpected(InputError::kNoValidator);
  ValueSearch search{base::to_bytes(key), quorum, *validator};
  if (auto held = impl_->state.find_value(key, now)) search.add_local(std::move(*held));
  const QueryId id = impl_->start(impl_->make_query(key, std::move(search), now), now);
  impl_->settle(now);
  return id;
}

std::expected<QueryId, InputError> Engine::put_value(base::BytesView key, base::BytesView value,
                                                     base::Instant now) {
  State& state = impl_->state;
  if (const auto error = to_input_error(state.values.put(key, value, now))) {
    return std::unexpected(*error);
  }
  base::Bytes owned_key = base::to_bytes(key);
  if (const auto own = state.own_values.find(owned_key);
      own != state.own_values.end() && !base::equal(own->second, value) &&
      !state.validators.find(key)->better(key, value, own->second)) {
    return std::unexpected(InputError::kOld);
  }
  state.own_values.insert_or_assign(owned_key, base::to_bytes(value));
  const QueryId id =
      impl_->start_publishing({OwnRecord::Kind::kValue, std::move(owned_key)}, false, now);
  impl_->settle(now);
  return id;
}

void Engine::forget_value(base::BytesView key) {
  impl_->state.own_values.erase(base::to_bytes(key));
  impl_->maintenance.forget({OwnRecord::Kind::kValue, base::to_bytes(key)});
}

std::expected<QueryId, InputError> Engine::provide(base::BytesView key, base::Instant now) {
  if (bad_key(key, impl_->state.config.server.max_provider_key)) {
    return std::unexpected(InputError::kBadKey);
  }
  // The query that starts now says when it is due.
  impl_->state.provided.insert(key, base::Instant::max(), base::Instant::max());
  const QueryId id =
      impl_->start_publishing({OwnRecord::Kind::kProvider, base::to_bytes(key)}, false, now);
  impl_->settle(now);
  return id;
}

std::expected<void, InputError> Engine::resume_providing(base::BytesView key, base::Instant now) {
  if (bad_key(key, impl_->state.config.server.max_provider_key)) {
    return std::unexpected(InputError::kBadKey);
  }
  // Those that come next are told with it.
  impl_->state.provided.insert(key, now, now + impl_->state.config.maintenance.first_refresh);
  impl_->settle(now);
  return {};
}

void Engine::stop_providing(base::BytesView key) {
  impl_->state.provided.erase(key);
}

std::expected<QueryId, InputError> Engine::find_providers(base::BytesView key, std::size_t limit,
                                                          base::Instant now) {
  State& state = impl_->state;
  if (bad_key(key, state.config.server.max_provider_key)) {
    return std::unexpected(InputError::kBadKey);
  }
  const QueryConfig& config = state.config.query;
  ProviderSearch search{limit, config.max_providers, config.lookup.max_addresses, state.local};
  const auto known =
      search.add(state.providers.find(Key::of(key), config.max_providers, state.prng, now))
          .providers;
  const QueryId id = impl_->start(impl_->make_query(key, std::move(search), now), now);
  if (!known.empty()) state.outputs.push(ProvidersFound{id, known});
  impl_->settle(now);
  return id;
}

void Engine::cancel(QueryId id) {
  impl_->cancel(id);
}

const RoutingTable& Engine::table() const noexcept {
  return impl_->state.table;
}
std::optional<double> Engine::network_size(base::Instant now) const {
  return impl_->state.network_size(now);
}
const LookupHealth& Engine::lookup_health() const noexcept {
  return impl_->state.health;
}
const ValueStore& Engine::values() const noexcept {
  return impl_->state.values;
}
const ProviderStore& Engine::providers() const noexcept {
  return impl_->state.providers;
}
ProvideStats Engine::provide_stats(base::Instant now) const {
  return impl_->sweep.stats(now);
}

// As an engine.

void Engine::handle(connection::StreamInput input, base::Instant now) {
  if (impl_->announcements.handle(input, now)) {
    impl_->settle(now);
    return;
  }
  Requests& requests = impl_->requests;
  Server& server = impl_->server;
  std::visit(base::Overloaded{
                 [&](const input::Opening& in) { requests.handle(in, now); },
                 [&](const input::OpenFailed& in) { requests.handle(in, now); },
                 [&](const input::Opened& in) {
                   if (in.direction == connection::Direction::kInbound) {
                     server.handle(in, now);
                   } else {
                     requests.handle(in, now);
                   }
                 },
                 [&](input::Data& in) {
                   if (requests.owns(in.stream)) {
                     requests.handle(in, now);
                   } else {
                     server.handle(in, now);
                   }
                 },
                 [&](const input::Written& in) { server.handle(in, now); },
                 [&](const input::Finished& in) {
                   requests.handle(in, now);
                   server.handle(in, now);
                 },
                 [&](const input::Closed& in) {
                   requests.handle(in, now);
                   server.handle(in);
                 },
             },
             input);
  impl_->settle(now);
}

void Engine::handle_timeout(base::Instant now) {
  impl_->handle_timeout(now);
  impl_->settle(now);
}

std::optional<Output> Engine::poll() {
  return impl_->state.outputs.pop();
}

std::optional<base::Instant> Engine::next_deadline() const {
  return impl_->next_deadline();
}

}  // namespace ggen::p2p::kad
