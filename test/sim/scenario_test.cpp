#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/scenario.hpp>

using namespace ggen::p2p;

namespace {

// How a scenario is played here: what takes long is left to those who run it by name.
struct Size {
  std::uint32_t nodes = 0;
  std::optional<base::Duration> duration{};
};

std::optional<Size> size_of(const sim::Scenario& scenario) {
  constexpr std::array<std::string_view, 3> kByNameOnly{"gossip", "wan", "flash-crowd"};
  if (std::ranges::find(kByNameOnly, scenario.name) != kByNameOnly.end()) return std::nullopt;
  if (scenario.endless) return Size{12, std::chrono::minutes{1}};
  if (scenario.name == "eclipse" || scenario.name == "sybil") return Size{scenario.least_nodes};
  return Size{std::min<std::uint32_t>(scenario.nodes, 50)};
}

void check_all(const sim::Report& report) {
  CHECK_FALSE(report.checks.empty());
  for (const sim::Check& check : report.checks) {
    CHECK_MESSAGE(check.passed, report.scenario, ": ", check.name, ": ", check.detail,
                  "; replay: ", sim::replay_command(report));
  }
}

}  // namespace

TEST_CASE("scenarios: each holds, in both fidelities, and is the same every time") {
  for (const sim::Scenario& scenario : sim::scenarios()) {
    const auto size = size_of(scenario);
    if (!size) continue;
    for (const auto fidelity : {sim::Fidelity::kWire, sim::Fidelity::kMessage}) {
      sim::RunOptions options;
      options.fidelity = fidelity;
      options.nodes = size->nodes;
      options.duration = size->duration;
      const sim::Report first = sim::run(scenario, options);
      check_all(first);
      const sim::Report second = sim::run(scenario, options);
      CHECK_MESSAGE(first.digest == second.digest, scenario.name);
    }
  }
}

TEST_CASE("scenarios: another seed is another run, which holds as well") {
  const sim::Scenario* scenario = sim::find_scenario("publish-package");
  REQUIRE(scenario != nullptr);
  sim::RunOptions options;
  const std::string first = sim::run(*scenario, options).digest;
  options.seed = 2;
  const sim::Report other = sim::run(*scenario, options);
  check_all(other);
  CHECK(first != other.digest);
}

TEST_CASE("scenarios: a run that is told to end gives the report of what it reached") {
  sim::Hooks hooks;
  hooks.progress = [](const sim::Progress& progress) {
    return progress.virtual_time < std::chrono::seconds{3};
  };
  const sim::Report report = sim::run(*sim::find_scenario("network-partition"), {}, hooks);
  CHECK(report.interrupted);
  CHECK(report.virtual_time < std::chrono::seconds{5});
  CHECK(report.events > 0);
}

TEST_CASE("scenarios: spans say who did what for whom") {
  std::string text;
  sim::Hooks hooks;
  hooks.spans = [&](std::string_view piece) { text += piece; };
  const auto with = sim::run(*sim::find_scenario("publish-package"), {}, hooks);
  CHECK(text.find("p2p.package.publish") != std::string::npos);
  CHECK(text.find("p2p.dht.put") != std::string::npos);
  CHECK(text.find("p2p.package.resolve") != std::string::npos);
  // Watching changes nothing.
  CHECK(with.digest == sim::run(*sim::find_scenario("publish-package"), {}).digest);
}

TEST_CASE("scenarios: none of an unknown name") {
  CHECK(sim::find_scenario("no-such") == nullptr);
}
