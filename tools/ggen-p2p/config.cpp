#include "config.hpp"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ggen/p2p/marketplace/unique_fd.hpp>

#include "config_table.hpp"
#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

namespace fs = std::filesystem;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Result<std::string> read_file(const fs::path& path) {
  const auto unreadable = [&] {
    return fail(Exit::kConfig, with_errno(fmt::format("Cannot read {}", path.string())),
                "Check the path after --config, and that you may read the file.");
  };
  const marketplace::UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return unreadable();
  std::string text;
  char block[4096];
  while (true) {
    const ssize_t size = ::read(file.get(), block, sizeof(block));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return unreadable();
    if (size == 0) return text;
    text.append(block, static_cast<std::size_t>(size));
    if (text.size() > kMaxConfigFile) {
      return fail(Exit::kConfig,
                  fmt::format("{} is larger than {}: it cannot be a configuration.", path.string(),
                              format_bytes(kMaxConfigFile)),
                  "Check the path after --config.");
    }
  }
}

Result<void> apply_flag(std::string_view table, std::string_view name, const Value& given,
                        std::string_view example, Configuration& configuration) {
  const Key* key = find_key(table, name);
  if (const auto set = key->set(configuration.settings, given); !set) {
    return fail(Exit::kUsage, sentence(fmt::format("{} {}", key->flag, set.error())),
                fmt::format("Write for example {} {}", key->flag, example));
  }
  configuration.origins[static_cast<std::size_t>(key - config_keys().data())] = key->flag;
  return {};
}

Result<void> apply_addresses(std::string_view table, std::string_view name,
                             const std::vector<std::string>& given, Configuration& configuration) {
  if (given.empty()) return {};
  return apply_flag(table, name, Value{given}, "/ip4/127.0.0.1/tcp/4747", configuration);
}

Result<void> apply_trace(const std::optional<std::string>& given, Configuration& configuration) {
  if (!given) return {};
  std::error_code error;
  const fs::path path = given->empty() ? fs::path{} : fs::absolute(*given, error);
  if (error) {
    return fail(Exit::kUsage, fmt::format("The current folder is gone: {}.", error.message()),
                "Change into a folder that exists, or give --trace an absolute path.");
  }
  return apply_flag("telemetry", "trace", Value{path.string()}, "spans.jsonl", configuration);
}

// The place of a rule that is broken: of the two keys, one that somebody has set.
const std::string& origin_of(const Configuration& configuration, const Conflict& conflict) {
  const std::string* found = nullptr;
  for (std::size_t i = 0; i < configuration.origins.size(); ++i) {
    const std::string path = config_keys()[i].path();
    if (path != conflict.first && path != conflict.second) continue;
    const std::string& origin = configuration.origins[i];
    if (!found || *found == "default" || path == conflict.first) {
      if (!found || origin != "default") found = &origin;
    }
  }
  return *found;
}

}  // namespace

Configuration::Configuration() : origins(config_keys().size(), "default") {}

Result<HomeChoice> choose_home(const std::optional<std::string>& flag) {
  HomeChoice choice;
  if (flag) {
    choice = {*flag, "--home"};
  } else if (const auto home = environment("GGEN_HOME"); !home.empty()) {
    choice = {home, "$GGEN_HOME"};
  } else if (const auto data = environment("XDG_DATA_HOME"); data.starts_with('/')) {
    choice = {fs::path{data} / "ggen-p2p", "$XDG_DATA_HOME"};
  } else if (const auto user = environment("HOME"); !user.empty()) {
    choice = {fs::path{user} / ".local/share/ggen-p2p", "default"};
  }
  if (choice.path.empty()) {
    return fail(Exit::kHome, "There is no folder to keep keys and packages in.",
                "Name one with --home DIR, or set GGEN_HOME.");
  }
  std::error_code error;
  choice.path = fs::absolute(choice.path, error).lexically_normal();
  if (error) {
    return fail(Exit::kHome, fmt::format("The current folder is gone: {}.", error.message()),
                "Change into a folder that exists, or give --home an absolute path.");
  }
  if (!choice.path.has_filename()) choice.path = choice.path.parent_path();
  return choice;
}

Result<Configuration> load_config(const ConfigFlags& flags) {
  Configuration configuration;
  auto home = choose_home(flags.home);
  if (!home) return std::unexpected(std::move(home.error()));
  configuration.settings.home = std::move(home->path);
  configuration.home_origin = std::move(home->origin);

  std::optional<fs::path> file;
  struct stat info{};
  if (flags.config) {
    file = *flags.config;
  } else if (const fs::path usual = configuration.settings.home / "config.toml";
             ::stat(usual.c_str(), &info) == 0) {
    file = usual;
  }
  if (file) {
    auto text = read_file(*file);
    if (!text) return std::unexpected(std::move(text.error()));
    if (auto applied = apply_toml(*text, file->string(), configuration); !applied) {
      return std::unexpected(std::move(applied.error()));
    }
    configuration.file = std::move(file);
  }

  for (auto applied : {apply_addresses("network", "listen", flags.listen, configuration),
                       apply_addresses("bootstrap", "peers", flags.bootstrap, configuration),
                       apply_trace(flags.trace, configuration)}) {
    if (!applied) return std::unexpected(std::move(applied.error()));
  }
  if (const auto broken = conflicts(configuration.settings); !broken.empty()) {
    return fail(
        Exit::kConfig,
        fmt::format("{}: {}.", origin_of(configuration, broken.front()), broken.front().rule),
        "`ggen-p2p config` on a file without these keys shows the defaults.");
  }
  return configuration;
}

std::string show_config(const Configuration& configuration) {
  std::string text =
      fmt::format("# home: {}  ({})\n", printable(configuration.settings.home.string()),
                  configuration.home_origin);
  text += configuration.file ? fmt::format("# file: {}\n", printable(configuration.file->string()))
                             : std::string{"# file: none\n"};
  std::string_view table;
  for (std::size_t i = 0; i < config_keys().size(); ++i) {
    const Key& key = config_keys()[i];
    if (key.table != table) {
      table = key.table;
      text += fmt::format("\n[{}]\n", table);
    }
    const std::string assignment =
        fmt::format("{} = {}", key.name, to_toml(key.get(configuration.settings)));
    text += fmt::format("{:<44}  # {}\n", assignment, printable(configuration.origins[i]));
  }
  return text;
}

Json config_to_json(const Configuration& configuration) {
  struct Converter {
    Json operator()(base::Duration time) const { return format_duration(time); }
    Json operator()(bool flag) const { return flag; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(const std::string& text) const { return text; }
    Json operator()(const std::vector<std::string>& list) const { return list; }
  };
  Json json;
  json["home"] = {{"value", configuration.settings.home.string()},
                  {"origin", configuration.home_origin}};
  json["file"] = configuration.file ? Json(configuration.file->string()) : Json(nullptr);
  for (std::size_t i = 0; i < config_keys().size(); ++i) {
    const Key& key = config_keys()[i];
    Json& entry = json["config"][std::string{key.table}][std::string{key.name}];
    entry["value"] = std::visit(Converter{}, key.get(configuration.settings));
    entry["origin"] = configuration.origins[i];
  }
  return json;
}

}  // namespace ggen::p2p::cli
