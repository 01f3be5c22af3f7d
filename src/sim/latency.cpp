#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/sim/latency.hpp>

namespace ggen::p2p::sim {
namespace {

constexpr base::Duration kLeast = std::chrono::microseconds{1};

class Constant final : public LatencyModel {
 public:
  explicit Constant(base::Duration one_way) : one_way_(std::max(one_way, kLeast)) {}

  Place place(base::Prng& prng) const override {
    Place place;
    place.latitude = prng.unit() * 180 - 90;
    place.longitude = prng.unit() * 360 - 180;
    return place;
  }
  base::Duration one_way(const Place&, const Place&) const override { return one_way_; }

 private:
  base::Duration one_way_;
};

struct City {
  double latitude;
  double longitude;
  std::uint32_t weight;  // people online, roughly, in millions
};

// Large cities of all continents. Figures rounded to a tenth of a degree.
constexpr std::array<City, 40> kCities{{
    {40.7, -74.0, 14},  {34.1, -118.2, 11}, {41.9, -87.6, 8},   {37.8, -122.4, 7},
    {29.8, -95.4, 6},   {47.6, -122.3, 4},  {43.7, -79.4, 6},   {45.5, -73.6, 4},
    {19.4, -99.1, 14},  {4.7, -74.1, 7},    {-23.6, -46.6, 16}, {-22.9, -43.2, 9},
    {-34.6, -58.4, 11}, {-33.4, -70.7, 6},  {51.5, -0.1, 12},   {48.9, 2.4, 10},
    {52.5, 13.4, 6},    {50.1, 8.7, 6},     {52.4, 4.9, 4},     {40.4, -3.7, 6},
    {41.9, 12.5, 5},    {59.3, 18.1, 3},    {52.2, 21.0, 4},    {55.8, 37.6, 11},
    {41.0, 29.0, 12},   {30.0, 31.2, 12},   {6.5, 3.4, 10},     {-1.3, 36.8, 4},
    {-26.2, 28.0, 6},   {25.2, 55.3, 4},    {19.1, 72.9, 16},   {28.6, 77.2, 18},
    {13.0, 77.6, 9},    {1.3, 103.8, 5},    {-6.2, 106.8, 16},  {14.6, 121.0, 11},
    {22.3, 114.2, 7},   {31.2, 121.5, 20},  {35.7, 139.7, 25},  {-33.9, 151.2, 5},
}};

// Kilometres that light covers in fibre in a millisecond, and how much longer cables are than the
// great circle.
constexpr double kKilometresPerMillisecond = 204;
constexpr double kDetour = 1.6;
constexpr double kEarthRadius = 6371;
constexpr double kAccessMilliseconds = 2;  // at each end

double radians(double degrees) {
  return degrees * std::numbers::pi / 180;
}

double kilometres(const Place& a, const Place& b) {
  const double x = std::sin(radians(b.latitude - a.latitude) / 2);
  const double y = std::sin(radians(b.longitude - a.longitude) / 2);
  const double h = x * x + std::cos(radians(a.latitude)) * std::cos(radians(b.latitude)) * y * y;
  return 2 * kEarthRadius * std::asin(std::min(1.0, std::sqrt(h)));
}

// Whole microseconds: the last digits of a library's sine must not show in the trace.
base::Duration from_milliseconds(double milliseconds) {
  return std::max<base::Duration>(kLeast,
                                  std::chrono::microseconds{std::llround(milliseconds * 1000)});
}

class Geographic final : public LatencyModel {
 public:
  Geographic() {
    for (const City& city : kCities) total_ += city.weight;
  }

  Place place(base::Prng& prng) const override {
    std::uint64_t at = prng.below(total_);
    std::uint32_t site = 0;
    while (at >= kCities[site].weight) at -= kCities[site++].weight;
    Place place{kCities[site].latitude, kCities[site].longitude, site};
    // Within some 300 km.
    place.latitude += prng.unit() * 5 - 2.5;
    place.longitude += prng.unit() * 6 - 3;
    return place;
  }
  base::Duration one_way(const Place& from, const Place& to) const override {
    return from_milliseconds(2 * kAccessMilliseconds +
                             kilometres(from, to) * kDetour / kKilometresPerMillisecond);
  }

 private:
  std::uint64_t total_ = 0;
};

class Matrix final : public LatencyModel {
 public:
  explicit Matrix(std::vector<std::vector<double>> round_trips)
      : round_trips_(std::move(round_trips)) {}

  Place place(base::Prng& prng) const override {
    Place place;
    place.site = static_cast<std::uint32_t>(prng.below(round_trips_.size()));
    place.latitude = prng.unit() * 120 - 60;
    place.longitude = 360.0 * place.site / static_cast<double>(round_trips_.size()) - 180;
    return place;
  }
  base::Duration one_way(const Place& from, const Place& to) const override {
    const double both = round_trips_[from.site][to.site] + round_trips_[to.site][from.site];
    return from_milliseconds(both / 4);
  }

 private:
  std::vector<std::vector<double>> round_trips_;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto from = text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

// Cuts `text` at the first `separator` and gives what stood before it.
std::string_view take(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return trimmed(head);
}

std::optional<double> milliseconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || !(value >= 0) || value > 60'000) return std::nullopt;
  return value;
}

}  // namespace

std::unique_ptr<LatencyModel> constant_latency(base::Duration one_way) {
  return std::make_unique<Constant>(one_way);
}

std::unique_ptr<LatencyModel> geographic_latency() {
  return std::make_unique<Geographic>();
}

std::expected<std::unique_ptr<LatencyModel>, std::string> matrix_latency(std::string_view text) {
  std::vector<std::vector<double>> rows;
  std::vector<std::size_t> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = take(text, '\n');
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (take(line, ',').empty()) {
      return std::unexpected(fmt::format("line {}: the name of the site is missing", number));
    }
    std::vector<double> row;
    while (!line.empty()) {
      const std::string_view cell = take(line, ',');
      const auto value = milliseconds(cell);
      if (!value) {
        return std::unexpected(fmt::format(
            "line {}: \"{}\" is no round trip: a number of milliseconds from 0 to 60000", number,
            cell));
      }
      row.push_back(*value);
    }
    rows.push_back(std::move(row));
    lines.push_back(number);
  }
  if (rows.empty()) return std::unexpected(std::string{"no site is named"});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() == rows.size()) continue;
    return std::unexpected(fmt::format("line {}: {} round trips, but there are {} sites", lines[i],
                                       rows[i].size(), rows.size()));
  }
  return std::make_unique<Matrix>(std::move(rows));
}

}  // namespace ggen::p2p::sim
