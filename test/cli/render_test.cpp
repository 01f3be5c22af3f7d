#include "render.hpp"

#include <chrono>

#include <doctest/doctest.h>

using namespace ggen::p2p::cli;
using namespace std::chrono_literals;

TEST_CASE("render: a status in aligned lines") {
  const Json json = Json::parse(R"({"peer_id":"me","publisher_id":"pub","addresses":["/a","/b"],
      "peers":3,"packages":2,"uptime_ms":61000,"home":"/h"})");
  CHECK(render(request::Status{}, json, {}) ==
        "peer id     me\n"
        "publisher   pub\n"
        "listens on  /a\n"
        "            /b\n"
        "peers       3\n"
        "packages    2\n"
        "running for 1 min 1 s\n"
        "home        /h\n");
}

TEST_CASE("render: a search shows what to type, and no peer's control characters") {
  const Json json = Json::parse(R"({"results":[{"reference":"P/a@1.0.0","name":"a",
      "version":"1.0.0","description":"bad\u001b[31m text","bytes":2048,"license":"MIT",
      "category":"text","tags":["x","y"],"held":false,"providers":["p","q"],
      "deprecated":"use b"}],"asked":3,"answered":2,"timed_out":true})");
  const std::string text = render(request::Search{}, json, {});
  CHECK(text ==
        "a@1.0.0  bad?[31m text\n"
        "  2.0 KiB  MIT  text  x, y  from 2 peers\n"
        "  deprecated: use b\n"
        "  ggen-p2p get P/a@1.0.0\n"
        "1 result; 2 of 3 peers answered in time.\n");
  RenderOptions colour;
  colour.colour = true;
  CHECK(render(request::Search{}, json, colour).starts_with("\x1b[1ma@1.0.0\x1b[0m  bad?"));
  CHECK(render(request::Search{}, Json::parse(R"({"results":[]})"), {})
            .starts_with("Nothing found.\n"));
}

TEST_CASE("render: peers in columns, and past connections when asked for") {
  const Json json = Json::parse(R"({"peers":[
      {"peer_id":"A","address":"/x","direction":"inbound","agent":"go","connected_ms":5},
      {"peer_id":"BB","address":"/yy","direction":"outbound","agent":null,"connected_ms":2500}],
      "history":[{"what":"closed","peer_id":null,"address":"/z","reason":"trimmed"}]})");
  CHECK(render(request::Peers{}, json, {}) ==
        "A   inbound   5 ms   /x   go\n"
        "BB  outbound  2.5 s  /yy  \n");
  RenderOptions all;
  all.history = true;
  CHECK(render(request::Peers{}, json, all).ends_with("\nclosed  -  /z  trimmed\n"));
  CHECK(render(request::Peers{}, Json::object(), {}) == "No peers.\n");
}

namespace {

using DhtKind = request::DhtQuery::Kind;
using LookKind = request::PubsubLook::Kind;

std::string render_query(DhtKind kind, const char* json, bool trace = false) {
  return render(request::DhtQuery{kind, {}, {}, trace}, Json::parse(json), {});
}

}  // namespace

TEST_CASE("render: what the DHT answers") {
  CHECK(render_query(DhtKind::kPut, R"({"stored":2,"failed":1})") ==
        "2 peers took it, 1 did not\n");
  CHECK(render_query(DhtKind::kProvide, R"({"stored":1})") == "1 peer took it\n");
  CHECK(render_query(DhtKind::kGet, R"({"found":true,"value":"00ff"})") == "0x00ff\n");
  constexpr const char* kPeers = R"({"peers":[
    {"peer_id":"A","addresses":["/x","/y"]}, {"peer_id":"BB","addresses":[]}]})";
  CHECK(render_query(DhtKind::kClosest, kPeers) == "A   /x\nBB  -\n");
  CHECK(render_query(DhtKind::kProviders, R"({"providers":[]})") == "Nobody.\n");
  CHECK(render_query(DhtKind::kFindPeer,
                     R"({"peer":{"peer_id":"A","addresses":["/x","/y"]},"reached":true})") ==
        "peer id     A\naddress     /x\n            /y\nreached     yes\n");
  CHECK(render_query(DhtKind::kFindPeer, R"({"peer":null,"found":false})") == "Nobody.\n");
}

TEST_CASE("render: what a value says of a publisher's log") {
  CHECK(render_query(DhtKind::kGet, R"({"found":true,"value":"01","head":{"publisher":"P","seq":3,
    "entry":"ab","package":"tabs","version":"1.0.0"}})") ==
        "publisher   P\nentry       3 ab\nrelease     tabs@1.0.0\n");
  CHECK(render_query(DhtKind::kGet, R"({"found":true,"value":"01","head":null})") == "0x01\n");
}

