#pragma once

#include <expected>
#include <optional>

#include "state.hpp"

namespace ggen::p2p::kad {

/// Answers the request of a peer from what this node knows; nothing where none is due
/// (ADD_PROVIDER). Refused requests reset their stream.
[[nodiscard]] std::expected<std::optional<Message>, DropReason> respond(
    State& state, const multiformats::PeerId& from, Message request, base::Instant now);

}  // namespace ggen::p2p::kad
