#include <algorithm>
#include <array>

#include <ggen/p2p/multiformats/protocols.hpp>

#include "base_codec.hpp"

namespace ggen::p2p::multiformats {
namespace {

constexpr int kV = ProtocolInfo::kVariable;

constexpr std::array kTable = {
    ProtocolInfo{Protocol::kIp4, "ip4", 32, ValueKind::kIp4},
    ProtocolInfo{Protocol::kTcp, "tcp", 16, ValueKind::kPort},
    ProtocolInfo{Protocol::kDccp, "dccp", 16, ValueKind::kPort},
    ProtocolInfo{Protocol::kIp6, "ip6", 128, ValueKind::kIp6},
    ProtocolInfo{Protocol::kIp6Zone, "ip6zone", kV, ValueKind::kIp6Zone},
    ProtocolInfo{Protocol::kIpCidr, "ipcidr", 8, ValueKind::kPrefixLength},
    ProtocolInfo{Protocol::kDns, "dns", kV, ValueKind::kDnsName},
    ProtocolInfo{Protocol::kDns4, "dns4", kV, ValueKind::kDnsName},
    ProtocolInfo{Protocol::kDns6, "dns6", kV, ValueKind::kDnsName},
    ProtocolInfo{Protocol::kDnsaddr, "dnsaddr", kV, ValueKind::kDnsName},
    ProtocolInfo{Protocol::kSctp, "sctp", 16, ValueKind::kPort},
    ProtocolInfo{Protocol::kUdp, "udp", 16, ValueKind::kPort},
    ProtocolInfo{Protocol::kP2pWebrtcStar, "p2p-webrtc-star", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kP2pWebrtcDirect, "p2p-webrtc-direct", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kP2pStardust, "p2p-stardust", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kWebrtcDirect, "webrtc-direct", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kWebrtc, "webrtc", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kP2pCircuit, "p2p-circuit", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kUdt, "udt", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kUtp, "utp", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kUnix, "unix", kV, ValueKind::kPath},
    ProtocolInfo{Protocol::kP2p, "p2p", kV, ValueKind::kPeerId},
    ProtocolInfo{Protocol::kHttps, "https", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kOnion, "onion", 96, ValueKind::kOnion},
    ProtocolInfo{Protocol::kOnion3, "onion3", 296, ValueKind::kOnion3},
    ProtocolInfo{Protocol::kGarlic64, "garlic64", kV, ValueKind::kGarlic64},
    ProtocolInfo{Protocol::kGarlic32, "garlic32", kV, ValueKind::kGarlic32},
    ProtocolInfo{Protocol::kTls, "tls", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kSni, "sni", kV, ValueKind::kDnsName},
    ProtocolInfo{Protocol::kNoise, "noise", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kQuic, "quic", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kQuicV1, "quic-v1", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kWebtransport, "webtransport", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kCerthash, "certhash", kV, ValueKind::kCerthash},
    ProtocolInfo{Protocol::kWs, "ws", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kWss, "wss", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kP2pWebsocketStar, "p2p-websocket-star", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kHttp, "http", 0, ValueKind::kNone},
    ProtocolInfo{Protocol::kHttpPath, "http-path", kV, ValueKind::kHttpPath},
    ProtocolInfo{Protocol::kMemory, "memory", 64, ValueKind::kUint64},
    ProtocolInfo{Protocol::kPlaintextV2, "plaintextv2", 0, ValueKind::kNone},
};
static_assert(std::ranges::is_sorted(kTable, {}, &ProtocolInfo::code));

// Where in the table the protocols with small codes are: those that nearly all addresses consist
// of.
constexpr std::size_t kSmallCodes = 512;
constexpr std::uint8_t kNoProtocol = 0xff;
static_assert(kTable.size() < kNoProtocol);
constexpr auto kByCode = [] {
  std::array<std::uint8_t, kSmallCodes> by_code{};
  by_code.fill(kNoProtocol);
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    const auto code = static_cast<std::size_t>(kTable[i].code);
    if (code < kSmallCodes) by_code[code] = static_cast<std::uint8_t>(i);
  }
  return by_code;
}();

constexpr std::size_t kMaxName = 24;
static_assert(std::ranges::all_of(kTable, [](const ProtocolInfo& info) {
  return info.name.size() <= kMaxName;
}));

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal
/// string alignment). Both have at most kMaxName characters.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kMaxName + 1>, kMaxName + 1> cost{};
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::span<const ProtocolInfo> registered_protocols() noexcept {
  return kTable;
}

const ProtocolInfo* find_protocol(Protocol code) noexcept {
  if (static_cast<std::size_t>(code) < kSmallCodes) {
    const std::uint8_t at = kByCode[static_cast<std::size_t>(code)];
    return at == kNoProtocol ? nullptr : &kTable[at];
  }
  const auto it = std::ranges::lower_bound(kTable, code, {}, &ProtocolInfo::code);
  return it != kTable.end() && it->code == code ? &*it : nullptr;
}

const ProtocolInfo* find_protocol(std::string_view name) noexcept {
  if (name == "ipfs") name = "p2p";
  const auto it = std::ranges::find(kTable, name, &ProtocolInfo::name);
  return it != kTable.end() ? &*it : nullptr;
}

std::string_view nearest_protocol_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return {};
  std::string lower{name};
  std::ranges::transform(lower, lower.begin(), ascii_lower);
  // One slip in a short name, two in a longer one: with more, any name resembles another.
  std::size_t nearest = name.size() <= 4 ? 1 : 2;
  std::string_view found;
  for (const ProtocolInfo& info : kTable) {
    const std::size_t distance = edit_distance(lower, info.name);
    if (distance > nearest || (distance == nearest && !found.empty())) continue;
    nearest = distance;
    found = info.name;
  }
  return found;
}

}  // namespace ggen::p2p::multiformats
