"""`trend`: figures by survey year, joined only where the years are one series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from culture_analytics.compare.comparable import CARE, NO, Guard, Side
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.data import Mark
from culture_analytics.plots.layout import (
    MARGIN,
    Page,
    even,
    line_height,
    say_around,
    ticks_within,
)
from culture_analytics.plots.style import (
    BLUE,
    GREY,
    LIGHT,
    PLUM,
    SIZES,
    WIDTH,
    base_text,
    drawing,
    value_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["trend"]

MOST = 24  # panels
COLUMNS = 2
_AXIS_LEFT = 0.5  # inches for the tick labels of values
_PLOT = 1.35  # inches high
_YEARS = 0.42  # years and bases under the plot
_BETWEEN = 0.22
_LEAST_SPAN = {"percent": 10.0, "score": 0.6}  # of an axis: chance must not look like change
_CELL = ["measure", "breakdown", "group", "within", "within_group", "statistic"]
# A letter for each break, so that its reason can stand under the chart.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class _Step:
    """From one year to the next: whether the line goes on, and what is said of it."""

    earlier: Mark
    later: Mark
    strength: str  # no | care | "" for a plain step
    text: str

    @property
    def years(self) -> str:
        return f"{self.earlier.year} to {self.later.year}"


@dataclass(frozen=True)
class _Panel:
    title: str
    short: str
    unit: str
    marks: tuple[Mark, ...]
    words: tuple[str, ...]
    steps: tuple[_Step, ...]
    also: tuple[float, ...] = ()  # values beside the figures that have to be in sight


def trend(
    estimates: Estimates,
    *,
    title: str | None = None,
    ax: Axes | None = None,
    successors: pd.DataFrame | None = None,
) -> Axes:
    """Figures by year with their intervals, one panel a measure (or group).

    Years are joined by a line where they are one series. Where the guard of `compare_years` says
    that they are not, the line has a gap with a lettered mark, whose reason is printed under the
    chart; where they compare with care, the line is dashed.

    Parameters
    ----------
    estimates
        Percentages or scores of two years or more, of one organisation.
    title
        Default: the measure, or what the measures belong to.
    ax
        Axes to draw in, for one measure; default a figure of its own.
    successors
        As for `compare_years`: a merger breaks the line.

    Returns
    -------
    matplotlib.axes.Axes
        The first panel. Panels of percentages span the same number of points, so that slopes can
        be compared; they do not begin at zero, which the chart says.

    Raises
    ------
    MeasureError
        Not Estimates; one year only; several organisations, weightings or sources; too many
        panels.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> ax = plots.trend(ca.calculate(ca.load_sample(), "work_related_stress"))
    >>> plots.alt_text(ax).split(":")[0]
    'Line chart by year'
    """
    rows = data.figures(data.protected(estimates, "trend"), "trend")
    data.only_one(rows, ("org", "weighting", "source"), "trend")
    rows, absent = _asked(rows)
    years = sorted(int(y) for y in pd.unique(rows["year"]))
    if len(years) < 2:
        raise MeasureError(
            f"plots.trend() needs two years; these Estimates are of "
            f"{', '.join(map(str, years)) or 'none in which it was asked'}. Try plots.measures()."
        )
    panels = _panels(estimates, rows, successors)
    if len(panels) > MOST or (ax is not None and len(panels) > 1):
        most = MOST if ax is None else "one panel in axes given"
        raise MeasureError(
            f"plots.trend() would draw {len(panels)} panels, at most {most}. Choose measures or "
            "groups: estimates.select(measure=[...])."
        )
    letters = _letters(panels)
    page = _page(estimates, rows, panels, letters, years, title, absent)
    with drawing():
        axes = _lay_out(panels, page, letters, years, ax)
    for made, panel in zip(axes, panels, strict=True):
        attach(made, _describe(estimates, rows, panel))
    return axes[0]


# -- what is drawn ------------------------------------------------------------------------------


def _asked(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Without the measures never asked, and their names."""
    asked = rows.loc[~rows["status"].isin(("not_asked", "not_applicable")), "measure"]
    kept = rows["measure"].isin(asked)
    lost = rows.loc[~kept, ["measure", "label"]].drop_duplicates("measure")
    names = [_short(str(m), str(x)) for m, x in zip(lost["measure"], lost["label"], strict=True)]
    return rows[kept], "; ".join(names)


