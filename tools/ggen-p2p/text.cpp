#include "text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace ggen::p2p::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array kUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                               Unit{"ms", 1}};
// Far beyond any use, and far below what a Duration holds.
constexpr std::int64_t kMaxMilliseconds = std::int64_t{10} * 365 * 24 * 3'600'000;

// How many insertions, deletions, replacements and swaps of neighbours make `b` of `a`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

// The length of the well-formed UTF-8 sequence at the front, 0 when there is none. C1 controls,
// which some terminals obey, count as none.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead >= 0xF0 && lead <= 0xF4   ? 4
                           : lead >= 0xE0 && lead <= 0xEF ? 3
                           : lead >= 0xC2 && lead <= 0xDF ? 2
                                                          : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool outside = (lead == 0xED && byte(1) >= 0xA0) || (lead == 0xF4 && byte(1) >= 0x90);
  const bool control = lead == 0xC2 && byte(1) < 0xA0;
  // Overrides of the writing direction can make one name look like another.
  const bool bidi = lead == 0xE2 && ((byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE) ||
                                     (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
  return overlong || outside || control || bidi ? 0 : size;
}

}  // namespace

std::expected<base::Duration, std::string> parse_duration(std::string_view text) {
  const auto bad =
      std::unexpected<std::string>{"must be a time such as \"250ms\", \"10s\", \"5m\" or \"22h\""};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return bad;
  const std::string_view name{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  const auto unit = std::ranges::find(kUnits, name.empty() ? "s" : name, &Unit::name);
  if (unit == kUnits.end()) return bad;
  if (number > kMaxMilliseconds / unit->milliseconds) {
    return std::unexpected<std::string>{"must be below ten years"};
  }
  return milliseconds{number * unit->milliseconds};
}

std::string format_duration(base::Duration duration) {
  const std::int64_t total = duration_cast<milliseconds>(duration).count();
  if (total == 0) return "0s";
  const auto unit =
      std::ranges::find_if(kUnits, [&](const Unit& u) { return total % u.milliseconds == 0; });
  return fmt::format("{}{}", total / unit->milliseconds, unit->name);
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t name = 0;
  for (; size >= 1024 && name + 1 < kNames.size(); ++name) size /= 1024;
  return name == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, kNames[name]);
}

std::string count_of(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string sentence(std::string text) {
  if (!text.ends_with('.') && !text.ends_with('?')) text += '.';
  return text;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const bool ascii = text.front() >= 0x20 && text.front() < 0x7F;
    const std::size_t size = ascii ? 1 : utf8_sequence(text);
    if (size == 0) {
      result += '?';
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return result;
}

bool is_plain(std::string_view text) {
  std::string rest{text};
  std::erase_if(rest, [](char c) { return c == '\n' || c == '\t'; });
  return printable(rest) == rest;
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
  // A third of the letters may be wrong: beyond that a suggestion would puzzle more than it helps.
  std::size_t best = word.size() / 3 + 2;
  std::optional<std::string> result;
  if (word.size() > 100) return result;
  for (const std::string& candidate : known) {
    if (const std::size_t d = distance(word, candidate); d < best) {
      best = d;
      result = candidate;
    }
  }
  return result;
}

}  // namespace ggen::p2p::cli
