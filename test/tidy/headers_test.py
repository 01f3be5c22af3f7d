#!/usr/bin/env python3
"""Compiles every public header on its own: including one must never depend on what came before it.

Usage: headers_test.py ROOT WORK COMPILER [ARGUMENT...]

Headers that compiled before, with everything that they include unchanged since, are not compiled again.
"""

import concurrent.futures
import os
import subprocess
import sys

FLAGS = ["-std=c++23", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def public_headers(include):
    return sorted(os.path.relpath(os.path.join(folder, name), include)
                  for folder, _, names in os.walk(include) for name in names if name.endswith(".hpp"))


def is_unchanged(compiled, dependencies):
    """Whether `compiled` is newer than everything that the compiler's dependency file names."""
    try:
        since = os.stat(compiled).st_mtime_ns
        with open(dependencies, encoding="utf-8") as file:
            _, _, paths = file.read().replace("\\\n", " ").partition(": ")
        return all(os.stat(path).st_mtime_ns < since for path in paths.split())
    except OSError:
        return False


def compile_alone(header, include, work, compiler):
    """The compiler's complaint about `header`, empty when it has none."""
    source = os.path.join(work, header.replace("/", "-") + ".cpp")
    compiled, dependencies = source + ".o", source + ".d"
    if is_unchanged(compiled, dependencies):
        return ""
    if not os.path.exists(source):
        with open(source, "w", encoding="utf-8") as file:
            file.write(f"#include <{header}>\n")
    # An object file, not -fsyntax-only: compiler caches keep nothing of the latter.
    command = [*compiler, *FLAGS, "-I", include, "-MD", "-MF", dependencies, "-c", source, "-o", compiled]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stderr or f"{command[0]} failed\n") if done.returncode != 0 else ""


def main():
    root, work, *compiler = sys.argv[1:]
    include = os.path.join(os.path.abspath(root), "include")
    headers = public_headers(include)
    os.makedirs(work, exist_ok=True)
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = pool.map(lambda h: compile_alone(h, include, work, compiler), headers)
        for header, complaint in zip(headers, complaints):
            if complaint:
                failures += 1
                print(f"include/{header}: does not compile on its own:\n{complaint}")
    print(f"{len(headers)} headers, {failures} failures")
    return 1 if failures or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
