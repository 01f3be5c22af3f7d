#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace ggen::p2p::cli {

/// What the program ends with. docs/cli.md lists the same numbers, and a test compares the two:
/// scripts rely on them, so that a number never changes its meaning.
enum class Exit : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNoNode = 3,
  kNotFound = 4,
  kAmbiguous = 5,
  kConfig = 6,
  kHome = 7,
  kListen = 8,
  kRefused = 9,
  kTimeout = 10,
  kUnavailable = 11,
  kHomeInUse = 12,
  kOutput = 13,
  kNodeGone = 14,
  kInterrupted = 130,
};

struct ExitInfo {
  Exit code{};
  std::string_view name;  ///< in JSON: `error.code`
  std::string_view meaning;
};

/// Every exit code, in order.
[[nodiscard]] std::span<const ExitInfo> exit_codes();
[[nodiscard]] std::string_view name_of(Exit code);
/// The code of that name; nothing when there is none.
[[nodiscard]] const ExitInfo* find_exit(std::string_view name);

/// Why a command did nothing: one sentence that says what is wrong, and what to do next.
struct Error {
  Exit code = Exit::kFailed;
  std::string message;
  std::string hint{};  ///< may be empty
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Exit code, std::string message,
                                                 std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint)});
}

/// "message: what the system said", with errno as it is now.
[[nodiscard]] std::string with_errno(std::string_view message);

}  // namespace ggen::p2p::cli
