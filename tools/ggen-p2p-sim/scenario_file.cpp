#include "scenario_file.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/sim/latency.hpp>

#include "text.hpp"
#include "toml_plus_plus.hpp"

namespace ggen::p2p::sim_cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHint = "docs/simulator.md lists the keys of a scenario file.";

// What is read before it is put together.
struct Latency {
  std::string model = "constant";
  base::Duration one_way = std::chrono::milliseconds{20};
  std::size_t line = 0;
};
struct FaultEntry {
  std::size_t line = 0;
  std::string kind;
  base::Duration at{};
  base::Duration lasts{};
  std::vector<sim::NodeIndex> nodes;
  std::vector<sim::NodeIndex> bridge;
  double share = 0.5;
  base::Duration time = std::chrono::seconds{1};
};
struct Draft {
  sim::Script script;
  Latency latency;
};

// ---- Values ----

// A key of a table, what its value must be, and where it goes: false when it is something else.
template <class Into>
struct Key {
  std::string_view name;
  std::string_view valid;
  bool (*set)(Into&, const toml::node&);
};

bool put(std::string& into, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (text) into = *text;
  return text.has_value();
}

bool put(base::Duration& into, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  const auto time = text ? cli::parse_duration(*text) : std::unexpected(std::string{});
  if (time) into = *time;
  return time.has_value();
}

bool put_positive(base::Duration& into, const toml::node& node) {
  return put(into, node) && into > base::Duration{};
}

// A jump may go back.
bool put_signed(base::Duration& into, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text) return false;
  const bool back = text->starts_with('-');
  const auto time = cli::parse_duration(std::string_view{*text}.substr(back ? 1 : 0));
  if (time) into = back ? -*time : *time;
  return time.has_value();
}

bool put(std::uint64_t& into, const toml::node& node) {
  const auto number = node.value_exact<std::int64_t>();
  if (!number || *number < 0) return false;
  into = static_cast<std::uint64_t>(*number);
  return true;
}

bool put(std::uint32_t& into, const toml::node& node) {
  std::uint64_t number = 0;
  if (!put(number, node) || number > std::numeric_limits<std::uint32_t>::max()) return false;
  into = static_cast<std::uint32_t>(number);
  return true;
}

bool put_number(double& into, const toml::node& node, double most) {
  const auto number = node.value<double>();
  if (!number || !(*number >= 0 && *number <= most)) return false;
  into = *number;
  return true;
}
bool put_share(double& into, const toml::node& node) {
  return put_number(into, node, 1);
}
bool put_rate(double& into, const toml::node& node) {
  return put_number(into, node, 1'000'000);
}

bool put(std::vector<sim::NodeIndex>& into, const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr || list->empty()) return false;
  for (const toml::node& one : *list) {
    if (!put(into.emplace_back(), one)) return false;
  }
  std::ranges::sort(into);
  into.erase(std::unique(into.begin(), into.end()), into.end());
  return true;
}

// ---- Keys ----

constexpr std::string_view kTime = "a time such as \"250ms\", \"10s\" or \"5m\"";
constexpr std::string_view kPositiveTime = "a time above zero such as \"250ms\", \"10s\" or \"5m\"";
constexpr std::string_view kShare = "a share from 0 to 1";
constexpr std::string_view kRate = "a number a minute, 0 or more";
constexpr std::string_view kBytes = "a whole number of bytes, 0 or more";
constexpr std::string_view kText = "a text in quotes";
constexpr std::string_view kNodes = "a list of node numbers such as [0, 3]";

