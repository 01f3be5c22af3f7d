#include <algorithm>
#include <utility>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/telemetry/span_tracker.hpp>

#include "attributes.hpp"

// The spans of what people ask of a node: packages, and keys of the DHT.
namespace ggen::p2p::telemetry {
namespace {

std::string name_of(const registry::SearchRequest& request) {
  std::string query;
  const auto add = [&](std::string_view label, std::string_view word) {
    if (word.empty()) return;
    if (!query.empty()) query += ' ';
    query.append(label).append(word);
  };
  for (const std::string& word : request.words) add("", word);
  add("category:", request.category);
  add("tag:", request.tag);
  return query;
}

void add_release(Attributes& attributes, const registry::Metadata& metadata) {
  attributes.push_back(text("package.name", metadata.name.text()));
  attributes.push_back(text("package.version", metadata.version.text()));
}

}  // namespace

// ---- Packages ----

Parent SpanTracker::publish_started(registry::OperationId id, const multiformats::PeerId& publisher,
                                    const registry::Metadata& metadata,
                                    const registry::Archive& archive, base::Instant now,
                                    Parent parent) {
  if (stopped_) return {};
  Attributes attributes;
  add_release(attributes, metadata);
  attributes.push_back(text("publisher", publisher.to_string()));
  const auto span = spans_.begin(
      {.name = "p2p.package.publish", .parent = parent, .attributes = std::move(attributes)}, now);
  if (!span) return span;
  operations_.try_emplace(id, *span);
  if (unprovided_.size() >= max_publishes_) unprovided_.pop_front();
  unprovided_.emplace_back(archive.root, *span);
  return span;
}

void SpanTracker::on(const registry::event::PublishDone& done, base::Instant now) {
  const SpanContext* found = operations_.find(done.id);
  if (found == nullptr) return;
  const SpanContext span = *found;
  operations_.erase(done.id);
  if (done.result) {
    spans_.set(span.span, text("entry.id", done.result->to_string()));
    return spans_.end(span.span, now);
  }
  std::erase_if(unprovided_, [&](const auto& one) { return one.second == span; });
  std::string error{to_string(done.result.error().error)};
  if (const auto& detail = done.result.error().detail; !detail.empty()) {
    error.append(": ").append(detail);
  }
  spans_.end(span.span, now, std::move(error));
}

void SpanTracker::on(const registry::event::Provided& provided, base::Instant now) {
  using Unprovided = std::pair<crypto::Sha256Digest, SpanContext>;
  const auto publish = std::ranges::find(unprovided_, provided.root, &Unprovided::first);
  const bool taken = provided.placed.stored > 0;
  const auto span =
      spans_.begin({.name = "p2p.dht.put",
                    .parent = publish == unprovided_.end() ? Parent{} : Parent{publish->second},
                    .attributes = {text("dht.key", base::to_hex(provided.key)),
                                   number("dht.stored", provided.placed.stored),
                                   number("dht.failed", provided.placed.failed)}},
                   now - provided.took);
  if (span) {
    spans_.end(span->span, now,
               taken ? std::nullopt : std::optional<std::string>{"nobody took it"});
  }
  if (taken && publish != unprovided_.end()) unprovided_.erase(publish);
}

void SpanTracker::on(const registry::event::EntryAdded& added, base::Instant now) {
  if (!added.from) return;
  const registry::Statement& statement = added.entry.statement;
  Attributes attributes{text("from", added.from->to_string()),
                        text("entry.id", added.entry.id.to_string()), number("seq", statement.seq),
                        text("publisher", statement.publisher.to_string())};
  if (const auto* publish = std::get_if<registry::Publish>(&statement.body)) {
    add_release(attributes, publish->metadata);
  }
  const auto span =
      spans_.begin({.name = "p2p.package.receive", .attributes = std::move(attributes)}, now);
  if (span) spans_.end(span->span, now);
}

Parent SpanTracker::resolve_started(const registry::Reference& reference, base::Instant now,
                                    Parent parent) {
  if (stopped_) return {};
  return spans_.begin({.name = "p2p.package.resolve",
                       .parent = parent,
                       .attributes = {text("reference", reference.text())}},
                      now);
}

void SpanTracker::resolve_done(
    const Parent& resolve, const std::expected<registry::Resolved, registry::ResolveError>& result,
    base::Instant now) {
  if (!resolve) return;
  const SpanId span = resolve->span;
  spans_.set(span, flag("found", result.has_value()));
  if (!result) return spans_.end(span, now, result.error().message());
  spans_.set(span, text("version", result->release.version.text()));
  spans_.set(span, text("publisher", result->publisher.to_string()));
  spans_.end(span, now);
}

Parent SpanTracker::search_started(registry::OperationId id, const registry::SearchRequest& request,
                                   base::Instant now, Parent parent) {
  if (stopped_) return {};
  const auto span = spans_.begin({.name = "p2p.package.search",
                                  .parent = parent,
                                  .attributes = {text("query", name_of(request))}},
                                 now);
  if (span) operations_.try_emplace(id, *span);
  return span;
}

void SpanTracker::on(const registry::event::SearchDone& done, base::Instant now) {
  const SpanContext* found = operations_.find(done.id);
  if (found == nullptr) return;
  const SpanId span = found->span;
  operations_.erase(done.id);
  spans_.set(span, number("hits", done.hits.size()));
  spans_.set(span, number("asked", done.asked));
  spans_.set(span, number("answered", done.answered));
  spans_.set(span, flag("timed_out", done.timed_out));
  spans_.end(span, now, done.timed_out ? std::optional<std::string>{"Timeout"} : std::nullopt);
}

Parent SpanTracker::fetch_started(registry::OperationId id, const registry::Archive& archive,
                                  base::Instant now, Parent parent) {
  if (stopped_) return {};
  const auto span = spans_.begin({.name = "p2p.package.fetch",
                                  .parent = parent,
                                  .attributes = {text("archive.root", base::to_hex(archive.root))}},
                                 now);
  const std::uint64_t chunks = archive.is_valid() ? archive.chunk_count() : 0;
  if (span) fetches_.try_emplace(id, Fetch{span->span, chunks});
  return span;
}

void SpanTracker::on(const registry::event::FetchProgress& progress, base::Instant) {
  if (Fetch* fetch = fetches_.find(progress.id)) fetch->held = progress.chunks_held;
}

void SpanTracker::on(const registry::event::FetchDone& done, base::Instant now) {
  const Fetch* found = fetches_.find(done.id);
  if (found == nullptr) return;
  const Fetch fetch = *found;
  fetches_.erase(done.id);
  std::uint64_t bytes = 0;
  std::uint64_t chunks = 0;
  for (const auto& source : done.sources) {
    bytes += source.bytes;
    chunks += source.chunks;
    spans_.add_event(fetch.span, "source",
                     {text("peer.id", source.peer.to_string()), number("chunks", source.chunks),
                      number("bytes", source.bytes), number("bad_chunks", source.bad_chunks)},
                     now);
  }
  const std::uint64_t held = done.result ? fetch.chunks : fetch.held;
  const std::string_view result = done.result ? "fetched" : to_string(done.result.error());
  spans_.set(fetch.span, number("bytes", bytes));
  spans_.set(fetch.span, number("providers", done.sources.size()));
  spans_.set(fetch.span, number("resumed_chunks", held - std::min(held, chunks)));
  spans_.set(fetch.span, text("result", result));
  spans_.end(fetch.span, now, done.result ? std::nullopt : std::optional{std::string(result)});
}

// ---- Keys of the DHT ----

Parent SpanTracker::begin_query(kad::QueryId id, std::string name, Attribute what,
                                base::Instant now, Parent parent) {
  if (stopped_) return {};
  const auto span = spans_.begin(
      {.name = std::move(name), .parent = parent, .attributes = {std::move(what)}}, now);
  if (span) queries_.try_emplace(id, *span);
  return span;
}

Parent SpanTracker::dht_put_started(kad::QueryId id, base::BytesView key, base::Instant now,
                                    Parent parent) {
  return begin_query(id, "p2p.dht.put", text("dht.key", base::to_hex(key)), now, parent);
}

Parent SpanTracker::dht_get_started(kad::QueryId id, base::BytesView key, base::Instant now,
                                    Parent parent) {
  return begin_query(id, "p2p.dht.get", text("dht.key", base::to_hex(key)), now, parent);
}

Parent SpanTracker::dht_closest_started(kad::QueryId id, base::BytesView key, base::Instant now,
                                        Parent parent) {
  return begin_query(id, "p2p.dht.closest", text("dht.key", base::to_hex(key)), now, parent);
}

Parent SpanTracker::find_providers_started(kad::QueryId id, base::BytesView key, base::Instant now,
                                           Parent parent) {
  return begin_query(id, "p2p.dht.find_providers", text("dht.key", base::to_hex(key)), now, parent);
}

Parent SpanTracker::find_peer_started(kad::QueryId id, const multiformats::PeerId& peer,
                                      base::Instant now, Parent parent) {
  return begin_query(id, "p2p.dht.find_peer", text("peer.id", peer.to_string()), now, parent);
}

void SpanTracker::query_cancelled(kad::QueryId id, base::Instant now) {
  const SpanContext* span = queries_.find(id);
  if (span == nullptr) return;
  spans_.end(span->span, now, "cancelled");
  queries_.erase(id);
}

void SpanTracker::on(const kad::QueryHop& hop, base::Instant now) {
  const SpanContext* span = queries_.find(hop.id);
  if (span == nullptr) return;
  Attributes attributes{text("peer.id", hop.peer.to_string()),  text("asked", to_string(hop.asked)),
                        number("shared_bits", hop.shared_bits), number("closer", hop.closer),
                        number("providers", hop.providers),     flag("value", hop.value)};
  if (hop.error) attributes.push_back(text("error", to_string(*hop.error)));
  spans_.add_event(span->span, "hop", std::move(attributes), now);
}

void SpanTracker::on(const kad::QueryDone& done, base::Instant now) {
  const SpanContext* found = queries_.find(done.id);
  if (found == nullptr) return;
  const SpanId span = found->span;
  queries_.erase(done.id);
  bool nobody_took = false;
  std::visit(base::Overloaded{
                 [&](const kad::result::Placed& placed) {
                   spans_.set(span, number("dht.stored", placed.stored));
                   spans_.set(span, number("dht.failed", placed.failed));
                   nobody_took = placed.stored == 0;
                 },
                 [&](const kad::result::FoundValue& value) {
                   spans_.set(span, flag("found", value.value.has_value()));
                   spans_.set(span, number("dht.same", value.same));
                   spans_.set(span, number("dht.outdated", value.outdated));
                   spans_.set(span, number("dht.invalid", value.invalid));
                 },
                 [&](const kad::result::FoundProviders& providers) {
                   spans_.set(span, number("providers", providers.providers.size()));
                 },
                 [&](const kad::result::FoundPeer& peer) {
                   spans_.set(span, flag("found", peer.peer.has_value()));
                   spans_.set(span, flag("reached", peer.reached));
                 },
                 [&](const kad::result::Closest& closest) {
                   spans_.set(span, number("peers", closest.peers.size()));
                 },
             },
             done.result);
  spans_.set(span, number("dht.asked", done.stats.asked));
  spans_.set(span, number("dht.answered", done.stats.answered));
  if (done.stats.crowded) spans_.set(span, flag("dht.crowded", true));
  std::optional<std::string> error;
  if (nobody_took) error = "nobody took it";
  if (done.stats.end == kad::QueryEnd::kTimeout) error = "Timeout";
  if (done.stats.end == kad::QueryEnd::kNoPeers) error = to_string(done.stats.end);
  spans_.end(span, now, std::move(error));
}

}  // namespace ggen::p2p::telemetry
