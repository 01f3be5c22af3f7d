"""This stack's transport beside go-libp2p's, rust-libp2p's and js-libp2p's: measures and prints tables.

README.md says how the peer programs talk to this one; docs/performance.md what the rows mean."""

import argparse
import dataclasses
import pathlib
import sys

import peers
import tables

HERE = pathlib.Path(__file__).resolve().parent
SERVER_CORE = 1
CLIENT_CORE = 0


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table, and the case that fills it."""

    name: str
    case: list[str]
    unit: str
    value: str  # a key of what measure() gives
    higher_is_better: bool = True
    ceiling: bool = False  # the bare loop has this row too
    ours_dials_all: bool = True  # has a row in the table of our client at each server
    digits: int = 0
    only_ours_dials: bool = False  # what is measured is the server


# Where only the server is looked at, our client goes to each.
OF_SERVER = {"ours_dials_all": False, "only_ours_dials": True}


def all_rows(options: argparse.Namespace) -> list[Row]:
    size = str(options.mib << 20)
    rows = []
    for way in "upload", "download":
        for streams in "1", "10":
            on = "one stream" if streams == "1" else "ten streams"
            case = [way, streams, size]
            rows.append(Row(f"{way}, {on}", case, "MiB/s", "mib_per_s", ceiling=streams == "1"))
            rows.append(Row(f"{way}, {on}: CPU", case, "s/GiB", "cpu_per_gib", False, streams == "1", True, 2))
    for width in "1", "8":
        rows.append(Row(f"new connections, {width} at a time", ["connect", str(options.connections), width],
                        "/s", "per_s"))
    trips = ["roundtrip", str(options.round_trips)]
    rows.append(Row("round trip of 1 byte, p50", trips, "us", "p50_us", False, digits=1))
    rows.append(Row("round trip of 1 byte, p99", trips, "us", "p99_us", False, digits=1))
    for width in "1", "32":
        rows.append(Row(f"1 KiB requests on fresh streams, {width} at a time",
                        ["requests", str(options.requests), width], "/s", "per_s"))
    hold = ["hold", str(options.held)]
    rows.append(Row("RSS, listening", hold, "MiB", "rss_idle_mib", False, digits=1, **OF_SERVER))
    rows.append(Row(f"RSS, {options.held} connections", hold, "MiB", "rss_held_mib", False, digits=1, **OF_SERVER))
    return rows + dht_rows(options) + gossip_rows(options)


def dht_rows(options: argparse.Namespace) -> list[Row]:
    rows = []
    for each, streams in ("1", "fresh streams"), ("1000", "open streams"):
        name, case = f"FIND_NODE on {streams}", ["findnode", str(options.find_node), "16", each]
        rows.append(Row(f"{name}, 16 at a time", case, "/s", "per_s", **OF_SERVER))
        rows.append(Row(f"{name}: CPU of the server", case, "us", "server_us", False, digits=1, **OF_SERVER))
    rows.append(Row("answers of 20 peers encoded and decoded", ["answers", str(options.answers)], "/s", "per_s",
                    ours_dials_all=False))
    return rows


def gossip_rows(options: argparse.Namespace) -> list[Row]:
    rows = []
    for messages in "signed", "unsigned":
        name, case = f"gossip, {messages} messages", [f"gossip-{messages}", str(options.messages)]
        rows.append(Row(name, case, "/s", "per_s", **OF_SERVER))
        rows.append(Row(f"{name}: CPU of the router", case, "us", "server_us", False, digits=1, **OF_SERVER))
    return rows


def figures(case: list[str], told: dict, client_cpu: float, server_cpu: float) -> dict[str, float]:
    """What the rows show, from a client's answer and the CPU seconds of both sides."""
    seconds = told["seconds"]
    cpu = client_cpu + server_cpu
    if case[0] in ("upload", "download"):
        size = int(case[2])
        return {"mib_per_s": size / 2**20 / seconds, "cpu_per_gib": cpu / (size / 2**30)}
    if case[0] == "roundtrip":
        return {"p50_us": told["p50"] * 1e6, "p99_us": told["p99"] * 1e6}
    return {"per_s": int(case[1]) / seconds, "server_us": server_cpu / int(case[1]) * 1e6}


