#!/usr/bin/env python3
"""Checks that each kind of rule holds where it should, and where it should not says what was expected and what there was."""

import json
import pathlib
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import otlp  # noqa: E402
from spans import ANY, ROOT, AtLeast, Order, Span, Spans, Within, failures, read  # noqa: E402

SECOND = 10**9


def span(name, start=0, end=1, node="A", trace="t", attributes=None, **more):
    fields = {"id": name, "parent": None, "events": [], "error": None, **more}
    return Span(node=node, trace=trace, name=name, start=start * SECOND, end=end * SECOND, attributes=attributes or {},
                **fields)


class RuleTest(unittest.TestCase):
    def assert_holds(self, spans, *rules):
        self.assertEqual(failures(spans, rules), [])

    def assert_fails(self, spans, rule, *words):
        found = failures(spans, [rule])
        self.assertEqual(len(found), 1, "the rule holds")
        for word in words:
            self.assertIn(word, found[0])

    def test_a_span_that_is_not_there(self):
        self.assert_holds([span("put")], Spans("put"))
        self.assert_fails([span("put"), span("put")], Spans("get"), "expected at least 1 times get that succeeded",
                          "there were 0", "of other names: put (2)")

    def test_how_many(self):
        two = [span("put"), span("put")]
        self.assert_holds(two, Spans("put", count=2), Spans("put", count=AtLeast(2)), Spans("get", count=0))
        self.assert_fails(two, Spans("put", count=3), "expected 3 times put", "there were 2")
        self.assert_fails(two, Spans("put", count=AtLeast(3)), "at least 3", "there were 2")
        self.assert_fails(two, Spans("put", count=0), "expected 0", "there were 2")

    def test_attributes(self):
        spans = [span("put", attributes={"key": "ab12", "stored": 3, "flag": True})]
        for right in ({"key": "ab12"}, {"key": re.compile("[a-f0-9]+")}, {"stored": AtLeast(3)}, {"stored": Within(1, 3)},
                      {"key": ANY, "flag": True}):
            self.assert_holds(spans, Spans("put", right))
        self.assert_fails(spans, Spans("put", {"key": "ab"}), "with key 'ab'", "1 do not fit: key is 'ab12'")
        self.assert_fails(spans, Spans("put", {"key": re.compile("ab")}), "key like ab", "key is 'ab12'")
        self.assert_fails(spans, Spans("put", {"stored": AtLeast(4)}), "stored at least 4", "stored is 3")
        self.assert_fails(spans, Spans("put", {"stored": Within(4, 9)}), "stored 4 to 9", "stored is 3")
        self.assert_fails(spans, Spans("put", {"lost": AtLeast(0)}), "lost is None")
        # True is no number, though Python thinks so.
        self.assert_fails(spans, Spans("put", {"flag": 1}), "flag is True")

    def test_status(self):
        failed = [span("search", error="Timeout")]
        self.assert_holds(failed, Spans("search", error="Timeout"), Spans("search", error=re.compile("Time.*")),
                          Spans("search", error=ANY), Spans("search", count=0))
        self.assert_fails(failed, Spans("search"), "that succeeded", "it failed with 'Timeout'")
        self.assert_fails(failed, Spans("search", error="refused"), "that failed with 'refused'", "it failed with 'Timeout'")
        self.assert_fails([span("search")], Spans("search", error="Timeout"), "it succeeded")

    def test_parents(self):
        publish = span("publish")
        spans = [publish, span("put", parent=publish)]
        self.assert_holds(spans, Spans("put", parent="publish"), Spans("publish", parent=ROOT))
        self.assert_fails(spans, Spans("publish", parent="init"), "as a part of init", "it has no parent")
        self.assert_fails(spans, Spans("put", parent="init"), "it is a part of publish")
        self.assert_fails(spans, Spans("put", parent=ROOT), "without a parent", "it is a part of publish")

    def test_how_long_of_whom_and_events(self):
        spans = [span("search", 0, 3, events=[("source", {"peer.id": "B", "chunks": 2})])]
        self.assert_holds(spans, Spans("search", seconds=Within(2, 4)), Spans("search", node="A"),
                          Spans("search", event=("source", {"peer.id": "B", "chunks": AtLeast(1)})))
        self.assert_fails(spans, Spans("search", seconds=Within(0, 1)), "that took 0 to 1 s", "it took 3.000 s")
        self.assert_fails(spans, Spans("search", node="B"), "of 'B'", "it is of A")
        self.assert_fails(spans, Spans("search", event=("source", {"peer.id": "C"})), "an event source with peer.id 'C'",
                          "its events are")

    def test_on_how_many_nodes_and_how_many_different(self):
        spans = [span("receive", node=node, attributes={"name": name}) for node in "AB" for name in ("x", "y", "x")]
        self.assert_holds(spans, Spans("receive", nodes=2, count=3), Spans("receive", different="name", count=2),
                          Spans("receive", nodes=2, different="name", count=2), Spans("receive", nodes=AtLeast(1)))
        self.assert_fails(spans, Spans("receive", nodes=3), "expected on 3 nodes each", "there were [3, 3]")
        self.assert_fails(spans + [span("receive", node="B")], Spans("receive", nodes=2, count=3), "there were [3, 4]")
        self.assert_fails(spans, Spans("receive", different="name", count=3), "different name of receive", "there were 2")
        self.assert_fails(spans, Spans("receive", nodes=2, different="name", count=1), "there were [2, 2]")

    def test_after(self):
        spans = [span("put", 0, 2), span("get", 1, 3), span("get", 2, 3), span("list", 5, 6)]
        get = Spans("get", after=Spans("put"), count=1)
        self.assert_holds(spans, get, Spans("list", after=get))
        self.assert_fails(spans, Spans("get", after=Spans("put"), count=2), "after put", "there were 1",
                          "1 do not fit: it starts too early")
        self.assert_fails(spans, Spans("put", after=Spans("list")), "it starts too early")
        self.assert_fails(spans, Spans("put", after=Spans("nothing")), "it starts too early")

    def test_order(self):
        spans = [span("put", 0, 2, attributes={"key": "x"}), span("get", 2, 3, node="B", attributes={"key": "x"})]
        self.assert_holds(spans, Order(Spans("put"), Spans("get")), Order(Spans("put"), Spans("get"), same="key"),
                          Order(Spans("put"), Spans("get"), same="trace"))
        self.assert_fails(spans, Order(Spans("get"), Spans("put")), "expected first get", "then put",
                          "starts 3.000000 s before")
        self.assert_fails(spans, Order(Spans("put"), Spans("get"), same="node"), "no such with node 'B'")
        self.assert_fails(spans, Order(Spans("put"), Spans("list")), "there were 1 and 0 such")
        # Each of the later ones, not just one.
        early = span("get", 1, 3, attributes={"key": "x"})
        self.assert_fails([*spans, early], Order(Spans("put"), Spans("get")), "starts 1.000000 s before")


