#!/usr/bin/env python3
"""Plays a scenario with real processes of ggen-p2p on this machine, and looks at the spans that they leave.

usage: processes_test.py GGEN_P2P SCENARIO
"""

import concurrent.futures
import hashlib
import os
import pathlib
import re
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import expectations as expect  # noqa: E402
import spans as span_rules  # noqa: E402
from cluster import Cluster, wait_until  # noqa: E402

DEADLINE = 300  # seconds, for what happens at once on an idle machine
PATIENCE = "60s"  # of a search that ends when everybody has answered, on a machine however slow
# Entries that gossip missed, because a node had just connected, come with the next catch-up.
CONFIG = '[sync]\ninterval = "2s"\n'


# ---- What a person does ----

def trace_of(node):
    return node.home.with_suffix(".jsonl")


def start(cluster, bootstrap=(), config=CONFIG):
    node = cluster.add()
    node.home.mkdir(mode=0o700)
    (node.home / "config.toml").write_text(config, encoding="utf-8")
    node.start(bootstrap=[peer.addresses[0] for peer in bootstrap], trace=trace_of(node))
    return node


def wait_for(node, field, value):
    wait_until(lambda: node.status()[field] == value, f"{node.home.name} has {value} {field}", seconds=DEADLINE)


def connect(nodes):
    """Waits until each is connected to each."""
    for node in nodes:
        wait_for(node, "peers", len(nodes) - 1)


def start_network(cluster, count):
    """All but the first know only the first one's address."""
    nodes = [start(cluster)]
    nodes += [start(cluster, nodes[:1]) for _ in range(count - 1)]
    connect(nodes)
    return nodes


def start_ring(cluster, count):
    """Each knows only who stands beside it."""
    nodes = [start(cluster)]
    while len(nodes) < count:
        nodes.append(start(cluster, nodes[-1:] if len(nodes) < count - 1 else [nodes[-1], nodes[0]]))
    for node in nodes:
        wait_until(lambda node=node: node.status()["peers"] >= 2, "the ring is closed", seconds=DEADLINE)
    return nodes


def package(cluster, name, size=2000):
    """A folder to publish."""
    folder = cluster.folder / "packages" / name
    folder.mkdir(parents=True)
    (folder / "ggen.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "1.0.0"\ndescription = "The package {name}, for everybody"\n',
        encoding="utf-8")
    (folder / "data.bin").write_bytes(os.urandom(size))
    return folder


def publish(cluster, node, name, size=2000):
    """Publishes, and waits until every node has heard of it, the DHT knows who holds it, and both are in the spans."""
    known = node.status()["packages"]
    before = {span: count_spans(node, span) for span in ("p2p.package.publish", "p2p.dht.put")}
    node.command("publish", package(cluster, name, size))
    for other in cluster.nodes:
        wait_for(other, "packages", known + 1)
    for span, count in before.items():
        wait_until(lambda span=span, count=count: count_spans(node, span) > count, f"{span} has ended", seconds=DEADLINE)


def get(cluster, node, reference):
    return node.command("get", reference, "--output", cluster.folder / f"{node.home.name}-{len(os.listdir(cluster.folder))}",
                        timeout=DEADLINE)


def count_spans(node, name):
    """In the file of a node that runs: what has ended is there soon."""
    return trace_of(node).read_text(encoding="utf-8").count(f'"name":"{name}"')


# ---- The DHT, as an oracle knows it ----

def decode_base58(text):
    number = 0
    for digit in text:
        number = number * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(digit)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def nearest(key, nodes):
    """Peer ids in the order of their distance to a key: the XOR of the SHA-256 of both."""
    def distance(node):
        at = hashlib.sha256(decode_base58(node.peer_id)).digest()
        return bytes(a ^ b for a, b in zip(at, hashlib.sha256(key).digest()))
    return [node.peer_id for node in sorted(nodes, key=distance)]


# ---- The scenarios ----

def peer_discovery(cluster):
    nodes = start_network(cluster, 7)
    newcomer = start(cluster, nodes[:1])
    connect(cluster.nodes)
    return expect.peer_discovery(8, newcomer.peer_id)


def multi_peer_connectivity(cluster):
    for _ in range(5):
        start(cluster, list(cluster.nodes))
    connect(cluster.nodes)
    return expect.multi_peer_connectivity(5)


def publish_package(cluster):
    nodes = start_network(cluster, 4)
    publish(cluster, nodes[1], "tabs")
    got = get(cluster, nodes[-1], "tabs@^1.0.0")
    assert got["version"] == "1.0.0", got
    return expect.publish_package(4)


def package_propagation(cluster):
    nodes = start_ring(cluster, 3)
    publish(cluster, nodes[0], "tabs")
    for node in nodes:
        get(cluster, node, "tabs")
    return expect.package_propagation(3)


def distributed_search(cluster):
    nodes = start_network(cluster, 3)
    names = ["charts", "tables", "icons"]
    for node, name in zip(nodes, names):
        publish(cluster, node, name)
    for number, node in enumerate(nodes):
        wanted = names[(number + 1) % 3]
        found = node.command("search", wanted, "--timeout", PATIENCE)
        assert [result["name"] for result in found["results"]] == [wanted], found
    return expect.distributed_search(3, names)


def search_with_timeout(cluster):
    searcher, *slow = start_network(cluster, 3)
    publish(cluster, searcher, "near-tabs")
    with slow[0].frozen(), slow[1].frozen():
        found = searcher.command("search", "tabs", "--timeout", "1s")
        assert found["timed_out"] and len(found["results"]) == 1, found
    publish(cluster, slow[0], "far-tabs")
    with slow[0].frozen(), slow[1].frozen():
        search = searcher.begin("search", "tabs", "--timeout", PATIENCE)
    assert search.wait(timeout=DEADLINE) == 0
    return expect.search_with_timeout(3, most=DEADLINE)


