#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/identify/engine.hpp>

// What is known of connections, and whom to tell of changes.
namespace ggen::p2p::identify {

std::string_view to_string(Error error) noexcept {
  switch (error) {
    case Error::kTimeout:
      return "not complete in time";
    case Error::kOpenFailed:
      return "no stream to the peer could be opened";
    case Error::kUnsupported:
      return "the peer does not speak the identify protocol";
    case Error::kStreamClosed:
      return "the stream ended in the middle";
    case Error::kTooLarge:
      return "the peer says more about itself than is accepted";
    case Error::kMalformed:
      return "the peer sent a malformed Identify message, or none";
    case Error::kBadKey:
      return "the public key in the message is invalid, or not the peer's";
    case Error::kTooManyStreams:
      return "too many identify streams at a time";
    case Error::kTooManyPushes:
      return "too many pushes";
  }
  return "unknown identify error";
}

Engine::Engine(const Config& config, Info local) : config_(config), local_(std::move(local)) {
  GGEN_INVARIANT(local_.public_key);
}

void Engine::set_local(Info local, base::Instant now) {
  GGEN_INVARIANT(local.public_key);
  if (local == local_) return;
  local_ = std::move(local);
  ++version_;
  if (round_due_) return;
  if (!last_round_ || now - *last_round_ >= config_.push_interval) {
    start_round(now);
  } else {
    round_due_ = *last_round_ + config_.push_interval;
  }
}

void Engine::connected(connection::ConnectionId connection, const multiformats::PeerId& peer,
                       const multiformats::Multiaddr& remote_address, base::Instant now) {
  const auto [entry, fresh] = connections_.try_emplace(
      connection, Connection{.peer = peer, .remote_address = remote_address, .told = version_});
  GGEN_INVARIANT(fresh);
  open(connection, Role::kAsking, now);
}

void Engine::disconnected(connection::ConnectionId connection) {
  // Its exchanges end by themselves, and find nobody to report to.
  connections_.erase(connection);
}

void Engine::handle(connection::StreamInput input, base::Instant now) {
  std::visit(base::Overloaded{[](connection::stream_input::Written&) {},
                              [&](auto& in) { handle_input(in, now); }},
             input);
}

void Engine::handle_timeout(base::Instant now) {
  if (round_due_ && *round_due_ <= now) start_round(now);
  while (const auto id = timers_.pop_due(now)) end_in_time(*id, now);
}

std::optional<Output> Engine::poll() {
  return outputs_.pop();
}

std::optional<base::Instant> Engine::next_deadline() const {
  return base::earlier(round_due_, timers_.earliest());
}

void Engine::start_round(base::Instant now) {
  round_due_.reset();
  last_round_ = now;
  for (const auto* entry : connections_.sorted()) queue_push(entry->first);
  start_pushes(now);
}

void Engine::queue_push(connection::ConnectionId id) {
  Connection& connection = *connections_.find(id);
  if (!connection.takes_pushes || connection.push_queued || connection.told == version_) return;
  connection.push_queued = true;
  to_push_.push(id);
}

void Engine::start_pushes(base::Instant now) {
  while (pushing_ < config_.max_pushes_at_once && !to_push_.empty()) {
    const connection::ConnectionId id = *to_push_.pop();
    Connection* connection = connections_.find(id);
    if (connection == nullptr) continue;
    connection->push_queued = false;
    if (connection->told == version_) continue;
    ++pushing_;
    open(id, Role::kPushing, now);
  }
}

}  // namespace ggen::p2p::identify
