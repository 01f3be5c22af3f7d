#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::multiformats {

/// Codes of the protocols that this stack handles itself; the full table is in protocols.hpp.
enum class Protocol : std::uint32_t {
  kIp4 = 0x04,
  kTcp = 0x06,
  kDns = 0x35,
  kDns4 = 0x36,
  kDns6 = 0x37,
  kDnsaddr = 0x38,
  kIp6 = 0x29,
  kIp6Zone = 0x2a,
  kUdp = 0x0111,
  kP2pCircuit = 0x0122,
  kP2p = 0x01a5,
};

/// What is wrong with a multiaddr and where.
struct MultiaddrError {
  enum class Kind {
    kEmpty,
    kNoLeadingSlash,
    kUnknownProtocol,
    kMissingValue,
    kUnexpectedValue,
    kInvalidValue,
    kTruncated,
    kNonMinimalVarint,
    kTooLong,
    kAfterPath,  ///< something follows a path protocol, which takes all the rest
  };
  Kind kind{};
  /// Text: the offset of the offending component's slash. Binary: the offset of its code.
  std::size_t position = 0;
  /// The component at fault: the protocol's name or the value that does not fit it. At most 64
  /// characters are kept.
  std::string component;
  /// One sentence for a person: names the component, its position and what would be valid.
  [[nodiscard]] std::string message() const;
};

/// A multiaddr (multiformats/multiaddr): a validated sequence of components, kept in its binary
/// form. A value type.
class Multiaddr {
 public:
  /// Remote multiaddrs above this are refused as kTooLong; the registered protocols in practice
  /// stay below 300 bytes.
  static constexpr std::size_t kMaxBytes = 1024;

  struct Component {
    Protocol protocol{};    ///< any registered code, not only the named ones
    base::BytesView value;  ///< binary, without its length prefix; valid while the multiaddr lives
    [[nodiscard]] std::string value_text() const;
  };

  Multiaddr() = default;
  [[nodiscard]] static std::expected<Multiaddr, MultiaddrError> parse(std::string_view text);
  [[nodiscard]] static std::expected<Multiaddr, MultiaddrError> decode(base::BytesView bytes);

  /// /ip4/a.b.c.d/tcp/port and its IPv6 sibling. `address` has 4 or 16 bytes in network order.
  [[nodiscard]] static Multiaddr tcp(base::BytesView address, std::uint16_t port);

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] base::BytesView bytes() const noexcept { return bytes_; }
  /// The canonical text.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] std::vector<Component> components() const;
  /// The first component of this protocol.
  [[nodiscard]] std::optional<Component> find(Protocol protocol) const;

  /// The peer id of a trailing /p2p component.
  [[nodiscard]] std::optional<PeerId> peer_id() const;
  [[nodiscard]] Multiaddr with_peer_id(const PeerId& peer) const;
  [[nodiscard]] Multiaddr without_peer_id() const;

  auto operator<=>(const Multiaddr&) const = default;
  bool operator==(const Multiaddr&) const = default;

 private:
  base::Bytes bytes_;
};

}  // namespace ggen::p2p::multiformats

template <>
struct std::hash<ggen::p2p::multiformats::Multiaddr> {
  std::size_t operator()(const ggen::p2p::multiformats::Multiaddr& address) const noexcept {
    return std::hash<std::string_view>{}(ggen::p2p::base::as_text(address.bytes()));
  }
};
