"""Control charts of a series of results: quarterly pulse scores, or annual figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.stats.control import DIRECTIONS, control

__all__ = ["ControlChart", "control_chart"]

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
        Periods from which limits start afresh, a year or a quarter as they stand in the table's
        `period`: after a known change, which the chart's reader must be told of.
    screen
        Leave moving ranges beyond their own limit out of the average.

    Returns
    -------
    ControlChart
        Hidden periods have no point.

    Raises
    ------
    MeasureError
        No such series, several at once, pulse and annual figures together, or a re-base at a
        period that is not in the series.

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
    unknown = [str(p) for p in asked if str(p) not in periods]
    if unknown:
        raise MeasureError(
            f"{len(unknown)} re-base(s) at no period of the series: {', '.join(unknown)}. "
            f"It has {periods[0]} to {periods[-1]}."
        )
    at = sorted(periods.index(str(p)) for p in asked)
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
        notes=(*estimates.notes, *_notes(table, [periods[k] for k in at])),
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
