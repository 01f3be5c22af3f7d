#include "impl.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <type_traits>

#include <asio/co_spawn.hpp>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/multistream/negotiation.hpp>

#include "explain.hpp"

namespace ggen::p2p::host {
namespace {

std::uint64_t draw_seed(crypto::Crypto& crypto) {
  std::array<std::uint8_t, 8> bytes{};
  crypto.random(bytes);
  return base::load_big_endian<std::uint64_t>(bytes.data());
}

std::unique_ptr<node::Node> make_node(crypto::KeyPair identity, crypto::Crypto& crypto,
                                      const Config& config) {
  auto channels = node::make_secure_channels(config.connection, crypto, identity);
  const auto wall_now =
      std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
  return std::make_unique<node::Node>(config.node, std::move(identity), crypto, std::move(channels),
                                      base::Prng{draw_seed(crypto)}, Driver::now(), wall_now);
}

// The copy keeps alive what the handler has captured, whatever becomes of the table of handlers.
asio::awaitable<void> serve(Host::StreamHandler handler, Stream stream) {
  auto task = handler(std::move(stream));
  co_await std::move(task);
}

Failure stopped() {
  return {Errc::kStopped, "the host has been stopped"};
}

}  // namespace

Host::Impl::Impl(asio::any_io_executor executor, crypto::KeyPair identity, Config config)
    : crypto_(crypto::make_system_crypto()),
      pool_(config.pool_threads),
      driver_(std::make_shared<Driver>(
          executor, pool_, make_node(std::move(identity), *crypto_, config),
          [this](node::Output output) { on_output(std::move(output)); })) {}

Host::Impl::~Impl() {
  driver_->shutdown();
  fail_everything();
  for (auto& promise : std::exchange(stopped_, {})) promise(0);
}

// ---- What the application asks for ----

// Lets `act(node, now)` note the promise with what it asks for; after the end there is nobody to
// ask.
template <class T, class Act>
void Host::Impl::ask(Promise<Result<T>>& promise, Act&& act) {
  if (driver_->stopped()) return promise(std::unexpected(stopped()));
  driver_->drive(std::forward<Act>(act));
}

void Host::Impl::dial(multiformats::Multiaddr address,
                      Promise<Result<multiformats::PeerId>> promise) {
  ask(promise, [&](node::Node& node, base::Instant now) {
    swarm::DialRequest request;
    request.peer = address.peer_id();
    request.addresses.push_back(std::move(address));
    request.purpose = swarm::Purpose::kUser;
    request.force = true;  // a person who asks again means it
    dials_.try_emplace(node.swarm(now).dial(std::move(request), now), std::move(promise));
  });
}

void Host::Impl::listen(multiformats::Multiaddr address,
                        Promise<Result<std::vector<multiformats::Multiaddr>>> promise) {
  ask(promise, [&](node::Node& node, base::Instant now) {
    listens_.try_emplace(node.swarm(now).listen(address, now), std::move(promise));
  });
}

void Host::Impl::open_stream(multiformats::PeerId peer, std::vector<std::string> protocols,
                             Promise<Result<Stream>> promise) {
  if (protocols.empty() || !std::ranges::all_of(protocols, multistream::valid_protocol)) {
    Failure failure{Errc::kInvalidProtocol,
                    "a stream needs protocol ids, none empty, above 1,023 bytes or with a newline "
                    "in it"};
    return opened(std::move(promise), std::unexpected(std::move(failure)));
  }
  if (driver_->stopped()) return opened(std::move(promise), std::unexpected(stopped()));
  driver_->drive([&](node::Node& node, base::Instant now) {
    const auto token = node.open_stream(peer, protocols, now);
    opening_.try_emplace(token, Opening{peer, std::move(protocols), std::move(promise)});
  });
}

void Host::Impl::ping(multiformats::PeerId peer, Promise<Result<base::Duration>> promise) {
  ask(promise, [&](node::Node& node, base::Instant now) {
    pings_.try_emplace(node.ping(now).ping(peer, std::nullopt, now), std::move(promise));
  });
}

void Host::Impl::measure(multiformats::PeerId peer, std::uint64_t upload, std::uint64_t download,
                         Promise<Result<perf::Result>> promise) {
  ask(promise, [&](node::Node& node, base::Instant now) {
    measurements_.try_emplace(node.perf(now).run(peer, upload, download, now), std::move(promise));
  });
}

void Host::Impl::identify(multiformats::PeerId peer, Promise<Result<identify::Info>> promise) {
  if (const auto* known = identities_.find(peer)) {
    promise(*known);
  } else if (!node().swarm().connected(peer)) {
    promise(std::unexpected(Failure{Errc::kNotConnected, "not connected to the peer"}));
  } else {
    curious_[peer].push_back(std::move(promise));
  }
}

void Host::Impl::handle(const std::string& protocol, StreamHandler handler) {
  if (!multistream::valid_protocol(protocol)) {
    throw std::invalid_argument("not a protocol id: " + protocol);
  }
  handlers_[protocol] = std::move(handler);
  driver_->drive([&](node::Node& node, base::Instant now) { node.handle_protocol(protocol, now); });
}

void Host::Impl::unhandle(const std::string& protocol) {
  handlers_.erase(protocol);
  driver_->drive(
      [&](node::Node& node, base::Instant now) { node.unhandle_protocol(protocol, now); });
}

void Host::Impl::open_registry(registry::Config config, std::optional<registry::Signer> signer,
                               registry::Storage& storage) {
  driver_->use_storage(storage, [this] { check_stopped(); });
  driver_->drive([&](node::Node& node, base::Instant now) {
    node.open_registry(std::move(config), std::move(signer), now);
  });
}

void Host::Impl::stop(Promise<int> promise) {
  if (driver_->stopped()) return promise(0);
  const bool stopping = !stopped_.empty();
  stopped_.push_back(std::move(promise));
  if (stopping) return;
  driver_->drive([](node::Node& node, base::Instant now) { node.stop(now); });
  check_stopped();
}

void Host::Impl::check_stopped() {
  if (stopped_.empty() || node().connection_count() > 0 || driver_->storage_operations() > 0) {
    return;
  }
  driver_->shutdown();
  fail_everything();
  for (auto& promise : std::exchange(stopped_, {})) promise(0);
}

template <class Map, class T>
void fail_all(Map& waiting, std::type_identity<T>) {
  for (auto* entry : waiting.sorted()) entry->second(Result<T>{std::unexpected(stopped())});
  waiting.clear();
}

void Host::Impl::fail_everything() {
  for (auto* entry : opening_.sorted()) {
    opened(std::move(entry->second.promise), std::unexpected(stopped()));
  }
  for (auto* entry : negotiating_.sorted()) {
    opened(std::move(entry->second.promise), std::unexpected(stopped()));
  }
  opening_.clear();
  negotiating_.clear();
  fail_all(dials_, std::type_identity<multiformats::PeerId>{});
  fail_all(listens_, std::type_identity<std::vector<multiformats::Multiaddr>>{});
  fail_all(pings_, std::type_identity<base::Duration>{});
  fail_all(measurements_, std::type_identity<perf::Result>{});
  for (auto* entry : curious_.sorted()) {
    for (auto& promise : entry->second) promise(std::unexpected(stopped()));
  }
  curious_.clear();
  for (auto* entry : streams_.sorted()) entry->second->abandon(Errc::kStopped);
  streams_.clear();
}

// ---- What the node reports ----

void Host::Impl::on_output(node::Output output) {
  const bool of_stream = std::holds_alternative<connection::StreamInput>(output) ||
                         std::holds_alternative<node::output::StreamWritable>(output);
  if (observer_ && !of_stream) observer_(output);
  std::visit(
      base::Overloaded{
          [&](swarm::Output& o) { on_output(o); },
          [&](connection::StreamInput& o) { std::visit([&](auto& input) { on_input(input); }, o); },
          [&](node::output::StreamWritable& o) {
            if (const StreamPtr found = stream(o.stream)) found->on_writable();
          },
          [&](identify::Identified& o) { identified(o.peer, o.info); },
          [&](identify::IdentifyFailed& o) {
            identified(o.peer, std::unexpected(Failure{Errc::kProtocolViolation,
                                                       std::string{identify::to_string(o.error)}}));
          },
          [&](ping::PingDone& o) { complete(pings_, o.id, o.round_trip); },
          [&](perf::PerfDone& o) { complete(measurements_, o.id, o.result); },
          [](auto&) {},
      },
      output);
  check_stopped();
}

// Resumes whoever waits for the outcome of `id`.
template <class Waiting, class Id, class Outcome>
void Host::Impl::complete(Waiting& waiting, Id id, const Outcome& outcome) {
  auto* found = waiting.find(id);
  if (found == nullptr) return;
  auto promise = std::move(*found);
  waiting.erase(id);
  if (outcome) {
    promise(*outcome);
  } else {
    promise(std::unexpected(explain(outcome.error())));
  }
}

void Host::Impl::on_output(swarm::Output& output) {
  using Listened = std::expected<std::vector<multiformats::Multiaddr>, swarm::event::ListenFailed>;
  std::visit(base::Overloaded{
                 [&](swarm::event::DialDone& e) { dial_done(e); },
                 [&](swarm::event::Listening& e) {
                   complete(listens_, e.id, Listened{std::move(e.addresses)});
                 },
                 [&](swarm::event::ListenFailed& e) {
                   complete(listens_, e.id, Listened{std::unexpected(e)});
                 },
                 [&](swarm::event::PeerDisconnected& e) { forget(e.peer); },
                 [](auto&) {},
             },
             output);
}

void Host::Impl::dial_done(const swarm::event::DialDone& done) {
  std::expected<multiformats::PeerId, swarm::DialFailure> outcome =
      std::unexpected(swarm::DialFailure{swarm::DialFailureKind::kAllFailed, {}, {}});
  if (done.result) {
    const auto* record = node().swarm().connection(*done.result);
    if (record != nullptr && record->peer) outcome = *record->peer;  // else it has closed already
  } else {
    outcome = std::unexpected(done.result.error());
  }
  complete(dials_, done.dial, outcome);
}

void Host::Impl::identified(const multiformats::PeerId& peer,
                            const Result<identify::Info>& outcome) {
  // An answer may be told after the connection that brought it has closed: then there is nobody to
  // remember.
  if (node().swarm().connected(peer)) {
    // What one connection has told is not lost because another one fails to.
    if (outcome) {
      identities_.erase(peer);
    }
    identities_.try_emplace(peer, outcome);
  }
  satisfy_curious(peer, outcome);
}

void Host::Impl::forget(const multiformats::PeerId& peer) {
  identities_.erase(peer);
  satisfy_curious(peer, std::unexpected(Failure{Errc::kConnectionClosed, "the connection closed"}));
}

void Host::Impl::satisfy_curious(const multiformats::PeerId& peer,
                                 const Result<identify::Info>& outcome) {
  auto* waiting = curious_.find(peer);
  if (waiting == nullptr) return;
  auto promises = std::move(*waiting);
  curious_.erase(peer);
  for (auto& promise : promises) promise(outcome);
}

// ---- Streams ----

Host::Impl::StreamPtr Host::Impl::stream(connection::StreamRef ref) {
  const StreamPtr* found = streams_.find(ref);
  return found == nullptr ? nullptr : *found;
}

void Host::Impl::on_input(connection::stream_input::Opening& input) {
  Opening* found = opening_.find(input.token);
  if (found == nullptr) return;
  Opening opening = std::move(*found);
  opening_.erase(input.token);
  const auto state = std::make_shared<detail::StreamState>(driver_, input.stream, opening.peer,
                                                           opening.protocols.front());
  streams_[input.stream] = state;
  if (opening.protocols.size() == 1) {
    opened(std::move(opening.promise), Stream{state});
  } else {
    negotiating_.try_emplace(input.stream, std::move(opening));
  }
}

void Host::Impl::on_input(connection::stream_input::OpenFailed& input) {
  Opening* found = opening_.find(input.token);
  if (found == nullptr) return;
  auto promise = std::move(found->promise);
  opening_.erase(input.token);
  opened(std::move(promise), std::unexpected(explain(input.failure)));
}

void Host::Impl::on_input(connection::stream_input::Opened& input) {
  if (input.direction == connection::Direction::kInbound) {
    const auto state = std::make_shared<detail::StreamState>(driver_, input.stream, input.peer,
                                                             std::move(input.protocol));
    streams_[input.stream] = state;
    accept(state);
    return;
  }
  Opening* waiting = negotiating_.find(input.stream);
  const StreamPtr state = stream(input.stream);
  if (waiting == nullptr || state == nullptr) return;
  auto promise = std::move(waiting->promise);
  negotiating_.erase(input.stream);
  state->agreed_on(std::move(input.protocol));
  opened(std::move(promise), Stream{state});
}

void Host::Impl::on_input(connection::stream_input::Data& input) {
  if (const StreamPtr found = stream(input.stream)) found->on_data(std::move(input.data));
}

void Host::Impl::on_input(connection::stream_input::Finished& input) {
  if (const StreamPtr found = stream(input.stream)) found->on_finished();
}

void Host::Impl::on_input(connection::stream_input::Closed& input) {
  if (Opening* waiting = negotiating_.find(input.stream)) {
    auto promise = std::move(waiting->promise);
    negotiating_.erase(input.stream);
    opened(std::move(promise), std::unexpected(explain(input.end)));
  }
  const StreamPtr found = stream(input.stream);
  streams_.erase(input.stream);
  if (found) found->on_closed(input.end);
}

// Resumes whoever asked for the stream when the driver has nothing else under way, as its reads and
// writes do: what they write at once leaves together with what opens the stream.
void Host::Impl::opened(Promise<Result<Stream>> promise, Result<Stream> outcome) {
  auto resume = [promise = std::move(promise), outcome = std::move(outcome)](
                    std::error_code, std::size_t) mutable { promise(std::move(outcome)); };
  driver_->complete(std::move(resume), {}, 0);
}

void Host::Impl::accept(const StreamPtr& state) {
  const auto found = handlers_.find(state->protocol());
  if (found == handlers_.end()) return state->reset();
  // An exception of the handler ends with its stream: the handle goes out of scope, which resets
  // it.
  asio::co_spawn(driver_->executor(), serve(found->second, Stream{state}),
                 [](std::exception_ptr) {});
}

}  // namespace ggen::p2p::host
