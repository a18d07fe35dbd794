"""`groups`: a measure by a breakdown, a dot with its interval for each group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.data import Mark, Reference
from culture_analytics.plots.dots import Panel, Row, lay_out, scales_differ
from culture_analytics.plots.layout import Page
from culture_analytics.plots.style import YEAR_MARKS, base_text, drawing, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["groups"]

ORDERS = ("auto", "questionnaire", "value")

_NOTHING = (math.nan, math.nan, math.nan, math.nan)

_MANY = 40  # groups: sorted by value beyond this, hidden ones counted
_MOST_ROWS = 240  # marks in one picture
_MOST_SORTED = 160  # marks where panels stand one below the other
_MOST_GROUPS = 80  # groups in one panel


def groups(
    estimates: Estimates,
    *,
    reference: Estimates | Sequence[Estimates] | None = None,
    order: str = "auto",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Dots and intervals: how a measure differs between groups.

    Parameters
    ----------
    estimates
        Percentages or scores of one organisation by one breakdown. Several measures become small
        panels; several years become marks of different shape (the latest five). Overall rows
        become a reference line.
    reference
        More Estimates whose overall rows become reference lines: ``release[topic, "overall"]``,
        published England.
    order
        ``"questionnaire"`` keeps the order of the groups and names hidden ones; ``"value"`` sorts
        by the latest year, highest first, and counts hidden ones; ``"auto"`` sorts when there are
        more than 40 groups.
    title
        Default: the measure's label.
    ax
        Axes to draw in (one measure only); default a figure of its own, 9 inches wide and as high
        as the groups need.

    Returns
    -------
    matplotlib.axes.Axes
        The first panel; the rest are in ``ax.figure.axes``. `alt_text` describes them all.

    Raises
    ------
    MeasureError
        Not Estimates; answers instead of measures; several breakdowns, organisations or
        weightings; several measures for one `ax`.

    Notes
    -----
    Limits are those of the Estimates. Hidden groups keep their place with ``[c]``; groups not
    asked about that year are named under the chart. If everything is hidden the chart says so.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> survey = ca.load_sample(2024)
    >>> ax = plots.groups(ca.calculate(survey, "work_related_stress", by="age"))
    >>> ax.get_xlabel()
    'Percentage of those who answered'
    """
    if order not in ORDERS:
        raise MeasureError(f"order={order!r}: give one of {', '.join(ORDERS)}.")
    rows = data.figures(data.protected(estimates, "groups"), "groups")
    rows = data.one_breakdown(rows, "groups")
    measures = list(pd.unique(rows["measure"]))
    if ax is not None and len(measures) > 1:
        raise MeasureError(
            f"plots.groups(ax=...) draws one measure; these Estimates hold {len(measures)}. "
            f"Choose one: estimates.select(measure={measures[0]!r})."
        )
    plan = _plan(estimates, rows, reference, order)
    rows = rows[rows["year"].isin(plan.years)]
    page = _page(estimates, rows, plan, title, reference)
    with drawing():
        axes = lay_out([p.panel for p in plan.drawn], page, columns=plan.columns, ax=ax)
    for made, part in zip(axes, plan.drawn, strict=True):
        attach(made, _describe(estimates, rows, part))
    return axes[0]


# -- planning -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """One measure's panel, with what its description needs."""

    measure: str
    label: str
    panel: Panel
    cells: dict[tuple[str, int], Mark]


@dataclass(frozen=True)
class _Plan:
    drawn: list[_Part]
    columns: int
    sort: bool
    years: tuple[int, ...]
    notes: list[str]


