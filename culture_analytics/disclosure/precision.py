"""What printed figures say of the number of people behind them.

A percentage beside its base is a count in disguise: at base 150 whole percentages alone fix a third
of the possible numerators, and Wilson limits at one decimal fix them all. These functions list the
numerators that fit what is printed, at the precision it is printed with. Results are audited as if
every shown numerator were known, unless the rule rounds: `rounded` then prints only what the audit
took the reader to know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.rules import Rule, numerators
from culture_analytics.disclosure.structure import round_people
from culture_analytics.errors import DisclosureError
from culture_analytics.stats.proportion import wilson

__all__ = [
    "Printed",
    "fitting_numerators",
    "numerator_range",
    "rounded",
    "score_total_range",
    "share_fixed",
]


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


# What a rounded row cannot show: each says more of the numbers than they themselves.
UNROUNDED = ("se", "df", "p_value", "p_adjusted", "weighted_base", "effective_base")

# Words for the method of limits that come from the figures shown.
FROM_SHOWN = "wilson, from the rounded figures"


def rounded(frame: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Rows as a rule that rounds shows them.

    With `round_base` a percentage is that of two rounded numbers of people, so that it says no more
    than they do; with `decimals` it is rounded. Limits are Wilson's for the rounded percentage
    and base, moved outwards to the decimals shown, so that they add nothing either. A score keeps
    one decimal, its limits are moved outwards to it. Standard errors, p-values and weighted bases
    are taken away.

    Parameters
    ----------
    frame
        Private rows of the result schema; hidden and unprotected ones alike. Weighted rows need
        the private column ``_numerator`` (only to be told from unweighted ones that do not).
    rule
        The rule. One that does not round leaves the rows as they are.

    Returns
    -------
    pandas.DataFrame
        A copy with ``value, lower, upper, base, method`` replaced and the rest taken away.

    Notes
    -----
    A weighted percentage is rounded to one that a whole rounded number of people would give. Limits
    are then of that many answers without regard to the weights, so narrower than they should be
    where weights vary much: `value` and the limits are for reading, not for tests.

    Examples
    --------
    >>> from culture_analytics.disclosure.rules import load_rule
    >>> row = pd.DataFrame({
    ...     "source": ["extract"], "status": ["ok"], "statistic": ["percent"], "value": [27.0],
    ...     "base": [37.0], "level": [0.95], "weighting": ["unweighted"], "_numerator": [10.0],
    ... })
    >>> rounded(row, load_rule("rounded"))[["value", "base"]].to_numpy().tolist()
    [[29.0, 35.0]]
    """
    if not rule.rounds:
        return frame.copy()
    out = frame.copy()
    about = (frame["source"].eq("extract") & frame["status"].eq("ok")).to_numpy(dtype=bool)
    percent = about & frame["statistic"].eq("percent").to_numpy(dtype=bool)
    base = frame["base"].to_numpy(dtype=float)
    shown_base = np.where(
        frame["source"].eq("extract"), round_people(base, rule.round_base), base
    )  # fmt: skip
    value = np.where(percent, _percent(frame, shown_base, rule), frame["value"].to_numpy(float))
    out["base"] = shown_base
    out["value"] = np.where(about & ~percent, np.round(value, 1), value)
    for end, outwards in (("lower", np.floor), ("upper", np.ceil)):
        if end in frame.columns:
            given = frame[end].to_numpy(dtype=float)
            limit = _limit(frame, value, shown_base, end == "upper")
            places = 10.0 ** (0 if rule.decimals is None else rule.decimals)
            limit = np.where(np.isnan(given), np.nan, outwards(limit * places) / places)
            score = outwards(given * 10) / 10
            out[end] = np.where(percent, limit, np.where(about, score, given))
    if "method" in frame.columns:
        out["method"] = np.where(percent, FROM_SHOWN, frame["method"].astype(str))
    gone = [c for c in UNROUNDED if c in frame.columns]
    out.loc[frame["source"].eq("extract"), gone] = np.nan
    return out


def _percent(
    frame: pd.DataFrame, shown_base: NDArray[np.float64], rule: Rule
) -> NDArray[np.float64]:
    value = frame["value"].to_numpy(dtype=float)
    if rule.round_base > 1:
        people = np.where(
            frame["weighting"].eq("unweighted"), numerators(frame), value / 100 * frame["base"]
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            value = 100 * round_people(people, rule.round_base) / shown_base
        value = np.where(shown_base > 0, np.minimum(value, 100.0), np.nan)
    return np.asarray(value if rule.decimals is None else np.round(value, rule.decimals))


def _limit(
    frame: pd.DataFrame,
    value: NDArray[np.float64],
    shown_base: NDArray[np.float64],
    above: bool,
) -> NDArray[np.float64]:
    level = frame["level"].to_numpy(dtype=float)
    found = np.full(len(frame), np.nan)
    able = ~np.isnan(value) & (shown_base > 0) & ~np.isnan(level) & (value >= 0) & (value <= 100)
    for one in np.unique(level[able]):
        at = able & (level == one)
        found[at] = 100 * wilson(value[at] / 100, shown_base[at], level=float(one))[int(above)]
    return found
