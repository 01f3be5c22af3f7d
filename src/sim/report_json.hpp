#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <ggen/p2p/sim/report.hpp>

namespace ggen::p2p::sim {

// The format that docs/simulator.md describes.
inline constexpr int kReportSchema = 1;
inline constexpr std::string_view kReportFormat = "ggen-p2p-sim report";
inline constexpr std::string_view kComparisonFormat = "ggen-p2p-sim comparison";

nlohmann::json to_json(const Report& report);
nlohmann::json comparison_to_json(const Report& a, const Report& b);

// Any document at all may be given; an error says where it is not a report.
std::expected<Report, std::string> report_from_json(const nlohmann::json& document);

// On one line. Bytes that are not UTF-8 become U+FFFD: text of a run must not cost its report.
std::string dump(const nlohmann::json& document);

}  // namespace ggen::p2p::sim
