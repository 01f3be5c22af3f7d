#pragma once

#include <expected>
#include <string>
#include <utility>

namespace ggen::p2p::sim_cli {

/// What the program ends with; docs/simulator.md lists the same numbers.
enum class Exit : int {
  kOk = 0,
  kFailed = 1,  ///< a check did not hold, or a replay gave another trace
  kUsage = 2,   ///< what was asked for cannot be: nothing ran
  kOutput = 3,  ///< a file cannot be written
  kInterrupted = 130,
};

/// Why a command did not do what it was asked to: what is wrong, and what to do about it.
struct Error {
  Exit code = Exit::kFailed;
  std::string message;
  std::string hint{};  ///< may be empty
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Exit code, std::string message,
                                                 std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint)});
}

}  // namespace ggen::p2p::sim_cli
