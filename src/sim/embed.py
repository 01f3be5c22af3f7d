#!/usr/bin/env python3
"""Writes the parts of the report's page as C++ strings: embed.py OUTPUT HTML CSS JS..."""

import pathlib
import sys

# What no part may contain, since it ends a raw string.
END = ')part"'


def literal(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if END in text:
        raise SystemExit(f'{path}: contains {END}, which the C++ around it cannot hold')
    return f'R"part({text}{END}'


def main():
    output, html, style, *scripts = sys.argv[1:]
    pieces = ",\n".join(literal(script) for script in scripts)
    pathlib.Path(output).write_text(
        "#pragma once\n\n#include <string_view>\n\nnamespace ggen::p2p::sim {\n\n"
        f"inline constexpr std::string_view kPageHtml = {literal(html)};\n"
        f"inline constexpr std::string_view kPageStyle = {literal(style)};\n"
        f"inline constexpr std::string_view kPageScripts[] = {{{pieces}}};\n\n"
        "}  // namespace ggen::p2p::sim\n", encoding="utf-8")


if __name__ == "__main__":
    main()
