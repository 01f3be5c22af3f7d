#pragma once

#include <string>

namespace ggen::p2p::registry {

/// Why a map is not the message that was expected: `field` is missing, of the wrong type, or
/// outside its limits.
struct BadMessage {
  std::string field;
  [[nodiscard]] std::string message() const {
    return "the message's field '" + field + "' is missing or not valid";
  }
};

}  // namespace ggen::p2p::registry
