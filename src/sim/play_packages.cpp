#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kSmall = 2000;  // bytes

Package small(std::string_view name) {
  return Package::make(name, "1.0.0", fmt::format("The package called {}", name), kSmall);
}

double seconds(base::Duration d) {
  return std::chrono::duration<double>(d).count();
}

// Nodes in a ring: each is told of its neighbours only.
void ring(World& world) {
  for (NodeIndex i = 0; i < world.nodes(); ++i) {
    const NodeIndex before = i == 0 ? 0 : i - 1;
    world.start(World::member(), std::span{&before, i == 0 ? 0u : 1u});
  }
  world.connect(world.nodes() - 1, 0);
  const bool meshed = world.wait(
      [&] {
        return std::ranges::all_of(world.up(), [&](NodeIndex i) {
          return !world.simulation().node(i).gossipsub()->mesh(registry::kUpdatesTopic).empty();
        });
      },
      1min);
  world.check("the ring has formed", meshed, fmt::format("{} nodes", world.up().size()));
}

void resolved_by_all(World& world, std::string_view name) {
  std::size_t resolved = 0;
  for (const NodeIndex node : world.up()) resolved += world.resolve(node, name) ? 1 : 0;
  world.check(fmt::format("every node resolves {}", name), resolved == world.up().size(),
              fmt::format("{} of {} nodes", resolved, world.up().size()));
}

// Publishes, and waits until every node has heard of it.
void spread(World& world, NodeIndex publisher, const Package& package) {
  const auto entry = world.publish(publisher, package);
  const base::Instant published = world.now();
  const bool everywhere = entry && world.spread(*entry, 30s);
  world.check(fmt::format("{} reaches every node", package.metadata.name.text()), everywhere,
              fmt::format("{} of {} nodes after {:.2f} s", entry ? world.reached(*entry) : 0,
                          world.up().size(), seconds(world.now() - published)));
}

}  // namespace

void publish_package(World& world) {
  world.populate(world.nodes());
  world.step("publish");
  spread(world, 1, small("tabs"));
  // The provider record goes out after the entry.
  world.run_for(5s);
  world.step("resolve");
  const auto resolved = world.resolve(world.nodes() - 1, "tabs@^1.0.0");
  world.check("another node resolves it", resolved.has_value(),
              resolved ? resolved->release.version.text() : "not found");
}

void package_propagation(World& world) {
  ring(world);
  world.step("publish");
  spread(world, 0, small("tabs"));
  resolved_by_all(world, "tabs");
}

void distributed_search(World& world) {
  world.populate(world.nodes());
  world.step("publish");
  const std::vector<std::string> names{"charts", "tables", "icons"};
  for (NodeIndex node = 0; node < 3; ++node) spread(world, node, small(names[node]));
  world.step("search");
  for (NodeIndex node = 0; node < 3; ++node) {
    const std::string& wanted = names[(node + 1) % 3];
    const auto found = world.search(node, {wanted}, 2s);
    const bool right =
        found && found->hits.size() == 1 && found->hits.front().metadata.name.text() == wanted;
    world.check(fmt::format("node {} finds {} and nothing else", node, wanted), right,
                found ? fmt::format("{} hits; {} of {} peers answered", found->hits.size(),
                                    found->answered, found->asked)
                      : "no answer");
  }
}

void search_with_timeout(World& world) {
  world.populate(world.nodes());
  spread(world, 0, small("near-tabs"));
  world.step("search among slow peers");
  for (NodeIndex node = 1; node < world.nodes(); ++node) {
    LinkFaults slow;
    slow.delay = 1200ms;
    world.simulation().network().set_faults(node, slow);
  }
  // On its way when the search begins.
  world.publish(1, small("far-tabs"));
  const auto names = [](const registry::event::SearchDone& done) {
    std::string text;
    for (const auto& hit : done.hits) text += hit.metadata.name.text() + " ";
    return fmt::format("{}found, {} of {} peers answered", text, done.answered, done.asked);
  };
  base::Instant started = world.now();
  const auto early = world.search(0, {"tabs"}, 1s);
  const base::Duration took = world.now() - started;
  world.check("after 1 s the search ends with a timeout",
              early && early->timed_out && took < 1050ms,
              fmt::format("after {:.2f} s", seconds(took)));
  world.check("and with what it has", early && early->hits.size() == 1,
              early ? names(*early) : "no answer");
  started = world.now();
  const auto late = world.search(0, {"tabs"}, 3s);
  world.check("with 3 s it succeeds", late && !late->timed_out && late->hits.size() == 2,
              late ? fmt::format("{}, after {:.2f} s", names(*late), seconds(world.now() - started))
                   : "no answer");
}

