"""`compare_years`: what changed between two years, where they are one series."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.comparable import Guard
from culture_analytics.compare.derive import adjusted, derived, dies
from culture_analytics.compare.pairs import annual, judge, match
from culture_analytics.compare.successions import said
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.stats.multiplicity import ADJUSTMENTS
from culture_analytics.stats.trend import (
    effective_answers,
    mover,
    t_test,
    two_proportions,
    welch,
)

__all__ = ["OVERLAP", "compare_years"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]

OVERLAP = (
    "Two years are overlapping samples of the same staff. The tests treat them as independent, "
    "which usually makes them cautious."
)
OFFICIAL = (
    "Rows of statistic 'official_test' are the two-sample tests that official and contractors' "
    "tables use (z on two proportions, t on two scores with the respondents' spread), each by "
    "itself: read 'p_adjusted' of the rows 'difference' before calling one of many changes real."
)
NO_SPREAD = (
    "{rows:,} changes of published scores have neither limits nor a test: the spread of the "
    "respondents is not published."
)
_KEYS = ("year", "org", "measure", "label", "answer", "breakdown", "group", "within",
         "within_group", "weighting", "source", "release", "level")  # fmt: skip


def compare_years(
    estimates: Estimates,
    *,
    baseline: int | None = None,
    adjust: str = "holm",
    successors: pd.DataFrame | None = None,
) -> Estimates:
    """Differences between years, later less earlier.

    Parameters
    ----------
    estimates
        Results of two years or more, calculated or published.
    baseline
        The earlier year; default for each year the one before it in `estimates`.
    adjust
        ``"holm"``, ``"bh"`` (Benjamini and Hochberg) or ``"none"``: a key of
        `culture_analytics.stats.multiplicity.ADJUSTMENTS`.
    successors
        Organisations that became others, as `load_successors` reads them; default the package's
        list. A published organisation that others became since the earlier year is not compared
        with what it was.

    Returns
    -------
    Estimates
        Two rows a pair, under the keys of the later year, with the earlier year as `reference`.
        ``statistic="difference"``: points, limits, standard error, p-value and p-value adjusted
        within its family, which is every publishable difference of one organisation, pair of
        years and table (answers of a distribution apart). ``statistic="official_test"``: the same
        difference with the official-style test, never adjusted. A row is hidden if either figure
        is. Years that are not one series have status ``not_comparable`` and no figure; `.notes`
        say why, and what to keep in mind about the others.

    Raises
    ------
    MeasureError
        There is one year only, no row of the baseline, or no such adjustment.
    PublishedError
        `successors` is no such list.

    Notes
    -----
    Percentages: limits by squaring and adding the limits of both (MOVER; Newcombe's with Wilson
    limits); test by two proportions on the effective bases. Scores: Welch's t on the design-based
    standard errors. Published percentages are taken as random samples of their bases. Two years
    are overlapping samples of the same staff, so that independent tests are usually cautious.

    References
    ----------
    Newcombe (1998) Statistics in Medicine 17:873; Zou and Donner (2008) Statistics in Medicine
    27:1693; Welch (1947) Biometrika 34:28; Holm (1979) Scandinavian Journal of Statistics 6:65.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.compare import compare_years
    >>> stress = ca.calculate(ca.load_sample(), "work_related_stress")
    >>> change = compare_years(stress, baseline=2023).table
    >>> change.loc[change["statistic"] == "difference", ["year", "reference"]].values.tolist()
    [[2024, '2023'], [2025, '2023']]
    """
    if adjust not in ADJUSTMENTS:
        raise MeasureError(f"adjust={adjust!r}: there are {', '.join(map(repr, ADJUSTMENTS))}.")
    frame, hidden, notes = annual(estimates, "compare_years()")
    guard = Guard.of(frame, successors=successors)
    blocks = []
    for earlier, later in _pairs_of_years(frame, baseline):
        block, said = _block(frame, hidden, guard, earlier, later)
        blocks.append(block)
        notes += said
    pairs = pd.concat(blocks, ignore_index=True)
    figures = _differences(frame, pairs)
    dead = pairs["hidden"].to_numpy(dtype=bool)
    tested = figures["p_value"].notna().to_numpy() & ~dead & figures["status"].eq("ok").to_numpy()
    figures = adjusted(figures, _families(figures), tested, adjust=adjust, what="comparisons")
    official = _official(frame, pairs, figures)
    both = pd.concat([figures, official], ignore_index=True)
    twice = np.tile(dead & pairs["status"].eq("ok").to_numpy(), 2)
    no_spread = _ok(figures) & figures["lower"].isna() & figures["_score"].to_numpy()
    published = no_spread & figures["source"].eq("published")
    notes += [NO_SPREAD.format(rows=int(published.sum()))] if published.any() else []
    # Side by side, the difference and its official-style test.
    order = np.arange(len(both)).reshape(2, -1).T.ravel()
    both = dies(both.drop(columns="_score"), twice, together=estimates._suppressed_together)
    return derived(estimates, both.iloc[order], notes=[*notes, OVERLAP, OFFICIAL])


def _ok(frame: pd.DataFrame) -> Any:
    return frame["status"].eq("ok")


def _pairs_of_years(frame: pd.DataFrame, baseline: int | None) -> list[tuple[int, int]]:
    years = sorted({int(y) for y in pd.unique(frame["year"])})
    if len(years) < 2:
        raise MeasureError(
            f"compare_years() needs two years; these results are of {years[0]} alone. "
            "Try: combine() several surveys, or concat() results of several years."
        )
    if baseline is None:
        return list(pairwise(years))
    if baseline not in years:
        raise MeasureError(
            f"baseline={baseline}: these results are of {', '.join(map(str, years))}."
        )
    if baseline == years[-1]:
        raise MeasureError(f"baseline={baseline} is the latest year of these results.")
    return [(baseline, year) for year in years if year > baseline]


def _block(
    frame: pd.DataFrame, hidden: Mask, guard: Guard, earlier: int, later: int
) -> tuple[pd.DataFrame, list[str]]:
    """Pairs of one year with another: positions, status, and whether either row is hidden."""
    early = np.flatnonzero(frame["year"].eq(earlier))
    late = np.flatnonzero(frame["year"].eq(later))
    notes = []
    # An organisation without any figure in the earlier year is not a row of gaps, but one that
    # others became is refused by name.
    orgs = pd.unique(frame["org"])
    earlier_orgs = {*frame["org"].iloc[early], *guard.successions.changed(orgs, earlier, later)}
    known = frame["org"].isin(earlier_orgs).to_numpy()
    new = pd.unique(frame["org"].iloc[late[~known[late]]])
    if len(new):
        notes.append(f"{len(new):,} organisation(s) of {later} have no figure in {earlier}.")
    late = late[known[late]]
    partner = match(frame, late, early)
    notes += _gone(frame, guard, early, late, earlier, later)
    lost = len(early) - len(np.unique(partner[partner >= 0]))
    if lost:
        notes.append(f"{lost:,} figures of {earlier} have no counterpart in {later}.")
    judged = judge(guard, frame, late, partner, earlier_year=earlier)
    there = frame["status"].to_numpy()[late]
    before = np.where(partner >= 0, frame["status"].to_numpy()[partner], "unavailable")
    status = np.where(there != "ok", there, before)
    return (
        pd.DataFrame(
            {
                "late": late,
                "early": partner,
                "reference": str(earlier),
                "status": np.where(judged.refused, "not_comparable", status),
                "hidden": hidden[late] | (hidden[partner] & (partner >= 0)),
            }
        ),
        [*notes, *judged.notes],
    )


def _gone(
    frame: pd.DataFrame, guard: Guard, early: Ints, late: Ints, earlier: int, later: int
) -> list[str]:
    """Organisations of the earlier year that are others by now, which no pair speaks of."""
    there = set(frame["org"].iloc[late])
    gone = [o for o in pd.unique(frame["org"].iloc[early]) if o not in there]
    paths = [guard.successions.became(str(o), earlier, later) for o in gone]
    mergers = [m for path in paths if path and path[-1].new not in there for m in path]
    if not mergers:
        return []
    return [
        f"Not compared, {later} with {earlier}: {said(mergers)}, which has no figure of {later} "
        "here; a merged organisation is not one of those it was made of."
    ]


def _sides(frame: pd.DataFrame, pairs: pd.DataFrame) -> tuple[Mapping[str, Floats], ...]:
    """Numbers of the later and of the earlier row of each pair; NaN where there is none."""
    columns = ("value", "lower", "upper", "se", "df", "base", "effective_base")
    sides = []
    for name in ("late", "early"):
        at = pairs[name].to_numpy()
        sides.append(
            {
                c: np.where(at >= 0, frame[c].to_numpy(dtype=float)[np.maximum(at, 0)], np.nan)
                for c in columns
            }
        )
    return tuple(sides)


def _differences(frame: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``statistic="difference"``, before adjustment."""
    late, early = _sides(frame, pairs)
    rows = frame.iloc[pairs["late"]].reset_index(drop=True)
    score = rows["statistic"].eq("score").to_numpy(dtype=bool)
    # A response rate is of staff, not of answers; a mean of organisations has no base of its own.
    percent = rows["statistic"].eq("percent").to_numpy(dtype=bool) & np.isfinite(
        late["lower"] + early["lower"]
    )
    n = len(rows)
    lower, upper, se, df, p = (np.full(n, np.nan) for _ in range(5))
    low, high = mover(*(side[c] for side in (late, early) for c in ("value", "lower", "upper")))
    lower[percent], upper[percent] = low[percent], high[percent]
    se[percent] = np.hypot(_percent_se(late), _percent_se(early))[percent]
    test = two_proportions(*(x for side in (late, early) for x in _proportion(side, percent)))
    p[percent], df[percent] = test.p_value[percent], test.df[percent]
    change = welch(*(side[c] for side in (late, early) for c in ("value", "se", "df")))
    for level in pd.unique(rows.loc[score, "level"].dropna()):
        of = score & rows["level"].eq(level).to_numpy(dtype=bool)
        low, high = change.limits(float(level))
        lower[of], upper[of] = low[of], high[of]
    known = score & np.isfinite(lower)
    se[known], df[known], p[known] = change.se[known], change.df[known], change.p_value[known]
    base_only = rows["method"].str.startswith("base_only").to_numpy(dtype=bool)
    method = np.select(
        [percent & base_only, percent, known], ["mover, base_only", "mover", "welch_t"], ""
    )
    return rows[list(_KEYS)].assign(
        statistic="difference",
        unit="points",
        value=late["value"] - early["value"],
        lower=lower,
        upper=upper,
        se=se,
        df=df,
        p_value=p,
        base=np.fmin(late["base"], early["base"]),
        reference=pairs["reference"].to_numpy(),
        status=pairs["status"].to_numpy(),
        method=method,
        _score=score,
    )


