#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include <ggen/p2p/marketplace/unique_fd.hpp>

#include "error.hpp"

namespace ggen::p2p::cli {

/// What a node does, one line an event: "2026-03-01T12:00:00Z connected to ...".
///
/// What others cause is bounded in rate and, in a file, in size: nobody fills a disk by knocking at
/// the door. Not thread-safe.
class Log {
 public:
  /// To standard error.
  Log() = default;
  /// To a file that is kept below kMaxFile, with one older one beside it (".1"). Also becomes
  /// standard output and error, for what the libraries have to say at the end of a process.
  [[nodiscard]] static Result<Log> to_file(const std::filesystem::path& path);

  /// What this node decides to do.
  void line(std::string_view text);
  /// What others make happen: left out, and counted, when there is too much of it.
  void event(std::string_view text);

  static constexpr std::uint64_t kMaxFile = 8 * 1024 * 1024;
  /// Events in a row, and in each second from then on.
  static constexpr double kBurst = 200;
  static constexpr double kPerSecond = 20;

 private:
  [[nodiscard]] bool reopen();
  void write(std::string_view text);

  std::filesystem::path path_;  // empty: standard error
  marketplace::UniqueFd file_;
  std::uint64_t size_ = 0;
  double budget_ = kBurst;
  std::uint64_t left_out_ = 0;
  std::optional<std::chrono::steady_clock::time_point> last_;
};

}  // namespace ggen::p2p::cli
