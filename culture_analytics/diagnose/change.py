"""Did it change, and could we have seen it: before and after, on protected results.

`before_after` reads the change of each figure against a margin that would matter.
`detectable_change` says beforehand which change a unit of that size would notice, and
`answers_needed` how many answers a target needs. All three see the protected view alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.organisations import better
from culture_analytics.compare.years import compare_years
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.response import read_staff
from culture_analytics.stats.power import (
    minimum_detectable_change,
    read_change,
    sample_needed,
)
from culture_analytics.stats.proportion import wilson
from culture_analytics.stats.trend import effective_answers, mover, welch

__all__ = ["MARGIN", "WORDS", "answers_needed", "before_after", "detectable_change"]

Floats = NDArray[np.float64]

MARGIN: Mapping[str, float] = {"percent": 2.0, "score": 0.2}
"""Points that would matter, by `unit` of the figure: a choice of this project, not a standard."""

WORDS: Mapping[str, str] = {
    "better": "clearly better",
    "better_within": "clearly better, though by less than {margin}",
    "worse": "clearly worse",
    "worse_within": "clearly worse, though by less than {margin}",
    "same": "no change of {margin} or more",
    "no_worse": "no clear change; not worse by {margin} or more",
    "no_better": "no clear change; not better by {margin} or more",
    "unclear": "no clear change; too few answers to say more",
    "": "",
}
"""Readings of a change in plain words; ``{margin}`` stands for the points that would matter."""

_KEYS = ["org", "measure", "breakdown", "group", "weighting", "source"]
_SIDE = ["value", "lower", "upper", "se", "df", "base"]
_PLAIN = ("percent", "score")


def before_after(
    estimates: Estimates,
    *,
    baseline: int | None = None,
    margin: float | Mapping[str, float] = MARGIN,
) -> pd.DataFrame:
    """Figures of two years side by side, and what the change may be called.

    Parameters
    ----------
    estimates
        Percentages or scores of two years or more: `select` the unit and the measures first.
    baseline
        The earlier year; default for each year the one before it.
    margin
        Points that would matter, for all figures or by their `unit`. Choose it before looking.
        Default `MARGIN`: 2 percentage points, 0.2 of a score.

    Returns
    -------
    DataFrame
        A row a figure and pair of years: ``year, reference, org, measure, breakdown, group, unit,
        before, before_lower, before_upper, before_base, after, after_lower, after_upper,
        after_base, change, lower, upper, p_value, margin, margin_lower, margin_upper, reading,
        words, status, sentence``. ``lower`` and ``upper`` are the 95 % limits of the change;
        ``margin_lower`` and ``margin_upper`` its 90 % limits, which are held against the margin
        (two one-sided tests). ``reading`` is a key of `culture_analytics.stats.power.READINGS`,
        empty where nothing can be said; ``words`` says it in the words of `WORDS`.

    Raises
    ------
    MeasureError
        One year only, or a margin that is not above 0.

    Notes
    -----
    Clearly better or worse: the 95 % limits leave out no change, and the two-sample test agrees.
    Limits of percentages join the Wilson limits of both years, also where nobody or everybody said
    yes; those of scores are Welch's. Each row is read by itself: of many, one in twenty is called
    clear by chance. Years are taken for independent samples, which is usually cautious.

    References
    ----------
    Newcombe (1998) Statistics in Medicine 17:873; Schuirmann (1987) Journal of Pharmacokinetics
    and Biopharmaceutics 15:657.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(), "work_related_stress")
    >>> print(before_after(stress, baseline=2023)["sentence"].iloc[-1])  # doctest: +ELLIPSIS
    Work-related stress: ...% in 2023, ...% in 2025. Change ... points (95% interval ...): ...
    """
    plain = estimates._frame["statistic"].isin(_PLAIN) & estimates._frame["answer"].eq("")
    chosen = estimates._rows(plain.to_numpy(dtype=bool))
    compared = compare_years(chosen, baseline=baseline).table
    found = compared[compared["statistic"].eq("difference")].reset_index(drop=True)
    sides = _sides(chosen.table, found)
    found["unit"] = sides["unit"]
    for name, side in (("before", sides["before"]), ("after", sides["after"])):
        for column in _SIDE:
            suffix = "" if column == "value" else f"_{column}"
            found[f"{name}{suffix}"] = side[column]
    found = found.rename(columns={"value": "change"})
    found["margin"] = _margins(found["unit"], margin)
    found["margin_lower"], found["margin_upper"] = _inner_limits(found)
    found["reading"] = _readings(found)
    found["words"] = [
        WORDS[reading].format(margin=f"{points:g} points")
        for reading, points in zip(found["reading"], found["margin"], strict=True)
    ]
    found["sentence"] = [_sentence(row) for row in _records(found)]
    columns = ["year", "reference", "org", "measure", "breakdown", "group", "unit"]
    for name in ("before", "after"):
        columns += [name, f"{name}_lower", f"{name}_upper", f"{name}_base"]
    columns += ["change", "lower", "upper", "p_value", "margin", "margin_lower", "margin_upper",
                "reading", "words", "status", "sentence"]  # fmt: skip
    return found.loc[:, columns]


def detectable_change(
    estimates: Estimates,
    *,
    staff: str | pd.DataFrame | Mapping[str, float] | None = None,
    response_rate: float | None = None,
    power: float = 0.8,
) -> pd.DataFrame:
    """The smallest change next year that each figure's answers would show, latest year.

    Parameters
    ----------
    estimates
        Percentages or scores, of any breakdowns.
    staff
        Staff in post: a list as for `culture_analytics.response.read_staff`, or group to number.
        Default: as many answers next time as this time.
    response_rate
        Percent of the staff expected to answer next time; default the same as this time. Needs
        `staff`.
    power
        Probability with which the change is to be found. Default 0.8.

    Returns
    -------
    DataFrame
        ``year, org, measure, breakdown, group, unit, value, base, answers_next, rise, fall,
        improvement``: points by which the figure has to rise or to fall, or to become better, to be
        found clear; NaN where not even the end of the scale would be. Rows without a figure, or
        whose staff are not in the list, are left out.

    Raises
    ------
    MeasureError
        A response rate without staff, or more answers than staff.

    References
    ----------
    See `culture_analytics.stats.minimum_detectable_change`.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(2024), "work_related_stress")
    >>> detectable_change(stress)["improvement"].round(1).tolist()
    [3.1]
    """
    if response_rate is not None and staff is None:
        raise MeasureError("A response rate needs the staff it is of. Try: staff=.")
    rows = _latest(estimates)
    people = _staff_of(rows, staff)
    kept = people.notna().to_numpy()
    staff_of = people[kept].to_numpy(dtype=float)
    rows = rows[kept].reset_index(drop=True)
    base = rows["base"].to_numpy(dtype=float)
    if (base > staff_of).any():
        raise MeasureError(
            f"{int((base > staff_of).sum())} of {len(rows)} units have more answers than staff in "
            "the list: the list is of another time, or groups differ."
        )
    now = 100 * base / staff_of
    later = now if response_rate is None else np.full(len(rows), float(response_rate))
    parts = []
    for unit, part in rows.groupby("unit", sort=False):
        at = part.index.to_numpy()
        least = minimum_detectable_change(
            part["value"], staff=staff_of[at], response_rate=now[at], response_rate_after=later[at],
            sd=_spread(part) if unit == "score" else None,
            design_effect=_design_effect(part) if unit == "percent" else 1.0, power=power,
        )  # fmt: skip
        parts.append(
            part.assign(
                answers_next=staff_of[at] * later[at] / 100, rise=least.rise, fall=least.fall
            )
        )
    found = pd.concat(parts).sort_index() if parts else rows.assign(
        answers_next=np.nan, rise=np.nan, fall=np.nan
    )  # fmt: skip
    way = better(found["measure"])
    found["improvement"] = np.select([way > 0, way < 0], [found["rise"], found["fall"]], np.nan)
    columns = ["year", "org", "measure", "breakdown", "group", "unit", "value", "base",
               "answers_next", "rise", "fall", "improvement"]  # fmt: skip
    return found.loc[:, columns].reset_index(drop=True)


def answers_needed(
    estimates: Estimates,
    *,
    target: float | Mapping[str, float],
    staff: str | pd.DataFrame | Mapping[str, float] | None = None,
    power: float = 0.8,
) -> pd.DataFrame:
    """Answers that each figure needs, in both years, to show that it has reached a target.

    Parameters
    ----------
    estimates
        Percentages or scores, of any breakdowns; the latest year is taken.
    target
        The figure wanted, for all measures or by measure.
    staff, power
        As for `detectable_change`; staff only for what part of them that is.

    Returns
    -------
    DataFrame
        ``year, org, measure, breakdown, group, unit, value, base, target, answers, staff,
        response_rate, enough``: answers in each of two years, what part of the staff they are
        (percent; over 100: the unit is too small), and whether this year's answers would do.

    Raises
    ------
    MeasureError
        No target is given for any of the measures.

    References
    ----------
    See `culture_analytics.stats.sample_needed`.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(2024), "work_related_stress")
    >>> answers_needed(stress, target=35)["enough"].tolist()
    [True]
    """
    rows = _latest(estimates)
    wanted = (
        rows["measure"].map(dict(target)).astype(float)
        if isinstance(target, Mapping)
        else pd.Series(float(target), index=rows.index)
    )
    rows = rows.assign(target=wanted)[wanted.notna().to_numpy()].reset_index(drop=True)
    if rows.empty:
        held = ", ".join(map(str, estimates.unique("measure")[:8]))
        raise MeasureError(f"No target for any of the measures held: {held}.")
    rows["staff"] = _staff_of(rows, staff) if staff is not None else np.nan
    parts = []
    for unit, part in rows.groupby("unit", sort=False):
        need = sample_needed(
            part["value"], part["target"] - part["value"], power=power,
            sd=_spread(part) if unit == "score" else None,
            design_effect=_design_effect(part) if unit == "percent" else 1.0,
        )  # fmt: skip
        parts.append(part.assign(answers=need.respondents))
    found = pd.concat(parts).sort_index()
    found["response_rate"] = 100 * found["answers"] / found["staff"]
    found["enough"] = found["base"] >= found["answers"]
    columns = ["year", "org", "measure", "breakdown", "group", "unit", "value", "base", "target",
               "answers", "staff", "response_rate", "enough"]  # fmt: skip
    return found.loc[:, columns].reset_index(drop=True)


# -- figures ----------------------------------------------------------------------------------


def _sides(table: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, Any]:
    """The protected figures of both years of each pair; NaN where there is none."""
    held = table.drop_duplicates([*_KEYS, "year", "release"]).drop_duplicates([*_KEYS, "year"])
    at = held.set_index([*_KEYS, "year"])
    late = pd.MultiIndex.from_frame(pairs[[*_KEYS, "year"]])
    early = pd.MultiIndex.from_frame(pairs[_KEYS].assign(year=pairs["reference"].astype(int)))
    after, before = (at.reindex(i).reset_index(drop=True) for i in (late, early))
    return {"before": before, "after": after, "unit": after["unit"].fillna(before["unit"])}


def _margins(unit: pd.Series, margin: float | Mapping[str, float]) -> Floats:
    known = dict(margin) if isinstance(margin, Mapping) else dict.fromkeys(MARGIN, float(margin))
    if not all(m > 0 for m in known.values()):
        raise MeasureError("The margin must be above 0: the points that would matter.")
    return np.asarray(unit.map(known), dtype=np.float64)


def _inner_limits(found: pd.DataFrame) -> tuple[Floats, Floats]:
    """Limits for two one-sided tests: at 90 % where the figures' own are at 95 %."""
    lower, upper = (np.full(len(found), np.nan) for _ in range(2))
    levels = found["level"].to_numpy(dtype=float)
    ok = found["status"].eq("ok").to_numpy() & found["lower"].notna().to_numpy()
    for level in np.unique(levels[ok]):
        inner = 1 - 2 * (1 - level)
        for unit, limits in (("percent", _percent_limits), ("score", _score_limits)):
            at = ok & (levels == level) & found["unit"].eq(unit).to_numpy()
            lower[at], upper[at] = limits(found[at], inner)
    return lower, upper


