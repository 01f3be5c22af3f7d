#pragma once

#include <cstdint>
#include <string>

#include "json.hpp"

/// What stands in a result. A field that is missing, or has another type than it should, reads as
/// nothing: a result comes from a node that may be of another version.
namespace ggen::p2p::cli {

/// Made harmless for terminals.
[[nodiscard]] std::string text_of(const Json& json, const char* name);
[[nodiscard]] std::uint64_t number_of(const Json& json, const char* name);
[[nodiscard]] double real_of(const Json& json, const char* name);
[[nodiscard]] bool flag_of(const Json& json, const char* name);
[[nodiscard]] const Json& list_of(const Json& json, const char* name);
[[nodiscard]] const Json& object_of(const Json& json, const char* name);
[[nodiscard]] bool has_number(const Json& json, const char* name);

}  // namespace ggen::p2p::cli
