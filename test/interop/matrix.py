"""Runs the interoperability cases between two implementations, in both directions, and prints the matrix.

test/interop/README.md describes the cases, and the command line and output that every implementation's peer program
shares. main.py starts this.
"""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable

from process import LOGS, MIB, SETTLE_SECONDS, START_SECONDS, Failure, Process, Tally, expect, of_kind

# The SHA-256 of the first 64 MiB of the pattern of seed 1, so that two peers with the same mistake cannot agree.
PATTERN_64_MIB = "76d7bb2b60f8ac82ac826710ff4146b9e3e90cc6b5a769ddef13aa174eafb579"
# A well-formed peer id that none of the peers has.
STRANGER = "12D3KooWBmwkafWE2fqfzS96VoTZgpGp6aJsF4N4C4PYJY4gPLjA"
SERVED = {
    "/ipfs/id/1.0.0",
    "/ipfs/ping/1.0.0",
    "/perf/1.0.0",
    "/ggen-interop/echo/1.0.0",
    "/ggen-interop/half-close/1.0.0",
}


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    command: list[str]
    ours: bool


@dataclasses.dataclass
class Run:
    """What one case in one direction produced."""

    address: str
    result: dict
    dialler: list[dict]
    listener: list[dict]


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    about: str
    dial: list[str]
    seconds: int = 20
    foreign: tuple[str, ...] = ()  # options for the peer that is not ours
    early_muxer: bool = True  # whether the Noise handshake must settle the muxer
    wrong_peer: bool = False
    bulk: bool = False  # enough bytes for the rate to mean something
    check: Callable[[Run], None] | None = None


def check_identify(run: Run) -> None:
    """Each side must have learnt of the other what is true, signed addresses included."""
    listening = run.address.rpartition("/p2p/")[0]
    heard = of_kind(run.listener, "identified")
    expect(len(heard) == 1, f"the listener identified the dialler {len(heard)} times")
    for who, facts in (("dialler", run.result["facts"]), ("listener", heard[0])):
        missing = SERVED - set(facts["protocols"])
        expect(not missing, f"the {who} was not told of {sorted(missing)}")
        expect(bool(facts.get("agent")), f"the {who} got no agent version")
        expect(bool(facts.get("protocol_version")), f"the {who} got no protocol version")
        observed = facts.get("observed_address") or ""
        expect(observed.startswith("/ip4/127.0.0.1/tcp/"), f"the {who} got the observed address '{observed}'")
        signed = facts.get("signed_addresses")
        expect(bool(signed), f"the {who} got no signed peer record with addresses")
        expect(set(signed) == set(facts["listen_addresses"]), f"the {who} got other addresses signed than listed")
    expect(listening in run.result["facts"]["listen_addresses"], f"{listening} is not among the listen addresses")


def check_pattern(run: Run) -> None:
    found = run.result["facts"]["sha256"]
    expect(found == PATTERN_64_MIB, f"the SHA-256 of the pattern is {found}, not {PATTERN_64_MIB}")


CASES = [
    Case("handshake", "noise, and yamux settled inside its handshake", ["handshake"]),
    Case("late-muxer", "yamux negotiated after noise, by multistream", ["echo", f"bytes={MIB}"],
         foreign=("--no-early-muxer",), early_muxer=False),
    Case("key-secp256k1", "the foreign peer has a secp256k1 identity", ["echo"], foreign=("--key", "secp256k1")),
    Case("key-rsa", "the foreign peer has an RSA identity", ["echo"], foreign=("--key", "rsa")),
    Case("wrong-peer", "another peer answers than the one dialled", ["wrong-peer"], wrong_peer=True),
    Case("identify", "each learns the other's addresses and protocols", ["identify"], check=check_identify),
    Case("ping", "5 pings", ["ping", "count=5"]),
    Case("refuse", "an unknown protocol is refused, others go on", ["refuse"]),
    Case("echo", "1,000 bytes there and back", ["echo"]),
    Case("streams-100", "100 streams at once, 64 KiB each, all different", ["echo", "streams=100", "bytes=65536"],
         seconds=60),
    Case("echo-64-mib", "64 MiB there and back, byte for byte", ["echo", f"bytes={64 * MIB}"], seconds=120, bulk=True,
         check=check_pattern),
    Case("half-close", "3 MB, FIN, and only then the answer", ["half-close", "bytes=3000000"], seconds=30),
    Case("half-close-empty", "the same with nothing before the FIN", ["half-close", "bytes=0"]),
    Case("reset", "a stream reset in the middle", ["reset"]),
    Case("perf-up", "perf: 64 MiB to the listener", ["perf", f"up={64 * MIB}", "down=0"], seconds=120, bulk=True),
    Case("perf-down", "perf: 64 MiB to the dialler", ["perf", "up=0", f"down={64 * MIB}"], seconds=120,
         bulk=True),
    Case("idle", "12 s of silence, which js breaks with pings", ["idle", "seconds=12"], seconds=30),
]


