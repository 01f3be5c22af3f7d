#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <ggen/p2p/sim/report.hpp>
#include <ggen/p2p/sim/simulation.hpp>

#include "error.hpp"

namespace ggen::p2p::sim_cli {

/// Members stay in the order in which they were added: what people read comes as it was written.
using Json = nlohmann::ordered_json;

[[nodiscard]] std::string to_text(const Json& json);

/// As on the command line.
[[nodiscard]] std::string_view name_of(sim::Fidelity fidelity);

/// The scenarios, for people and for programs.
[[nodiscard]] std::string render_list();
[[nodiscard]] Json list_to_json();

/// What a run came to. The last line is the digest's.
[[nodiscard]] std::string render(const sim::Report& report);
[[nodiscard]] Json to_json(const sim::Report& report);
/// Two lines: which program it was, and the command.
[[nodiscard]] std::string how_to_run_again(const sim::Report& report);
/// `trace sha256: ...`, with the line's end.
[[nodiscard]] std::string digest_line(const sim::Report& report);

[[nodiscard]] std::string render_error(const Error& error);
[[nodiscard]] Json to_json(const Error& error);

}  // namespace ggen::p2p::sim_cli
