#include <cerrno>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include <ggen/p2p/sim/report.hpp>

#include "report_json.hpp"
#include "report_page.hpp"

namespace ggen::p2p::sim {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPageFile = "index.html";
constexpr const char* kReportFile = "report.json";
constexpr const char* kComparisonFile = "comparison.json";
// What a file is called until it is whole.
constexpr const char* kUnfinished = ".part";

std::unexpected<std::string> failure(std::string_view what, const fs::path& path,
                                     std::string_view why) {
  return std::unexpected(fmt::format("cannot {} {}: {}", what, path.string(), why));
}

std::expected<nlohmann::json, std::string> read_json(const fs::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure("read", path, std::strerror(errno));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return failure("read", path, std::strerror(errno));
  nlohmann::json document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return failure("read", path, "not JSON");
  return document;
}

bool has_format(const fs::path& path, std::string_view format) {
  const auto document = read_json(path);
  if (!document || !document->is_object()) return false;
  const auto found = document->find("format");
  return found != document->end() && *found == format;
}

bool is_ours(const fs::path& folder) {
  return has_format(folder / kReportFile, kReportFormat) ||
         has_format(folder / kComparisonFile, kComparisonFormat);
}

struct File {
  const char* name;
  const std::string& content;
};

fs::path unfinished(const fs::path& path) {
  return fs::path(path).concat(kUnfinished);
}

// First all of them under other names: a full disk leaves the former report as it was.
std::expected<void, std::string> replace(const fs::path& folder,
                                         std::initializer_list<File> files) {
  for (const File& file : files) {
    const fs::path path = unfinished(folder / file.name);
    errno = 0;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(file.content.data(), static_cast<std::streamsize>(file.content.size()));
    out.close();
    if (!out) return failure("write", path, std::strerror(errno));
  }
  for (const File& file : files) {
    const fs::path path = folder / file.name;
    std::error_code error;
    fs::rename(unfinished(path), path, error);
    if (error) return failure("write", path, error.message());
  }
  return {};
}

// The JSON goes first: it is what tells that the folder is ours.
std::expected<void, std::string> write(const fs::path& folder, const char* json_file,
                                       const char* outdated_file, const nlohmann::json& document) {
  if (auto prepared = prepare_report_folder(folder); !prepared) return prepared;
  const std::string json = dump(document);
  const std::string page = report_page(json);
  if (auto replaced = replace(folder, {{json_file, json}, {kPageFile, page}}); !replaced) {
    return replaced;
  }
  std::error_code error;
  fs::remove(folder / outdated_file, error);
  if (error) return failure("remove", folder / outdated_file, error.message());
  return {};
}

std::string shell_word(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return std::string(word);
  std::string result = "'";
  for (const char character : word) {
    if (character == '\'') {
      result += "'\\''";
    } else {
      result += character;
    }
  }
  return result += '\'';
}

}  // namespace

std::string replay_command(const Report& report) {
  std::string command = fmt::format("ggen-p2p-sim run {} --seed {} --nodes {} --fidelity {}",
                                    shell_word(report.scenario), report.seed, report.nodes,
                                    shell_word(report.fidelity));
  for (const RunOption& option : report.options) {
    command += fmt::format(" --{}", option.name);
    if (!option.value.empty()) command += fmt::format(" {}", shell_word(option.value));
  }
  return command;
}

std::expected<void, std::string> prepare_report_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return failure("make the folder", folder, error.message());
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    // Left behind by one that was stopped while it wrote.
    if (entry->path().extension() == kUnfinished) continue;
    if (is_ours(folder)) return {};
    return failure("write a report to", folder,
                   "the folder holds other files and no report of ggen-p2p-sim; choose a new one");
  }
  if (error) return failure("read", folder, error.message());
  return {};
}

std::expected<void, std::string> write_report(const Report& report, const fs::path& folder) {
  return write(folder, kReportFile, kComparisonFile, to_json(report));
}

std::expected<void, std::string> write_comparison(const Report& a, const Report& b,
                                                  const fs::path& folder) {
  return write(folder, kComparisonFile, kReportFile, comparison_to_json(a, b));
}

std::expected<Report, std::string> read_report(const fs::path& path) {
  std::error_code ignored;
  const fs::path file = fs::is_directory(path, ignored) ? path / kReportFile : path;
  const auto document = read_json(file);
  if (!document) return std::unexpected(document.error());
  auto report = report_from_json(*document);
  if (!report) return failure("read", file, report.error());
  return report;
}

}  // namespace ggen::p2p::sim
