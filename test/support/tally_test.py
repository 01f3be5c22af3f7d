#!/usr/bin/env python3
"""Checks that no way for a test to go wrong can be counted as a pass."""

import io
import unittest

from tally import Count, count, read_log, report


def doctest(passed, failed, skipped=0):
    return (f"[doctest] test cases: {passed + failed:5} | {passed:5} passed | {failed} failed | {skipped} skipped\n"
            "[doctest] assertions: 7 | 7 passed | 0 failed |\n")


def entry(result, stdout="", **more):
    return {"name": "yamux", "result": result, "stdout": stdout, "returncode": 0, **more}


def last_line(tests, status=0):
    out = io.StringIO()
    code = report(tests, status, out)
    return out.getvalue().splitlines()[-1], code


class TallyTest(unittest.TestCase):
    def test_doctest_cases_count_one_each_and_other_tests_one(self):
        self.assertEqual(count(entry("OK", doctest(19, 0))), Count(19, 0))
        self.assertEqual(count(entry("OK", "tidy\n")), Count(1, 0))
        self.assertEqual(count(entry("OK", doctest(3, 0) + doctest(2, 0))), Count(5, 0))
        self.assertEqual(count(entry("OK", "[doctest] test cases: 1 | 1 passed | 0 failed\n")), Count(1, 0))

    def test_failed_cases_count_one_each(self):
        self.assertEqual(count(entry("FAIL", doctest(17, 2))), Count(17, 2))

    def test_a_crash_counts_as_a_failure_before_and_after_the_summary(self):
        self.assertEqual(count(entry("FAIL", "AddressSanitizer: ...")), Count(0, 1))
        self.assertEqual(count(entry("FAIL", doctest(19, 0) + "LeakSanitizer: ...")), Count(19, 1))

    def test_whatever_is_not_ok_is_a_failure(self):
        for result in ("TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS", "EXPECTEDFAIL", "new in Meson"):
            self.assertEqual(count(entry(result)), Count(0, 1), result)

    def test_skipped_tests_are_not_passed(self):
        self.assertEqual(count(entry("SKIP")), Count(0, 0, 1))
        self.assertEqual(count(entry("OK", doctest(3, 0, 2))), Count(3, 0, 2))

    def test_a_binary_without_test_cases_is_a_failure(self):
        self.assertEqual(count(entry("OK", doctest(0, 0))), Count(0, 1))
        self.assertEqual(count(entry("OK", doctest(0, 0, 4))), Count(0, 1, 4))

    def test_the_last_line_and_the_exit_status(self):
        self.assertEqual(last_line([entry("OK", doctest(19, 0)), entry("OK")]), ("20 passed, 0 failed", 0))
        self.assertEqual(last_line([entry("OK", doctest(19, 0)), entry("TIMEOUT")], 1), ("19 passed, 1 failed", 1))

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(last_line([]), ("0 passed, 1 failed", 1))
        self.assertEqual(last_line([entry("SKIP")]), ("0 passed, 1 failed", 1))
        self.assertEqual(read_log("/nonexistent/testlog.json"), [])

    def test_meson_failing_on_its_own_is_a_failure(self):
        self.assertEqual(last_line([entry("OK")], 2), ("1 passed, 1 failed", 1))

    def test_the_output_of_a_failure_is_shown(self):
        out = io.StringIO()
        report([entry("FAIL", "what went wrong\n", stderr="and where\n"), entry("OK", "all well\n")], 1, out)
        self.assertIn("what went wrong\nand where\n", out.getvalue())
        self.assertNotIn("all well", out.getvalue())


if __name__ == "__main__":
    unittest.main()
