"""A mesh of all implementations, in which everybody publishes."""

import asyncio
import time

from gossip_messages import Message, messages_of, what_came
from gossip_network import Node, connect, in_mesh, links, start_all
from network_case import NetworkCase
from process import Failure, expect

NODES_EACH = 3
# Of each node. With few messages under way, no queue of any implementation has to drop some on a busy machine.
BATCH = 10
BATCH_SECONDS = 60


class Mixed(NetworkCase):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._newest = self._network.protocol == "/meshsub/1.2.0"
        self._table("delivered", "once from, to", self._groups, self._groups)
        self._idontwant = "IDONTWANT came" if self._newest else "no IDONTWANT came"
        self._table("chore", "chore, done by", [self._idontwant, "end well"], self._groups)

    async def run(self) -> None:
        nodes = [await Node.start(kind, self._network.name, f"{kind.name}-{i + 1}",
                                  ["--protocol", self._network.protocol], self._stack)
                 for i in range(NODES_EACH) for kind in self._kinds]
        await start_all(nodes)
        pairs = links(nodes, len(self._kinds))
        await connect(pairs)
        await asyncio.gather(*(in_mesh(*pair) for pair in pairs))
        published = [message for group in self._groups
                     for message in messages_of([node for node in nodes if node.group == group], self._newest)]
        start = time.monotonic()
        late = await self._publish(nodes, published)
        self.notes.append(f"{len(published)} messages in {time.monotonic() - start:.1f} s")
        await self._count_idontwant(nodes)
        for node in nodes:
            await self._try("chore", "end well", node.group, f"{node.name} should end well", node.stop())
        # Now nothing more can come, no message a second time either.
        self._count_messages(nodes, published)
        if late:
            raise Failure(late)

    async def _publish(self, nodes: list[Node], published: list[Message]) -> str:
        """Gives what went wrong, after which nothing more is published."""
        queues = {node: [message for message in published if message.author is node] for node in nodes}
        while any(queues.values()):
            batch = {node: queue[:BATCH] for node, queue in queues.items()}
            queues = {node: queue[BATCH:] for node, queue in queues.items()}
            try:
                await asyncio.gather(*(publish_all(node, batch[node]) for node in nodes))
                await asyncio.gather(*(node.has(wanted(node, batch), BATCH_SECONDS) for node in nodes))
            except Failure as failure:
                return str(failure)
        return ""

    async def _count_idontwant(self, nodes: list[Node]) -> None:
        counts = dict.fromkeys(self._groups, 0)

        async def check(node: Node) -> None:
            count = await node.idontwant()
            counts[node.group] += count
            expect((count > 0) == self._newest, f"{count} IDONTWANTs came")

        for node in nodes:
            await self._try("chore", self._idontwant, node.group, f"{self._idontwant} to {node.name}", check(node))
        self.notes.append("IDONTWANTs: " + ", ".join(f"{group} {count}" for group, count in counts.items()))

    def _count_messages(self, nodes: list[Node], published: list[Message]) -> None:
        for receiver in nodes:
            receiver.take_messages()
            for author in nodes:
                if author is not receiver:
                    asked = sum(message.author is author for message in published)
                    passed, fault = what_came(author, receiver, published)
                    self.tables["delivered"].count(author.group, receiver.group, passed, asked, fault)


async def publish_all(node: Node, messages: list[Message]) -> None:
    for message in messages:
        try:
            await node.publish(message.data)
        except Failure as failure:
            raise Failure(f"{node.name} should publish {message.name}: {failure}") from None


def wanted(receiver: Node, batch: dict[Node, list[Message]]) -> set[tuple[str, str]]:
    return {message.key() for author, messages in batch.items() if author is not receiver for message in messages}
