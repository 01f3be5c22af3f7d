#pragma once

#include <ggen/p2p/marketplace/registry.hpp>

#include "json.hpp"

/// What the marketplace gives, as control_service.hpp says that commands tell it.
namespace ggen::p2p::cli {

[[nodiscard]] Json to_json(const marketplace::Published& published);
[[nodiscard]] Json to_json(const marketplace::Found& found);
[[nodiscard]] Json to_json(const marketplace::Got& got);
[[nodiscard]] Json to_json(const marketplace::Progress& progress);

}  // namespace ggen::p2p::cli
