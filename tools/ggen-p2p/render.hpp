#pragma once

#include <chrono>
#include <string>

#include "control_protocol.hpp"
#include "json.hpp"

namespace ggen::p2p::cli {

/// How results are shown to a person.
struct RenderOptions {
  bool colour = false;
  bool history = false;  ///< of `peers`: also past connections
};

/// The result of a request, as Service describes it, in lines. Texts of other peers are made
/// harmless for terminals.
[[nodiscard]] std::string render(const Request& request, const Json& result,
                                 const RenderOptions& options);

/// What the program ends with after this result: a query of the DHT that is traced has one also
/// when it has found nothing.
[[nodiscard]] Exit exit_of(const Request& request, const Json& result);

/// "error: message" and, in lines of their own, what to do.
[[nodiscard]] std::string render_error(const Error& error, bool colour);

/// One line that shows how far an operation is.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;
  explicit ProgressLine(Clock::time_point start) : start_(start) {}
  [[nodiscard]] std::string operator()(const Json& progress, Clock::time_point now) const;

 private:
  Clock::time_point start_;
};

}  // namespace ggen::p2p::cli
