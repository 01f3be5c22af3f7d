#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <ggen/p2p/telemetry/span.hpp>

namespace ggen::p2p::telemetry {

/// Who made the spans that follow.
struct Resource {
  std::string service_name = "ggen-p2p";
  std::string instance_id{};  ///< the node's peer id
};

/// Writes spans as OTLP in its JSON encoding (opentelemetry-proto, docs/specification.md, "JSON
/// Protobuf Encoding"): what a collector takes at /v1/traces and writes to files. A document is an
/// object on one line, without the line's end: `{"resourceSpans":[...]}`.
///
/// It holds nothing back: each call gives the sink the text that it adds.
class OtlpWriter {
 public:
  using Sink = std::move_only_function<void(std::string_view text)>;

  explicit OtlpWriter(Sink sink) : sink_(std::move(sink)) {}

  /// The spans that follow are of `resource`. Begins a document when none is begun.
  void begin_resource(const Resource& resource);
  /// After begin_resource().
  void write(const Span& span);
  /// Ends the document, if one is begun: a later begin_resource() begins another.
  void finish();

 private:
  enum class State { kNothing, kFirstSpan, kMoreSpans };

  Sink sink_;
  State state_ = State::kNothing;
};

}  // namespace ggen::p2p::telemetry
