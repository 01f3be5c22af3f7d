#include "seed_range.hpp"

#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace ggen::p2p::sim_cli {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<SeedRange> parse_seed_range(std::string_view text) {
  constexpr std::string_view kBetween = "..";
  const std::size_t at = text.find(kBetween);
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;
  if (at != std::string_view::npos) {
    first = whole_number(text.substr(0, at));
    last = whole_number(text.substr(at + kBetween.size()));
  }
  if (!first || !last) {
    return fail(Exit::kUsage, fmt::format("`{}` is no range of seeds.", text),
                "Give the first and the last, such as --seeds 1..100");
  }
  if (*first > *last) {
    return fail(Exit::kUsage, fmt::format("The seeds {} end before they begin.", text),
                fmt::format("Did you mean --seeds {}..{}?", *last, *first));
  }
  // One less than the size, which need not fit.
  if (*last - *first >= kMostSeeds) {
    return fail(Exit::kUsage,
                fmt::format("{} are more than the {} seeds of one sweep.", text, kMostSeeds),
                "Take a part of them.");
  }
  return SeedRange{*first, *last};
}

}  // namespace ggen::p2p::sim_cli
