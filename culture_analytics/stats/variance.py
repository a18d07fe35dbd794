r"""Standard errors of weighted percentages and mean scores, from sums and not from respondents.

A percentage or mean score of a breakdown group is a ratio of two weighted totals,
:math:`m = \sum w y / \sum w` over the group's valid answers. Its linearised variable is
:math:`z_i = w_i (y_i - m) / W` inside the group and 0 for every other respondent of the design, and

.. math::

    V(m) = \sum_h (1 - f_h) \frac{n_h}{n_h - 1}
           \left[ \sum_{i \in h} z_i^2 - \frac{1}{n_h} \Big( \sum_{i \in h} z_i \Big)^2 \right]

where :math:`n_h` counts all respondents of stratum *h* and :math:`f_h = n_h / N_h` (0 when no
population is given). Both inner sums follow from five sums over each (stratum, cell), so the cost
of thousands of cells does not depend on the number of respondents. No strata means one stratum.

References
----------
Kish L (1965). *Survey Sampling*. Wiley. Sections 6.5 and 11.7.

Lumley T (2004). Analysis of complex survey samples. *Journal of Statistical Software* 9(8):1-19.

Lumley T (2010). *Complex Surveys: a guide to analysis using R*. Wiley. Chapters 1 and 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import DesignError
from culture_analytics.stats._quantiles import FloatArray, floats

__all__ = ["LONELY", "RatioSums", "degrees_of_freedom", "kish", "ratio_se", "ratio_se_coo"]

LONELY = {
    "fail": "stop: the variance inside such a stratum cannot be seen",
    "remove": "it adds nothing to the variance",
    "adjust": "its respondent is compared with the cell's mean: usually errs on the safe side",
    "average": "it adds the average variance of the other strata in the cell",
}
"""What a stratum with one respondent does; the names and meanings of R's ``survey.lonely.psu``."""

# Rounding leaves about 1e-13 of the sum of squares when the true spread is nil; real spread is
# never so small (one different answer in a million leaves 1e-6).
_ROUNDING = 1e-12
_CELLS_AT_ONCE = 16_384


class RatioSums(NamedTuple):
    """Sums over the valid answers of each (stratum, cell).

    For a percentage ``y`` is 0 or 1, so ``swy`` is the weighted numerator and ``sw2y2`` is
    ``sw2y``. Unweighted, ``sw2`` is ``sw``, and so on. All five have the same shape.

    The standard error keeps about 15 digits less those of (mean / standard deviation)^2: ample for
    percentages and scores. Where nearly everyone has the same value far from 0, measure ``y`` from
    that value; the standard error does not depend on the origin.
    """

    sw: ArrayLike
    """Sum of weights."""
    swy: ArrayLike
    """Sum of weight x value."""
    sw2: ArrayLike
    """Sum of squared weights."""
    sw2y: ArrayLike
    """Sum of squared weight x value."""
    sw2y2: ArrayLike
    """Sum of squared weight x squared value."""


def kish(sum_w: ArrayLike, sum_w2: ArrayLike) -> FloatArray:
    r"""Effective base :math:`(\sum w)^2 / \sum w^2`: the base itself when all weights are equal.

    Parameters
    ----------
    sum_w, sum_w2 : array_like
        Sum of the weights and of their squares over the valid answers of each cell.

    Returns
    -------
    ndarray
        Effective number of answers, not rounded; 0 where there are none.

    References
    ----------
    Kish (1965), section 11.7.

    Examples
    --------
    >>> kish([4.0, 4.0], [4.0, 10.0]).tolist()
    [4.0, 1.6]
    """
    total, squares = floats(sum_w), floats(sum_w2)
    some = squares > 0
    return np.where(some, total**2 / np.where(some, squares, 1.0), 0.0)


def degrees_of_freedom(n: ArrayLike, strata: ArrayLike) -> FloatArray:
    """Design degrees of freedom of a cell: valid answers less the strata they come from.

    Parameters
    ----------
    n : array_like
        Base: unweighted number of valid answers of each cell.
    strata : array_like
        Number of strata with at least one of those answers; 1 for a design without strata.

    Returns
    -------
    ndarray
        As R ``degf(subset(design, ...))``; 0 or less means no limits can be given.

    Examples
    --------
    >>> degrees_of_freedom([100, 3], [6, 3]).tolist()
    [94.0, 0.0]
    """
    return floats(n) - floats(strata)


