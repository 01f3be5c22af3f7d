#pragma once

#include <cstddef>

#include <ggen/p2p/base/bytes.hpp>

#include "error.hpp"

namespace ggen::p2p::cli {

/// Everything that can be read from a file descriptor, to its end. Exit::kUsage when that is more
/// than `most` bytes, or cannot be read.
[[nodiscard]] Result<base::Bytes> read_input(int file, std::size_t most);

}  // namespace ggen::p2p::cli
