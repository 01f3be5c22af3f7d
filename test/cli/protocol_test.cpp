#include <chrono>

#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>

#include "control_protocol.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::cli;
using namespace std::chrono_literals;

namespace {

base::Buffer payload_of(base::Buffer frame, std::size_t limit) {
  base::FrameDecoder decoder{limit};
  auto payload = decoder.take(frame);
  REQUIRE(payload);
  REQUIRE(payload->has_value());
  CHECK(frame.empty());
  return **payload;
}

using DhtKind = request::DhtQuery::Kind;
using LookKind = request::PubsubLook::Kind;

std::expected<Request, std::string> decode(std::string_view text) {
  return decode_request(base::as_bytes(text));
}

}  // namespace

TEST_CASE("control protocol: what is encoded decodes to the same request") {
  const request::Search search{
      {"json", "parser \"quoted\"", "\xC3\xA9"}, "text", "cli", 100, 2500ms};
  const Request requests[] = {request::Publish{"/a b/\xC3\xA9"},
                              search,
                              request::Search{},
                              request::Get{"ada/hello@^1.0", "/tmp/hello"},
                              request::DhtQuery{DhtKind::kPut, {0, 0xFF}, {1, 2, 3}},
                              request::DhtQuery{DhtKind::kGet, {0x2F}, {}, true},
                              request::DhtQuery{DhtKind::kClosest, {}},
                              request::DhtQuery{DhtKind::kFindPeer, {1}},
                              request::DhtQuery{DhtKind::kProviders, {1}, {}, true},
                              request::DhtQuery{DhtKind::kProvide, {1}},
                              request::DhtTable{},
                              request::PubsubLook{LookKind::kTopics},
                              request::PubsubLook{LookKind::kPeers, "chat"},
                              request::PubsubLook{LookKind::kMesh, "\xC3\xA9"},
                              request::PubsubLook{LookKind::kScores, "12D3KooW"},
                              request::PubsubSubscribe{"chat"},
                              request::PubsubSubscribe{"chat", 7},
                              request::PubsubPublish{"chat", {0, 0xFF}},
                              request::PubsubPublish{"chat", base::Bytes(kMaxMessage)},
                              request::Status{},
                              request::Peers{},
                              request::Stop{}};
  for (const Request& request : requests) {
    const auto decoded = decode_request(payload_of(encode(request), kMaxRequestFrame).view());
    REQUIRE(decoded);
    CHECK(*decoded == request);
    CHECK_FALSE(command_of(request).empty());
  }
}

TEST_CASE("control protocol: answers decode to what was said") {
  const auto decode_answer = [](const base::Buffer& frame) {
    return decode_response(payload_of(frame, kMaxResponseFrame).view());
  };
  const auto progress = decode_answer(encode_progress({{"bytes", 7}}));
  REQUIRE(progress);
  CHECK(std::get<Progress>(*progress).state["bytes"] == 7);
  const auto ok = decode_answer(encode_ok({{"peer_id", "x"}}));
  REQUIRE(ok);
  CHECK(std::get<Result<Json>>(*ok).value()["peer_id"] == "x");
  for (const ExitInfo& info : exit_codes()) {
    const Error error{info.code, "what", "hint"};
    const auto decoded = decode_answer(encode_error(error));
    REQUIRE(decoded);
    CHECK(std::get<Result<Json>>(*decoded).error() == error);
  }
  // A path need not be UTF-8; the answer must be.
  CHECK(decode_answer(encode_error({Exit::kFailed, "\xFF\xFE", ""})));
}

TEST_CASE("control protocol: what is no request is refused with a sentence") {
  const std::string deep(60'000, '[');
  const std::string long_text =
      R"({"command":"publish","directory":")" + std::string(5000, 'x') + "\"}";
  for (const std::string& text :
       {std::string{},
        std::string{"null"},
        std::string{"[]"},
        std::string{"{}"},
        std::string{"{"},
        std::string{R"({"command":1})"},
        std::string{R"({"command":"dance"})"},
        std::string{R"({"command":"status","x":1})"},
        std::string{R"({"command":"dht get","key":"0","trace":false})"},
        std::string{R"({"command":"dht get","key":"00"})"},
        std::string{R"({"command":"dht get","key":"00","trace":1})"},
        std::string{R"({"command":"dht get","key":"00","value":"00","trace":false})"},
        std::string{R"({"command":"dht put","key":"00","value":"x","trace":false})"},
        std::string{R"({"command":"dht put","key":"00","trace":false})"},
        std::string{R"({"command":"pubsub topics"})"},
        std::string{R"({"command":"pubsub peers","about":1})"},
        std::string{R"({"command":"pubsub subscribe","topic":"chat"})"},
        std::string{R"({"command":"pubsub subscribe","topic":"chat","count":-1})"},
        std::string{R"({"command":"pubsub publish","topic":"chat","data":"0"})"},
        std::string{R"({"command":"pubsub publish","data":"00"})"},
        R"({"command":"pubsub publish","topic":"chat","data":")" +
            std::string(2 * kMaxMessage + 2, '0') + "\"}",
        std::string{R"({"command":"publish"})"},
        std::string{R"({"command":"publish","directory":1})"},
        std::string{R"({"command":"publish","directory":"a\u0000b"})"},
        std::string{R"({"command":"search","words":"x","limit":1,"timeout_ms":1})"},
        std::string{R"({"command":"search","words":[1],"limit":1,"timeout_ms":1})"},
        std::string{R"({"command":"search","words":[],"limit":0,"timeout_ms":1})"},
        std::string{R"({"command":"search","words":[],"limit":101,"timeout_ms":1})"},
        std::string{R"({"command":"search","words":[],"limit":-1,"timeout_ms":1})"},
        std::string{R"({"command":"search","words":[],"limit":1,"timeout_ms":1e300})"},
        std::string{
            R"({"command":"search","words":[],"limit":1,"timeout_ms":99999999999999999999})"},
        std::string{R"({"command":"get","reference":"x"})"},
        std::string{"{\"command\":\"status\"}garbage"},
        std::string{"\xFF\xFE\x00", 3},
        deep,
        long_text}) {
    CAPTURE(text.substr(0, 80));
    const auto decoded = decode(text);
    REQUIRE_FALSE(decoded);
    CHECK_FALSE(decoded.error().empty());
  }
}

TEST_CASE("control protocol: what is no answer is refused") {
  for (const char* text : {"", "7", "{}", R"({"progress":1})", R"({"ok":1,"progress":{}})",
                           R"({"error":{}})", R"({"error":{"code":1,"message":"x"}})"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_response(base::as_bytes(text)));
  }
}