def ratio_se(
    sums: RatioSums,
    n_h: ArrayLike,
    *,
    population_h: ArrayLike | None = None,
    lonely: str = "fail",
) -> FloatArray:
    """Design-based standard error of each cell's mean, from (strata, cells) tables of sums.

    Parameters
    ----------
    sums : RatioSums
        Arrays of shape (strata, cells).
    n_h : array_like
        Respondents of the **whole** design in each stratum, shape (strata,): also those outside
        the cell and those who did not answer.
    population_h : array_like, optional
        Eligible staff of each stratum (finite population correction), shape (strata,).
        Default: none, sampling as if with replacement.
    lonely : {"fail", "remove", "adjust", "average"}, default "fail"
        What a stratum with one respondent does: see :data:`LONELY`.

    Returns
    -------
    ndarray
        Standard errors, shape (cells,), in the units of ``y``. NaN where a cell has no weight, or
        with ``lonely="average"`` nothing but strata of one respondent.

    Raises
    ------
    DesignError
        If ``lonely`` is not one of the four; if it is ``"fail"`` and an answer comes from a
        stratum with one respondent; or if a stratum's population is missing or below its
        respondents.

    See Also
    --------
    ratio_se_coo : The same from the (stratum, cell) pairs that occur.

    References
    ----------
    Lumley (2004); equal to R ``SE(svymean(~y, subset(design, cell), na.rm = TRUE))``.

    Examples
    --------
    Two strata of 50 respondents; in the one cell 10 of 40 and 30 of 45 said yes.

    >>> n, yes = [[40.0], [45.0]], [[10.0], [30.0]]
    >>> ratio_se(RatioSums(n, yes, n, yes, yes), [50, 50]).round(4).tolist()
    [0.0505]
    """
    tables = [np.atleast_2d(floats(table)) for table in sums]
    n_cells = tables[0].shape[1]
    se = np.empty(n_cells)
    for first in range(0, n_cells, _CELLS_AT_ONCE):  # bounds the memory of the flat copies
        part = [table[:, first : first + _CELLS_AT_ONCE] for table in tables]
        stratum, cell = np.nonzero(part[0])
        se[first : first + _CELLS_AT_ONCE] = ratio_se_coo(
            RatioSums(*(table[stratum, cell] for table in part)),
            stratum,
            cell,
            part[0].shape[1],
            n_h,
            population_h=population_h,
            lonely=lonely,
        )
    return se


def ratio_se_coo(
    sums: RatioSums,
    stratum: ArrayLike,
    cell: ArrayLike,
    n_cells: int,
    n_h: ArrayLike,
    *,
    population_h: ArrayLike | None = None,
    lonely: str = "fail",
) -> FloatArray:
    """Design-based standard error of each cell's mean, from the (stratum, cell) pairs that occur.

    With organisations as strata most pairs are empty; leaving them out saves memory and time, and
    changes nothing.

    Parameters
    ----------
    sums : RatioSums
        Flat arrays, one element for each pair; no pair twice.
    stratum, cell : array_like of int
        Positions of the pair's stratum in ``n_h`` and of its cell in the result.
    n_cells : int
        Number of cells.
    n_h, population_h, lonely
        As for :func:`ratio_se`.

    Returns
    -------
    ndarray
        Standard errors, shape (n_cells,): see :func:`ratio_se`.

    Raises
    ------
    DesignError
        As :func:`ratio_se`.

    Examples
    --------
    >>> n, yes = [40.0, 45.0], [10.0, 30.0]
    >>> ratio_se_coo(RatioSums(n, yes, n, yes, yes), [0, 1], [0, 0], 2, [50, 50]).round(4).tolist()
    [0.0505, nan]
    """
    sw, swy, sw2, sw2y, sw2y2 = (floats(values) for values in sums)
    h, c = np.asarray(stratum, dtype=np.intp), np.asarray(cell, dtype=np.intp)
    weight = np.bincount(c, sw, n_cells).astype(np.float64)
    weight[weight <= 0] = np.nan
    m = (np.bincount(c, swy, n_cells) / weight)[c]
    variance = linearised_variance(  # W^2 times it
        LinearisedSums(
            squares=sw2y2 - 2 * m * sw2y + m**2 * sw2,
            total=swy - m * sw,
            scale=sw2y2 + m**2 * sw2,
            occupied=sw > 0,
        ),
        h,
        c,
        n_cells,
        n_h,
        population_h=population_h,
        lonely=lonely,
    )
    return np.sqrt(variance) / weight