def document(**changed):
    one = {"traceId": "0123456789abcdef0123456789abcdef", "spanId": "0123456789abcdef", "name": "put", "kind": 1,
           "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000000000001",
           "attributes": [{"key": "key", "value": {"stringValue": "x"}}, {"key": "n", "value": {"intValue": "-5"}}],
           "events": [{"timeUnixNano": "1700000000000000000", "name": "hop", "attributes": []}], "status": {"code": 1}}
    one.update(changed)
    one = {key: value for key, value in one.items() if value is not None}
    resource = {"attributes": [{"key": "service.instance.id", "value": {"stringValue": "A"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "ggen.p2p"}, "spans": [one]}]}]}


def attribute(value):
    return [{"key": "key", "value": value}]


class OtlpTest(unittest.TestCase):
    def test_what_is_right_passes(self):
        otlp.check(document())
        otlp.check(document(parentSpanId="00000000000000ff", kind=3, droppedEventsCount=7,
                            status={"code": 2, "message": "Timeout"}))
        for value in ({"boolValue": False}, {"doubleValue": 0.5}, {"doubleValue": "NaN"}, {"intValue": str(2**63 - 1)}):
            otlp.check(document(attributes=attribute(value)))

    def test_each_way_to_be_wrong_is_named(self):
        for words, changed in (
                ("32 hexadecimal", {"traceId": "ASNFZ4mrze8BI0VniavN7w=="}),
                ("32 hexadecimal", {"traceId": "0123456789ABCDEF0123456789abcdef"}),
                ("16 hexadecimal", {"spanId": 81985529216486895}),
                ("zero", {"spanId": "0" * 16}),
                ("16 hexadecimal", {"parentSpanId": ""}),
                ("lacks name", {"name": None}),
                ("no name", {"name": ""}),
                ("number from 1 to 5", {"kind": "SPAN_KIND_CLIENT"}),
                ("number from 1 to 5", {"kind": 0}),
                ("decimal digits", {"startTimeUnixNano": 1700000000000000000}),
                ("out of range", {"startTimeUnixNano": "-1"}),
                ("ends before", {"endTimeUnixNano": "1699999999999999999"}),
                ("unknown field", {"trace_state": ""}),
                ("decimal digits", {"attributes": attribute({"intValue": 5})}),
                ("out of range", {"attributes": attribute({"intValue": str(2**63)})}),
                ("neither true nor false", {"attributes": attribute({"boolValue": "true"})}),
                ("no number", {"attributes": attribute({"doubleValue": "0.5"})}),
                ("no text", {"attributes": attribute({"stringValue": 5})}),
                ("not one value", {"attributes": attribute({})}),
                ("not one value", {"attributes": attribute({"boolValue": True, "intValue": "1"})}),
                ("twice", {"attributes": attribute({"intValue": "1"}) * 2}),
                ("lacks timeUnixNano", {"events": [{"name": "hop"}]}),
                ("number from 0 to 2", {"status": {"code": "STATUS_CODE_OK"}}),
                ("an error that there is not", {"status": {"code": 1, "message": "x"}}),
                ("no list", {"events": {}})):
            with self.subTest(changed=changed), self.assertRaisesRegex(otlp.NotOtlp, words):
                otlp.check(document(**changed))
        with self.assertRaisesRegex(otlp.NotOtlp, "lacks resourceSpans"):
            otlp.check({})
        with self.assertRaisesRegex(otlp.NotOtlp, "line 2"):
            otlp.documents(json.dumps(document()) + "\n{\n")


