"""Rows of two years put side by side, and what the guard says of each pair."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.comparable import CARE, NO, Guard, Reason, Side
from culture_analytics.compare.derive import CELL, PLAIN
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates

__all__ = ["Judged", "annual", "judge", "match", "sentences"]

Ints = NDArray[np.intp]
LABELS = ("source", "weighting", "release")


@dataclass(frozen=True, eq=False)
class Judged:
    """What the guard says of pairs of rows.

    Attributes
    ----------
    refused
        Pairs that are not one series.
    said
        The gravest reason of each pair, or none.
    notes
        Every reason once, with the measures and years it is about.
    """

    refused: NDArray[np.bool_]
    said: tuple[Reason | None, ...]
    notes: tuple[str, ...]


def annual(estimates: Estimates, what: str) -> tuple[pd.DataFrame, NDArray[np.bool_], list[str]]:
    """Rows that can stand in a series of years: figures of the annual survey.

    Returns
    -------
    frame, hidden, notes
        Private rows, which of them are hidden, and what was left out.

    Raises
    ------
    MeasureError
        No row is left.
    """
    frame, notes = estimates._frame, []
    pulse = frame["source"].eq("pulse").to_numpy()
    plain = frame["statistic"].isin(PLAIN).to_numpy()
    if pulse.any():
        notes.append(
            f"{int(pulse.sum()):,} rows of the quarterly pulse survey left out: pulse and annual "
            "figures are never one series. For pulse figures use control_chart()."
        )
    keep = plain & ~pulse
    if not keep.any():
        raise MeasureError(f"{what}: no row holds a figure of the annual survey. {' '.join(notes)}")
    return frame.loc[keep].reset_index(drop=True), estimates._hidden[keep], notes


def match(frame: pd.DataFrame, late: Ints, early: Ints) -> Ints:
    """For each later row the earlier row of the same cell, or -1.

    Where a year has several, one of the same source is taken, then of the same weighting, then of
    the same release.

    Parameters
    ----------
    frame
        All rows.
    late, early
        Positions of the rows of both years.
    """
    cell = frame[list(CELL)].groupby(list(CELL), sort=False, observed=True, dropna=False).ngroup()
    number = cell.to_numpy()
    pairs = pd.DataFrame({"cell": number[late], "late": late}).merge(
        pd.DataFrame({"cell": number[early], "early": early}), on="cell"
    )
    a, b = pairs["late"].to_numpy(), pairs["early"].to_numpy()
    apart = np.zeros(len(pairs), dtype=np.int64)
    for place, column in enumerate(reversed(LABELS)):
        codes = pd.factorize(frame[column])[0]
        apart += (codes[a] != codes[b]).astype(np.int64) << place
    order = np.lexsort((b, apart, a))
    _, first = np.unique(a[order], return_index=True)
    found = np.full(len(frame), -1, dtype=np.intp)
    found[a[order][first]] = b[order][first]
    return found[late]


def judge(
    guard: Guard, frame: pd.DataFrame, late: Ints, early: Ints, *, earlier_year: int
) -> Judged:
    """Ask the guard about each pair; for a later row alone (-1) as if its labels had stayed."""
    columns = ["measure", "breakdown", "group", "within", "within_group", *LABELS]
    there = frame.iloc[late][[*columns, "year"]].reset_index(drop=True)
    there["org"], there["earlier_org"] = _merged(guard, frame, late, earlier_year)
    other = frame.iloc[np.where(early >= 0, early, late)][list(LABELS)].reset_index(drop=True)
    asked = there.join(other.add_prefix("earlier_"))
    kinds = asked.groupby(list(asked.columns), sort=False, observed=True, dropna=False)
    number = kinds.ngroup().to_numpy()
    distinct = asked.iloc[np.unique(number, return_index=True)[1]]
    reasons = [_asked(guard, row, earlier_year) for row in distinct.to_dict("records")]
    first = [r[0] if r else None for r in reasons]
    return Judged(
        refused=np.array([r is not None and r.strength == NO for r in first], dtype=bool)[number],
        said=tuple(first[k] for k in number),
        notes=_notes(guard, distinct, reasons, earlier_year),
    )


def _merged(
    guard: Guard, frame: pd.DataFrame, late: Ints, earlier_year: int
) -> tuple[pd.Series[str], pd.Series[str]]:
    """Organisations that came out of a merger since, and those that had figures before it.

    All others are blank, so that the guard is asked once about all of them.
    """
    orgs = frame["org"].iloc[late].astype("str").reset_index(drop=True)
    years = frame["year"].to_numpy()
    changed: frozenset[str] = frozenset()
    if len(late):
        latest = int(years[late].max())
        changed = guard.successions.changed(pd.unique(orgs), earlier_year, latest)
    before = set(frame.loc[years == earlier_year, "org"]) if changed else set()
    now = orgs.where(orgs.isin(changed), "")
    return now, now.where(now.isin(before), "")


def _asked(guard: Guard, row: Mapping[Hashable, Any], earlier_year: int) -> tuple[Reason, ...]:
    later = Side(int(row["year"]), *(str(row[c]) for c in (*LABELS, "org")))
    earlier = Side(earlier_year, *(str(row[f"earlier_{c}"]) for c in (*LABELS, "org")))
    groups = _groups(row["breakdown"], row["group"]) + _groups(row["within"], row["within_group"])
    return guard.reasons(str(row["measure"]), tuple(groups), earlier, later)


def _groups(breakdown: str, group: str) -> list[tuple[str, str]]:
    """(breakdown, group) of a cell, one for each side of a crossing."""
    if breakdown in ("", "overall"):
        return []
    if ":" not in breakdown:
        return [(breakdown, group)]
    return list(zip(breakdown.split(":"), group.split(" | "), strict=False))


def _notes(
    guard: Guard,
    distinct: pd.DataFrame,
    reasons: Sequence[tuple[Reason, ...]],
    earlier_year: int,
) -> tuple[str, ...]:
    """One line a reason: how it is to be taken, years, measures, and the sentence."""
    about: dict[tuple[int, Reason], dict[str, None]] = {}
    for measure, year, said in zip(distinct["measure"], distinct["year"], reasons, strict=True):
        for reason in said:
            about.setdefault((int(year), reason), {})[str(measure)] = None
    everything = distinct["measure"].nunique()
    return tuple(
        sentences(guard, reason, list(measures), f"{year} with {earlier_year}", everything)
        for (year, reason), measures in about.items()
    )


def sentences(
    guard: Guard, reason: Reason, measures: Sequence[str], years: str, everything: int
) -> str:
    """A note: what is not compared, or compared with care, and why."""
    start = {NO: "Not compared", CARE: "Compare with care"}.get(reason.strength, "Note")
    if reason.org:
        return f"{start}, {years} ({reason.org}, all measures): {reason.text}."
    named = [guard.instrument.measures.get(m) for m in measures]
    shorts = [n.short if n else m for n, m in zip(named, measures, strict=True)]
    if len(measures) == everything and everything > 1:
        whose = "all measures"
    elif len(shorts) > 3:
        whose = f"{', '.join(shorts[:3])} and {len(shorts) - 3} more"
    else:
        whose = ", ".join(shorts)
    return f"{start}, {years} ({whose}): {reason.text}."
