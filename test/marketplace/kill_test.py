#!/usr/bin/env python3
"""Kills a node in the middle of a publish and of a fetch, and looks at what is left.

usage: kill_test.py GGEN_P2P
"""

import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from cluster import Cluster, CommandFailed, same_tree, wait_until  # noqa: E402

MIB = 1048576
EXISTS = 9  # docs/cli.md: a version is final


def make_package(folder, name, version, size):
    folder.mkdir()
    (folder / "ggen.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "{version}"\ndescription = "To be cut off"\n', encoding="utf-8")
    (folder / "data.bin").write_bytes(os.urandom(size))
    return folder


def disk_bytes(paths):
    """Bytes that files take on the disk: a file with holes has fewer than its size."""
    total = 0
    for path in paths:
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:
            pass
    return total


def under(home, pattern):
    return disk_bytes((home / "store").glob(pattern))


def journal_size(home):
    return (home / "store/journal").stat().st_size


def publish_and_kill(cluster, publisher, reader, number, reached):
    """Kills the publisher when `reached` holds, and publishes the same again after a restart."""
    name = f"cut-{number}"
    package = make_package(cluster.folder / name, name, "1.0.0", 24 * MIB)
    command = publisher.begin("publish", package)
    wait_until(lambda: reached() or command.poll() is not None, "the publish is under way", pause=0.001)
    publisher.kill()
    answer = command.wait(timeout=30)

    publisher.start(bootstrap=reader.addresses[:1])
    known = publisher.status()["packages"]
    try:
        publisher.command("publish", package)
        assert answer != 0, "what was answered as published was forgotten"
    except CommandFailed as failure:
        assert failure.code == EXISTS, failure
    output = cluster.folder / f"{name}-copy"
    reference = f"{publisher.status()['publisher_id']}/{name}"
    wait_until(lambda: reader.status()["packages"] >= number, "the reader has heard of the package")
    reader.command("get", reference, "--output", output)
    assert same_tree(package, output), "the reader got something else than was published"
    assert not list((publisher.home / "store").glob("**/pack-*")), "a half-made archive was left behind"
    print(f"publish {number}: killed; {known} packages after the restart; whole afterwards", flush=True)


def fetch_and_kill(cluster, publisher, reader):
    size = 96 * MIB
    package = make_package(cluster.folder / "large", "large", "1.0.0", size)
    before = reader.status()["packages"]
    publisher.command("publish", package)
    wait_until(lambda: reader.status()["packages"] > before, "the reader has heard of the package")
    output = cluster.folder / "large-copy"
    command = reader.begin("get", "large", "--output", output)
    wait_until(lambda: under(reader.home, "blobs/*.part") > size // 8 or command.poll() is not None,
               "a part of the package has come", pause=0.001)
    reader.kill()
    assert command.wait(timeout=30) != 0, "the fetch was through before it could be cut off"
    assert not output.exists(), "a cut fetch must not leave anything where the package was to be"

    reader.start(bootstrap=publisher.addresses[:1])
    got = reader.command("get", "large", "--output", output)
    assert same_tree(package, output), "the reader got something else than was published"
    assert 0 < got["fetched"] < got["bytes"] * 15 // 16, f"nothing was resumed: {got['fetched']} of {got['bytes']}"
    print(f"fetch: killed; {got['fetched'] / MIB:.1f} of {got['bytes'] / MIB:.1f} MiB were left to fetch", flush=True)


def main():
    with Cluster(sys.argv[1]) as cluster:
        publisher, reader = cluster.add(), cluster.add()
        reader.start()
        publisher.start(bootstrap=reader.addresses[:1])
        home = publisher.home
        stages = [
            lambda: under(home, "scratch/*") > 4 * MIB,       # while it is packed
            lambda: under(home, "blobs/*.data") > before[0],  # the archive is in the store
            lambda: journal_size(home) > before[1],           # the entry is being written
        ]
        for number, reached in enumerate(stages, start=1):
            before = under(home, "blobs/*.data"), journal_size(home)
            publish_and_kill(cluster, publisher, reader, number, reached)
        fetch_and_kill(cluster, publisher, reader)
    print("nothing was lost")


if __name__ == "__main__":
    main()
