#include "command_line.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <span>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <ggen/p2p/registry/reference.hpp>
#include <ggen/p2p/registry/search.hpp>

#include "dht_json.hpp"
#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

// Longer is a mistake.
constexpr std::chrono::hours kMaxSearchTimeout{1};

namespace fs = std::filesystem;

// What CLI11 fills in, before it is checked.
struct Raw {
  ConfigFlags flags;
  bool json = false;
  bool detach = false;
  bool history = false;
  bool trace = false;
  std::string directory;
  std::string reference;
  std::string output;
  std::string key;
  std::string value;
  std::string topic;
  std::vector<std::string> data;
  std::string peer;
  std::uint64_t count = 0;
  std::vector<std::string> words;
  std::string category;
  std::string tag;
  std::uint64_t limit = 20;
  std::string timeout = "5s";
};

std::string version_text() {
  return fmt::format("ggen-p2p {}", GGEN_P2P_VERSION);
}

CLI::App* add_command(CLI::App& app, Raw& raw, const char* name, const char* what,
                      const char* examples) {
  CLI::App* command = app.add_subcommand(name, what);
  command
      ->add_option("--home", raw.flags.home,
                   "The node's folder [$GGEN_HOME, else ~/.local/share/ggen-p2p]")
      ->type_name("DIR");
  command->add_flag("--json", raw.json, "Print one JSON document on standard output, errors too");
  command->footer(std::string{"Examples:\n"} + examples);
  return command;
}

void add_config_options(CLI::App* command, Raw& raw) {
  command->add_option("--config", raw.flags.config, "Configuration file [HOME/config.toml]")
      ->type_name("FILE");
}

void add_address_options(CLI::App* command, Raw& raw) {
  command
      ->add_option("--listen", raw.flags.listen,
                   "Where to listen; may be repeated [network.listen]")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  command
      ->add_option("--bootstrap", raw.flags.bootstrap,
                   "A peer to connect to; may be repeated [bootstrap.peers]")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
}

void add_dht_commands(CLI::App& app, Raw& raw) {
  CLI::App* dht = app.add_subcommand("dht", "Ask the DHT, and show whom it knows");
  dht->require_subcommand(1);
  dht->footer("Each has more: ggen-p2p dht get --help");
  const auto add = [&](const char* name, const char* what, const char* key_name,
                       const char* key_help, const char* examples) {
    CLI::App* command = add_command(*dht, raw, name, what, examples);
    command->add_option(key_name, raw.key, key_help)->required();
    command->add_flag("--trace", raw.trace, "Show each peer that was asked, and what it said");
    return command;
  };
  constexpr const char* kKey = "A text, 0x and hexadecimal digits, /pk/PEER_ID or /ggen/PUBLISHER";
  constexpr const char* kProvided = "A CID, 0x and hexadecimal digits, or a text";
  add("put", "Put a value to the nodes nearest to its key", "KEY", kKey,
      "  ggen-p2p dht put /pk/12D3KooW... 0x08011220...")
      ->add_option("VALUE", raw.value, "A text, or 0x and hexadecimal digits")
      ->required();
  add("get", "Get the value of a key from the nodes nearest to it", "KEY", kKey,
      "  ggen-p2p dht get /ggen/12D3KooW...\n"
      "  ggen-p2p dht get /pk/12D3KooW... --json");
  add("closest", "Show the nodes nearest to a key", "KEY", kKey,
      "  ggen-p2p dht closest hello\n"
      "  ggen-p2p dht closest hello --trace");
  add("find-peer", "Show where a peer is", "PEER", "The id of the peer",
      "  ggen-p2p dht find-peer 12D3KooW...");
  add("providers", "Show who provides a key", "KEY", kProvided,
      "  ggen-p2p dht providers bafkrei... --trace");
  add("provide", "Tell the nodes nearest to a key that this node provides it", "KEY", kProvided,
      "  ggen-p2p dht provide bafkrei...");
  add_command(*dht, raw, "table", "Show the routing table: a line for each peer",
              "  ggen-p2p dht table\n"
              "  ggen-p2p dht table --json | jq .peers");
}

