#!/usr/bin/env python3
"""Counts what `meson test` ran, shows the output of what failed, and prints `N passed, N failed` as the last line.

Usage: tally.py TESTLOG_JSON MESON_EXIT_STATUS
"""

import json
import re
import sys
from typing import NamedTuple

DOCTEST_SUMMARY = re.compile(
    r"^\[doctest\] test cases: +(\d+) \| +(\d+) passed \| +(\d+) failed(?: \| +(\d+) skipped)?", re.M)


class Count(NamedTuple):
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(*(a + b for a, b in zip(self, other)))


def count(test):
    """What one entry of the log adds: doctest's cases if it is a doctest binary, otherwise one."""
    result = test["result"]
    summaries = [tuple(int(n or 0) for n in found)
                 for found in DOCTEST_SUMMARY.findall(test.get("stdout", ""))]
    if result == "SKIP":
        return Count(skipped=1)
    if result == "OK" and not summaries:
        return Count(passed=1)
    total = Count()
    for _, passed, failed, skipped in summaries:
        total += Count(passed, failed, skipped)
    # A crash or a leak after the summary, a time-out, a program that never got as far, one without a test case: the
    # cases alone do not show it.
    if total.failed == 0 and (result != "OK" or total.passed == 0):
        total += Count(failed=1)
    return total


def report(tests, meson_exit_status, out):
    """Prints the failures and the last line; returns the exit status."""
    total = Count()
    skipped = []
    for test in tests:
        counted = count(test)
        total += counted
        if counted.skipped:
            skipped.append(f"{test['name']} ({counted.skipped})")
        if counted.failed:
            out.write(f"\n== {test['name']}: {test['result']}, exit status {test.get('returncode')}, "
                      f"{test.get('duration', 0):.1f} s\n")
            out.write(test.get("stdout", ""))
            out.write(test.get("stderr", ""))
            out.write(f"== end of {test['name']}; again: tools/test {test['name']}\n")
    if skipped:
        out.write(f"\nSkipped, and not counted: {', '.join(skipped)}\n")
    if total.failed == 0 and total.passed == 0:
        out.write("\nNo test ran.\n")
        total += Count(failed=1)
    elif total.failed == 0 and meson_exit_status != 0:
        out.write(f"\nmeson test ended with {meson_exit_status}, though no test failed.\n")
        total += Count(failed=1)
    out.write(f"\n{total.passed} passed, {total.failed} failed\n")
    return 1 if total.failed else 0


def read_log(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [json.loads(line) for line in file if line.strip()]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(report(read_log(sys.argv[1]), int(sys.argv[2]), sys.stdout))
