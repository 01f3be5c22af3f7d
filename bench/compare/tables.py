"""The tables, from the figures."""

import argparse
import pathlib
import statistics

BEGIN = "<!-- begin of bench/compare -->"
END = "<!-- end of bench/compare -->"


def machine() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def median(comparison, client: str, server: str, row) -> float | None:
    samples = comparison.samples.get((client, server, tuple(row.case), row.value))
    return statistics.median(samples) if samples else None


def shown(value: float | None, row) -> str:
    return "" if value is None else f"{value:,.{row.digits}f}"


def advantage(ours: float | None, others: list[float], row) -> str:
    """How many times better ours is than the best of the others: above 1 is ahead, in every row."""
    if ours is None or not others:
        return ""
    ratio = ours / max(others) if row.higher_is_better else min(others) / ours
    return f"{ratio:.2f}"


def table(head: list[str], body: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    def render(cells: list[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        return "| " + " | ".join([first, *rest]) + " |"
    rule = "|" + "-" * (widths[0] + 2) + "|" + "|".join("-" * (width + 1) + ":" for width in widths[1:]) + "|"
    return "\n".join([render(head), rule, *map(render, body)])


def of_themselves(comparison) -> str:
    """Each implementation's client at its own server."""
    others = [peer.name for peer in comparison.peers[1:] if not peer.ceiling]
    body = []
    for row in comparison.rows:
        dialler = (lambda name: "ours") if row.only_ours_dials else (lambda name: name)
        values = {name: median(comparison, dialler(name), name, row) for name in ["ours", *others]}
        ceiling = median(comparison, "ceiling", "ceiling", row) if row.ceiling else None
        known = [values[name] for name in others if values[name] is not None]
        body.append([f"{row.name}, {row.unit}", *(shown(value, row) for value in values.values()),
                     advantage(values["ours"], known, row), shown(ceiling, row),
                     advantage(values["ours"], [ceiling] if ceiling else [], row)])
    return table(["what", "ours", *others, "ahead of the best", "ceiling", "of the ceiling"], body)


def of_our_client(comparison) -> str:
    servers = [peer.name for peer in comparison.peers if not peer.ceiling]
    body = [[f"{row.name}, {row.unit}", *(shown(median(comparison, "ours", name, row), row) for name in servers)]
            for row in comparison.rows if row.ours_dials_all]
    return table(["our client at the server of", *servers], body)


def render(comparison, options: argparse.Namespace) -> str:
    pinned = "client and server not pinned" if options.unpinned else "client and server pinned to a core each"
    how = (f"{machine()}; {pinned}; medians of {options.rounds} interleaved rounds; {options.mib} MiB a transfer, "
           f"{options.connections} connections, {options.round_trips} round trips, {options.requests} requests, "
           f"{options.find_node} questions, {options.answers} answers, {options.messages} messages a measurement, "
           "each after a tenth of it unmeasured.")
    ours = [of_our_client(comparison)] if any(row.ours_dials_all for row in comparison.rows) else []
    return "\n\n".join([how, of_themselves(comparison), *ours])


def write_between_marks(file: pathlib.Path, text: str) -> None:
    before, _, rest = file.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
