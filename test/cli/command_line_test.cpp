#include "command_line.hpp"

#include <chrono>
#include <filesystem>
#include <vector>

#include <doctest/doctest.h>

using namespace ggen::p2p::cli;
namespace base = ggen::p2p::base;
using namespace std::chrono_literals;

namespace {

std::variant<CommandLine, EarlyExit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ggen-p2p");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

CommandLine parsed(std::vector<const char*> arguments) {
  auto result = parse(std::move(arguments));
  REQUIRE(std::holds_alternative<CommandLine>(result));
  return std::get<CommandLine>(std::move(result));
}

EarlyExit early(std::vector<const char*> arguments) {
  auto result = parse(std::move(arguments));
  REQUIRE(std::holds_alternative<EarlyExit>(result));
  return std::get<EarlyExit>(std::move(result));
}

template <class T>
T request_of(std::vector<const char*> arguments) {
  const CommandLine line = parsed(std::move(arguments));
  return std::get<T>(std::get<command::Ask>(line.command).request);
}

void is_usage_error(std::vector<const char*> arguments, std::string_view part) {
  const EarlyExit exit = early(std::move(arguments));
  REQUIRE(exit.error);
  CAPTURE(exit.error->message);
  CHECK(exit.error->code == Exit::kUsage);
  CHECK(exit.error->message.contains(part));
  CHECK_FALSE(exit.error->hint.empty());
}

}  // namespace

TEST_CASE("command line: start takes addresses, home and configuration") {
  const CommandLine line = parsed(
      {"start", "--home", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip6/::1/tcp/0",
       "--bootstrap", "/ip4/127.0.0.1/tcp/1", "--config", "c", "--trace", "spans", "--detach"});
  CHECK(std::get<command::Start>(line.command).detach);
  CHECK(line.flags.home == "A");
  CHECK(line.flags.config == "c");
  CHECK(line.flags.trace == "spans");
  CHECK(line.flags.listen.size() == 2);
  CHECK(line.flags.bootstrap.size() == 1);
  CHECK_FALSE(line.json);
}

TEST_CASE("command line: paths are those of the caller's folder") {
  const auto here = std::filesystem::current_path();
  CHECK(request_of<request::Publish>({"publish", "x/./y"}).directory == (here / "x/y").string());
  CHECK(request_of<request::Get>({"get", "hello@^1.2"}).output == (here / "hello").string());
  CHECK(request_of<request::Get>({"get", "ada/hello", "--output", "/tmp/z"}).output == "/tmp/z");
}

TEST_CASE("command line: search takes words, filters, a limit and a time") {
  const auto search =
      request_of<request::Search>({"search", "json", "fast parser", "--category", "text", "--tag",
                                   "cli", "--limit", "5", "--timeout", "250ms", "--json"});
  CHECK(search == request::Search{{"json", "fast", "parser"}, "text", "cli", 5, 250ms});
  CHECK(request_of<request::Search>({"search", "--tag", "cli"}).words.empty());
  CHECK(request_of<request::Search>({"search", "x"}) == request::Search{{"x"}, "", "", 20, 5s});
}

TEST_CASE("command line: keys of the DHT are texts, bytes, or the public key of a peer") {
  using request::DhtQuery;
  using Kind = DhtQuery::Kind;
  constexpr const char* kPeer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
  const auto query = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "dht");
    return request_of<DhtQuery>(arguments);
  };
  CHECK(query({"closest", "ab"}) == DhtQuery{Kind::kClosest, {'a', 'b'}});
  CHECK(query({"closest", "0x00ff", "--trace"}) == DhtQuery{Kind::kClosest, {0, 0xFF}, {}, true});
  const std::string own_key = std::string{"/pk/"} + kPeer;
  const auto get = query({"get", own_key.c_str(), "--home", "A"});
  CHECK(get.kind == Kind::kGet);
  REQUIRE(get.key.size() == 4 + 38);
  CHECK(get.key[4] == 0);  // the identity multihash, with its length behind
  CHECK(get.key[5] == 36);
  CHECK(query({"put", "key", "0x01", "--json"}) == DhtQuery{Kind::kPut, {'k', 'e', 'y'}, {1}});
  const auto find = query({"find-peer", kPeer});
  CHECK(find.kind == Kind::kFindPeer);
  CHECK(find.key == base::Bytes{get.key.begin() + 4, get.key.end()});
  // The multihash of a CID: SHA-256 of "hello", as a raw block.
  const auto providers =
      query({"providers", "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"});
  REQUIRE(providers.key.size() == 34);
  CHECK(base::to_hex(base::BytesView{providers.key}.first(6)) == "12202cf24dba");
  CHECK(query({"provide", "0x1220"}) == DhtQuery{Kind::kProvide, {0x12, 0x20}});
  CHECK(request_of<request::DhtTable>({"dht", "table"}) == request::DhtTable{});
  is_usage_error({"dht"}, "");
  is_usage_error({"dht", "get"}, "KEY");
  is_usage_error({"dht", "find-peer", "nobody"}, "not a peer id");
  is_usage_error({"dht", "table", "x"}, "");
  is_usage_error({"dht", "get", "/pk/nobody"}, "peer id");
  is_usage_error({"dht", "get", "0xf"}, "hexadecimal");
  is_usage_error({"dht", "put", "key", "0xf"}, "VALUE");
}

