"""Count answers in cells: three bincounts an item give every percentage in every cell.

A table has one cell for each organisation-year, group of `within` and group of `by`. Sums are
taken once over the finest (stratum, cell) pairs that occur and rolled up, so the cost grows with
respondents and not with cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from culture_analytics.errors import DesignError
from culture_analytics.estimate.dimensions import Dimension
from culture_analytics.survey import Survey

__all__ = ["ALL_ORGS", "Frame", "Layout", "Sums", "Tally"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALL_ORGS = "all"  # the `org` of several organisations together


@dataclass(frozen=True, eq=False)
class Frame:
    """What every table of one calculation shares: keys, weights and strata of the respondents."""

    keys: tuple[tuple[int, str], ...]  # (year, org) of the finest cells
    key: NDArray[np.int32]  # of each respondent
    rollup: tuple[tuple[int, ...], ...]  # result key -> the finest keys it adds up
    result_keys: tuple[tuple[int, str], ...]
    weight: Floats | None
    stratum: NDArray[np.int32] | None  # None: each result key is one sample
    n_h: Floats  # respondents of each stratum; of each result key without strata
    population_h: Floats | None
    lonely: str

    @cached_property
    def weight_squared(self) -> Floats | None:
        """Squared weights, worked out once."""
        return None if self.weight is None else self.weight**2

    @classmethod
    def of(cls, survey: Survey, weight: str | None) -> Frame:
        """The keys, weights and strata of a Survey, with one of its named weights or none."""
        responses = survey.responses
        orgs = list(survey.orgs)
        org_code = responses["org"].cat.set_categories(orgs).cat.codes.to_numpy().astype(np.int64)
        years = np.array(survey.years)
        year_code = np.searchsorted(years, responses["year"].to_numpy())
        combined = year_code * len(orgs) + org_code
        present, key = np.unique(combined, return_inverse=True)
        keys = tuple((int(years[c // len(orgs)]), orgs[c % len(orgs)]) for c in present)
        result_keys, rollup = _roll_up(keys)
        stratum, n_h = _strata(survey, year_code, key, rollup)
        return cls(
            keys=keys,
            key=key.astype(np.int32),
            rollup=rollup,
            result_keys=result_keys,
            weight=weights_of(survey, weight),
            stratum=stratum,
            n_h=n_h,
            population_h=_populations(survey, stratum, key, rollup, len(n_h)),
            lonely=survey.design.lonely,
        )


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over (stratum, cell) pairs; the last axis holds answers, or the powers 0-2 of a score.

    Unweighted, all three are the same array.
    """

    n: Floats
    w: Floats
    w2: Floats


