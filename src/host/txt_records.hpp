#pragma once

#include <expected>
#include <string>
#include <system_error>
#include <vector>

namespace ggen::p2p::host {

/// The TXT records of a name, asked of the system's resolver. Blocks: call it on the pool.
[[nodiscard]] std::expected<std::vector<std::string>, std::error_code> txt_records(
    const std::string& name);

}  // namespace ggen::p2p::host
