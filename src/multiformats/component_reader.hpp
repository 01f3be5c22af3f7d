#pragma once

#include <expected>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

namespace ggen::p2p::multiformats {

/// A component in a multiaddr's bytes.
struct BinaryComponent {
  const ProtocolInfo* info = nullptr;
  base::BytesView value;
  std::size_t end = 0;  ///< where the next component starts
};

/// Why there is no component. Small: the words for a person are made when they are wanted, not by
/// everyone who reads one.
struct ComponentFault {
  MultiaddrError::Kind kind{};
  std::uint64_t code = 0;                  ///< where it could be read
  const ProtocolInfo* protocol = nullptr;  ///< where the code is a known one
};

/// Reads the component whose code is at `position`, which lies before the end of `bytes`. Checks
/// its lengths, not its value.
[[nodiscard]] std::expected<BinaryComponent, ComponentFault> read_component(base::BytesView bytes,
                                                                            std::size_t position);

/// Calls visit(component, position) for each component of a multiaddr's bytes, which are valid,
/// until it returns false.
template <class Visit>
void walk(base::BytesView bytes, Visit&& visit) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto component = read_component(bytes, at);
    GGEN_INVARIANT(component.has_value());
    if (!visit(*component, at)) return;
    at = component->end;
  }
}

/// Appends a component with a valid value.
void append_component(base::Bytes& to, const ProtocolInfo& info, base::BytesView value);

/// What a MultiaddrError keeps of a component.
[[nodiscard]] std::string excerpt(std::string_view component);

}  // namespace ggen::p2p::multiformats
