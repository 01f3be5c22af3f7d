#pragma once

#include <cstdint>
#include <span>
#include <string_view>

/// The protocols that a multiaddr is made of (multiformats/multiaddr protocols.csv).
namespace ggen::p2p::multiformats {

/// The registered codes.
enum class Protocol : std::uint32_t {
  kIp4 = 0x04,
  kTcp = 0x06,
  kDccp = 0x21,
  kIp6 = 0x29,
  kIp6Zone = 0x2a,
  kIpCidr = 0x2b,
  kDns = 0x35,
  kDns4 = 0x36,
  kDns6 = 0x37,
  kDnsaddr = 0x38,
  kSctp = 0x84,
  kUdp = 0x0111,
  kP2pWebrtcStar = 0x0113,
  kP2pWebrtcDirect = 0x0114,
  kP2pStardust = 0x0115,
  kWebrtcDirect = 0x0118,
  kWebrtc = 0x0119,
  kP2pCircuit = 0x0122,
  kUdt = 0x012d,
  kUtp = 0x012e,
  kUnix = 0x0190,
  kP2p = 0x01a5,
  kHttps = 0x01bb,
  kOnion = 0x01bc,
  kOnion3 = 0x01bd,
  kGarlic64 = 0x01be,
  kGarlic32 = 0x01bf,
  kTls = 0x01c0,
  kSni = 0x01c1,
  kNoise = 0x01c6,
  kQuic = 0x01cc,
  kQuicV1 = 0x01cd,
  kWebtransport = 0x01d1,
  kCerthash = 0x01d2,
  kWs = 0x01dd,
  kWss = 0x01de,
  kP2pWebsocketStar = 0x01df,
  kHttp = 0x01e0,
  kHttpPath = 0x01e1,
  kMemory = 0x0309,
  kPlaintextV2 = 0x706c61,
};

/// What a protocol's value is; it fixes the text form, the binary form and what is valid.
enum class ValueKind : std::uint8_t {
  kNone,
  kIp4,           ///< 4 bytes; dotted quad
  kIp6,           ///< 16 bytes; RFC 5952
  kIp6Zone,       ///< text (RFC 4007)
  kPrefixLength,  ///< 1 byte; decimal
  kPort,          ///< 2 bytes, big-endian; decimal
  kDnsName,       ///< text, at most 254 bytes
  kPeerId,        ///< a peer id's multihash; base58btc, or a CIDv1 on input
  kOnion,         ///< 10 bytes of name in base32, a colon, a port that is not 0
  kOnion3,        ///< the same with 35 bytes of name
  kGarlic64,      ///< at least 386 bytes in I2P's base64
  kGarlic32,      ///< 32 bytes, or 35 and more, in base32
  kCerthash,      ///< a multihash in any multibase; base64url on output
  kPath,          ///< a Unix path: "/" and the rest of the address
  kHttpPath,      ///< any bytes but none; percent-encoded
  kUint64,        ///< 8 bytes, big-endian; decimal
};

/// A row of the table.
struct ProtocolInfo {
  /// The value's length is a varint in front of it.
  static constexpr int kVariable = -1;

  Protocol code{};
  std::string_view name;
  int size_bits = 0;  ///< of the value: 0, a multiple of 8, or kVariable
  ValueKind kind = ValueKind::kNone;

  [[nodiscard]] constexpr bool has_value() const noexcept { return kind != ValueKind::kNone; }
  /// The value takes all the rest of the text, slashes included: nothing can follow it.
  [[nodiscard]] constexpr bool is_path() const noexcept { return kind == ValueKind::kPath; }
};

/// All registered protocols, in the order of their codes. `memory` has the 64 bits that
/// implementations use, where the registry says "variable"; `plaintextv2` is in the multicodec
/// table only.
[[nodiscard]] std::span<const ProtocolInfo> registered_protocols() noexcept;

/// Null when no such protocol is registered.
[[nodiscard]] const ProtocolInfo* find_protocol(Protocol code) noexcept;
/// Names are lower case; `ipfs` is the older name of `p2p`.
[[nodiscard]] const ProtocolInfo* find_protocol(std::string_view name) noexcept;

/// The registered name that `name` is most likely a slip of; empty when none is near.
[[nodiscard]] std::string_view nearest_protocol_name(std::string_view name);

}  // namespace ggen::p2p::multiformats