void concurrent_publishes(World& world) {
  constexpr std::size_t kReleases = 100;
  world.populate(world.nodes());
  world.step("publish at once");
  std::vector<Package> packages;
  for (std::size_t i = 0; i < kReleases; ++i) packages.push_back(small(fmt::format("part-{}", i)));
  for (std::size_t i = 0; i < kReleases; ++i) {
    world.start_publish(static_cast<NodeIndex>(i % world.nodes()), packages[i]);
  }
  const auto known = [&](NodeIndex node) {
    return world.simulation().node(node).registry()->stats().releases;
  };
  const auto all_known = [&] {
    return std::ranges::all_of(world.up(), [&](NodeIndex n) { return known(n) == kReleases; });
  };
  const base::Instant started = world.now();
  const bool everywhere = world.wait(all_known, 2min);
  std::size_t least = kReleases;
  for (const NodeIndex node : world.up()) least = std::min(least, known(node));
  world.check("every node has all hundred", everywhere,
              fmt::format("the fewest: {}, after {:.2f} s", least, seconds(world.now() - started)));
}

void peer_reputation(World& world) {
  constexpr NodeIndex kPublisher = 0;
  constexpr NodeIndex kGood = 1;
  constexpr NodeIndex kBad = 2;
  constexpr NodeIndex kReader = 3;
  constexpr std::size_t kPackages = 12;
  constexpr std::uint64_t kSize = 4 * 256 * 1024;
  world.populate(world.nodes());
  Simulation& simulation = world.simulation();
  std::vector<Package> packages;
  world.step("both peers fetch everything");
  for (std::size_t i = 0; i < kPackages; ++i) {
    packages.push_back(Package::make(fmt::format("part-{}", i), "1.0.0", "A part", kSize));
    spread(world, kPublisher, packages.back());
    for (const NodeIndex node : {kGood, kBad}) world.fetch(node, packages.back());
  }
  world.run_for(10s);
  world.step("the disk of one of them rots");
  for (const Package& package : packages) {
    for (std::uint64_t chunk = 0; chunk < package.archive.chunk_count(); ++chunk) {
      simulation.disk(kBad).storage().damage_chunk(package.archive.root, chunk);
    }
  }
  simulation.stop(kPublisher);
  world.run_for(5s);
  world.step("a reader fetches from both");
  const auto standing = [&](NodeIndex node) {
    return simulation.node(kReader).registry()->standing(simulation.id(node), world.now());
  };
  const Caption reputation{"reputation", "Success of two peers, as a third one sees it",
                           "The share of requests that went well; older ones count less.", "",
                           Better::kNeither};
  std::uint64_t asked_of_bad = 0;
  std::size_t fetched = 0;
  for (const Package& package : packages) {
    // A disk that has rotted gives nothing, so that what is asked of its node shows as failures.
    const std::uint64_t before = standing(kBad).failures;
    const auto done = world.fetch(kReader, package);
    asked_of_bad = standing(kBad).failures - before;
    fetched += done && done->result ? 1 : 0;
    world.metrics().follow(reputation, "good peer", world.now(), standing(kGood).success);
    world.metrics().follow(reputation, "bad peer", world.now(), standing(kBad).success);
  }
  world.check("every archive is fetched whole", fetched == kPackages,
              fmt::format("{} of {}", fetched, kPackages));
  world.check("the good peer's success is at least 0.90", standing(kGood).success >= 0.9,
              fmt::format("{:.3f}", standing(kGood).success));
  world.check("the bad peer's success is below 0.50", standing(kBad).success < 0.5,
              fmt::format("{:.3f}, {} failures", standing(kBad).success, standing(kBad).failures));
  const auto& gossip = *simulation.node(kReader).gossipsub();
  const double good = gossip.score(simulation.id(kGood)).value_or(0);
  const double bad = gossip.score(simulation.id(kBad)).value_or(0);
  world.check("publish/subscribe takes the good peer for the better one",
              good >= 5 && bad < good - 5, fmt::format("scores {:.2f} and {:.2f}", good, bad));
  world.check("the bad peer is no longer chosen", asked_of_bad == 0,
              fmt::format("asked in vain {} times in the last fetch", asked_of_bad));
}

}  // namespace ggen::p2p::sim::play
