"""Sums kept beside the rows of a table, for tests that need the design: those of whole tables.

Without weights, strata or a finite population a row's base and numerator say it all. With them a
test of several groups together needs the sums of every stratum, which no column can hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from culture_analytics.estimate.figures import PairSums
from culture_analytics.estimate.tabulate import Layout

__all__ = ["CELL_NUMBER", "CELL_SUMS", "CellSums", "DesignTables"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Private columns of a row: the sums of its table, and which of their cells it is.
CELL_SUMS, CELL_NUMBER = "_sums", "_cell"


class DesignTables(NamedTuple):
    """Sums over (strata, groups, no / yes), and the strata they come from."""

    n: Floats
    sw: Floats
    sw2: Floats
    n_h: Floats
    population_h: Floats | None


@dataclass(frozen=True, eq=False, repr=False)
class CellSums:
    """Sums of one table's percentages over its (stratum, cell) pairs.

    Parameters
    ----------
    layout
        The cells.
    pairs
        Sums of every target over the layout's pairs.
    """

    layout: Layout
    pairs: PairSums

    def __repr__(self) -> str:
        return "<CellSums>"  # numbers of people have no place in a traceback

    @property
    def lonely(self) -> str:
        """What a stratum of one respondent does."""
        return self.layout.frame.lonely

    @classmethod
    def needed(cls, layout: Layout) -> bool:
        """Whether the rows alone would not do."""
        frame = layout.frame
        return not (frame.weight is None and frame.stratum is None and frame.population_h is None)

    @cached_property
    def _by_cell(self) -> tuple[Ints, Ints]:
        """Pairs in the order of their cells, and those cells."""
        order = np.argsort(self.layout.cell, kind="stable")
        return order, self.layout.cell[order]

    def tables(self, numbers: Ints) -> DesignTables:
        """Sums of some cells of one target, in the order given.

        Parameters
        ----------
        numbers
            Of the cells, as `CELL_NUMBER` holds them: target x cells of the table + cell.
        """
        target, cells = np.divmod(np.asarray(numbers, dtype=np.int64), self.layout.n_cells)
        order, cell_of = self._by_cell
        first, last = (np.searchsorted(cell_of, cells, side) for side in ("left", "right"))
        pair = np.concatenate([order[a:b] for a, b in zip(first, last, strict=True)])
        group = np.repeat(np.arange(len(cells)), last - first)
        of = target[group]
        strata, stratum = np.unique(self.layout.stratum[pair], return_inverse=True)
        place = stratum * len(cells) + group
        sums = self.pairs

        def table(every: Floats, yes: Floats) -> Floats:
            said = yes[of, pair]
            parts = [np.bincount(place, x, len(strata) * len(cells)) for x in
                     (every[of, pair] - said, said)]  # fmt: skip
            return np.stack(parts, axis=1).reshape(len(strata), len(cells), 2).astype(np.float64)

        frame = self.layout.frame
        return DesignTables(
            table(sums.n, sums.ny),
            table(sums.sw, sums.swy),
            table(sums.sw2, sums.sw2y),
            frame.n_h[strata],
            None if frame.population_h is None else frame.population_h[strata],
        )
