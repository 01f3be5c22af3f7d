#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/telemetry/otlp.hpp>

namespace ggen::p2p::telemetry {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kScope = "ggen.p2p";

// The protobuf enumerations' values: the encoding takes no names.
enum class StatusCode { kOk = 1, kError = 2 };

int code_of(SpanKind kind) {
  switch (kind) {
    case SpanKind::kInternal:
      return 1;
    case SpanKind::kServer:
      return 2;
    case SpanKind::kClient:
      return 3;
  }
  return 0;
}

// Names and texts may be a remote's: what is no UTF-8 in them is replaced.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Numbers of 64 bits are strings in protobuf's JSON.
std::string nanoseconds(base::WallTime at) {
  return std::to_string(at.time_since_epoch().count());
}

// JSON has no such numbers, protobuf's JSON has names for them.
Json of_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json of_value(const Attribute& attribute) {
  return std::visit(
      base::Overloaded{
          [](const std::string& text) { return Json{{"stringValue", text}}; },
          [](std::int64_t number) { return Json{{"intValue", std::to_string(number)}}; },
          [](double number) { return Json{{"doubleValue", of_double(number)}}; },
          [](bool flag) { return Json{{"boolValue", flag}}; },
      },
      attribute.value);
}

Json of_attributes(const Attributes& attributes) {
  Json list = Json::array();
  for (const Attribute& attribute : attributes) {
    list.push_back(Json{{"key", attribute.key}, {"value", of_value(attribute)}});
  }
  return list;
}

Json of_events(const std::vector<SpanEvent>& events) {
  Json list = Json::array();
  for (const SpanEvent& event : events) {
    Json json;
    json["timeUnixNano"] = nanoseconds(event.at);
    json["name"] = event.name;
    if (!event.attributes.empty()) json["attributes"] = of_attributes(event.attributes);
    list.push_back(std::move(json));
  }
  return list;
}

Json of_status(const Span& span) {
  if (!span.error) return Json{{"code", StatusCode::kOk}};
  return Json{{"message", *span.error}, {"code", StatusCode::kError}};
}

Json of_span(const Span& span) {
  Json json;
  json["traceId"] = to_hex(span.context.trace);
  json["spanId"] = to_hex(span.context.span);
  if (span.parent) json["parentSpanId"] = to_hex(*span.parent);
  json["name"] = span.name;
  json["kind"] = code_of(span.kind);
  json["startTimeUnixNano"] = nanoseconds(span.start);
  json["endTimeUnixNano"] = nanoseconds(span.end);
  if (!span.attributes.empty()) json["attributes"] = of_attributes(span.attributes);
  if (!span.events.empty()) json["events"] = of_events(span.events);
  if (span.dropped_events > 0) json["droppedEventsCount"] = span.dropped_events;
  json["status"] = of_status(span);
  return json;
}

}  // namespace

void OtlpWriter::begin_resource(const Resource& resource) {
  const Attributes attributes{{"service.name", resource.service_name},
                              {"service.instance.id", resource.instance_id}};
  std::string text = state_ == State::kNothing ? R"({"resourceSpans":[)" : "]}]},";
  text += R"({"resource":{"attributes":)";
  text += text_of(of_attributes(attributes));
  text += R"(},"scopeSpans":[{"scope":)";
  text += text_of(Json{{"name", kScope}});
  text += R"(,"spans":[)";
  sink_(text);
  state_ = State::kFirstSpan;
}

void OtlpWriter::write(const Span& span) {
  GGEN_INVARIANT(state_ != State::kNothing);
  std::string text = state_ == State::kMoreSpans ? "," : "";
  text += text_of(of_span(span));
  sink_(text);
  state_ = State::kMoreSpans;
}

void OtlpWriter::finish() {
  if (std::exchange(state_, State::kNothing) != State::kNothing) sink_("]}]}]}");
}

}  // namespace ggen::p2p::telemetry
