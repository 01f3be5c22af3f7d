#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kSize = 100'000'000;  // bytes
// In which everybody hears of it and wants it.
constexpr base::Duration kRush = 10s;
// Of the time that the publisher alone would take to serve all.
constexpr double kShareOfAlone = 0.1;

double seconds(base::Duration d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace

void flash_crowd(World& world) {
  NodeSpec spec = World::member();
  spec.link = kHome;
  world.populate(world.nodes(), spec);
  world.step("publish");
  const NodeIndex publisher = world.nodes() / 2;
  const auto package = Package::make("film", "1.0.0", "What everybody wants", kSize);
  const auto entry = world.publish(publisher, package);
  world.check("every node hears of it", entry && world.spread(*entry, 1min), "");

  world.step("everybody fetches");
  const base::Instant began = world.now();
  std::vector<std::pair<NodeIndex, registry::OperationId>> fetches;
  for (NodeIndex node = 0; node < world.nodes(); ++node) {
    if (node == publisher) continue;
    fetches.emplace_back(node, world.start_fetch(node, package));
    world.run_for(kRush / world.nodes());
  }
  const auto ended = [&](const auto& fetch) {
    return world.fetched(fetch.first, fetch.second) != nullptr;
  };
  const auto alone = std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(
      static_cast<double>(kSize) * static_cast<double>(fetches.size()) /
      static_cast<double>(kHome.up)));
  world.wait([&] { return std::ranges::all_of(fetches, ended); }, alone + 5min);
  const base::Duration took = world.now() - began;

  std::size_t whole = 0;
  std::uint64_t chunks = 0;
  std::uint64_t from_publisher = 0;
  std::map<std::string_view, std::size_t> failures;
  for (const auto& [node, id] : fetches) {
    const auto* done = world.fetched(node, id);
    if (done == nullptr || !done->result) {
      ++failures[done == nullptr ? "no end" : to_string(done->result.error())];
      continue;
    }
    ++whole;
    for (const auto& source : done->sources) {
      chunks += source.chunks;
      if (source.peer == world.simulation().id(publisher)) from_publisher += source.chunks;
    }
  }
  std::string seen = fmt::format("{} of {}, after {:.1f} s", whole, fetches.size(), seconds(took));
  for (const auto& [why, count] : failures) seen += fmt::format("; {}: {}", why, count);
  world.check("every node fetches it", whole == fetches.size(), std::move(seen));
  world.check(
      fmt::format("in at most {} of the time that the publisher alone would take", kShareOfAlone),
      whole == fetches.size() && seconds(took) <= kShareOfAlone * seconds(alone),
      fmt::format("{:.1f} s against {:.1f} s; the publisher served {:.1f} % of all chunks",
                  seconds(took), seconds(alone),
                  100.0 * static_cast<double>(from_publisher) /
                      static_cast<double>(std::max<std::uint64_t>(chunks, 1))));
}

}  // namespace ggen::p2p::sim::play