def _percent_limits(rows: pd.DataFrame, level: float) -> tuple[Floats, Floats]:
    sides: list[Floats] = []
    for name in ("after", "before"):
        p = np.clip(rows[name].to_numpy(dtype=float) / 100, 0, 1)
        n = effective_answers(p, rows[f"{name}_se"] / 100, rows[f"{name}_base"], np.nan)
        low, high = wilson(p, n, level=level)
        sides += [100 * p, 100 * low, 100 * high]
    return mover(*sides)


def _score_limits(rows: pd.DataFrame, level: float) -> tuple[Floats, Floats]:
    change = welch(
        rows["after"], rows["after_se"], rows["after_df"],
        rows["before"], rows["before_se"], rows["before_df"],
    )  # fmt: skip
    return change.limits(level)


def _readings(found: pd.DataFrame) -> NDArray[np.str_]:
    way = better(found["measure"])
    lower, upper, inner_lower, inner_upper, margin, p = (
        found[c].to_numpy(dtype=float)
        for c in ("lower", "upper", "margin_lower", "margin_upper", "margin", "p_value")
    )
    alpha = 1 - found["level"].to_numpy(dtype=float)
    tested = p <= alpha + 1e-9
    rose, fell = (lower > 0) & tested, (upper < 0) & tested
    not_lower, not_higher = inner_lower > -margin, inner_upper < margin
    good = way > 0
    return read_change(
        found["status"].eq("ok").to_numpy() & np.isfinite(inner_lower) & (way != 0),
        up=np.where(good, rose, fell),
        down=np.where(good, fell, rose),
        no_worse=np.where(good, not_lower, not_higher),
        no_better=np.where(good, not_higher, not_lower),
    )


