"""Runs nodes of ggen-p2p as processes on this machine, each with a home of its own."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time


class CommandFailed(Exception):
    """A command ended with an error: its exit code, and what it said."""

    def __init__(self, arguments, code, message):
        super().__init__(f"ggen-p2p {' '.join(arguments)} ended with {code}: {message}")
        self.code = code


class Node:
    """One node: a home, and a process while it runs."""

    def __init__(self, program, home):
        self.program = str(program)
        self.home = pathlib.Path(home)
        self.pid = None
        self.peer_id = None
        self.addresses = []

    def command(self, *arguments, timeout=120):
        """Runs a command for this node and gives what it printed as JSON."""
        words = [str(word) for word in arguments]
        done = subprocess.run([self.program, *words, "--home", str(self.home), "--json"],
                              capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode != 0:
            raise CommandFailed(words, done.returncode, (done.stdout + done.stderr).strip())
        return json.loads(done.stdout)

    def begin(self, *arguments):
        """Starts a command and does not wait for it."""
        return subprocess.Popen([self.program, *map(str, arguments), "--home", str(self.home), "--json"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, bootstrap=(), listen="/ip4/127.0.0.1/tcp/0", trace=None):
        options = ["--listen", listen]
        for address in bootstrap:
            options += ["--bootstrap", address]
        if trace is not None:
            options += ["--trace", trace]
        ready = self.command("start", "--detach", *options)
        self.pid, self.peer_id, self.addresses = ready["pid"], ready["peer_id"], ready["addresses"]

    def stop(self):
        if self.pid is not None:
            self.command("stop")
            self.pid = None

    def kill(self):
        """As a power cut does to a process: SIGKILL, and no goodbye."""
        if self.pid is None:
            return
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not is_running(self.pid), f"process {self.pid} is gone")
        self.pid = None

    @contextlib.contextmanager
    def frozen(self):
        """The process stands still, as on a machine that is overloaded; what is sent to it waits."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def status(self):
        return self.command("status")


def is_running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def processes_in(folder):
    """Those whose home, by their command line, is in this folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        homes = [home for option, home in zip(words, words[1:]) if option == b"--home"]
        if any(pathlib.Path(os.fsdecode(home)).parent == folder for home in homes):
            found.append(int(entry.name))
    return found


def wait_until(holds, what, seconds=60, pause=0.05):
    """Waits for something that only asking can tell, and gives what `holds` gave."""
    deadline = time.monotonic() + seconds
    while True:
        result = holds()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s in vain until {what}")
        time.sleep(pause)


class Cluster:
    """Nodes in a temporary folder; stops what still runs, and removes the folder, at the end."""

    def __init__(self, program, keep=False):
        self.program = program
        self.keep = keep
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ggen-p2p-"))
        self.nodes = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.keep and kind is None:
            return
        for node in self.nodes:
            try:
                node.stop()
            except (CommandFailed, subprocess.TimeoutExpired):
                node.kill()
        # One that was about to start when something failed has not told its process.
        for pid in processes_in(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self):
        node = Node(self.program, self.folder / f"node-{len(self.nodes) + 1:02}")
        self.nodes.append(node)
        return node


def same_tree(left, right):
    """True when two folders hold the same files, byte for byte."""
    def listing(folder):
        found = {}
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_file():
                found[path.relative_to(folder)] = path.read_bytes()
        return found
    return listing(left) == listing(right)
