#!/usr/bin/env python3
"""Plants a violation of each rule in a small tree and checks that tidy reports that and no more."""

import os
import re
import tempfile
import unittest

from cpp_text import code_only, without_comments
from tidy import MAX_LINES, Tidy

# A tree without violations: each file shows something that is allowed, though it looks alike.
CLEAN = {
    "meson.build": "project('x', 'cpp')\n# layers = ['none']\n"
                   "layers = [\n  'base',\n  'crypto',\n  'noise',\n  'yamux',\n  'host',\n]\n",
    "include/ggen/p2p/base/hash_map.hpp":
        "#pragma once\n#include <unordered_map>\nstd::unordered_map<int, int> map;\n",
    "include/ggen/p2p/noise/noise.hpp":
        "#pragma once\n#include <vector>\n#include <ggen/p2p/base/hash_map.hpp>\n"
        "// Never calls Clock::now() or asio::read; sleep( is not code here either.\n"
        "struct Noise { const char* text = \"std::mutex // rand()\"; int limit = 60'000; };\n",
    "src/noise/state.hpp": "#pragma once\nint transmit_time(int now);\n",
    "src/noise/noise.cpp":
        "#include <ggen/p2p/noise/noise.hpp>\n#include \"state.hpp\"\n#include <openssl/evp.h>\n"
        "std::size_t Noise::write(int a, int b) { return time_.open(a, b); }\n",
    "src/noise/meson.build":
        "# asio is for drivers\nnoise_lib = static_library('ggen-noise', 'noise.cpp',\n"
        "  dependencies: [crypto_dep, sodium_dep])\nnoise_dep = declare_dependency(link_with: noise_lib)\n",
    "src/yamux/meson.build": "yamux_lib = static_library('ggen-yamux', 'yamux.cpp')\n",
    "src/yamux/yamux.cpp": "int yamux;\n",
    "src/crypto/meson.build": "crypto_lib = static_library('ggen-crypto', 'system.cpp')\n",
    "src/crypto/system.cpp": "void fill(void* p) { randombytes_buf(p, 8); }\n",
    "include/ggen/p2p/host/host.hpp": "#pragma once\n#include <asio/awaitable.hpp>\n",
    "src/host/host.cpp":
        "#include <asio.hpp>\n#include <fstream>\n#include <mutex>\n#include <ggen/p2p/noise/noise.hpp>\n"
        "auto now = std::chrono::steady_clock::now();\nstd::shared_ptr<int> p;\n",
    "src/host/meson.build":
        "host_lib = static_library('ggen-host', 'host.cpp',\n"
        "  dependencies: [asio_dep, threads_dep, noise_dep])\n",
    "test/meson.build": "main = static_library('main', 'support/main.cpp')\n",
    "test/support/main.cpp": "int main() {}\n",
    "test/fuzz/meson.build": "names = [\n  'yamux',\n]\n",
    "test/fuzz/yamux_fuzz.cpp": "int fuzz;\n",
    "test/noise/meson.build": "executable('test-noise', 'noise_test.cpp')\n",
    "test/noise/noise_test.cpp": "#include <thread>\nauto t = std::chrono::steady_clock::now();\n",
}

NOISE_CPP = "src/noise/noise.cpp"
NOISE_HPP = "include/ggen/p2p/noise/noise.hpp"
NOISE_MESON = "src/noise/meson.build"

