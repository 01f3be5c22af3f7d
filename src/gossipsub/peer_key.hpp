#pragma once

#include <ggen/p2p/base/slot_map.hpp>

namespace ggen::p2p::gossipsub {

struct Peer;
/// Names a peer for as long as it is connected.
using PeerKey = base::Id<Peer>;

}  // namespace ggen::p2p::gossipsub
