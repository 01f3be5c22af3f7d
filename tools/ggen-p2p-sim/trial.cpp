#include "trial.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "error.hpp"

namespace ggen::p2p::sim_cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLastLines = 20;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

std::string last_lines(const std::string& text) {
  const auto lines = lines_of(text);
  std::string last;
  for (std::size_t i = lines.size() - std::min(lines.size(), kLastLines); i < lines.size(); ++i) {
    last += lines[i] + "\n";
  }
  return last;
}

// The line by which our invariants, the standard library's assertions and the sanitizers say what
// is wrong: where in the source, not at which address. Empty when there is none.
std::string telling_line(const std::string& err) {
  constexpr std::array<std::string_view, 4> kTelling{"invariant broken: ", "Assertion '",
                                                     "runtime error: ", "SUMMARY: "};
  const auto lines = lines_of(err);
  const auto found = std::ranges::find_if(lines, [&](const std::string& line) {
    return std::ranges::any_of(kTelling,
                               [&](std::string_view word) { return line.contains(word); });
  });
  return found == lines.end() ? "" : ": " + *found;
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

void add_failed_checks(const Json& checks, Outcome& outcome) {
  for (const Json& check : checks) {
    if (!check.is_object() || check.value("passed", Json{}) != Json(false)) continue;
    const std::string name = text_of(check, "name");
    outcome.failure += (outcome.failure.empty() ? "" : "; ") + name;
    outcome.detail += fmt::format("{}: {}\n", name, text_of(check, "detail"));
  }
}

// Of one that ended by itself.
Outcome outcome_of_code(const ChildEnd& end) {
  Outcome outcome;
  const int code = WEXITSTATUS(end.status);
  const Json json = Json::parse(end.out, nullptr, false);
  outcome.finished = json.is_object() && json.contains("checks");
  if (outcome.finished) add_failed_checks(json["checks"], outcome);
  if (outcome.failed() || (outcome.finished && code == static_cast<int>(Exit::kOk))) return outcome;
  if (code == static_cast<int>(Exit::kInterrupted)) {
    outcome.failure = "somebody interrupted it";
  } else if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    outcome.failure = text_of(json["error"], "message");
  } else {
    outcome.failure = fmt::format("ended with {}{}", code, telling_line(end.err));
  }
  outcome.detail = last_lines(end.err);
  return outcome;
}

}  // namespace

Outcome outcome_of(const ChildEnd& end) {
  Outcome outcome;
  if (end.timed_out) {
    outcome.failure = "did not end in time";
    outcome.detail = last_lines(end.err);
  } else if (WIFSIGNALED(end.status)) {
    const int signal = WTERMSIG(end.status);
    outcome.failure = fmt::format("ended by signal {} ({}){}", signal, ::strsignal(signal),
                                  telling_line(end.err));
    outcome.detail = last_lines(end.err);
  } else {
    outcome = outcome_of_code(end);
  }
  outcome.wall = end.wall;
  return outcome;
}

}  // namespace ggen::p2p::sim_cli
