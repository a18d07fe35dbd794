"""Quantiles shared by the interval functions, and the checks on what they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import CultureAnalyticsError

FloatArray = NDArray[np.float64]
Limits = tuple[FloatArray, FloatArray]

_ROUNDING = 1e-12
_TABLE = 10_000_000


def upper_tail(level: float) -> float:
    """Probability below the upper limit of a two-sided interval: 0.975 for ``level=0.95``."""
    if not 0 < level < 1:
        raise CultureAnalyticsError(
            f"level must lie between 0 and 1, not {level}. Try: level=0.95 for 95 % limits."
        )
    return 1 - (1 - level) / 2


def normal_quantile(level: float) -> float:
    """Two-sided standard normal quantile: 1.96 for ``level=0.95``."""
    from scipy.special import ndtri

    return float(ndtri(upper_tail(level)))


def t_quantile(level: float, df: ArrayLike) -> FloatArray:
    """Two-sided Student t quantile; NaN where ``df`` is NaN or not above 0, normal at infinity."""
    from scipy.special import stdtrit

    freedom = floats(df)
    freedom = np.where(freedom > 0, freedom, np.nan)
    # Degrees of freedom repeat, and their quantiles are slow: a microsecond and a half each.
    distinct, which = _distinct(freedom)
    quantiles = np.asarray(stdtrit(distinct, upper_tail(level)), dtype=np.float64)
    return quantiles[which].reshape(freedom.shape)


def _distinct(values: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """The different values and where each is found: by a table for small whole numbers."""
    flat = values.ravel()
    whole = np.where(np.isnan(flat), -1, flat)
    if not len(flat) or whole.max() > _TABLE or (whole != np.trunc(whole)).any():
        distinct, which = np.unique(flat, return_inverse=True)
        return distinct, which
    code = whole.astype(np.intp)
    seen = np.zeros(int(code.max()) + 2, dtype=bool)  # the last place, -1, is NaN
    seen[code] = True
    place = np.cumsum(seen) - 1
    found = np.flatnonzero(seen).astype(np.float64)
    if seen[-1]:
        found[-1] = np.nan
    return found, place[code]


def floats(values: ArrayLike) -> FloatArray:
    """Return the values as a float array; integers are widened before anything is multiplied."""
    return np.asarray(values, dtype=np.float64)


def proportions(p: ArrayLike) -> FloatArray:
    """Return proportions as floats in 0..1; NaN stands for no answers.

    Values within rounding (1e-12) of 0 or 1 become 0 or 1: sums of weights taken in another order
    can turn "all of them" into just under or over 1.
    """
    share = floats(p)
    share = np.where(np.abs(share) < _ROUNDING, 0.0, share)
    share = np.where(np.abs(share - 1) < _ROUNDING, 1.0, share)
    outside = int(np.count_nonzero((share < 0) | (share > 1)))
    if outside:
        raise CultureAnalyticsError(
            f"{outside} of {share.size} proportions lie outside 0..1. "
            "Try: divide percentages by 100 first."
        )
    return share