def _plan(
    estimates: Estimates,
    rows: pd.DataFrame,
    reference: Estimates | Sequence[Estimates] | None,
    order: str,
) -> _Plan:
    measures = list(pd.unique(rows["measure"]))
    every_year = sorted(int(y) for y in pd.unique(rows["year"]))
    years = tuple(every_year[-len(YEAR_MARKS) :])
    if len(measures) > 1 and rows["group"].nunique() > _MANY:
        years = years[-1:]  # the picture is tall enough as it is
    rows = rows[rows["year"].isin(years)]
    breakdown = str(rows["breakdown"].iloc[0])
    asked = rows[rows["status"] != "not_asked"]
    names = data.in_order(breakdown, [str(g) for g in pd.unique(asked["group"])])
    many = len(names) > _MANY
    per_panel = len(names) * len(years)
    sort = order == "value" or (order == "auto" and many)
    tall = per_panel * ((len(measures) + 1) // 2) > _MOST_ROWS
    grid = len(measures) > 1 and not sort and not tall
    everyone = len(years) > 1 and not data.overall_rows(estimates.table, rows).empty
    most = max(6, min(_MOST_GROUPS, _MOST_SORTED // (len(measures) * len(years))))
    notes = _notes(rows, every_year, years, names)
    compared = data.comparators(estimates, rows, reference, "groups")
    common = data.common_direction(measures)
    parts = []
    for measure in measures:
        of_measure = rows[rows["measure"] == measure]
        dates = tuple(
            y for y in years
            if ((of_measure["year"] == y) & (of_measure["status"] != "not_asked")).any()
        )  # fmt: skip
        missing = [y for y in years if y not in dates]
        label = data.clean(of_measure["label"].iloc[0])
        if missing and dates:
            notes.append(f"Not asked in {data.years_text(missing)}: {label}.")
        lines = compared.of(measure, (dates or years)[-1])
        parts.append(
            _part(
                estimates, of_measure, label, names, dates, lines,
                sort=sort, most=None if grid else most,
                common=common if len(measures) > 1 else None, aligned=grid, everyone=everyone,
            )
        )  # fmt: skip
    notes += _weighting_notes(rows, parts)
    return _Plan(parts, 2 if grid else 1, sort, years, notes)


def _notes(
    rows: pd.DataFrame, every_year: list[int], years: tuple[int, ...], names: list[str]
) -> list[str]:
    notes = [data.interval_note(rows)]
    absent = [g for g in pd.unique(rows["group"]) if g not in names]
    if absent and names:
        asked = ", ".join(map(data.clean, absent))
        notes.append(f"Not asked in {data.years_text(years)}: {asked}.")
    if len(years) < len(every_year):
        drawn = "year is" if len(years) == 1 else f"{len(years)} years are"
        notes.append(f"Only the latest {drawn} drawn, of {len(every_year)}.")
    return notes


def _weighting_notes(rows: pd.DataFrame, parts: list[_Part]) -> list[str]:
    own = str(rows["weighting"].iloc[0])
    said: dict[str, None] = {}
    for part in parts:
        for line in part.panel.lines:
            if line.weighting != own:
                said[
                    f"{line.name} is {data.weighted(line.weighting)}, the groups are "
                    f"{data.weighted(own)}: they are not strictly comparable."
                ] = None
    return list(said)


def _part(
    estimates: Estimates,
    rows: pd.DataFrame,
    label: str,
    names: list[str],
    years: tuple[int, ...],
    lines: list[Reference],
    *,
    sort: bool,
    most: int | None,
    common: str | None,
    aligned: bool,
    everyone: bool,
) -> _Part:
    cells = {(str(r.group), int(str(r.year))): data.mark(r) for r in rows.itertuples()}
    shown = [
        g for g in names
        if aligned or any(cells[g, y].status != "not_asked" for y in years if (g, y) in cells)
    ]  # fmt: skip
    with_figure = [g for g in shown if any(cells[g, y].ok for y in years if (g, y) in cells)]
    drawn: list[Row]
    if not with_figure:
        drawn, ordered = [], shown
    elif sort:
        ordered = sorted(with_figure, key=lambda g: -_latest(cells, g, years))
        drawn = _capped([_row(estimates, cells, g, years) for g in ordered], most)
        drawn += _counted(estimates, cells, [g for g in shown if g not in with_figure], years)
    else:
        ordered = shown
        drawn = [_row(estimates, cells, g, years) for g in ordered]
        if most is not None and len(drawn) > most:
            ordered = with_figure
            drawn = _capped([_row(estimates, cells, g, years) for g in ordered], most, ends=False)
    message = "" if with_figure else _all_hidden(estimates, rows, shown)
    if message and aligned:  # stands beside panels that have these rows
        drawn = [_row(estimates, cells, g, years) for g in ordered]
    if everyone and drawn:
        drawn.insert(0, _everyone(estimates, rows, years))
    measure = str(rows["measure"].iloc[0])
    panel = Panel(
        rows=tuple(drawn),
        unit=str(rows["unit"].iloc[0]),
        title="" if common is None else label,
        note="" if common is None else data.marked_direction(measure, common).capitalize(),
        lines=tuple(lines) if with_figure else (),
        years=years,
        message=message,
    )
    return _Part(measure, label, panel, cells)


def _latest(cells: dict[tuple[str, int], Mark], group: str, years: Sequence[int]) -> float:
    found = [cells[group, y].value for y in years if (group, y) in cells and cells[group, y].ok]
    return found[-1]


def _row(
    estimates: Estimates, cells: dict[tuple[str, int], Mark], group: str, years: Sequence[int]
) -> Row:
    marks = tuple(cells[group, y] for y in years if (group, y) in cells)
    return Row(
        label=data.clean(group),
        marks=marks,
        words=tuple(data.status_text(m.status, estimates) for m in marks),
    )


def _everyone(estimates: Estimates, rows: pd.DataFrame, years: Sequence[int]) -> Row:
    """Everyone together as the first row, where several years are drawn."""
    table = data.overall_rows(estimates.table, rows)
    table = table[(table["measure"] == rows["measure"].iloc[0]) & table["year"].isin(years)]
    marks = tuple(data.mark(r) for r in table.sort_values("year", kind="stable").itertuples())
    words = tuple(data.status_text(m.status, estimates) for m in marks)
    return Row("All staff", marks, words, bold=True)


def _capped(rows: list[Row], most: int | None, *, ends: bool = True) -> list[Row]:
    """At most so many rows: the highest and the lowest, or the first."""
    if most is None or len(rows) <= most:
        return rows
    if not ends:
        return [*rows[:most], Row(f"... {len(rows) - most} more groups are not drawn")]
    half = most // 2
    between = Row(f"... {len(rows) - 2 * half} groups between these are not drawn")
    return [*rows[:half], between, *rows[-half:]]


def _counted(
    estimates: Estimates,
    cells: dict[tuple[str, int], Mark],
    hidden: list[str],
    years: Sequence[int],
) -> list[Row]:
    """One line for each reason why groups have no figure."""
    reasons: dict[str, int] = {}
    for group in hidden:
        statuses = [cells[group, y].status for y in years if (group, y) in cells]
        if statuses:
            reasons[statuses[-1]] = reasons.get(statuses[-1], 0) + 1
    found = []
    for status, count in reasons.items():
        word = "group" if count == 1 else "groups"
        nothing = Mark(years[-1], *_NOTHING, status)
        text = data.status_text(status, estimates)
        found.append(Row(f"{count} {word}", (nothing,), (text,)))
    return found


def _all_hidden(estimates: Estimates, rows: pd.DataFrame, shown: list[str]) -> str:
    years = data.years_text([int(y) for y in pd.unique(rows["year"])])
    statuses = set(rows.loc[rows["group"].isin(shown), "status"]) - {"not_asked"}
    if not statuses:
        return f"Nothing to show: this was not asked in {years}."
    if statuses == {"suppressed"}:
        why = "to protect people [c]" if estimates.rule.base_under > 1 else "[c]"
        return f"All {len(shown)} groups are hidden {why}."
    words = ", ".join(data.status_text(s, estimates) for s in sorted(statuses))
    return f"There is no figure for any of the {len(shown)} groups: {words}."


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    plan: _Plan,
    title: str | None,
    reference: Estimates | Sequence[Estimates] | None,
) -> Page:
    first = rows.iloc[0]
    by = data.breakdown_label(str(first["breakdown"]))
    by = f"{by[:1].lower()}{by[1:]}"
    measures = [p.measure for p in plan.drawn]
    single = len(measures) == 1
    heading = title or (
        plan.drawn[0].label
        if single
        else f"{data.topic(measures) or 'Staff survey results'}, by {by}"
    )
    inside = f"Within: {data.clean(first['within_group'])}" if first["within_group"] else ""
    under = data.subtitle(
        f"By {by}" if single or title else "",
        inside,
        data.org_name(estimates, str(first["org"])),
        data.years_text(plan.years),
        data.common_direction(measures),
        "Sorted, highest first" if plan.sort else "",
    )
    notes = [*plan.notes, *data.comparability(measures, plan.years, str(first["breakdown"]))]
    if scales_differ([p.panel for p in plan.drawn], plan.columns):
        notes.append("The panels have different scales.")
    return Page(heading, under, [*notes, *data.footer(estimates, rows, reference)])


def _describe(estimates: Estimates, rows: pd.DataFrame, part: _Part) -> str:
    """The description of one panel, from the marks drawn."""
    first = rows.iloc[0]
    panel, years = part.panel, part.panel.years
    by = data.breakdown_label(str(first["breakdown"]))
    inside = f", within {data.clean(first['within_group'])}" if first["within_group"] else ""
    what = (
        f"Dot and interval chart: {part.label}, by {by[:1].lower()}{by[1:]}{inside}, "
        f"{data.org_name(estimates, str(first['org']))}, {data.years_text(years)}"
    ).removesuffix(", ")
    if panel.message:
        return sentences(what, panel.message, *data.synthetic(estimates))
    year = years[-1]
    of_year = {g: m for (g, y), m in part.cells.items() if y == year and m.status != "not_asked"}
    latest = {g: m for g, m in of_year.items() if m.ok}
    counts = f"{len(of_year)} group{'' if len(of_year) == 1 else 's'}"
    if len(latest) < len(of_year):
        counts += f", of which {len(of_year) - len(latest)} without a figure"
        if "suppressed" in {m.status for m in of_year.values()}:
            counts += " (hidden to protect people)"
    ranked = sorted(latest, key=lambda g: -latest[g].value)
    when = f" in {year}" if len(years) > 1 else ""
    if len(ranked) <= 5:
        listed = [f"{_spoken(g, latest[g], panel.unit)}" for g in ranked]
        figures = (f"Highest first{when}: " if len(ranked) > 1 else "") + "; ".join(listed)
    else:
        figures = (
            f"Highest{when}: {_spoken(ranked[0], latest[ranked[0]], panel.unit)}. "
            f"Lowest: {_spoken(ranked[-1], latest[ranked[-1]], panel.unit)}"
        )
    compared = [f"{r.name}: {value_text(r.mark.value, panel.unit)}" for r in panel.lines]
    return sentences(
        what,
        counts,
        figures,
        *compared,
        data.better_words(part.measure).capitalize(),
        *data.synthetic(estimates),
    )


def _spoken(group: str, m: Mark, unit: str) -> str:
    between = ""
    if not (math.isnan(m.lower) or math.isnan(m.upper)):
        between = f"interval {value_text(m.lower, unit)} to {value_text(m.upper, unit)}"
    inner = ", ".join(t for t in (between, base_text(m.base)) if t)
    return f"{data.clean(group)} {value_text(m.value, unit)}" + (f" ({inner})" if inner else "")