@dataclass(frozen=True, eq=False)
class Layout:
    """The cells of one `by` (within one `within`), and the (stratum, cell) pairs that occur.

    A cell is a key x group of `within` x group of `by`, the last for those whose group is not
    known, so that everyone adds up.
    """

    frame: Frame
    by: Dimension
    within: Dimension | None
    keys: tuple[tuple[int, str], ...]
    stratum: Ints  # of each pair
    cell: Ints  # of each pair

    @property
    def shape(self) -> tuple[int, int, int]:
        """Keys, groups of `within`, groups of `by` with "not stated" last."""
        n_within = len(self.within.groups) if self.within else 1
        return len(self.keys), n_within, len(self.by.groups) + 1

    @property
    def n_cells(self) -> int:
        """Cells, those without respondents too."""
        return int(np.prod(self.shape))

    def margin(self, by: Dimension, slot: Ints) -> tuple[Layout, Ints]:
        """The layout of coarser groups, and which of its pairs each pair of this one adds to.

        `slot` holds the coarser group of each of this one's, the last for "not stated".
        """
        outer, group = np.divmod(self.cell, self.shape[-1])
        cell = outer * (len(by.groups) + 1) + slot[group]
        return self._merged(replace(self, by=by), self.stratum, cell)

    def rolled_up(self) -> tuple[Layout, Ints, Ints]:
        """The layout of the result's keys, several organisations together among them.

        Pair ``source[i]`` of this layout adds to pair ``target[i]`` of the other.
        """
        block = self.n_cells // len(self.keys)
        results_of_key: list[list[int]] = [[] for _ in self.keys]
        for result, finest in enumerate(self.frame.rollup):
            for key in finest:
                results_of_key[key].append(result)
        key_of_pair, inside = np.divmod(self.cell, block)
        sources, cells = [], []
        for depth in range(max(map(len, results_of_key))):
            of_key = np.array([r[depth] if depth < len(r) else -1 for r in results_of_key])
            chosen = np.flatnonzero(of_key[key_of_pair] >= 0)
            sources.append(chosen)
            cells.append(of_key[key_of_pair[chosen]] * block + inside[chosen])
        source, cell = np.concatenate(sources), np.concatenate(cells)
        # Without strata each result key is a sample of its own.
        stratum = cell // block if self.frame.stratum is None else self.stratum[source]
        whole, target = self._merged(replace(self, keys=self.frame.result_keys), stratum, cell)
        return whole, source, target

    @staticmethod
    def _merged(layout: Layout, stratum: Ints, cell: Ints) -> tuple[Layout, Ints]:
        """A layout with each (stratum, cell) once, and the place of those given."""
        n_cells = layout.n_cells
        pairs, target = np.unique(stratum * np.int64(n_cells) + cell, return_inverse=True)
        merged = replace(layout, stratum=pairs // n_cells, cell=pairs % n_cells)
        return merged, target.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts respondents' answers in the pairs of a layout."""

    layout: Layout
    pair: Ints  # of each respondent; the last pair is "in no cell"
    _slots: dict[int, Ints] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, frame: Frame, by: Dimension, within: Dimension | None = None) -> Tally:
        """Place every respondent."""
        n_by, n_within = len(by.groups) + 1, len(within.groups) if within else 1
        block = n_by * n_within
        position = np.where(by.codes >= 0, by.codes, n_by - 1).astype(np.int64)
        known = np.ones(len(position), dtype=bool)
        if within is not None:
            position = position + within.codes.astype(np.int64) * n_by
            known = within.codes >= 0
        cell = frame.key * np.int64(block) + position
        n_cells = len(frame.keys) * block
        if frame.stratum is None:
            pair = np.where(known, cell, n_cells)
            cell_of_pair = np.arange(n_cells)
            stratum_of_pair = cell_of_pair // block
        else:
            pair, cell_of_pair, stratum_of_pair = _pairs(cell, frame.stratum, known, n_cells)
        return cls(Layout(frame, by, within, frame.keys, stratum_of_pair, cell_of_pair), pair)

    def count(self, codes: NDArray[np.int8], n_answers: int) -> Sums:
        """Sums of weights by (pair, answer); codes below 0 are left out."""
        width = n_answers + 1  # slot 0 is "missing"
        index = self._first_slot(width) + codes
        n_pairs = len(self.layout.cell)

        def table(weights: Floats | None) -> Floats:
            counted = np.bincount(index, weights, minlength=(n_pairs + 1) * width)
            return counted.reshape(-1, width)[:n_pairs, 1:].astype(np.float64, copy=False)

        return self._three(table)

    def _first_slot(self, width: int) -> Ints:
        """Where the answers of each respondent's pair begin; kept, as most items need the same."""
        if width not in self._slots:
            self._slots.clear()
            self._slots[width] = self.pair * width + 1
        return self._slots[width]

    def total(self, points: Floats) -> Sums:
        """Sums of weight x points^0, ^1, ^2 by pair; NaN points are left out."""
        known = ~np.isnan(points)
        n_pairs = len(self.layout.cell)
        pair = np.where(known, self.pair, n_pairs)
        value = np.where(known, points, 0.0)

        def table(weights: Floats | None) -> Floats:
            w = np.ones_like(value) if weights is None else weights
            powers = (w, w * value, w * value**2)
            sums = [np.bincount(pair, p, minlength=n_pairs + 1)[:n_pairs] for p in powers]
            return np.stack(sums, axis=1)

        return self._three(table)

    def _three(self, table: Callable[[Floats | None], Floats]) -> Sums:
        frame = self.layout.frame
        n = table(None)
        if frame.weight is None:
            return Sums(n, n, n)
        return Sums(n, table(frame.weight), table(frame.weight_squared))