def _panels(
    estimates: Estimates, rows: pd.DataFrame, successors: pd.DataFrame | None = None
) -> list[_Panel]:
    guard = Guard.of(rows, successors=successors)
    several = len(pd.unique(rows["measure"])) > 1
    common = data.common_direction([str(m) for m in pd.unique(rows["measure"])])
    found = []
    for _, part in rows.groupby(_CELL, sort=False, observed=True):
        ordered = part.sort_values("year", kind="stable")
        twice = ordered.loc[ordered["year"].duplicated(), "year"]
        if len(twice):
            raise MeasureError(
                f"plots.trend(): {len(twice)} year(s) have two figures of one measure, the first "
                f"{int(twice.iloc[0])}. Choose a release with select(release=...); for quarters "
                "use control_chart() and plots.spc()."
            )
        first = ordered.iloc[0]
        marks = tuple(data.mark(r) for r in ordered.itertuples())
        short = _short(str(first["measure"]), str(first["label"]))
        whole = first["breakdown"] == data.OVERALL and not first["within"]
        group = "" if whole else data.clean(first["group"])
        words = data.marked_direction(str(first["measure"]), common) if several else ""
        named = f"{short}: {group}" if several and group else group or short
        found.append(
            _Panel(
                title=f"{named} ({words})" if words else named,
                short=named,
                unit=str(first["unit"]),
                marks=marks,
                words=tuple(data.status_text(m.status, estimates) for m in marks),
                steps=tuple(_steps(guard, ordered, marks)),
            )
        )
    return found


def _short(measure: str, label: str) -> str:
    definition = data.measure_of(measure)
    return data.clean(definition.short if definition else label)


def _steps(guard: Guard, rows: pd.DataFrame, marks: Sequence[Mark]) -> list[_Step]:
    records = rows.to_dict("records")
    found = []
    for k in range(1, len(records)):
        if not (marks[k - 1].ok and marks[k].ok):
            continue
        said = guard.reasons(
            str(records[k]["measure"]), _groups(records[k]), _side(records[k - 1]),
            _side(records[k]),
        )  # fmt: skip
        gravest = said[0] if said and said[0].strength in (NO, CARE) else None
        found.append(
            _Step(
                marks[k - 1], marks[k],
                gravest.strength if gravest else "", gravest.text if gravest else "",
            )
        )  # fmt: skip
    return found


def _side(row: Any) -> Side:
    labels = (str(row[c]) for c in ("source", "weighting", "release", "org"))
    return Side(int(row["year"]), *labels)


def _groups(row: Any) -> tuple[tuple[str, str], ...]:
    pairs = [(str(row["breakdown"]), str(row["group"]))]
    pairs += [(str(row["within"]), str(row["within_group"]))] if row["within"] else []
    found: list[tuple[str, str]] = []
    for breakdown, group in pairs:
        if breakdown != data.OVERALL:
            found += zip(breakdown.split(":"), group.split(" | "), strict=False)
    return tuple(found)


