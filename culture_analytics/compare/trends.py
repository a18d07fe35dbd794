"""`trend`: a straight line through the years that are one series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.comparable import Guard
from culture_analytics.compare.derive import adjusted, derived, dies
from culture_analytics.compare.pairs import annual, judge, match
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.stats.multiplicity import ADJUSTMENTS
from culture_analytics.stats.trend import Line, effective_answers, proportion_trend, score_trend

__all__ = ["trend"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]

LEAST = 3
_KEYS = ("year", "org", "measure", "label", "answer", "breakdown", "group", "within",
         "within_group", "weighting", "source", "release")  # fmt: skip
NOTE = (
    "A line says how fast a figure moved on average. Years are overlapping samples of the same "
    "staff, and the line's own lack of fit is not in its limits."
)


@dataclass(frozen=True, eq=False)
class _Chains:
    """The rows of each cell, a column a year; -1 where a year takes no part."""

    rows: Ints
    years: Ints
    hidden: Mask  # years in which the cell is hidden
    cut: Mask  # an earlier year is not of the same series
    notes: list[str]


def trend(
    estimates: Estimates,
    *,
    adjust: str = "holm",
    level: float = 0.95,
    successors: pd.DataFrame | None = None,
) -> Estimates:
    """Linear trends over three comparable years or more, up to the latest.

    Parameters
    ----------
    estimates
        Results of several years, calculated or published.
    adjust
        As for `culture_analytics.compare.compare_years`.
    level
        Confidence level of the limits.
    successors
        As for `compare_years`: a line does not go back beyond a merger.

    Returns
    -------
    Estimates
        A row for each cell of the latest year: ``statistic="trend"``, percentage points or score
        points a year, with limits, p-value, and `reference` naming the years. The line goes back
        to the last break in the series; years without a figure take no part, and a hidden year
        on the line hides it. With fewer than three years it is ``not_comparable`` after a break,
        else ``unavailable``.

    Raises
    ------
    MeasureError
        There are fewer than three years, or no such adjustment.

    Notes
    -----
    Percentages: least squares weighted by the effective base; Cochran and Armitage's test, which
    unweighted equals R ``prop.trend.test``. Scores: least squares weighted by 1 / se squared;
    published scores, whose spread is not known, unweighted and without a test.

    References
    ----------
    Cochran (1954) Biometrics 10:417; Armitage (1955) Biometrics 11:375.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.compare import trend
    >>> line = trend(ca.calculate(ca.load_sample(), "work_related_stress"))
    >>> line.table[["statistic", "unit", "reference"]].values.tolist()
    [['trend', 'points a year', '2023-2025 (3 years)']]
    """
    if adjust not in ADJUSTMENTS:
        raise MeasureError(f"adjust={adjust!r}: there are {', '.join(map(repr, ADJUSTMENTS))}.")
    frame, hidden, notes = annual(estimates, "trend()")
    chains = _chains(frame, hidden, successors)
    last = chains.rows[:, -1]
    late = frame.iloc[last].reset_index(drop=True)
    used = chains.rows.copy()
    unusable = ~late["status"].eq("ok").to_numpy() | hidden[last]
    used[unusable, -1] = -1
    enough = (used >= 0).sum(axis=1) >= LEAST
    figures = _lines(frame, late, used, chains.years, level)
    # A hidden year on the line hides the line; one before its beginning only shortens it.
    within = np.maximum.accumulate(used >= 0, axis=1)
    dead = hidden[last] | ((chains.hidden & within).any(axis=1) & enough)
    status = np.where(chains.cut, "not_comparable", "unavailable")
    status = np.where(enough | dead, "ok", status)
    own = late["status"].to_numpy()
    status = np.where((own != "ok") & (status == "ok"), own, status)
    figures = figures.assign(
        status=status, reference=_named(used, chains.years), level=np.where(enough, level, np.nan)
    )
    tested = figures["p_value"].notna().to_numpy() & enough & ~dead & (status == "ok")
    family = [
        f"{org} trend to {year}, {table}"
        for org, year, table in zip(late["org"], late["year"], late["breakdown"], strict=True)
    ]
    figures = adjusted(figures, family, tested, adjust=adjust, what="trends")
    figures = dies(figures, dead, together=estimates._suppressed_together)
    return derived(estimates, figures, notes=[*notes, *chains.notes, NOTE])


def _chains(frame: pd.DataFrame, hidden: Mask, successors: pd.DataFrame | None) -> _Chains:
    """Follow each cell of the latest year back, as far as the guard lets it."""
    years = np.array(sorted({int(y) for y in pd.unique(frame["year"])}), dtype=np.intp)
    if len(years) < LEAST:
        raise MeasureError(
            f"trend() needs three years; these results are of {', '.join(map(str, years))}."
        )
    guard = Guard.of(frame, successors=successors)
    of_year = [np.flatnonzero(frame["year"].eq(y)) for y in years]
    usable = frame["status"].eq("ok").to_numpy() & ~hidden
    last = of_year[-1]
    rows = np.full((len(last), len(years)), -1, dtype=np.intp)
    hides = np.zeros(rows.shape, dtype=bool)
    rows[:, -1] = last
    nearest, cut = last.copy(), np.zeros(len(last), dtype=bool)
    notes: list[str] = []
    for k in range(len(years) - 2, -1, -1):
        going = np.flatnonzero(~cut)
        partner = match(frame, nearest[going], of_year[k])
        began = _began(frame, guard, nearest[going], int(years[k]))
        if began.any():
            # Judged alone: an organisation that had another name has no row of its own here.
            alone = nearest[going[began]]
            nobody = np.full(len(alone), -1, dtype=np.intp)
            notes += judge(guard, frame, alone, nobody, earlier_year=int(years[k])).notes
            cut[going[began]] = True
            going, partner = going[~began], partner[~began]
        going, partner = going[partner >= 0], partner[partner >= 0]
        if not len(going):
            continue
        judged = judge(guard, frame, nearest[going], partner, earlier_year=int(years[k]))
        cut[going[judged.refused]] = True
        notes += judged.notes
        hides[going, k] = hidden[partner] & ~judged.refused
        kept = ~judged.refused & usable[partner]
        rows[going[kept], k] = partner[kept]
        nearest[going[kept]] = partner[kept]
    return _Chains(rows, years, hides, cut, notes)


def _began(frame: pd.DataFrame, guard: Guard, rows: Ints, year: int) -> Mask:
    """Rows of organisations that others became since a year in which they have no figure."""
    orgs = frame["org"].iloc[rows]
    began = np.zeros(len(rows), dtype=bool)
    before = set(frame.loc[frame["year"].eq(year), "org"])
    for later in pd.unique(frame["year"].iloc[rows]):
        new = guard.successions.changed(pd.unique(orgs), year, int(later)) - before
        began |= (orgs.isin(new) & frame["year"].iloc[rows].eq(later)).to_numpy(dtype=bool)
    return began


def _lines(
    frame: pd.DataFrame, late: pd.DataFrame, used: Ints, years: Ints, level: float
) -> pd.DataFrame:
    """Slopes of every cell."""

    def over(column: str) -> Floats:
        values = frame[column].to_numpy(dtype=float)
        return np.where(used >= 0, values[np.maximum(used, 0)], np.nan)

    value, se, base = over("value"), over("se"), over("base")
    score = late["statistic"].eq("score").to_numpy(dtype=bool)
    percent = late["statistic"].eq("percent").to_numpy(dtype=bool)
    # Means of organisations have no limits, and no base of their own to test on.
    sampled = percent & (np.isfinite(over("lower")) | (used < 0)).all(axis=1)
    p = np.clip(np.where(percent[:, None], value / 100, np.nan), 0, 1)
    n = effective_answers(p, se / 100, base, over("effective_base"))
    proportions = proportion_trend(p, n, years)
    scores = score_trend(np.where(score[:, None], value, np.nan), se, over("df"), years)
    plain = _unweighted_slope(value, years)
    known = np.isfinite(scores.slope)
    kinds = [percent & sampled, score & known]
    low, high = _limits(proportions, scores, level)
    smallest = np.where(np.isnan(base), np.inf, base).min(axis=1)
    return late[list(_KEYS)].assign(
        statistic="trend",
        unit="points a year",
        value=np.select(kinds, [100 * proportions.slope, scores.slope], plain),
        lower=np.select(kinds, low, np.nan),
        upper=np.select(kinds, high, np.nan),
        se=np.select(kinds, [100 * proportions.se, scores.se], np.nan),
        df=np.select(kinds, [proportions.df, scores.df], np.nan),
        p_value=np.select(kinds, [proportions.p_value, scores.p_value], np.nan),
        base=np.where(np.isfinite(smallest), smallest, np.nan),
        method=np.select(kinds, ["cochran_armitage", "weighted_line"], "line"),
    )


def _limits(proportions: Line, scores: Line, level: float) -> tuple[list[Floats], list[Floats]]:
    low, high = proportions.limits(level)
    score_low, score_high = scores.limits(level)
    return [100 * low, score_low], [100 * high, score_high]


def _unweighted_slope(value: Floats, years: Ints) -> Floats:
    """Slope through figures whose precision is not known."""
    known = np.isfinite(value)
    count = known.sum(axis=1, keepdims=True)
    x = np.where(known, years.astype(float), 0.0)
    centred = np.where(known, x - x.sum(axis=1, keepdims=True) / np.maximum(count, 1), 0.0)
    moment = (centred**2).sum(axis=1)
    slope = (centred * np.where(known, value, 0.0)).sum(axis=1) / np.where(moment > 0, moment, 1)
    return np.asarray(np.where(count[:, 0] >= LEAST, slope, np.nan), dtype=np.float64)


def _named(used: Ints, years: Ints) -> list[str]:
    """The years of each line."""
    named = []
    for row in used >= 0:
        of = years[row]
        named.append(f"{of[0]}-{of[-1]} ({len(of)} years)" if len(of) > 1 else "")
    return named
