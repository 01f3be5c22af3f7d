#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

/// The Identify message (libp2p/specs identify/README.md), with the signed peer record that all
/// implementations add to it.
namespace ggen::p2p::identify {

/// What a node says about itself. Fields are optional on the wire: "nothing" and "empty" mean that
/// the field was not sent.
struct Info {
  std::optional<std::string> protocol_version;  ///< any bytes, as the peer sent them
  std::optional<std::string> agent_version;     ///< any bytes, as the peer sent them
  std::optional<crypto::PublicKey> public_key;
  std::vector<multiformats::Multiaddr> listen_addrs;
  /// The address of the receiver, as the sender sees it.
  std::optional<multiformats::Multiaddr> observed_addr;
  std::vector<std::string> protocols;
  /// A signed envelope (RFC 0002) with a peer record (RFC 0003), not verified here.
  base::Bytes signed_peer_record;

  bool operator==(const Info&) const = default;
};

/// What is kept of a remote's messages; anything beyond is left out, and the rest is still used.
struct Limits {
  std::size_t max_listen_addrs = 64;
  std::size_t max_protocols = 256;
  /// A protocol id or a version longer than this many bytes is left out.
  std::size_t max_text = 256;
  /// A signed peer record larger than this many bytes is left out.
  std::size_t max_record = 8 * 1024;
};

enum class DecodeError : std::uint8_t {
  kMalformed,  ///< not a protobuf message
  kBadKey,     ///< the public key is present and invalid
};
[[nodiscard]] std::string_view to_string(DecodeError error) noexcept;

/// Reads one message (without its length prefix) into `info`: single fields replace what is there,
/// repeated ones are added to it. A sender may spread its fields over several messages. Invalid
/// multiaddrs are left out. After an error `info` holds what was read before it.
[[nodiscard]] std::expected<void, DecodeError> merge_message(Info& info, base::BytesView message,
                                                             const Limits& limits);

/// Encodes `info` as messages (without length prefixes) of at most `max_size` bytes each, at most
/// `max_messages` of them: one when it fits. Small and important fields come first, because some
/// receivers read only the first message. What fits nowhere is left out.
[[nodiscard]] std::vector<base::Bytes> encode_messages(const Info& info, std::size_t max_size,
                                                       std::size_t max_messages);

}  // namespace ggen::p2p::identify