def _roll_up(
    keys: tuple[tuple[int, str], ...],
) -> tuple[tuple[tuple[int, str], ...], tuple[tuple[int, ...], ...]]:
    """Each organisation-year by itself and, where a year has several, all of them together."""
    result = list(keys)
    rollup: list[tuple[int, ...]] = [(i,) for i in range(len(keys))]
    for year in dict.fromkeys(y for y, _ in keys):
        of_year = tuple(i for i, (y, _) in enumerate(keys) if y == year)
        if len(of_year) > 1:
            result.append((year, ALL_ORGS))
            rollup.append(of_year)
    return tuple(result), tuple(rollup)


def weights_of(survey: Survey, weight: str | None) -> Floats | None:
    """Each respondent's weight, shape (n,); None where everyone counts once."""
    if weight is None:
        return None
    names = survey.design.weights
    if weight not in names:
        raise DesignError(
            f"The survey has no weight {weight!r}; it has: {', '.join(names) or 'none'}. "
            "Add one with survey.with_design(Design(weights={'name': 'column'}))."
        )
    return survey.responses[names[weight]].to_numpy(dtype=np.float64)


def _strata(
    survey: Survey,
    year_code: NDArray[np.int64],
    key: NDArray[np.int64],
    rollup: tuple[tuple[int, ...], ...],
) -> tuple[NDArray[np.int32] | None, Floats]:
    if survey.design.strata is None:
        of_key = np.bincount(key).astype(np.float64)
        return None, np.array([of_key[list(finest)].sum() for finest in rollup])
    strata = survey.responses[survey.design.strata].astype("category").cat.codes.to_numpy()
    combined = year_code.astype(np.int64) * (int(strata.max()) + 1) + strata
    _, stratum, n_h = np.unique(combined, return_inverse=True, return_counts=True)
    return stratum.astype(np.int32), n_h.astype(np.float64)


def _populations(
    survey: Survey,
    stratum: NDArray[np.int32] | None,
    key: NDArray[np.int64],
    rollup: tuple[tuple[int, ...], ...],
    n_strata: int,
) -> Floats | None:
    column = survey.design.population
    if column is None:
        return None
    values = survey.responses[column].to_numpy(dtype=np.float64)
    found = np.zeros(n_strata if stratum is not None else int(key.max()) + 1)
    found[stratum if stratum is not None else key] = values
    if stratum is not None:
        return found
    return np.array([found[list(finest)].sum() for finest in rollup])


def _pairs(
    cell: Ints, stratum: NDArray[np.int32], known: NDArray[np.bool_], n_cells: int
) -> tuple[Ints, Ints, Ints]:
    """The (stratum, cell) pairs that occur, numbered; those in no cell get the last number."""
    combined = np.where(known, stratum * np.int64(n_cells) + cell, -1)
    highest = int(combined.max(initial=-1)) + 1
    if highest <= max(4 * len(cell), 1_000_000):  # a table of flags is faster than sorting
        occurs = np.zeros(highest + 1, dtype=bool)
        occurs[combined] = True  # -1 marks the extra last slot
        occurs[highest] = False
        number = np.cumsum(occurs) - 1
        found = np.flatnonzero(occurs)
        pair = np.where(known, number[combined], len(found))
    else:
        found, pair = np.unique(combined[known], return_inverse=True)
        full = np.full(len(cell), len(found))
        full[known] = pair
        pair = full
    stratum_of_pair, cell_of_pair = np.divmod(found, n_cells)
    return pair.astype(np.int64), cell_of_pair, stratum_of_pair
