"""Fisher's exact test of many two-by-two tables at once: a group's count against the rest's.

Small groups and rare answers are where the normal test fails: at 10 % of 12 people a normal tail of
one in ten thousand is really one in a thousand, and a screen of many groups picks out those.

References
----------
Fisher RA (1935). The logic of inductive inference. *Journal of the Royal Statistical Society*
98:39-82.

Lancaster HO (1961). Significance tests in discrete distributions. *Journal of the American
Statistical Association* 56:223-234.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats

__all__ = ["fisher_exact"]

_NEGLIGIBLE = 1e-16


def fisher_exact(
    yes: ArrayLike, n: ArrayLike, yes_all: ArrayLike, n_all: ArrayLike, *, mid: bool = True
) -> FloatArray:
    """Two-sided p-values of groups against the rest: twice the smaller tail.

    Parameters
    ----------
    yes, n : array_like
        Whole counts of each group: those who said yes, and all.
    yes_all, n_all : array_like
        The same of everyone, the group included.
    mid : bool, default True
        Whether the count itself is taken half (mid-p). The exact test is much too careful where
        counts are small; the mid-p test keeps its level on average, not in every case.

    Returns
    -------
    ndarray
        0 to 1; NaN where the group or the rest is nobody, or a count is missing.

    Raises
    ------
    CultureAnalyticsError
        Counts that cannot be: a group with more of something than everyone.

    Examples
    --------
    >>> fisher_exact([9, 2], [20, 30], 60, 400, mid=False).round(4).tolist()
    [0.0019, 0.2823]
    """
    y, size, of, everyone = np.broadcast_arrays(*(floats(x) for x in (yes, n, yes_all, n_all)))
    known = np.isfinite(y) & np.isfinite(size) & np.isfinite(of) & np.isfinite(everyone)
    known = known & (size > 0) & (everyone > size)
    with np.errstate(invalid="ignore"):
        wrong = known & (
            (y < 0) | (y > size) | (y > of) | (size - y > everyone - of) | (of > everyone)
        )
    if wrong.any():
        raise CultureAnalyticsError(
            f"{int(wrong.sum())} of {wrong.size} groups have more answers than everyone together."
        )
    found = np.full(y.shape, np.nan)
    y, size, of, everyone = (x[known] for x in (y, size, of, everyone))
    part = 0.5 if mid else 1.0
    upper = _upper(y, size, of, everyone, part)
    lower = _upper(size - y, size, everyone - of, everyone, part)  # of those who said no
    found[known] = np.minimum(2 * np.minimum(upper, lower), 1)
    return found


def _upper(
    y: FloatArray, n: FloatArray, of: FloatArray, everyone: FloatArray, part: float
) -> FloatArray:
    """Probability of more, and part of that of as many, given all four margins."""
    from scipy.special import gammaln

    def choose(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.asarray(gammaln(a + 1) - gammaln(b + 1) - gammaln(a - b + 1))

    # Below the middle the tail is over a half: not wanted, and long to add up.
    above = y >= n * of / everyone
    total = np.ones(y.shape)
    y, n, of, everyone = (x[above] for x in (y, n, of, everyone))
    term = np.exp(choose(of, y) + choose(everyone - of, n - y) - choose(everyone, n))
    total[above] = part * term
    at, place = y.copy(), np.flatnonzero(above)
    while place.size:
        ratio = (of - at) * (n - at) / ((at + 1) * (everyone - of - n + at + 1))
        term = term * ratio
        total[place] += term
        going = term > _NEGLIGIBLE * total[place]
        at, term, place = at[going] + 1, term[going], place[going]
        n, of, everyone = n[going], of[going], everyone[going]
    return total
