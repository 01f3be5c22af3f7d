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
#include <ggen/p2p/multiformats/ip_address.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/multiformats/protocols.hpp>

namespace ggen::p2p::multiformats {

/// What is wrong with a multiaddr and where.
struct MultiaddrError {
  enum class Kind {
    kEmpty,
    kNoLeadingSlash,
    kUnknownProtocol,
    kMissingValue,
    kUnexpectedValue,   ///< a protocol without value is followed by what looks like one
    kInvalidValue,      ///< not what `protocol` takes
    kTruncated,         ///< binary: the bytes end inside a component
    kNonMinimalVarint,  ///< binary: a code or length not in its shortest form, or above 9 bytes
    kTooLong,
    kAfterPath,  ///< binary: something follows a path protocol, which takes all the rest
  };
  Kind kind{};
  /// Text: the offset of the offending component's slash. Binary: the offset of its code.
  std::size_t position = 0;
  /// The component at fault: the protocol's name or the value that does not fit it (binary values
  /// in hexadecimal). At most 64 characters are kept, those outside printable ASCII as '?'.
  std::string component;
  /// The protocol whose value is missing or invalid, or which takes none; null otherwise.
  const ProtocolInfo* protocol = nullptr;
  /// One sentence for a person: names the component, its position and what would be valid.
  [[nodiscard]] std::string message() const;
};

/// A multiaddr (multiformats/multiaddr): a validated sequence of components, kept in its binary
/// form. A value type.
class Multiaddr {
 public:
  /// Longer multiaddrs are refused as kTooLong; in practice they stay below 300 bytes, and below
  /// 500 with a garlic64 address.
  static constexpr std::size_t kMaxBytes = 1024;
  /// Longer texts are refused unread. Ten characters a byte are more than any multiaddr has:
  /// `/p2p-websocket-star`, the worst, says two bytes in 19.
  static constexpr std::size_t kMaxText = 10 * kMaxBytes;

  struct Component {
    Protocol protocol{};
    base::BytesView value;  ///< binary, without its length prefix; valid while the multiaddr lives
    /// The value as it stands in the multiaddr's text; empty when the protocol has none.
    [[nodiscard]] std::string value_text() const;
  };

  Multiaddr() = default;
  /// Reads the text form. Slashes at the end are ignored, `/ipfs/` is read as `/p2p/`, and a peer
  /// id may be a CIDv1.
  [[nodiscard]] static std::expected<Multiaddr, MultiaddrError> parse(std::string_view text);
  /// Reads the binary form; all of `bytes` belongs to it.
  [[nodiscard]] static std::expected<Multiaddr, MultiaddrError> decode(base::BytesView bytes);

  /// /ip4/a.b.c.d/tcp/port and its IPv6 sibling. `address` has 4 or 16 bytes in network order.
  [[nodiscard]] static Multiaddr tcp(base::BytesView address, std::uint16_t port);

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] base::BytesView bytes() const noexcept { return bytes_; }
  /// The canonical text.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] std::vector<Component> components() const&;
  std::vector<Component> components() && = delete;  // they point into the multiaddr
  /// The first component of this protocol.
  [[nodiscard]] std::optional<Component> find(Protocol protocol) const&;
  std::optional<Component> find(Protocol protocol) && = delete;

  /// The IP address at the front, also after an ip6zone; the IPv4 address where that is an
  /// IPv4-mapped IPv6 one.
  [[nodiscard]] std::optional<IpAddress> ip() const;
  /// The port of a tcp component that follows the host (ip4, ip6, dns, dns4, dns6) at the front.
  [[nodiscard]] std::optional<std::uint16_t> tcp_port() const;

  /// The peer id of a trailing /p2p component.
  [[nodiscard]] std::optional<PeerId> peer_id() const;
  /// This address ending in /p2p/<peer>, which replaces a trailing /p2p component. Where nothing
  /// can be appended (after a path, or for lack of room) the address is returned as it is.
  [[nodiscard]] Multiaddr with_peer_id(const PeerId& peer) const;
  [[nodiscard]] Multiaddr without_peer_id() const;

  auto operator<=>(const Multiaddr&) const = default;
  bool operator==(const Multiaddr&) const = default;

 private:
  explicit Multiaddr(base::Bytes bytes) : bytes_(std::move(bytes)) {}

  base::Bytes bytes_;
};

}  // namespace ggen::p2p::multiformats

template <>
struct std::hash<ggen::p2p::multiformats::Multiaddr> {
  std::size_t operator()(const ggen::p2p::multiformats::Multiaddr& address) const noexcept {
    return std::hash<std::string_view>{}(ggen::p2p::base::as_text(address.bytes()));
  }
};