def _latest(estimates: Estimates) -> pd.DataFrame:
    table = estimates.table
    held = table[
        table["statistic"].isin(_PLAIN) & table["answer"].eq("") & table["status"].eq("ok")
        & table["base"].gt(1)
    ]  # fmt: skip
    return held[held["year"].eq(held["year"].max())].reset_index(drop=True)


def _design_effect(rows: pd.DataFrame) -> Floats:
    n = effective_answers(rows["value"] / 100, rows["se"] / 100, rows["base"], np.nan)
    return np.asarray(rows["base"].to_numpy(dtype=float) / n, dtype=np.float64)


def _spread(rows: pd.DataFrame) -> Floats:
    """Standard deviation of a score, widened for weights; NaN where it is not known."""
    sd = rows["se"].to_numpy(dtype=float) * np.sqrt(rows["base"].to_numpy(dtype=float))
    return np.asarray(np.where(sd > 0, sd, np.nan), dtype=np.float64)


def _staff_of(
    rows: pd.DataFrame, staff: str | pd.DataFrame | Mapping[str, float] | None
) -> pd.Series:
    """Staff of each row's group; without a list, those who answered."""
    if staff is None:
        return rows["base"].astype(float)
    if isinstance(staff, Mapping):
        return rows["group"].map(dict(staff)).astype(float)
    listed = read_staff(staff).set_index(["breakdown", "group"])["staff"]
    keys = pd.MultiIndex.from_frame(rows[["breakdown", "group"]])
    return pd.Series(listed.reindex(keys).to_numpy(dtype=float), index=rows.index)


