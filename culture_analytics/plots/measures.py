"""`measures`: several measures for everyone, with England beside them if given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.compare.comparable import beside
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.data import Mark, Reference
from culture_analytics.plots.dots import Panel, Row, lay_out
from culture_analytics.plots.layout import Page
from culture_analytics.plots.style import YEAR_MARKS, base_text, drawing, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["measures"]


def measures(
    estimates: Estimates,
    *,
    reference: Estimates | Sequence[Estimates] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Dots and intervals: several measures of everyone together, one below the other.

    Parameters
    ----------
    estimates
        Percentages or scores of one organisation; the overall rows are drawn, or the one group
        there is. Several years have marks of different shape (the latest five).
    reference
        Estimates to compare with, such as published England: hollow marks, and their figures in a
        column at the right. At most two organisations are drawn.
    title
        Default: the domain or collection the measures belong to.
    ax
        Axes to draw in (percentages or scores, not both); default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        The first panel. Percentages and scores get a panel each.

    Raises
    ------
    MeasureError
        Not Estimates; answers instead of measures; several groups, organisations or weightings.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> ax = plots.measures(ca.calculate(ca.load_sample(2024), "discrimination"))
    >>> len(ax.get_yticks())
    5
    """
    table = data.figures(data.protected(estimates, "measures"), "measures")
    rows = _everyone(table)
    every_year = sorted(int(y) for y in pd.unique(rows["year"]))
    years = tuple(every_year[-len(YEAR_MARKS) :])
    rows, absent = _asked(rows[rows["year"].isin(years)])
    units = list(pd.unique(rows["unit"]))
    if ax is not None and len(units) > 1:
        raise MeasureError(
            "plots.measures(ax=...) draws percentages or scores, not both. Choose: "
            "estimates.select(statistic='percent')."
        )
    common = data.common_direction([str(m) for m in pd.unique(rows["measure"])])
    compared = _compared(estimates, rows, reference, years[-1])
    panels = [
        _panel(estimates, rows[rows["unit"] == unit], years, compared, common) for unit in units
    ]
    heading = title or data.topic([str(m) for m in pd.unique(table["measure"])])
    page = _page(estimates, rows, years, compared, heading or "Staff survey results", reference)
    if absent:
        page.notes = [f"Not asked in {data.years_text(years)}: {absent}.", *page.notes]
    with drawing():
        axes = lay_out(panels, page, columns=1, ax=ax)
    for made, panel in zip(axes, panels, strict=True):
        attach(made, _describe(estimates, rows, panel, page.title, common))
    return axes[0]


def _everyone(table: pd.DataFrame) -> pd.DataFrame:
    overall = table[(table["breakdown"] == data.OVERALL) & (table["within"] == "")]
    rows = table if overall.empty else overall
    keys = ("org", "breakdown", "group", "within", "within_group", "weighting", "source")
    data.only_one(rows, keys, "measures")
    return rows