def dht_put_get(cluster):
    nodes = start_network(cluster, 10)
    writer, reader = nodes[1], nodes[-1]
    # A value that every node can check: a public key, which an id of this length holds as a whole.
    peer = decode_base58(writer.peer_id)
    key = f"/pk/{writer.peer_id}"
    put = writer.command("dht", "put", key, f"0x{peer[2:].hex()}")
    assert put["stored"] == 9, put
    got = reader.command("dht", "get", key)
    assert got["value"] == peer[2:].hex(), got
    return expect.dht_put_get(10, (b"/pk/" + peer).hex())


def dht_key_distribution(cluster):
    nodes = start_network(cluster, 10)
    roots = []
    for number in range(20):
        roots.append(nodes[number % 10].command("publish", package(cluster, f"part-{number}"))["root"])
    for node in nodes:
        wait_until(lambda node=node: count_spans(node, "p2p.dht.put") >= 2, "the DHT knows both", seconds=DEADLINE)
    for number, root in enumerate(roots):
        asker = nodes[(number + 3) % 10]
        key = bytes.fromhex("1220" + root)
        found = asker.command("dht", "closest", f"0x{key.hex()}")["peers"]
        assert [peer["peer_id"] for peer in found] == nearest(key, [node for node in nodes if node is not asker]), found
    return expect.dht_key_distribution(10, 20)


def peer_failure_recovery(cluster):
    publisher, _, holder, _, reader = start_ring(cluster, 5)
    publish(cluster, publisher, "tabs", size=3 * 256 * 1024 + 17)
    get(cluster, holder, "tabs")
    wait_until(lambda: count_spans(holder, "p2p.dht.put"), "the DHT knows the second holder", seconds=DEADLINE)
    publisher.kill()
    found = reader.command("search", "tabs", "--timeout", PATIENCE)
    assert len(found["results"]) == 1, found
    get(cluster, reader, "tabs")
    return expect.peer_failure_recovery(5, publisher.peer_id, holder.peer_id, reader.peer_id)


def peer_reputation(cluster):
    publisher, good, bad, reader = start_network(cluster, 4)
    names = [f"part-{number}" for number in range(12)]
    for name in names:
        publish(cluster, publisher, name, size=4 * 256 * 1024)
        get(cluster, good, name)
        get(cluster, bad, name)
    wait_until(lambda: all(count_spans(peer, "p2p.dht.put") >= 12 for peer in (good, bad)), "the DHT knows both",
               seconds=DEADLINE)
    for blob in (bad.home / "store/blobs").iterdir():
        rot(blob)
    publisher.stop()
    for name in names:
        get(cluster, reader, name)
    success = {peer["peer_id"]: peer["success"] for peer in reader.command("peers")["peers"]}
    assert success[good.peer_id] >= 0.9, success
    assert success[bad.peer_id] < 0.5, success
    return expect.peer_reputation(4, 12, reader.peer_id, good.peer_id, bad.peer_id)


def rot(path):
    """Changes every page of a file in place."""
    with open(path, "r+b") as file:
        for offset in range(0, path.stat().st_size, 4096):
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 0xFF]))


def concurrent_publishes(cluster):
    nodes = start_network(cluster, 10)
    folders = [package(cluster, f"part-{number}") for number in range(100)]
    commands = [nodes[number % 10].begin("publish", folder) for number, folder in enumerate(folders)]
    codes = [command.wait(timeout=DEADLINE) for command in commands]
    assert codes == [0] * 100, codes
    for node in nodes:
        wait_for(node, "packages", 100)
    return expect.concurrent_publishes(10, 10)


def large_network(cluster):
    # Whoever is known to all has room for all.
    roomy = CONFIG + "[network]\nmax_connections = 500\n"
    first = [start(cluster, config=roomy)]
    first += [start(cluster, first[:1], roomy) for _ in range(2)]
    nodes = first + [start(cluster, first) for _ in range(47)]
    for node in nodes:
        wait_until(lambda node=node: node.status()["peers"] >= 3, "each has found others", seconds=DEADLINE)
    publisher, searcher = nodes[7], nodes[33]
    publish(cluster, publisher, "tabs", size=64 * 1024)
    found = searcher.command("search", "everybody", "--timeout", PATIENCE)
    assert len(found["results"]) == 1, found
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda node: get(cluster, node, "tabs"), [node for node in nodes if node is not publisher]))
    return expect.large_network(50)


SCENARIOS = {
    "peer-discovery": peer_discovery,
    "multi-peer-connectivity": multi_peer_connectivity,
    "publish-package": publish_package,
    "package-propagation": package_propagation,
    "distributed-search": distributed_search,
    "search-with-timeout": search_with_timeout,
    "dht-put-get": dht_put_get,
    "dht-key-distribution": dht_key_distribution,
    "peer-failure-recovery": peer_failure_recovery,
    "peer-reputation": peer_reputation,
    "concurrent-publishes": concurrent_publishes,
    "large-network": large_network,
}


def main(program, scenario):
    # A test that is told to end takes its processes with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with Cluster(program) as cluster:
        rules = SCENARIOS[scenario](cluster)
        for node in cluster.nodes:
            node.stop()
        spans = span_rules.read(map(trace_of, cluster.nodes))
    failures = span_rules.failures(spans, rules)
    print(*failures, sep="\n")
    print(f"{scenario}: {len(spans)} spans, {len(rules) - len(failures)} of {len(rules)} rules hold")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