class LinearisedSums(NamedTuple):
    """Sums of a linearised variable z over the answers of each (stratum, cell)."""

    squares: FloatArray
    """Sum of z squared."""
    total: FloatArray
    """Sum of z."""
    scale: FloatArray
    """What `squares` was taken from: a spread of nothing but its rounding is no spread."""
    occupied: NDArray[np.bool_]
    """Whether the pair has an answer at all."""


def linearised_variance(
    sums: LinearisedSums,
    h: NDArray[np.intp],
    c: NDArray[np.intp],
    n_cells: int,
    n_h: ArrayLike,
    *,
    population_h: ArrayLike | None,
    lonely: str,
) -> FloatArray:
    """Variance of each cell's total of z: what every estimator with such a z shares.

    Parameters
    ----------
    sums : LinearisedSums
        Flat arrays, one element for each (stratum, cell) pair; no pair twice.
    h, c : ndarray of int
        Stratum and cell of each pair.
    n_cells, n_h, population_h, lonely
        As for :func:`ratio_se_coo`.

    Returns
    -------
    ndarray
        Shape (n_cells,): 0 for a cell without pairs; NaN under ``lonely="average"`` where all its
        strata have one respondent.

    Raises
    ------
    DesignError
        As :func:`ratio_se`.
    """
    respondents = floats(n_h)
    unsampled = unsampled_share(respondents, population_h)
    lonely_h = (respondents == 1) & (unsampled > 0)
    _check_lonely(lonely, lonely_h, h[sums.occupied])

    def over_strata(values: NDArray[np.generic]) -> FloatArray:
        return np.bincount(c, weights=floats(values), minlength=n_cells).astype(np.float64)

    spread = sums.squares - sums.total**2 / respondents[h]
    alone = lonely_h[h]
    spread = np.where(alone, sums.squares if lonely == "adjust" else 0.0, spread)
    spread[spread <= _ROUNDING * sums.scale] = 0.0
    factor = respondents / np.maximum(respondents - 1, 1) * unsampled
    variance = over_strata(factor[h] * spread)
    if lonely == "average":
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = variance * over_strata(sums.occupied) / over_strata(sums.occupied & ~alone)
    return variance


def unsampled_share(respondents: FloatArray, population_h: ArrayLike | None) -> FloatArray:
    """Share of each stratum that was not sampled, ``1 - n_h / N_h``; 1 without populations.

    Raises
    ------
    DesignError
        If a population is missing or below the stratum's respondents.
    """
    if population_h is None:
        return np.ones_like(respondents)
    population = floats(population_h)
    wrong = int(np.count_nonzero(~(population >= respondents)))
    if wrong:
        raise DesignError(
            f"{wrong} of {respondents.size} strata have no population or one below their number "
            "of respondents. Try: check that the population counts eligible staff in the same "
            "units as the strata, or leave the population out of the design."
        )
    unsampled = 1 - respondents / np.where(population > 0, population, 1.0)
    return np.where(unsampled < 1e-7, 0.0, unsampled)


def _check_lonely(lonely: str, lonely_h: NDArray[np.bool_], used: NDArray[np.intp]) -> None:
    """Refuse an unknown option, and under "fail" answers from strata with one respondent."""
    if lonely not in LONELY:
        raise DesignError(
            f"lonely={lonely!r} is not known. Try one of: {', '.join(map(repr, LONELY))}."
        )
    if lonely == "fail" and lonely_h[used].any():
        options = "; ".join(f"lonely={name!r}: {LONELY[name]}" for name in list(LONELY)[1:])
        raise DesignError(
            f"{int(lonely_h.sum())} of {lonely_h.size} strata have one respondent, so the variance "
            "inside them cannot be estimated. Try: merge them with a similar stratum, or choose "
            f"in the design what they do ({options})."
        )
