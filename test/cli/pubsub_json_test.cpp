#include "pubsub_json.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/peers.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::cli;
using test::key_pair;
using test::peer_id;

namespace {

/// An engine whose peers connect, and then do nothing.
struct Fixture {
  explicit Fixture(gossipsub::Config settings = {})
      : config(std::move(settings)), engine(config, crypto, key, 1, base::Prng{1}) {
    engine.subscribe("chat", now);
  }
  void connect(std::uint8_t peer, const std::string& protocol) {
    const std::vector<std::string> protocols{protocol};
    engine.peer_supports(peer_id(peer), protocols, {}, now);
  }

  base::Instant now{std::chrono::seconds{1}};
  gossipsub::Config config;
  test::SeededCrypto crypto{1};
  crypto::KeyPair key = key_pair(1);
  gossipsub::Engine engine;
};

}  // namespace

TEST_CASE("pubsub json: topics, and peers with what they speak") {
  Fixture f;
  f.connect(2, "/meshsub/1.1.0");
  CHECK(topics_json(f.engine)["topics"].dump() ==
        R"([{"topic":"chat","subscribed":true,"peers":0,"mesh":0}])");
  const Json all = peers_json(f.engine, "", {}, f.now);
  CHECK(all["topic"].is_null());
  REQUIRE(all["peers"].size() == 1);
  CHECK(all["peers"][0]["peer_id"] == peer_id(2).to_string());
  CHECK(all["peers"][0]["protocol"] == "/meshsub/1.1.0");
  CHECK(all["peers"][0]["meshes"] == 0);
  CHECK(peers_json(f.engine, "chat", {}, f.now)["peers"].empty());
  const Json mesh = mesh_json(f.engine, f.config, "", f.now);
  REQUIRE(mesh["topics"].size() == 1);
  CHECK(mesh["topics"][0]["subscribed"] == true);
  CHECK(mesh_json(f.engine, f.config, "other", f.now)["topics"][0]["subscribed"] == false);
}

TEST_CASE("pubsub json: scores have the worst first, every term, and what follows") {
  Fixture f;
  for (std::uint8_t peer = 2; peer <= 4; ++peer) f.connect(peer, "/meshsub/1.2.0");
  f.engine.set_application_score(peer_id(2), 3, f.now);
  f.engine.set_application_score(peer_id(3), -81, f.now);
  f.engine.set_application_score(peer_id(4), -1, f.now);
  const Json json = scores_json(f.engine, f.config, "", f.now);
  CHECK(json["thresholds"].dump() == R"({"gossip":-10.0,"publish":-50.0,"graylist":-80.0})");
  const Json& peers = json["peers"];
  REQUIRE(peers.size() == 3);
  CHECK(peers[0]["peer_id"] == peer_id(3).to_string());
  CHECK(peers[0]["score"] == -81.0);
  CHECK(peers[0]["standing"] == "graylisted");
  CHECK(peers[0]["application"].dump() == R"({"counted":-81.0,"points":-81.0})");
  CHECK(peers[0]["behaviour"]["points"] == 0.0);
  CHECK(peers[1]["standing"] == "no_mesh");
  CHECK(peers[2]["standing"] == "good");
  const Json one = scores_json(f.engine, f.config, peer_id(4).to_string(), f.now);
  REQUIRE(one["peers"].size() == 1);
  CHECK(one["peers"][0]["score"] == -1.0);
  CHECK(scores_json(f.engine, f.config, "nobody", f.now)["peers"].empty());
}

TEST_CASE("pubsub json: each threshold has its consequence") {
  const gossipsub::ScoreParameters parameters;
  CHECK(standing_of(0, parameters) == "good");
  CHECK(standing_of(-0.01, parameters) == "no_mesh");
  CHECK(standing_of(parameters.gossip_threshold, parameters) == "no_mesh");
  CHECK(standing_of(parameters.gossip_threshold - 0.01, parameters) == "no_gossip");
  CHECK(standing_of(parameters.publish_threshold - 0.01, parameters) == "no_publish");
  CHECK(standing_of(parameters.graylist_threshold - 0.01, parameters) == "graylisted");
}

TEST_CASE("pubsub json: a message is a text when it is one, and always bytes") {
  marketplace::pubsub::Message message{peer_id(2), peer_id(3), {0xAB}, {'h', 'i', '\n'}, {}, 4};
  const Json text = message_json("chat", message);
  CHECK(text["author"] == peer_id(2).to_string());
  CHECK(text["source"] == peer_id(3).to_string());
  CHECK(text["id"] == "ab");
  CHECK(text["bytes"] == 3);
  CHECK(text["text"] == "hi\n");
  CHECK(text["data"] == "68690a");
  CHECK(text["dropped"] == 4);
  message.author.reset();
  message.data = {0xFF};
  const Json bytes = message_json("chat", message);
  CHECK(bytes["author"].is_null());
  CHECK(bytes["text"].is_null());
  CHECK(bytes["data"] == "ff");
}
