r"""Statistical process control of one series: run chart and XmR chart.

What is drawn depends on how many points there are:

=========  =====================  =========================================================
points     kind                   what is drawn and judged
=========  =====================  =========================================================
under 6    ``too_few_points``     the points alone
6 to 11    ``run_chart``          median; trends (seven points cannot lie on one side of it)
12 to 19   ``xmr_provisional``    mean and provisional limits; all four rules
20 on      ``xmr``                mean and limits; all four rules
=========  =====================  =========================================================

Limits of an XmR chart are :math:`\bar x \pm 2.66 \, \overline{mR}`, where the moving range is the
distance between neighbouring points and :math:`2.66 = 3 / 1.128`. Moving ranges beyond their own
limit, :math:`3.267 \, \overline{mR}`, are left out of a second average, so that a single jump does
not widen the limits that should find it.

The rules of Making Data Count:

* ``beyond_limits`` - a single point outside the limits;
* ``shift`` - seven or more points in a row on one side of the middle;
* ``two_of_three`` - two of three points in a row beyond two thirds of the way to one limit;
* ``trend`` - six or more points in a row, each higher (or each lower) than the last.

References
----------
Wheeler DJ (2000). *Understanding Variation*. SPC Press.

Nelson LS (1982). Control charts for individual measurements. *Journal of Quality Technology*
14:172-173.

NHS England, Making Data Count: *Making data count - getting started*, and the rules as set out in
the R package NHSRplotthedots (NHS-R Community).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats

__all__ = ["DIRECTIONS", "KINDS", "RULES", "Control", "control"]

# Least number of points -> kind of chart.
KINDS = {20: "xmr", 12: "xmr_provisional", 6: "run_chart", 0: "too_few_points"}

# In the order in which one is named where a point breaks several.
RULES = ("beyond_limits", "shift", "two_of_three", "trend")

# Which way is better -> what a high and a low signal mean.
DIRECTIONS = {
    "up": ("improvement", "concern"),
    "down": ("concern", "improvement"),
    "neither": ("neutral", "neutral"),
}

SHIFT, TREND = 7, 6
TO_LIMIT = 2.66  # 3 / d2 with d2 = 1.128 for ranges of two
RANGE_LIMIT = 3.267  # D4 for ranges of two
HAIR = 1e-9

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Control:
    """A series judged, an element a point.

    Attributes
    ----------
    value : ndarray
        The points.
    segment : ndarray of int
        Number of the stretch between re-bases, from 0.
    kind : ndarray of str
        Of the stretch: see `KINDS`.
    centre : ndarray
        Median of a run chart, mean of an XmR chart.
    lower, upper : ndarray
        Process limits; NaN where the kind has none.
    rule : ndarray of str
        First of `RULES` broken, "" for none.
    side : ndarray of int
        1 where the signal is high or rising, -1 where it is low or falling, 0 for none.
    variation : ndarray of str
        ``"common"`` cause, or ``"improvement"``, ``"concern"`` or (where neither way is better)
        ``"neutral"``.
    """

    value: FloatArray
    segment: NDArray[np.int64]
    kind: NDArray[np.str_]
    centre: FloatArray
    lower: FloatArray
    upper: FloatArray
    rule: NDArray[np.str_]
    side: NDArray[np.int64]
    variation: NDArray[np.str_]


def control(
    values: ArrayLike,
    *,
    improvement: str,
    rebase: ArrayLike = (),
    screen: bool = True,
    bounds: tuple[float, float] | None = None,
) -> Control:
    """Judge a series in order of time.

    Parameters
    ----------
    values : array_like, shape (points,)
        Points in order; NaN where a period has none, which is passed over.
    improvement : {"up", "down", "neither"}
        Which way is better.
    rebase : array_like of int, default ()
        Positions of points at which limits start afresh: after a known change of the process,
        never to make signals disappear.
    screen : bool, default True
        Leave moving ranges beyond their own limit out of the average.
    bounds : tuple of float, optional
        Ends of the scale, ``(0, 10)`` for a score: limits beyond them are moved to them.

    Returns
    -------
    Control

    Raises
    ------
    CultureAnalyticsError
        The direction does not exist, the values are not one series, or a re-base is no point.

    References
    ----------
    Wheeler (2000); Nelson (1982); Making Data Count.

    Examples
    --------
    >>> quarters = [6.5, 6.6, 6.5, 6.7, 6.6, 6.5, 6.6, 6.6, 6.5, 6.6, 6.5, 5.9]
    >>> found = control(quarters, improvement="up")
    >>> str(found.kind[-1]), str(found.rule[-1]), str(found.variation[-1])
    ('xmr_provisional', 'beyond_limits', 'concern')
    """
    if improvement not in DIRECTIONS:
        raise CultureAnalyticsError(
            f"improvement={improvement!r}: say which way is better, "
            f"{', '.join(map(repr, DIRECTIONS))}."
        )
    points = floats(values)
    if points.ndim != 1:
        raise CultureAnalyticsError(
            f"One series at a time: the values have shape {points.shape}, not (points,)."
        )
    starts = np.unique(np.asarray(rebase, dtype=np.int64))
    wrong = int(np.count_nonzero((starts < 0) | (starts >= max(points.size, 1))))
    if wrong:
        raise CultureAnalyticsError(
            f"{wrong} of {starts.size} re-bases are no position among {points.size} points."
        )
    segment = np.searchsorted(starts[starts > 0], np.arange(points.size), side="right")
    parts = [
        _stretch(points[segment == number], improvement, screen, bounds)
        for number in range(int(segment.max(initial=0)) + 1)
    ]
    joined: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts])
        for name in (f.name for f in fields(Control) if f.name != "segment")
    }
    return Control(segment=segment.astype(np.int64), **joined)


def _stretch(
    points: FloatArray, improvement: str, screen: bool, bounds: tuple[float, float] | None
) -> dict[str, NDArray[Any]]:
    """The parts of a `Control` for the points between two re-bases."""
    known = np.isfinite(points)
    x = points[known]
    kind = next(name for least, name in KINDS.items() if len(x) >= least)
    centre, lower, upper = _limits(x, kind, screen)
    sides = _signals(x, kind, centre, lower, upper)
    broken = np.zeros((len(RULES), len(points)), dtype=np.int64)
    broken[:, known] = sides
    first = np.argmax(broken != 0, axis=0)
    side = broken[first, np.arange(len(points))]
    if bounds is not None:
        lower, upper = np.clip(lower, *bounds), np.clip(upper, *bounds)
    high, low = DIRECTIONS[improvement]
    return {
        "value": points,
        "kind": np.full(len(points), kind),
        "centre": np.full(len(points), centre),
        "lower": np.full(len(points), lower),
        "upper": np.full(len(points), upper),
        "rule": np.where(side != 0, np.array(RULES)[first], ""),
        "side": side,
        "variation": np.select([side > 0, side < 0], [high, low], "common"),
    }


def _limits(x: FloatArray, kind: str, screen: bool) -> tuple[float, float, float]:
    """Middle and limits of one stretch."""
    if kind == "too_few_points":
        return np.nan, np.nan, np.nan
    if kind == "run_chart":
        return float(np.median(x)), np.nan, np.nan
    ranges = np.abs(np.diff(x))
    average = float(ranges.mean())
    if screen:
        kept = ranges[ranges <= RANGE_LIMIT * average]
        # Where nothing but the jumps moves, limits without them would have no width at all.
        average = float(kept.mean()) if kept.any() else average
    centre = float(x.mean())
    return centre, centre - TO_LIMIT * average, centre + TO_LIMIT * average


def _signals(
    x: FloatArray, kind: str, centre: float, lower: float, upper: float
) -> NDArray[np.int64]:
    """Side of the signal of each rule at each point, shape (rules, points); 0 for none."""
    found = np.zeros((len(RULES), len(x)), dtype=np.int64)
    if kind == "too_few_points":
        return found
    step = np.sign(np.diff(x)).astype(np.int64)
    found[RULES.index("trend")] = _trends(step)
    if kind == "run_chart":
        # At most five of eleven points lie on one side of their own median: there are no shifts.
        return found
    near_low, near_high = centre + (lower - centre) * 2 / 3, centre + (upper - centre) * 2 / 3
    found[RULES.index("shift")] = _runs(_side(x, centre, centre), SHIFT)
    found[RULES.index("beyond_limits")] = _side(x, lower, upper)
    found[RULES.index("two_of_three")] = _two_of_three(_side(x, near_low, near_high))
    return found


def _side(x: FloatArray, low: float, high: float) -> NDArray[np.int64]:
    """1 above, -1 below, 0 between or on a line: a mean is not exact to its last digit."""
    hair = HAIR * max(1.0, abs(low), abs(high))
    return np.select([x > high + hair, x < low - hair], [1, -1], 0).astype(np.int64)


def _runs(side: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    """The side of each point in a run of at least so many equal ones, else 0."""
    if not len(side):
        return side
    number = np.cumsum(np.concatenate([[0], np.diff(side) != 0]))
    length = np.bincount(number)[number]
    return np.where(length >= least, side, 0)


def _trends(step: NDArray[np.int64]) -> NDArray[np.int64]:
    """The way of each point in a row of rising or falling points; steps are one fewer."""
    long = _runs(step, TREND - 1)
    # A step belongs to the points on both its ends; the later step names a turning point.
    return np.where(np.append(0, long) != 0, np.append(0, long), np.append(long, 0))


def _two_of_three(near: NDArray[np.int64]) -> NDArray[np.int64]:
    """The side of each point near a limit that has another one within two points of it."""
    found = np.zeros_like(near)
    for way in (1, -1):
        at = near == way
        for apart in (1, 2):
            both = at[apart:] & at[:-apart]
            found[apart:][both] = way
            found[:-apart][both] = way
    return found