void add_pubsub_commands(CLI::App& app, Raw& raw) {
  CLI::App* pubsub =
      app.add_subcommand("pubsub", "Read and publish messages on topics, and show who takes part");
  pubsub->require_subcommand(1);
  pubsub->footer("Each has more: ggen-p2p pubsub scores --help");
  const auto add_topic = [&](CLI::App* command, const char* help) {
    return command->add_option("TOPIC", raw.topic, help);
  };
  add_command(*pubsub, raw, "topics", "Show the topics that this node and its peers subscribe to",
              "  ggen-p2p pubsub topics");
  add_topic(add_command(*pubsub, raw, "peers", "Show the peers that speak pubsub",
                        "  ggen-p2p pubsub peers\n"
                        "  ggen-p2p pubsub peers chat --json | jq -r '.peers[].peer_id'"),
            "Only those that subscribe to it");
  add_topic(add_command(*pubsub, raw, "mesh",
                        "Show the peers that this node exchanges each topic's messages with",
                        "  ggen-p2p pubsub mesh\n"
                        "  ggen-p2p pubsub mesh ggen-marketplace/updates"),
            "Only the mesh of this one");
  add_command(*pubsub, raw, "scores", "Show what each peer is worth, why, and what follows",
              "  ggen-p2p pubsub scores\n"
              "  ggen-p2p pubsub scores 12D3KooW...\n"
              "  ggen-p2p pubsub scores --json | jq '.peers[] | select(.score < 0)'")
      ->add_option("PEER", raw.peer, "Only this one");

  CLI::App* subscribe =
      add_command(*pubsub, raw, "subscribe", "Print the messages of a topic as they come",
                  "  ggen-p2p pubsub subscribe chat\n"
                  "  ggen-p2p pubsub subscribe chat --count 1 --json | jq -r .text");
  add_topic(subscribe, "The name of the topic")->required();
  subscribe->add_option("--count", raw.count, "End after so many messages")
      ->check(CLI::PositiveNumber);
  CLI::App* publish = add_command(*pubsub, raw, "publish", "Publish a message on a topic",
                                  "  ggen-p2p pubsub publish chat 'good morning'\n"
                                  "  ggen-p2p pubsub publish chat 0x00ff\n"
                                  "  ggen-p2p pubsub publish chat < picture.png");
  add_topic(publish, "The name of the topic")->required();
  publish->add_option("DATA", raw.data,
                      "A text, or 0x and hexadecimal digits; - or nothing: standard input");
}

