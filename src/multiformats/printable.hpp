#pragma once

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::multiformats {

/// Whether the bytes are UTF-8 without control characters. Names from remote peers end up in logs
/// and on terminals, where those would do harm.
[[nodiscard]] bool is_printable_utf8(base::BytesView bytes) noexcept;

}  // namespace ggen::p2p::multiformats
