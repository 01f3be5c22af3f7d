"""A running peer program, and what both matrices share."""

import asyncio
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / "build-interop" / "logs"

START_SECONDS = 20  # from starting a listener to its address
SETTLE_SECONDS = 10  # for the listener to notice that the dialler is gone, and for either to exit

MIB = 1 << 20


class Failure(Exception):
    """A case did not go as it should; the text says what was seen."""


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    reasons: list[str] = dataclasses.field(default_factory=list)

    def fail(self, *reasons: str) -> None:
        """One more failure, however many reasons it has."""
        self.failed += 1
        self.reasons += reasons

    def add(self, other: "Tally") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.reasons += other.reasons


def expect(condition: bool, reason: str) -> None:
    if not condition:
        raise Failure(reason)


def of_kind(events: list[dict], kind: str) -> list[dict]:
    return [event for event in events if event["event"] == kind]


class Process:
    """A running peer program: its events as they come, and its end. What it writes goes to the log as well."""

    def __init__(self, process: asyncio.subprocess.Process, label: str, log: pathlib.Path):
        self._process = process
        self._label = label
        self._log = log
        self._more = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())
        self._ended = False
        self._of_kind: dict[str, list[dict]] = collections.defaultdict(list)
        self.events: list[dict] = []

    @staticmethod
    async def start(label: str, command: list[str], log: pathlib.Path) -> "Process":
        log.write_text(f"$ {' '.join(command)}\n")
        with open(log, "ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors, limit=MIB)
        return Process(process, label, log)

    async def _read(self) -> None:
        with open(self._log, "ab", buffering=0) as log:
            while line := await self._process.stdout.readline():
                log.write(line)
                async with self._more:
                    event = parse_event(line) | {"at": time.monotonic()}
                    self.events.append(event)
                    self._of_kind[event["event"]].append(event)
                    self._more.notify_all()
        async with self._more:
            self._ended = True
            self._more.notify_all()

    def of_kind(self, kind: str) -> list[dict]:
        """The events of this kind until now; `at` is when each came, by the monotonic clock."""
        return self._of_kind[kind]

    async def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Waits until something holds of the events; Failure when it does not come to that."""
        try:
            async with asyncio.timeout(seconds), self._more:
                await self._more.wait_for(lambda: self._ended or holds())
        except TimeoutError:
            raise Failure(f"the {self._label} wrote no {what} within {seconds:.0f} s") from None
        expect(holds(), f"the {self._label} ended without {what}")

    async def event(self, kind: str, seconds: float, index: int = 0) -> dict:
        """The first event of this kind, or the one at the index, waiting for it; Failure when it does not come."""
        found = self._of_kind[kind]
        await self.until(lambda: len(found) > index, seconds, f"'{kind}'")
        return found[index]

    async def exit(self, seconds: float) -> None:
        """Waits for the program's end, which must be a success."""
        try:
            async with asyncio.timeout(seconds):
                await self._reader
                code = await self._process.wait()
        except TimeoutError:
            raise Failure(f"the {self._label} did not exit within {seconds} s") from None
        expect(code == 0, f"the {self._label} exited with {code}")
        expect(not self._of_kind["garbage"], f"the {self._label} wrote a line that is not an event")

    def write_line(self, line: str) -> None:
        self._process.stdin.write(line.encode() + b"\n")

    def close_input(self) -> None:
        self._process.stdin.close()

    async def kill(self) -> None:
        """Ends the program however it stands, and adds how to the log."""
        if self._process.returncode is None:
            # Not through the process object: its kill() may take the exit code that its wait() then misses.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
        code = await self._process.wait()
        await self._reader
        with open(self._log, "a") as log:
            log.write(f"exit code {code}\n")


def parse_event(line: bytes) -> dict:
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict) and "event" in event:
            return event
    return {"event": "garbage"}