constexpr Key<Draft> kTop[] = {
    {"name", kText, [](Draft& d, const toml::node& n) { return put(d.script.name, n); }},
    {"summary", kText, [](Draft& d, const toml::node& n) { return put(d.script.summary, n); }},
    {"nodes", "a whole number of at least 2",
     [](Draft& d, const toml::node& n) {
       return put(d.script.nodes, n) && d.script.nodes >= sim::Script::kLeastNodes;
     }},
    {"fidelity", "\"wire\" or \"message\"",
     [](Draft& d, const toml::node& n) {
       std::string name;
       if (!put(name, n) || (name != "wire" && name != "message")) return false;
       d.script.fidelity = name == "wire" ? sim::Fidelity::kWire : sim::Fidelity::kMessage;
       return true;
     }},
    {"duration", kPositiveTime,
     [](Draft& d, const toml::node& n) { return put_positive(d.script.duration, n); }},
};

constexpr Key<Draft> kNetwork[] = {
    {"latency", "\"constant\", \"geographic\" or the file of a matrix",
     [](Draft& d, const toml::node& n) {
       d.latency.line = n.source().begin.line;
       return put(d.latency.model, n) && !d.latency.model.empty();
     }},
    {"one_way", kPositiveTime,
     [](Draft& d, const toml::node& n) { return put_positive(d.latency.one_way, n); }},
    {"jitter", kTime,
     [](Draft& d, const toml::node& n) { return put(d.script.network.jitter, n); }},
    {"loss", kShare,
     [](Draft& d, const toml::node& n) { return put_share(d.script.network.loss, n); }},
    {"up", kBytes, [](Draft& d, const toml::node& n) { return put(d.script.link.up, n); }},
    {"down", kBytes, [](Draft& d, const toml::node& n) { return put(d.script.link.down, n); }},
    {"behind_nat", kShare,
     [](Draft& d, const toml::node& n) { return put_share(d.script.behind_nat, n); }},
};

constexpr Key<Draft> kDisk[] = {
    {"latency", kTime,
     [](Draft& d, const toml::node& n) {
       sim::DiskModel& disk = d.script.disk;
       if (!put(disk.min_latency, n)) return false;
       disk.max_latency = disk.min_latency;
       return true;
     }},
    {"bytes_per_second", kBytes,
     [](Draft& d, const toml::node& n) { return put(d.script.disk.bytes_per_second, n); }},
    {"capacity", kBytes,
     [](Draft& d, const toml::node& n) { return put(d.script.disk.capacity, n); }},
};

constexpr Key<Draft> kWorkload[] = {
    {"publishes", kRate,
     [](Draft& d, const toml::node& n) { return put_rate(d.script.workload.publishes, n); }},
    {"fetches", kRate,
     [](Draft& d, const toml::node& n) { return put_rate(d.script.workload.fetches, n); }},
    {"searches", kRate,
     [](Draft& d, const toml::node& n) { return put_rate(d.script.workload.searches, n); }},
    {"puts", kRate,
     [](Draft& d, const toml::node& n) { return put_rate(d.script.workload.puts, n); }},
    {"gets", kRate,
     [](Draft& d, const toml::node& n) { return put_rate(d.script.workload.gets, n); }},
    {"package_size", "a whole number of bytes from 1 to 1073741824",
     [](Draft& d, const toml::node& n) {
       std::uint64_t& size = d.script.workload.package_size;
       return put(size, n) && size > 0 && size <= 1024 * 1024 * 1024;
     }},
};

constexpr Key<FaultEntry> kFault[] = {
    {"kind", kText, [](FaultEntry& f, const toml::node& n) { return put(f.kind, n); }},
    {"at", kTime, [](FaultEntry& f, const toml::node& n) { return put(f.at, n); }},
    {"lasts", kPositiveTime,
     [](FaultEntry& f, const toml::node& n) { return put_positive(f.lasts, n); }},
    {"nodes", kNodes, [](FaultEntry& f, const toml::node& n) { return put(f.nodes, n); }},
    {"bridge", kNodes, [](FaultEntry& f, const toml::node& n) { return put(f.bridge, n); }},
    {"share", kShare, [](FaultEntry& f, const toml::node& n) { return put_share(f.share, n); }},
    {"time", "a time such as \"2s\", or back, as \"-10m\"",
     [](FaultEntry& f, const toml::node& n) { return put_signed(f.time, n); }},
};

