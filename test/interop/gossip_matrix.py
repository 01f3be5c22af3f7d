"""The gossipsub cases: networks of several implementations, in which each message must reach everybody once.

gossip/README.md says what is checked. main.py starts this.
"""

import contextlib

import gossip_control
import network_case
from gossip_mixed import Mixed
from network_case import Network, NetworkCase
from peer_node import Kind
from process import Tally
from table import Fault

# gossip/README.md has more on each.
FAULTS: list[Fault] = []

CASES: dict[str, type[NetworkCase]] = {
    "gossip-1.1": Mixed,
    "gossip-1.2": Mixed,
    "gossip-control": gossip_control.Star,
    "gossip-px": gossip_control.PeerExchange,
}

NETWORKS = [
    Network("gossip-1.1", "3 nodes of each implementation: 500 messages of each reach everybody once", "/meshsub/1.1.0"),
    Network("gossip-1.2", "the same, with large messages and IDONTWANT", "/meshsub/1.2.0"),
    Network("gossip-control", "each implementation alone among one of each: GRAFT, IDONTWANT, PRUNE and its backoff",
            "/meshsub/1.2.0"),
    Network("gossip-px", "who is pruned dials whom the PRUNE names", "/meshsub/1.1.0"),
]


async def run(networks: list[Network], kinds: list[Kind]) -> Tally:
    def new_case(network: Network, kinds: list[Kind], faults: list[Fault],
                 stack: contextlib.AsyncExitStack) -> NetworkCase:
        return CASES[network.name](network, kinds, faults, stack)

    return await network_case.run_networks(networks, kinds, FAULTS, new_case)
