// Reads a configuration file by the table.

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "config.hpp"
#include "config_table.hpp"
#include "text.hpp"
#include "toml_plus_plus.hpp"

namespace ggen::p2p::cli {
namespace {

// A place in the file, and how to complain about it.
class Place {
 public:
  Place(std::string_view file, const toml::source_region& region)
      : where_(fmt::format("{}:{}", file, region.begin.line)) {}

  [[nodiscard]] const std::string& text() const noexcept { return where_; }
  [[nodiscard]] std::unexpected<Error> wrong(const std::string& what, std::string hint) const {
    return fail(Exit::kConfig, sentence(fmt::format("{}: {}", where_, what)), std::move(hint));
  }

 private:
  std::string where_;
};

constexpr std::string_view kListHint =
    "Correct the file. docs/cli.md lists every key; `ggen-p2p config` shows all of them with what "
    "is in force.";

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto suggestion = nearest(word, known);
  return suggestion ? fmt::format("; did you mean `{}`?", *suggestion) : std::string{};
}

std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const Key& key : config_keys()) {
    if (names.empty() || names.back() != key.table) names.emplace_back(key.table);
  }
  return names;
}

std::unexpected<Error> unknown_key(const Place& place, std::string_view table,
                                   std::string_view name) {
  std::vector<std::string> here;
  for (const Key& key : config_keys()) {
    if (key.table == table) here.emplace_back(key.name);
  }
  std::string advice = did_you_mean(name, here);
  if (advice.empty()) {
    // Perhaps the key is right and stands under the wrong table.
    for (const Key& key : config_keys()) {
      if (key.name == name) advice = fmt::format("; did you mean `{}`?", key.path());
    }
  }
  const std::string what =
      fmt::format("unknown key `{}` in [{}]{}", printable(name), table, advice);
  return place.wrong(what, std::string{kListHint});
}

// The value of a node as the key's type; nothing when it has another.
std::expected<Value, std::string> read_value(const Key& key, const toml::node& node) {
  const auto wrong = std::unexpected(fmt::format("must be {}", key.valid));
  struct Reader {
    const toml::node& node;
    const std::unexpected<std::string>& wrong;
    using Read = std::expected<Value, std::string>;

    Read operator()(bool) const {
      const auto value = node.as_boolean();
      return value ? Read{Value{value->get()}} : Read{wrong};
    }
    Read operator()(std::int64_t) const {
      const auto value = node.as_integer();
      return value ? Read{Value{value->get()}} : Read{wrong};
    }
    Read operator()(base::Duration) const {
      const auto value = node.as_string();
      if (!value) return Read{wrong};
      auto time = parse_duration(value->get());
      if (!time) return std::unexpected(std::move(time.error()));
      return Value{*time};
    }
    Read operator()(const std::string&) const {
      const auto value = node.as_string();
      return value ? Read{Value{value->get()}} : Read{wrong};
    }
    Read operator()(const std::vector<std::string>&) const {
      const auto array = node.as_array();
      if (!array) return Read{wrong};
      std::vector<std::string> items;
      for (const toml::node& item : *array) {
        const auto text = item.as_string();
        if (!text) return Read{wrong};
        items.push_back(text->get());
      }
      return Value{std::move(items)};
    }
  };
  return std::visit(Reader{node, wrong}, key.get(Settings{}));
}

Result<void> apply_table(std::string_view name, const toml::table& table, std::string_view file,
                         Configuration& configuration) {
  for (const auto& [toml_key, node] : table) {
    const Key* key = find_key(name, toml_key.str());
    if (!key) return unknown_key(Place{file, toml_key.source()}, name, toml_key.str());
    const Place place{file, node.source()};
    auto value = read_value(*key, node);
    if (!value) {
      return place.wrong(fmt::format("`{}` {}", key->path(), value.error()),
                         std::string{kListHint});
    }
    if (const auto set = key->set(configuration.settings, *value); !set) {
      return place.wrong(fmt::format("`{}` {}", key->path(), set.error()), std::string{kListHint});
    }
    configuration.origins[static_cast<std::size_t>(key - config_keys().data())] = place.text();
  }
  return {};
}

}  // namespace

Result<void> apply_toml(std::string_view text, std::string_view file,
                        Configuration& configuration) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return Place{file, error.source()}.wrong(
        fmt::format("not valid TOML: {}", printable(error.description())),
        "Correct the file; https://toml.io explains the format.");
  }
  const auto tables = table_names();
  for (const auto& [toml_key, node] : parsed.table()) {
    const std::string_view name = toml_key.str();
    const Place place{file, toml_key.source()};
    if (std::ranges::find(tables, name) == tables.end()) {
      const std::string what =
          fmt::format("unknown {} `{}`", node.is_table() ? "table" : "key", printable(name));
      std::string advice = did_you_mean(name, tables);
      for (const Key& key : config_keys()) {
        if (advice.empty() && !node.is_table() && key.name == name) {
          advice = fmt::format("; did you mean it to stand under [{}]?", key.table);
        }
      }
      return place.wrong(what + advice, std::string{kListHint});
    }
    const toml::table* table = node.as_table();
    if (!table) {
      return place.wrong(fmt::format("`{}` must be a table: write [{}]", name, name),
                         std::string{kListHint});
    }
    if (auto applied = apply_table(name, *table, file, configuration); !applied) return applied;
  }
  return {};
}

}  // namespace ggen::p2p::cli
