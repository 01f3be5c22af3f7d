#!/usr/bin/env python3
"""Checks the rules of the source tree that no compiler knows.

Prints each violation as `file:line: rule: what to do`, and ends with 1 when there is one.
docs/architecture.md gives the reasons; tidy_test.py plants a violation of each rule.
"""

import argparse
import os
import re
import sys
from typing import NamedTuple

from cpp_text import code_only, without_comments

# The layers that do I/O. Every other layer is an engine library. `storage` is the one that touches files: a driver calls
# it from the threads of its pool.
DRIVERS = {"storage", "host", "marketplace", "sim", "conformance"}

# Layers that stand side by side: none of a group knows another of it, whatever the build order.
SIBLINGS = (
    {"multistream", "noise", "yamux"},
    {"identify", "ping", "perf", "reqresp", "kad", "gossipsub", "discovery"},
)

# Where the code is. Everything else in the tree is text or somebody else's.
SOURCE_FOLDERS = ("include", "src", "tools", "test", "bench", "examples", ".ci")
SKIPPED_FOLDERS = {"node_modules", "__pycache__", "corpus"}

MAX_LINES = 800


class Violation(NamedTuple):
    file: str
    line: int
    rule: str
    advice: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.rule}: {self.advice}"


class Pattern(NamedTuple):
    """A rule that one regular expression finds."""
    rule: str
    regex: re.Pattern
    advice: str


def _pattern(rule, regex, advice):
    return Pattern(rule, re.compile(regex), advice)


# What an engine library must not include. The text is that of an #include line, comments removed.
ENGINE_INCLUDES = [
    _pattern("asio", r"<(boost/)?asio\b", "only drivers include Asio: give the engine bytes and events"),
    _pattern("clock", r"<(ctime|time\.h|sys/time\.h)>",
             "engines are told the time: take a base::Instant as an argument"),
    _pattern("random", r"<(random|sys/random\.h)>",
             "take secrets from crypto::Crypto and other choices from base::Prng"),
    _pattern("thread", r"<(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier"
             r"|stop_token|pthread\.h)>",
             "an engine lives on one thread: hand work for the pool out as an output"),
    _pattern("io", r"<(fstream|filesystem|iostream|unistd\.h|fcntl\.h|dirent\.h|poll\.h|netdb\.h"
             r"|termios\.h|(sys|net|netinet|arpa|linux)/[\w./]+)>",
             "engines do no I/O: ask the driver through an output"),
    _pattern("coroutine", r"<coroutine>", "coroutines belong in host and tools: make it a state machine"),
    _pattern("hash-order", r"<unordered_(map|set)>",
             "use base::HashMap, which can only be walked in the order of its keys"),
]

# What the code of an engine library must not say. Comments and string literals are removed.
ENGINE_CODE = [
    _pattern("asio", r"\basio\s*::", "only drivers use Asio: give the engine bytes and events"),
    _pattern("clock", r"::\s*now\s*\(|\b(system|steady|high_resolution|utc|tai|gps|file)_clock\b"
             r"|\b(clock_gettime|gettimeofday|timespec_get)\b"
             r"|\bclock\s*\(\s*\)|\btime\s*\(\s*(NULL|nullptr|0|&\w+)\s*\)",
             "engines are told the time: take a base::Instant as an argument"),
    _pattern("random", r"\brandom_device\b|\bs?rand\s*\(|\b[dlm]rand48\b",
             "take secrets from crypto::Crypto and other choices from base::Prng"),
    _pattern("thread", r"\bstd\s*::\s*(jthread|thread|(\w+_)?mutex|condition_variable\w*|async|promise"
             r"|(shared_)?future|counting_semaphore|binary_semaphore|latch|barrier)\b|\bpthread_\w+",
             "an engine lives on one thread: hand work for the pool out as an output"),
    _pattern("io", r"\b(std\s*::\s*)?(basic_)?[io]?fstream\b|\bfilesystem\s*::|\b(f|fre|fd|p)open\s*\("
             r"|\bstd\s*::\s*(cin|cout|cerr|clog)\b|\b(getenv|setenv)\s*\("
             r"|(?<![\w>])::\s*(socket|open|read|write|close)\s*\(",
             "engines do no I/O: ask the driver through an output"),
    _pattern("coroutine", r"\bco_(await|yield|return)\b",
             "coroutines belong in host and tools: make it a state machine"),
    _pattern("shared-ptr", r"\b(shared_ptr|make_shared|weak_ptr|enable_shared_from_this)\b",
             "own it by value or unique_ptr, and name it from elsewhere by a base::Id"),
    _pattern("hash-order", r"\bunordered_(multi)?(map|set)\b",
             "use base::HashMap, which can only be walked in the order of its keys"),
]

