"""Sums -> percentages and scores with standard errors and limits, a whole table at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from culture_analytics.estimate.tabulate import Layout, Sums
from culture_analytics.stats.limits import percentage_limits, score_limits
from culture_analytics.stats.variance import (
    RatioSums,
    degrees_of_freedom,
    kish,
    ratio_se_coo,
    unsampled_share,
)

__all__ = ["Figures", "PairSums", "estimate_table"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SCALE = (0.0, 10.0)


@dataclass(frozen=True, eq=False)
class PairSums:
    """Sums of every target over the result pairs of a table: arrays of (targets, pairs).

    Unweighted, the weighted ones are the unweighted arrays themselves.
    """

    n: Floats  # valid answers
    ny: Floats  # those of them that count; for a score their points
    sw: Floats
    swy: Floats
    sw2: Floats
    sw2y: Floats
    sw2y2: Floats

    @classmethod
    def zeros(cls, n_targets: int, n_pairs: int, *, weighted: bool) -> PairSums:
        """No answers at all."""

        def nothing() -> Floats:
            return np.zeros((n_targets, n_pairs))

        n, ny, y2 = nothing(), nothing(), nothing()
        if not weighted:
            return cls(n, ny, n, ny, n, ny, y2)
        return cls(n, ny, nothing(), nothing(), nothing(), nothing(), y2)

    @property
    def weighted(self) -> bool:
        """Whether weighted sums are kept apart."""
        return self.sw is not self.n

    def put_answers(
        self, target: int, sums: Sums, counted: NDArray[np.bool_], in_base: NDArray[np.bool_]
    ) -> None:
        """Fill in a percentage: y is 1 for the answers counted, 0 for the rest of the base."""
        yes = counted & in_base
        self.n[target] = sums.n[:, in_base].sum(axis=1)
        self.ny[target] = sums.n[:, yes].sum(axis=1)
        if self.weighted:
            self.sw[target] = sums.w[:, in_base].sum(axis=1)
            self.swy[target] = sums.w[:, yes].sum(axis=1)
            self.sw2[target] = sums.w2[:, in_base].sum(axis=1)
            self.sw2y[target] = sums.w2[:, yes].sum(axis=1)
        self.sw2y2[target] = self.sw2y[target]

    def put_points(self, target: int, sums: Sums) -> None:
        """Fill in a score: y is the respondent's points."""
        self.n[target], self.ny[target] = sums.n[:, 0], sums.n[:, 1]
        if self.weighted:
            self.sw[target], self.swy[target] = sums.w[:, 0], sums.w[:, 1]
            self.sw2[target], self.sw2y[target] = sums.w2[:, 0], sums.w2[:, 1]
        self.sw2y2[target] = sums.w2[:, 2]

    def added_up(self, target: Ints, n_pairs: int, source: Ints | None = None) -> PairSums:
        """The same sums over other pairs: pair ``source[i]`` adds to pair ``target[i]``."""
        n_targets = len(self.n)
        place = (np.arange(n_targets)[:, None] * n_pairs + target).ravel()

        def added(values: Floats) -> Floats:
            parts = values if source is None else values[:, source]
            found = np.bincount(place, parts.ravel(), n_targets * n_pairs)
            return found.astype(np.float64, copy=False).reshape(n_targets, n_pairs)

        n, ny, y2 = added(self.n), added(self.ny), added(self.sw2y2)
        if not self.weighted:
            return PairSums(n, ny, n, ny, n, ny, y2)
        sw, swy, sw2, sw2y = (added(v) for v in (self.sw, self.swy, self.sw2, self.sw2y))
        return PairSums(n, ny, sw, swy, sw2, sw2y, y2)