def _letters(panels: Sequence[_Panel]) -> dict[str, str]:
    """A letter for each reason why a line breaks."""
    reasons = dict.fromkeys(s.text for p in panels for s in p.steps if s.strength == NO)
    return {r: _LETTERS[k % 26] * (1 + k // 26) for k, r in enumerate(reasons)}


# -- drawing ------------------------------------------------------------------------------------


def _lay_out(
    panels: Sequence[_Panel],
    page: Page,
    letters: dict[str, str],
    years: Sequence[int],
    ax: Axes | None,
) -> list[Axes]:
    spans = _spans(panels)
    if ax is not None:
        _draw(ax, panels[0], spans[panels[0].unit], letters, years)
        say_around(ax, page)
        return [ax]
    columns = min(COLUMNS, len(panels))
    room = (WIDTH - 2 * MARGIN - (columns - 1) * 0.3) / columns
    titles = [even(p.title, room, SIZES["panel"], "bold") for p in panels]
    blocks = [range(k, min(k + columns, len(panels))) for k in range(0, len(panels), columns)]
    heads = [max(len(titles[k]) for k in b) * line_height(SIZES["panel"]) + 0.16 for b in blocks]
    if columns == 1:
        heads, titles = [0.05], [[]]
    top = page.open(sum(heads) + len(blocks) * (_PLOT + _YEARS + _BETWEEN) - _BETWEEN)
    axes = []
    for block, head in zip(blocks, heads, strict=True):
        for column, k in enumerate(block):
            left = MARGIN + column * (room + 0.3)
            for number, line in enumerate(titles[k]):
                y = top + number * line_height(SIZES["panel"])
                page.text(left, y, line, size=SIZES["panel"], weight="bold")
            made = page.axes(left + _AXIS_LEFT, top + head, room - _AXIS_LEFT, _PLOT)
            _draw(made, panels[k], spans[panels[k].unit], letters, years)
            axes.append(made)
        top += head + _PLOT + _YEARS + _BETWEEN
    return axes


def _extent(panel: _Panel) -> tuple[float, float]:
    """Lowest and highest that a panel draws."""
    ends = [x for m in panel.marks if m.ok for x in (m.value, m.lower, m.upper)]
    known = [x for x in (*ends, *panel.also) if not math.isnan(x)]
    return (min(known), max(known)) if known else (0.0, 0.0)


def _spans(panels: Sequence[_Panel]) -> dict[str, float]:
    """Height of the value axes of each unit: one for all, with room for labels."""
    spans = {}
    for unit in dict.fromkeys(p.unit for p in panels):
        extents = [_extent(p) for p in panels if p.unit == unit]
        most = max(high - low for low, high in extents)
        spans[unit] = max(1.6 * most, _LEAST_SPAN["score" if unit == "score" else "percent"])
    return spans


def _draw(
    ax: Axes, panel: _Panel, span: float, letters: dict[str, str], years: Sequence[int]
) -> None:
    highest = 10.0 if panel.unit == "score" else 100.0
    low, high = _extent(panel)
    # A little below the middle: labels stand above the points.
    bottom = max(0.0, min((low + high) / 2 - 0.45 * span, highest + 0.12 * span - span))
    ax.set_ylim(bottom, bottom + span)
    ax.set_xlim(years[0] - 0.5, years[-1] + 0.5)
    for step in panel.steps:
        _step(ax, step, letters)
    drawn = [m for m in panel.marks if m.ok]
    bars = [m for m in drawn if not math.isnan(m.lower + m.upper)]
    ax.vlines(
        [m.year for m in bars], [m.lower for m in bars], [m.upper for m in bars],
        color=BLUE, lw=2.0, zorder=3, gid="interval",
    )  # fmt: skip
    ax.scatter(
        [m.year for m in drawn], [m.value for m in drawn], marker="o", s=38, color=BLUE, lw=0,
        zorder=4, gid="value",
    )  # fmt: skip
    for m in drawn:
        ax.annotate(
            value_text(m.value, panel.unit), (m.year, m.reach), xytext=(0, 4),
            textcoords="offset points", ha="center", va="bottom", fontsize=SIZES["value"],
            zorder=6, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
        )  # fmt: skip
    for m, words in zip(panel.marks, panel.words, strict=True):
        if not m.ok:
            ax.annotate(
                words.split(" ")[0], (m.year, 0.06), xycoords=ax.get_xaxis_transform(),
                ha="center", va="bottom", fontsize=SIZES["value"], color=GREY,
            )  # fmt: skip
    ax.set_xticks(list(years), _year_labels(panel, years))
    ax.tick_params(axis="both", labelsize=SIZES["note"], length=3)
    ax.tick_params(axis="y", length=0)
    suffix = "" if panel.unit == "score" else "%"
    values = ticks_within(bottom, min(bottom + span, highest), 4)
    ax.set_yticks(values, [f"{v:g}{suffix}" for v in values])
    ax.grid(axis="y", color=LIGHT, lw=0.6, zorder=0)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def _year_labels(panel: _Panel, years: Sequence[int]) -> list[str]:
    bases = {m.year: base_text(m.base) for m in panel.marks if m.ok}
    return [f"{y}\n{bases.get(y, '')}" for y in years]


def _step(ax: Axes, step: _Step, letters: dict[str, str]) -> None:
    a, b = step.earlier, step.later
    if step.strength != NO:
        ax.plot(
            [a.year, b.year], [a.value, b.value], color=BLUE, lw=1.5, zorder=2,
            ls=(0, (4, 2)) if step.strength == CARE else "-",
            gid="care" if step.strength == CARE else "line",
        )  # fmt: skip
        return
    middle = (a.year + b.year) / 2
    ax.axvline(middle, color=PLUM, lw=1.2, ls=(0, (1, 1.5)), zorder=1, gid="break")
    ax.annotate(
        f"break {letters[step.text]}", (middle, 0.98), xycoords=ax.get_xaxis_transform(),
        ha="center", va="top", fontsize=SIZES["note"], color=PLUM,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, zorder=5,
    )  # fmt: skip


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    panels: Sequence[_Panel],
    letters: dict[str, str],
    years: Sequence[int],
    title: str | None,
    absent: str,
) -> Page:
    first = rows.iloc[0]
    measures = [str(m) for m in pd.unique(rows["measure"])]
    heading = data.clean(first["label"]) if len(measures) == 1 else data.topic(measures)
    split = first["breakdown"] != data.OVERALL
    under = data.subtitle(
        data.clean(first["group"]) if split and len(panels) == 1 else "",
        f"By {data.breakdown_label(str(first['breakdown'])).lower()}"
        if split and len(panels) > 1
        else "",
        data.org_name(estimates, str(first["org"])),
        data.years_text(years),
        data.common_direction(measures),
    )
    notes = [data.interval_note(rows)]
    notes.append(
        "Scales need not begin at zero; those of one unit span the same number of points."
        if len(panels) > 1
        else "The scale need not begin at zero."
    )
    for text, letter in letters.items():
        about = _whose(panels, text, NO)
        notes.append(f"Break {letter}{about}, years not joined: {text}.")
    for text in dict.fromkeys(s.text for p in panels for s in p.steps if s.strength == CARE):
        notes.append(f"Dashed{_whose(panels, text, CARE)}, compare with care: {text}.")
    lacking = [w for p in panels for m, w in zip(p.marks, p.words, strict=True) if not m.ok]
    missing = list(dict.fromkeys(lacking))
    notes.append(f"No point: {'; '.join(missing)}." if missing else "")
    notes.append(f"Not asked in {data.years_text(years)}: {absent}." if absent else "")
    return Page(
        title or heading or "Staff survey results by year",
        under,
        [*notes, *data.footer(estimates, rows)],
    )


def _whose(panels: Sequence[_Panel], text: str, strength: str) -> str:
    """Years and, where some panels only, which of them a reason is about."""
    hit = [(p, s) for p in panels for s in p.steps if s.text == text and s.strength == strength]
    years = "; ".join(dict.fromkeys(s.years for _, s in hit))
    names = list(dict.fromkeys(p.short for p, _ in hit))
    about = f" ({', '.join(names)})" if len(names) < len(panels) and len(names) < 5 else ""
    return f", {years}{about}"


def _describe(estimates: Estimates, rows: pd.DataFrame, panel: _Panel) -> str:
    org = data.org_name(estimates, str(rows["org"].iloc[0]))
    what = f"Line chart by year: {panel.title}, {org}"
    values = []
    for m, words in zip(panel.marks, panel.words, strict=True):
        base = f" ({base_text(m.base)})" if base_text(m.base) else ""
        values.append(f"{m.year} {value_text(m.value, panel.unit)}{base}" if m.ok
                      else f"{m.year} {words}")  # fmt: skip
    said = []
    for step in panel.steps:
        if step.strength == NO:
            said.append(f"{step.years} not joined: {step.text}")
        elif step.strength == CARE:
            said.append(f"{step.years} compare with care: {step.text}")
    return sentences(what, ", ".join(values), *said, *data.synthetic(estimates))
