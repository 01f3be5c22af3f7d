#include "read_input.hpp"

#include <array>
#include <cerrno>
#include <cstdint>

#include <fmt/format.h>
#include <unistd.h>

#include "text.hpp"

namespace ggen::p2p::cli {

Result<base::Bytes> read_input(int file, std::size_t most) {
  base::Bytes bytes;
  std::array<std::uint8_t, 64 * 1024> block{};
  while (true) {
    const ssize_t size = ::read(file, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(Exit::kUsage, with_errno("Standard input cannot be read"));
    if (size == 0) return bytes;
    base::append(bytes, base::BytesView{block}.first(static_cast<std::size_t>(size)));
    if (bytes.size() > most) {
      return fail(Exit::kUsage,
                  fmt::format("Standard input holds more than {}.", format_bytes(most)),
                  "Publish less at a time, or publish a package and tell of it.");
    }
  }
}

}  // namespace ggen::p2p::cli
