#include "node_service.hpp"

#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "dht_json.hpp"
#include "package_json.hpp"
#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

Exit exit_of(marketplace::Reason reason) {
  using marketplace::Reason;
  switch (reason) {
    case Reason::kHome:
    case Reason::kKey:
      return Exit::kHome;
    case Reason::kLocked:
      return Exit::kHomeInUse;
    case Reason::kListen:
      return Exit::kListen;
    case Reason::kInput:
      return Exit::kUsage;
    case Reason::kPackage:
    case Reason::kExists:
    case Reason::kRefused:
      return Exit::kRefused;
    case Reason::kOutput:
      return Exit::kOutput;
    case Reason::kNotFound:
      return Exit::kNotFound;
    case Reason::kAmbiguous:
      return Exit::kAmbiguous;
    case Reason::kUnavailable:
    case Reason::kUnsafe:
      return Exit::kUnavailable;
    case Reason::kCancelled:
      return Exit::kInterrupted;
    case Reason::kStopped:
      return Exit::kNodeGone;
    case Reason::kStorage:
    case Reason::kBusy:
      break;
  }
  return Exit::kFailed;
}

template <class T>
Result<Json> answer_of(const marketplace::Result<T>& result) {
  if (!result) return std::unexpected(error_of(result.error()));
  return to_json(*result);
}

marketplace::ProgressHandler progress_to(Service::Report report) {
  return [report = std::move(report)](const marketplace::Progress& progress) {
    report(to_json(progress));
  };
}

}  // namespace

Error error_of(const marketplace::Failure& failure) {
  return {exit_of(failure.reason), sentence(failure.message),
          failure.hint.empty() ? std::string{} : sentence(failure.hint)};
}

Json addresses_json(const marketplace::Registry& registry) {
  Json list = Json::array();
  for (const auto& address : registry.addresses()) list.push_back(address.to_string());
  return list;
}

NodeService::NodeService(const Settings& settings, marketplace::Registry& registry,
                         const PeerAgents& agents, std::function<void()> stop)
    : settings_(settings), registry_(registry), agents_(agents), stop_(std::move(stop)) {}

Service::Answer NodeService::publish(request::Publish request, Report report) {
  auto publishing = registry_.publish(request.directory, progress_to(std::move(report)));
  const auto published = co_await std::move(publishing);
  co_return answer_of(published);
}

Service::Answer NodeService::search(request::Search request, Report) {
  marketplace::Query query;
  query.request = {std::move(request.words), std::move(request.category), std::move(request.tag),
                   request.limit};
  query.timeout = request.timeout;
  auto searching = registry_.search(std::move(query));
  const auto found = co_await std::move(searching);
  co_return answer_of(found);
}

Service::Answer NodeService::get(request::Get request, Report report) {
  auto reference = registry::Reference::parse(request.reference);
  if (!reference) co_return fail(Exit::kUsage, sentence(reference.error()));
  auto getting = registry_.get(std::move(*reference), std::filesystem::path{request.output},
                               progress_to(std::move(report)));
  const auto got = co_await std::move(getting);
  co_return answer_of(got);
}

namespace {

// Why a query that has found nothing is an error.
Error nothing_found(const request::DhtQuery& query, const kad::QueryDone& done) {
  using Kind = request::DhtQuery::Kind;
  const auto end = to_string(done.stats.end);
  const std::string hint = "Is the node connected? See: ggen-p2p peers";
  switch (query.kind) {
    case Kind::kPut:
      return {Exit::kUnavailable, fmt::format("Nobody took the value: {}.", end), hint};
    case Kind::kProvide:
      return {Exit::kUnavailable, fmt::format("Nobody took the record: {}.", end), hint};
    default:
      break;
  }
  const std::string_view what = query.kind == Kind::kGet         ? "value"
                                : query.kind == Kind::kProviders ? "provider"
                                                                 : "peer";
  return {
      Exit::kNotFound,
      fmt::format("No {} was found at {}, {}.", what, count_of(done.stats.answered, "peer"), end),
      done.stats.answered == 0 ? hint : std::string{}};
}

Result<marketplace::dht::Query> query_of(request::DhtQuery request) {
  using Kind = request::DhtQuery::Kind;
  namespace dht = marketplace::dht;
  switch (request.kind) {
    case Kind::kPut:
      return dht::Put{std::move(request.key), std::move(request.value)};
    case Kind::kGet:
      return dht::Get{std::move(request.key)};
    case Kind::kClosest:
      return dht::Closest{std::move(request.key)};
    case Kind::kProviders:
      return dht::FindProviders{std::move(request.key)};
    case Kind::kProvide:
      return dht::Provide{std::move(request.key)};
    case Kind::kFindPeer:
      break;
  }
  const auto peer = multiformats::PeerId::decode(request.key);
  if (!peer) return fail(Exit::kUsage, fmt::format("No peer id: {}.", to_string(peer.error())));
  return dht::FindPeer{*peer};
}

}  // namespace

