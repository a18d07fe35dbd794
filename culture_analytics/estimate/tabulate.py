"""Count answers in cells: three bincounts an item give every percentage in every cell.

A table has one cell for each organisation-year, group of `within` and group of `by`. Sums are
taken once over the finest (stratum, cell) pairs that occur and rolled up, so the cost grows with
respondents and not with cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from culture_analytics.errors import DesignError
from culture_analytics.estimate.dimensions import Dimension
from culture_analytics.survey import Survey

__all__ = ["ALL_ORGS", "Frame", "Sums", "Table"]

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
            weight=_weights(survey, weight),
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
class Table:
    """The cells of one `by` (within one `within`) and the pairs they are counted from."""

    frame: Frame
    by: Dimension
    within: Dimension | None
    pair: Ints  # of each respondent; the last pair is "in no cell"
    pair_stratum: NDArray[np.int64]  # of each result pair
    pair_cell: NDArray[np.int64]
    merge: tuple[NDArray[np.int64], NDArray[np.int64]]  # finest pair -> result pair (may repeat)
    n_cells: int

    @classmethod
    def of(cls, frame: Frame, by: Dimension, within: Dimension | None = None) -> Table:
        """Lay out the cells: result key x group of `within` x group of `by` and "not stated".

        Those whose group is not known have a last cell of their own, so that everyone adds up.
        """
        n_by, n_within = len(by.groups) + 1, len(within.groups) if within else 1
        block = n_by * n_within
        position = np.where(by.codes >= 0, by.codes, n_by - 1).astype(np.int64)
        known = np.ones(len(position), dtype=bool)
        if within is not None:
            position = position + within.codes.astype(np.int64) * n_by
            known = within.codes >= 0
        finest_cell = frame.key * np.int64(block) + position
        n_finest = len(frame.keys) * block
        if frame.stratum is None:
            pair = np.where(known, finest_cell, n_finest)
            cell_of_pair = np.arange(n_finest)
            stratum_of_pair = np.zeros(n_finest, dtype=np.int64)
        else:
            pair, cell_of_pair, stratum_of_pair = _pairs(
                finest_cell, frame.stratum, known, n_finest
            )
        return cls._rolled(frame, by, within, pair, cell_of_pair, stratum_of_pair, block)

    @classmethod
    def _rolled(
        cls,
        frame: Frame,
        by: Dimension,
        within: Dimension | None,
        pair: Ints,
        cell_of_pair: Ints,
        stratum_of_pair: Ints,
        block: int,
    ) -> Table:
        results_of_key: list[list[int]] = [[] for _ in frame.keys]
        for result, finest in enumerate(frame.rollup):
            for key in finest:
                results_of_key[key].append(result)
        key_of_pair, inside = np.divmod(cell_of_pair, block)
        sources, cells = [], []
        for depth in range(max(map(len, results_of_key))):
            of_key = np.array([r[depth] if depth < len(r) else -1 for r in results_of_key])
            chosen = np.flatnonzero(of_key[key_of_pair] >= 0)
            sources.append(chosen)
            cells.append(of_key[key_of_pair[chosen]] * block + inside[chosen])
        source, cell = np.concatenate(sources), np.concatenate(cells)
        n_cells = len(frame.result_keys) * block
        if frame.stratum is None:
            stratum = cell // block  # each result key is a sample of its own
            target = cell
            merged_cell = np.arange(n_cells)
            merged_stratum = merged_cell // block
        else:
            stratum = stratum_of_pair[source]
            combined, target = np.unique(stratum * np.int64(n_cells) + cell, return_inverse=True)
            merged_stratum, merged_cell = np.divmod(combined, n_cells)
        return cls(
            frame=frame,
            by=by,
            within=within,
            pair=pair,
            pair_stratum=merged_stratum,
            pair_cell=merged_cell,
            merge=(source, target),
            n_cells=n_cells,
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Result keys, groups of `within`, groups of `by` with "not stated" last."""
        n_within = len(self.within.groups) if self.within else 1
        return len(self.frame.result_keys), n_within, len(self.by.groups) + 1

    def margin(self, whole: Dimension) -> tuple[Table, Ints]:
        """The table of everyone, and which of its pairs each pair of this one adds to."""
        n_by = self.shape[-1]
        cell = self.pair_cell // n_by * 2  # everyone, and an empty "not stated"
        stratum = self.pair_stratum
        n_cells = self.n_cells // n_by * 2
        combined, target = np.unique(stratum * np.int64(n_cells) + cell, return_inverse=True)
        margin = replace(
            self,
            by=whole,
            pair_stratum=combined // n_cells,
            pair_cell=combined % n_cells,
            n_cells=n_cells,
        )
        return margin, target.astype(np.int64)

    @property
    def n_finest_pairs(self) -> int:
        """Pairs counted from respondents, before rolling up."""
        return int(self.merge[0].max()) + 1 if len(self.merge[0]) else 0

    def count(self, codes: NDArray[np.int8], n_answers: int) -> Sums:
        """Sums of weights by (result pair, answer); codes below 0 are left out."""
        width = n_answers + 1  # slot 0 is "missing"
        index = self.pair * width + 1
        index += codes
        slots = (self.n_finest_pairs + 1) * width

        def table(weights: Floats | None) -> Floats:
            counted = np.bincount(index, weights, minlength=slots)
            finest = counted.reshape(-1, width)[: self.n_finest_pairs, 1:]
            return self._roll(finest.astype(np.float64))

        n = table(None)
        if self.frame.weight is None:
            return Sums(n, n, n)
        return Sums(n, table(self.frame.weight), table(self.frame.weight_squared))

    def total(self, points: Floats) -> Sums:
        """Sums of weight x points^0, ^1, ^2 by result pair; NaN points are left out."""
        known = ~np.isnan(points)
        pair = np.where(known, self.pair, self.n_finest_pairs)
        value = np.where(known, points, 0.0)

        def table(weights: Floats | None) -> Floats:
            powers = [
                np.bincount(pair, w, minlength=self.n_finest_pairs + 1)[: self.n_finest_pairs]
                for w in (
                    (weights, value, value**2)
                    if weights is None
                    else (weights, weights * value, weights * value**2)
                )
            ]
            return self._roll(np.stack(powers, axis=1).astype(np.float64))

        n = table(None)
        if self.frame.weight is None:
            return Sums(n, n, n)
        return Sums(n, table(self.frame.weight), table(self.frame.weight_squared))

    def _roll(self, finest: Floats) -> Floats:
        source, target = self.merge
        rolled = np.zeros((len(self.pair_cell), finest.shape[1]))
        for answer in range(finest.shape[1]):
            rolled[:, answer] = np.bincount(
                target, finest[source, answer], minlength=len(self.pair_cell)
            )
        return rolled


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


def _weights(survey: Survey, weight: str | None) -> Floats | None:
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
