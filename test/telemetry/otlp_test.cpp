#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <ggen/p2p/telemetry/otlp.hpp>

using namespace ggen::p2p::telemetry;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {

Span sample() {
  Span span;
  span.context = {{0x0123456789abcdef, 0xfedcba9876543210}, {0x00000000000000ff}};
  span.name = "p2p.package.publish";
  span.start = ggen::p2p::base::WallTime{1'800'000'000'123'456'789ns};
  span.end = span.start + 2ms;
  return span;
}

template <class Write>
std::string written(Write write) {
  std::string text;
  OtlpWriter writer{[&](std::string_view more) { text += more; }};
  write(writer);
  writer.finish();
  return text;
}

}  // namespace

// opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding", and trace.proto.
TEST_CASE("otlp: a span is as protobuf's JSON wants it") {
  Span span = sample();
  span.parent = SpanId{0xabcdef0000000001};
  span.kind = SpanKind::kClient;
  span.attributes = {
      {"text", "a \"quoted\"\nline"}, {"int", std::int64_t{-5}}, {"double", 0.5}, {"bool", true}};
  span.events = {{"hop", span.start + 1ms, {{"closer", std::int64_t{20}}}}};
  span.dropped_events = 3;
  span.error = "Timeout";
  const std::string text = written([&](OtlpWriter& writer) {
    writer.begin_resource({"ggen-p2p", "12D3KooW"});
    writer.write(span);
  });
  CHECK(text.find('\n') == std::string::npos);
  CHECK(Json::parse(text) == Json::parse(R"({"resourceSpans": [{
    "resource": {"attributes": [
      {"key": "service.name", "value": {"stringValue": "ggen-p2p"}},
      {"key": "service.instance.id", "value": {"stringValue": "12D3KooW"}}]},
    "scopeSpans": [{"scope": {"name": "ggen.p2p"}, "spans": [{
      "traceId": "0123456789abcdeffedcba9876543210",
      "spanId": "00000000000000ff",
      "parentSpanId": "abcdef0000000001",
      "name": "p2p.package.publish",
      "kind": 3,
      "startTimeUnixNano": "1800000000123456789",
      "endTimeUnixNano": "1800000000125456789",
      "attributes": [
        {"key": "text", "value": {"stringValue": "a \"quoted\"\nline"}},
        {"key": "int", "value": {"intValue": "-5"}},
        {"key": "double", "value": {"doubleValue": 0.5}},
        {"key": "bool", "value": {"boolValue": true}}],
      "events": [{"timeUnixNano": "1800000000124456789", "name": "hop",
        "attributes": [{"key": "closer", "value": {"intValue": "20"}}]}],
      "droppedEventsCount": 3,
      "status": {"message": "Timeout", "code": 2}}]}]}]})"));
}

TEST_CASE("otlp: what is absent is left out, and success says so") {
  const Json document = Json::parse(written([](OtlpWriter& writer) {
    writer.begin_resource({});
    writer.write(sample());
  }));
  const Json& span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
  CHECK(span["status"] == Json{{"code", 1}});
  CHECK(span["kind"] == 1);
  for (const char* absent : {"parentSpanId", "attributes", "events", "droppedEventsCount"}) {
    CHECK_FALSE(span.contains(absent));
  }
}

TEST_CASE("otlp: one document holds many nodes, each with any number of spans") {
  const Json document = Json::parse(written([](OtlpWriter& writer) {
    for (const int spans : {2, 0, 3}) {
      writer.begin_resource({"sim", "node-" + std::to_string(spans)});
      for (int i = 0; i < spans; ++i) writer.write(sample());
    }
  }));
  REQUIRE(document["resourceSpans"].size() == 3);
  for (const auto& [index, spans] : {std::pair{0, 2}, {1, 0}, {2, 3}}) {
    const Json& resource = document["resourceSpans"][static_cast<std::size_t>(index)];
    CHECK(resource["resource"]["attributes"][1]["value"]["stringValue"] ==
          "node-" + std::to_string(spans));
    CHECK(resource["scopeSpans"][0]["spans"].size() == static_cast<std::size_t>(spans));
  }
}

TEST_CASE("otlp: a writer makes one document after the other, and none of nothing") {
  CHECK(written([](OtlpWriter&) {}).empty());
  const std::string two = written([](OtlpWriter& writer) {
    writer.begin_resource({});
    writer.write(sample());
    writer.finish();
    writer.begin_resource({});
    writer.write(sample());
  });
  const std::size_t half = two.size() / 2;
  CHECK(two.substr(0, half) == two.substr(half));
  CHECK(Json::parse(two.substr(half))["resourceSpans"].size() == 1);
}

TEST_CASE("otlp: what a remote calls itself cannot break the document") {
  Span span = sample();
  span.attributes = {{"agent", std::string("\xff\xfe\0\x1b[31m\"}]", 11)},
                     {"nan", std::numeric_limits<double>::quiet_NaN()},
                     {"more", -std::numeric_limits<double>::infinity()}};
  const Json document = Json::parse(written([&](OtlpWriter& writer) {
    writer.begin_resource({});
    writer.write(span);
  }));
  const Json& attributes = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"];
  CHECK(attributes[0]["value"]["stringValue"].get<std::string>().ends_with("\x1b[31m\"}]"));
  CHECK(attributes[1]["value"]["doubleValue"] == "NaN");
  CHECK(attributes[2]["value"]["doubleValue"] == "-Infinity");
}
