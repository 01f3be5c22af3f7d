// Runs the built program, as a person or a script does.

#include "program.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

using namespace ggen::p2p::cli;
using namespace ggen::p2p::test;

TEST_CASE("program: a node starts, tells of itself, and stops") {
  Node node;
  const std::string home = node.home_path();
  const Outcome status = run({"status", "--home", home, "--json"});
  REQUIRE(status.code == 0);
  CHECK(status.err.empty());
  const Json json = Json::parse(status.out);
  CHECK(json["peer_id"] == node.started["peer_id"]);
  REQUIRE(json["addresses"].size() == 1);
  CHECK(json["addresses"][0].get<std::string>().ends_with("/p2p/" +
                                                          json["peer_id"].get<std::string>()));
  CHECK(json["peers"] == 0);
  CHECK(json["packages"] == 0);

  const Outcome id = run({"id", "--home", home, "--json"});
  CHECK(Json::parse(id.out)["peer_id"] == json["peer_id"]);

  const Outcome stop = run({"stop", "--home", home});
  CHECK(stop.code == 0);
  // The home is free at once, and nothing listens in it.
  CHECK_FALSE(std::filesystem::exists(std::filesystem::path{home} / "control.sock"));
  CHECK(run({"status", "--home", home}).code == 3);
  const Outcome again =
      run({"start", "--home", home, "--listen", "/ip4/127.0.0.1/tcp/0", "--detach", "--json"});
  CHECK(again.code == 0);
  CHECK(Json::parse(again.out)["peer_id"] == json["peer_id"]);
}

TEST_CASE("program: two nodes find each other by the bootstrap address") {
  const Node first;
  const Node second{{"--bootstrap", first.address()}};
  // The second one dials while it starts: the first one is asked until it has seen that.
  Json peers;
  for (int i = 0; i < 200 && peers.empty(); ++i) {
    const Outcome outcome = run({"peers", "--home", first.home_path(), "--json"});
    REQUIRE(outcome.code == 0);
    peers = Json::parse(outcome.out)["peers"];
  }
  REQUIRE(peers.size() == 1);
  CHECK(peers[0]["peer_id"] == second.started["peer_id"]);
  CHECK(peers[0]["direction"] == "inbound");
}

TEST_CASE("program: a node whose spans cannot be written says so, and goes on") {
  const Folder folder;
  const Outcome refused = run({"start", "--home", folder / "A", "--listen", "/ip4/127.0.0.1/tcp/0",
                               "--detach", "--trace", folder / "missing/spans"});
  CHECK(refused.code == 13);

  const Node full{{"--trace", "/dev/full"}};
  const Node other{{"--bootstrap", full.address()}};
  const std::string log = full.home_path() + "/node.log";
  while (!read_file(log).contains("No more spans are written to /dev/full")) {
    REQUIRE(run({"status", "--home", full.home_path()}).code == 0);
  }
  CHECK(run({"status", "--home", full.home_path()}).code == 0);
}

TEST_CASE("program: a second node in the same home, and a port in use, are refused") {
  const Node node;
  const Outcome second = run({"start", "--home", node.home_path(), "--detach"});
  CHECK(second.code == 12);
  CHECK(second.err.contains("A node runs in " + node.home_path() + " already"));

  const std::string taken = node.address().substr(0, node.address().find("/p2p/"));
  const Folder other;
  for (const bool detach : {true, false}) {
    std::vector<std::string> arguments = {"start", "--home", other / "x", "--listen", taken};
    if (detach) arguments.emplace_back("--detach");
    const Outcome outcome = run(arguments);
    CHECK(outcome.code == 8);
    CHECK(outcome.err.contains("error: Cannot listen on " + taken));
  }
}

TEST_CASE("program: a killed node leaves nothing in the way of the next") {
  Node node;
  const std::string home = node.home_path();
  REQUIRE(::kill(node.pid(), SIGKILL) == 0);
  // It is not our child; its connections close when it has gone.
  Outcome again;
  for (int i = 0; i < 200 && again.code != 0; ++i) {
    again = run({"start", "--home", home, "--listen", "/ip4/127.0.0.1/tcp/0", "--detach"});
    if (again.code != 12) break;
  }
  CHECK(again.code == 0);
  CHECK(run({"status", "--home", home}).code == 0);
}

