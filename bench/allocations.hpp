#pragma once

#include <cstddef>

namespace bench {

/// How often operator new was called in this process.
[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace bench