void add_commands(CLI::App& app, Raw& raw) {
  CLI::App* start = add_command(app, raw, "start", "Run a node",
                                "  ggen-p2p start\n"
                                "  ggen-p2p start --home A --listen /ip4/127.0.0.1/tcp/0 --detach\n"
                                "  ggen-p2p start --trace spans.jsonl\n"
                                "  ggen-p2p start --bootstrap "
                                "/dns4/example.org/tcp/4747/p2p/12D3KooW...");
  add_config_options(start, raw);
  add_address_options(start, raw);
  start
      ->add_option("--trace", raw.flags.trace,
                   "Write what the node does as spans, in OTLP's JSON, to this file "
                   "[telemetry.trace]")
      ->type_name("FILE");
  start->add_flag("--detach", raw.detach,
                  "Return when the node is ready; it goes on, and logs to HOME/node.log");

  CLI::App* publish = add_command(app, raw, "publish", "Publish a folder as a package",
                                  "  ggen-p2p publish examples/packages/hello-template\n"
                                  "  ggen-p2p publish . --json");
  publish->add_option("DIR", raw.directory, "A folder with a ggen.toml")->required();

  CLI::App* search = add_command(app, raw, "search", "Search for packages, here and at peers",
                                 "  ggen-p2p search json parser\n"
                                 "  ggen-p2p search --category text --limit 5 pad\n"
                                 "  ggen-p2p search --tag cli --timeout 0");
  search->add_option("WORDS", raw.words, "All of them must be found");
  search->add_option("--category", raw.category, "Only packages of this category");
  search->add_option("--tag", raw.tag, "Only packages with this tag");
  search->add_option("--limit", raw.limit, "Results at most")
      ->check(CLI::Range(std::size_t{1}, registry::kMaxSearchResults))
      ->capture_default_str();
  search->add_option("--timeout", raw.timeout, "For peers to answer; 0 asks none")
      ->type_name("TIME")
      ->capture_default_str();

  CLI::App* get = add_command(app, raw, "get", "Fetch a package from whoever has it",
                              "  ggen-p2p get hello\n"
                              "  ggen-p2p get 'hello@^1.2' --output /tmp/hello\n"
                              "  ggen-p2p get 12D3KooW.../hello@1.0.0");
  get->add_option("NAME", raw.reference, "[PUBLISHER/]NAME[@RANGE]")->required();
  get->add_option("--output", raw.output, "The folder to make [./NAME]")->type_name("DIR");

  add_dht_commands(app, raw);
  add_pubsub_commands(app, raw);
  add_command(app, raw, "status", "Show what the node is and does",
              "  ggen-p2p status\n"
              "  ggen-p2p status --json | jq -r '.addresses[]'");
  CLI::App* peers = add_command(app, raw, "peers", "Show who is connected",
                                "  ggen-p2p peers\n"
                                "  ggen-p2p peers --history");
  peers->add_flag("--history", raw.history, "Also why past connections ended or never were");
  add_command(app, raw, "stop", "Stop the node, and wait until it has ended",
              "  ggen-p2p stop --home A");
  CLI::App* id = add_command(app, raw, "id",
                             "Show the ids of a home; makes its keys if there are none. Needs no "
                             "running node",
                             "  ggen-p2p id\n"
                             "  ggen-p2p id --home A --json");
  add_config_options(id, raw);
  CLI::App* config = add_command(app, raw, "config",
                                 "Show the configuration in force, and where each value came from. "
                                 "Needs no running node",
                                 "  ggen-p2p config\n"
                                 "  ggen-p2p config > node.toml\n"
                                 "  ggen-p2p config --config node.toml --listen "
                                 "/ip4/127.0.0.1/tcp/0");
  add_config_options(config, raw);
  add_address_options(config, raw);
}

Result<Request> search_request(const Raw& raw) {
  const std::string hint = "See: ggen-p2p search --help";
  request::Search search;
  for (const std::string& argument : raw.words) {
    std::istringstream words{argument};
    for (std::string word; words >> word;) search.words.push_back(word);
  }
  if (search.words.empty() && raw.category.empty() && raw.tag.empty()) {
    return fail(Exit::kUsage, "There is nothing to search for.",
                "Give words, --category or --tag: ggen-p2p search json parser");
  }
  if (search.words.size() > registry::kMaxSearchWords) {
    return fail(Exit::kUsage,
                fmt::format("A search takes at most {} words.", registry::kMaxSearchWords), hint);
  }
  for (const std::string& word : search.words) {
    if (word.size() > registry::kMaxSearchWord) {
      return fail(Exit::kUsage,
                  fmt::format("The word \"{}...\" is longer than {} bytes.",
                              printable(word.substr(0, 16)), registry::kMaxSearchWord),
                  hint);
    }
  }
  const auto timeout = parse_duration(raw.timeout);
  if (!timeout) return fail(Exit::kUsage, fmt::format("--timeout {}.", timeout.error()), hint);
  if (*timeout > kMaxSearchTimeout) {
    return fail(Exit::kUsage, "--timeout is more than an hour.", hint);
  }
  search.timeout = *timeout;
  search.limit = raw.limit;
  for (const auto& [label, option] :
       {std::pair{&raw.category, "--category"}, {&raw.tag, "--tag"}}) {
    if (!label->empty() && !registry::is_label(*label)) {
      return fail(Exit::kUsage,
                  fmt::format("{} \"{}\" cannot be: they have small letters, digits and hyphens.",
                              option, printable(*label)),
                  hint);
    }
  }
  search.category = raw.category;
  search.tag = raw.tag;
  return search;
}

