#pragma once

#include <vector>

#include <ggen/p2p/swarm/records.hpp>

/// What the failures of single addresses mean.
namespace ggen::p2p::swarm {

/// Somebody else is there.
[[nodiscard]] bool is_wrong_peer(const AddressFailureReason& reason);
/// Trying the address again soon would fail again: the fault is neither this machine's nor a
/// decision of this node.
[[nodiscard]] bool blames_address(const AddressFailureReason& reason);
/// Why a dial failed that had no address left to try.
[[nodiscard]] DialFailureKind kind_of(const std::vector<AddressFailure>& failures);

}  // namespace ggen::p2p::swarm
