#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <ggen/p2p/sim/report.hpp>

#include "../support/folder.hpp"

namespace ggen::p2p::sim {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::string_view kHostile = "</script><b>&\"'/*DATA*/<!--<script>";

base::Instant at(base::Duration since) {
  return base::Instant(since);
}

Distribution some_values(std::uint64_t scale) {
  Distribution values;
  for (std::uint64_t i = 1; i <= 500; ++i) values.add(i * i * scale);
  return values;
}

// Something of everything that a report can hold.
Report full_report() {
  TimeSeries degree(100ms, 16);
  for (int i = 0; i < 100; ++i) degree.add(at(i * 100ms), 0.1 * i);
  NetworkMap map(NetworkMap::Plane::kDegrees, "has the package");
  (void)map.add_node({.id = 3, .x = 13.4, .y = 52.5, .label = "Berlin"});
  (void)map.add_node({.id = 900, .x = -70.7, .y = -33.4, .label = ""});
  using enum NetworkMap::State;
  const std::vector<NetworkMap::Edge> edge{{.from = 0, .to = 1}};
  map.add_frame(at(0s), std::vector{kUp, kDown});
  map.add_frame(at(1s), std::vector{kReached, kUp}, edge);
  map.add_frame(at(2s), std::vector{kReached, kReached}, edge);
  map.add_frame(at(3s), std::vector{kDown, kReached});
  return {.scenario = "wan",
          .summary = "Ein Überblick",
          .seed = std::numeric_limits<std::uint64_t>::max(),
          .nodes = 1000,
          .fidelity = "wire",
          .options = {{.name = "loss", .value = "0.5%"}, {.name = "verbose", .value = ""}},
          .version = "0.1.0",
          .build = "release, g++ 12.2",
          .virtual_time = 60s,
          .wall_time = 2345678901ns,
          .events = 123456789,
          .digest = "00ff",
          .interrupted = true,
          .checks = {{.name = "all reached", .passed = true, .detail = "1,000 of 1,000"},
                     {.name = "no leak", .passed = false, .detail = ""}},
          .faults = {{.index = 7, .at = at(90s), .text = "node 3 crashes for 20 s"}},
          .numbers = {{.caption = {.name = "rss",
                                   .title = "Memory",
                                   .about = "Peak",
                                   .unit = "bytes",
                                   .better = Better::kLower},
                       .value = 0.1}},
          .distributions = {{.caption = {.name = "propagation",
                                         .title = "Time until a node has it",
                                         .about = "",
                                         .unit = "ns",
                                         .better = Better::kLower},
                             .lines = {{.name = "gossip", .values = some_values(1'000)},
                                       {.name = "none", .values = Distribution()}}}},
          .series = {{.caption = {.name = "degree",
                                  .title = "Mesh degree",
                                  .about = "",
                                  .unit = "peers",
                                  .better = Better::kHigher},
                      .lines = {{.name = "p50", .values = degree}}}},
          .per_node = {{.caption = {.name = "sent",
                                    .title = "Bytes sent",
                                    .about = "",
                                    .unit = "bytes",
                                    .better = Better::kNeither},
                        .lines = {{.name = "", .values = {1, 2.5, 3e9}}}}},
          .map = map};
}

std::size_t occurrences(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t from = text.find(what); from != text.npos; from = text.find(what, from + 1)) {
    ++count;
  }
  return count;
}

json embedded(const std::string& page) {
  constexpr std::string_view kStart = "<script id=\"data\" type=\"application/json\">";
  const std::size_t start = page.find(kStart);
  REQUIRE(start != page.npos);
  const std::size_t from = start + kStart.size();
  return json::parse(page.substr(from, page.find("</script>", from) - from));
}

TEST_CASE("a report that was written is read as it was") {
  const test::Folder temp;
  const Report report = full_report();
  const fs::path folder = temp / "far" / "away";
  REQUIRE(write_report(report, folder));
  CHECK(read_report(folder) == report);
  CHECK(read_report(folder / "report.json") == report);

  REQUIRE(write_report(Report(), folder));
  CHECK(read_report(folder) == Report());
  CHECK(std::distance(fs::directory_iterator(folder), {}) == 2);
}

TEST_CASE("a number that is none stays none") {
  const test::Folder temp;
  Report report;
  report.numbers.push_back({.caption = {}, .value = std::nan("")});
  REQUIRE(write_report(report, temp.path()));
  CHECK(std::isnan(read_report(temp.path())->numbers.front().value));
}

TEST_CASE("the page is one file that loads nothing") {
  const test::Folder temp;
  REQUIRE(write_report(full_report(), temp.path()));
  const std::string page = test::read_file(temp / "index.html");
  CHECK(page.starts_with("<!DOCTYPE html>"));
  for (const char* const forbidden : {"http://", "https://", "src=", "href=", "url(", "@import",
                                      "fetch(", "/*STYLE*/", "/*SCRIPT*/"}) {
    CAPTURE(forbidden);
    CHECK(occurrences(page, forbidden) == 0);
  }
  CHECK(occurrences(page, "default-src 'none'") == 1);
  CHECK(embedded(page) == json::parse(test::read_file(temp / "report.json")));
}

TEST_CASE("text of a run never becomes part of the page") {
  const test::Folder temp;
  REQUIRE(write_report(full_report(), temp / "plain"));
  const std::string plain = test::read_file(temp / "plain" / "index.html");

  Report report = full_report();
  report.scenario = kHostile;
  report.checks[0].detail = kHostile;
  report.per_node[0].caption.title = kHostile;
  report.options[0].name = kHostile;
  REQUIRE(write_report(report, temp / "hostile"));
  const std::string page = test::read_file(temp / "hostile" / "index.html");
  CHECK(occurrences(page, "<") == occurrences(plain, "<"));
  CHECK(embedded(page)["scenario"] == kHostile);
  CHECK(read_report(temp / "hostile") == report);
}

TEST_CASE("bytes that are not UTF-8 do not cost the report") {
  const test::Folder temp;
  Report report;
  report.summary = "a\xff";
  REQUIRE(write_report(report, temp.path()));
  CHECK(read_report(temp.path())->summary == "a\ufffd");
}

TEST_CASE("a folder that holds something else is refused and left as it was") {
  const test::Folder temp;
  const fs::path folder = temp / "taken";
  SUBCASE("another file") {
    test::write_file(folder / "thesis.tex", "years");
  }
  SUBCASE("a folder") {
    fs::create_directories(folder / "photos");
  }
  SUBCASE("a page of another program") {
    test::write_file(folder / "index.html", "mine");
  }
  SUBCASE("a report of another program") {
    test::write_file(folder / "report.json", "{}");
  }
  SUBCASE("a report that is not JSON") {
    test::write_file(folder / "report.json", "{");
  }
  SUBCASE("a list") {
    test::write_file(folder / "report.json", "[1]");
  }
  const auto entries = std::distance(fs::directory_iterator(folder), {});
  const auto refused = write_report(Report(), folder);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().find(folder.string()) != std::string::npos);
  CHECK(refused.error().find("holds other files") != std::string::npos);
  CHECK_FALSE(write_comparison(Report(), Report(), folder));
  CHECK(std::distance(fs::directory_iterator(folder), {}) == entries);
}

TEST_CASE("a file where the folder should be is an error") {
  const test::Folder temp;
  test::write_file(temp / "file", "");
  CHECK_FALSE(write_report(Report(), temp / "file"));
  CHECK_FALSE(write_report(Report(), temp / "file" / "below"));
}

TEST_CASE("a former report is replaced, and what a stopped one left behind") {
  const test::Folder temp;
  test::write_file(temp / "report.json.part", "half");
  REQUIRE(write_report(full_report(), temp.path()));
  CHECK_FALSE(fs::exists(temp / "report.json.part"));

  test::write_file(temp / "trace.json", "[]");
  REQUIRE(write_comparison(Report(), Report(), temp.path()));
  CHECK_FALSE(fs::exists(temp / "report.json"));
  CHECK(fs::exists(temp / "trace.json"));

  REQUIRE(write_report(full_report(), temp.path()));
  CHECK_FALSE(fs::exists(temp / "comparison.json"));
  CHECK(read_report(temp.path()) == full_report());
}

TEST_CASE("a former report survives one that cannot be written") {
  const test::Folder temp;
  REQUIRE(write_report(full_report(), temp.path()));
  // The second of the two files cannot be made.
  fs::create_directories(temp / "index.html.part");
  CHECK_FALSE(write_report(Report(), temp.path()));
  CHECK(read_report(temp.path()) == full_report());
}

TEST_CASE("a comparison holds both reports, and is not a report") {
  const test::Folder temp;
  const Report a = full_report();
  Report b = full_report();
  b.seed = 8;
  b.distributions[0].lines[0].values = some_values(2'000);
  b.checks.clear();
  b.map.reset();
  REQUIRE(write_comparison(a, b, temp / "both"));
  REQUIRE(write_report(a, temp / "a"));
  REQUIRE(write_report(b, temp / "b"));

  const json both = json::parse(test::read_file(temp / "both" / "comparison.json"));
  CHECK(both["format"] == "ggen-p2p-sim comparison");
  CHECK(both["runs"][0] == json::parse(test::read_file(temp / "a" / "report.json")));
  CHECK(both["runs"][1] == json::parse(test::read_file(temp / "b" / "report.json")));
  CHECK(embedded(test::read_file(temp / "both" / "index.html")) == both);
  CHECK_FALSE(read_report(temp / "both"));
  CHECK_FALSE(read_report(temp / "both" / "comparison.json"));
}

// What is wrong is in the error, and nothing is taken that could not have been written.
TEST_CASE("what is not a report is refused") {
  const test::Folder temp;
  REQUIRE(write_report(full_report(), temp / "good"));
  json document = json::parse(test::read_file(temp / "good" / "report.json"));
  std::string expected = "not a whole report";
  SUBCASE("not ours") {
    document = {{"format", "other"}};
    expected = "not a report of ggen-p2p-sim";
  }
  SUBCASE("a format that is no text") {
    document = {{"format", 7}};
    expected = "report";
  }
  SUBCASE("another schema") {
    document["schema"] = 2;
    expected = "schema 2";
  }
  SUBCASE("a field is missing") {
    document.erase("digest");
  }
  SUBCASE("text for a list") {
    document["checks"] = "none";
  }
  SUBCASE("text for a truth") {
    document["interrupted"] = "no";
  }
  SUBCASE("a negative count") {
    document["events"] = -1;
  }
  SUBCASE("a broken count") {
    document["nodes"] = 1.5;
  }
  SUBCASE("a duration beyond measure") {
    document["wall_ns"] = ~std::uint64_t{0};
  }
  SUBCASE("a seed that is no number") {
    document["seed"] = "7x";
  }
  SUBCASE("an option without a value") {
    document["options"][0] = {"loss"};
  }
  SUBCASE("an unknown direction") {
    document["numbers"][0]["better"] = "bigger";
  }
  SUBCASE("values that contradict each other") {
    document["distributions"][0]["lines"][0]["min"] = 9;
  }
  SUBCASE("time that goes back") {
    document["series"][0]["lines"][0]["points"][0][0] = 9'000'000'000;
  }
  SUBCASE("no room for a point") {
    document["series"][0]["lines"][0]["limit"] = 0;
  }
  SUBCASE("text for a value of a node") {
    document["per_node"][0]["lines"][0]["values"][1] = "2";
  }
  SUBCASE("a plane of its own") {
    document["map"]["plane"] = "torus";
  }
  SUBCASE("a state of its own") {
    document["map"]["frames"][0]["states"] = "13";
  }
  SUBCASE("a frame that lacks a node") {
    document["map"]["frames"][0]["states"] = "1";
  }
  SUBCASE("an edge to nowhere") {
    document["map"]["frames"][1]["edges"][0][1] = 2;
  }
  SUBCASE("a map that goes back in time") {
    document["map"]["frames"][3]["t_ns"] = 0;
  }
  SUBCASE("a node's number that is too large") {
    document["map"]["nodes"][0][0] = 1ULL << 32;
  }
  test::write_file(temp / "bad" / "report.json", document.dump());
  const auto refused = read_report(temp / "bad");
  REQUIRE_FALSE(refused);
  CAPTURE(refused.error());
  CHECK(refused.error().find(expected) != std::string::npos);
  CHECK(refused.error().find((temp / "bad" / "report.json").string()) != std::string::npos);
}

TEST_CASE("a report that is not there is an error") {
  const test::Folder temp;
  CHECK_FALSE(read_report(temp.path()));
  CHECK_FALSE(read_report(temp / "nowhere"));
}

TEST_CASE("the command that runs it again is quoted for a shell") {
  Report report = full_report();
  report.seed = 7;
  CHECK(replay_command(report) ==
        "ggen-p2p-sim run wan --seed 7 --nodes 1000 --fidelity wire --loss 0.5% --verbose");
  report.scenario = "my scenario's.toml";
  report.options = {{.name = "report", .value = "$(reboot)"}};
  CHECK(replay_command(report) ==
        "ggen-p2p-sim run 'my scenario'\\''s.toml' --seed 7 --nodes 1000 --fidelity wire "
        "--report '$(reboot)'");
}

}  // namespace
}  // namespace ggen::p2p::sim
