"""Runs DHTs of several implementations together, and prints who finds what whom it comes from.

kad/README.md says what is checked. main.py starts this.
"""

import asyncio
import contextlib
import dataclasses
import hashlib
from collections.abc import Awaitable, Callable

from kad_network import Kind, Node, connect, until_known
from process import Failure, Tally, expect

OURS = "ggen-p2p"
IMPLEMENTATIONS = ("go", "rust", "js", OURS)
SERVERS_EACH = 3
NETWORK_SECONDS = 600
PROVIDERS_WANTED = "20"


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    about: str
    protocol: str
    validator: str  # test or pk


NETWORKS = [
    Network("kad-private", "a DHT of 3 nodes of each implementation: peers, providers, values, which value wins",
            "/ggen-interop/kad/1.0.0", "test"),
    Network("kad-ipfs", "the same with the protocol of IPFS and public keys as values", "/ipfs/kad/1.0.0", "pk"),
]


class Table:
    """Counts for each pair of groups how many pairs of their nodes passed; a group is a row, another a column."""

    def __init__(self, title: str, rows: list[str], columns: list[str]):
        self._title = title
        self._rows = rows
        self._columns = columns
        self._counts: dict[tuple[str, str], list[int]] = {}
        self.reasons: list[str] = []

    def record(self, row: str, column: str, failure: str | None) -> None:
        counts = self._counts.setdefault((row, column), [0, 0])
        counts[0] += failure is None
        counts[1] += 1
        if failure is not None:
            self.reasons.append(failure)

    def tally(self) -> Tally:
        failed = sum(passed < asked for passed, asked in self._counts.values())
        return Tally(len(self._counts) - failed, failed, self.reasons)

    def print(self) -> None:
        first, width = 22, max(9, *(len(column) + 2 for column in self._columns))
        print("\n" + self._title.ljust(first) + "".join(column.ljust(width) for column in self._columns).rstrip())
        for row in self._rows:
            cells = [self._counts.get((row, column)) for column in self._columns]
            texts = [f"{cell[0]}/{cell[1]}" + ("" if cell[0] == cell[1] else " !") if cell else "-" for cell in cells]
            print(row.ljust(first) + "".join(text.ljust(width) for text in texts).rstrip(), flush=True)


Operation = Callable[[Node, Node], Awaitable[None]]


def check_addresses(addresses: list[str], owner: Node) -> None:
    bare = {address.partition("/p2p/")[0] for address in addresses}
    expect(owner.address.partition("/p2p/")[0] in bare, f"{owner.address} is not among the addresses {sorted(bare)}")


def provided_key(owner: Node) -> str:
    """A multihash: SHA-256 of something that only this node provides."""
    return "1220" + hashlib.sha256(f"provided by {owner.peer}".encode()).hexdigest()


def test_key(name: str) -> str:
    return f"/ggen-interop/{name}".encode().hex()


def test_value(sequence: int, text: str) -> str:
    return f"{sequence}:{text}".encode().hex()


class Records:
    """What each node puts, and how another one sees whether it gets that."""

    def __init__(self, network: Network):
        self._network = network

    def value(self, owner: Node) -> tuple[str, str]:
        """A key and value of the node's own."""
        if self._network.validator == "test":
            return test_key(owner.name), test_value(1, f"put by {owner.name}")
        # An Ed25519 key is its own multihash: identity, its length, its bytes.
        multihash = bytes([0, len(owner.public_key)]) + owner.public_key
        return (b"/pk/" + multihash).hex(), owner.public_key.hex()

    async def put(self, owner: Node) -> None:
        await owner.ask("put", *self.value(owner))

    async def provide(self, owner: Node) -> None:
        await owner.ask("provide", provided_key(owner))

    async def get(self, asker: Node, owner: Node) -> None:
        key, value = self.value(owner)
        found = (await asker.ask("get", key))["value"]
        expect(found == value, f"get: found {bytes.fromhex(found)}")

    async def find_provider(self, asker: Node, owner: Node) -> None:
        providers = (await asker.ask("find-providers", provided_key(owner), PROVIDERS_WANTED))["providers"]
        found = [provider for provider in providers if provider["peer"] == owner.peer]
        expect(len(found) == len(providers) == 1, f"find-providers: found {providers}")
        check_addresses(found[0]["addresses"], owner)

    async def find_peer(self, asker: Node, owner: Node) -> None:
        check_addresses((await asker.ask("find-peer", owner.peer))["addresses"], owner)


