"""Sums -> percentages and scores with standard errors and limits, a whole table at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from culture_analytics.estimate.tabulate import Sums, Table
from culture_analytics.stats.mean import mean_t
from culture_analytics.stats.proportion import logit_beta, wilson
from culture_analytics.stats.variance import RatioSums, degrees_of_freedom, kish, ratio_se_coo

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
    lower, upper, method = _limits(table, mean, se, df, base, effective, is_score, level)
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
    table: Table,
    mean: Floats,
    se: Floats,
    df: Floats,
    base: Floats,
    effective: Floats,
    is_score: NDArray[np.bool_],
    level: float,
) -> tuple[Floats, Floats, NDArray[np.object_]]:
    """Wilson on the effective base; logit or beta under strata or a finite population; t."""
    lower, upper = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    method = np.full(mean.shape, "t", dtype=object)
    p = ~is_score
    if table.frame.stratum is None and table.frame.population_h is None:
        lower[p], upper[p] = wilson(mean[p], effective[p], level=level)
        method[p] = "wilson"
    else:
        lower[p], upper[p] = logit_beta(
            mean[p], se[p], df[p], base[p], effective_n=effective[p], level=level
        )
        method[p] = np.where((mean[p] <= 0) | (mean[p] >= 1), "beta", "logit")
    s = is_score
    lower[s], upper[s] = mean_t(mean[s], se[s], df[s], level=level, bounds=SCALE)
    return lower, upper, method