class ReadTest(unittest.TestCase):
    def read(self, *documents):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, text in enumerate(documents):
                paths.append(pathlib.Path(folder) / str(number))
                paths[-1].write_text(text, encoding="utf-8")
            return read(paths)

    def test_spans_of_several_files_with_their_parents(self):
        parent = json.dumps(document(name="publish", startTimeUnixNano="1"))
        child = json.dumps(document(spanId="00000000000000ff", parentSpanId="0123456789abcdef",
                                    status={"code": 2, "message": "Timeout"}))
        first, second = self.read(child, parent)
        self.assertEqual((first.name, first.parent, first.error, first.node), ("publish", None, None, "A"))
        self.assertEqual((second.parent, second.error), (first, "Timeout"))
        self.assertEqual(second.attributes, {"key": "x", "n": -5})
        self.assertEqual(second.events, [("hop", {})])

    def test_a_parent_that_is_nowhere_and_a_span_that_is_twice_are_refused(self):
        with self.assertRaisesRegex(otlp.NotOtlp, "parent of put"):
            self.read(json.dumps(document(parentSpanId="00000000000000ff")))
        with self.assertRaisesRegex(otlp.NotOtlp, "twice"):
            self.read(json.dumps(document()), json.dumps(document()))


if __name__ == "__main__":
    unittest.main()