class Matrix:
    """One network, from its start to its end."""

    def __init__(self, network: Network, kinds: list[Kind], stack: contextlib.AsyncExitStack):
        self._network = network
        self._kinds = kinds
        self._stack = stack
        self._records = Records(network)
        groups = [kind.name for kind in kinds]
        everyone = groups + [group + "*" for group in groups]
        self._tables = {
            "peer": Table("peer of, found by", groups, everyone),
            "provider": Table("provider, found by", everyone, everyone),
            "value": Table("value of, found by", everyone, everyone),
            "chores": Table("chore, done by", ["join", "put and provide", "stay unlisted", "end well"], everyone),
        }
        if network.validator == "test":
            rows = [f"{what} {group}" for what in ("newest of", "no junk of") for group in groups] + ["no junk of a liar"]
            self._tables["validator"] = Table("validation, seen by", rows, everyone)
        self.servers: list[Node] = []
        self.clients: list[Node] = []

    async def _try(self, table: str, row: str, column: str, what: str, work: Awaitable[None]) -> None:
        failure = None
        try:
            await work
        except (Failure, KeyError, ValueError) as problem:
            failure = f"{self._network.name}, {what}: {problem!r}" if isinstance(problem, KeyError) \
                else f"{self._network.name}, {what}: {problem}"
        self._tables[table].record(row, column, failure)

    async def _start(self, kind: Kind, name: str, mode: str, validator: str) -> Node:
        options = ["--protocol", self._network.protocol, "--validator", validator]
        return await Node.start(kind, name, self._network.name, mode, options, self._stack)

    async def _all_start(self, mode: str, each: int) -> list[Node]:
        nodes = [await self._start(kind, f"{kind.name}-{mode}-{i + 1}", mode, self._network.validator)
                 for i in range(each) for kind in self._kinds]
        await asyncio.gather(*(node.listening() for node in nodes))
        return nodes

    async def _chore(self, row: str, nodes: list[Node], work: Callable[[Node], Awaitable[None]]) -> None:
        await asyncio.gather(*(self._try("chores", row, node.group, f"{node.name} should {row}", work(node))
                               for node in nodes))

    async def _put_all(self, nodes: list[Node]) -> None:
        async def work(node: Node) -> None:
            await self._records.provide(node)
            await self._records.put(node)

        await self._chore("put and provide", nodes, work)

    async def _find(self, table: str, askers: list[Node], owners: list[Node], find: Operation) -> None:
        """Every asker finds something of every other node; askers work side by side."""
        async def find_all(asker: Node) -> None:
            for owner in owners:
                if owner is not asker:
                    what = f"{asker.name} looks for the {table} {owner.name}"
                    await self._try(table, owner.group, asker.group, what, find(asker, owner))

        await asyncio.gather(*(find_all(asker) for asker in askers))

    async def _find_records(self, askers: list[Node], owners: list[Node]) -> None:
        await self._find("provider", askers, owners, self._records.find_provider)
        await self._find("value", askers, owners, self._records.get)

    async def run(self) -> None:
        self.servers = await self._all_start("server", SERVERS_EACH)
        bootstrap = [self.servers[0], self.servers[len(self._kinds) - 1]]  # of two implementations
        await connect(self.servers, bootstrap)

        async def join(node: Node) -> None:
            await until_known([node], self.servers)

        await self._chore("join", self.servers, join)
        await self._put_all(self.servers)
        await self._find("peer", self.servers, self.servers, self._records.find_peer)
        await self._find_records(self.servers, self.servers)
        if self._network.validator == "test":
            await self._put_worse_values(bootstrap)
        # Those who come late hold nothing: all they find came over the network.
        self.clients = await self._all_start("client", 1)
        await connect(self.clients, bootstrap)
        await self._chore("join", self.clients, join)
        await self._find("peer", self.clients, self.servers, self._records.find_peer)
        await self._find_records(self.clients, self.servers)
        await self._put_all(self.clients)
        await self._find_records(self.servers + self.clients, self.clients)
        if self._network.validator == "test":
            await self._see_the_best()
        await self._chore("stay unlisted", self.clients, self._stay_unlisted)
        await self._chore("end well", self.servers + self.clients, lambda node: node.stop())

    async def _stay_unlisted(self, client: Node) -> None:
        """A client serves nothing, so nobody may send others to it."""
        tables = await asyncio.gather(*(node.table() for node in self.servers))
        listing = [node.name for node, table in zip(self.servers, tables) if client.peer in table]
        expect(not listing, f"{', '.join(listing)} have it in their tables")

    # Which value wins.

    async def _put_worse_values(self, bootstrap: list[Node]) -> None:
        """Each implementation puts the newest value of a key between an older and an outdated one of others, and a
        value that is not genuine. Whether a put is refused at once or has no effect is the implementation's choice."""
        first = {kind.name: next(node for node in self.servers if node.kind is kind) for kind in self._kinds}
        writers = list(first.values())
        for i, writer in enumerate(writers):
            others = (writers[i - 1], writer, writers[(i + 1) % len(writers)])
            for node, sequence in zip(others, (5, 60, 7)):
                await node.tell("put", test_key(f"best-{writer.group}"), test_value(sequence, node.group))
            await writer.tell("put", test_key(f"junk-{writer.group}"), b"060:junk".hex())
        await self._lie(bootstrap[0])

    async def _lie(self, bootstrap: Node) -> None:
        """A node without a validator puts outdated and invalid values to everybody."""
        ours = next(kind for kind in self._kinds if kind.name == OURS)
        liar = await self._start(ours, "liar", "client", "none")
        await liar.listening()
        await connect([liar], [bootstrap])
        await until_known([liar], self.servers)
        for kind in self._kinds:
            await liar.tell("put", test_key(f"best-{kind.name}"), test_value(8, "liar"))
        await liar.tell("put", test_key("junk-liar"), b"junk".hex())
        await liar.stop()

    async def _see_the_best(self) -> None:
        async def newest(asker: Node, group: str) -> None:
            found = bytes.fromhex((await asker.ask("get", test_key(f"best-{group}")))["value"])
            expect(found == f"60:{group}".encode(), f"get: found {found}")

        async def nothing(asker: Node, group: str) -> None:
            reply = await asker.tell("get", test_key(f"junk-{group}"))
            expect(not reply["ok"], f"get: found {reply.get('value')}, which is not a valid value")

        async def see(asker: Node) -> None:
            for kind in self._kinds:
                for text, check in (("newest of", newest), ("no junk of", nothing)):
                    row = f"{text} {kind.name}"
                    await self._try("validator", row, asker.group, f"{asker.name}, {row}", check(asker, kind.name))
            await self._try("validator", "no junk of a liar", asker.group, f"{asker.name}, no junk of a liar",
                            nothing(asker, "liar"))

        await asyncio.gather(*(see(asker) for asker in self.servers + self.clients))

    def conclude(self) -> Tally:
        tally = Tally()
        for table in self._tables.values():
            table.print()
            tally.add(table.tally())
        return tally


async def run_network(network: Network, kinds: list[Kind]) -> Tally:
    count = SERVERS_EACH * len(kinds)
    print(f"\n{network.name}: {network.protocol}, {count} servers, and {len(kinds)} clients, marked *", flush=True)
    start = asyncio.get_running_loop().time()
    stopped = None
    async with contextlib.AsyncExitStack() as stack:
        matrix = Matrix(network, kinds, stack)
        try:
            async with asyncio.timeout(NETWORK_SECONDS):
                await matrix.run()
        except TimeoutError:
            stopped = f"{network.name}: not over after {NETWORK_SECONDS} s"
        except Failure as failure:
            stopped = f"{network.name}: {failure}"
    tally = matrix.conclude()
    if stopped:
        tally.fail(stopped)
    print(f"took {asyncio.get_running_loop().time() - start:.1f} s", flush=True)
    return tally


async def run(networks: list[Network], kinds: list[Kind]) -> Tally:
    kinds = sorted(kinds, key=lambda kind: IMPLEMENTATIONS.index(kind.name))
    tally = Tally()
    for network in networks:
        tally.add(await run_network(network, kinds))
    return tally
