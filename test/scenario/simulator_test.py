#!/usr/bin/env python3
"""Runs a scenario on the simulator, and looks at the spans that it leaves.

usage: simulator_test.py GGEN_P2P_SIM SCENARIO
"""

import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import expectations as expect  # noqa: E402
import spans as span_rules  # noqa: E402

TIMEOUT = 1200  # seconds: for a run that hangs, under the sanitizers on a busy machine


def publisher_of(spans):
    return next(span.node for span in spans if span.name == "p2p.package.publish")


def fetchers(spans):
    """Nodes in the order of their last fetches."""
    last = {span.node: span.start for span in spans if span.name == "p2p.package.fetch"}
    return sorted(last, key=last.get)


def peer_discovery(spans):
    newcomer = max((span for span in spans if span.name == "p2p.network.init"), key=lambda span: span.start).node
    return expect.peer_discovery(8, newcomer)


def peer_failure_recovery(spans):
    holder, reader = fetchers(spans)
    return expect.peer_failure_recovery(5, publisher_of(spans), holder, reader)


def peer_reputation(spans):
    good, bad, reader = fetchers(spans)
    return expect.peer_reputation(4, 12, reader, good, bad)


# The numbers are those that the scenarios have by default.
RULES = {
    "peer-discovery": peer_discovery,
    "multi-peer-connectivity": lambda _: expect.multi_peer_connectivity(5),
    "publish-package": lambda _: expect.publish_package(4),
    "package-propagation": lambda _: expect.package_propagation(3),
    "distributed-search": lambda _: expect.distributed_search(3, ["charts", "tables", "icons"]),
    "search-with-timeout": lambda _: expect.search_with_timeout(3),
    "dht-put-get": lambda _: expect.dht_put_get(10),
    "dht-key-distribution": lambda _: expect.dht_key_distribution(10, 20),
    "network-partition": lambda _: expect.network_partition(8, 3),
    "peer-failure-recovery": peer_failure_recovery,
    "peer-reputation": peer_reputation,
    "concurrent-publishes": lambda _: expect.concurrent_publishes(10, 10),
    "large-network": lambda _: expect.large_network(50),
}


def main(program, scenario):
    with tempfile.TemporaryDirectory(prefix="ggen-p2p-") as folder:
        path = pathlib.Path(folder) / "spans.json"
        done = subprocess.run([program, "run", scenario, "--trace", str(path)], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            print(done.stdout + done.stderr)
            return 1
        spans = span_rules.read([path])
    rules = RULES[scenario](spans)
    failures = span_rules.failures(spans, rules)
    print(*failures, sep="\n")
    print(f"{scenario}: {len(spans)} spans, {len(rules) - len(failures)} of {len(rules)} rules hold")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
