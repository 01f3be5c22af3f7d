"""The nodes of a gossipsub network of several implementations, and how they are connected.

gossip/README.md defines the command line, the commands and the output of a peer program.
"""

import asyncio
import contextlib

from peer_node import Kind, PeerNode, start_program
from process import Process

TOPIC = "ggen-interop"
CONNECT_SECONDS = 30
MESH_SECONDS = 30  # from being connected and subscribed to being in each other's mesh: a few heartbeats


class Node(PeerNode):
    def __init__(self, kind: Kind, name: str, process: Process):
        super().__init__(kind, name, process)
        self._read = 0
        self.received: dict[tuple[str, str], int] = {}  # how often: by author and SHA-256

    @staticmethod
    async def start(kind: Kind, case: str, name: str, options: list[str], stack: contextlib.AsyncExitStack) -> "Node":
        return Node(kind, name, await start_program(kind, case, name, options, stack))

    async def subscribe(self) -> None:
        await self.ask("subscribe", TOPIC)

    async def unsubscribe(self) -> None:
        await self.ask("unsubscribe", TOPIC)

    async def publish(self, data: bytes) -> None:
        await self.ask("publish", TOPIC, data.hex())

    async def idontwant(self) -> int:
        return (await self.ask("counts"))["idontwant"]

    def _links(self, event: str, other: "Node") -> list[dict]:
        return [link for link in self._process.of_kind(event) if link["peer"] == other.peer]

    def times_grafted(self, other: "Node") -> int:
        return len(self._links("grafted", other))

    def times_pruned(self, other: "Node") -> int:
        return len(self._links("pruned", other))

    async def grafted(self, other: "Node", seconds: float, index: int = 0) -> float:
        """When the other one entered this one's mesh, for the first time or that of the index."""
        await self._process.until(lambda: self.times_grafted(other) > index, seconds, f"'grafted' of {other.name}")
        return self._links("grafted", other)[index]["at"]

    async def pruned(self, other: "Node", seconds: float, index: int = 0) -> None:
        await self._process.until(lambda: self.times_pruned(other) > index, seconds, f"'pruned' of {other.name}")

    async def dialled(self, other: "Node", seconds: float) -> None:
        def there() -> bool:
            return any(connection["outbound"] for connection in self._links("connected", other))

        await self._process.until(there, seconds, f"'connected' to {other.name}, outbound")

    def take_messages(self) -> None:
        """Brings `received` up to date."""
        messages = self._process.of_kind("message")
        for message in messages[self._read:]:
            key = (message["author"], message["sha256"])
            self.received[key] = self.received.get(key, 0) + 1
        self._read = len(messages)

    async def has(self, wanted: set[tuple[str, str]], seconds: float) -> None:
        def there() -> bool:
            self.take_messages()
            return wanted <= self.received.keys()

        await self._process.until(there, seconds, f"'message' for each of {len(wanted)} that were published")


async def start_all(nodes: list[Node]) -> None:
    await asyncio.gather(*(node.listening() for node in nodes))
    await asyncio.gather(*(node.subscribe() for node in nodes))


def links(nodes: list[Node], kinds: int) -> list[tuple[Node, Node]]:
    """Who dials whom, for nodes whose implementations take turns: each is connected to the next two and the last two of
    a ring. So nodes of the same implementation are not connected, each two implementations dial one another in both
    directions, and across the ring a message takes several hops."""
    pairs = []
    for i, node in enumerate(nodes):
        for step in (1, 2):
            other = nodes[(i + step) % len(nodes)]
            if other is node or (other, node) in pairs or (node, other) in pairs:
                continue
            pairs.append((other, node) if (i // kinds) % 2 else (node, other))
    return pairs


async def connect(pairs: list[tuple[Node, Node]]) -> None:
    await asyncio.gather(*(dialler.ask("connect", listener.address) for dialler, listener in pairs))


async def in_mesh(one: Node, other: Node) -> None:
    """Waits until each of them has the other in its mesh."""
    await asyncio.gather(one.grafted(other, MESH_SECONDS), other.grafted(one, MESH_SECONDS))
