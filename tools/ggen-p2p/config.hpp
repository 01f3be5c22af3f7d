#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "json.hpp"
#include "settings.hpp"

/// Where settings come from: the command line wins over the file, the file over the defaults.
namespace ggen::p2p::cli {

/// What the command line said.
struct ConfigFlags {
  std::optional<std::string> home;
  std::optional<std::string> config;
  std::vector<std::string> listen;  ///< empty: not given
  std::vector<std::string> bootstrap;
  std::optional<std::string> trace;  ///< a file, from the current folder
};

struct Configuration {
  Configuration();

  Settings settings;
  std::string home_origin = "default";
  /// The file that was read, if there was one.
  std::optional<std::filesystem::path> file;
  /// Where the value of each of config_keys() came from: "default", "FILE:LINE" or "--OPTION".
  std::vector<std::string> origins;
};

/// `--home`, else $GGEN_HOME, else the XDG data folder; made absolute, not touched.
struct HomeChoice {
  std::filesystem::path path;
  std::string origin;
};
[[nodiscard]] Result<HomeChoice> choose_home(const std::optional<std::string>& flag);

/// Everything put together. Without --config, the file is config.toml in the home, if it is there.
[[nodiscard]] Result<Configuration> load_config(const ConfigFlags& flags);

/// Applies a file's text. The error names the file, the line and the key.
[[nodiscard]] Result<void> apply_toml(std::string_view text, std::string_view file,
                                      Configuration& configuration);

/// What is in force, as a file that says the same, each value with its origin as a comment.
[[nodiscard]] std::string show_config(const Configuration& configuration);
[[nodiscard]] Json config_to_json(const Configuration& configuration);

/// Larger files are refused unread.
inline constexpr std::size_t kMaxConfigFile = 1024 * 1024;

}  // namespace ggen::p2p::cli
