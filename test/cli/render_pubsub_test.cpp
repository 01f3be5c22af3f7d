#include "render_pubsub.hpp"

#include <doctest/doctest.h>

using namespace ggen::p2p::cli;
using Kind = request::PubsubLook::Kind;

namespace {

std::string look(Kind kind, const char* json) {
  return render_pubsub({kind}, Json::parse(json));
}

}  // namespace

TEST_CASE("render pubsub: topics, peers and meshes") {
  CHECK(look(Kind::kTopics, R"({"topics":[
      {"topic":"chat","subscribed":false,"peers":2,"mesh":0},
      {"topic":"news","subscribed":true,"peers":12,"mesh":6}]})") ==
        "topic  this node   peers  in its mesh\n"
        "chat   -           2      -\n"
        "news   subscribed  12     6\n");
  CHECK(look(Kind::kPeers, R"({"topic":null,"peers":[
      {"peer_id":"A","protocol":"/meshsub/1.1.0","agent":"go","score":-1.5,"meshes":2}]})") ==
        "peer  protocol        score  meshes  agent\n"
        "A     /meshsub/1.1.0  -1.50  2       go\n");
  CHECK(look(Kind::kPeers, R"({"topic":"chat","peers":[
      {"peer_id":"A","protocol":"/x","agent":null,"score":0,"meshes":2,"in_mesh":true}]})") ==
        "peer  protocol  score  meshes  in this one  agent\n"
        "A     /x        0.00   2       yes          \n");
  CHECK(look(Kind::kPeers, R"({"topic":"chat","peers":[]})") ==
        "No connected peer subscribes to chat.\n");
  CHECK(look(Kind::kMesh, R"({"topics":[
      {"topic":"chat","subscribed":false,"subscribers":1,"peers":[]},
      {"topic":"news","subscribed":true,"subscribers":2,"peers":[
        {"peer_id":"A","score":0.5,"in_mesh_ms":61000}]}]})") ==
        "chat: no mesh, for this node does not subscribe to it.\n"
        "news: 1 of its 2 peers in the mesh\n"
        "  A  for 1 min 1 s  score 0.50\n");
}

TEST_CASE("render pubsub: a score is explained by its terms that are not zero") {
  constexpr const char* kNone = R"({"counted":0,"points":0})";
  Json json = Json::parse(R"({"thresholds":{"gossip":-10,"publish":-50,"graylist":-80},
      "topic_cap":20,"peers":[{"peer_id":"A","score":-91.9,"standing":"graylisted",
      "topic_points":-80,"topics":[{"topic":"chat","points":-80,"in_mesh_ms":null}],
      "behaviour":{"counted":3.09,"points":-11.9}},
      {"peer_id":"B","score":20,"standing":"good","topic_points":21.5,
      "topics":[{"topic":"chat","points":21.5,"in_mesh_ms":52000}],
      "behaviour":{"counted":1,"points":0}}]})");
  for (const char* term : {"time_in_mesh", "first_deliveries", "mesh_deliveries", "mesh_failures",
                           "invalid_messages"}) {
    for (Json& peer : json["peers"]) peer["topics"][0][term] = Json::parse(kNone);
  }
  for (const char* term : {"application", "colocation"}) {
    for (Json& peer : json["peers"]) peer[term] = Json::parse(kNone);
  }
  json["peers"][0]["topics"][0]["invalid_messages"] = {{"counted", 2.0}, {"points", -80.0}};
  json["peers"][1]["topics"][0]["time_in_mesh"] = {{"counted", 52.0}, {"points", 0.5}};
  json["peers"][1]["topics"][0]["first_deliveries"] = {{"counted", 9.876}, {"points", 21.0}};
  CHECK(render_pubsub({Kind::kScores}, json) ==
        "    score  peer\n"
        "   -91.90  A  graylisted: nothing that it sends is read\n"
        "         -80.00  P4 invalid messages on chat: 2\n"
        "         -11.90  P7 misbehaviour: broken promises, early grafts, bad frames: 3.09\n"
        "    20.00  B\n"
        "          +0.50  P1 time in the mesh of chat: 52.0 s\n"
        "         +21.00  P2 first to bring messages of chat: 9.88\n"
        "          -1.50  topics add no more than 20 together\n"
        "          +0.00  P7 misbehaviour: broken promises, early grafts, bad frames: 1\n"
        "Counts fade with time. Below 0 a peer is in no mesh, below -10 it has no part in gossip,\n"
        "below -50 it gets no message of this node, below -80 nothing that it sends is read.\n");
  for (const char* standing : {"no_mesh", "no_gossip", "no_publish"}) {
    json["peers"][0]["standing"] = standing;
    CHECK(render_pubsub({Kind::kScores}, json).contains("A  below "));
  }
}

TEST_CASE("render pubsub: a message cannot touch the terminal, or pass for two") {
  const auto message = [](const char* rest) {
    Json json = Json::parse(R"({"author":"A","time_ms":1700000000000,"bytes":5,"dropped":0})");
    json.update(Json::parse(rest));
    return render_message(json);
  };
  CHECK(message(R"({"text":"hello"})") == "2023-11-14T22:13:20Z  A  5 B  hello\n");
  CHECK(message(R"({"text":"hello\n"})") == "2023-11-14T22:13:20Z  A  5 B  hello\n");
  CHECK(message(R"({"text":""})") == "2023-11-14T22:13:20Z  A  5 B\n");
  CHECK(message(R"({"text":"one\ntwo\tx\u001b\n\n"})") ==
        "2023-11-14T22:13:20Z  A  5 B\n    one\n    two x?\n    \n");
  CHECK(message(R"({"text":null,"data":"00ff"})") == "2023-11-14T22:13:20Z  A  5 B  0x00ff\n");
  CHECK(message(R"({"text":"x","author":null,"dropped":3})") ==
        "(3 messages dropped: they came faster than they were read)\n"
        "2023-11-14T22:13:20Z  unsigned  5 B  x\n");
}

TEST_CASE("render pubsub: what was published, and that it was for nobody") {
  CHECK(render_published(Json::parse(R"({"topic":"chat","id":"ab","peers":2})")) ==
        "published   ab\nto          2 peers\n");
  CHECK(render_published(Json::parse(R"({"topic":"chat","id":"ab","peers":0})")) ==
        "published   ab\nto          nobody: no connected peer subscribes to chat\n");
  CHECK(render_joined(Json::parse(R"({"topic":"chat","peers":0})")) ==
        "Listening to chat, as no connected peer does. Ctrl-C ends it.\n");
}