Result<Request> get_request(const Raw& raw) {
  const auto reference = registry::Reference::parse(raw.reference);
  if (!reference) {
    return fail(Exit::kUsage, reference.error(),
                "Write [PUBLISHER/]NAME[@RANGE], such as hello@^1.2");
  }
  const fs::path output =
      raw.output.empty() ? fs::path{reference->name.text()} : fs::path{raw.output};
  return request::Get{raw.reference, fs::absolute(output).lexically_normal().string()};
}

Result<Request> dht_request(std::string_view name, const Raw& raw) {
  using Kind = request::DhtQuery::Kind;
  if (name == "table") return request::DhtTable{};
  const std::string hint = fmt::format("See: ggen-p2p dht {} --help", name);
  const auto query = [&](Kind kind, auto&& parse) -> Result<Request> {
    auto key = parse(raw.key);
    if (!key) return fail(Exit::kUsage, fmt::format("KEY {}.", key.error()), hint);
    return request::DhtQuery{kind, *std::move(key), {}, raw.trace};
  };
  if (name == "get") return query(Kind::kGet, parse_dht_key);
  if (name == "closest") return query(Kind::kClosest, parse_dht_key);
  if (name == "providers") return query(Kind::kProviders, parse_provider_key);
  if (name == "provide") return query(Kind::kProvide, parse_provider_key);
  if (name == "find-peer") {
    const auto peer = multiformats::PeerId::parse(raw.key);
    if (peer)
      return request::DhtQuery{Kind::kFindPeer, base::to_bytes(peer->bytes()), {}, raw.trace};
    return fail(Exit::kUsage,
                fmt::format("PEER \"{}\": {}.", printable(raw.key), to_string(peer.error())), hint);
  }
  auto put = query(Kind::kPut, parse_dht_key);
  if (!put) return put;
  auto value = parse_bytes(raw.value);
  if (!value) return fail(Exit::kUsage, fmt::format("VALUE {}.", value.error()), hint);
  std::get<request::DhtQuery>(*put).value = *std::move(value);
  return put;
}

// Whether what is published is still to be read.
bool reads_input(const Raw& raw) {
  return raw.data.empty() || raw.data.front() == "-";
}

// A topic that is no text would be another one when it arrives.
Result<std::string> topic_of(const Raw& raw, std::string_view command) {
  if (!raw.topic.empty() && printable(raw.topic) == raw.topic) return raw.topic;
  return fail(Exit::kUsage, "TOPIC must be a text without control characters.",
              fmt::format("See: ggen-p2p pubsub {} --help", command));
}

Result<Request> pubsub_request(std::string_view name, const Raw& raw) {
  using Kind = request::PubsubLook::Kind;
  if (name == "topics") return request::PubsubLook{Kind::kTopics};
  if (name == "peers") return request::PubsubLook{Kind::kPeers, raw.topic};
  if (name == "mesh") return request::PubsubLook{Kind::kMesh, raw.topic};
  const std::string hint = fmt::format("See: ggen-p2p pubsub {} --help", name);
  if (name == "scores") {
    const auto peer = multiformats::PeerId::parse(raw.peer);
    if (raw.peer.empty() || peer) {
      return request::PubsubLook{Kind::kScores, peer ? peer->to_string() : std::string{}};
    }
    return fail(Exit::kUsage,
                fmt::format("PEER \"{}\": {}.", printable(raw.peer), to_string(peer.error())),
                hint);
  }
  auto topic = topic_of(raw, name);
  if (!topic) return std::unexpected(std::move(topic.error()));
  if (name == "subscribe") return request::PubsubSubscribe{*std::move(topic), raw.count};
  if (raw.data.size() > 1) {
    return fail(Exit::kUsage, "A message is one argument.",
                "Quote it: ggen-p2p pubsub publish chat 'good morning'");
  }
  auto data = parse_bytes(reads_input(raw) ? std::string_view{} : raw.data.front());
  if (!data) return fail(Exit::kUsage, fmt::format("DATA {}.", data.error()), hint);
  return request::PubsubPublish{*std::move(topic), *std::move(data)};
}

