"""The nodes of a DHT of several implementations: their peer programs, and what they are told.

kad/README.md defines the command line, the commands and the output of a peer program.
"""

import asyncio
import contextlib
import dataclasses
import time

from process import LOGS, SETTLE_SECONDS, Failure, Process, expect

START_SECONDS = 60  # a dozen programs start at once
REPLY_SECONDS = 30  # no command takes longer than 20 s
JOIN_SECONDS = 60  # until all tables are complete
LOOK_AGAIN_SECONDS = 0.2


@dataclasses.dataclass(frozen=True)
class Kind:
    """An implementation."""

    name: str
    command: list[str]


class Node:
    """One node, which is given one command at a time."""

    def __init__(self, kind: Kind, name: str, mode: str, validator: str, process: Process):
        self.kind = kind
        self.name = name
        self.group = kind.name if mode == "server" else kind.name + "*"
        self.validator = validator
        self.peer = ""
        self.address = ""
        self.public_key = b""
        self._process = process
        self._replies = 0
        self._free = asyncio.Lock()
        self._stuck = False

    @staticmethod
    async def start(kind: Kind, name: str, mode: str, protocol: str, validator: str,
                    stack: contextlib.AsyncExitStack) -> "Node":
        """Starts a program, which the stack ends. Its log has the node's name, which begins with the case's."""
        command = [*kind.command, "--mode", mode, "--protocol", protocol, "--validator", validator]
        name_in_case = name.partition(".")[2]
        process = await Process.start(name_in_case, command, LOGS / f"{name}.log")
        stack.push_async_callback(process.kill)
        return Node(kind, name_in_case, mode, validator, process)

    async def listening(self) -> None:
        event = await self._process.event("listening", START_SECONDS)
        self.peer, self.address = event["peer"], event["addresses"][0]
        self.public_key = bytes.fromhex(event["public_key"])

    async def tell(self, *words: str) -> dict:
        """The reply to a command, which may say that it failed."""
        async with self._free:
            expect(not self._stuck, f"{self.name} has not answered an earlier command")
            self._process.write_line(" ".join(words))
            self._replies += 1
            try:
                return await self._process.event("reply", REPLY_SECONDS, self._replies - 1)
            except Failure:
                self._stuck = True
                raise

    async def ask(self, *words: str) -> dict:
        reply = await self.tell(*words)
        expect(reply["ok"], f"{words[0]}: {reply.get('reason', 'no reason given')}")
        return reply

    async def table(self) -> set[str]:
        return set((await self.ask("table"))["peers"])

    async def stop(self) -> None:
        self._process.close_input()
        await self._process.exit(SETTLE_SECONDS)


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
