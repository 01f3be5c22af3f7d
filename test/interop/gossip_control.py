"""Control messages from each implementation to each other one: GRAFT, IDONTWANT, PRUNE with its backoff, peer exchange."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from gossip_messages import LARGE, message_of
from gossip_network import Node, connect, in_mesh
from network_case import OURS, NetworkCase
from peer_node import Kind
from process import expect

BACKOFF_SECONDS = 6
OWN_BACKOFF_SECONDS = 1  # of those who are pruned
# go and js look for backoffs that are over at every fifteenth heartbeat only.
GRAFT_AGAIN_SECONDS = 40
SECONDS = 20  # for whatever else is waited for
LOOK_AGAIN_SECONDS = 0.2

# Those who name peers in a PRUNE with their signed addresses, and who dial those.
PX_TELLERS = (OURS, "go", "js")
PX_DIALLERS = (OURS, "go", "js")


class Control(NetworkCase):
    """Each implementation is the centre of a network of its own."""

    async def run(self) -> None:
        """All networks side by side, for what takes the time is to wait."""
        ends = await asyncio.gather(*(self._run_one(kind) for kind in self._centres()), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end

    def _centres(self) -> list[Kind]:
        return self._kinds

    async def _run_one(self, kind: Kind) -> None:
        raise NotImplementedError

    async def _centre(self, kind: Kind, *options: str) -> Node:
        """A node that grafts nobody by itself. It has subscribed first, for some graft whom they know when they
        subscribe."""
        centre = await Node.start(kind, self._network.name, f"{kind.name}-centre",
                                  ["--protocol", self._network.protocol, "--mesh", "passive", "--backoff",
                                   str(BACKOFF_SECONDS), *options], self._stack)
        await centre.listening()
        await centre.subscribe()
        return centre

    async def _leaf(self, kind: Kind, centre: Node, name: str, *options: str) -> Node:
        """A node that grafts the centre. If it went by its own backoff, it would come back to the centre too early."""
        leaf = await Node.start(kind, self._network.name, f"{centre.name}.{name}",
                                ["--protocol", self._network.protocol, "--backoff", str(OWN_BACKOFF_SECONDS), *options],
                                self._stack)
        await leaf.listening()
        await leaf.subscribe()
        return leaf


class Star(Control):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._table("graft", "GRAFT of, taken by", self._groups, self._groups)
        self._table("idontwant", "IDONTWANT of, at", self._groups, self._groups)
        self._table("prune", "PRUNE of, taken by", self._groups, self._groups)
        self._table("backoff", "backoff of, kept by", self._groups, self._groups)
        self._table("chore", "chore, done by", ["end well"], self._groups)

    async def _run_one(self, kind: Kind) -> None:
        centre = await self._centre(kind)
        leaves = [await self._leaf(other, centre, f"{other.name}-leaf") for other in self._kinds]
        await connect([(leaf, centre) for leaf in leaves])

        async def graft(leaf: Node) -> None:
            await in_mesh(leaf, centre)

        await asyncio.gather(*(self._try("graft", leaf.group, centre.group, f"{leaf.name} grafts {centre.name}",
                                         graft(leaf)) for leaf in leaves))
        await self._announce(centre, leaves)
        await self._prune(centre, leaves)
        for node in [*leaves, centre]:
            await self._try("chore", "end well", node.group, f"{node.name} should end well", node.stop())

    async def _of_centre(self, table: str, centre: Node, leaves: list[Node], what: str,
                         check: Callable[[Node], Awaitable[None]]) -> None:
        await asyncio.gather(*(self._try(table, centre.group, leaf.group, f"{leaf.name} {what} {centre.name}",
                                         check(leaf)) for leaf in leaves))

    async def _announce(self, centre: Node, leaves: list[Node]) -> None:
        """What comes from one leaf, the centre announces to the others. Two publish, for the one who does hears
        nothing."""
        messages = [message_of(leaf, 0, LARGE) for leaf in leaves[:2]]

        async def told(leaf: Node) -> None:
            await leaf.has({message.key() for message in messages if message.author is not leaf}, SECONDS)
            deadline = time.monotonic() + SECONDS
            while await leaf.idontwant() == 0:
                expect(time.monotonic() < deadline, f"no IDONTWANT within {SECONDS} s")
                await asyncio.sleep(LOOK_AGAIN_SECONDS)  # nobody tells of one

        await asyncio.gather(*(message.author.publish(message.data) for message in messages))
        await self._of_centre("idontwant", centre, leaves, "is told by", told)

    async def _prune(self, centre: Node, leaves: list[Node]) -> None:
        start = time.monotonic()
        grafted = {leaf: (leaf.times_grafted(centre), centre.times_grafted(leaf)) for leaf in leaves}
        pruned = {leaf: leaf.times_pruned(centre) for leaf in leaves}
        await centre.unsubscribe()

        async def prune(leaf: Node) -> None:
            await leaf.pruned(centre, SECONDS, pruned[leaf])

        async def keep_backoff(leaf: Node) -> None:
            own, of_centre = grafted[leaf]
            again = await leaf.grafted(centre, GRAFT_AGAIN_SECONDS, own) - start
            expect(again >= BACKOFF_SECONDS, f"grafted again after {again:.1f} s, not {BACKOFF_SECONDS} s")
            await centre.grafted(leaf, SECONDS, of_centre)

        await self._of_centre("prune", centre, leaves, "should see the PRUNE of", prune)
        await centre.subscribe()
        await self._of_centre("backoff", centre, leaves, "should keep the backoff of", keep_backoff)


class PeerExchange(Control):
    """The centre leaves the topic, and names those who are still in it to those whom it prunes."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._tellers = [kind for kind in self._kinds if kind.name in PX_TELLERS]
        self._diallers = [kind for kind in self._kinds if kind.name in PX_DIALLERS]
        self._table("px", "named by, dialled by", [kind.name for kind in self._tellers],
                    [kind.name for kind in self._diallers])

    def _centres(self) -> list[Kind]:
        return self._tellers

    async def _run_one(self, kind: Kind) -> None:
        centre = await self._centre(kind, "--px", "yes")
        # One of ours does not dial by itself, so that whoever is pruned has to.
        ours = next(other for other in self._kinds if other.name == OURS)
        named = await self._leaf(ours, centre, "named")
        diallers = [await self._leaf(other, centre, f"{other.name}-dialler", "--px", "yes") for other in self._diallers]
        await connect([(leaf, centre) for leaf in [named, *diallers]])
        await asyncio.gather(*(in_mesh(leaf, centre) for leaf in [named, *diallers]))
        await centre.unsubscribe()

        async def dial(dialler: Node) -> None:
            await dialler.dialled(named, SECONDS)

        await asyncio.gather(*(self._try("px", centre.group, dialler.group, f"{dialler.name} should dial {named.name}",
                                         dial(dialler)) for dialler in diallers))
        for node in [*diallers, named, centre]:
            await node.stop()
