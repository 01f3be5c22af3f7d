#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/swarm/ip.hpp>
#include <ggen/p2p/swarm/output.hpp>

namespace ggen::p2p::swarm {

/// /dns, /dns4 or /dns6, then /tcp.
struct HostTarget {
  std::string name;
  AddressFamily family{};
  std::uint16_t port = 0;
};
/// /dnsaddr, then anything: what its records must end with (multiformats protocols/DNSADDR.md).
struct RecordTarget {
  std::string name;
  /// The components after the name, in their binary form.
  base::Bytes suffix;
};
using DialTarget = std::variant<IpEndpoint, HostTarget, RecordTarget>;

/// What to do to reach an address; nothing when this stack cannot. A trailing /p2p is ignored but
/// for the suffix of /dnsaddr.
[[nodiscard]] std::optional<DialTarget> target_of(const multiformats::Multiaddr& address);

/// Whether a connection can be made to it at all.
[[nodiscard]] bool usable(const IpEndpoint& endpoint);

/// Those of the addresses of a name that are of the family asked for, at most `limit`.
[[nodiscard]] std::vector<IpAddress> of_family(std::span<const IpAddress> addresses,
                                               AddressFamily family, std::size_t limit);

/// The addresses in the TXT records of a /dnsaddr name: those that start with "dnsaddr=", hold a
/// multiaddr and end with `suffix`. At most `limit`.
[[nodiscard]] std::vector<multiformats::Multiaddr> dnsaddr_records(
    std::span<const std::string> records, base::BytesView suffix, std::size_t limit);

}  // namespace ggen::p2p::swarm
