"""What each of the thirteen scenarios must leave behind as spans, in the simulator and on real processes alike.

A function for each scenario gives the rules; its arguments are what the drivers may choose. docs/telemetry.md says what
the spans and attributes mean."""

import re

from spans import ANY, ROOT, AtLeast, Order, Spans, Within

PEER_ID = re.compile("12D3KooW[1-9A-HJ-NP-Za-km-z]{44}")
ADDRESS = re.compile("/ip[46]/.+/tcp/[0-9]+.*")
AGENT = re.compile("ggen-p2p/.+")
HEXADECIMAL = re.compile("([0-9a-f]{2})+")
ARCHIVE_KEY = re.compile("1220[0-9a-f]{64}")  # a SHA-256 multihash
RELEASE = {"package.name": "tabs", "package.version": "1.0.0"}


def published(name=ANY, **more):
    return Spans("p2p.package.publish", {"package.name": name, "package.version": "1.0.0", "publisher": PEER_ID,
                                         "entry.id": HEXADECIMAL}, ROOT, **more)


def provided(stored=AtLeast(1), **more):
    """The record of who holds it, as a part of the publish."""
    return Spans("p2p.dht.put", {"dht.key": ARCHIVE_KEY, "dht.stored": stored, "dht.failed": 0}, "p2p.package.publish",
                 **more)


def received(name=ANY, **more):
    return Spans("p2p.package.receive", {"package.name": name, "from": PEER_ID, "seq": AtLeast(1)}, **more)


def resolved(reference, **more):
    return Spans("p2p.package.resolve", {"reference": reference, "found": True, "version": "1.0.0", "publisher": PEER_ID},
                 **more)


def fetched(providers=AtLeast(1), **more):
    return Spans("p2p.package.fetch", {"archive.root": HEXADECIMAL, "result": "fetched", "bytes": AtLeast(1),
                                       "providers": providers}, **more)


def source_of(peer):
    """The event of a fetch that says what a peer has sent."""
    return "source", {"peer.id": peer, "chunks": AtLeast(1), "bytes": AtLeast(1), "bad_chunks": 0}


def searched(query, hits, **more):
    return Spans("p2p.package.search", {"query": query, "hits": hits, "asked": AtLeast(1), "timed_out": False}, **more)


def connected(direction=ANY, **more):
    return Spans("p2p.peer.connect", {"peer.id": PEER_ID, "net.address": ADDRESS, "direction": direction,
                                      "outcome": "connected"}, **more)


def verified(**more):
    return Spans("p2p.peer.verify_connection", {"peer.id": PEER_ID, "agent": AGENT, "protocols": AtLeast(5)},
                 "p2p.peer.connect", **more)


def joining(**more):
    """From addresses that it was told."""
    return Spans("p2p.network.init", {"peer.id": PEER_ID, "bootstrap.addresses": AtLeast(1)}, ROOT, **more)


def network(nodes):
    """Each but the first finds the others: it dials, and then verifies whom it has reached."""
    return [
        joining(nodes=nodes - 1, count=1),
        connected("outbound", parent="p2p.network.init", nodes=nodes - 1),
        connected(nodes=nodes),
        verified(nodes=nodes),
        Order(connected(), verified(), same="trace"),
    ]


def peer_discovery(nodes, newcomer=ANY):
    return network(nodes) + [
        # It was told one address, and is connected to more.
        joining(node=newcomer, count=AtLeast(1)),
        connected(node=newcomer, count=AtLeast(2), different="peer.id"),
        verified(node=newcomer, count=AtLeast(2), different="peer.id"),
    ]


