"""The DHT cases: networks of several implementations, of which each must find what the others put.

kad/README.md says what is checked. main.py starts this.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import kad_records as records
import network_case
from kad_faults import FAULTS
from kad_network import Node, connect, until_known
from network_case import OURS, NetworkCase
from peer_node import Kind
from process import Tally, expect

SERVERS_EACH = 3


@dataclasses.dataclass(frozen=True)
class Network(network_case.Network):
    validator: str  # test or pk
    star: bool = False

    def heading(self) -> str:
        return super().heading() + ", * are clients"


NETWORKS = [
    Network("kad-private", "a DHT of 3 nodes of each implementation: peers, providers, values, which value wins",
            "/ggen-interop/kad/1.0.0", "test"),
    Network("kad-ipfs", "the same with the protocol of IPFS and public keys as values", "/ipfs/kad/1.0.0", "pk"),
    Network("kad-star", "one server of each implementation, alone, through which clients of all find each other's records",
            "/ggen-interop/kad/1.0.0", "test", star=True),
]


class Case(NetworkCase):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._clients = [kind.name + "*" for kind in self._kinds]

    async def _start(self, kind: Kind, name: str, mode: str, validator: str = "") -> Node:
        return await Node.start(kind, self._network.name, name, mode, self._network.protocol,
                                validator or self._network.validator, self._stack)

    async def _start_each(self, names: Callable[[Kind], list[str]], mode: str) -> list[Node]:
        nodes = [await self._start(kind, name, mode) for kind in self._kinds for name in names(kind)]
        await asyncio.gather(*(node.listening() for node in nodes))
        return nodes

    async def _find(self, table: str, askers: list[Node], owners: list[Node],
                    find: Callable[[Node, Node], Awaitable[None]], row: str = "") -> None:
        """Every asker finds something of every other node; askers work side by side."""
        async def find_all(asker: Node) -> None:
            for owner in owners:
                if owner is not asker:
                    what = f"{asker.name} looks for the {table} {owner.name}"
                    await self._try(table, row or owner.group, asker.group, what, find(asker, owner))

        await asyncio.gather(*(find_all(asker) for asker in askers))

    async def _lie(self, server: Node, known: list[Node], name: str, writers: list[str]) -> None:
        """One of our nodes, without a validator, puts outdated and invalid values to everybody."""
        ours = next(kind for kind in self._kinds if kind.name == OURS)
        liar = await self._start(ours, name, "client", "none")
        await liar.listening()
        await connect([liar], [server])
        await until_known([liar], known)
        for group in writers:
            await records.put_sequence(liar, group, records.LIE)
        await records.put_junk(liar, "a-liar")
        await liar.stop()


class Mixed(Case):
    """Servers of all implementations, and then clients, which hold nothing: all that they find came over the network."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        everyone = self._groups + self._clients
        self._table("peer", "peer of, found by", self._groups, everyone)
        self._table("provider", "provider, found by", everyone, everyone)
        self._table("value", "value of, found by", everyone, everyone)
        if self._network.validator == "test":
            self._table("newest", "newest value, seen by", self._groups, everyone)
            self._table("junk", "no junk of, seen by", self._groups + ["a-liar"], everyone)
        self._table("unlisted", "unlisted, with", self._clients, self._groups)
        self._table("chore", "chore, done by", ["join", "provide and put", "end well"], everyone)

    async def _chore(self, row: str, nodes: list[Node], work: Callable[[Node], Awaitable[None]]) -> None:
        await asyncio.gather(*(self._try("chore", row, node.group, f"{node.name} should {row}", work(node))
                               for node in nodes))

    async def _provide_and_put(self, nodes: list[Node]) -> None:
        async def work(node: Node) -> None:
            await records.provide(node)
            await records.put(node)

        await self._chore("provide and put", nodes, work)

    async def _find_records(self, askers: list[Node], owners: list[Node]) -> None:
        await self._find("provider", askers, owners, records.find_provider)
        await self._find("value", askers, owners, records.get)

    async def run(self) -> None:
        servers = await self._start_each(lambda kind: [f"{kind.name}-{i + 1}" for i in range(SERVERS_EACH)], "server")
        bootstrap = [servers[0], servers[-1]]  # of two implementations
        await connect(servers, bootstrap)

        async def join(node: Node) -> None:
            await until_known([node], servers)

        await self._chore("join", servers, join)
        await self._provide_and_put(servers)
        await self._find("peer", servers, servers, records.find_peer)
        await self._find_records(servers, servers)
        if self._network.validator == "test":
            await self._compete(servers)
        clients = await self._start_each(lambda kind: [f"{kind.name}-client"], "client")
        await connect(clients, bootstrap)
        await self._chore("join", clients, join)
        await self._find("peer", clients, servers, records.find_peer)
        await self._find_records(clients, servers)
        await self._provide_and_put(clients)
        await self._find_records(servers + clients, clients)
        if self._network.validator == "test":
            await self._see_who_won(servers + clients)
        await self._see_unlisted(servers, clients)
        await self._chore("end well", servers + clients, lambda node: node.stop())

    async def _compete(self, servers: list[Node]) -> None:
        """Each implementation puts the newest value of a key between an older and an outdated one of others."""
        writers = [next(node for node in servers if node.kind is kind) for kind in self._kinds]
        for i, writer in enumerate(writers):
            await records.put_sequence(writers[i - 1], writer.group, records.OLD)
            await records.put_sequence(writer, writer.group, records.NEWEST)
            await records.put_sequence(writers[(i + 1) % len(writers)], writer.group, records.OUTDATED)
            await records.put_junk(writer, writer.group)
        await self._lie(servers[0], servers, "liar", self._groups)

    async def _see_who_won(self, nodes: list[Node]) -> None:
        async def see(asker: Node) -> None:
            for group in self._groups:
                what = f"{asker.name} looks for the newest value of {group}"
                await self._try("newest", group, asker.group, what, records.see_newest(asker, group))
            for group in self._groups + ["a-liar"]:
                what = f"{asker.name} looks for junk of {group}"
                await self._try("junk", group, asker.group, what, records.see_no_junk(asker, group))

        await asyncio.gather(*(see(asker) for asker in nodes))

    async def _see_unlisted(self, servers: list[Node], clients: list[Node]) -> None:
        """A client serves nothing, so nobody may send others to it."""
        async def see(server: Node, client: Node) -> None:
            expect(client.peer not in await server.table(), "it is in the table")

        for server in servers:
            for client in clients:
                what = f"{server.name} should not have {client.name} in its table"
                await self._try("unlisted", client.group, server.group, what, see(server, client))


