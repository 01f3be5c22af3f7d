#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace ggen::p2p::marketplace {

/// "message: what the system said", with errno as it is now.
[[nodiscard]] inline std::string with_errno(std::string_view message) {
  return fmt::format("{}: {}", message, std::generic_category().message(errno));
}

}  // namespace ggen::p2p::marketplace
