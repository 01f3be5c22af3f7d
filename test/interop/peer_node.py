"""The nodes of a network of several implementations: their peer programs, and what they are told.

kad/README.md and gossip/README.md define the command line, the commands and the output of a peer program.
"""

import asyncio
import contextlib
import dataclasses

from process import LOGS, SETTLE_SECONDS, Failure, Process, expect

START_SECONDS = 60  # a dozen programs start at once
REPLY_SECONDS = 30  # no command takes longer than 20 s


@dataclasses.dataclass(frozen=True)
class Kind:
    """An implementation."""

    name: str
    command: list[str]


class PeerNode:
    """One node, which is given one command at a time."""

    def __init__(self, kind: Kind, name: str, process: Process):
        self.kind = kind
        self.name = name
        self.group = kind.name
        self.peer = ""
        self.address = ""
        self._process = process
        self._replies = 0
        self._free = asyncio.Lock()
        self._stuck = False

    async def listening(self) -> dict:
        event = await self._process.event("listening", START_SECONDS)
        self.peer, self.address = event["peer"], event["addresses"][0]
        return event

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

    async def stop(self) -> None:
        self._process.close_input()
        await self._process.exit(SETTLE_SECONDS)


async def start_program(kind: Kind, case: str, name: str, options: list[str],
                        stack: contextlib.AsyncExitStack) -> Process:
    """Starts the program of a node in a case; the stack ends it."""
    process = await Process.start(name, [*kind.command, *options], LOGS / f"{case}.{name}.log")
    stack.push_async_callback(process.kill)
    return process