def check_connections(case: Case, run: Run, listener_peer: str) -> None:
    """Both sides must agree on who is who, and on what the connection is made of."""
    dialled, accepted = of_kind(run.dialler, "connection"), of_kind(run.listener, "connection")
    if case.wrong_peer:
        expect(not dialled, "the dialler opened a connection to the wrong peer")
        return
    expect(len(dialled) == 1, f"the dialler opened {len(dialled)} connections")
    expect(len(accepted) == 1, f"the listener accepted {len(accepted)} connections")
    expect(dialled[0]["peer"] == listener_peer, "the dialler saw another peer than the listener is")
    expect(accepted[0]["peer"] == dialled[0]["local"], "the listener saw another peer than the dialler is")
    for connection in dialled + accepted:
        made_of = (connection["security"], connection["muxer"])
        expect(made_of == ("/noise", "/yamux/1.0.0"), f"the connection is made of {made_of}")
    early = {connection["early_muxer"] for connection in dialled + accepted if "early_muxer" in connection}
    expect(early == {case.early_muxer}, f"muxer settled inside the handshake: {early}, should be {case.early_muxer}")


async def run_case(case: Case, dialler: Peer, listener: Peer) -> Run:
    def command(peer: Peer, *words: str) -> list[str]:
        return [*peer.command, *(() if peer.ours else case.foreign), *words]

    def log(side: str) -> pathlib.Path:
        return LOGS / f"{case.name}.{dialler.name}-to-{listener.name}.{side}.log"

    async with contextlib.AsyncExitStack() as stack:
        async def start(side: str, peer: Peer, *words: str) -> Process:
            process = await Process.start(side, command(peer, *words), log(side))
            stack.push_async_callback(process.kill)
            return process

        server = await start("listener", listener, "listen")
        listening = await server.event("listening", START_SECONDS)
        peer, address = listening["peer"], listening["addresses"][0]
        target = address.replace(peer, STRANGER) if case.wrong_peer else address
        client = await start("dialler", dialler, "dial", target, *case.dial)
        result = await client.event("result", case.seconds)
        expect(result["pass"], result.get("reason", "no reason given"))
        await client.exit(SETTLE_SECONDS)
        if not case.wrong_peer:
            await server.event("disconnected", SETTLE_SECONDS)
        server.close_input()
        await server.exit(SETTLE_SECONDS)

    run = Run(address, result, client.events, server.events)
    check_connections(case, run, peer)
    if case.check:
        case.check(run)
    return run


def describe(case: Case, run: Run) -> str:
    rate = f"  {run.result['facts']['mib_per_s']} MiB/s" if case.bulk else ""
    return f"pass {run.result['ms'] / 1000:6.2f} s{rate}"


async def run_matrix(cases: list[Case], directions: list[tuple[Peer, Peer]]) -> Tally:
    width, column = max(len(case.name) for case in cases) + 2, 30
    print("".ljust(width) + "".join(f"{a.name} -> {b.name}".ljust(column) for a, b in directions).rstrip())
    tally = Tally()
    for case in cases:
        row = case.name.ljust(width)
        for dialler, listener in directions:
            print(row, end="", flush=True)
            try:
                row = describe(case, await run_case(case, dialler, listener)).ljust(column)
                tally.passed += 1
            except (Failure, KeyError) as failure:
                reason = failure if isinstance(failure, Failure) else f"an event lacks {failure}"
                row = "FAIL".ljust(column)
                tally.fail(f"{case.name}, {dialler.name} -> {listener.name}: {reason}")
        print(row.rstrip(), flush=True)
    return tally
