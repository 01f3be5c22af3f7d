"""Runs the interoperability cases and prints what came of each.

tools/interop installs and builds what this needs, and then starts it.
"""

import argparse
import asyncio
import signal
import sys

import gossip_matrix
import kad_matrix
from matrix import CASES, Case, Peer, run_matrix
from network_case import IMPLEMENTATIONS, Network
from peer_node import Kind
from process import LOGS, ROOT, Tally

JS = ROOT / "test/interop/js"
# Cases with networks of several implementations, by the word with which their names begin.
SUITES = {"kad": kad_matrix, "gossip": gossip_matrix}


def select(words: list[str]) -> tuple[list[Case], dict[str, list[Network]]]:
    """The cases between two, and the networks of each suite."""
    def chosen(things: list) -> list:
        return [thing for thing in things if not words or any(word in thing.name for word in words)]

    names = [thing.name for things in [CASES, *(suite.NETWORKS for suite in SUITES.values())] for thing in things]
    for word in words:
        if not any(word in name for name in names):
            sys.exit(f"tools/interop: no case has '{word}' in its name; --list shows them all")
    return chosen(CASES), {name: chosen(suite.NETWORKS) for name, suite in SUITES.items()}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs the interoperability cases; start it through tools/interop.")
    parser.add_argument("cases", nargs="*", help="run only the cases whose name contains one of these")
    parser.add_argument("--list", action="store_true", help="show the cases and do nothing")
    parser.add_argument("--node", help="a Node.js of version 22 or later")
    parser.add_argument("--ours", help="our peer program of the cases between two")
    for suite in SUITES:
        parser.add_argument(f"--{suite}", action="append", default=[], metavar="NAME=PROGRAM",
                            help=f"a peer program of the {suite} networks beside js")
    parser.add_argument("--without", action="append", default=[], metavar="NAME",
                        help="an implementation that takes no part in the networks")
    parser.add_argument("--control", action="store_true", help="run js-libp2p against itself, without the networks")
    return parser.parse_args()


def kinds_of(suite: str, options: argparse.Namespace) -> list[Kind]:
    """The implementations that take part in the suite's networks. Each does, unless it is left out on purpose."""
    programs = getattr(options, suite)
    commands = {name: [program] for name, _, program in (word.partition("=") for word in programs)}
    if options.node:
        commands["js"] = [options.node, str(JS / f"{suite}_peer.mjs")]
    names = [name for name in IMPLEMENTATIONS if name not in options.without]
    missing = [name for name in names if name not in commands]
    if missing:
        sys.exit(f"tools/interop: no {suite} program for {', '.join(missing)}")
    return [Kind(name, commands[name]) for name in names]


async def run(cases: list[Case], networks: dict[str, list[Network]], options: argparse.Namespace) -> Tally:
    LOGS.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    js = Peer("js", [options.node, str(JS / "peer.mjs")], ours=False)
    ours = Peer("ggen-p2p", [options.ours], ours=True)
    if cases:
        tally.add(await run_matrix(cases, [(js, js)] if options.control else [(js, ours), (ours, js)]))
    for name, chosen in networks.items():
        if chosen and not options.control:
            tally.add(await SUITES[name].run(chosen, kinds_of(name, options)))
    return tally


async def run_until_signalled(*arguments) -> int:
    """Runs everything; SIGINT and SIGTERM unwind it, which ends the running peers."""
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        tally = await run(*arguments)
    except asyncio.CancelledError:
        print("\ninterrupted")
        return 130
    if tally.reasons:
        print("\n" + "\n".join(tally.reasons) + f"\nWhat all programs wrote is in {LOGS}.")
    print(f"\n{tally.passed} passed, {tally.failed} failed", flush=True)
    return 1 if tally.failed else 0


def main() -> int:
    options = parse()
    cases, networks = select(options.cases)
    if options.list:
        things = [*cases, *(network for chosen in networks.values() for network in chosen)]
        width = max(len(thing.name) for thing in things) + 2
        print("\n".join(thing.name.ljust(width) + thing.about for thing in things))
        return 0
    return asyncio.run(run_until_signalled(cases, networks, options))


if __name__ == "__main__":
    sys.exit(main())
