#include "node_service.hpp"

#include <utility>

#include <unistd.h>

#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

Result<Json> no_marketplace() {
  return fail(Exit::kFailed, "This node has no marketplace.",
              "It connects to peers, but cannot publish, search or fetch packages.");
}

}  // namespace

Json addresses_json(const host::Host& host) {
  Json list = Json::array();
  for (const auto& address : host.addresses()) list.push_back(address.to_string());
  return list;
}

NodeService::NodeService(const Settings& settings, host::Host& host, multiformats::PeerId publisher,
                         std::function<void()> stop)
    : settings_(settings), host_(host), publisher_(publisher), stop_(std::move(stop)) {}

Service::Answer NodeService::publish(request::Publish, Report) {
  co_return no_marketplace();
}

Service::Answer NodeService::search(request::Search, Report) {
  co_return no_marketplace();
}

Service::Answer NodeService::get(request::Get, Report) {
  co_return no_marketplace();
}

Service::Answer NodeService::status() {
  Json json;
  json["peer_id"] = host_.id().to_string();
  json["publisher_id"] = publisher_.to_string();
  json["addresses"] = addresses_json(host_);
  json["peers"] = host_.swarm().connected_peers().size();
  json["packages"] = 0;
  json["connections"] = host_.swarm().connections().size();
  json["agent"] = settings_.host.node.agent_version;
  json["home"] = settings_.home.string();
  json["pid"] = ::getpid();
  json["uptime_ms"] = duration_cast<milliseconds>(Clock::now() - started_).count();
  co_return json;
}

Service::Answer NodeService::peers() {
  Json peers = Json::array();
  for (const swarm::ConnectionRecord& record : host_.swarm().connections()) {
    if (record.secured_at && record.peer) peers.push_back(connection_json(record));
  }
  Json json;
  json["peers"] = std::move(peers);
  json["history"] = history_json();
  co_return json;
}

Service::Answer NodeService::stop() {
  Json json;
  json["peer_id"] = host_.id().to_string();
  stop_();
  co_return json;
}

Json NodeService::connection_json(const swarm::ConnectionRecord& record) const {
  Json json;
  json["peer_id"] = record.peer->to_string();
  json["address"] = record.remote.to_string();
  json["direction"] = record.direction == connection::Direction::kInbound ? "inbound" : "outbound";
  json["purpose"] = record.purpose ? Json(to_string(*record.purpose)) : Json(nullptr);
  const auto agent = agents_.find(*record.peer);
  json["agent"] = agent == agents_.end() ? Json(nullptr) : Json(agent->second);
  const auto since = connected_since_.find(record.id);
  json["connected_ms"] = since == connected_since_.end()
                             ? 0
                             : duration_cast<milliseconds>(Clock::now() - since->second).count();
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
  const swarm::History& history = host_.swarm().history();
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

void NodeService::note(const node::Output& output) {
  if (const auto* event = std::get_if<swarm::Output>(&output)) return note(*event);
  if (const auto* event = std::get_if<identify::Identified>(&output)) {
    agents_[event->peer] = printable(event->info.agent_version.value_or(""));
  }
}

void NodeService::note(const swarm::Output& output) {
  if (const auto* opened = std::get_if<swarm::event::ConnectionOpened>(&output)) {
    connected_since_[opened->record.id] = Clock::now();
  } else if (const auto* closed = std::get_if<swarm::event::ConnectionClosed>(&output)) {
    connected_since_.erase(closed->record.id);
  } else if (const auto* gone = std::get_if<swarm::event::PeerDisconnected>(&output)) {
    agents_.erase(gone->peer);
  }
}

}  // namespace ggen::p2p::cli
