#include "dial_target.hpp"

#include <string_view>

namespace ggen::p2p::swarm {
namespace {

using multiformats::Multiaddr;
using multiformats::Protocol;

std::optional<AddressFamily> family_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::kDns:
      return AddressFamily::kAny;
    case Protocol::kDns4:
      return AddressFamily::kIp4;
    case Protocol::kDns6:
      return AddressFamily::kIp6;
    default:
      return std::nullopt;
  }
}

/// What follows the first component, whose value has a length prefix.
base::Bytes tail_of(const Multiaddr& address, const Multiaddr::Component& first) {
  const auto end = first.value.data() + first.value.size();
  return {end, address.bytes().data() + address.bytes().size()};
}

/// Whether the last components of `address` are exactly `suffix`.
bool ends_with(const Multiaddr& address, base::BytesView suffix) {
  const base::BytesView bytes = address.bytes();
  if (suffix.empty()) return true;
  if (suffix.size() >= bytes.size()) return false;
  if (!base::equal(bytes.last(suffix.size()), suffix)) return false;
  // The same bytes inside the value of another component are no suffix.
  const std::uint8_t* const start = bytes.data() + (bytes.size() - suffix.size());
  for (const auto& component : address.components()) {
    if (component.value.data() + component.value.size() == start) return true;
  }
  return false;
}

}  // namespace

std::optional<DialTarget> target_of(const Multiaddr& address) {
  if (const auto endpoint = endpoint_of(address)) return *endpoint;
  const auto components = address.components();
  if (components.empty()) return std::nullopt;
  const Multiaddr::Component& first = components.front();
  if (first.protocol == Protocol::kDnsaddr) {
    return RecordTarget{std::string(base::as_text(first.value)), tail_of(address, first)};
  }
  const auto family = family_of(first.protocol);
  if (!family || components.size() < 2 || components.size() > 3) return std::nullopt;
  if (components[1].protocol != Protocol::kTcp) return std::nullopt;
  if (components.size() == 3 && components[2].protocol != Protocol::kP2p) return std::nullopt;
  return HostTarget{std::string(base::as_text(first.value)), *family,
                    base::load_big_endian<std::uint16_t>(components[1].value.data())};
}

bool usable(const IpEndpoint& endpoint) {
  return endpoint.port != 0 && scope_of(endpoint.address) != IpScope::kUnusable;
}

std::vector<IpAddress> of_family(std::span<const IpAddress> addresses, AddressFamily family,
                                 std::size_t limit) {
  std::vector<IpAddress> result;
  for (const IpAddress& mapped : addresses) {
    if (result.size() >= limit) break;
    const IpAddress address = mapped.unmapped();
    if (family == AddressFamily::kIp4 && !address.is_v4()) continue;
    if (family == AddressFamily::kIp6 && !address.is_v6()) continue;
    result.push_back(address);
  }
  return result;
}

std::vector<Multiaddr> dnsaddr_records(std::span<const std::string> records, base::BytesView suffix,
                                       std::size_t limit) {
  static constexpr std::string_view kPrefix = "dnsaddr=";
  std::vector<Multiaddr> addresses;
  for (const std::string& record : records) {
    if (addresses.size() >= limit) break;
    if (!record.starts_with(kPrefix)) continue;
    auto address = Multiaddr::parse(std::string_view(record).substr(kPrefix.size()));
    if (address && ends_with(*address, suffix)) addresses.push_back(std::move(*address));
  }
  return addresses;
}

}  // namespace ggen::p2p::swarm
