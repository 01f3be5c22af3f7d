#include "endpoint.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

namespace ggen::p2p::host {
namespace {

using asio::ip::address_v4;
using asio::ip::address_v6;
using asio::ip::tcp;
using multiformats::Multiaddr;
using multiformats::Protocol;

template <class Address>
std::optional<asio::ip::address> address_of(base::BytesView value) {
  typename Address::bytes_type bytes{};
  if (value.size() != bytes.size()) return std::nullopt;
  std::ranges::copy(value, bytes.begin());
  return Address{bytes};
}

std::optional<asio::ip::address> interface_address(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr || (entry.ifa_flags & IFF_UP) == 0) return std::nullopt;
  if (entry.ifa_addr->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, entry.ifa_addr, sizeof(in));
    return address_v4{ntohl(in.sin_addr.s_addr)};
  }
  if (entry.ifa_addr->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, entry.ifa_addr, sizeof(in));
    address_v6::bytes_type bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    const address_v6 address{bytes};
    // A link-local address means nothing without its zone, which other hosts do not share.
    if (!address.is_link_local()) return address;
  }
  return std::nullopt;
}

}  // namespace

std::optional<tcp::endpoint> to_endpoint(const Multiaddr& address) {
  const auto components = address.components();
  if (components.size() < 2 || components[1].protocol != Protocol::kTcp) return std::nullopt;
  std::optional<asio::ip::address> ip;
  if (components[0].protocol == Protocol::kIp4) ip = address_of<address_v4>(components[0].value);
  if (components[0].protocol == Protocol::kIp6) ip = address_of<address_v6>(components[0].value);
  if (!ip) return std::nullopt;
  return tcp::endpoint{*ip, base::load_big_endian<std::uint16_t>(components[1].value.data())};
}

Multiaddr to_multiaddr(const tcp::endpoint& endpoint) {
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return Multiaddr::tcp(base::BytesView{bytes}, endpoint.port());
  }
  const auto bytes = address.to_v6().to_bytes();
  return Multiaddr::tcp(base::BytesView{bytes}, endpoint.port());
}

std::vector<Multiaddr> reachable_at(const tcp::endpoint& bound) {
  if (!bound.address().is_unspecified()) return {to_multiaddr(bound)};
  ifaddrs* head = nullptr;
  if (getifaddrs(&head) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list{head, &freeifaddrs};
  std::vector<Multiaddr> addresses;
  for (const ifaddrs* entry = head; entry != nullptr; entry = entry->ifa_next) {
    const auto address = interface_address(*entry);
    if (address && address->is_v4() == bound.address().is_v4()) {
      addresses.push_back(to_multiaddr({*address, bound.port()}));
    }
  }
  return addresses;
}

}  // namespace ggen::p2p::host