# -- words ------------------------------------------------------------------------------------


def _records(found: pd.DataFrame) -> Sequence[dict[str, Any]]:
    records: Any = found.to_dict("records")
    return list(records)


def _sentence(row: Mapping[str, Any]) -> str:
    name = _name(row)
    if row["status"] != "ok" or np.isnan(row["change"]):
        return f"{name}: the years {row['reference']} and {row['year']} cannot be compared here."
    digits = 2 if row["unit"] == "score" else 1
    sign = "" if row["unit"] == "score" else "%"
    said = (
        f"{name}: {row['before']:.{digits}f}{sign} in {row['reference']}, "
        f"{row['after']:.{digits}f}{sign} in {row['year']}. "
        f"Change {row['change']:+.{digits}f} points"
    )
    if np.isnan(row["lower"]):
        return f"{said}; how sure that is cannot be said."
    said += f" (95% interval {row['lower']:+.{digits}f} to {row['upper']:+.{digits}f})"
    return f"{said}: {row['words']}." if row["words"] else f"{said}."


def _name(row: Mapping[str, Any]) -> str:
    measures = load_instrument().measures
    short = measures[row["measure"]].short if row["measure"] in measures else str(row["measure"])
    return short if row["breakdown"] == "overall" else f"{short}, {row['group']}"