// ---- Reading ----

std::vector<std::string> fault_kinds() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < sim::kFaultKinds; ++i) {
    names.emplace_back(sim::name_of(static_cast<sim::FaultKind>(i)));
  }
  return names;
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  [[nodiscard]] std::unexpected<Error> wrong(std::size_t line, const std::string& what) const {
    return fail(Exit::kUsage, cli::sentence(fmt::format("{}:{}: {}", file_, line, what)),
                std::string{kHint});
  }
  [[nodiscard]] std::unexpected<Error> unknown(std::size_t line, std::string_view what,
                                               std::string_view name,
                                               const std::vector<std::string>& known) const {
    const auto nearest = cli::nearest(name, known);
    return wrong(line, fmt::format("unknown {} `{}`{}", what, cli::printable(name),
                                   nearest ? fmt::format("; did you mean `{}`?", *nearest) : ""));
  }

  // `skipped` are keys of the table that are read elsewhere.
  template <class Into>
  Result<void> read(const toml::table& table, std::string_view name,
                    std::span<const Key<Into>> keys, Into& into,
                    std::span<const std::string_view> skipped = {}) const {
    for (const auto& [key, node] : table) {
      const std::string_view word = key.str();
      if (std::ranges::find(skipped, word) != skipped.end()) continue;
      const auto found = std::ranges::find(keys, word, &Key<Into>::name);
      if (found == keys.end()) {
        std::vector<std::string> known;
        for (const Key<Into>& one : keys) known.emplace_back(one.name);
        for (const std::string_view one : skipped) known.emplace_back(one);
        return unknown(key.source().begin.line,
                       name.empty() ? "key" : fmt::format("key of {}", name), word, known);
      }
      if (!found->set(into, node)) {
        return wrong(node.source().begin.line, fmt::format("`{}` must be {}", word, found->valid));
      }
    }
    return {};
  }

  Result<void> read_rates(const toml::table& table, sim::FaultRates& rates) const {
    std::vector<std::string> known = fault_kinds();
    for (const auto& [key, node] : table) {
      const std::string_view word = key.str();
      const std::size_t line = node.source().begin.line;
      if (word == "lasts") {
        if (!put_positive(rates.lasts, node)) {
          return wrong(line, fmt::format("`lasts` must be {}", kPositiveTime));
        }
        continue;
      }
      const auto found = std::ranges::find(known, word);
      if (found == known.end()) {
        known.emplace_back("lasts");
        return unknown(key.source().begin.line, "key of [faults]", word, known);
      }
      if (!put_rate(rates.of[static_cast<std::size_t>(found - known.begin())], node)) {
        return wrong(line, fmt::format("`{}` must be {}", word, kRate));
      }
    }
    return {};
  }

  Result<void> add(const FaultEntry& entry, sim::Script& script) const;
  Result<Draft> read_all(const toml::table& document) const;
  Result<std::string> put_latency(const Latency& latency, sim::Script& script) const;

 private:
  std::string file_;
};

constexpr std::string_view kTables[] = {"network", "disk", "workload", "faults", "fault"};

