#include "invariant_lookups.hpp"

#include <chrono>
#include <string_view>
#include <variant>

#include <fmt/format.h>

namespace ggen::p2p::sim {

using Lookup = Invariants::Lookup;

namespace {

std::string_view to_string(Lookup lookup) {
  switch (lookup) {
    case Lookup::kQuery:
      return "query of the DHT";
    case Lookup::kSearch:
      return "search";
    case Lookup::kFetch:
      return "fetch";
  }
  return "lookup";
}

}  // namespace

void LookupsInvariant::began(NodeIndex node, Lookup lookup, std::uint64_t id,
                             base::Duration limit) {
  under_way_.insert_or_assign({node, lookup, id}, UnderWay{limit, simulation_.now() + limit});
}

void LookupsInvariant::output(NodeIndex node, const node::Output& output) {
  if (const auto* query = std::get_if<kad::QueryDone>(&output)) {
    return ended(node, Lookup::kQuery, query->id.value());
  }
  const auto* of_registry = std::get_if<registry::Output>(&output);
  if (of_registry == nullptr) return;
  if (const auto* search = std::get_if<registry::event::SearchDone>(of_registry)) {
    ended(node, Lookup::kSearch, search->id);
  } else if (const auto* fetch = std::get_if<registry::event::FetchDone>(of_registry)) {
    ended(node, Lookup::kFetch, fetch->id);
    fetch_moved(node);
  } else if (std::holds_alternative<registry::event::FetchProgress>(*of_registry)) {
    fetch_moved(node);
  }
}

void LookupsInvariant::ended(NodeIndex node, Lookup lookup, std::uint64_t id) {
  const auto found = under_way_.find({node, lookup, id});
  if (found == under_way_.end()) return;
  invariant_.look();
  if (simulation_.now() > found->second.deadline) {
    const auto late = std::chrono::duration<double>(simulation_.now() - found->second.deadline);
    invariant_.violate(simulation_.now(), node,
                       fmt::format("a {} ended {:.3f} s late", to_string(lookup), late.count()));
  }
  under_way_.erase(found);
}

void LookupsInvariant::fetch_moved(NodeIndex node) {
  const auto first = under_way_.lower_bound({node, Lookup::kFetch, 0});
  for (auto at = first; at != under_way_.end(); ++at) {
    const auto& [owner, lookup, id] = at->first;
    if (owner != node || lookup != Lookup::kFetch) return;
    at->second.deadline = simulation_.now() + at->second.limit;
  }
}

void LookupsInvariant::stopped(NodeIndex node) {
  std::erase_if(under_way_, [&](const auto& one) { return std::get<0>(one.first) == node; });
}

void LookupsInvariant::sample() {
  std::erase_if(under_way_, [&](const auto& one) {
    if (simulation_.now() <= one.second.deadline) return false;
    const auto& [node, lookup, id] = one.first;
    invariant_.look();
    invariant_.violate(simulation_.now(), node,
                       fmt::format("a {} has not ended in time", to_string(lookup)));
    return true;
  });
}

}  // namespace ggen::p2p::sim
