"""Sums -> percentages and scores with standard errors and limits, a whole table at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from culture_analytics.estimate.tabulate import Sums, Table
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
SCALE = (0.0, 10.0)


@dataclass(frozen=True, eq=False)
class PairSums:
    """Sums of one target over the result pairs of a table."""

    n: Floats  # valid answers
    sw: Floats
    swy: Floats
    sw2: Floats
    sw2y: Floats
    sw2y2: Floats

    @classmethod
    def empty(cls, n_pairs: int) -> PairSums:
        """No answers at all."""
        nothing = np.zeros(n_pairs)
        return cls(nothing, nothing, nothing, nothing, nothing, nothing)

    @classmethod
    def of_answers(
        cls, sums: Sums, counted: NDArray[np.bool_], in_base: NDArray[np.bool_]
    ) -> PairSums:
        """For a percentage: y is 1 for the answers counted, 0 for the rest of the base."""
        yes = counted & in_base
        w2y = sums.w2[:, yes].sum(axis=1)
        return cls(
            n=sums.n[:, in_base].sum(axis=1),
            sw=sums.w[:, in_base].sum(axis=1),
            swy=sums.w[:, yes].sum(axis=1),
            sw2=sums.w2[:, in_base].sum(axis=1),
            sw2y=w2y,
            sw2y2=w2y,
        )

    @classmethod
    def of_points(cls, sums: Sums) -> PairSums:
        """For a score: y is the respondent's points."""
        return cls(
            n=sums.n[:, 0],
            sw=sums.w[:, 0],
            swy=sums.w[:, 1],
            sw2=sums.w2[:, 0],
            sw2y=sums.w2[:, 1],
            sw2y2=sums.w2[:, 2],
        )

    def margin(self, target: NDArray[np.int64], n_pairs: int) -> PairSums:
        """The same sums over fewer pairs: pair i adds to pair ``target[i]``."""
        return PairSums(
            **{
                f.name: np.bincount(target, getattr(self, f.name), n_pairs).astype(np.float64)
                for f in fields(self)
            }
        )


@dataclass(frozen=True, eq=False)
class Figures:
    """Arrays of shape (targets, cells); percentages and their limits from 0 to 100."""

    value: Floats
    lower: Floats
    upper: Floats
    se: Floats
    df: Floats
    base: Floats
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
    table: Table, pairs: list[PairSums], is_score: NDArray[np.bool_], *, level: float
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
    n_targets, n_cells = len(pairs), table.n_cells
    offset = np.arange(n_targets)[:, None] * n_cells
    cell = (table.pair_cell + offset).ravel()
    stratum = np.tile(table.pair_stratum, n_targets)

    def stacked(name: str) -> Floats:
        return np.concatenate([getattr(p, name) for p in pairs])

    def over_strata(values: Floats) -> Floats:
        added = np.bincount(cell, values, minlength=n_targets * n_cells).astype(np.float64)
        return added.reshape(n_targets, n_cells)

    n, sw, swy, sw2 = (stacked(name) for name in ("n", "sw", "swy", "sw2"))
    base, weighted, squares = over_strata(n), over_strata(sw), over_strata(sw2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = over_strata(swy) / np.where(weighted > 0, weighted, np.nan)
    mean[~is_score] = np.clip(mean[~is_score], 0.0, 1.0)  # rounding of the sums
    se = ratio_se_coo(
        RatioSums(sw, swy, sw2, stacked("sw2y"), stacked("sw2y2")),
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
        weighted_base=weighted,
        effective_base=effective,
        method=method,
    )


def _limits(
    table: Table, figures: tuple[Floats, ...], is_score: NDArray[np.bool_], level: float
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
