#pragma once

#include <cstddef>

#include <ggen/p2p/multiformats/multiaddr.hpp>

/// A gossipsub router between peers that do nothing but send and read. README.md says what the
/// cases are.
namespace bench {

/// A router in the topic, which accepts every message. With or without signatures, strictly.
int serve_gossip(bool with_signatures);

/// Lets eight peers of its own graft the router, and one of them send it so many messages.
int gossip(const ggen::p2p::multiformats::Multiaddr& address, std::size_t count,
           bool with_signatures);

}  // namespace bench
