r"""Standard error of the difference between two groups of one design, covariance included.

Two groups of the same respondents are not independent samples. A group and everyone share people;
a group and the rest share the strata whose sizes are fixed. With :math:`z_a` the linearised
variable of group *a*'s percentage or mean (see :mod:`~culture_analytics.stats.variance`), the
difference :math:`m_a - m_b` has the linearised variable :math:`z_a - z_b`, respondent by
respondent:

========================  =====================================================================
in *a* only               :math:`w (y - m_a) / W_a`
in *b* only               :math:`-w (y - m_b) / W_b`
in both                   :math:`w (\alpha y - \beta)` with :math:`\alpha = 1/W_a - 1/W_b`,
                          :math:`\beta = m_a / W_a - m_b / W_b`
========================  =====================================================================

Its variance needs only the sums of *a*, of *b* and of those in both, stratum by stratum. The three
cases of a breakdown are one formula: two groups (nobody in both), a group and everyone (the group
is in both), a group and the rest (everyone less the group). Taking the variance of
:math:`z_a - z_b` itself, and not adding up two variances and a covariance, keeps its digits where
the two are nearly the same people.

References
----------
Kish L (1965). *Survey Sampling*. Wiley. Section 4.4 and 12.4: differences of subclasses.

Lumley T (2010). *Complex Surveys: a guide to analysis using R*. Wiley. Section 2.2; equal to R
``svycontrast(svyby(~y, ~group, design, svymean, covmat = TRUE), ...)``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats
from culture_analytics.stats.variance import LinearisedSums, RatioSums, linearised_variance

__all__ = ["Difference", "correlation", "difference_se", "difference_se_coo"]

# Less of the weight than this is the rounding of "nobody left" when the overlap is taken away.
_NOBODY = 1e-12
_FIRST, _SECOND, _BOTH = range(3)


class Difference(NamedTuple):
    """First mean less second mean of each contrast, shape (contrasts,)."""

    value: FloatArray
    """Difference, in the units of ``y``; NaN where either side has no answers."""
    se: FloatArray
    """Its standard error; 0 where the two sides are the same people or nothing varies."""
    strata: FloatArray
    """Strata with an answer on either side, for :func:`~culture_analytics.stats.degrees_of_freedom`
    with the number of different respondents on both sides together."""


def difference_se(
    first: RatioSums,
    second: RatioSums,
    n_h: ArrayLike,
    *,
    overlap: RatioSums | None = None,
    population_h: ArrayLike | None = None,
    lonely: str = "fail",
) -> Difference:
    """Difference of two groups' means and its standard error, from (strata, contrasts) tables.

    Parameters
    ----------
    first, second : RatioSums
        Sums over the valid answers of the two groups, arrays of shape (strata, contrasts).
    n_h : array_like
        Respondents of the **whole** design in each stratum, shape (strata,).
    overlap : RatioSums, optional
        Sums over those in both groups: ``first`` itself when the second group is everyone.
        Default: nobody is in both.
    population_h : array_like, optional
        Eligible staff of each stratum (finite population correction). Default: none.
    lonely : {"fail", "remove", "adjust", "average"}, default "fail"
        What a stratum with one respondent does: see :data:`~culture_analytics.stats.LONELY`.
        ``"average"`` averages over the strata with an answer on either side.

    Returns
    -------
    Difference
        Value, standard error and number of strata of each contrast.

    Raises
    ------
    DesignError
        As :func:`~culture_analytics.stats.ratio_se`.

    See Also
    --------
    difference_se_coo : The same from the (stratum, cell) pairs that occur.

    Examples
    --------
    One stratum of 100; 10 of 40 said yes in one group and 30 of 60 in the other.

    >>> a = RatioSums([[40.0]], [[10.0]], [[40.0]], [[10.0]], [[10.0]])
    >>> b = RatioSums([[60.0]], [[30.0]], [[60.0]], [[30.0]], [[30.0]])
    >>> value, se, strata = difference_se(a, b, [100])
    >>> value.tolist(), se.round(4).tolist()
    ([-0.25], [0.0946])
    """
    sides = [first, second] if overlap is None else [first, second, overlap]
    tables = [[np.atleast_2d(floats(table)) for table in side] for side in sides]
    n_contrasts = tables[0][0].shape[1]
    h, k = np.nonzero((tables[_FIRST][0] > 0) | (tables[_SECOND][0] > 0))
    found = [RatioSums(*(table[h, k] for table in side)) for side in tables]
    if overlap is None:
        found.append(RatioSums(*[np.zeros(h.size)] * 5))
    return _difference(
        found, h, k, n_contrasts, n_h, population_h=population_h, lonely=lonely, without=False
    )


def difference_se_coo(
    sums: RatioSums,
    stratum: ArrayLike,
    cell: ArrayLike,
    n_cells: int,
    first: ArrayLike,
    second: ArrayLike,
    n_h: ArrayLike,
    *,
    overlap: ArrayLike | None = None,
    without_overlap: bool = False,
    population_h: ArrayLike | None = None,
    lonely: str = "fail",
) -> Difference:
    """Differences between cells, from the (stratum, cell) pairs that occur.

    Every contrast names its cells by position, so that thousands of comparisons are one call:

    ===========================  ========  ==========  =========  ===================
    comparison                   `first`   `second`    `overlap`  `without_overlap`
    ===========================  ========  ==========  =========  ===================
    group with another group     group     other       -1         either
    group with everyone          group     everyone    group      False
    group with the rest          group     everyone    group      True
    two groups that overlap      group     other       their      False
                                                       crossing
    ===========================  ========  ==========  =========  ===================

    Parameters
    ----------
    sums : RatioSums
        Flat arrays, one element for each pair; no pair twice.
    stratum, cell : array_like of int
        Positions of the pair's stratum in ``n_h`` and of its cell.
    n_cells : int
        Number of cells.
    first, second : array_like of int
        Cells compared, shape (contrasts,).
    n_h, population_h, lonely
        As for :func:`difference_se`.
    overlap : array_like of int, optional
        Cell that holds those in both, shape (contrasts,); -1 where nobody is. Default: all -1.
    without_overlap : bool, default False
        Compare ``first`` with ``second`` less the overlap: the rest of the organisation.

    Returns
    -------
    Difference
        Value, standard error and number of strata of each contrast.

    Raises
    ------
    CultureAnalyticsError
        If `first`, `second` and `overlap` differ in length or name a cell that does not exist.
    DesignError
        As :func:`~culture_analytics.stats.ratio_se`.

    Examples
    --------
    Everyone (cell 0), 40 in a group (cell 1): the group with everyone, then with the rest.

    >>> n, yes = [100.0, 40.0], [40.0, 10.0]
    >>> cells = RatioSums(n, yes, n, yes, yes), [0, 0], [0, 1], 2
    >>> difference_se_coo(*cells, [1], [0], [100], overlap=[1]).value.round(4).tolist()
    [-0.15]
    >>> rest = difference_se_coo(*cells, [1], [0], [100], overlap=[1], without_overlap=True)
    >>> rest.value.round(4).tolist(), rest.se.round(4).tolist()
    ([-0.25], [0.0946])
    """
    named = _named_cells(first, second, overlap, n_cells)
    n_contrasts = named.shape[1]
    h, c = np.asarray(stratum, dtype=np.intp), np.asarray(cell, dtype=np.intp)
    order = np.argsort(c, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(c, minlength=n_cells))])
    n_strata = int(np.size(n_h))
    pairs, keys = zip(*(_expand(side, starts, order, h, n_strata) for side in named), strict=True)
    occurring, slot = np.unique(np.concatenate(keys), return_inverse=True)
    slots = np.split(slot, np.cumsum([key.size for key in keys])[:-1])
    columns = [floats(column) for column in sums]
    found = [
        RatioSums(
            *(np.bincount(at, column[of], occurring.size).astype(np.float64) for column in columns)
        )
        for of, at in zip(pairs, slots, strict=True)
    ]
    contrast, stratum_of = np.divmod(occurring, n_strata)
    return _difference(
        found,
        stratum_of,
        contrast,
        n_contrasts,
        n_h,
        population_h=population_h,
        lonely=lonely,
        without=without_overlap,
    )


def correlation(se_first: ArrayLike, se_second: ArrayLike, se_difference: ArrayLike) -> FloatArray:
    r"""Correlation of two estimates, from their standard errors and that of their difference.

    :math:`(s_a^2 + s_b^2 - s_d^2) / (2 s_a s_b)`, held within -1 and 1: what MOVER limits of a
    difference between dependent proportions need.

    Parameters
    ----------
    se_first, se_second, se_difference : array_like
        Standard errors, in one unit.

    Returns
    -------
    ndarray
        0 where either estimate has a standard error of 0; NaN where one is NaN.

    References
    ----------
    Zou GY, Donner A (2008). Construction of confidence limits about effect measures: a general
    approach. *Statistics in Medicine* 27:1693-1702.

    Examples
    --------
    >>> correlation([3.0, 0.0], [4.0, 1.0], [5.0, 1.0]).tolist()
    [0.0, 0.0]
    """
    a, b, d = floats(se_first), floats(se_second), floats(se_difference)
    product = 2 * a * b
    shared = (a**2 + b**2 - d**2) / np.where(product == 0, 1.0, product)
    return np.where(product == 0, 0.0, np.clip(shared, -1, 1))


def _named_cells(
    first: ArrayLike, second: ArrayLike, overlap: ArrayLike | None, n_cells: int
) -> NDArray[np.intp]:
    """Cells of each contrast, shape (3, contrasts): first, second, both."""
    a, b = np.atleast_1d(np.asarray(first)), np.atleast_1d(np.asarray(second))
    both = np.full(a.shape, -1) if overlap is None else np.atleast_1d(np.asarray(overlap))
    if not a.shape == b.shape == both.shape or a.ndim != 1:
        raise CultureAnalyticsError(
            f"first, second and overlap name {a.size}, {b.size} and {both.size} cells. "
            "Try: one cell of each for every contrast (overlap -1 where nobody is in both)."
        )
    named = np.stack([a, b, both]).astype(np.intp)
    lowest = np.array([[0], [0], [-1]])
    wrong = int(np.count_nonzero((named < lowest) | (named >= n_cells)))
    if wrong:
        raise CultureAnalyticsError(
            f"{wrong} of {named.size} cells named do not exist: there are {n_cells}, "
            "numbered from 0."
        )
    return named


def _expand(
    cells: NDArray[np.intp],
    starts: NDArray[np.intp],
    order: NDArray[np.intp],
    h: NDArray[np.intp],
    n_strata: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of each contrast's cell, and the (contrast, stratum) each belongs to as one number."""
    chosen = np.where(cells >= 0, cells, 0)
    length = np.where(cells >= 0, starts[chosen + 1] - starts[chosen], 0)
    contrast = np.repeat(np.arange(cells.size), length)
    within = np.arange(contrast.size) - np.repeat(np.cumsum(length) - length, length)
    pair = order[starts[chosen][contrast] + within]
    return pair, contrast * n_strata + h[pair]


