#include <array>

#include <ggen/p2p/sim/trace_digest.hpp>

namespace ggen::p2p::sim {

void TraceDigest::add(base::Instant when, std::uint32_t node, TraceKind kind,
                      base::BytesView payload) {
  std::array<std::uint8_t, 8 + 4 + 1 + 8> header{};
  std::uint8_t* at = header.data();
  base::store_big_endian(at, static_cast<std::uint64_t>(when.time_since_epoch().count()));
  base::store_big_endian(at + 8, node);
  at[12] = static_cast<std::uint8_t>(kind);
  base::store_big_endian(at + 13, static_cast<std::uint64_t>(payload.size()));
  hash_.update(header).update(payload);
  ++events_;
}

}  // namespace ggen::p2p::sim
