#!/usr/bin/env python3
"""Runs ggen-p2p-sim as people do, and looks at what it prints, writes and ends with.

usage: program_test.py GGEN_P2P_SIM
"""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
USAGE, OUTPUT, INTERRUPTED = 2, 3, 130
DIGEST = re.compile(r"trace sha256: ([0-9a-f]{64})")
PROGRAM = ""


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


def digest(result):
    """That of the last line."""
    found = DIGEST.fullmatch(result.stdout.splitlines()[-1])
    assert found, result.stdout
    return found.group(1)


def spans_of(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    return [span for resource in document["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]


def attributes(span):
    return {attribute["key"]: attribute["value"] for attribute in span["attributes"]}


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_refused(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")  # nothing ran
        for word in words:
            self.assertIn(word, result.stderr)

    def test_list_names_every_scenario(self):
        source = (SOURCE / "src/sim/scenarios.cpp").read_text(encoding="utf-8")
        built_in = re.findall(r'^ +\{"([a-z0-9-]+)",', source, re.MULTILINE)
        self.assertGreater(len(built_in), 10)
        listed = run("list")
        self.assertEqual(listed.returncode, 0)
        self.assertEqual([line.split()[0] for line in listed.stdout.splitlines()[1:]], built_in)
        as_json = json.loads(run("list", "--json").stdout)
        self.assertEqual([scenario["name"] for scenario in as_json["scenarios"]], built_in)

    def write_scenario(self, text):
        path = self.folder / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def test_a_scenario_file_is_refused_before_anything_runs(self):
        (self.folder / "bad.csv").write_text("a,1,2\n", encoding="utf-8")
        fault = '[[fault]]\nkind = "cut"\nlasts = "5s"\n'
        for text, line, words in [
            ("nodse = 3", 1, ["nodse", "did you mean `nodes`"]),
            ("[workload]\nfetchs = 3", 2, ["fetchs", "[workload]", "`fetches`"]),
            ("[faults]\ncrsh = 3", 2, ["crsh", "`crash`"]),
            ("[netwrok]", 1, ["netwrok", "`network`"]),
            ("nodes = 1", 1, ["`nodes`", "at least 2"]),
            ("nodes = \"many\"", 1, ["`nodes`"]),
            ("fidelity = \"high\"", 1, ["`fidelity`", "wire"]),
            ("duration = \"0s\"", 1, ["`duration`", "above zero"]),
            ("duration = \"\"", 1, ["`duration`"]),
            ("[faults]\n\ncrash = -0.5", 3, ["`crash`", "0 or more"]),
            ("[network]\nloss = 1.5", 2, ["`loss`", "0 to 1"]),
            ("[network]\nlatency = \"none.csv\"", 2, ["`latency`", "none.csv", "cannot be read"]),
            ("[network]\nlatency = \"bad.csv\"", 2, ["`latency`", "bad.csv", "round trips"]),
            ("workload = 3", 1, ["`workload`", "[workload]"]),
            ("fault = 3", 1, ["`fault`", "[[fault]]"]),
            ("nodes = 4\n" + fault + "nodes = [1, 4]", 2, ["no node 4"]),
            (fault, 1, ["`nodes`"]),
            ('[[fault]]\nkind = "cutt"\nlasts = "5s"\nnodes = [1]', 1, ["cutt", "`cut`"]),
            ('[[fault]]\nkind = "cut"\nnodes = [1]', 1, ["`lasts`"]),
            (fault + 'nodes = [1]\nat = "10m"', 1, ["before the run", "2m"]),
            (fault + "nodes = [1]\nbridge = [2]", 1, ["`bridge`"]),
            ("nodes = [", 1, ["not valid TOML"]),
        ]:
            with self.subTest(text):
                path = self.write_scenario(text)
                self.assert_refused(run("run", path), USAGE, f"{path}:{line}: ", *words)
        self.assert_refused(run("run", self.folder / "none.toml"), USAGE, "none.toml", "cannot be read")

    def test_a_scenario_file_runs_the_same_every_time_and_is_replayed(self):
        path = self.write_scenario(
            'nodes = 4\nduration = "20s"\n[workload]\npublishes = 6\n'
            '[[fault]]\nkind = "crash"\nat = "5s"\nlasts = "5s"\nnodes = [1, 2]\n')
        first = run("run", path, "--report", self.folder / "out")
        self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
        self.assertEqual(digest(run("run", path)), digest(first))
        report = json.loads((self.folder / "out/report.json").read_text(encoding="utf-8"))
        self.assertEqual([fault["index"] for fault in report["faults"]], [0, 1])
        self.assertEqual(run("replay", self.folder / "out").returncode, 0)
        # A part of the faults, and the same again from its own report.
        part = run("run", path, "--keep-faults", "1", "--duration", "15s", "--report", self.folder / "part")
        report = json.loads((self.folder / "part/report.json").read_text(encoding="utf-8"))
        self.assertEqual([fault["index"] for fault in report["faults"]], [1])
        self.assertIn("--duration 15s --keep-faults 1 --sha256 ", report["replay"])
        self.assertNotEqual(digest(part), digest(first))
        self.assertEqual(run("replay", self.folder / "part").returncode, 0)
        # Another number of nodes or a shorter duration may not fit the faults.
        self.assert_refused(run("run", path, "--nodes", 2), USAGE, "names a node")
        self.assert_refused(run("run", path, "--duration", "7s"), USAGE, "ends after")
        # A file that has changed is another scenario.
        path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
        self.assert_refused(run("replay", self.folder / "out"), USAGE, "has changed")

    def test_faults_that_a_run_does_not_have_are_refused(self):
        self.assert_refused(run("run", "publish-package", "--keep-faults", "0"), USAGE, "no faults")
        self.assert_refused(run("run", "chaos", "--keep-faults", "9999"), USAGE, "no fault 9999")
        self.assert_refused(run("run", "chaos", "--keep-faults", "1,x"), USAGE, "0,3,7")
        self.assert_refused(run("run", "chaos", "--duration", "0s"), USAGE, "above zero")
        self.assert_refused(run("run", "publish-package", "--duration", "5m"), USAGE, "--duration")
        self.assert_refused(run("run", "chaos", "--sha256", "00"), USAGE, "no file")

    def test_same_seed_gives_same_digest(self):
        first = run("run", "publish-package")
        self.assertEqual(first.returncode, 0, first.stdout)
        self.assertIn("  ok ", first.stdout)
        self.assertNotIn("FAILED", first.stdout)
        self.assertEqual(first.stderr, "")  # progress is for terminals
        self.assertEqual(digest(run("run", "publish-package")), digest(first))
        self.assertNotEqual(digest(run("run", "publish-package", "--seed", 2)), digest(first))
        self.assertNotEqual(digest(run("run", "publish-package", "--fidelity", "message")), digest(first))
        # Spans and a report only watch.
        watched = run("run", "publish-package", "--trace", self.folder / "spans", "--report", self.folder / "out")
        self.assertEqual(digest(watched), digest(first))
        as_json = json.loads(run("run", "publish-package", "--json").stdout)
        self.assertEqual(as_json["digest"], digest(first))
        self.assertTrue(as_json["passed"])

    def test_failed_check(self):
        # A node keeps at most fifty connections, so that sixty cannot all be connected to each other.
        result = run("run", "multi-peer-connectivity", "--nodes", 60)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("FAILED  each node is connected to each other", result.stdout)
        self.assertIn("ggen-p2p-sim run multi-peer-connectivity --seed 1 --nodes 60 --fidelity wire", result.stdout)
        digest(result)

    def test_what_cannot_run(self):
        self.assert_refused(run("run", "pubish-package"), USAGE, "publish-package", "ggen-p2p-sim list")
        self.assert_refused(run("run", "publish-package", "--nodes", 0), USAGE, "at least 2")
        self.assert_refused(run("run", "peer-failure-recovery", "--nodes", 4), USAGE, "at least 5")
        self.assert_refused(run("run", "large-network", "--nodes", 2**32 - 1), USAGE, "memory")
        self.assert_refused(run("run", "publish-package", "--fidelity", "high"), USAGE)
        self.assert_refused(run("repaly"), USAGE, "replay")
        error = json.loads(run("run", "nothing", "--json").stdout)["error"]
        self.assertEqual(error["code"], "usage")

    def test_foreign_folder_is_refused_before_the_run(self):
        (self.folder / "mine.txt").write_text("mine", encoding="utf-8")
        spans = self.folder / "spans.json"
        result = run("run", "publish-package", "--report", self.folder, "--trace", spans)
        self.assert_refused(result, OUTPUT, "holds other files")
        self.assertEqual(os.listdir(self.folder), ["mine.txt"])

    def test_trace_that_cannot_be_opened(self):
        self.assert_refused(run("run", "publish-package", "--trace", self.folder / "no/spans"), OUTPUT, "no/spans")

    def test_report_replay_compare(self):
        out = self.folder / "out"
        made = run("run", "publish-package", "--seed", 3, "--report", out)
        replayed = run("replay", out)
        self.assertEqual(replayed.returncode, 0, replayed.stdout)
        self.assertEqual(digest(replayed), digest(made))

        compared = run("compare", out, out, "--output", self.folder / "both")
        self.assertEqual(compared.returncode, 0, compared.stderr)
        self.assertTrue((self.folder / "both/comparison.json").is_file())

        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
        self.assertRegex(report["build"], r"^\w+, (g\+\+|clang) \d+\.\d+$")
        self.assertGreater(report["wall_ns"], 0)
        report["digest"] = "0" * 64
        (out / "report.json").write_text(json.dumps(report), encoding="utf-8")
        self.assertEqual(run("replay", out).returncode, 1)
        self.assert_refused(run("replay", self.folder / "nothing"), USAGE, "nothing")

    def test_spans(self):
        path = self.folder / "spans.json"
        self.assertEqual(run("run", "publish-package", "--trace", path).returncode, 0)
        spans = spans_of(path)
        publish = [span for span in spans if span["name"] == "p2p.package.publish"]
        puts = [span for span in spans if span["name"] == "p2p.dht.put"]
        self.assertEqual(len(publish), 1)
        self.assertIn(publish[0]["spanId"], [span.get("parentSpanId") for span in puts])
        found = [attributes(span)["found"] for span in spans if span["name"] == "p2p.package.resolve"]
        self.assertEqual(found, [{"boolValue": True}])

    def test_interrupt_leaves_a_report(self):
        out = self.folder / "out"
        # On a terminal, so that it tells when it is under way.
        terminal, end = pty.openpty()
        with subprocess.Popen([PROGRAM, "run", "large-network", "--report", out], stdout=subprocess.PIPE, stderr=end,
                              text=True) as process:
            os.close(end)
            shown = os.read(terminal, 1000).decode()
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=120)
        os.close(terminal)
        self.assertIn("nodes join", shown)
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assertIn("Interrupted", printed)
        self.assertRegex(printed.splitlines()[-1], DIGEST)
        self.assertTrue(json.loads((out / "report.json").read_text(encoding="utf-8"))["interrupted"])
        self.assert_refused(run("replay", out), USAGE, "interrupted")

    def test_abort_tells_how_to_run_it_again(self):
        terminal, end = pty.openpty()
        with subprocess.Popen([PROGRAM, "run", "large-network", "--seed", "9"], stdout=subprocess.DEVNULL,
                              stderr=end) as process:
            os.close(end)
            shown = os.read(terminal, 1000)  # it is under way
            process.send_signal(signal.SIGABRT)
            process.wait(timeout=120)
            while b"--fidelity" not in shown:
                shown += os.read(terminal, 1000)
        os.close(terminal)
        self.assertEqual(process.returncode, -signal.SIGABRT)
        self.assertRegex(shown.decode(), r"Made by version [\d.]+ \(.*\)")
        self.assertIn("ggen-p2p-sim run large-network --seed 9 --nodes 50 --fidelity", shown.decode())


class SweepTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self):
        """A long sweep with all of its children at work: the process, the end of its terminal, and its children."""
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        process = subprocess.Popen([PROGRAM, "sweep", "large-network", "--seeds", "1..1000", "--jobs", "2"],
                                   stdout=subprocess.PIPE, stderr=end, text=True)
        self.addCleanup(process.stdout.close)
        os.close(end)
        shown = os.read(terminal, 1000).decode()
        self.assertIn("of 1000 seeds", shown)
        path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        children = [os.pidfd_open(int(child)) for child in path.read_text(encoding="ascii").split()]
        for child in children:
            self.addCleanup(os.close, child)
        self.assertTrue(children)
        return process, children

    def assert_gone(self, children):
        for child in children:
            self.assertTrue(select.select([child], [], [], 60)[0], "a child lives on")

    def test_nothing_fails(self):
        out = self.folder / "out"
        result = run("sweep", "publish-package", "--seeds", "1..6", "--report", out)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(result.stdout.splitlines()[-1], "6 passed, 0 failed")
        self.assertEqual(result.stderr, "")
        self.assertEqual(os.listdir(out), [])
        alone = json.loads(run("sweep", "publish-package", "--seeds", "1..6", "--jobs", 1, "--json").stdout)
        self.assertEqual((alone["passed"], alone["failed"], alone["smallest"]), (6, 0, None))

    def test_failed_check_is_made_smaller(self):
        # Each disk has room for one archive, so that nobody can fetch another one.
        scenario = self.folder / "full.toml"
        scenario.write_text('nodes = 6\nduration = "20s"\n[disk]\ncapacity = 100000\n'
                            '[workload]\npublishes = 60\nfetches = 120\n', encoding="utf-8")
        out = self.folder / "out"
        result = run("sweep", scenario, "--seeds", "1..2", "--stop-after", 1, "--report", out, "--json")
        self.assertEqual(result.returncode, 1, result.stdout)
        swept = json.loads(result.stdout)
        failure, smallest = swept["failures"][0], swept["smallest"]
        self.assertIn("archives that somebody holds are fetched", failure["failure"])
        self.assertIn(f"--seed {failure['seed']} --nodes 6 --fidelity wire", failure["replay"])
        self.assertEqual(smallest["failure"], failure["failure"])
        self.assertLess(smallest["nodes"], 6)
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
        self.assertEqual(report["nodes"], smallest["nodes"])
        self.assertEqual(report["replay"], smallest["replay"])

    def test_run_that_hangs_has_failed(self):
        result = run("sweep", "publish-package", "--seeds", "1..2", "--timeout", "1ms")
        self.assertEqual(result.returncode, 1, result.stdout)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[-1], "0 passed, 2 failed")
        for seed in (1, 2):
            command = f"ggen-p2p-sim run publish-package --seed {seed} --nodes 4 --fidelity wire"
            self.assertTrue(any("did not end in time" in line and command in line for line in lines), result.stdout)
        self.assertIn("2 nodes and 0 faults", result.stdout)
        self.assertRegex(result.stdout, r"Made by version [\d.]+ \(")

    def test_what_cannot_run(self):
        for arguments, words in (
                (["--seeds", "5..1"], "--seeds 1..5"), (["--seeds", "x"], "--seeds 1..100"), ([], "--seeds"),
                (["--seeds", "1..1000000000"], "1000000"), (["--seeds", "1..2", "--jobs", "0"], "--jobs"),
                (["--seeds", "1..2", "--stop-after", "0"], "--stop-after"),
                (["--seeds", "1..2", "--timeout", "0"], "--timeout"), (["--seeds", "1..2", "--nodes", "1"], "at least 2")):
            result = run("sweep", "publish-package", *arguments)
            self.assertEqual((result.returncode, result.stdout), (USAGE, ""), arguments)
            self.assertIn(words, result.stderr)
        self.assertIn("publish-package", run("sweep", "pubish-package", "--seeds", "1..2").stderr)
        (self.folder / "mine.txt").write_text("mine", encoding="utf-8")
        self.assertEqual(run("sweep", "publish-package", "--seeds", "1..2", "--report", self.folder).returncode, OUTPUT)

    def test_interrupt_tells_what_was_found(self):
        process, children = self.start()
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assertIn("Interrupted", printed)
        self.assertRegex(printed.splitlines()[-1], r"^\d+ passed, 0 failed$")
        self.assert_gone(children)

    def test_killed_sweep_leaves_no_child(self):
        process, children = self.start()
        process.kill()
        process.wait(timeout=60)
        self.assert_gone(children)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