def _difference(
    sides: list[RatioSums],
    h: NDArray[np.intp],
    k: NDArray[np.intp],
    n_contrasts: int,
    n_h: ArrayLike,
    *,
    population_h: ArrayLike | None,
    lonely: str,
    without: bool,
) -> Difference:
    """Difference from the aligned (stratum, contrast) sums of both groups and of their overlap."""
    a, b, both = ([floats(column) for column in side] for side in sides)
    if without:
        b, both = _less(b, both), [np.zeros(h.size)] * 5

    def over_strata(values: FloatArray) -> FloatArray:
        return np.bincount(k, values, n_contrasts).astype(np.float64)

    w_a, w_b = (over_strata(side[0]) for side in (a, b))
    w_a[w_a <= 0], w_b[w_b <= 0] = np.nan, np.nan
    m_a, m_b = over_strata(a[1]) / w_a, over_strata(b[1]) / w_b
    parts = [
        _sums_of_z(_less(a, both), (1 / w_a)[k], (m_a / w_a)[k]),
        _sums_of_z(_less(b, both), (-1 / w_b)[k], (-m_b / w_b)[k]),
        _sums_of_z(both, (1 / w_a - 1 / w_b)[k], (m_a / w_a - m_b / w_b)[k]),
    ]
    squares, total, scale = np.sum(parts, axis=0)
    occupied = (a[0] > 0) | (b[0] > 0)
    variance = linearised_variance(
        LinearisedSums(squares, total, scale, occupied),
        h,
        k,
        n_contrasts,
        n_h,
        population_h=population_h,
        lonely=lonely,
    )
    value = m_a - m_b
    return Difference(
        value=value,
        se=np.where(np.isnan(value), np.nan, np.sqrt(variance)),
        strata=over_strata(occupied.astype(np.float64)),
    )


def _less(whole: list[FloatArray], part: list[FloatArray]) -> list[FloatArray]:
    """Sums of those in `whole` but not in `part`; exactly 0 where nobody is left."""
    someone = whole[0] - part[0] > _NOBODY * whole[0]
    return [np.where(someone, w - p, 0.0) for w, p in zip(whole, part, strict=True)]


def _sums_of_z(
    sums: list[FloatArray], slope: FloatArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums of z = w (slope y - shift): of its square, of itself, and what the square is made of."""
    sw, swy, sw2, sw2y, sw2y2 = sums
    scale = slope**2 * sw2y2 + shift**2 * sw2
    return scale - 2 * slope * shift * sw2y, slope * swy - shift * sw, scale
