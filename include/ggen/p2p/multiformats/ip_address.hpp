#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::multiformats {

/// An IPv4 or IPv6 address. A value type; IPv4 sorts before IPv6.
class IpAddress {
 public:
  [[nodiscard]] static IpAddress v4(std::span<const std::uint8_t, 4> bytes) noexcept;
  [[nodiscard]] static IpAddress v6(std::span<const std::uint8_t, 16> bytes) noexcept;
  /// Network order; nothing unless there are 4 or 16 bytes.
  [[nodiscard]] static std::optional<IpAddress> from_bytes(base::BytesView bytes) noexcept;

  /// Either text form.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  /// A dotted quad of decimal numbers without leading zeros.
  [[nodiscard]] static std::optional<IpAddress> parse_v4(std::string_view text);
  /// Any form of RFC 4291 section 2.2; no zone, no brackets.
  [[nodiscard]] static std::optional<IpAddress> parse_v6(std::string_view text);

  [[nodiscard]] bool is_v4() const noexcept { return size_ == 4; }
  [[nodiscard]] bool is_v6() const noexcept { return size_ == 16; }
  [[nodiscard]] base::BytesView bytes() const noexcept { return {bytes_.data(), size_}; }
  /// The canonical text: RFC 5952 for IPv6.
  [[nodiscard]] std::string to_string() const;

  /// The IPv4 address that an IPv4-mapped IPv6 address (::ffff:a.b.c.d) stands for; any other
  /// address is itself. Limits count unmapped addresses, or one host would count twice.
  [[nodiscard]] IpAddress unmapped() const noexcept;

  // These see through the IPv4-mapped form.

  /// 127.0.0.0/8, ::1.
  [[nodiscard]] bool is_loopback() const noexcept;
  /// 0.0.0.0, ::.
  [[nodiscard]] bool is_unspecified() const noexcept;
  /// Private (RFC 1918), shared (RFC 6598, carrier-grade NAT), unique local (RFC 4193) and
  /// link-local ranges. Loopback is not among them.
  [[nodiscard]] bool is_private() const noexcept;

  /// The address with all but its first `prefix_bits` bits set to 0.
  [[nodiscard]] IpAddress masked(unsigned prefix_bits) const noexcept;
  /// What diversity rules count as one origin: the /16 of an IPv4 address, the /32 of an IPv6 one,
  /// which is what one provider is commonly given.
  [[nodiscard]] IpAddress group() const noexcept;

  auto operator<=>(const IpAddress& other) const noexcept {
    if (const auto order = size_ <=> other.size_; order != 0) return order;
    return bytes_ <=> other.bytes_;
  }
  bool operator==(const IpAddress&) const = default;

 private:
  IpAddress() = default;
  [[nodiscard]] bool in(base::BytesView prefix, unsigned prefix_bits) const noexcept;

  std::array<std::uint8_t, 16> bytes_{};  // those after size_ are 0
  std::uint8_t size_ = 4;
};

}  // namespace ggen::p2p::multiformats

template <>
struct std::hash<ggen::p2p::multiformats::IpAddress> {
  std::size_t operator()(const ggen::p2p::multiformats::IpAddress& address) const noexcept {
    return std::hash<std::string_view>{}(ggen::p2p::base::as_text(address.bytes()));
  }
};
