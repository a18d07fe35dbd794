"""Control charts of a series of results: quarterly pulse scores, or annual figures."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from culture_analytics.compare.comparable import NO, Guard
from culture_analytics.compare.pairs import judge
from culture_analytics.compare.successions import Successions, said
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.stats.control import DIRECTIONS, control

__all__ = ["ControlChart", "control_chart"]

YEAR = re.compile(r"\d{4}")
QUARTER = re.compile(r"\d{4}-\d{2} Q[1-4]")
BETTER = {"higher": "up", "lower": "down", "context": "neither"}
BOUNDS = {"score": (0.0, 10.0), "percent": (0.0, 100.0)}
KINDS = {
    "too_few_points": "too few points to judge: six are needed",
    "run_chart": "the line is the median; limits need 12 points (a run chart)",
    "xmr_provisional": "limits from the usual step between neighbours, provisional until there are "
    "20 points (an XmR chart)",
    "xmr": "limits from the usual step between neighbours (an XmR chart)",
}


@dataclass(frozen=True, eq=False)
class ControlChart:
    """One series, judged by statistical process control.

    Attributes
    ----------
    org, measure, label, unit : str
        What the series is of; unit ``"score"`` (0-10) or ``"percent"`` (0-100).
    source : str
        ``"pulse"``, ``"published"`` or ``"extract"``.
    improvement : str
        ``"up"``, ``"down"`` or ``"neither"``: which way is better.
    rebased : tuple of str
        Periods at which limits start afresh.
    notes : tuple of str
        Sentences to print with the chart.
    """

    org: str
    measure: str
    label: str
    unit: str
    source: str
    improvement: str
    rebased: tuple[str, ...]
    notes: tuple[str, ...]
    _table: pd.DataFrame = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """A row a period, a fresh DataFrame.

        ``period, value, base, status`` as in the protected results; ``segment, kind, centre, lower,
        upper`` of the process; ``rule, side, variation`` of the signal
        (`culture_analytics.stats.control.Control`).
        """
        return self._table.copy()

    @property
    def signals(self) -> pd.DataFrame:
        """The rows with a signal."""
        return self._table[self._table["side"] != 0].reset_index(drop=True)


def control_chart(
    estimates: Estimates,
    measure: str,
    *,
    org: str | None = None,
    improvement: str | None = None,
    rebase: str | int | Sequence[str | int] = (),
    screen: bool = True,
    successors: pd.DataFrame | None = None,
) -> ControlChart:
    """Judge a series of everyone together in order of time.

    Parameters
    ----------
    estimates
        Results of several quarters of the pulse survey (`concat`), or of several years.
    measure
        Measure id.
    org
        Organisation code; default the only one there.
    improvement
        ``"up"``, ``"down"`` or ``"neither"``; default as the measure is defined.
    rebase
        When limits start afresh: a date (``"2024-09-01"``), or a year or quarter as they stand in
        the table's `period`. At the first period that is not before it; after a known change,
        which the chart's reader must be told of.
    screen
        Leave moving ranges beyond their own limit out of the average.
    successors
        As for `compare_years`. A merger within a series of quarters is said in the notes.

    Returns
    -------
    ControlChart
        Hidden periods have no point.

    Raises
    ------
    MeasureError
        No such series, several at once, pulse and annual figures together, years that are not one
        series without a re-base between them, or a re-base that lies outside the series.

    References
    ----------
    NHS England, Making Data Count; see `culture_analytics.stats.control`.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.control import control_chart
    >>> chart = control_chart(ca.calculate(ca.load_sample(), "stress"), "work_related_stress")
    >>> chart.improvement, chart.table["kind"].unique().tolist()
    ('down', ['too_few_points'])
    """
    rows = _series(estimates, measure, org)
    definition = load_instrument().measures.get(measure)
    way = improvement or (BETTER[definition.better] if definition else None)
    if way not in DIRECTIONS:
        raise MeasureError(
            f"improvement={improvement!r}: say which way is better for {measure!r}, "
            f"{', '.join(map(repr, DIRECTIONS))}."
        )
    asked = [rebase] if isinstance(rebase, str | int) else list(rebase)
    periods = rows["period"].tolist()
    at = _rebases([str(p) for p in asked], periods)
    kept = _one_series(estimates, rows, at, successors)
    unit = str(rows["unit"].iloc[0])
    judged = control(
        rows["value"].to_numpy(dtype=float),
        improvement=way, rebase=at, screen=screen, bounds=BOUNDS.get(unit),
    )  # fmt: skip
    table = rows[["period", "value", "base", "status"]].assign(
        **{
            name: getattr(judged, name)
            for name in ("segment", "kind", "centre", "lower", "upper", "rule", "side", "variation")
        }
    )
    return ControlChart(
        org=str(rows["org"].iloc[0]),
        measure=measure,
        label=str(rows["label"].iloc[0]),
        unit=unit,
        source=str(rows["source"].iloc[0]),
        improvement=way,
        rebased=tuple(periods[k] for k in at),
        notes=(*estimates.notes, *_notes(table, [periods[k] for k in at]), *kept),
        _table=table.reset_index(drop=True),
    )


def _series(estimates: Estimates, measure: str, org: str | None) -> pd.DataFrame:
    """The rows of one series in order, with their periods, as they may be shown."""
    shown = estimates._protected
    keep = (
        shown["measure"].eq(measure) & shown["breakdown"].eq("overall") & shown["answer"].eq("")
        & shown["within"].eq("") & shown["statistic"].isin(("percent", "score"))
    )  # fmt: skip
    if org is not None:
        keep &= shown["org"].eq(org)
    rows = shown[keep]
    if rows.empty:
        raise MeasureError(f"No figure of {measure!r}{f' of {org}' if org else ''} to draw.")
    for column, hint in (
        ("org", "Say which: org=..."),
        ("source", "Pulse and annual, published and calculated figures are never one series."),
        ("weighting", "Choose one with select(weighting=...)."),
        ("statistic", "Choose one with select(statistic=...)."),
    ):
        several = pd.unique(rows[column])
        if len(several) > 1:
            raise MeasureError(
                f"A control chart is of one series; these rows have {len(several)} values of "
                f"{column!r}: {', '.join(map(str, several[:6]))}. {hint}"
            )
    rows = rows.assign(period=_periods(rows))
    doubled = int(rows["period"].duplicated().sum())
    if doubled:
        raise MeasureError(
            f"{doubled} period(s) have two figures of {measure!r}, from different releases. "
            "Choose one with select(release=...)."
        )
    return rows.sort_values("period", kind="stable").reset_index(drop=True)


def _periods(rows: pd.DataFrame) -> list[str]:
    """Quarter of a pulse figure, year of an annual one; both sort as texts."""
    if rows["source"].iloc[0] != "pulse":
        return [str(year) for year in rows["year"]]
    found = [QUARTER.search(str(release)) for release in rows["release"]]
    missing = sum(match is None for match in found)
    if missing:
        raise MeasureError(f"{missing} pulse figure(s) do not say their quarter in 'release'.")
    return [match.group() for match in found if match]


def _rebases(asked: Sequence[str], periods: Sequence[str]) -> list[int]:
    """Places of the first periods that are not before the dates or periods asked for."""
    quarterly = QUARTER.fullmatch(periods[0]) is not None
    named = [_period_of(text, quarterly=quarterly) for text in asked]
    outside = [
        text
        for text, period in zip(asked, named, strict=True)
        if not periods[0] <= period <= periods[-1]
    ]
    if outside:
        raise MeasureError(
            f"{len(outside)} re-base(s) at no period of the series: {', '.join(outside)}. "
            f"It has {periods[0]} to {periods[-1]}; give one of these, or a date such as "
            "2024-09-01."
        )
    return sorted({next(k for k, p in enumerate(periods) if p >= period) for period in named})


def _period_of(text: str, *, quarterly: bool) -> str:
    """The period that a date lies in; a text that is neither a date nor a period sorts nowhere."""
    if (QUARTER if quarterly else YEAR).fullmatch(text):
        return text
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return ""
    if not quarterly:
        return str(day.year)
    start = day.year - (day.month < 4)
    return f"{start}-{(start + 1) % 100:02d} Q{(day.month - 4) % 12 // 3 + 1}"


def _one_series(
    estimates: Estimates, rows: pd.DataFrame, at: Sequence[int], successors: pd.DataFrame | None
) -> list[str]:
    """What keeps the periods from being one series, as notes; refused where nothing allows it."""
    if rows["source"].iloc[0] == "pulse":
        return _mergers(rows, successors)
    guard = Guard.of(estimates._frame, successors=successors)
    notes: dict[str, None] = {}
    for k in range(1, len(rows)):
        pair = (np.array([k], dtype=np.intp), np.array([k - 1], dtype=np.intp))
        judged = judge(guard, rows, *pair, earlier_year=int(rows["year"].iloc[k - 1]))
        reason = judged.said[0]
        if reason is not None and reason.strength == NO and k not in at:
            year = rows["period"].iloc[k]
            raise MeasureError(
                f"The years are not one series at {year}: {reason.text}. Start limits afresh "
                f"there, rebase={year!r}, or leave the years before it out."
            )
        notes |= dict.fromkeys(judged.notes)
    return list(notes)


def _mergers(rows: pd.DataFrame, successors: pd.DataFrame | None) -> list[str]:
    """Mergers that the organisation came out of between its first and last quarter."""
    org, first, last = str(rows["org"].iloc[0]), rows["period"].iloc[0], rows["period"].iloc[-1]
    within = [
        m
        for m in Successions.of(successors).mergers
        if m.new == org and first < _period_of(m.date, quarterly=True) <= last
    ]
    if not within:
        return []
    return [
        f"The organisation changed: {said(within)}. Points before and after are not of the same "
        "staff: start limits afresh there (rebase)."
    ]


def _notes(table: pd.DataFrame, rebased: Sequence[str]) -> list[str]:
    notes = []
    for number, part in table.groupby("segment"):
        kind, points = str(part["kind"].iloc[0]), int(np.isfinite(part["value"]).sum())
        start = f"From {part['period'].iloc[0]}" if int(str(number)) else "The series"
        many = "1 point" if points == 1 else f"{points} points"
        notes.append(f"{start}: {many}; {KINDS[kind]}.")
    if rebased:
        notes.append(f"Limits start afresh at {', '.join(rebased)}, as asked.")
    return notes
