#include <algorithm>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

#include "component_reader.hpp"
#include "value_codec.hpp"

namespace ggen::p2p::multiformats {
namespace {

/// Where the last component starts.
struct Last {
  const ProtocolInfo* info = nullptr;
  base::BytesView value;
  std::size_t position = 0;
};
Last last_component(base::BytesView bytes) {
  Last last;
  walk(bytes, [&](const BinaryComponent& component, std::size_t at) {
    last = {component.info, component.value, at};
    return true;
  });
  return last;
}

/// False for most addresses without a peer id, whose components need not be read then.
bool may_name_a_peer(base::BytesView bytes) {
  constexpr auto kCode = static_cast<std::uint32_t>(Protocol::kP2p);
  constexpr auto kFirst = static_cast<std::uint8_t>((kCode & 0x7fU) | 0x80U);  // of its varint
  return std::ranges::find(bytes, kFirst) != bytes.end();
}

bool is(const ProtocolInfo* info, Protocol protocol) {
  return info != nullptr && info->code == protocol;
}

bool is_host(const ProtocolInfo& info) {
  switch (info.code) {
    case Protocol::kIp4:
    case Protocol::kIp6:
    case Protocol::kDns:
    case Protocol::kDns4:
    case Protocol::kDns6:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string Multiaddr::Component::value_text() const {
  const ProtocolInfo* const info = find_protocol(protocol);
  return info == nullptr ? std::string() : format_value(info->kind, value);
}

Multiaddr Multiaddr::tcp(base::BytesView address, std::uint16_t port) {
  GGEN_INVARIANT(address.size() == 4 || address.size() == 16);
  base::Bytes bytes;
  append_component(bytes, *find_protocol(address.size() == 4 ? Protocol::kIp4 : Protocol::kIp6),
                   address);
  std::array<std::uint8_t, 2> big_endian{};
  base::store_big_endian(big_endian.data(), port);
  append_component(bytes, *find_protocol(Protocol::kTcp), big_endian);
  return Multiaddr{std::move(bytes)};
}

std::vector<Multiaddr::Component> Multiaddr::components() const& {
  std::vector<Component> components;
  walk(bytes_, [&](const BinaryComponent& component, std::size_t) {
    components.push_back({component.info->code, component.value});
    return true;
  });
  return components;
}

std::optional<Multiaddr::Component> Multiaddr::find(Protocol protocol) const& {
  std::optional<Component> found;
  walk(bytes_, [&](const BinaryComponent& component, std::size_t) {
    if (is(component.info, protocol)) found = {protocol, component.value};
    return !found.has_value();
  });
  return found;
}

std::optional<IpAddress> Multiaddr::ip() const {
  std::optional<IpAddress> address;
  walk(bytes_, [&](const BinaryComponent& component, std::size_t) {
    if (is(component.info, Protocol::kIp6Zone)) return true;
    if (is(component.info, Protocol::kIp4) || is(component.info, Protocol::kIp6)) {
      address = IpAddress::from_bytes(component.value)->unmapped();
    }
    return false;
  });
  return address;
}

std::optional<std::uint16_t> Multiaddr::tcp_port() const {
  std::optional<std::uint16_t> port;
  bool after_host = false;
  walk(bytes_, [&](const BinaryComponent& component, std::size_t) {
    if (is(component.info, Protocol::kIp6Zone)) return true;
    if (after_host && is(component.info, Protocol::kTcp)) {
      port = base::load_big_endian<std::uint16_t>(component.value.data());
    }
    const bool next = !after_host && is_host(*component.info);
    after_host = true;
    return next;
  });
  return port;
}

std::optional<PeerId> Multiaddr::peer_id() const {
  if (!may_name_a_peer(bytes_)) return std::nullopt;
  const Last last = last_component(bytes_);
  if (!is(last.info, Protocol::kP2p)) return std::nullopt;
  return *PeerId::decode(last.value);
}

Multiaddr Multiaddr::with_peer_id(const PeerId& peer) const {
  const Last last = last_component(bytes_);
  if (last.info != nullptr && last.info->is_path()) return *this;
  Multiaddr address = without_peer_id();
  append_component(address.bytes_, *find_protocol(Protocol::kP2p), peer.bytes());
  return address.bytes_.size() <= kMaxBytes ? address : *this;
}

Multiaddr Multiaddr::without_peer_id() const {
  if (!may_name_a_peer(bytes_)) return *this;
  const Last last = last_component(bytes_);
  if (!is(last.info, Protocol::kP2p)) return *this;
  return Multiaddr{base::to_bytes(bytes().first(last.position))};
}

}  // namespace ggen::p2p::multiformats
