"""Spans, and rules about them that say what was expected and what there was instead."""

import collections
import dataclasses
import math
import pathlib
import re

import otlp

ANY = object()
ROOT = object()  # as a parent: there is none
SHOWN = 6  # of the spans that do not fit
ERROR = 2  # the status code


@dataclasses.dataclass
class Span:
    node: str  # who made it
    trace: str
    id: str
    parent: "Span | None"
    name: str
    start: int  # ns
    end: int
    attributes: dict
    events: list  # of (name, attributes)
    error: "str | None"

    @property
    def seconds(self):
        return (self.end - self.start) / 1e9


def value_of(value):
    (kind, held), = value.items()
    return int(held) if kind == "intValue" else held


def attributes_of(message):
    return {item["key"]: value_of(item["value"]) for item in message.get("attributes", [])}


def read(paths):
    """All spans of files in OTLP's JSON encoding, by their starts. A parent must be in one of them."""
    spans, parents = {}, {}
    for path in paths:
        for document in otlp.documents(pathlib.Path(path).read_text(encoding="utf-8")):
            for resource in document["resourceSpans"]:
                node = attributes_of(resource["resource"])["service.instance.id"]
                for one in (one for scope in resource["scopeSpans"] for one in scope["spans"]):
                    key = one["traceId"], one["spanId"]
                    if key in spans:
                        raise otlp.NotOtlp(f"{path}: the span {key} is there twice")
                    status = one.get("status", {})
                    spans[key] = Span(node, *key, None, one["name"], int(one["startTimeUnixNano"]),
                                      int(one["endTimeUnixNano"]), attributes_of(one),
                                      [(event["name"], attributes_of(event)) for event in one.get("events", [])],
                                      status.get("message", "") if status.get("code") == ERROR else None)
                    if "parentSpanId" in one:
                        parents[key] = one["traceId"], one["parentSpanId"]
    for key, parent in parents.items():
        if parent not in spans:
            raise otlp.NotOtlp(f"the parent of {spans[key].name} {key} is nowhere")
        spans[key].parent = spans[parent]
    return sorted(spans.values(), key=lambda span: span.start)


# ---- What a value may be ----

@dataclasses.dataclass(frozen=True)
class AtLeast:
    least: float

    def __contains__(self, value):
        return value is not None and value >= self.least

    def __str__(self):
        return f"at least {self.least}"


@dataclasses.dataclass(frozen=True)
class Within:
    least: float
    most: float

    def __contains__(self, value):
        return value is not None and self.least <= value <= self.most

    def __str__(self):
        return f"{self.least} to {self.most}"


def fits(wanted, value):
    if wanted is ANY:
        return True
    if isinstance(wanted, re.Pattern):
        return isinstance(value, str) and wanted.fullmatch(value) is not None
    if isinstance(wanted, (AtLeast, Within)):
        return value in wanted
    return type(wanted) is type(value) and wanted == value


def shown(wanted):
    if wanted is ANY:
        return "anything"
    if isinstance(wanted, re.Pattern):
        return f"like {wanted.pattern}"
    return str(wanted) if isinstance(wanted, (AtLeast, Within)) else repr(wanted)


def misfit(wanted, there):
    """The first attribute that is not as wanted, or nothing."""
    for key, value in wanted.items():
        if not fits(value, there.get(key)):
            return f"{key} is {there.get(key)!r}"
    return None


# ---- Rules ----

