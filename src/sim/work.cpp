#include "work.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>

namespace ggen::p2p::sim {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kLook = 100ms;
constexpr base::Duration kSearchTimeout = 3s;

std::set<NodeIndex> forgetful(const FaultPlan& plan) {
  std::set<NodeIndex> nodes;
  for (const Fault& fault : plan) {
    if (const auto* crash = std::get_if<fault::Crash>(&fault.what); crash && crash->wiped) {
      nodes.insert(crash->node);
    }
    if (const auto* disk = std::get_if<fault::Disk>(&fault.what); disk && disk->lose_write > 0) {
      nodes.insert(disk->node);
    }
  }
  return nodes;
}

}  // namespace

Work::Work(World& world, const Workload& workload)
    : world_(world),
      rates_{workload.publishes, workload.fetches, workload.searches, workload.puts, workload.gets},
      package_size_(workload.package_size),
      prng_(world.simulation().prng("work")),
      times_{prng_.child("publish"), prng_.child("fetch"), prng_.child("search"),
             prng_.child("put"), prng_.child("get")},
      forgetful_(forgetful(world.faults())) {}

// ---- When ----

// Whole milliseconds: the last digits of a library's logarithm must not show in the trace.
base::Instant Work::after(base::Instant then, Kind kind) {
  const double rate = rates_[index(kind)];
  if (rate <= 0) return base::Instant::max();
  const double minutes = -std::log1p(-times_[index(kind)].unit()) / rate;
  return then + std::chrono::milliseconds{std::llround(std::min(minutes, 1e6) * 60'000)};
}

void Work::go_on(base::Duration time) {
  const base::Instant end = world_.now() + time;
  for (std::size_t i = 0; i < kKinds; ++i) next_[i] = after(world_.now(), static_cast<Kind>(i));
  while (world_.now() < end) {
    const base::Instant next = std::min(*std::ranges::min_element(next_), end);
    world_.run_for(std::min<base::Duration>(next - world_.now(), kLook));
    look();
    for (std::size_t i = 0; i < kKinds; ++i) {
      if (next_[i] > world_.now()) continue;
      const auto kind = static_cast<Kind>(i);
      next_[i] = after(next_[i], kind);
      begin(kind);
    }
  }
}

bool Work::settle(base::Duration limit) {
  return world_.wait(
      [&] {
        look();
        return open_.empty();
      },
      limit);
}

// ---- What ----

std::vector<NodeIndex> Work::ready() const {
  std::vector<NodeIndex> nodes = world_.up();
  std::erase_if(nodes, [&](NodeIndex node) {
    return world_.simulation().is_stopping(node) ||
           !world_.simulation().node(node).registry()->is_loaded();
  });
  return nodes;
}

std::vector<NodeIndex> Work::holders(const Package& package) const {
  std::vector<NodeIndex> nodes = ready();
  std::erase_if(nodes, [&](NodeIndex node) {
    const NodeSpec& spec = world_.simulation().spec(node);
    return (spec.hostility && spec.hostility->spoils) ||
           !world_.simulation().disk(node).storage().holds(package.archive.root);
  });
  return nodes;
}

NodeIndex Work::any(const std::vector<NodeIndex>& nodes) {
  return nodes[prng_.below(nodes.size())];
}

void Work::begin(Kind kind) {
  const std::vector<NodeIndex> nodes = ready();
  if (nodes.empty()) return;
  switch (kind) {
    case Kind::kPublish:
      return publish(nodes);
    case Kind::kFetch:
      return fetch(nodes);
    case Kind::kSearch:
      return search(nodes);
    case Kind::kPut:
      return put(nodes);
    case Kind::kGet:
      return get(nodes);
  }
}

void Work::publish(const std::vector<NodeIndex>& nodes) {
  std::vector<NodeIndex> able = nodes;
  std::erase_if(able, [&](NodeIndex node) {
    return forgetful_.contains(node) || !world_.simulation().spec(node).publishes;
  });
  if (able.empty()) return;
  const NodeIndex node = any(able);
  const std::size_t number = packages_.size();
  packages_.push_back(Package::make(fmt::format("part-{}", number), "1.0.0",
                                    fmt::format("The part with the number {}", number),
                                    package_size_));
  const auto begun = world_.start_publish(node, packages_.back());
  open({Kind::kPublish, node, 0, begun.id, {}, number});
}

// Of what somebody holds: else there is nothing to find.
void Work::fetch(const std::vector<NodeIndex>& nodes) {
  if (releases_.empty()) return;
  const NodeIndex node = any(nodes);
  const Package& package = releases_[prng_.below(releases_.size())].package;
  const auto holding = holders(package);
  if (holding.empty() || std::ranges::find(holding, node) != holding.end()) return;
  open({Kind::kFetch, node, 0, world_.start_fetch(node, package)});
}

void Work::search(const std::vector<NodeIndex>& nodes) {
  if (releases_.empty()) return;
  const NodeIndex node = any(nodes);
  const auto& name = releases_[prng_.below(releases_.size())].package.metadata.name;
  open({Kind::kSearch, node, 0, world_.start_search(node, {name.text()}, kSearchTimeout)});
}

// The node's public key under its id: what every libp2p node can check.
void Work::put(const std::vector<NodeIndex>& nodes) {
  const NodeIndex node = any(nodes);
  base::Bytes key = base::to_bytes(base::as_bytes("/pk/"));
  const auto id = world_.simulation().id(node).bytes();
  key.insert(key.end(), id.begin(), id.end());
  const base::Bytes value = world_.simulation().node(node).local_info().public_key->encode();
  const auto query = world_.start_put_value(node, key, value);
  if (!query) return;
  open({Kind::kPut, node, 0, 0, *query});
  if (std::ranges::find(keys_, key) == keys_.end()) keys_.push_back(std::move(key));
}

void Work::get(const std::vector<NodeIndex>& nodes) {
  if (keys_.empty()) return;
  const NodeIndex node = any(nodes);
  const auto query = world_.start_get_value(node, keys_[prng_.below(keys_.size())]);
  if (query) open({Kind::kGet, node, 0, 0, *query});
}

// ---- What became of it ----

void Work::open(Operation operation) {
  operation.life = world_.simulation().life(operation.node);
  ++accounts_[index(operation.kind)].begun;
  open_.push_back(operation);
}

void Work::look() {
  std::erase_if(open_, [&](const Operation& operation) {
    Account& account = accounts_[index(operation.kind)];
    if (const auto good = result(operation)) {
      ++(*good ? account.good : account.failed);
      return true;
    }
    const bool down = !world_.simulation().is_up(operation.node) ||
                      world_.simulation().life(operation.node) != operation.life;
    if (down) ++account.cut_short;
    return down;
  });
}

// Whether it came to something; nothing when it has not ended.
std::optional<bool> Work::result(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kPublish: {
      const auto* done = world_.published({operation.node, operation.id});
      if (done == nullptr) return std::nullopt;
      if (!done->result) return false;
      releases_.push_back({packages_[operation.package], *done->result, world_.now()});
      return true;
    }
    case Kind::kFetch: {
      const auto* done = world_.fetched(operation.node, operation.id);
      return done == nullptr ? std::nullopt : std::optional{done->result.has_value()};
    }
    case Kind::kSearch: {
      const auto* done = world_.searched(operation.node, operation.id);
      return done == nullptr ? std::nullopt : std::optional{!done->hits.empty()};
    }
    case Kind::kPut:
    case Kind::kGet:
      break;
  }
  const auto* done = world_.looked_up(operation.node, operation.query);
  if (done == nullptr) return std::nullopt;
  return std::visit(
      base::Overloaded{
          [](const kad::result::Placed& placed) { return placed.stored > 0; },
          [](const kad::result::FoundValue& found) { return found.value.has_value(); },
          [](const auto&) { return false; },
      },
      done->result);
}

}  // namespace ggen::p2p::sim