TEST_CASE("command line: pubsub looks at topics and peers, subscribes and publishes") {
  using request::PubsubLook;
  using Kind = PubsubLook::Kind;
  constexpr const char* kPeer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
  const auto look = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "pubsub");
    return request_of<PubsubLook>(arguments);
  };
  CHECK(look({"topics"}) == PubsubLook{Kind::kTopics});
  CHECK(look({"peers"}) == PubsubLook{Kind::kPeers});
  CHECK(look({"peers", "chat", "--json"}) == PubsubLook{Kind::kPeers, "chat"});
  CHECK(look({"mesh", "chat"}) == PubsubLook{Kind::kMesh, "chat"});
  CHECK(look({"scores"}) == PubsubLook{Kind::kScores});
  CHECK(look({"scores", kPeer}) == PubsubLook{Kind::kScores, kPeer});
  using request::PubsubSubscribe;
  CHECK(request_of<PubsubSubscribe>({"pubsub", "subscribe", "chat"}) == PubsubSubscribe{"chat"});
  CHECK(request_of<PubsubSubscribe>({"pubsub", "subscribe", "chat", "--count", "3"}) ==
        PubsubSubscribe{"chat", 3});
  using request::PubsubPublish;
  CHECK(request_of<PubsubPublish>({"pubsub", "publish", "chat", "hi"}) ==
        PubsubPublish{"chat", {'h', 'i'}});
  CHECK(request_of<PubsubPublish>({"pubsub", "publish", "chat", "0x00ff"}) ==
        PubsubPublish{"chat", {0, 0xFF}});
  const auto reads_input = [](std::vector<const char*> arguments) {
    return std::get<command::Ask>(parsed(std::move(arguments)).command).reads_input;
  };
  CHECK(reads_input({"pubsub", "publish", "chat"}));
  CHECK(reads_input({"pubsub", "publish", "chat", "-"}));
  CHECK_FALSE(reads_input({"pubsub", "publish", "chat", ""}));
  CHECK_FALSE(reads_input({"pubsub", "subscribe", "chat"}));
}

TEST_CASE("command line: what makes no sense to pubsub is refused with what to do") {
  is_usage_error({"pubsub"}, "No command");
  is_usage_error({"pubsub", "scores", "nobody"}, "not a peer id");
  is_usage_error({"pubsub", "subscribe"}, "TOPIC");
  is_usage_error({"pubsub", "subscribe", ""}, "TOPIC");
  is_usage_error({"pubsub", "subscribe", "\xFF"}, "TOPIC");
  is_usage_error({"pubsub", "subscribe", "chat", "--count", "0"}, "--count");
  is_usage_error({"pubsub", "publish", "chat", "0xf"}, "DATA");
  is_usage_error({"pubsub", "publish", "chat", "good", "morning"}, "one argument");
  is_usage_error({"pubsub", "--home", "A"}, "subcommand");
  is_usage_error({"pubsub", "subscibe", "chat"}, "There is no command `subscibe`");
  CHECK(early({"pubsub", "subscibe", "chat"}).error->hint ==
        "Did you mean: ggen-p2p pubsub subscribe?");
  CHECK(early({"pubsub", "publish", "--wrong"}).error->hint ==
        "See: ggen-p2p pubsub publish --help");
}

TEST_CASE("command line: what makes no sense is refused with what to do") {
  is_usage_error({}, "No command");
  is_usage_error({"serach"}, "There is no command `serach`");
  is_usage_error({"publish"}, "DIR");
  is_usage_error({"get"}, "NAME");
  is_usage_error({"get", "../x"}, "");
  is_usage_error({"get", "a@not-a-range"}, "");
  is_usage_error({"search"}, "nothing to search for");
  is_usage_error({"search", "x", "--limit", "0"}, "limit");
  is_usage_error({"search", "x", "--limit", "101"}, "limit");
  is_usage_error({"search", "x", "--timeout", "soon"}, "--timeout must be");
  is_usage_error({"search", "--tag", "Not A Tag"}, "--tag");
  is_usage_error({"status", "--wrong"}, "--wrong");
  is_usage_error({"start", "more"}, "more");
  CHECK(early({"serach"}).error->hint.contains("ggen-p2p search"));
  CHECK(early({"status", "--wrong", "--json"}).json);
}

TEST_CASE("command line: every command has help with runnable examples, and there is a version") {
  for (const char* name :
       {"start", "publish", "search", "get", "status", "peers", "stop", "id", "config"}) {
    const EarlyExit help = early({name, "--help"});
    CHECK(help.code == Exit::kOk);
    CHECK_FALSE(help.error);
    CHECK(help.text.contains("Examples:\n  ggen-p2p " + std::string{name}));
    CHECK(help.text.contains("--json"));
    CHECK(help.text.contains("--home"));
  }
  for (const char* name : {"topics", "peers", "mesh", "scores", "subscribe", "publish"}) {
    const EarlyExit help = early({"pubsub", name, "--help"});
    CHECK(help.text.contains("Examples:\n  ggen-p2p pubsub " + std::string{name}));
    CHECK(help.text.contains("--json"));
  }
  CHECK(early({"--help"}).text.contains("docs/cli.md"));
  CHECK(early({"--version"}).text.starts_with("ggen-p2p "));
}
