#pragma once

#include <string>
#include <string_view>

namespace ggen::p2p::sim {

// The page around `data`, a JSON document: a report or a comparison. It loads nothing, and `data`
// may hold any text without becoming part of the page's code.
std::string report_page(std::string_view data);

}  // namespace ggen::p2p::sim
