#include "config.hpp"

#include <chrono>
#include <cstdlib>
#include <set>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "../support/folder.hpp"
#include "config_table.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::cli;
using ggen::p2p::test::Folder;
using ggen::p2p::test::read_file;
using ggen::p2p::test::write_file;
using namespace std::chrono_literals;

namespace {

Error error_of(std::string_view text) {
  Configuration configuration;
  const auto applied = apply_toml(text, "node.toml", configuration);
  REQUIRE_FALSE(applied);
  CHECK(applied.error().code == Exit::kConfig);
  CHECK_FALSE(applied.error().hint.empty());
  return applied.error();
}

bool has(std::string_view text, std::string_view part) {
  return text.contains(part);
}

const std::string& origin(const Configuration& configuration, std::string_view table,
                          std::string_view name) {
  return configuration
      .origins[static_cast<std::size_t>(find_key(table, name) - config_keys().data())];
}

ConfigFlags in(const Folder& home) {
  ConfigFlags flags;
  flags.home = home.path().string();
  return flags;
}

}  // namespace

TEST_CASE("config: a node has 50 connections, and the trimming that goes with them") {
  const Settings settings;
  CHECK(settings.host.node.swarm.limits.max_connections == 50);
  CHECK(settings.host.node.swarm.limits.max_inbound < 50);
  CHECK(settings.host.node.swarm.trimming.high_water < 50);
  CHECK(settings.listen.size() == 1);
  CHECK(settings.kad.mode == kad::Mode::kServer);
}

TEST_CASE("config: every key is once in the table, and takes its own default") {
  std::set<std::string> paths;
  std::string_view table;
  std::set<std::string_view> tables;
  for (const Key& key : config_keys()) {
    CAPTURE(key.path());
    CHECK(paths.insert(key.path()).second);
    if (key.table != table) {
      table = key.table;
      CHECK(tables.insert(table).second);  // a table is in one piece
    }
    CHECK_FALSE(key.doc.empty());
    CHECK_FALSE(key.doc.ends_with('.'));
    CHECK_FALSE(key.valid.empty());
    Settings settings;
    const Value before = key.get(settings);
    REQUIRE(key.set(settings, before));
    CHECK(key.get(settings) == before);
  }
  for (const char* wanted : {"network", "security", "bootstrap", "dht", "gossipsub"}) {
    CHECK(tables.contains(wanted));
  }
}

TEST_CASE("config: a file sets what it names, and each value knows its line") {
  Configuration configuration;
  const auto applied = apply_toml(R"([network]
listen = ["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/4001"]
max_connections = 20
dial_timeout = "2s"

[security]
deny_addresses = ["10.0.0.0/8"]
deny_peers = ["12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"]

[dht]
mode = "client"
protocol_name = "/ipfs/kad/1.0.0"
k = 10

[gossipsub]
heartbeat = "700ms"
flood_publish = false
)",
                                  "node.toml", configuration);
  REQUIRE(applied);
  const Settings& s = configuration.settings;
  CHECK(s.listen.size() == 2);
  CHECK(s.host.node.swarm.limits.max_connections == 20);
  CHECK(s.host.node.swarm.dialing.deadline == 2s);
  CHECK(s.host.node.swarm.access.deny_addresses.size() == 1);
  CHECK(s.host.node.swarm.access.deny_peers.size() == 1);
  CHECK(s.kad.mode == kad::Mode::kClient);
  CHECK(s.kad.protocol == "/ipfs/kad/1.0.0");
  CHECK(s.kad.query.lookup.k == 10);
  CHECK(s.gossipsub.heartbeat == 700ms);
  CHECK_FALSE(s.gossipsub.flood_publish);
  CHECK(origin(configuration, "network", "listen") == "node.toml:2");
  CHECK(origin(configuration, "dht", "k") == "node.toml:13");
  CHECK(origin(configuration, "dht", "alpha") == "default");
}

TEST_CASE("config: an unknown key or table is refused with its line, and the nearest is named") {
  Error error = error_of("[network]\nmax_conections = 3\n");
  CHECK(has(error.message, "node.toml:2: "));
  CHECK(has(error.message, "did you mean `max_connections`?"));
  error = error_of("\n\n[netwrok]\n");
  CHECK(has(error.message, "node.toml:3: unknown table `netwrok`; did you mean `network`?"));
  // The right key under the wrong table, and under none.
  CHECK(has(error_of("[network]\nheartbeat = \"1s\"\n").message, "`gossipsub.heartbeat`"));
  CHECK(has(error_of("max_connections = 3\n").message, "[network]"));
  CHECK(has(error_of("[network]\nzzzzzzzzzz = 3\n").message,
            "unknown key `zzzzzzzzzz` in [network]."));
  CHECK(has(error_of("network = 3\n").message, "must be a table"));
}

