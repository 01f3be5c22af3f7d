// The commands of pubsub, between nodes that run.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <signal.h>

#include "program.hpp"

using namespace ggen::p2p::cli;
using namespace ggen::p2p::test;

namespace {

// What a node of `node`'s home answers to `ggen-p2p pubsub ...`.
Json ask(const Node& node, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "pubsub");
  arguments.insert(arguments.end(), {"--home", node.home_path(), "--json"});
  const Outcome outcome = run(arguments);
  CAPTURE(outcome.out);
  CHECK(outcome.err.empty());
  return Json::parse(outcome.out);
}

// The topic as `pubsub topics` shows it; null when it is not there.
Json topic_at(const Node& node, const std::string& name) {
  const Json known = ask(node, {"topics"});
  for (const Json& topic : known["topics"]) {
    if (topic["topic"] == name) return topic;
  }
  return nullptr;
}

// Nodes take a moment to hear of each other: they are asked until they have.
void ask_until(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("it never came about");
  }
}

/// `pubsub subscribe chat` in the background, once the node is in the topic.
struct Subscriber {
  Subscriber(const Node& at, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"pubsub", "subscribe", "chat", "--home", at.home_path()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    child = launch(folder, arguments);
    ask_until([&] {
      const Json topic = topic_at(at, "chat");
      return !topic.is_null() && topic["subscribed"] == true;
    });
  }
  Outcome end() { return wait_for(folder, child); }

  Folder folder;
  pid_t child = -1;
};

}  // namespace

TEST_CASE("program: a message reaches who subscribes on another node, and the topic is left") {
  const Node a;
  const Node b{{"--bootstrap", a.address()}};
  Subscriber reader{b, {"--count", "2", "--json"}};
  Subscriber here{a, {"--count", "1"}};
  ask_until([&] { return topic_at(a, "chat")["peers"] == 1; });
  const Json peers = ask(a, {"peers", "chat"});
  REQUIRE(peers["peers"].size() == 1);
  CHECK(peers["peers"][0]["peer_id"] == b.started["peer_id"]);
  CHECK(peers["peers"][0]["protocol"].get<std::string>().starts_with("/meshsub/1."));

  const Json first = ask(a, {"publish", "chat", "good morning"});
  CHECK(first["peers"] == 1);
  // Who reads at the node that publishes sees it, too.
  const Outcome shown = here.end();
  CHECK(shown.code == 0);
  CHECK(shown.err.empty());
  CHECK(shown.out.ends_with("  " + a.started["peer_id"].get<std::string>() +
                            "  12 B  good morning\n"));
  ask_until([&] { return topic_at(a, "chat")["subscribed"] == false; });
  CHECK(ask(a, {"publish", "chat", "0x00ff"})["peers"] == 1);

  const Outcome read = reader.end();
  CHECK(read.code == 0);
  const std::size_t line = read.out.find('\n');
  const Json one = Json::parse(read.out.substr(0, line));
  CHECK(one["author"] == a.started["peer_id"]);
  CHECK(one["id"] == first["id"]);
  CHECK(one["text"] == "good morning");
  const Json two = Json::parse(read.out.substr(line + 1));
  CHECK(two["text"].is_null());
  CHECK(two["data"] == "00ff");
  ask_until([&] { return topic_at(a, "chat").is_null(); });
  CHECK(topic_at(b, "chat").is_null());
}

TEST_CASE("program: Ctrl-C ends a subscription well, and a message may come from standard input") {
  const Node node;
  Subscriber reader{node, {"--json"}};
  const Folder folder;
  write_file(folder / "input", std::string(100'000, 'x'));
  const Outcome published =
      run({"pubsub", "publish", "chat", "--home", node.home_path()}, folder / "input");
  CHECK(published.code == 0);
  CHECK(published.out.contains("nobody: no connected peer subscribes to chat"));
  ask_until([&] { return read_file(reader.folder / "out").contains('\n'); });
  REQUIRE(::kill(reader.child, SIGINT) == 0);
  const Outcome read = reader.end();
  CHECK(read.code == 0);
  CHECK(read.err.empty());
  CHECK(Json::parse(read.out)["bytes"] == 100'000);
  ask_until([&] { return topic_at(node, "chat").is_null(); });
}

TEST_CASE("program: the marketplace's topic can be read and looked at, but not published on") {
  const Node a;
  const Node b{{"--bootstrap", a.address()}};
  const std::string topic = "ggen-marketplace/updates";
  ask_until([&] { return ask(a, {"mesh", topic})["topics"][0]["peers"].size() == 1; });
  const Json mesh = ask(a, {"mesh"});
  CHECK(mesh["topics"][0]["peers"][0]["peer_id"] == b.started["peer_id"]);
  const std::string peer = b.started["peer_id"];
  const Json scores = ask(a, {"scores", peer});
  REQUIRE(scores["peers"].size() == 1);
  CHECK(scores["peers"][0]["standing"] == "good");
  CHECK(scores["peers"][0]["topics"][0]["topic"] == topic);

  const Outcome refused = run({"pubsub", "publish", topic, "hi", "--home", a.home_path()});
  CHECK(refused.code == 2);
  CHECK(refused.err.contains("signed releases only"));
  CHECK(refused.err.contains("ggen-p2p publish DIR"));
  CHECK(ask(a, {"scores", peer})["peers"][0]["score"] >= 0);
}

TEST_CASE("program: a topic or peer that pubsub does not know is named, with what was meant") {
  const Node node;
  const auto refused = [&](std::vector<std::string> arguments, std::string_view hint) {
    arguments.insert(arguments.begin(), "pubsub");
    arguments.insert(arguments.end(), {"--home", node.home_path()});
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 4);
    CHECK(outcome.err.contains(hint));
  };
  refused({"peers", "ggen-marketplace/update"}, "Did you mean ggen-marketplace/updates?");
  refused({"mesh", "chat"}, "See: ggen-p2p pubsub topics");
  refused({"scores", "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"},
          "See: ggen-p2p pubsub peers");
  const Outcome none = run({"pubsub", "peers", "--home", node.home_path()});
  CHECK(none.code == 0);
  CHECK(none.out == "No connected peer speaks pubsub.\n");
  const std::string long_topic(300, 'x');
  for (const char* command : {"subscribe", "publish"}) {
    const Outcome too_long = run({"pubsub", command, long_topic, "--home", node.home_path()});
    CHECK(too_long.code == 2);
    CHECK(too_long.err.contains("too long"));
  }
}

TEST_CASE("program: a subscription ends with the node, and says so") {
  const Node node;
  Subscriber reader{node, {}};
  REQUIRE(run({"stop", "--home", node.home_path()}).code == 0);
  const Outcome ended = reader.end();
  CHECK(ended.code == 130);
  CHECK(ended.err.contains("The node is stopping"));
}
