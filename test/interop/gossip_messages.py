"""What is published in a gossipsub case, and who has to get it."""

import collections
import dataclasses
import hashlib

from gossip_network import Node

EACH = 500  # messages of each implementation
SMALL, LARGE = 100, 20_000
LARGE_EVERY = 10


@dataclasses.dataclass(frozen=True)
class Message:
    author: Node
    name: str
    data: bytes

    def key(self) -> tuple[str, str]:
        """As in Node.received."""
        return self.author.peer, hashlib.sha256(self.data).hexdigest()


def message_of(author: Node, index: int, size: int) -> Message:
    name = f"{author.name}/{index}"
    return Message(author, name, f"{name} ".encode().ljust(size, b"."))


def messages_of(authors: list[Node], large: bool) -> list[Message]:
    """EACH messages of one implementation, which its nodes share. Some are large if so wanted."""
    return [message_of(authors[i % len(authors)], i, LARGE if large and i % LARGE_EVERY == 0 else SMALL)
            for i in range(EACH)]


def what_came(author: Node, receiver: Node, published: list[Message]) -> tuple[int, str | None]:
    """How many of the messages of one node another one got exactly once; and what else was, if anything."""
    mine = [message for message in published if message.author is author]
    times = collections.Counter({message: receiver.received.get(message.key(), 0) for message in mine})
    lost = [message.name for message in mine if times[message] == 0]
    repeated = [message.name for message in mine if times[message] > 1]
    known = {message.key() for message in mine}
    strange = [key for key in receiver.received if key[0] == author.peer and key not in known]
    passed = len(mine) - len(lost) - len(repeated)
    faults = [describe(lost, "did not come"), describe(repeated, "came more than once")]
    if strange:
        faults.append(f"{len(strange)} came that were not published, such as SHA-256 {strange[0][1]}")
    faults = [fault for fault in faults if fault]
    if not faults:
        return passed, None
    # What was not published spoils the count too.
    return min(passed, len(mine) - 1) if strange else passed, f"{author.name} to {receiver.name}: {'; '.join(faults)}"


def describe(names: list[str], what: str) -> str:
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"{len(names)} {what} ({shown})" if names else ""
