#include "impl.hpp"

#include <utility>
#include <variant>

#include <ggen/p2p/base/overloaded.hpp>

namespace ggen::p2p::kad {

using multiformats::PeerId;

// Peers.

void Engine::Impl::peer_identified(const PeerId& peer, ConnectedPeer known, base::Instant now) {
  if (peer == state.local) return;
  const auto [entry, inserted] = state.connected.try_emplace(peer);
  entry = std::move(known);
  if (entry.serves) {
    add_to_table(peer, entry, now);
  } else {
    state.table.remove(peer);
  }
}

void Engine::Impl::add_to_table(const PeerId& peer, const ConnectedPeer& known, base::Instant now) {
  const bool first = state.table.empty();
  const Added added = state.table.add(peer, known.addresses, known.remote, now);
  if (added == Added::kWaiting) check_longest_silent(Key::of(peer), now);
  if (first && !state.table.empty()) maintenance.begin(now);
}

void Engine::Impl::check_longest_silent(const Key& key, base::Instant now) {
  const TableEntry* entry = state.table.longest_silent(key);
  if (entry == nullptr || now - entry->last_seen < state.config.maintenance.stale_after) return;
  if (!checking_.insert(entry->peer).second) return;
  const Message question{.type = MessageType::kFindNode,
                         .key = base::to_bytes(state.local.bytes())};
  learn(state.record_of(*entry));
  requests.send(QueryId{}, entry->peer, question, now);
}

/// What a request has shown about the peer.
void Engine::Impl::judge_peer(const Requests::Done& done, std::optional<RequestError> error,
                              base::Instant now) {
  const PeerId& peer = done.peer;
  checking_.erase(peer);
  ConnectedPeer* known = state.connected.find(peer);
  if (!error) {
    if (state.table.find(peer) != nullptr) {
      state.table.alive(peer, done.took, now);
    } else if (known != nullptr && known->serves) {
      add_to_table(peer, *known, now);
      state.table.alive(peer, done.took, now);
    }
  } else if (*error == RequestError::kUnsupported) {
    if (known != nullptr) known->serves = false;
    state.table.remove(peer);
  } else if (*error != RequestError::kRefused) {
    state.table.failed(peer);
  }
}

// Queries.

Query Engine::Impl::make_query(base::BytesView key, Query::Goal goal, base::Instant now) const {
  return Query{state.config.query, state.local, base::to_bytes(key), std::move(goal), now};
}

QueryId Engine::Impl::start(Query query, base::Instant now) {
  const bool places = std::holds_alternative<Query::Place>(query.goal());
  if (!query.placing()) {
    query.hear(state.nearest(query.lookup().target(), state.config.query.lookup.k,
                             RoutingTable::Which::kAll));
    // Who has lost its place by failing is better than nobody.
    if (state.table.empty()) query.hear(state.connected_servers());
  }
  if (query.background) ++background_;
  const QueryId id = queries_.emplace(std::move(query));
  // What is found must still be put somewhere: a third of the time is kept for that.
  const base::Duration timeout = state.config.query.timeout;
  query_timers_.set(id, now + (places ? timeout * 2 / 3 : timeout));
  advance(id, now);
  return id;
}

QueryId Engine::Impl::start_publishing(const OwnRecord& record, bool background,
                                       base::Instant now) {
  if (record.kind == OwnRecord::Kind::kProvider) {
    state.provided.begin(record.key, sweep.again_at(record.key, now));
  } else {
    maintenance.publish_at(record, now + state.config.maintenance.republish_interval);
  }
  Query query = make_query(record.key, Query::Place{place_message(record, now)}, now);
  query.publishes = record;
  query.background = background;
  // With too small a number, peers far from the key would be given it.
  if (record.kind == OwnRecord::Kind::kProvider && state.size.firm(now)) {
    query.place_early(*state.network_size(now));
  }
  return start(std::move(query), now);
}

Message Engine::Impl::place_message(const OwnRecord& record, base::Instant now) const {
  if (record.kind == OwnRecord::Kind::kProvider) {
    PeerRecord own = state.own_record();
    own.connection = Connectedness::kNotConnected;
    return Message{.type = MessageType::kAddProvider, .key = record.key, .providers = {own}};
  }
  const auto value = state.find_value(record.key, now);
  return Message{.type = MessageType::kPutValue,
                 .key = record.key,
                 .record = state.make_record(record.key, value.value_or(base::Bytes{}), now)};
}

void Engine::Impl::advance(QueryId id, base::Instant now) {
  for (;;) {
    Query& query = *queries_.find(id);
    while (auto ask = query.next()) {
      if (!state.connected.contains(ask->peer.peer)) learn(ask->peer);
      requests.send(id, ask->peer.peer, ask->message, now);
    }
    if (!query.finished()) {
      if (!query.background && query.placed_early()) release_caller(id, now);
      return;
    }
    if (query.look_further(state, now)) {
      requests.cancel_questions(id);  // of the lookup that is over
      continue;
    }
    if (!query.stop_looking()) {
      finish(id, false, now);
      return;
    }
    requests.cancel_questions(id);  // of the lookup, which needs no more answers
  }
}

/// The record is well placed: whoever waits for it is told so, and the rest goes on unseen.
void Engine::Impl::release_caller(QueryId id, base::Instant now) {
  Query& query = *queries_.find(id);
  state.outputs.push(QueryDone{id, query.result(), query.stats(false, now)});
  // Not one of maintenance's, which would have to wait for it.
  query.background = query.released = true;
}

void Engine::Impl::finish(QueryId id, bool timed_out, base::Instant now) {
  Query& query = *queries_.find(id);
  if (query.random_key && !timed_out) measure(state.size, query.lookup(), now);
  QueryResult result = query.result();
  if (const auto* placed = std::get_if<result::Placed>(&result); placed && query.publishes) {
    published(*query.publishes, *placed, now);
  }
  if (query.explores) sweep.explored(*query.explores, query.lookup(), timed_out, now);
  if (const auto* found = std::get_if<result::FoundPeer>(&result); found && found->peer) {
    learn(*found->peer);
  }
  const QueryStats stats = query.stats(timed_out, now);
  if (stats.asked > 0) state.health.add(stats);
  if (!query.background) state.outputs.push(QueryDone{id, std::move(result), stats});
  std::optional<std::pair<ValueSearch, Lookup>> found_value;
  if (const auto* search = std::get_if<ValueSearch>(&query.goal())) {
    found_value.emplace(*search, query.lookup());
  }
  forget(id);
  if (found_value) correct(found_value->first, found_value->second, now);
}

void Engine::Impl::published(const OwnRecord& record, const result::Placed& placed,
                             base::Instant now) {
  if (record.kind == OwnRecord::Kind::kProvider) {
    sweep.placed(record.key, placed, now);
  } else if (placed.stored == 0 && state.own_values.contains(record.key)) {
    // Nobody took it: it must not wait for the next round.
    maintenance.publish_at(record, now + state.config.maintenance.refresh_interval);
  }
}

void Engine::Impl::forget(QueryId id) {
  requests.cancel(id);
  query_timers_.set(id, std::nullopt);
  const Query& query = *queries_.find(id);
  if (query.background && !query.released) --background_;
  queries_.erase(id);
}

void Engine::Impl::cancel(QueryId id) {
  const Query* query = queries_.find(id);
  // What goes on in the background is no longer the caller's.
  if (query != nullptr && !query->background) forget(id);
}

/// Gives the best value to those who should have it (entry correction).
void Engine::Impl::correct(const ValueSearch& search, const Lookup& lookup, base::Instant now) {
  if (!search.best()) return;
  std::vector<PeerRecord> targets;
  for (const PeerId& peer : search.to_correct(lookup.closest())) {
    if (const PeerRecord* record = lookup.find(peer)) targets.push_back(*record);
  }
  if (targets.empty()) return;
  Message message{.type = MessageType::kPutValue,
                  .key = search.key(),
                  .record = state.make_record(search.key(), *search.best(), now)};
  Query query = make_query(search.key(), Query::Place{std::move(message)}, now);
  query.background = true;
  query.place_at(std::move(targets));
  start(std::move(query), now);
}

void Engine::Impl::learn(const PeerRecord& peer) {
  if (peer.addresses.empty()) return;
  state.outputs.push(AddressesLearned{peer.peer, peer.addresses});
}

// Answers.

void Engine::Impl::on_done(const Requests::Done& done, base::Instant now) {
  Query* query = queries_.find(done.query);
  Query::Yield yield;
  std::optional<RequestError> error;
  if (!done.answer) {
    error = done.answer.error();
    if (query != nullptr) query->failed(done.peer, done.asked, *error);
  } else if (query != nullptr) {
    yield = query->answered(done.peer, *done.answer);
    if (yield.malformed) error = RequestError::kMalformed;
  }
  // Whoever resets the stream over a value is there, and holds a better one or has no room.
  const bool refused = done.asked == MessageType::kPutValue && error == RequestError::kClosed;
  if (!refused) judge_peer(done, error, now);
  if (query == nullptr) return;
  report(done.query, *query, done, yield);
  advance(done.query, now);
}

void Engine::Impl::report(QueryId id, const Query& query, const Requests::Done& done,
                          const Query::Yield& yield) {
  if (query.background) return;
  QueryHop hop{.id = id,
               .peer = done.peer,
               .asked = done.asked,
               .shared_bits = Key::of(done.peer).common_prefix(query.lookup().target()),
               .value = yield.value,
               .took = done.took};
  if (!done.answer) {
    hop.error = done.answer.error();
  } else {
    if (yield.malformed) hop.error = RequestError::kMalformed;
    hop.closer = done.answer->closer.size();
    hop.providers = done.answer->providers.size();
  }
  state.outputs.push(hop);
  for (const PeerRecord& more : yield.addresses) learn(more);
  if (yield.providers.empty()) return;
  for (const PeerRecord& provider : yield.providers) learn(provider);
  state.outputs.push(ProvidersFound{id, yield.providers});
}

void Engine::Impl::on_slow(const Requests::Slow& slow, base::Instant now) {
  Query* query = queries_.find(slow.query);
  if (query == nullptr) return;
  query->slow(slow.peer);
  advance(slow.query, now);
}

void Engine::Impl::settle(base::Instant now) {
  while (auto event = requests.poll()) {
    std::visit(base::Overloaded{
                   [&](const Requests::Done& done) { on_done(done, now); },
                   [&](const Requests::Slow& slow) { on_slow(slow, now); },
               },
               *event);
  }
  while (const auto done = announcements.poll()) on_announced(*done, now);
  run_maintenance(now);
  tell_of_provided(now);
  maintenance.schedule_expiry(now);
  while (const auto change = state.table.poll_change()) state.outputs.push(*change);
}

// Time.

void Engine::Impl::run_maintenance(base::Instant now) {
  while (background_ < state.config.maintenance.max_queries) {
    if (const auto job = maintenance.next_job(now)) {
      run(*job, now);
    } else if (auto of_sweep = sweep.next_job(now)) {
      run(std::move(*of_sweep), now);
    } else {
      return;
    }
  }
}

void Engine::Impl::run(const Maintenance::Job& job, base::Instant now) {
  if (const auto* record = std::get_if<OwnRecord>(&job)) {
    start_publishing(*record, true, now);
    return;
  }
  const auto& refresh = std::get<Maintenance::Refresh>(job);
  Query query = make_query(refresh.key, Query::Closest{}, now);
  query.background = true;
  query.random_key = !base::equal(refresh.key, state.local.bytes());
  start(std::move(query), now);
}

void Engine::Impl::run(Sweep::Job job, base::Instant now) {
  if (auto* single = std::get_if<Sweep::Single>(&job)) {
    start_publishing({OwnRecord::Kind::kProvider, std::move(single->key)}, true, now);
    return;
  }
  const auto& explore = std::get<Sweep::Explore>(job);
  Query query = make_query(explore.key, Query::Closest{}, now);
  query.background = true;
  query.random_key = explore.random;
  query.explores = explore.region;
  query.hear(explore.known);
  start(std::move(query), now);
}

void Engine::Impl::on_announced(const Announcements::Done& done, base::Instant now) {
  if (done.error) {
    judge_peer({.query = {},
                .peer = done.peer,
                .asked = MessageType::kAddProvider,
                .answer = std::unexpected(*done.error),
                .took = done.took},
               done.error, now);
  }
  sweep.announced(done, now);
}

void Engine::Impl::tell_of_provided(base::Instant now) {
  while (announcements.has_room()) {
    auto batch = sweep.next_batch();
    if (!batch) break;
    if (!state.connected.contains(batch->peer.peer)) learn(batch->peer);
    announcements.begin(std::move(*batch), now);
  }
  if (state.config.maintenance.max_queries == 0) return;
  if (auto behind = sweep.fallen_behind(now)) state.outputs.push(*behind);
}

void Engine::Impl::handle_timeout(base::Instant now) {
  requests.handle_timeout(now);
  announcements.handle_timeout(now);
  server.handle_timeout(now);
  maintenance.expire(now);
  while (const auto id = query_timers_.pop_due(now)) {
    if (queries_.find(*id)->stop_looking()) {
      requests.cancel_questions(*id);
      query_timers_.set(*id, now + state.config.query.timeout / 3);
      advance(*id, now);
    } else {
      finish(*id, true, now);
    }
  }
}

std::optional<base::Instant> Engine::Impl::next_deadline() const {
  auto next = base::earlier(requests.next_deadline(), server.next_deadline());
  next = base::earlier(next, query_timers_.earliest());
  next = base::earlier(next, maintenance.next_expiry());
  next = base::earlier(next, announcements.next_deadline());
  if (state.config.maintenance.max_queries > 0) next = base::earlier(next, sweep.behind_at());
  if (background_ >= state.config.maintenance.max_queries) return next;
  next = base::earlier(next, maintenance.next_job_at());
  return base::earlier(next, sweep.next_job_at());
}

}  // namespace ggen::p2p::kad