Result<CommandLine> checked(const CLI::App& chosen, Raw raw) {
  const std::string& name = chosen.get_name();
  CommandLine line;
  line.json = raw.json;
  const auto to_node = [&](Result<Request> request) -> Result<CommandLine> {
    if (!request) return std::unexpected(std::move(request.error()));
    line.flags = std::move(raw.flags);
    line.command = command::Ask{*std::move(request), raw.history, false};
    return std::move(line);
  };
  if (name == "publish") {
    if (raw.directory.empty()) {
      return fail(Exit::kUsage, "The directory to publish has no name.",
                  "Give a folder with a ggen.toml, such as .");
    }
    return to_node(request::Publish{fs::absolute(raw.directory).lexically_normal().string()});
  }
  if (name == "search") return to_node(search_request(raw));
  if (name == "get") return to_node(get_request(raw));
  if (name == "dht") {
    return to_node(dht_request(chosen.get_subcommands().front()->get_name(), raw));
  }
  if (name == "pubsub") {
    const std::string& which = chosen.get_subcommands().front()->get_name();
    const bool from_input = which == "publish" && reads_input(raw);
    auto asked = to_node(pubsub_request(which, raw));
    if (asked) std::get<command::Ask>(asked->command).reads_input = from_input;
    return asked;
  }
  if (name == "status") return to_node(request::Status{});
  if (name == "peers") return to_node(request::Peers{});
  if (name == "stop") return to_node(request::Stop{});
  line.flags = std::move(raw.flags);
  if (name == "start") line.command = command::Start{raw.detach};
  if (name == "id") line.command = command::Id{};
  if (name == "config") line.command = command::ShowConfig{};
  return line;
}

// What CLI11 found wrong, and what to do about it.
Error usage_error(const CLI::App& root, std::span<const char* const> arguments,
                  const CLI::ParseError& error) {
  const CLI::App* app = &root;
  std::string typed = "ggen-p2p";
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    typed += ' ' + app->get_name();
    const auto name =
        std::ranges::find_if(arguments, [&](const char* a) { return app->get_name() == a; });
    if (name != arguments.end()) arguments = {name + 1, arguments.end()};
  }
  const std::string help = fmt::format("See: {} --help", typed);
  std::vector<std::string> names;
  for (const CLI::App* command : app->get_subcommands({})) names.push_back(command->get_name());
  if (!names.empty() && arguments.empty()) {
    return {Exit::kUsage, "No command was given.", help};
  }
  if (names.empty() || arguments.front()[0] == '-') {
    return {Exit::kUsage, sentence(error.what()), help};
  }
  const auto suggestion = nearest(arguments.front(), names);
  return {Exit::kUsage, fmt::format("There is no command `{}`.", printable(arguments.front())),
          suggestion ? fmt::format("Did you mean: {} {}?", typed, *suggestion) : help};
}

}  // namespace

std::variant<CommandLine, EarlyExit> parse_command_line(int argc, const char* const* argv) {
  CLI::App app{
      "A package marketplace without servers: publish a folder, and every other node can "
      "find it and fetch it."};
  app.name("ggen-p2p");
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  ggen-p2p start --detach\n"
      "  ggen-p2p publish my-package\n"
      "  ggen-p2p search json parser\n"
      "  ggen-p2p get hello@^1.0\n"
      "Each command has more: ggen-p2p COMMAND --help. Exit codes are listed in docs/cli.md.");
  Raw raw;
  add_commands(app, raw);

  const std::span<const char* const> arguments{argv + 1,
                                               static_cast<std::size_t>(std::max(0, argc - 1))};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    if (app.exit(error, out, err) == 0) return EarlyExit{Exit::kOk, out.str(), {}, false};
    const bool json = std::ranges::any_of(
        arguments, [](const char* text) { return std::strcmp(text, "--json") == 0; });
    return EarlyExit{Exit::kUsage, {}, usage_error(app, arguments, error), json};
  }
  const bool json = raw.json;
  auto line = checked(*app.get_subcommands().front(), std::move(raw));
  if (line) return *std::move(line);
  return EarlyExit{line.error().code, {}, std::move(line.error()), json};
}

}  // namespace ggen::p2p::cli
