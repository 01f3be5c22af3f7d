#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/kad/validator.hpp>

namespace ggen::p2p::test {

/// 2026-01-02T03:04:05Z.
inline constexpr base::WallTime kWallAtZero{std::chrono::seconds{1767323045}};

inline base::Bytes text(std::string_view chars) {
  return base::to_bytes(base::as_bytes(chars));
}

/// A peer id for each number, without a key behind it.
inline multiformats::PeerId numbered_peer(std::size_t number) {
  base::Bytes multihash{0x12, 0x20};
  base::append(multihash, crypto::sha256(text("peer " + std::to_string(number))));
  return *multiformats::PeerId::decode(multihash);
}

/// A public address for each number, no two in one /16.
inline multiformats::Multiaddr numbered_address(std::size_t number) {
  const std::array<std::uint8_t, 4> ip{static_cast<std::uint8_t>(20 + number / 250),
                                       static_cast<std::uint8_t>(number % 250), 1, 1};
  return multiformats::Multiaddr::tcp(ip, 4001);
}

inline kad::PeerRecord numbered_record(std::size_t number) {
  return {numbered_peer(number), {numbered_address(number)}};
}

/// Values of the namespace `test`: genuine when they begin with a digit; the greater digit is
/// better.
class CounterValidator final : public kad::Validator {
 public:
  bool valid(base::BytesView, base::BytesView value) const override {
    return !value.empty() && value[0] >= '0' && value[0] <= '9';
  }
  bool better(base::BytesView, base::BytesView candidate, base::BytesView held) const override {
    return candidate[0] > held[0];
  }
};

}  // namespace ggen::p2p::test