def _proportion(side: Mapping[str, Floats], percent: Mask) -> tuple[Floats, Floats]:
    """Proportion and effective base, where the row is a percentage."""
    p = np.where(percent, np.clip(side["value"] / 100, 0, 1), np.nan)
    return p, effective_answers(p, side["se"] / 100, side["base"], side["effective_base"])


def _percent_se(side: Mapping[str, Floats]) -> Floats:
    """Standard error of a percentage; of a published one, as of a random sample of its base."""
    p, n = side["value"] / 100, np.where(side["base"] > 0, side["base"], np.nan)
    sampled = 100 * np.sqrt(np.clip(p * (1 - p), 0, None) / n)
    return np.asarray(np.where(np.isnan(side["se"]), sampled, side["se"]), dtype=np.float64)


def _official(frame: pd.DataFrame, pairs: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``statistic="official_test"``."""
    late, early = _sides(frame, pairs)
    score = figures["_score"].to_numpy(dtype=bool)
    percent = figures["method"].str.startswith("mover").to_numpy(dtype=bool)
    z = two_proportions(
        *(
            x
            for side in (late, early)
            for x in (np.where(percent, np.clip(side["value"] / 100, 0, 1), np.nan), side["base"])
        )
    )
    t = t_test(*(x for side in (late, early) for x in (side["value"], _spread(side), side["base"])))
    known = score & np.isfinite(t.p_value)
    return figures.assign(
        statistic="official_test",
        lower=np.nan,
        upper=np.nan,
        level=np.nan,
        se=np.select([percent, known], [100 * z.se, t.se], np.nan),
        df=np.select([percent, known], [z.df, t.df], np.nan),
        p_value=np.select([percent, known], [z.p_value, t.p_value], np.nan),
        p_adjusted=np.nan,
        family="",
        method=np.select([percent, known], ["two_proportion_z", "two_sample_t"], ""),
    )


def _spread(side: Mapping[str, Floats]) -> Floats:
    """The respondents' standard deviation, from the standard error of their mean."""
    n = np.where(np.isnan(side["effective_base"]), side["base"], side["effective_base"])
    return np.asarray(side["se"] * np.sqrt(n), dtype=np.float64)


def _families(rows: pd.DataFrame) -> list[str]:
    """Name of each row's family: organisation, years and table."""
    within = rows["within"].where(rows["within"].eq(""), " within " + rows["within"])
    answers = np.where(rows["answer"].ne(""), " (answers)", "")
    table = rows["breakdown"].str.cat(within).str.cat(answers)
    return [
        f"{org} {year} with {reference}, {name}"
        for org, year, reference, name in zip(
            rows["org"], rows["year"], rows["reference"], table, strict=True
        )
    ]
