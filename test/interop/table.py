"""What came of a case with several implementations: tables of who did what with whom, and the faults of others."""

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


class Table:
    """Counts how many attempts passed for each row and column, which are groups of nodes."""

    def __init__(self, network: str, name: str, title: str, rows: list[str], columns: list[str],
                 faults: list[Fault]):
        self._network = network
        self._faults = faults
        self._name = name
        self._title = title
        self._rows = rows
        self._columns = columns
        self._counts: dict[tuple[str, str], list[int]] = {}
        self._reasons: dict[tuple[str, str], list[str]] = {}

    def record(self, row: str, column: str, failure: str | None) -> None:
        """One more attempt, which failed for a reason or passed."""
        self.count(row, column, int(failure is None), 1, failure)

    def count(self, row: str, column: str, passed: int, asked: int, failure: str | None) -> None:
        """More attempts. When fewer passed than were asked for, there is a reason."""
        counts = self._counts.setdefault((row, column), [0, 0])
        counts[0] += passed
        counts[1] += asked
        if failure is not None:
            self._reasons.setdefault((row, column), []).append(f"{self._network}, {failure}")

    def faults(self) -> dict[tuple[str, str], Fault]:
        """The cells that failed, but through the fault of another implementation."""
        return {cell: fault for cell in self._reasons for fault in self._faults
                if fault.covers(self._network, self._name, *cell)}

    def tally(self) -> Tally:
        """A cell is one case. Those that fail through the fault of others count neither way."""
        tally = Tally(len(self._counts) - len(self._reasons))
        for cell in self._reasons.keys() - self.faults().keys():
            tally.fail(*self._reasons[cell])
        return tally

    def print(self) -> None:
        faults = self.faults()
        print()

        def text(cell: tuple[str, str]) -> str:
            if cell not in self._counts:
                return "-"
            passed, asked = self._counts[cell]
            mark = "" if passed == asked else f" ({self._faults.index(faults[cell]) + 1})" if cell in faults else " FAIL"
            return f"{passed}/{asked}{mark}"

        lines = [self._columns, *([text((row, column)) for column in self._columns] for row in self._rows)]
        first, width = 22, max(11, *(len(cell) + 2 for line in lines for cell in line))
        for head, line in zip([self._title, *self._rows], lines):
            print(head.ljust(first) + "".join(cell.ljust(width) for cell in line).rstrip(), flush=True)