# rule, file, the line to add to it.
PLANTED = [
    ("asio", NOISE_CPP, "#include <asio/buffer.hpp>"),
    ("asio", NOISE_CPP, "asio::io_context context;"),
    ("clock", NOISE_CPP, "#include <ctime>"),
    ("clock", NOISE_CPP, "auto t = Clock::now();"),
    ("clock", NOISE_CPP, "using Clock = std::chrono::steady_clock;"),
    ("clock", NOISE_CPP, "clock_gettime(id, &spec);"),
    ("clock", NOISE_CPP, "auto t = time(NULL);"),
    ("clock", NOISE_CPP, "auto t = std::time(nullptr);"),
    ("random", NOISE_CPP, "#include <random>"),
    ("random", NOISE_CPP, "std::random_device device;"),
    ("random", NOISE_CPP, "int dice = rand() % 6;"),
    ("random", NOISE_CPP, "randombytes_buf(key, 32);"),
    ("random", NOISE_CPP, "RAND_bytes(key, 32);"),
    ("thread", NOISE_CPP, "#include <mutex>"),
    ("thread", NOISE_CPP, "std::jthread worker;"),
    ("thread", NOISE_CPP, "std::mutex mutex;"),
    ("io", NOISE_CPP, "#include <fstream>"),
    ("io", NOISE_CPP, "#include <filesystem>"),
    ("io", NOISE_CPP, "#include <unistd.h>"),
    ("io", NOISE_CPP, "#include <sys/socket.h>"),
    ("io", NOISE_CPP, "#include <arpa/inet.h>"),
    ("io", NOISE_CPP, "std::ifstream file;"),
    ("io", NOISE_CPP, "std::cout << 1;"),
    ("io", NOISE_CPP, "auto* file = std::fopen(name, mode);"),
    ("io", NOISE_CPP, "auto path = std::filesystem::path{};"),
    ("io", NOISE_CPP, "return ::read(fd, data, size);"),
    ("io", NOISE_CPP, "auto home = std::getenv(name);"),
    ("coroutine", NOISE_CPP, "#include <coroutine>"),
    ("coroutine", NOISE_CPP, "co_await next();"),
    ("shared-ptr", NOISE_CPP, "std::shared_ptr<int> owner;"),
    ("shared-ptr", NOISE_HPP, "auto owner = std::make_shared<int>();"),
    ("hash-order", NOISE_CPP, "#include <unordered_set>"),
    ("hash-order", NOISE_CPP, "for (auto& e : std::unordered_map<int, int>{}) use(e);"),
    ("layer", NOISE_CPP, "#include <ggen/p2p/host/host.hpp>"),
    ("layer", "src/crypto/system.cpp", "#include <ggen/p2p/noise/noise.hpp>"),
    ("layer", "src/yamux/yamux.cpp", "#include <ggen/p2p/noise/noise.hpp>"),
    ("layer", NOISE_HPP, "#include <ggen/p2p/nowhere/nowhere.hpp>"),
    ("layer", NOISE_MESON, "more = declare_dependency(dependencies: host_dep)"),
    ("layer", NOISE_MESON, "more = declare_dependency(link_with: yamux_lib)"),
    ("layer", "src/stray/stray.cpp", "int stray;"),
    ("private", NOISE_CPP, "#include \"../crypto/system.hpp\""),
    ("private", NOISE_CPP, "#include \"crypto/system.hpp\""),
    ("public-include", NOISE_HPP, "#include <fmt/format.h>"),
    ("public-include", NOISE_HPP, "#include <msgpack.hpp>"),
    ("public-include", NOISE_HPP, "#include \"state.hpp\""),
    ("public-include", "include/ggen/p2p/host/host.hpp", "#include <CLI/CLI.hpp>"),
    ("public-include", "include/ggen/p2p/host/host.hpp", "#include <sqlite3.h>"),
    ("meson", NOISE_MESON, "more = declare_dependency(dependencies: asio_dep)"),
    ("meson", NOISE_MESON, "more = dependency('threads')"),
    ("meson", NOISE_MESON, "more = dependency('sqlite3')"),
    ("sleep", NOISE_CPP, "std::this_thread::sleep_for(t);"),
    ("sleep", "test/noise/noise_test.cpp", "std::this_thread::sleep_until(t);"),
    ("sleep", "src/host/host.cpp", "sleep(1);"),
    ("unfinished", "tools/run", "# TO" "DO: the rest"),
    ("unfinished", NOISE_HPP, "// FIX" "ME"),
    ("unbuilt", "test/noise/forgotten_test.cpp", "int forgotten;"),
    ("unbuilt", "test/fuzz/noise_fuzz.cpp", "int fuzz;"),
    ("unbuilt", "src/noise/main.cpp", "int main() {}"),
    ("pragma-once", "test/support/pair.hpp", "int pair;"),
    ("length", "test/noise/noise_test.cpp", "\n" * MAX_LINES),
]


def violations_of(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return Tidy(root).run()


class TidyTest(unittest.TestCase):
    def test_a_clean_tree_has_no_violations(self):
        self.assertEqual([str(v) for v in violations_of(CLEAN)], [])

    def test_each_planted_violation_is_reported_where_it_stands(self):
        for rule, path, line in PLANTED:
            with self.subTest(rule=rule, line=line):
                before = CLEAN.get(path, "")
                found = violations_of({**CLEAN, path: before + line + "\n"})
                self.assertEqual({(v.rule, v.file) for v in found}, {(rule, path)}, found)
                if rule not in ("pragma-once", "length", "unbuilt") and "stray" not in path:
                    self.assertEqual({v.line for v in found}, {before.count("\n") + 1})

    def test_every_rule_has_a_planted_violation(self):
        with open(os.path.join(os.path.dirname(__file__), "tidy.py"), encoding="utf-8") as file:
            text = file.read()
        named = set(re.findall(r"_pattern\(\s*\"([\w-]+)\"", text))
        named |= set(re.findall(r"report\(\s*\"([\w-]+)\"", text))
        named |= set(re.findall(r"_report(?:_at)?\([^\"\n]*\"([\w-]+)\"", text))
        self.assertEqual(named - {rule for rule, _, _ in PLANTED}, set())
        self.assertGreater(len(named), 10)

    def test_a_tree_without_a_layers_list_is_an_error(self):
        with self.assertRaises(SystemExit):
            violations_of({"meson.build": "project('x')\n"})


class CppTextTest(unittest.TestCase):
    def test_lines_and_code_stay_where_they_are(self):
        text = "int a; // rand()\n/* b\n*/ char c = '\"'; // \"\nauto d = R\"x(rand()\n)x\"; int e = 1'000;\n"
        for blanked in (code_only(text), without_comments(text)):
            self.assertEqual(blanked.count("\n"), text.count("\n"))
            self.assertEqual(len(blanked), len(text))
        self.assertNotIn("rand", code_only(text))
        self.assertIn("int e = 1'000;", code_only(text))
        self.assertIn("char c =", code_only(text))


if __name__ == "__main__":
    unittest.main()
