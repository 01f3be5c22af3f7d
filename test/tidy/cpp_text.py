"""Blanks out the parts of C++ text that are not code, so that rules match code only."""

import re

_TOKEN = re.compile(
    r"""
      (?P<raw>(?:u8|[uUL])?R"(?P<tag>[^\s()\\]{0,16})\(.*?\)(?P=tag)")
    | (?P<string>"(?:\\.|[^"\\\n])*")
    | (?P<number>\b[0-9](?:'?[0-9a-zA-Z_.])*)
    | (?P<character>'(?:\\.|[^'\\\n])+')
    | (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
    """,
    re.VERBOSE | re.DOTALL)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """The same text, line for line, with spaces in place of comments."""
    return _TOKEN.sub(
        lambda m: _blank(m.group()) if m.lastgroup == "comment" else m.group(), text)


def code_only(text):
    """The same text, line for line, with spaces in place of comments and of what quotes hold."""
    return _TOKEN.sub(
        lambda m: m.group() if m.lastgroup == "number" else _blank(m.group()), text)
