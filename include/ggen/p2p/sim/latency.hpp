#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::sim {

/// Where a machine is, in degrees: for models that care, and for maps.
struct Place {
  double latitude = 0;
  double longitude = 0;
  /// Names the site in a matrix of measurements, the city in the geographic model.
  std::uint32_t site = 0;
};

/// How long a packet takes from one machine to another when nothing is in its way.
class LatencyModel {
 public:
  virtual ~LatencyModel() = default;

  /// Where the next machine stands.
  [[nodiscard]] virtual Place place(base::Prng& prng) const = 0;
  /// One way. The same both ways, whole microseconds, never 0.
  [[nodiscard]] virtual base::Duration one_way(const Place& from, const Place& to) const = 0;
};

/// The same between any two machines.
[[nodiscard]] std::unique_ptr<LatencyModel> constant_latency(base::Duration one_way);

/// Machines stand in and around large cities, as often as people live there. A packet takes what
/// light in fibre takes for the distance, times a factor for the way that cables go, and an access
/// link at both ends.
[[nodiscard]] std::unique_ptr<LatencyModel> geographic_latency();

/// Measured between sites: machines stand at a random site. `text` has one line for each site: its
/// name, then the round trip to each site in milliseconds, separated by commas; `#` begins a
/// comment. Round trips that differ by direction are averaged; the diagonal is that within a site.
/// The error names the line.
[[nodiscard]] std::expected<std::unique_ptr<LatencyModel>, std::string> matrix_latency(
    std::string_view text);

}  // namespace ggen::p2p::sim