TEST_CASE("render: a trace has a line for each peer that was asked") {
  constexpr const char* kJson = R"({"found":false,"value":null,"asked":2,"answered":1,
    "end":"exhausted","crowded":true,"took_ms":1200,"hops":[
    {"peer_id":"A","asked":"GET_VALUE","shared_bits":1,"error":null,"closer":20,"took_ms":80},
    {"peer_id":"BB","asked":"GET_VALUE","shared_bits":12,"error":"timeout","took_ms":1100}]})";
  CHECK(render_query(DhtKind::kGet, kJson, true) ==
        "A   GET_VALUE  1 bit shared    80 ms  20 closer\n"
        "BB  GET_VALUE  12 bits shared  1.1 s  timeout\n"
        "1 of 2 peers answered in 1.2 s: exhausted\n"
        "Too many peers are too near to the key to be there by chance, so the region was "
        "searched.\n\n"
        "No value.\n");
}

TEST_CASE("render: what is not found ends with its exit code also when it is traced") {
  const auto code = [](DhtKind kind, const char* json) {
    return exit_of(request::DhtQuery{kind, {}, {}, true}, Json::parse(json));
  };
  CHECK(code(DhtKind::kGet, R"({"found":false})") == Exit::kNotFound);
  CHECK(code(DhtKind::kProvide, R"({"found":false})") == Exit::kUnavailable);
  CHECK(code(DhtKind::kGet, R"({"found":true})") == Exit::kOk);
  CHECK(exit_of(request::Status{}, Json::object()) == Exit::kOk);
}

TEST_CASE("render: the routing table, a line for each peer") {
  const Json json = Json::parse(R"({"mode":"server","peers":2,"network_size":812,"lookups":9,
    "good_lookups":8,"peers_asked":200,"peers_answered":181,"buckets":[
    {"shared_bits":0,"peers":[
      {"peer_id":"A","address":"/x","latency_ms":12,"seen_ms_ago":1500,"failures":0}]},
    {"shared_bits":1,"peers":[
      {"peer_id":"BB","address":null,"latency_ms":null,"seen_ms_ago":5,"failures":2}]}]})");
  CHECK(render(request::DhtTable{}, json, {}) ==
        "shared bits  peer  latency  last seen                   address\n"
        "0            A     12 ms    1.5 s ago                   /x\n"
        "1            BB    -        5 ms ago, 2 failures since  \n"
        "This node is a server of the DHT.\n"
        "About 812 nodes serve it beside this one.\n"
        "Of its last 9 lookups 8 went well; 181 of 200 peers answered.\n");
  const auto providing = [](const char* provided) {
    Json none = Json::parse(R"({"mode":"client"})");
    none["provided"] = Json::parse(provided);
    return render(request::DhtTable{}, none, {});
  };
  CHECK(providing(R"({"keys":0})") == "No peers.\nThis node is a client of the DHT.\n");
  CHECK(providing(R"({"keys":3,"overdue":0})") ==
        "No peers.\nThis node is a client of the DHT.\nIt provides 3 keys.\n");
  CHECK(
      providing(R"({"keys":30,"overdue":2,"overdue_ms":7200000})") ==
      "No peers.\nThis node is a client of the DHT.\nIt provides 30 keys; others should have been "
      "told again of 2, of the first 2 h 0 min ago.\n");
}

TEST_CASE("render: results of another version are shown as far as they are understood") {
  const Json odd = Json::parse(R"({"addresses":[1],"peers":"x","results":[1,{}],"sources":[null],
                      "topics":[1,{"peers":[2]},{"subscribed":true,"peers":[[]]}]})");
  for (const Request& request :
       {Request{request::Status{}}, Request{request::Peers{}}, Request{request::Search{}},
        Request{request::Get{}}, Request{request::Publish{}}, Request{request::DhtTable{}},
        Request{request::DhtQuery{DhtKind::kPut, {}}},
        Request{request::DhtQuery{DhtKind::kGet, {}, {}, true}},
        Request{request::DhtQuery{DhtKind::kFindPeer, {}}},
        Request{request::DhtQuery{DhtKind::kProviders, {}}},
        Request{request::PubsubLook{LookKind::kTopics}},
        Request{request::PubsubLook{LookKind::kPeers}},
        Request{request::PubsubLook{LookKind::kMesh}},
        Request{request::PubsubLook{LookKind::kScores}}, Request{request::PubsubPublish{"chat"}},
        Request{request::Stop{}}}) {
    CHECK_FALSE(render(request, odd, {}).empty());
    CHECK_FALSE(render(request, Json(7), {}).empty());
    CHECK_FALSE(render(request, Json::array(), {}).empty());
  }
}

TEST_CASE("render: an error is a sentence, and below it what to do") {
  CHECK(render_error({Exit::kNoNode, "No node.", "Do this.\nOr that."}, false) ==
        "error: No node.\n       Do this.\n       Or that.\n");
  CHECK(render_error({Exit::kNoNode, "No\r\x1b node.", ""}, false) == "error: No?? node.\n");
}

TEST_CASE("render: progress tells share, speed and peers") {
  const ProgressLine::Clock::time_point start{};
  const ProgressLine line{start};
  Json json;
  json["phase"] = "fetch";
  json["bytes"] = 1024 * 1024;
  json["total"] = 4 * 1024 * 1024;
  json["providers"] = 2;
  CHECK(line(json, start + 2s) == "fetch   25%  1.0 MiB of 4.0 MiB  512.0 KiB/s  from 2 peers");
  CHECK(line(Json{{"phase", "find"}}, start + 2s) == "find");
  CHECK(line(Json(3), start).empty());
}
