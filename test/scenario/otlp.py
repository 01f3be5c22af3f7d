"""Checks documents against the JSON encoding of OTLP traces (opentelemetry-proto, docs/specification.md, "JSON Protobuf
Encoding", and trace.proto): strictly, so that what passes here opens in any viewer."""

import json
import re

MAX_INT64 = 2**63 - 1
NOT_A_NUMBER = ("NaN", "Infinity", "-Infinity")


class NotOtlp(Exception):
    """What is wrong, and where."""


def fail(where, what):
    raise NotOtlp(f"{where}: {what}")


def fields(where, message, required, optional=()):
    """An object with these fields, in lowerCamelCase, and no others."""
    if not isinstance(message, dict):
        fail(where, "is no object")
    for name in required:
        if name not in message:
            fail(where, f"lacks {name}")
    for name in message:
        if name not in required and name not in optional:
            fail(where, f"has the unknown field {name}")
    return message


def items(where, message, name):
    found = message.get(name, [])
    if not isinstance(found, list):
        fail(where, f"{name} is no list")
    return [(f"{where}.{name}[{number}]", item) for number, item in enumerate(found)]


def text(where, value):
    if not isinstance(value, str):
        fail(where, "is no text")


def identifier(where, value, digits):
    """Bytes as hexadecimal digits, not in base64 as elsewhere in protobuf's JSON; and not all zero."""
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
        fail(where, f"is not {digits} hexadecimal digits")
    if not value.strip("0"):
        fail(where, "is zero, which means absent")


def whole(where, value, low=0):
    """A number of 64 bits: a text of decimal digits."""
    if not isinstance(value, str) or not re.fullmatch("-?(0|[1-9][0-9]*)", value):
        fail(where, "is not a text of decimal digits")
    if not low <= int(value) <= MAX_INT64:
        fail(where, "is out of range")


def enumerated(where, value, low, high):
    """A value of an enumeration: its number, never its name."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        fail(where, f"is not a number from {low} to {high}")


def attributes(where, message):
    keys = set()
    for place, attribute in items(where, message, "attributes"):
        fields(place, attribute, ("key", "value"))
        text(f"{place}.key", attribute["key"])
        if not attribute["key"]:
            fail(place, "has an empty key")
        if attribute["key"] in keys:
            fail(place, f"{attribute['key']} is there twice")
        keys.add(attribute["key"])
        any_value(f"{place}.value", attribute["value"])


def any_value(where, value):
    fields(where, value, (), ("stringValue", "boolValue", "intValue", "doubleValue"))
    if len(value) != 1:
        fail(where, "is not one value")
    (kind, held), = value.items()
    if kind == "stringValue":
        text(where, held)
    elif kind == "boolValue" and not isinstance(held, bool):
        fail(where, "is neither true nor false")
    elif kind == "intValue":
        whole(where, held, -MAX_INT64 - 1)
    elif kind == "doubleValue" and held not in NOT_A_NUMBER and (isinstance(held, bool) or not isinstance(held, (int, float))):
        fail(where, "is no number")


def event(where, message):
    fields(where, message, ("timeUnixNano", "name"), ("attributes", "droppedAttributesCount"))
    whole(f"{where}.timeUnixNano", message["timeUnixNano"])
    text(f"{where}.name", message["name"])
    attributes(where, message)


def status(where, message):
    fields(where, message, (), ("code", "message"))
    enumerated(f"{where}.code", message.get("code", 0), 0, 2)
    text(f"{where}.message", message.get("message", ""))
    if "message" in message and message.get("code") != 2:
        fail(where, "explains an error that there is not")


def span(where, message):
    fields(where, message, ("traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"),
           ("parentSpanId", "attributes", "events", "droppedEventsCount", "status"))
    identifier(f"{where}.traceId", message["traceId"], 32)
    identifier(f"{where}.spanId", message["spanId"], 16)
    if "parentSpanId" in message:
        identifier(f"{where}.parentSpanId", message["parentSpanId"], 16)
    text(f"{where}.name", message["name"])
    if not message["name"]:
        fail(where, "has no name")
    enumerated(f"{where}.kind", message["kind"], 1, 5)
    for name in ("startTimeUnixNano", "endTimeUnixNano"):
        whole(f"{where}.{name}", message[name], 1)
    if int(message["endTimeUnixNano"]) < int(message["startTimeUnixNano"]):
        fail(where, "ends before it starts")
    enumerated(f"{where}.droppedEventsCount", message.get("droppedEventsCount", 0), 0, 2**32 - 1)
    attributes(where, message)
    for place, moment in items(where, message, "events"):
        event(place, moment)
    status(f"{where}.status", message.get("status", {}))


def check(document):
    """Raises NotOtlp unless this is what a collector takes at /v1/traces."""
    fields("document", document, ("resourceSpans",))
    for place, resource in items("document", document, "resourceSpans"):
        fields(place, resource, ("resource", "scopeSpans"))
        fields(f"{place}.resource", resource["resource"], ("attributes",))
        attributes(f"{place}.resource", resource["resource"])
        for scope_place, scope in items(place, resource, "scopeSpans"):
            fields(scope_place, scope, ("scope", "spans"))
            fields(f"{scope_place}.scope", scope["scope"], ("name",), ("version",))
            text(f"{scope_place}.scope.name", scope["scope"]["name"])
            for span_place, one in items(scope_place, scope, "spans"):
                span(span_place, one)


def documents(text_of_file):
    """Of a file with one document a line; each is checked."""
    found = []
    for number, line in enumerate(text_of_file.removesuffix("\n").split("\n"), 1):
        try:
            found.append(json.loads(line))
            check(found[-1])
        except (ValueError, NotOtlp) as error:
            raise NotOtlp(f"line {number}: {error}") from error
    return found