TEST_CASE("config: wrong types and values are refused with key, line and what is valid") {
  const auto refused = [](std::string_view text, std::string_view part) {
    CAPTURE(text);
    const Error error = error_of(text);
    CAPTURE(error.message);
    CHECK(has(error.message, "node.toml:2: "));
    CHECK(has(error.message, part));
  };
  refused("[network]\nmax_connections = \"many\"\n",
          "`network.max_connections` must be a whole number from 1 to 100000");
  refused("[network]\nmax_connections = 0\n", "from 1 to");
  refused("[network]\nmax_connections = 1.5\n", "a whole number");
  refused("[network]\ndial_timeout = 5\n", "a time from");
  refused("[network]\ndial_timeout = \"soon\"\n", "must be a time such as");
  refused("[network]\ndial_timeout = \"0s\"\n", "a time from \"100ms\"");
  refused("[network]\nserve_perf = 1\n", "true or false");
  refused("[network]\nlisten = \"/ip4/0.0.0.0/tcp/0\"\n", "a list");
  refused("[network]\nlisten = [1]\n", "a list");
  refused("[network]\nlisten = [\"/ip4/0.0.0.0/tpc/0\"]\n", "at position 12");
  refused("[network]\nlisten = [\"/dns4/example.org/tcp/1\"]\n", "cannot listen");
  refused("[bootstrap]\npeers = [\"somewhere\"]\n", "not an address");
  refused("[security]\nidentity = \"\"\n", "a path");
  refused("[security]\nallow_peers = [\"me\"]\n", "not a peer id");
  refused("[security]\ndeny_addresses = [\"10.0.0.0/40\"]\n", "not a range");
  refused("[dht]\nmode = \"both\"\n", "\"server\", \"client\" or \"auto\"");
  refused("[dht]\nprotocol_name = \"kad\"\n", "a protocol id");
}

TEST_CASE("config: encryption cannot be turned off") {
  const Error error = error_of("[security]\nenable_encryption = false\n");
  CHECK(has(error.message, "node.toml:2: `security.enable_encryption` cannot be false: "));
  Configuration configuration;
  CHECK(apply_toml("[security]\nenable_encryption = true\n", "f", configuration));
}

