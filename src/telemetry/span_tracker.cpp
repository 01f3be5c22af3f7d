#include <variant>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/telemetry/span_tracker.hpp>

#include "attributes.hpp"

namespace ggen::p2p::telemetry {

SpanTracker::SpanTracker(base::Prng prng, base::WallTime wall_at_zero, const SpanLimits& limits)
    : spans_(prng, wall_at_zero, limits), max_publishes_(limits.max_open) {}

void SpanTracker::observe(const node::Output& output, base::Instant now) {
  if (stopped_) return;
  const auto take = [&](const auto& event) {
    if constexpr (requires { on(event, now); }) on(event, now);
  };
  std::visit(base::Overloaded{
                 [&](const swarm::Output& of_swarm) { std::visit(take, of_swarm); },
                 [&](const registry::Output& of_registry) { std::visit(take, of_registry); },
                 [&](const auto& event) { take(event); },
             },
             output);
}

void SpanTracker::stop(base::Instant now) {
  if (stopped_) return;
  stopped_ = true;
  spans_.end_all(now, "the node stopped");
  joining_.reset();
  dialling_.clear();
  connecting_.clear();
  verifying_.clear();
  operations_.clear();
  fetches_.clear();
  queries_.clear();
  unprovided_.clear();
}

// ---- Finding the network ----

void SpanTracker::joined(const multiformats::PeerId& self, std::size_t bootstrap_addresses,
                         base::Instant now) {
  if (stopped_ || joining_) return;
  joining_.emplace(Joining{self, bootstrap_addresses});
  begin_joining(now);
  if (verified_ && joining_->span) spans_.end(joining_->span->span, now);
}

void SpanTracker::begin_joining(base::Instant now) {
  joining_->failed.clear();
  joining_->span =
      spans_.begin({.name = "p2p.network.init",
                    .attributes = {text("peer.id", joining_->self.to_string()),
                                   number("bootstrap.addresses", joining_->addresses)}},
                   now);
}

void SpanTracker::on(const node::output::BootstrapFailed& failed, base::Instant now) {
  if (!joining()) return;
  const SpanId span = joining_->span->span;
  std::string address = failed.address.to_string();
  const auto& tried = failed.failure.addresses;
  const std::string_view why =
      tried.empty() ? to_string(failed.failure.kind) : to_string(tried.front().reason);
  spans_.add_event(span, "bootstrap.failed", {text("net.address", address), text("error", why)},
                   now);
  joining_->failed.insert(std::move(address));
  if (joining_->failed.size() < joining_->addresses) return;
  spans_.end(span, now, "no bootstrap address could be reached");
  joining_->span.reset();
}

// ---- Connections ----

Parent SpanTracker::begin_connect(const multiformats::Multiaddr& address,
                                  connection::Direction direction, base::Instant started) {
  const bool inbound = direction == connection::Direction::kInbound;
  return spans_.begin({.name = "p2p.peer.connect",
                       .parent = joining(),
                       .attributes = {text("net.address", address.to_string()),
                                      text("direction", inbound ? "inbound" : "outbound")},
                       .kind = inbound ? SpanKind::kServer : SpanKind::kClient},
                      started);
}

void SpanTracker::end_connect(const SpanContext& connect, std::string_view outcome, bool failed,
                              base::Instant now) {
  spans_.set(connect.span, text("outcome", outcome));
  spans_.end(connect.span, now, failed ? std::optional{std::string(outcome)} : std::nullopt);
}

void SpanTracker::on(const swarm::output::Dial& dial, base::Instant now) {
  // After a failure, the node tries again by itself.
  if (joining_ && !joining_->span && !verified_) begin_joining(now);
  const auto span = begin_connect(dial.address, connection::Direction::kOutbound, now);
  if (span) dialling_.try_emplace(dial.attempt, *span);
}

void SpanTracker::on(const swarm::output::CancelDial& cancel, base::Instant now) {
  const SpanContext* span = dialling_.find(cancel.attempt);
  if (span == nullptr) return;
  end_connect(*span, "given up", true, now);
  dialling_.erase(cancel.attempt);
}

void SpanTracker::on(const node::output::Dialed& dialed, base::Instant now) {
  const SpanContext* span = dialling_.find(dialed.attempt);
  if (span == nullptr) return;
  if (dialed.result) {
    spans_.add_event(span->span, "transport connected", {}, now);
    connecting_.try_emplace(*dialed.result, *span);
  } else {
    end_connect(*span, to_string(dialed.result.error()), true, now);
  }
  dialling_.erase(dialed.attempt);
}

// Inbound connections are heard of only when they are secured, or have ended before.
Parent SpanTracker::connect_of(const swarm::ConnectionRecord& record) {
  Parent span;
  if (const SpanContext* begun = connecting_.find(record.id)) {
    span = *begun;
    connecting_.erase(record.id);
  } else {
    span = begin_connect(record.remote, record.direction, record.opened_at);
  }
  const auto& peer = record.peer ? record.peer : record.expected_peer;
  if (span && peer) spans_.set(span->span, text("peer.id", peer->to_string()));
  return span;
}

void SpanTracker::on(const swarm::event::ConnectionOpened& opened, base::Instant now) {
  const Parent connect = connect_of(opened.record);
  if (connect) end_connect(*connect, "connected", false, now);
  Attributes attributes;
  if (opened.record.peer) attributes.push_back(text("peer.id", opened.record.peer->to_string()));
  const auto verify = spans_.begin({.name = "p2p.peer.verify_connection",
                                    .parent = connect,
                                    .attributes = std::move(attributes)},
                                   now);
  if (verify) verifying_.try_emplace(opened.record.id, *verify);
}

void SpanTracker::on(const swarm::event::ConnectionClosed& closed, base::Instant now) {
  const swarm::ConnectionRecord& record = closed.record;
  const std::string_view cause = record.cause ? to_string(*record.cause) : "closed";
  if (!record.secured_at) {
    if (const auto connect = connect_of(record)) end_connect(*connect, cause, true, now);
  } else if (const SpanContext* verify = verifying_.find(record.id)) {
    spans_.end(verify->span, now, std::string(cause));
    verifying_.erase(record.id);
  }
}

void SpanTracker::on(const identify::Identified& identified, base::Instant now) {
  if (const SpanContext* verify = verifying_.find(identified.connection)) {
    spans_.set(verify->span, text("agent", identified.info.agent_version.value_or("")));
    spans_.set(verify->span, number("protocols", identified.info.protocols.size()));
    spans_.end(verify->span, now);
    verifying_.erase(identified.connection);
  }
  verified_ = true;
  if (!joining()) return;
  spans_.end(joining_->span->span, now);
  joining_->span.reset();
}

void SpanTracker::on(const identify::IdentifyFailed& failed, base::Instant now) {
  const SpanContext* verify = verifying_.find(failed.connection);
  if (verify == nullptr) return;
  spans_.end(verify->span, now, std::string(to_string(failed.error)));
  verifying_.erase(failed.connection);
}

}  // namespace ggen::p2p::telemetry
