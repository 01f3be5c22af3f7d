"""The nodes of a DHT of several implementations, and how they join.

kad/README.md defines the command line, the commands and the output of a peer program.
"""

import asyncio
import contextlib
import time

from peer_node import Kind, PeerNode, start_program
from process import Failure, Process

JOIN_SECONDS = 60  # until all tables are complete
LOOK_AGAIN_SECONDS = 0.2


class Node(PeerNode):
    def __init__(self, kind: Kind, name: str, mode: str, validator: str, process: Process):
        super().__init__(kind, name, process)
        self.group = kind.name if mode == "server" else kind.name + "*"
        self.validator = validator
        self.public_key = b""

    @staticmethod
    async def start(kind: Kind, case: str, name: str, mode: str, protocol: str, validator: str,
                    stack: contextlib.AsyncExitStack) -> "Node":
        options = ["--mode", mode, "--protocol", protocol, "--validator", validator]
        return Node(kind, name, mode, validator, await start_program(kind, case, name, options, stack))

    async def listening(self) -> dict:
        event = await super().listening()
        self.public_key = bytes.fromhex(event["public_key"])
        return event

    async def table(self) -> set[str]:
        return set((await self.ask("table"))["peers"])


async def connect(nodes: list[Node], bootstrap: list[Node]) -> None:
    """Connects each node to one of the bootstrap nodes, those among each other."""
    async def connect_one(index: int, node: Node) -> None:
        others = [other for other in bootstrap if other is not node]
        await node.ask("connect", others[index % len(others)].address)

    await asyncio.gather(*(connect_one(i, node) for i, node in enumerate(nodes)))


async def until_known(nodes: list[Node], known: list[Node]) -> float:
    """Waits until each node's table has all of these, and makes those look around that lack some. Gives the seconds."""
    names = {node.peer: node.name for node in known}

    async def lacks(node: Node) -> set[str]:
        return names.keys() - await node.table() - {node.peer}

    start = time.monotonic()
    while True:
        lacking = dict(zip(nodes, await asyncio.gather(*(lacks(node) for node in nodes))))
        unfinished = {node: lacks for node, lacks in lacking.items() if lacks}
        if not unfinished:
            return time.monotonic() - start
        if time.monotonic() - start > JOIN_SECONDS:
            texts = [f"{node.name} lacks {', '.join(sorted(names[peer] for peer in lacks))}"
                     for node, lacks in unfinished.items()]
            raise Failure(f"tables are not complete after {JOIN_SECONDS} s: {'; '.join(texts)}")
        await asyncio.gather(*(node.tell("refresh") for node in unfinished))
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
