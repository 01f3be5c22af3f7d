#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/time.hpp>

#include "settings.hpp"

/// One description of every configuration key: what reads the file, what `ggen-p2p config` prints,
/// and what docs/cli.md is compared with.
namespace ggen::p2p::cli {

/// What a key may hold. In TOML, a duration is a string: "10s".
using Value =
    std::variant<bool, std::int64_t, base::Duration, std::string, std::vector<std::string>>;

/// A value as it stands in a TOML file.
[[nodiscard]] std::string to_toml(const Value& value);

struct Key {
  std::string_view table;
  std::string_view name;
  std::string_view doc;   ///< one sentence without full stop
  std::string valid;      ///< what it may hold: "a whole number from 1 to 100"
  std::string_view flag;  ///< the option of the command line that sets it as well, or empty
  std::function<Value(const Settings&)> get;
  /// `value` has the type that get() gives. The error is half a sentence: "must be ...".
  std::function<std::expected<void, std::string>(Settings&, const Value& value)> set;

  [[nodiscard]] std::string path() const;
};

/// All keys, table by table in the order in which they are shown.
[[nodiscard]] std::span<const Key> config_keys();
/// Null when there is none.
[[nodiscard]] const Key* find_key(std::string_view table, std::string_view name);

/// Two keys whose values do not go together.
struct Conflict {
  std::string_view first;  ///< paths: "gossipsub.d_low"
  std::string_view second;
  std::string_view rule;  ///< "gossipsub.d_low must not be above gossipsub.d"
};
[[nodiscard]] std::vector<Conflict> conflicts(const Settings& settings);

}  // namespace ggen::p2p::cli