Result<Draft> Reader::read_all(const toml::table& document) const {
  Draft draft;
  if (auto read_top = read<Draft>(document, "", kTop, draft, kTables); !read_top) {
    return std::unexpected(read_top.error());
  }
  const auto table = [&](std::string_view name) -> Result<const toml::table*> {
    const toml::node* node = document.get(name);
    if (node == nullptr || node->is_table()) return node == nullptr ? nullptr : node->as_table();
    return wrong(node->source().begin.line,
                 fmt::format("`{0}` must be a table: write [{0}]", name));
  };
  const std::pair<std::string_view, std::span<const Key<Draft>>> tables[] = {
      {"network", kNetwork}, {"disk", kDisk}, {"workload", kWorkload}};
  for (const auto& [name, keys] : tables) {
    const auto found = table(name);
    if (!found) return std::unexpected(found.error());
    if (*found == nullptr) continue;
    const auto done = read<Draft>(**found, fmt::format("[{}]", name), keys, draft);
    if (!done) return std::unexpected(done.error());
  }
  const auto rates = table("faults");
  if (!rates) return std::unexpected(rates.error());
  if (*rates != nullptr) {
    if (auto done = read_rates(**rates, draft.script.rates); !done) {
      return std::unexpected(done.error());
    }
  }
  const toml::node* faults = document.get("fault");
  if (faults == nullptr) return draft;
  if (!faults->is_array_of_tables()) {
    return wrong(faults->source().begin.line, "`fault` must be a list of tables: write [[fault]]");
  }
  for (const toml::node& node : *faults->as_array()) {
    FaultEntry entry;
    entry.line = node.source().begin.line;
    if (auto done = read<FaultEntry>(*node.as_table(), "[[fault]]", kFault, entry); !done) {
      return std::unexpected(done.error());
    }
    if (auto done = add(entry, draft.script); !done) return std::unexpected(done.error());
  }
  std::ranges::stable_sort(draft.script.faults, {}, &sim::Fault::at);
  return draft;
}

// What one node suffers by itself.
decltype(sim::Fault::what) of_node(sim::FaultKind kind, sim::NodeIndex node,
                                   const FaultEntry& entry) {
  using enum sim::FaultKind;
  sim::fault::Link link{node, {}};
  sim::fault::Disk disk{node};
  switch (kind) {
    case kCrash:
      return sim::fault::Crash{node, sim::Network::Crash::kProcess};
    case kPower:
      return sim::fault::Crash{node, sim::Network::Crash::kPower};
    case kWipe:
      return sim::fault::Crash{node, sim::Network::Crash::kPower, true};
    case kLoss:
      link.faults.loss = entry.share;
      return link;
    case kDelay:
      link.faults.delay = entry.time;
      return link;
    case kRefuse:
      link.faults.refuse_dials = true;
      return link;
    case kClog:
      link.faults.clogged = true;
      return link;
    case kDiskFail:
      disk.fail = entry.share;
      return disk;
    case kLoseWrite:
      disk.lose_write = entry.share;
      return disk;
    case kRot:
      disk.rot = entry.share;
      return disk;
    case kTear:
      disk.tear = entry.share;
      return disk;
    case kDiskFull:
      disk.full = true;
      return disk;
    case kDiskSlow:
      disk.delay = entry.time;
      return disk;
    case kClock:
      return sim::fault::Clock{node, entry.time};
    case kStop:
    case kCut:
    case kOneWay:
    case kBridge:
      break;
  }
  return sim::fault::Stop{node};
}

std::optional<sim::fault::Partition::Kind> partition_of(sim::FaultKind kind) {
  if (kind == sim::FaultKind::kCut) return sim::fault::Partition::Kind::kFull;
  if (kind == sim::FaultKind::kOneWay) return sim::fault::Partition::Kind::kOneWay;
  if (kind == sim::FaultKind::kBridge) return sim::fault::Partition::Kind::kBridge;
  return std::nullopt;
}

