"""Runs the interoperability cases and prints what came of each.

tools/interop installs and builds what this needs, and then starts it.
"""

import argparse
import asyncio
import signal
import sys

import kad_matrix
from kad_network import Kind
from matrix import CASES, Case, Peer, run_matrix
from process import LOGS, ROOT, Tally

JS = ROOT / "test/interop/js"


def select(words: list[str]) -> tuple[list[Case], list[kad_matrix.Network]]:
    def chosen(things: list) -> list:
        return [thing for thing in things if not words or any(word in thing.name for word in words)]

    names = [thing.name for thing in [*CASES, *kad_matrix.NETWORKS]]
    for word in words:
        if not any(word in name for name in names):
            sys.exit(f"tools/interop: no case has '{word}' in its name; --list shows them all")
    return chosen(CASES), chosen(kad_matrix.NETWORKS)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs the interoperability cases; start it through tools/interop.")
    parser.add_argument("cases", nargs="*", help="run only the cases whose name contains one of these")
    parser.add_argument("--list", action="store_true", help="show the cases and do nothing")
    parser.add_argument("--node", help="a Node.js of version 22 or later")
    parser.add_argument("--ours", help="our peer program of the cases between two")
    parser.add_argument("--kad", action="append", default=[], metavar="NAME=PROGRAM",
                        help="a peer program of the DHT cases beside js")
    parser.add_argument("--without", action="append", default=[], metavar="NAME",
                        help="an implementation that takes no part in the DHT cases")
    parser.add_argument("--control", action="store_true", help="run js-libp2p against itself, without the DHT cases")
    return parser.parse_args()


def dht_kinds(options: argparse.Namespace) -> list[Kind]:
    """The implementations that take part in the DHT cases. Each does, unless it is left out on purpose."""
    commands = {name: [program] for name, _, program in (word.partition("=") for word in options.kad)}
    if options.node:
        commands["js"] = [options.node, str(JS / "kad_peer.mjs")]
    names = [name for name in kad_matrix.IMPLEMENTATIONS if name not in options.without]
    missing = [name for name in names if name not in commands]
    if missing:
        sys.exit(f"tools/interop: no program for {', '.join(missing)}")
    return [Kind(name, commands[name]) for name in names]


async def run(cases: list[Case], networks: list[kad_matrix.Network], options: argparse.Namespace) -> Tally:
    LOGS.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    js = Peer("js", [options.node, str(JS / "peer.mjs")], ours=False)
    ours = Peer("ggen-p2p", [options.ours], ours=True)
    if cases:
        tally.add(await run_matrix(cases, [(js, js)] if options.control else [(js, ours), (ours, js)]))
    if networks and not options.control:
        tally.add(await kad_matrix.run(networks, dht_kinds(options)))
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
        width = max(len(thing.name) for thing in [*cases, *networks]) + 2
        print("\n".join(thing.name.ljust(width) + thing.about for thing in [*cases, *networks]))
        return 0
    return asyncio.run(run_until_signalled(cases, networks, options))


if __name__ == "__main__":
    sys.exit(main())