@dataclasses.dataclass(frozen=True)
class Spans:
    """Spans of a name, with these attributes, that ended so. `error` None: without any. `parent` is its name, or ROOT."""
    name: str
    attributes: dict = dataclasses.field(default_factory=dict)
    parent: object = ANY
    error: object = None
    seconds: object = ANY
    event: "tuple | None" = None  # one of them: a name, and attributes
    node: object = ANY
    after: "Spans | None" = None  # it starts when one of these has ended
    # How many: of all; or on each of so many `nodes`. With `different`, of different values of an attribute.
    count: object = AtLeast(1)
    nodes: object = None
    different: "str | None" = None

    def unfit(self, span, since):
        """Why it is not one of these; nothing when it is. `since`: when the first of `after` ended."""
        if (wrong := misfit(self.attributes, span.attributes)) is not None:
            return wrong
        if not fits(self.node, span.node):
            return f"it is of {span.node}"
        if not fits(self.error, span.error):
            return "it succeeded" if span.error is None else f"it failed with {span.error!r}"
        parent = ROOT if span.parent is None else span.parent.name
        if self.parent is not ANY and self.parent != parent:
            return "it has no parent" if parent is ROOT else f"it is a part of {parent}"
        if not fits(self.seconds, span.seconds):
            return f"it took {span.seconds:.3f} s"
        if span.start < since:
            return "it starts too early"
        if self.event is not None and not any(
                name == self.event[0] and misfit(self.event[1], attributes) is None for name, attributes in span.events):
            return f"its events are {span.events[:SHOWN]}"
        return None

    def _since(self, spans):
        if self.after is None:
            return 0
        return min((span.end for span in self.after.of(spans)), default=math.inf)

    def of(self, spans):
        since = self._since(spans)
        return [span for span in spans if span.name == self.name and self.unfit(span, since) is None]

    def __str__(self):
        words = [self.name]
        if self.attributes:
            words.append("with " + ", ".join(f"{key} {shown(value)}" for key, value in self.attributes.items()))
        if self.node is not ANY:
            words.append(f"of {shown(self.node)}")
        if self.parent is not ANY:
            words.append("without a parent" if self.parent is ROOT else f"as a part of {self.parent}")
        if self.error is None:
            words.append("that succeeded")
        elif self.error is not ANY:
            words.append(f"that failed with {shown(self.error)}")
        if self.seconds is not ANY:
            words.append(f"that took {self.seconds} s")
        if self.event is not None:
            words.append(f"with an event {self.event[0]} with "
                         + ", ".join(f"{key} {shown(value)}" for key, value in self.event[1].items()))
        if self.after is not None:
            words.append(f"after {self.after}")
        return " ".join(words)

    def _amount(self, spans):
        return len(spans if self.different is None else {span.attributes.get(self.different) for span in spans})

    def check(self, spans):
        found = self.of(spans)
        unit = f"different {self.different} of" if self.different else "times"
        if self.nodes is None:
            amount = self._amount(found)
            if fits(self.count, amount):
                return None
            return f"expected {shown(self.count)} {unit} {self}; there were {amount}" + self._others(spans)
        by_node = collections.defaultdict(list)
        for span in found:
            by_node[span.node].append(span)
        amounts = {node: self._amount(of_node) for node, of_node in by_node.items()}
        right = [node for node, amount in amounts.items() if fits(self.count, amount)]
        if fits(self.nodes, len(right)) and len(right) == len(amounts):
            return None
        return (f"expected on {shown(self.nodes)} nodes each {shown(self.count)} {unit} {self}; there were "
                f"{sorted(amounts.values())}" + self._others(spans))

    def _others(self, spans):
        named = [span for span in spans if span.name == self.name]
        if not named:
            names = collections.Counter(span.name for span in spans)
            return "; of other names: " + ", ".join(f"{name} ({count})" for name, count in sorted(names.items()))
        since = self._since(spans)
        others = [why for why in (self.unfit(span, since) for span in named) if why is not None]
        text = f"; of {len(named)} of that name"
        for why, count in collections.Counter(others).most_common(SHOWN):
            text += f"\n    {count} do not fit: {why}"
        return text


@dataclasses.dataclass(frozen=True)
class Order:
    """Each of `then` starts after one of `first` has ended: of those with the same `same`, which is an attribute, or
    "trace" or "node"."""
    first: Spans
    then: Spans
    same: "str | None" = None

    def _key(self, span):
        if self.same in ("trace", "node"):
            return getattr(span, self.same)
        return span.attributes.get(self.same)

    def check(self, spans):
        earliest = {}
        for span in self.first.of(spans):
            key = self._key(span)
            earliest[key] = min(span.end, earliest.get(key, span.end))
        later = self.then.of(spans)
        if not later or not earliest:
            return f"expected first {self.first}, then {self.then}; there were {len(earliest)} and {len(later)} such"
        for span in later:
            end = earliest.get(self._key(span))
            if end is None:
                return f"expected first {self.first}, then {self.then}; no such with {self.same} {self._key(span)!r}"
            if end > span.start:
                return (f"expected first {self.first}, then {self.then}; the latter starts {(end - span.start) / 1e9:.6f} s "
                        f"before the former ends, with {span.attributes}")
        return None


def failures(spans, rules):
    """One text for each rule that does not hold."""
    return [failure for failure in (rule.check(spans) for rule in rules) if failure is not None]