@dataclass(frozen=True, eq=False)
class Figures:
    """Arrays of shape (targets, cells); percentages and their limits from 0 to 100."""

    value: Floats
    lower: Floats
    upper: Floats
    se: Floats
    df: Floats
    base: Floats
    numerator: Floats  # of the base, how many count; for a score the sum of their points
    weighted_base: Floats
    effective_base: Floats
    method: NDArray[np.object_]

    def keep(self, cells: NDArray[np.bool_]) -> Figures:
        """The figures of some cells, the same number for every target."""
        n_targets = len(self.value)
        return Figures(
            **{f.name: getattr(self, f.name)[cells].reshape(n_targets, -1) for f in fields(self)}
        )


def estimate_table(
    table: Layout, pairs: PairSums, is_score: NDArray[np.bool_], *, level: float
) -> Figures:
    """Estimate every target of a table in one go.

    Parameters
    ----------
    table
        The cells.
    pairs
        Sums of each target over the table's result pairs.
    is_score
        Which targets are 0-10 scores; the others are percentages.
    level
        Confidence level of the limits.
    """
    n_targets, n_cells = len(pairs.n), table.n_cells
    offset = np.arange(n_targets)[:, None] * n_cells
    cell = (table.cell + offset).ravel()
    stratum = np.tile(table.stratum, n_targets)

    def over_strata(values: Floats) -> Floats:
        added = np.bincount(cell, values, minlength=n_targets * n_cells).astype(np.float64)
        return added.reshape(n_targets, n_cells)

    n, sw, swy, sw2 = (a.ravel() for a in (pairs.n, pairs.sw, pairs.swy, pairs.sw2))
    base, weighted, squares = over_strata(n), over_strata(sw), over_strata(sw2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = over_strata(swy) / np.where(weighted > 0, weighted, np.nan)
    mean[~is_score] = np.clip(mean[~is_score], 0.0, 1.0)  # rounding of the sums
    se = ratio_se_coo(
        RatioSums(sw, swy, sw2, pairs.sw2y.ravel(), pairs.sw2y2.ravel()),
        stratum,
        cell,
        n_targets * n_cells,
        table.frame.n_h,
        population_h=table.frame.population_h,
        lonely=table.frame.lonely,
    ).reshape(n_targets, n_cells)
    df = degrees_of_freedom(base, over_strata((n > 0).astype(np.float64)))
    effective = kish(weighted, squares)
    unsampled = np.ones_like(mean)
    if table.frame.population_h is not None:
        share = unsampled_share(table.frame.n_h, table.frame.population_h)
        unsampled = over_strata(sw2 * share[stratum]) / np.where(squares > 0, squares, np.nan)
    figures = (mean, se, df, base, effective, unsampled)
    lower, upper, method = _limits(table, figures, is_score, level)
    scale = np.where(is_score, 1.0, 100.0)[:, None]
    return Figures(
        value=mean * scale,
        lower=lower * scale,
        upper=upper * scale,
        se=se * scale,
        df=df,
        base=base,
        numerator=over_strata(pairs.ny.ravel()),
        weighted_base=weighted,
        effective_base=effective,
        method=method,
    )


def _limits(
    table: Layout, figures: tuple[Floats, ...], is_score: NDArray[np.bool_], level: float
) -> tuple[Floats, Floats, NDArray[np.object_]]:
    """Limits of each figure by its default method."""
    lower, upper = np.empty_like(figures[0]), np.empty_like(figures[0])
    method = np.empty(lower.shape, dtype=object)
    mean, se, df, base, effective, unsampled = (values[~is_score] for values in figures)
    by_design = table.frame.stratum is not None or table.frame.population_h is not None
    if not by_design:  # a group's limits should not depend on how many people are outside it
        n_h = np.repeat(table.frame.n_h, table.n_cells // len(table.frame.n_h))
        se = se * np.sqrt((n_h - 1) / n_h)
    lower[~is_score], upper[~is_score], method[~is_score] = percentage_limits(
        mean, se, df, base, effective, unsampled=unsampled, by_design=by_design, level=level
    )
    *s, _ = (values[is_score] for values in figures)
    lower[is_score], upper[is_score], method[is_score] = score_limits(*s, bounds=SCALE, level=level)
    return lower, upper, method