class Comparison:
    """All that is measured, and every figure so far: of (client, server) and (case, value)."""

    def __init__(self, options: argparse.Namespace):
        self.rows = [row for row in all_rows(options) if not options.only or options.only in row.case[0]]
        self.peers = peers.found(options)
        self.cores = (None, None) if options.unpinned else (CLIENT_CORE, SERVER_CORE)
        self.settle = options.settle
        self.samples: dict[tuple, list[float]] = {}

    def cases(self) -> list[list[str]]:
        unique = {tuple(row.case): row.case for row in self.rows}
        return list(unique.values())

    def pairs(self, case: list[str]) -> list[tuple[peers.Peer, peers.Peer]]:
        """Who dials whom. Where the server is what is measured, the same client goes to each."""
        ours = self.peers[0]
        whole = [peer for peer in self.peers if not peer.ceiling]
        if case[0] == "hold":
            return [(ours, server) for server in whole]
        if case[0] == "findnode":
            return [(ours, server) for server in whole if server.dht]
        if case[0].startswith("gossip-"):
            return [(ours, server) for server in whole if server.gossip]
        if case[0] == "answers":
            return [(peer, peer) for peer in whole if peer.answers]
        pairs = [(peer, peer) for peer in whole] + [(ours, server) for server in whole[1:]]
        if any(row.case == case and row.ceiling for row in self.rows):
            pairs += [(peer, peer) for peer in self.peers if peer.ceiling]
        return pairs

    def round(self) -> None:
        for case in self.cases():
            for client, server in self.pairs(case):
                print(f"  {' '.join(case)}: {client.name} to {server.name}", file=sys.stderr)
                for value, figure in self.measure(client, server, case).items():
                    key = (client.name, server.name, tuple(case), value)
                    self.samples.setdefault(key, []).append(figure)

    def measure(self, client: peers.Peer, server: peers.Peer, case: list[str]) -> dict[str, float]:
        if case[0] == "answers":
            with peers.Client(client, self.cores[0], case) as alone:
                alone.wait_ready()
                return figures(case, alone.run(), 0, 0)
        with peers.Server(server, self.cores[1], case[0]) as serving:
            idle = serving.resident_mib(self.settle) if case[0] == "hold" else 0.0
            dialling = peers.Client(client, self.cores[0], [case[0], serving.address, *case[1:]])
            with dialling:
                dialling.wait_ready()
                if case[0] == "hold":
                    return {"rss_idle_mib": idle, "rss_held_mib": serving.resident_mib(self.settle)}
                before = dialling.cpu_seconds(), serving.cpu_seconds()
                told = dialling.run()
                return figures(case, told, dialling.cpu_seconds() - before[0], serving.cpu_seconds() - before[1])


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench compare", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="medians are over so many (%(default)s)")
    parser.add_argument("--mib", type=int, default=1024, help="of one upload or download (%(default)s)")
    parser.add_argument("--connections", type=int, default=1600, help="of one measurement (%(default)s)")
    parser.add_argument("--round-trips", type=int, default=20000, help="of one measurement (%(default)s)")
    parser.add_argument("--requests", type=int, default=6400, help="of one measurement (%(default)s)")
    parser.add_argument("--held", type=int, default=1000, help="connections at rest (%(default)s)")
    parser.add_argument("--find-node", type=int, default=16000, help="questions of one measurement (%(default)s)")
    parser.add_argument("--messages", type=int, default=20000, help="of one measurement of gossip (%(default)s)")
    parser.add_argument("--answers", type=int, default=20000, help="encoded and decoded (%(default)s)")
    parser.add_argument("--settle", type=float, default=5, help="seconds before memory is read (%(default)g)")
    parser.add_argument("--only", metavar="CASE",
                        help="upload, download, connect, roundtrip, requests, hold, findnode, answers or gossip")
    parser.add_argument("--unpinned", action="store_true", help="let the system choose the cores")
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path,
                        help="put the tables between its marks, besides printing them")
    parser.add_argument("--check", action="store_true", help="only read the options")
    peers.add_options(parser)
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    options = parse(words)
    if options.check:
        return 0
    comparison = Comparison(options)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        comparison.round()
    text = tables.render(comparison, options)
    print(text)
    if options.write is not None:
        tables.write_between_marks(options.write, text)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except peers.Failure as failure:
        sys.exit(f"compare: {failure}")