# The rules that a file is exempt from, each for a reason.
EXEMPT = {
    # They wrap the standard's hash table so that nobody else walks one.
    "include/ggen/p2p/base/hash_map.hpp": "hash-order",
    "include/ggen/p2p/base/timer_heap.hpp": "hash-order",
    # All keys of a process share its blocks, whatever thread their nodes live on.
    "src/crypto/locked_slots.hpp": "thread",
}

# crypto is the one library that calls the entropy source of the system's libraries.
ENTROPY = _pattern("random", r"\b(randombytes_\w+|RAND_(priv_)?bytes|getrandom|getentropy|arc4random\w*)\b",
                   "take entropy from the injected crypto::Crypto")

# What an engine library must not link or name in its meson.build.
ENGINE_MESON = _pattern("meson", r"(?i)\b\w*(asio|threads|httplib|sqlite|cli11|prometheus)\w*",
                        "engine libraries get no Asio, threads or files: move this to a driver")

# Sleeps nowhere, in tests least of all.
SLEEP = _pattern("sleep", r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\s*\(",
                 "wait for the event itself, with a deadline")

UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(?P<what><(?P<system>[^>]+)>|\"(?P<local>[^\"]+)\")", re.M)
OWN_HEADER = re.compile(r"^ggen/p2p/(?P<layer>\w+)/")
STANDARD_HEADER = re.compile(r"^[a-z0-9_]+$")
MESON_LIBRARY = re.compile(r"\b(?P<layer>\w+)_(dep|lib)\b")


def read_layers(root):
    """The names in the `layers` list of the root meson.build, lowest first."""
    with open(os.path.join(root, "meson.build"), encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read())
    found = re.search(r"^layers\s*=\s*\[(.*?)\]", text, re.M | re.S)
    if not found:
        raise SystemExit("meson.build: layers: there is no `layers = [...]` list to check against")
    return re.findall(r"'([^']+)'", found.group(1))


def source_files(root):
    """The paths, relative to `root` and sorted, of every file that rules read."""
    paths = []
    for top in SOURCE_FOLDERS:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
            paths += [os.path.relpath(os.path.join(folder, name), root) for name in sorted(files)]
    return [path.replace(os.sep, "/") for path in paths]


def layer_of(path):
    """The layer whose library a path belongs to, or None."""
    found = re.match(r"^(?:src|include/ggen/p2p)/(\w+)/", path)
    return found.group(1) if found else None


def is_cpp(path):
    return path.endswith((".cpp", ".hpp", ".h", ".cc"))


def is_program_text(path):
    return (is_cpp(path) or path.endswith((".py", ".js", ".mjs", ".sh", "meson.build"))
            or "." not in os.path.basename(path))


class Tidy:
    """Walks one tree and collects its violations."""

    def __init__(self, root):
        self.root = root
        self.layers = read_layers(root)
        self.violations = []

    def run(self):
        for path in source_files(self.root):
            try:
                with open(os.path.join(self.root, path), encoding="utf-8") as file:
                    text = file.read()
            except UnicodeDecodeError:
                continue  # a picture or a captured message, not program text
            self._check(path, text)
        return sorted(self.violations)

    def _check(self, path, text):
        if is_program_text(path):
            self._check_any(path, text)
        layer = layer_of(path)
        if layer is not None and layer not in self.layers:
            self._report(path, 1, "layer", f"'{layer}' is not in the layers list of meson.build")
            return
        if is_cpp(path):
            self._check_cpp(path, text, layer)
        elif layer is not None and path.endswith("/meson.build"):
            self._check_meson(path, re.sub(r"#.*", "", text), layer)

    def _check_any(self, path, text):
        lines = text.count("\n")
        if lines > MAX_LINES:
            self._report(path, lines, "length", f"{lines} lines: split it into files of one idea each")
        for found in UNFINISHED.finditer(text):
            self._report_at(path, text, found, "unfinished", "finish it, or write it down as an issue")

    def _check_cpp(self, path, text, layer):
        code = code_only(text)
        if path.endswith(".cpp"):
            self._check_built(path)
        if path.endswith(".hpp") and not re.search(r"^#pragma once$", code, re.M):
            self._report(path, 1, "pragma-once", "start the header with #pragma once")
        self._match(SLEEP, path, code)
        for include in INCLUDE.finditer(without_comments(text)):
            self._check_include(path, text, layer, include)
        if layer is not None and layer not in DRIVERS:
            for rule in ENGINE_CODE:
                if EXEMPT.get(path) != rule.rule:
                    self._match(rule, path, re.sub(r"^[ \t]*#[ \t]*include.*", "", code, flags=re.M))
            if layer != "crypto":
                self._match(ENTROPY, path, code)

    def _check_built(self, path):
        # A test that nobody builds passes for ever. Fuzz targets are listed by their names.
        file = os.path.basename(path)
        mention = re.compile(rf"['/]{re.escape(file)}'|'{re.escape(file.removesuffix('_fuzz.cpp'))}'")
        folder = os.path.dirname(path)
        while folder:
            build = os.path.join(self.root, folder, "meson.build")
            if os.path.exists(build):
                with open(build, encoding="utf-8") as text:
                    if mention.search(re.sub(r"#.*", "", text.read())):
                        return
            folder = os.path.dirname(folder)
        self._report(path, 1, "unbuilt", "no meson.build names this file: add it, or delete it")

    def _check_include(self, path, text, layer, include):
        def report(rule, advice):
            self._report_at(path, text, include, rule, advice)

        system, local = include.group("system"), include.group("local")
        if layer is None:
            return
        own = OWN_HEADER.match(system or local)
        if own:
            self._check_dependency(layer, own.group("layer"), report)
        elif local and local.partition("/")[0] in {"..", *self.layers} - {layer}:
            report("private", "private headers stay in their folder: include the public header")
        if path.startswith("include/"):
            asio_in_host = layer in DRIVERS and system and system.startswith("asio")
            if not own and not asio_in_host and not (system and STANDARD_HEADER.match(system)):
                report("public-include",
                       f"{include.group('what')} in a public header: users get the standard library and "
                       "ggen/p2p only; hide the rest in the .cpp")
        if layer not in DRIVERS:
            for rule in ENGINE_INCLUDES:
                if rule.regex.match(include.group("what")):
                    if EXEMPT.get(path) != rule.rule:
                        report(rule.rule, rule.advice)

    def _check_meson(self, path, text, layer):
        for found in MESON_LIBRARY.finditer(text):
            if found.group("layer") in self.layers:
                self._check_dependency(
                    layer, found.group("layer"),
                    lambda rule, advice, at=found: self._report_at(path, text, at, rule, advice))
        if layer not in DRIVERS:
            self._match(ENGINE_MESON, path, text)

    def _check_dependency(self, layer, used, report):
        if used not in self.layers:
            report("layer", f"'{used}' is not in the layers list of meson.build")
        elif self.layers.index(used) > self.layers.index(layer):
            report("layer", f"'{layer}' stands below '{used}' and must not know it: "
                   "move the shared part down, or the decision up")
        elif used != layer and any({layer, used} <= group for group in SIBLINGS):
            report("layer", f"'{layer}' and '{used}' stand side by side: the layer above composes them")

    def _match(self, pattern, path, text):
        for found in pattern.regex.finditer(text):
            self._report_at(path, text, found, pattern.rule, pattern.advice)

    def _report_at(self, path, text, found, rule, advice):
        self._report(path, text.count("\n", 0, found.start()) + 1, rule, advice)

    def _report(self, path, line, rule, advice):
        self.violations.append(Violation(path, line, rule, advice))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="the top folder of the source tree")
    violations = Tidy(parser.parse_args().root).run()
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations" if violations else "tidy")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