Service::Answer NodeService::dht_query(request::DhtQuery request) {
  auto query = query_of(request);
  const auto* find = query ? std::get_if<marketplace::dht::FindPeer>(&*query) : nullptr;
  if (find != nullptr && find->peer == registry_.id()) {
    co_return fail(Exit::kUsage, "That is this node itself.", "See: ggen-p2p status");
  }
  if (!query) co_return std::unexpected(std::move(query.error()));
  auto asking = registry_.ask_dht(*std::move(query));
  const auto answer = co_await std::move(asking);
  if (!answer) co_return std::unexpected(error_of(answer.error()));
  // Whoever traces it wants to see how it went all the same.
  if (!request.trace && !has_found(answer->done)) {
    co_return std::unexpected(nothing_found(request, answer->done));
  }
  co_return to_json(request, *answer);
}

Service::Answer NodeService::dht_table() {
  const kad::Engine& kad = *registry_.host().node().kad();
  const base::Instant now = host::Host::now();
  Json json = to_json(kad, now);
  json["provided"] = to_json(kad.provide_stats(now));
  co_return json;
}

Service::Answer NodeService::status() {
  Json json;
  json["peer_id"] = registry_.id().to_string();
  json["publisher_id"] = registry_.publisher().to_string();
  json["addresses"] = addresses_json(registry_);
  json["peers"] = registry_.host().swarm().connected_peer_count();
  const registry::Stats stats = registry_.stats();
  json["packages"] = stats.packages;
  json["releases"] = stats.releases;
  json["publishers"] = stats.publishers;
  json["archives"] = stats.archives;
  json["archive_bytes"] = stats.archive_bytes;
  json["fetched_bytes"] = stats.fetched_bytes;
  json["served_bytes"] = stats.served_bytes;
  json["connections"] = registry_.host().swarm().connections().size();
  json["agent"] = settings_.host.node.agent_version;
  json["home"] = settings_.home.string();
  json["pid"] = ::getpid();
  json["uptime_ms"] = duration_cast<milliseconds>(Clock::now() - started_).count();
  co_return json;
}

Service::Answer NodeService::peers() {
  Json peers = Json::array();
  for (const swarm::ConnectionRecord& record : registry_.host().swarm().connections()) {
    if (record.secured_at && record.peer) peers.push_back(connection_json(record));
  }
  Json json;
  json["peers"] = std::move(peers);
  json["history"] = history_json();
  co_return json;
}

Service::Answer NodeService::stop() {
  Json json;
  json["peer_id"] = registry_.id().to_string();
  stop_();
  co_return json;
}

Json NodeService::connection_json(const swarm::ConnectionRecord& record) const {
  Json json;
  json["peer_id"] = record.peer->to_string();
  json["address"] = record.remote.to_string();
  json["direction"] = record.direction == connection::Direction::kInbound ? "inbound" : "outbound";
  json["purpose"] = record.purpose ? Json(to_string(*record.purpose)) : Json(nullptr);
  const std::string agent = agents_.of(*record.peer);
  json["agent"] = agent.empty() ? Json(nullptr) : Json(agent);
  json["connected_ms"] =
      duration_cast<milliseconds>(host::Host::now() - *record.secured_at).count();
  json["success"] = registry_.standing(*record.peer).success;
  return json;
}

Json NodeService::history_json() const {
  Json list = Json::array();
  const auto add = [&](std::string_view what, const std::optional<multiformats::PeerId>& peer,
                       std::string address, std::string_view reason) {
    Json json;
    json["what"] = what;
    json["peer_id"] = peer ? Json(peer->to_string()) : Json(nullptr);
    json["address"] = std::move(address);
    json["reason"] = reason;
    list.push_back(std::move(json));
  };
  const swarm::History& history = registry_.host().swarm().history();
  for (const auto& record : history.failed_dials) {
    for (const auto& address : record.failure.addresses) {
      add("not connected", record.peer, address.address.to_string(), to_string(address.reason));
    }
    if (record.failure.addresses.empty()) {
      add("not connected", record.peer, "", to_string(record.failure.kind));
    }
  }
  for (const auto& record : history.refused) {
    add("refused", {}, record.remote.to_string(), to_string(record.reason));
    list.back()["count"] = record.count;
  }
  for (const auto& record : history.closed) {
    add("closed", record.peer, record.remote.to_string(),
        record.cause ? to_string(*record.cause) : "closed");
    if (record.closed_at) {
      list.back()["lasted_ms"] =
          duration_cast<milliseconds>(*record.closed_at - record.opened_at).count();
    }
  }
  return list;
}

}  // namespace ggen::p2p::cli
