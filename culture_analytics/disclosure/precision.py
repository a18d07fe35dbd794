"""What printed figures say of the number of people behind them.

A percentage beside its base is a count in disguise: at base 150 whole percentages alone fix a third
of the possible numerators, and Wilson limits at one decimal fix them all. These functions list the
numerators that fit what is printed, at the precision it is printed with. Library results are
audited as if every shown numerator were known; these say how much a rounded table would hold back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from culture_analytics.errors import DisclosureError
from culture_analytics.stats.proportion import wilson

__all__ = ["Printed", "fitting_numerators", "numerator_range", "score_total_range", "share_fixed"]


@dataclass(frozen=True)
class Printed:
    """The figures printed of one cell, None where not printed.

    Parameters
    ----------
    base
        Valid answers as printed; with `base_rounding` a multiple of it.
    percent, lower, upper, se
        As printed, in percentage points (limits are Wilson's).
    decimals, limit_decimals, se_decimals
        Decimals they are printed with.
    base_rounding
        Rounding base of the printed base; 1 = exact.
    level
        Confidence level of the limits.
    """

    base: int
    percent: float | None = None
    lower: float | None = None
    upper: float | None = None
    se: float | None = None
    decimals: int = 0
    limit_decimals: int = 0
    se_decimals: int = 1
    base_rounding: int = 1
    level: float = 0.95


def fitting_numerators(printed: Printed) -> NDArray[np.int64]:
    """Every numerator that fits what is printed, ascending.

    Raises
    ------
    DisclosureError
        None fits: the figures are not of one cell, or not at the precision given.

    Examples
    --------
    >>> fitting_numerators(Printed(base=150, percent=10)).tolist()
    [15]
    >>> fitting_numerators(Printed(base=1500, percent=10)).size
    15
    """
    step = printed.base_rounding
    half = (step - 1) // 2 if step % 2 else step // 2
    found: set[int] = set()
    for base in range(max(printed.base - half, 1), printed.base + half + 1):
        found.update(map(int, _at_base(printed, base)))
    if not found:
        raise DisclosureError(
            "No count of people fits the percentage, limits and base printed for a cell. "
            "Check the decimals given, and that the figures are unweighted."
        )
    return np.array(sorted(found), dtype=np.int64)


def _at_base(printed: Printed, base: int) -> NDArray[np.int64]:
    k = np.arange(base + 1)
    p = k / base
    lower, upper = wilson(p, np.full(len(p), float(base)), level=printed.level)
    fits = np.ones(len(k), dtype=bool)
    spread = np.sqrt(p * (1 - p) / max(base - 1, 1))
    for given, values, decimals in (
        (printed.percent, p, printed.decimals),
        (printed.lower, lower, printed.limit_decimals),
        (printed.upper, upper, printed.limit_decimals),
        (printed.se, spread, printed.se_decimals),
    ):
        if given is not None:
            fits &= np.abs(100 * values - given) <= 0.5 * 10.0**-decimals + 1e-9
    return k[fits]


def numerator_range(printed: Printed) -> tuple[int, int]:
    """Least and greatest numerator that fit."""
    fitting = fitting_numerators(printed)
    return int(fitting[0]), int(fitting[-1])


def score_total_range(base: int, mean: float, decimals: int) -> tuple[float, float]:
    """Limits of a score's sum of points from its printed mean and base.

    Examples
    --------
    >>> low, high = score_total_range(20, 6.31, 2)
    >>> round(low, 2), round(high, 2)
    (126.1, 126.3)
    """
    half = 0.5 * 10.0**-decimals
    return max(base * (mean - half), 0.0), min(base * (mean + half), 10.0 * base)


def share_fixed(base: int, *, decimals: int, limit_decimals: int | None = None) -> float:
    """Share of the numerators 0..base that printed figures give away exactly.

    Parameters
    ----------
    base
        Valid answers, printed.
    decimals
        Decimals of the percentage.
    limit_decimals
        Decimals of its Wilson limits, None = not printed.

    Examples
    --------
    >>> share_fixed(50, decimals=0)
    1.0
    >>> share_fixed(1000, decimals=0)
    0.0
    """
    k = np.arange(base + 1)
    p = k / base
    printed = [np.round(100 * p, decimals)]
    if limit_decimals is not None:
        limits = wilson(p, np.full(len(p), float(base)))
        printed += [np.round(100 * x, limit_decimals) for x in limits]
    _, group, size = np.unique(
        np.stack(printed, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return float((size[group.ravel()] == 1).mean())