Result<void> Reader::add(const FaultEntry& entry, sim::Script& script) const {
  const auto kinds = fault_kinds();
  if (entry.kind.empty()) return wrong(entry.line, "[[fault]] needs a `kind`");
  const auto found = std::ranges::find(kinds, entry.kind);
  if (found == kinds.end()) return unknown(entry.line, "kind of fault", entry.kind, kinds);
  const auto kind = static_cast<sim::FaultKind>(found - kinds.begin());
  if (entry.lasts == base::Duration{}) return wrong(entry.line, "[[fault]] needs `lasts`");
  if (entry.nodes.empty()) return wrong(entry.line, "[[fault]] needs `nodes`");
  if (entry.time < base::Duration{} && kind != sim::FaultKind::kClock) {
    return wrong(entry.line, "only the `time` of a fault of kind `clock` may be negative");
  }
  if ((kind == sim::FaultKind::kBridge) == entry.bridge.empty()) {
    return wrong(entry.line, "`bridge` goes with the kind `bridge`, and with no other");
  }
  for (const auto& list : {entry.nodes, entry.bridge}) {
    if (list.empty() || list.back() < script.nodes) continue;
    return wrong(entry.line, fmt::format("there is no node {}: {} nodes are numbered from 0",
                                         list.back(), script.nodes));
  }
  if (entry.at + entry.lasts > script.duration) {
    return wrong(entry.line,
                 fmt::format("the fault must end before the run does, which has a duration of {}",
                             cli::format_duration(script.duration)));
  }
  if (const auto partition = partition_of(kind)) {
    script.faults.push_back(
        {entry.at, entry.lasts, sim::fault::Partition{*partition, entry.nodes, entry.bridge}});
    return {};
  }
  for (const sim::NodeIndex node : entry.nodes) {
    script.faults.push_back({entry.at, entry.lasts, of_node(kind, node, entry)});
  }
  return {};
}

std::optional<std::string> text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) return std::nullopt;
  return text;
}

// Gives the text of the matrix; empty: none is used.
Result<std::string> Reader::put_latency(const Latency& latency, sim::Script& script) const {
  if (latency.model == "geographic") {
    script.latency = [] { return sim::geographic_latency(); };
    return std::string{};
  }
  if (latency.model == "constant") {
    script.latency = [one_way = latency.one_way] { return sim::constant_latency(one_way); };
    return std::string{};
  }
  const fs::path path = fs::path{file_}.parent_path() / latency.model;
  auto text = text_of(path);
  if (!text) {
    return wrong(latency.line, fmt::format("`latency` is neither \"constant\" nor \"geographic\", "
                                           "and the matrix {} cannot be read",
                                           path.string()));
  }
  if (const auto matrix = sim::matrix_latency(*text); !matrix) {
    return wrong(latency.line, fmt::format("`latency`: the matrix {}: {}", path.string(),
                                           cli::printable(matrix.error())));
  }
  script.latency = [text = *text] { return *sim::matrix_latency(text); };
  return *std::move(text);
}

std::string sha256_of(std::string_view text) {
  std::string digits;
  for (const std::uint8_t byte : crypto::sha256(base::as_bytes(text))) {
    digits += fmt::format("{:02x}", byte);
  }
  return digits;
}

}  // namespace

bool names_a_file(const std::string& scenario) {
  std::error_code ignored;
  return scenario.ends_with(".toml") || fs::is_regular_file(scenario, ignored);
}

Result<ScenarioFile> read_scenario_file(const std::string& path) {
  const auto text = text_of(path);
  if (!text) return fail(Exit::kUsage, fmt::format("The scenario file {} cannot be read.", path));
  const Reader reader{path};
  const toml::parse_result parsed = toml::parse(std::string_view{*text});
  if (!parsed) {
    return reader.wrong(
        parsed.error().source().begin.line,
        fmt::format("not valid TOML: {}", cli::printable(parsed.error().description())));
  }
  auto draft = reader.read_all(parsed.table());
  if (!draft) return std::unexpected(draft.error());
  const auto matrix = reader.put_latency(draft->latency, draft->script);
  if (!matrix) return std::unexpected(matrix.error());
  ScenarioFile file{std::move(draft->script), sha256_of(*text + *matrix)};
  const std::string name = std::exchange(file.script.name, path);
  if (file.script.summary.empty()) file.script.summary = name;
  return file;
}

}  // namespace ggen::p2p::sim_cli