class Star(Case):
    """For each implementation one server alone. What one client has put and another one finds went through that server,
    so that no other implementation can make up for its mistakes."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        for name, title in (("provider", "provider, found by"), ("value", "value, found by"),
                            ("newest", "newest value, seen by"), ("junk", "no junk, seen by"),
                            ("peer", "peer, found by")):
            self._table(name, title, self._groups, self._clients)

    async def run(self) -> None:
        for kind in self._kinds:
            await self._run_one(kind)

    async def _run_one(self, kind: Kind) -> None:
        server = await self._start(kind, f"{kind.name}-server", "server")
        await server.listening()
        clients = await self._start_each(lambda other: [f"{kind.name}-server.{other.name}-client"], "client")
        await connect(clients, [server])
        await until_known(clients, [server])
        for client in clients:
            await records.provide(client)
            await records.put(client)
            await records.put_sequence(client, client.group, records.NEWEST)
        await self._find("provider", clients, clients, records.find_provider, server.group)
        await self._find("value", clients, clients, records.get, server.group)
        await self._lie(server, [server], f"{kind.name}-server.liar", self._clients)

        async def newest(asker: Node, owner: Node) -> None:
            await records.see_newest(asker, owner.group)

        async def no_junk(asker: Node, _: Node) -> None:
            await records.see_no_junk(asker, "a-liar")

        await self._find("newest", clients, clients, newest, server.group)
        await self._find("junk", clients, [server], no_junk, server.group)
        # Those whom the clients look for come last, for they would hold records as well.
        others = await self._start_each(lambda other: [f"{kind.name}-server.{other.name}-peer"], "server")
        await connect(others, [server])
        await until_known([server], others)
        await self._find("peer", clients, others, records.find_peer, server.group)
        for node in [*clients, *others, server]:
            await node.stop()


async def run(networks: list[Network], kinds: list[Kind]) -> Tally:
    def new_case(network: Network, *arguments) -> Case:
        return (Star if network.star else Mixed)(network, *arguments)

    return await network_case.run_networks(networks, kinds, FAULTS, new_case)