TEST_CASE("program: SIGTERM stops a node in the foreground cleanly") {
  const Folder folder;
  const std::string home = folder / "node";
  const pid_t child = launch(folder, {"start", "--home", home, "--listen", "/ip4/127.0.0.1/tcp/0"});
  Outcome status;
  for (int i = 0; i < 200 && status.code != 0; ++i) status = run({"status", "--home", home});
  REQUIRE(status.code == 0);
  REQUIRE(::kill(child, SIGTERM) == 0);
  const Outcome outcome = wait_for(folder, child);
  CHECK(outcome.code == 0);
  CHECK(outcome.out.starts_with("peer id    12D3KooW"));
  CHECK(outcome.err.contains(" stopping: signal 15\n"));
  CHECK(outcome.err.ends_with(" stopped\n"));
  CHECK_FALSE(std::filesystem::exists(std::filesystem::path{home} / "control.sock"));
}

TEST_CASE("program: every command without a node ends with 3, also as JSON") {
  const Folder folder;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"status"},
                                                    {"peers"},
                                                    {"stop"},
                                                    {"search", "x"},
                                                    {"get", "x"},
                                                    {"publish", "."}}) {
    std::vector<std::string> with_home = arguments;
    with_home.insert(with_home.end(), {"--home", folder / "none"});
    const Outcome outcome = run(with_home);
    CHECK(outcome.code == 3);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.contains("error: No node is running in "));
    with_home.emplace_back("--json");
    const Outcome json = run(with_home);
    CHECK(json.code == 3);
    CHECK(json.err.empty());
    CHECK(Json::parse(json.out)["error"]["code"] == "no_node");
    CHECK(Json::parse(json.out)["error"]["exit"] == 3);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "none"));  // asking makes nothing
}

TEST_CASE("program: bad input has its own exit code and leaves nothing behind") {
  const Folder folder;
  const std::string home = folder / "home";
  const Outcome address = run({"start", "--home", home, "--listen", "/ip4/127.0.0.1/tpc/0"});
  CHECK(address.code == 2);
  CHECK(address.err.contains("at position 14"));
  CHECK_FALSE(std::filesystem::exists(home));
  CHECK(run({"dance"}).code == 2);

  write_file(folder / "bad.toml", "[network]\nlisten = []\nmax_conections = 1\n");
  const Outcome config = run({"start", "--home", home, "--config", folder / "bad.toml"});
  CHECK(config.code == 6);
  CHECK(config.err.contains("bad.toml:3: unknown key `max_conections`"));
  CHECK(run({"config", "--home", home, "--config", folder / "none.toml"}).code == 6);
  CHECK_FALSE(std::filesystem::exists(home));

  write_file(folder / "file", "");
  for (const char* command : {"start", "id"}) {
    CHECK(run({command, "--home", folder / "file"}).code == 7);
  }
}

TEST_CASE("program: a home with a damaged or readable key is refused") {
  const Folder folder;
  const std::string home = folder / "home";
  REQUIRE(run({"id", "--home", home}).code == 0);
  const auto key = std::filesystem::path{home} / "identity.key";
  ::chmod(key.c_str(), 0644);
  const Outcome open = run({"start", "--home", home, "--detach"});
  CHECK(open.code == 7);
  CHECK(open.err.contains("chmod 600"));
  ::chmod(key.c_str(), 0600);
  write_file(key, "garbage");
  const Outcome damaged = run({"start", "--home", home, "--detach"});
  CHECK(damaged.code == 7);
  CHECK(damaged.err.contains("damaged"));
  CHECK(read_file(key) == "garbage");
}

TEST_CASE("program: `config` prints a file that it can read") {
  const Folder folder;
  const Outcome shown =
      run({"config", "--home", folder / "home", "--listen", "/ip4/1.2.3.4/tcp/5"});
  REQUIRE(shown.code == 0);
  CHECK(shown.out.contains("listen = [\"/ip4/1.2.3.4/tcp/5\"]"));
  CHECK(shown.out.contains("# --listen\n"));
  write_file(folder / "shown.toml", shown.out);
  const Outcome again =
      run({"config", "--home", folder / "home", "--config", folder / "shown.toml", "--json"});
  REQUIRE(again.code == 0);
  const Json json = Json::parse(again.out);
  CHECK(json["config"]["network"]["listen"]["value"][0] == "/ip4/1.2.3.4/tcp/5");
  CHECK_FALSE(std::filesystem::exists(folder / "home"));
}
