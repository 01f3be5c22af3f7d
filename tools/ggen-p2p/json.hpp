#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace ggen::p2p::cli {

/// Members stay in the order in which they were added: what people read comes as it was written.
using Json = nlohmann::ordered_json;

/// One line. Bytes that are no UTF-8 are replaced, never thrown about.
[[nodiscard]] inline std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
/// For people: indented.
[[nodiscard]] inline std::string to_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ggen::p2p::cli
