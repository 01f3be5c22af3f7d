"""What the nodes of a DHT case put, and how others see whether they find that."""

import hashlib

from kad_network import Node
from process import expect

PROVIDERS_WANTED = "20"


def check_addresses(addresses: list[str] | None, owner: Node) -> None:
    bare = {address.partition("/p2p/")[0] for address in addresses or []}
    expect(owner.address.partition("/p2p/")[0] in bare, f"{owner.address} is not among the addresses {sorted(bare)}")


async def find_peer(asker: Node, owner: Node) -> None:
    check_addresses((await asker.ask("find-peer", owner.peer))["addresses"], owner)


# Providers.

def provided_key(owner: Node) -> str:
    """A multihash: SHA-256 of something that only this node provides."""
    return "1220" + hashlib.sha256(f"provided by {owner.peer}".encode()).hexdigest()


async def provide(owner: Node) -> None:
    await owner.ask("provide", provided_key(owner))


async def find_provider(asker: Node, owner: Node) -> None:
    providers = (await asker.ask("find-providers", provided_key(owner), PROVIDERS_WANTED))["providers"]
    found = [provider for provider in providers if provider["peer"] == owner.peer]
    expect(len(found) == len(providers) == 1, f"find-providers: found {providers}")
    check_addresses(found[0]["addresses"], owner)


# Values.

def test_key(name: str) -> str:
    return f"/ggen-interop/{name}".encode().hex()


def test_value(sequence: int, text: str) -> str:
    return f"{sequence}:{text}".encode().hex()


def value_of(owner: Node) -> tuple[str, str]:
    """A key and a value that only this node puts, both in hexadecimal."""
    if owner.validator == "test":
        return test_key(owner.name), test_value(1, f"put by {owner.name}")
    # An Ed25519 key is its own multihash: identity, its length, its bytes.
    multihash = bytes([0, len(owner.public_key)]) + owner.public_key
    return (b"/pk/" + multihash).hex(), owner.public_key.hex()


async def put(owner: Node) -> None:
    await owner.ask("put", *value_of(owner))


async def get(asker: Node, owner: Node) -> None:
    key, value = value_of(owner)
    found = (await asker.ask("get", key))["value"]
    expect(found == value, f"get: found {bytes.fromhex(found)}")


# Which value wins: each group of writers has a key for the newest of several values, and one for a value that is not
# genuine. Whether a put is refused at once or has no effect is the implementation's choice, so replies to it don't count.

OLD, NEWEST, OUTDATED, LIE = 5, 60, 7, 8  # as text, the newest is less than those that follow it
JUNK = b"060:a leading zero".hex()


async def put_sequence(writer: Node, group: str, sequence: int) -> None:
    await writer.tell("put", test_key(f"newest-of-{group}"), test_value(sequence, group))


async def put_junk(writer: Node, group: str) -> None:
    await writer.tell("put", test_key(f"junk-of-{group}"), JUNK)


async def see_newest(asker: Node, group: str) -> None:
    found = (await asker.ask("get", test_key(f"newest-of-{group}")))["value"]
    expect(found == test_value(NEWEST, group), f"get: found {bytes.fromhex(found)}")


async def see_no_junk(asker: Node, group: str) -> None:
    reply = await asker.tell("get", test_key(f"junk-of-{group}"))
    expect(not reply["ok"], f"get: found {reply.get('value')}, which is not a valid value")
