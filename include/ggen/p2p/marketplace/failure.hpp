#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace ggen::p2p::marketplace {

/// What kind of failure it was: programs branch on it, people read Failure::message.
enum class Reason : std::uint8_t {
  kHome,         ///< the home folder cannot be used: not readable, not writable, damaged
  kLocked,       ///< another node runs in this home
  kKey,          ///< a key file is unsafe or no key
  kListen,       ///< an address cannot be listened on
  kInput,        ///< what was asked for cannot be
  kPackage,      ///< the directory, or its manifest, cannot be published
  kExists,       ///< the version was published before
  kOutput,       ///< what was fetched cannot be put where it should be
  kNotFound,     ///< no such package, release or provider
  kAmbiguous,    ///< several publishers have such a package
  kRefused,      ///< found, but nobody should install it: withdrawn, or its publisher equivocated
  kUnavailable,  ///< those who hold it did not send it
  kUnsafe,       ///< the archive is not what was signed, or would write where it must not
  kStorage,      ///< the disk failed or is full
  kBusy,         ///< too much is under way
  kCancelled,
  kStopped,  ///< the registry has been stopped
};
[[nodiscard]] std::string_view to_string(Reason reason) noexcept;

/// What failed, in one sentence for a person, and what to do next.
struct Failure {
  Reason reason{};
  std::string message{};
  std::string hint{};
  /// What could have been meant: references to type instead.
  std::vector<std::string> choices{};
};

template <class T>
using Result = std::expected<T, Failure>;

}  // namespace ggen::p2p::marketplace
