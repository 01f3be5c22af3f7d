#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

/// How results stand on a terminal.
namespace ggen::p2p::cli {

/// A time in milliseconds, rounded to what a person wants to know.
[[nodiscard]] std::string about(std::uint64_t ms);

/// Lines of "label  value".
class Lines {
 public:
  void add(std::string_view label, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("{:<12}{}\n", label, value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Columns as wide as their widest text; the last one is not padded.
[[nodiscard]] std::string columns(const std::vector<std::vector<std::string>>& rows);

[[nodiscard]] std::string bold(std::string_view text, bool colour);

}  // namespace ggen::p2p::cli
