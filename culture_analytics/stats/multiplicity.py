"""p-values of many comparisons at once: Holm's and Benjamini and Hochberg's adjustments.

A *family* is the set of comparisons that one question is asked of, fixed before testing. Holm's
adjustment keeps the chance of any false finding in the family at the level; Benjamini and
Hochberg's keeps the expected share of false ones among the findings, for screens of many cells.

References
----------
Holm S (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of
Statistics* 6:65-70.

Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate. *Journal of the Royal
Statistical Society B* 57:289-300.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats

__all__ = ["ADJUSTMENTS", "adjust_p"]


def _holm(ordered: FloatArray) -> FloatArray:
    m = len(ordered)
    return np.maximum.accumulate(ordered * np.arange(m, 0, -1))


def _benjamini_hochberg(ordered: FloatArray) -> FloatArray:
    m = len(ordered)
    return np.minimum.accumulate((ordered * m / np.arange(1, m + 1))[::-1])[::-1]


def _none(ordered: FloatArray) -> FloatArray:
    return ordered


# Ascending p-values of one family -> adjusted ones.
ADJUSTMENTS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "holm": _holm,
    "bh": _benjamini_hochberg,
    "none": _none,
}


def adjust_p(
    p: ArrayLike, *, method: str = "holm", family: NDArray[np.integer] | None = None
) -> FloatArray:
    """Adjusted p-values, each family by itself.

    Parameters
    ----------
    p : array_like
        p-values, 0 to 1; NaN where nothing was tested, which counts in no family.
    method : {"holm", "bh", "none"}, default "holm"
        A key of `ADJUSTMENTS`.
    family : ndarray of int, optional
        Number of the family of each p-value, in the shape of `p`. Default: all are one family.

    Returns
    -------
    ndarray
        In the shape of `p`, 0 to 1; NaN where `p` is.

    Raises
    ------
    CultureAnalyticsError
        The method does not exist, a p-value lies outside 0..1, or the shapes differ.

    References
    ----------
    Holm (1979); Benjamini and Hochberg (1995); equal to R ``p.adjust``.

    Examples
    --------
    >>> adjust_p([0.01, 0.04, float("nan"), 0.03]).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    >>> adjust_p([0.01, 0.04, 0.03], method="bh").round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    if method not in ADJUSTMENTS:
        raise CultureAnalyticsError(
            f"No adjustment {method!r}; there are: {', '.join(ADJUSTMENTS)}."
        )
    given = floats(p)
    outside = int(np.count_nonzero((given < 0) | (given > 1)))
    if outside:
        raise CultureAnalyticsError(f"{outside} of {given.size} p-values lie outside 0..1.")
    member = np.zeros(given.shape, dtype=np.intp) if family is None else np.asarray(family)
    if member.shape != given.shape:
        raise CultureAnalyticsError(
            f"{given.size} p-values and {member.size} numbers of families. Try: one for each."
        )
    flat, of = given.ravel(), member.ravel()
    found = np.full(flat.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(flat))
    order = tested[np.lexsort((flat[tested], of[tested]))]
    starts = np.flatnonzero(np.diff(of[order])) + 1
    for one in np.split(order, starts):
        found[one] = np.minimum(ADJUSTMENTS[method](flat[one]), 1.0)
    return found.reshape(given.shape)