TEST_CASE("config: text that is no TOML is refused with its line") {
  CHECK(has(error_of("[network]\nlisten = [\n").message, "node.toml:"));
  CHECK(has(error_of("[network]\nmax_connections = = 1\n").message, "node.toml:2: not valid TOML"));
  CHECK(has(error_of("\xff\xfe").message, "node.toml:1: not valid TOML"));
  CHECK(has(error_of("a = " + std::string(10'000, '[')).message, "not valid TOML"));
}

TEST_CASE("config: characters outside ASCII stand in strings and comments only") {
  const std::string umlaut = "\xC3\xA4";
  for (const std::string& text :
       {"[security]\nidentity = " + umlaut, "[security]\n" + umlaut + " = 1\n",
        "[security]\nidentity = \"\"\"\\" + umlaut + "\"\"\"\n",
        "[security]\nidentity = \"a\\\"b\"" + umlaut}) {
    CAPTURE(text);
    CHECK(has(error_of(text).message, "node.toml:2: not valid TOML"));
  }
  CHECK(has(error_of("[security]\nidentity = \"\"\"\\\n " + umlaut).message, "node.toml:3: "));
  for (const std::string& text : {"# " + umlaut + "\n[security]\nidentity = \"" + umlaut + "\"\n",
                                  "[security]\nidentity = '" + umlaut + "\\'  # " + umlaut,
                                  "[security]\nidentity = \"\"\"" + umlaut + "\"\"\"\"\"",
                                  "\xEF\xBB\xBF[security]\nidentity = '''''" + umlaut + "'''\n"}) {
    CAPTURE(text);
    Configuration configuration;
    const auto applied = apply_toml(text, "node.toml", configuration);
    CHECK(applied);
  }
}

TEST_CASE("config: values that do not go together are refused where one was set") {
  const Folder home;
  write_file(home / "config.toml", "[gossipsub]\nd = 4\n");
  const auto loaded = load_config(in(home));
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == Exit::kConfig);
  CHECK(has(loaded.error().message, "config.toml:2: gossipsub.d_low must not be above"));
  write_file(home / "config.toml", "[gossipsub]\nd = 4\nd_low = 3\n");
  CHECK(load_config(in(home)));
  write_file(home / "config.toml", "[gossipsub]\nd_out = 5\n");
  CHECK(has(load_config(in(home)).error().message, "config.toml:2: gossipsub.d_out"));
  write_file(home / "config.toml", "[gossipsub]\nd_score = 7\n");
  CHECK(has(load_config(in(home)).error().message, "config.toml:2: gossipsub.d_score must not"));
  write_file(home / "config.toml", "[gossipsub]\nd_score = 6\npeer_exchange = true\n");
  const auto exchanges = load_config(in(home));
  REQUIRE(exchanges);
  CHECK(exchanges->settings.gossipsub.mesh.degree_score == 6);
  CHECK(exchanges->settings.gossipsub.peer_exchange);
}

TEST_CASE("config: the command line wins over the file, the file over the default") {
  const Folder home;
  ConfigFlags flags = in(home);
  CHECK(origin(*load_config(flags), "network", "listen") == "default");

  write_file(home / "config.toml",
             "[network]\nlisten = [\"/ip4/127.0.0.1/tcp/1\"]\nmax_connections = 7\n");
  auto loaded = load_config(flags);
  REQUIRE(loaded);
  CHECK(loaded->settings.listen.front().to_string() == "/ip4/127.0.0.1/tcp/1");
  CHECK(origin(*loaded, "network", "listen") == (home / "config.toml").string() + ":2");

  flags.listen = {"/ip4/127.0.0.1/tcp/2"};
  loaded = load_config(flags);
  REQUIRE(loaded);
  CHECK(loaded->settings.listen.front().to_string() == "/ip4/127.0.0.1/tcp/2");
  CHECK(origin(*loaded, "network", "listen") == "--listen");
  CHECK(loaded->settings.host.node.swarm.limits.max_connections == 7);

  flags.listen = {"/ip4/127.0.0.1/tpc/2"};
  loaded = load_config(flags);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == Exit::kUsage);
  CHECK(has(loaded.error().message, "--listen"));
  CHECK(has(loaded.error().message, "position 14"));
}

TEST_CASE("config: spans go to a file in the home, or where the command line says") {
  const Folder home;
  ConfigFlags flags = in(home);
  CHECK(load_config(flags)->settings.trace.empty());
  write_file(home / "config.toml", "[telemetry]\ntrace = \"spans.jsonl\"\n");
  CHECK(load_config(flags)->settings.trace_path() == home / "spans.jsonl");
  flags.trace = "here.jsonl";
  const auto loaded = load_config(flags);
  REQUIRE(loaded);
  CHECK(loaded->settings.trace_path() == std::filesystem::absolute("here.jsonl"));
  CHECK(origin(*loaded, "telemetry", "trace") == "--trace");
  flags.trace = "";
  CHECK(load_config(flags)->settings.trace.empty());
}

TEST_CASE("config: --config names another file, which must be there and of a sane size") {
  const Folder home;
  ConfigFlags flags = in(home);
  flags.config = (home / "other.toml").string();
  auto loaded = load_config(flags);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == Exit::kConfig);
  flags.config = home.path().string();  // a folder
  CHECK(load_config(flags).error().code == Exit::kConfig);
  flags.config = "/dev/zero";  // has no end
  CHECK(has(load_config(flags).error().message, "larger than"));
}

TEST_CASE("config: what is shown is a file that says the same, with the origin of each value") {
  const Folder home;
  write_file(home / "config.toml",
             "[network]\nmax_connections = 7\n[security]\nidentity = 'a\"\\\t'\n"
             "deny_addresses = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n");
  const auto loaded = load_config(in(home));
  REQUIRE(loaded);
  const std::string shown = show_config(*loaded);
  CHECK(has(shown, "# " + (home / "config.toml").string() + ":2\n"));
  CHECK(has(shown, "# default\n"));
  Configuration again;
  const auto applied = apply_toml(shown, "shown", again);
  REQUIRE(applied);
  for (const Key& key : config_keys()) {
    CAPTURE(key.path());
    CHECK(key.get(again.settings) == key.get(loaded->settings));
  }
  const Json json = config_to_json(*loaded);
  CHECK(json["config"]["network"]["max_connections"]["value"] == 7);
  CHECK(json["config"]["network"]["max_connections"]["origin"] ==
        (home / "config.toml").string() + ":2");
  CHECK(json["config"]["dht"]["alpha"]["origin"] == "default");
}

TEST_CASE("config: the home is the flag's, else the environment's; and always absolute") {
  ::setenv("GGEN_HOME", "/somewhere/else", 1);
  CHECK(choose_home("/x/y/")->path == "/x/y");
  CHECK(choose_home("relative")->path.is_absolute());
  CHECK(choose_home({})->path == "/somewhere/else");
  CHECK(choose_home({})->origin == "$GGEN_HOME");
  ::unsetenv("GGEN_HOME");
  ::setenv("XDG_DATA_HOME", "/data", 1);
  CHECK(choose_home({})->path == "/data/ggen-p2p");
  ::setenv("XDG_DATA_HOME", "data", 1);  // the XDG specification: relative ones are ignored
  ::setenv("HOME", "/home/ada", 1);
  CHECK(choose_home({})->path == "/home/ada/.local/share/ggen-p2p");
  CHECK(choose_home("").error().code == Exit::kHome);
  ::unsetenv("XDG_DATA_HOME");
}