def _asked(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows of measures asked in any of the years, and the names of the others."""
    asked = rows.loc[rows["status"] != "not_asked", "measure"]
    kept = rows["measure"].isin(asked)
    if not kept.any():
        return rows, ""
    left_out = rows[~kept].drop_duplicates("measure")
    names = [_name(str(r.measure), str(r.label)) for r in left_out.itertuples()]
    return rows[kept], "; ".join(names)


def _compared(
    estimates: Estimates,
    rows: pd.DataFrame,
    reference: Estimates | Sequence[Estimates] | None,
    year: int,
) -> dict[str, list[Reference]]:
    """Figures to compare each measure with; at most two columns of them."""
    found = {}
    split = bool(rows["breakdown"].iloc[0] != data.OVERALL)
    known = data.comparators(estimates, rows, reference, "measures")
    for measure in pd.unique(rows["measure"]):
        every = known.of(str(measure), year)
        # Everyone together is what is drawn, unless it is one group.
        found[str(measure)] = [
            r for r in every if split or not r.own or r.name.startswith("All staff (")
        ]
    names = list(dict.fromkeys(r.name for each in found.values() for r in each))[:2]
    return {m: [r for r in each if r.name in names] for m, each in found.items()}


def _panel(
    estimates: Estimates,
    rows: pd.DataFrame,
    years: tuple[int, ...],
    compared: dict[str, list[Reference]],
    common: str,
) -> Panel:
    drawn = []
    for measure in pd.unique(rows["measure"]):
        of_measure = rows[rows["measure"] == measure].sort_values("year", kind="stable")
        marks = tuple(data.mark(r) for r in of_measure.itertuples())
        label = _name(str(measure), str(of_measure["label"].iloc[0]))
        words = data.marked_direction(str(measure), common)
        drawn.append(
            Row(
                label=f"{label} ({words})" if words else label,
                marks=marks,
                words=tuple(data.status_text(m.status, estimates) for m in marks),
                beside=tuple(compared[str(measure)]),
            )
        )
    held = [r.name for row in drawn for r in row.beside]
    shown = any(m.ok for row in drawn for m in row.marks)
    return Panel(
        rows=tuple(drawn),
        unit=str(rows["unit"].iloc[0]),
        years=years,
        beside=tuple(dict.fromkeys(held)),
        message="" if shown or held else _nothing(estimates, rows),
    )


def _name(measure: str, label: str) -> str:
    definition = data.measure_of(measure)
    return data.clean(definition.short if definition else label)


def _nothing(estimates: Estimates, rows: pd.DataFrame) -> str:
    words = ", ".join(data.status_text(str(s), estimates) for s in pd.unique(rows["status"]))
    return f"There is nothing to show: {words}."


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    years: tuple[int, ...],
    compared: dict[str, list[Reference]],
    title: str,
    reference: Estimates | Sequence[Estimates] | None,
) -> Page:
    first = rows.iloc[0]
    drawn = [str(m) for m in pd.unique(rows["measure"])]
    group = "" if first["breakdown"] == data.OVERALL else data.clean(first["group"])
    under = data.subtitle(
        group,
        data.org_name(estimates, str(first["org"])),
        data.years_text(years),
        data.common_direction(drawn),
    )
    notes = [data.interval_note(rows)]
    own = str(first["weighting"])
    others = {r.name: r.weighting for each in compared.values() for r in each}
    notes += [
        f"{name} is {data.weighted(weighting)}, these figures are {data.weighted(own)}: they are "
        "not strictly comparable."
        for name, weighting in others.items()
        if not beside(own, weighting)
    ]
    notes += data.comparability(drawn, years)
    notes += data.footer(estimates, rows, reference)
    return Page(title, under, notes)


def _describe(
    estimates: Estimates, rows: pd.DataFrame, panel: Panel, title: str, common: str
) -> str:
    first = rows.iloc[0]
    what = (
        f"Dot and interval chart: {title}, {len(panel.rows)} "
        f"{'measure' if len(panel.rows) == 1 else 'measures'} of "
        f"{data.clean(first['group'])}, {data.org_name(estimates, str(first['org']))}, "
        f"{data.years_text(panel.years)}"
    )
    said = data.synthetic(estimates)
    if panel.message:
        return sentences(what, panel.message, *said)
    return sentences(what, common, "; ".join(_spoken(r, panel) for r in panel.rows), *said)


def _spoken(row: Row, panel: Panel) -> str:
    """One row in words: the latest year, and what it is compared with."""
    latest: Mark | None = row.marks[-1] if row.marks else None
    if latest is None or not latest.ok:
        return f"{row.label}: {row.words[-1] if row.words else 'no figure'}"
    when = f" in {latest.year}" if panel.dated else ""
    base = f" ({base_text(latest.base)})" if base_text(latest.base) else ""
    against = "".join(f", {r.name} {value_text(r.mark.value, panel.unit)}" for r in row.beside)
    return f"{row.label}{when} {value_text(latest.value, panel.unit)}{base}{against}"
