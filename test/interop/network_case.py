"""What the cases with networks of several implementations have in common: they fill tables, and one runs after another."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable

from peer_node import Kind
from process import Failure, Tally
from table import Fault, Table

OURS = "ggen-p2p"
IMPLEMENTATIONS = ("go", "rust", "js", OURS)
NETWORK_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    about: str
    protocol: str

    def heading(self) -> str:
        return f"{self.name}: {self.about}; {self.protocol}"


class NetworkCase:
    """One network from its start to its end, and the tables of what was seen."""

    def __init__(self, network: Network, kinds: list[Kind], faults: list[Fault], stack: contextlib.AsyncExitStack):
        self._network = network
        self._kinds = kinds
        self._groups = [kind.name for kind in kinds]
        self._faults = faults
        self._stack = stack
        self.tables: dict[str, Table] = {}
        self.notes: list[str] = []  # what the tables don't say

    async def run(self) -> None:
        raise NotImplementedError

    def _table(self, name: str, title: str, rows: list[str], columns: list[str]) -> None:
        self.tables[name] = Table(self._network.name, name, title, rows, columns, self._faults)

    async def _try(self, table: str, row: str, column: str, what: str, work: Awaitable[None]) -> None:
        failure = None
        try:
            await work
        except Failure as problem:
            failure = f"{what}: {problem}"
        except (KeyError, ValueError) as problem:
            failure = f"{what}: an event that cannot be read, {problem!r}"
        self.tables[table].record(row, column, failure)


def print_case(case: NetworkCase, seconds: float) -> tuple[Tally, set[Fault]]:
    tally, faults = Tally(), set()
    for table in case.tables.values():
        table.print()
        tally.add(table.tally())
        faults.update(table.faults().values())
    print("\n".join([*case.notes, f"took {seconds:.1f} s"]), flush=True)
    return tally, faults


NewCase = Callable[[Network, list[Kind], list[Fault], contextlib.AsyncExitStack], NetworkCase]


async def run_network(network: Network, kinds: list[Kind], faults: list[Fault],
                      new_case: NewCase) -> tuple[Tally, set[Fault]]:
    clock = asyncio.get_running_loop().time
    print(f"\n{network.heading()}", flush=True)
    start, stopped = clock(), None
    async with contextlib.AsyncExitStack() as stack:
        case = new_case(network, kinds, faults, stack)
        try:
            async with asyncio.timeout(NETWORK_SECONDS):
                await case.run()
        except TimeoutError:
            stopped = f"not over after {NETWORK_SECONDS} s"
        except Failure as failure:
            stopped = str(failure)
    tally, seen = print_case(case, clock() - start)
    if stopped:
        tally.fail(f"{network.name} stopped: {stopped}")
    return tally, seen


async def run_networks(networks: list[Network], kinds: list[Kind], faults: list[Fault], new_case: NewCase) -> Tally:
    tally, seen = Tally(), set()
    for network in networks:
        of_network, more = await run_network(network, kinds, faults, new_case)
        tally.add(of_network)
        seen |= more
    for number, fault in enumerate(faults, 1):
        if fault in seen:
            print(f"\n({number}) not ours, and not counted: {fault.why}", flush=True)
    return tally
