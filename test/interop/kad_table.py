"""What came of a DHT case: tables of who found what, and the faults of others that are known."""

import dataclasses

from process import Tally


@dataclasses.dataclass(frozen=True)
class Fault:
    """Cells that fail through no fault of ours. An empty row or column stands for each."""

    network: str  # begins the names of the networks in which it shows
    table: str
    row: str
    column: str
    why: str

    def covers(self, network: str, table: str, row: str, column: str) -> bool:
        return network.startswith(self.network) and table == self.table and self.row in ("", row) \
            and self.column in ("", column)


# kad/README.md has more on each.
FAULTS = [
    Fault("kad", "unlisted", "", "js",
          "@libp2p/kad-dht 16.4.5 enters whomever an answer names into its table, also clients: src/network.ts, line 289, "
          "and src/kad-dht.ts, line 408"),
    Fault("kad-star", "newest", "js", "",
          "@libp2p/kad-dht 16.4.5 lets an older value overwrite a newer one: src/rpc/handlers/put-value.ts, line 53"),
]


class Table:
    """Counts how many attempts passed for each row and column, which are groups of nodes."""

    def __init__(self, network: str, name: str, title: str, rows: list[str], columns: list[str]):
        self._network = network
        self._name = name
        self._title = title
        self._rows = rows
        self._columns = columns
        self._counts: dict[tuple[str, str], list[int]] = {}
        self._reasons: dict[tuple[str, str], list[str]] = {}

    def record(self, row: str, column: str, failure: str | None) -> None:
        counts = self._counts.setdefault((row, column), [0, 0])
        counts[0] += failure is None
        counts[1] += 1
        if failure is not None:
            self._reasons.setdefault((row, column), []).append(f"{self._network}, {failure}")

    def faults(self) -> dict[tuple[str, str], Fault]:
        """The cells that failed, but through the fault of another implementation."""
        return {cell: fault for cell in self._reasons for fault in FAULTS
                if fault.covers(self._network, self._name, *cell)}

    def tally(self) -> Tally:
        """A cell is one case. Those that fail through the fault of others count neither way."""
        tally = Tally(len(self._counts) - len(self._reasons))
        for cell in self._reasons.keys() - self.faults().keys():
            tally.fail(*self._reasons[cell])
        return tally

    def print(self) -> None:
        faults = self.faults()

        def text(cell: tuple[str, str]) -> str:
            if cell not in self._counts:
                return "-"
            passed, asked = self._counts[cell]
            mark = "" if passed == asked else f" ({FAULTS.index(faults[cell]) + 1})" if cell in faults else " FAIL"
            return f"{passed}/{asked}{mark}"

        first, width = 22, 11
        print("\n" + self._title.ljust(first) + "".join(column.ljust(width) for column in self._columns).rstrip())
        for row in self._rows:
            cells = "".join(text((row, column)).ljust(width) for column in self._columns)
            print(row.ljust(first) + cells.rstrip(), flush=True)