def multi_peer_connectivity(nodes):
    others = nodes - 1
    return network(nodes) + [
        connected("outbound", count=AtLeast(nodes * others // 2)),
        connected(different="peer.id", nodes=nodes, count=others),
        verified(different="peer.id", nodes=nodes, count=others),
    ]


def publish_package(nodes):
    return network(nodes) + [
        published("tabs", count=1),
        provided(stored=nodes - 1, count=1),
        received("tabs", nodes=nodes - 1, count=1),
        resolved(re.compile("tabs.*")),
        Order(published("tabs"), resolved(re.compile("tabs.*"))),
        Order(provided(), resolved(re.compile("tabs.*"))),
    ]


def package_propagation(nodes):
    return network(nodes) + [
        published("tabs", count=1),
        received("tabs", nodes=nodes - 1, count=1),
        resolved("tabs", nodes=nodes, count=1),
        Order(published("tabs"), resolved("tabs")),
    ]


def distributed_search(nodes, names):
    rules = [published(count=len(names), different="package.name")]
    for name in names:
        rules += [
            published(name, count=1),
            received(name, nodes=nodes - 1, count=1),
            searched(name, hits=1, count=1),
            Order(published(name), searched(name, hits=1)),
        ]
    return network(nodes) + rules


def search_with_timeout(nodes, most=1.05):
    """The first search ends when its second is over; how much later, says the machine: after `most` seconds at most."""
    early = Spans("p2p.package.search", {"query": "tabs", "hits": 1, "asked": nodes - 1, "timed_out": True}, ROOT,
                  error="Timeout", seconds=Within(0.99, most))
    late = searched("tabs", hits=2, count=1)
    return network(nodes) + [
        published(count=2, different="package.name"),
        early,
        late,
        Spans("p2p.package.search", error=ANY, count=2),
        Order(published("near-tabs"), early),
        Order(early, late),
    ]


def dht_put_get(nodes, key=HEXADECIMAL):
    put = Spans("p2p.dht.put", {"dht.key": key, "dht.stored": nodes - 1, "dht.failed": 0, "dht.asked": AtLeast(1)}, ROOT,
                count=1)
    get = Spans("p2p.dht.get", {"dht.key": key, "found": True, "dht.same": AtLeast(1), "dht.invalid": 0,
                                "dht.asked": AtLeast(1)}, ROOT, event=("hop", {"peer.id": PEER_ID, "value": True}),
                count=1)
    return network(nodes) + [put, get, Order(put, get, same="dht.key")]


def dht_key_distribution(nodes, packages):
    """With fewer nodes than a record has holders, each but its publisher holds each."""
    return network(nodes) + [
        published(count=packages, different="package.name"),
        provided(stored=nodes - 1, count=packages, different="dht.key"),
    ]


def network_partition(nodes, cut_off):
    """Each side publishes; the other one hears of it when they have found each other again."""
    found_again = verified(after=published("there"))
    return network(nodes) + [
        published("here", count=1),
        published("there", count=1),
        received("here", nodes=nodes - 1, count=1),
        received("there", nodes=nodes - 1, count=1),
        found_again,
        received("here", after=found_again, nodes=cut_off, count=1),
        received("there", after=found_again, nodes=nodes - cut_off, count=1),
    ]


def peer_failure_recovery(nodes, publisher, holder, reader):
    """The publisher crashes after `holder` has fetched: `reader` finds the package, and gets it of the holder."""
    before = fetched(node=holder, providers=1, event=source_of(publisher), count=1)
    # Whoever crashed may not have been missed yet, and does not answer.
    found = Spans("p2p.package.search", {"query": "tabs", "hits": 1, "answered": AtLeast(1)}, ROOT, error=ANY,
                  node=reader, count=1)
    after = fetched(node=reader, providers=1, event=source_of(holder), count=1)
    return network(nodes) + [
        published("tabs", node=publisher, count=1),
        received("tabs", nodes=nodes - 1, count=1),
        before, found, after,
        Order(published("tabs"), before),
        Order(before, found),
        Order(found, after),
    ]


def peer_reputation(nodes, packages, reader, good, bad):
    """The disk of the bad peer has rotted before the reader fetches: what is broken is not sent, and not taken."""
    return network(nodes) + [
        published(count=packages, different="package.name"),
        fetched(nodes=3, count=packages),  # of both peers and the reader
        Spans("p2p.package.fetch", error=re.compile(".*"), count=0),
        fetched(node=reader, event=source_of(good), count=packages),
        fetched(node=reader, event=("source", {"peer.id": bad}), count=0),
        Order(fetched(node=good), fetched(node=reader), same="archive.root"),
        Order(fetched(node=bad), fetched(node=reader), same="archive.root"),
    ]


def concurrent_publishes(nodes, each):
    return network(nodes) + [
        # Siblings: none is a part of another.
        published(count=nodes * each, different="package.name"),
        published(nodes=nodes, count=each),
        Spans("p2p.package.publish", error=re.compile(".*"), count=0),
        received(nodes=nodes, count=(nodes - 1) * each, different="package.name"),
    ]


def large_network(nodes):
    return [
        joining(nodes=nodes - 1, count=1),
        verified(nodes=nodes),
        published("tabs", count=1),
        provided(),
        received("tabs", nodes=nodes - 1, count=1),
        Spans("p2p.package.search", {"query": "everybody", "hits": 1}, ROOT, error=ANY, count=1),
        fetched(nodes=nodes - 1, count=1),
        Order(published("tabs"), fetched()),
        Order(provided(), fetched()),
    ]
