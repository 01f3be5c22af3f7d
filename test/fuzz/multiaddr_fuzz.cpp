// Multiaddrs from binary and from text: what is accepted survives both forms, what is refused names
// a place inside the input.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <ggen/p2p/multiformats/multiaddr.hpp>

using namespace ggen::p2p;
using multiformats::Multiaddr;
using multiformats::MultiaddrError;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_address(const Multiaddr& address) {
  require(!address.empty() && address.bytes().size() <= Multiaddr::kMaxBytes);
  const auto decoded = Multiaddr::decode(address.bytes());
  require(decoded && *decoded == address);

  const std::string text = address.to_string();
  require(text.size() <= Multiaddr::kMaxText);
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  const auto parsed = Multiaddr::parse(text);
  require(parsed && *parsed == address && parsed->to_string() == text);

  for (const auto& component : address.components()) static_cast<void>(component.value_text());
  static_cast<void>(address.ip());
  static_cast<void>(address.tcp_port());
  if (const auto peer = address.peer_id()) {
    require(address.with_peer_id(*peer) == address);
    // Behind another /p2p, which it then takes the place of, it cannot be put back.
    const auto rest = address.without_peer_id();
    require(rest.peer_id().has_value() || rest.with_peer_id(*peer) == address);
  }
}

void check_error(const MultiaddrError& error, std::size_t size) {
  require(error.position <= size && error.component.size() <= 64 && !error.message().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::BytesView bytes{data, size};
  if (const auto decoded = Multiaddr::decode(bytes)) {
    require(base::equal(decoded->bytes(), bytes));
    check_address(*decoded);
  } else {
    check_error(decoded.error(), size);
  }
  if (const auto parsed = Multiaddr::parse(base::as_text(bytes))) {
    check_address(*parsed);
  } else {
    check_error(parsed.error(), size);
  }
  return 0;
}
