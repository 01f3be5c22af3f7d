// All invariants together, on nodes that run.
#include <algorithm>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/world.hpp>

using namespace ggen::p2p;
using namespace std::chrono_literals;
using sim::Check;
using sim::World;

namespace {

constexpr std::size_t kInvariants = 8;

/// A network in which a package was published and fetched.
struct Market {
  explicit Market(const sim::NodeSpec& spec = World::member()) {
    world.populate(6, spec);
    entry = world.publish(2, package);
    REQUIRE(entry);
    CHECK(world.spread(*entry, 10s));
    CHECK(world.provided(package, 30s));
    CHECK(world.fetch(4, package)->result);
  }

  static sim::Config config() {
    sim::Config config;
    config.fidelity = sim::Fidelity::kMessage;
    return config;
  }
  /// The check of an invariant by a part of its name, as it is now.
  [[nodiscard]] Check check(std::string_view part) {
    const auto checks = world.invariants().checks();
    REQUIRE(checks.size() == kInvariants);
    const auto found = std::ranges::find_if(
        checks, [&](const Check& check) { return check.name.find(part) != std::string::npos; });
    REQUIRE(found != checks.end());
    return *found;
  }

  World world{{"market", "", 6, {}}, config(), nullptr, {}};
  sim::Package package = sim::Package::make("tabs", "1.0.0", "Tabs", 300'000);
  std::optional<registry::EntryId> entry;
};

gossipsub::Message message_of(sim::World& world, std::string_view what) {
  gossipsub::Message message{
      std::string{registry::kUpdatesTopic}, std::nullopt, {}, {}, world.simulation().id(0)};
  message.id = base::to_bytes(crypto::sha256(base::as_bytes(what)));
  return message;
}

}  // namespace

TEST_CASE("invariants: each is looked at, and holds, in a market at work") {
  Market market;
  CHECK(market.world.settled(1min));
  const sim::Report report = market.world.finish(false);
  REQUIRE(report.checks.size() >= kInvariants);
  std::size_t invariants = 0;
  for (const Check& check : report.checks) {
    CHECK_MESSAGE(check.passed, check.name, ": ", check.detail);
    if (!check.name.starts_with("invariant: ")) continue;
    ++invariants;
    CHECK_MESSAGE(check.detail != "never came up", check.name);
  }
  CHECK(invariants == kInvariants);
  for (sim::NodeIndex node = 0; node < 6; ++node)
    CHECK_FALSE(market.world.simulation().is_up(node));
  CHECK(market.world.simulation().network().links() == 0);
}

TEST_CASE("invariants: a run that ends in a partition, with a node without power, leaks nothing") {
  Market market;
  market.world.simulation().network().part({{}, {2, 2}});
  market.world.simulation().crash(3, sim::Network::Crash::kPower);
  market.world.run_for(1s);
  bool happened = false;
  market.world.simulation().at(market.world.now() + 1s, [&] { happened = true; });
  for (const Check& check : market.world.finish(false).checks) {
    CHECK_MESSAGE(check.passed, check.name, ": ", check.detail);
  }
  CHECK_FALSE(happened);  // after the end nothing does
}

TEST_CASE("invariants: a message that is accepted and sent on to nobody") {
  Market market;
  CHECK(market.check("mesh").passed);
  auto& world = market.world;
  const auto mesh = world.simulation().node(1).gossipsub()->mesh(registry::kUpdatesTopic);
  world.invariants().output(1, gossipsub::Delivered{message_of(world, "never sent")}, world.now());
  const Check check = market.check("mesh");
  CHECK_FALSE(check.passed);
  // All of the mesh but where it came from.
  const bool from_mesh = std::ranges::find(mesh, world.simulation().id(0)) != mesh.end();
  CHECK(check.detail.starts_with(std::to_string(mesh.size() - (from_mesh ? 1 : 0)) + " times"));
}

TEST_CASE("invariants: a network that does not heal is told of") {
  Market market;
  auto& network = market.world.simulation().network();
  network.part({{}, {}, {}, {}, {}, {2, 2}});
  REQUIRE(market.world.publish(0, sim::Package::make("spaces", "1.0.0", "Spaces", 100)));
  CHECK_FALSE(market.world.settled(5s));
  const Check check = market.check("healing");
  CHECK_MESSAGE(check.detail.find("node 5 does not know entry") != std::string::npos, check.detail);
}

TEST_CASE("invariants: a node that is not to be checked is left alone") {
  sim::NodeSpec hostile = World::member();
  hostile.checked = false;
  World world{{"market", "", 6, {}}, Market::config(), nullptr, {}};
  world.populate(4, hostile);
  world.invariants().output(1, gossipsub::Delivered{message_of(world, "never sent")}, world.now());
  for (const Check& check : world.finish(false).checks) {
    if (!check.name.starts_with("invariant: ")) continue;
    CHECK_MESSAGE(check.passed, check.name, ": ", check.detail);
    const bool of_the_end = check.name.find("leaks") != std::string::npos;
    if (!of_the_end) CHECK_MESSAGE(check.detail == "never came up", check.name);
  }
}
