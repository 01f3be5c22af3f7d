"""The peer programs: what they are called, how they are started, and what /proc says of them."""

import argparse
import dataclasses
import json
import os
import pathlib
import select
import subprocess
import time

DHT_PROTOCOL = "/ggen-bench/kad/1.0.0"
# The longest that a peer may be silent: js-libp2p takes a while over a thousand connections.
PATIENCE_SECONDS = 120


class Failure(Exception):
    """A peer program did not do its part; the text says which and what."""


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    command: list[str]
    ceiling: bool = False
    dht: list[str] | None = None  # the command of its DHT server
    answers: list[str] | None = None  # the program that encodes and decodes its answers
    gossip: bool = False  # it can be a router


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ours", required=True, help="this stack's peer program")
    parser.add_argument("--ceiling", help="the bare loop")
    parser.add_argument("--go", help="go-libp2p's peer program")
    parser.add_argument("--rust", help="rust-libp2p's peer program")
    parser.add_argument("--go-dht", help="go-libp2p-kad-dht's server")
    parser.add_argument("--rust-dht", help="rust-libp2p kad's server")
    parser.add_argument("--go-answers", help="the program that encodes and decodes go-libp2p-kad-dht's answers")
    parser.add_argument("--js", nargs=2, metavar=("NODE", "FILE"), help="Node.js and js-libp2p's peer program")


def found(options: argparse.Namespace) -> list[Peer]:
    """Ours first, then the others that were built."""
    peers = [Peer("ours", [options.ours], dht=[options.ours, "serve-dht"], answers=[options.ours], gossip=True)]
    settings = ["--protocol", DHT_PROTOCOL, "--mode", "server"]
    dht = {name: [command, *settings] for name in ("go", "rust") if (command := getattr(options, f"{name}_dht"))}
    answers = {"go": [options.go_answers]} if options.go_answers else {}
    for name in "go", "rust":
        if command := getattr(options, name):
            peers.append(Peer(name, [command], dht=dht.get(name), answers=answers.get(name), gossip=True))
    if options.js:
        peers.append(Peer("js", options.js))
    if options.ceiling:
        peers.append(Peer("ceiling", [options.ceiling], ceiling=True))
    return peers


class Process:
    """A peer program that runs, on a core of its own or on any; ended with its standard input."""

    def __init__(self, name: str, core: int | None, command: list[str]):
        self.name = name

        def pin() -> None:
            if core is not None:
                os.sched_setaffinity(0, {core})

        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=pin, text=True,
            # Production is how js is meant to be run; Node.js and its packages read this.
            env={**os.environ, "NODE_ENV": "production"})

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, kind, *_) -> None:
        self.process.stdin.close()
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        if kind is None and code != 0:
            raise Failure(f"{self.name} ended with {code}")

    def line(self) -> str:
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
        text = self.process.stdout.readline().strip() if readable else ""
        if not text:
            raise Failure(f"{self.name} said nothing" + ("" if readable else f" for {PATIENCE_SECONDS} s"))
        return text

    def cpu_seconds(self) -> float:
        """User and system time of all its threads, to the nanosecond; none of them ends while it is measured."""
        threads = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


class Server(Process):
    def __init__(self, peer: Peer, core: int | None, case: str):
        super().__init__(f"{peer.name}'s server", core, self.command(peer, case))
        first = self.line()
        # The peer programs of tools/interop speak JSON.
        self.address = json.loads(first)["addresses"][0] if first.startswith("{") else first

    @staticmethod
    def command(peer: Peer, case: str) -> list[str]:
        if case == "findnode":
            return peer.dht
        if case.startswith("gossip-"):
            return [*peer.command, "serve-gossip", case.removeprefix("gossip-")]
        return [*peer.command, "serve"]

    def resident_mib(self, settle: float) -> float:
        time.sleep(settle)
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise Failure(f"{self.name} is gone")


class Client(Process):
    def __init__(self, peer: Peer, core: int | None, words: list[str]):
        command = peer.answers if words[0] == "answers" else peer.command
        super().__init__(f"{peer.name} {words[0]}", core, [*command, *words])

    def wait_ready(self) -> None:
        if (line := self.line()) != "ready":
            raise Failure(f"{self.name} said {line!r} instead of being ready")

    def run(self) -> dict:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.line())
