#pragma once

#include <string>

#include "control_protocol.hpp"
#include "json.hpp"

/// Results of pubsub's commands, as Service describes them, in lines for a person.
namespace ggen::p2p::cli {

[[nodiscard]] std::string render_pubsub(const request::PubsubLook& look, const Json& result);
[[nodiscard]] std::string render_published(const Json& result);
/// That a subscription has begun.
[[nodiscard]] std::string render_joined(const Json& state);
[[nodiscard]] std::string render_message(const Json& message);

}  // namespace ggen::p2p::cli
