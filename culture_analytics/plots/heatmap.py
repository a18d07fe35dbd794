"""`heatmap`: groups by measures, the figures printed, coloured by the difference from all staff."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.data import Mark, Reference
from culture_analytics.plots.layout import (
    MARGIN,
    Page,
    axes_width,
    even,
    line_height,
    say_around,
    text_width,
    wrap,
)
from culture_analytics.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    SIZES,
    WIDTH,
    drawing,
    ink,
    points_text,
    tint,
    value_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["heatmap"]

_MOST_COLUMNS = 12  # in one block
_MOST_GROUPS = 80
_ROW = 0.27  # inches
_KEY = 0.34

# Where the colour changes: differences from all staff in points.
_STEPS = {"percent": (2.0, 5.0, 10.0), "score": (0.2, 0.5, 1.0)}
_PLURAL = {"percent": "percentages", "score": "scores"}
_BETTER = {1: "higher", -1: "lower", 0: "-"}
_STRENGTHS = (0.28, 0.6, 1.0)


def heatmap(
    estimates: Estimates,
    *,
    reference: Estimates | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Figures of groups by measures, coloured by how much worse or better than all staff.

    Parameters
    ----------
    estimates
        Several measures of one organisation by one breakdown; of several years the latest is
        drawn. Overall rows are what groups are compared with.
    reference
        Estimates whose overall rows are compared with instead: ``release[topic, "overall"]``, or
        England.
    title
        Default: what the measures have in common.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    MeasureError
        Not Estimates; answers instead of measures; several breakdowns, organisations or
        weightings.

    Notes
    -----
    Blue is better and orange is worse, whichever way round the measure is; the row "Better" says
    which. A triangle means that the group's interval does not reach the figure compared with;
    other cells are at most pale, for their difference may be chance. Colour steps are 2, 5 and
    10 percentage points, or 0.2, 0.5 and 1 of a score. Measures with no better side are not
    coloured. Hidden cells are hatched and say ``[c]``. More than 12 measures continue below; of
    more than 80 groups the worst 80 on the first measure are drawn.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> ax = plots.heatmap(ca.calculate(ca.load_sample(2024), "headline", by="directorate"))
    >>> plots.alt_text(ax).split(":")[0]
    'Table with colours'
    """
    rows = data.figures(data.protected(estimates, "heatmap"), "heatmap")
    rows = data.one_breakdown(rows, "heatmap")
    grid = _grid(estimates, rows, reference)
    page = _page(estimates, rows, grid, title, reference)
    with drawing():
        made = _draw(estimates, grid, page, ax)
    attach(made, _describe(estimates, rows, grid, page.title))
    return made


# -- preparing ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    measure: str
    name: str
    unit: str
    better: int  # +1 higher, -1 lower, 0 neither or not known
    compared: Reference | None


@dataclass(frozen=True)
class _Grid:
    year: int
    years: tuple[int, ...]
    columns: list[_Column]
    groups: list[str]
    cells: dict[tuple[str, str], Mark]  # group, measure
    hidden: int  # groups with no figure at all, not drawn
    total: int
    not_asked: list[str]  # measures

    def difference(self, group: str, column: _Column) -> float | None:
        """Points better (above 0) or worse than the figure compared with."""
        m = self.cells.get((group, column.measure))
        if m is None or not m.ok or column.compared is None or not column.better:
            return None
        return column.better * (m.value - column.compared.mark.value)

    def strength(self, group: str, column: _Column) -> int:
        """Colour step, 0 (none) to 3; at most 1 where the interval reaches the other figure."""
        difference = self.difference(group, column)
        if difference is None:
            return 0
        steps = sum(abs(difference) >= s for s in _STEPS[column.unit])
        m = self.cells[group, column.measure]
        bounded = not (math.isnan(m.lower) or math.isnan(m.upper))
        return min(steps, 1) if bounded and not self.apart(group, column) else steps

    def apart(self, group: str, column: _Column) -> str:
        """A triangle where the interval does not reach the figure compared with."""
        m = self.cells.get((group, column.measure))
        if m is None or not m.ok or column.compared is None:
            return ""
        if m.lower > column.compared.mark.value:
            return "▲"
        return "▼" if m.upper < column.compared.mark.value else ""


def _grid(estimates: Estimates, rows: pd.DataFrame, reference: Estimates | None) -> _Grid:
    years = tuple(sorted(int(y) for y in pd.unique(rows["year"])))
    year = years[-1]
    of_year = rows[rows["year"] == year]
    asked = of_year[of_year["status"] != "not_asked"]
    measures = [str(m) for m in pd.unique(asked["measure"])]
    labels = dict(zip(of_year["measure"], of_year["label"], strict=True))
    known = data.comparators(estimates, of_year, reference, "heatmap")
    columns = []
    for measure in measures:
        found = known.of(measure, year)
        chosen = [r for r in found if not r.own] if reference is not None else []
        compared = next(iter(chosen or found), None)
        definition = data.measure_of(measure)
        unit = str(asked.loc[asked["measure"] == measure, "unit"].iloc[0])
        better = {"higher": 1, "lower": -1}.get(definition.better, 0) if definition else 0
        name = data.clean(definition.short if definition else labels[measure])
        columns.append(_Column(measure, name, unit, better, compared))
    cells = {(str(r.group), str(r.measure)): data.mark(r) for r in asked.itertuples()}
    order = data.in_order(
        str(rows["breakdown"].iloc[0]), [str(g) for g in pd.unique(asked["group"])]
    )
    groups, hidden = _chosen(order, columns, cells)
    not_asked = [data.clean(labels[m]) for m in pd.unique(of_year["measure"]) if m not in measures]
    return _Grid(year, years, columns, groups, cells, hidden, len(order), not_asked)


def _chosen(
    order: list[str], columns: list[_Column], cells: dict[tuple[str, str], Mark]
) -> tuple[list[str], int]:
    """Groups to draw: all, or with very many those with figures, worst first."""
    shown = [g for g in order if any(_ok(cells, g, c) for c in columns)]
    if not shown:
        return [], len(order)
    if len(order) <= _MOST_GROUPS // 2:
        return order, 0
    if len(shown) > _MOST_GROUPS:
        first = columns[0]
        sign = first.better or -1
        with_first = [g for g in shown if _ok(cells, g, first)]
        shown = sorted(with_first, key=lambda g: sign * cells[g, first.measure].value)
    return shown[:_MOST_GROUPS], len(order) - len(shown)


def _ok(cells: dict[tuple[str, str], Mark], group: str, column: _Column) -> bool:
    return (group, column.measure) in cells and cells[group, column.measure].ok


# -- drawing ------------------------------------------------------------------------------------


def _draw(estimates: Estimates, grid: _Grid, page: Page, ax: Axes | None) -> Axes:
    most = _MOST_COLUMNS if ax is None else max(len(grid.columns), 1)
    blocks = [grid.columns[i : i + most] for i in range(0, len(grid.columns), most)]
    labels = 2.2 if ax is not None else _label_width(grid)
    base = 0.62
    width = axes_width(ax) if ax is not None else WIDTH - 2 * MARGIN - labels - 0.12 - base
    columns = max(map(len, blocks), default=1)
    step = width / columns if ax is not None else min(width / columns, 1.3)
    used = step * columns
    tall = [_row_height(g, labels) for g in grid.groups]
    heads = [_head(block, step) for block in blocks]
    body = sum(h + 2 * _ROW + 0.06 + sum(tall) + 0.3 for h in heads) if grid.groups else 0.8
    total = body + (_KEY if grid.groups else 0)
    own = ax is None
    if ax is None:
        top = page.open(total)
        ax = page.axes(MARGIN + labels + 0.12, top, used, total)
    ax.set_xlim(0, columns)
    ax.set_ylim(total, 0)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0, pad=6)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if not grid.groups:
        text = "\n".join(wrap(_nothing(estimates, grid), width, SIZES["label"]))
        ax.set_yticks([])
        ax.text(0, 0.4, text, va="center", fontsize=SIZES["label"], color=GREY)
    else:
        _draw_blocks(ax, estimates, grid, blocks, heads, tall, labels, step)
        _draw_key(ax, grid, body, columns / used, (used + base) * columns / used)
    if not own:
        say_around(ax, page)
    return ax


def _label_width(grid: _Grid) -> float:
    names = [data.clean(g) for g in grid.groups] + [_compared_name(grid)]
    lines = [line for n in names for line in even(n, 2.3, SIZES["label"])]
    return max([text_width(line, SIZES["label"], "bold") for line in lines] + [0.9])


def _compared_name(grid: _Grid) -> str:
    names = dict.fromkeys(c.compared.name for c in grid.columns if c.compared is not None)
    return "; ".join(names) or "All staff"


def _row_height(group: str, labels: float) -> float:
    lines = len(even(data.clean(group), labels, SIZES["label"]))
    return max(_ROW, lines * line_height(SIZES["label"]) + 0.06)


def _upright(block: Sequence[_Column], step: float) -> bool:
    """Whether column names fit level: no word is wider than the column."""
    words = [w for c in block for w in c.name.split(" ")]
    return max(text_width(w, SIZES["note"]) for w in words) <= step - 0.06


def _head(block: Sequence[_Column], step: float) -> float:
    """Inches that the column names need."""
    line = line_height(SIZES["note"])
    if _upright(block, step):
        return max(len(wrap(c.name, step - 0.06, SIZES["note"])) for c in block) * line + 0.08
    return max(text_width(t, SIZES["note"]) for c in block for t in _turned(c, step)) + 0.1


def _turned(column: _Column, step: float) -> list[str]:
    """A name written upwards: as many lines as the column is wide."""
    lines = max(1, int(step / line_height(SIZES["note"])))
    length = 1.2
    while len(wrap(column.name, length, SIZES["note"])) > min(lines, 3):
        length += 0.15
    return wrap(column.name, length, SIZES["note"])


def _draw_blocks(
    ax: Axes,
    estimates: Estimates,
    grid: _Grid,
    blocks: list[list[_Column]],
    heads: list[float],
    tall: list[float],
    labels: float,
    step: float,
) -> None:
    ticks: list[float] = []
    texts: list[str] = []
    bold: list[bool] = []
    y = 0.0
    for block, head in zip(blocks, heads, strict=True):
        level = _upright(block, step)
        for x, column in enumerate(block):
            lines = (
                wrap(column.name, step - 0.06, SIZES["note"]) if level else _turned(column, step)
            )
            ax.text(
                x + 0.5, y + head - 0.04, "\n".join(lines), ha="center", va="bottom",
                rotation=0 if level else 90, fontsize=SIZES["note"],
                multialignment="center" if level else "left",
            )  # fmt: skip
        y += head
        for words, is_bold in (("Better", False), (_compared_name(grid), True)):
            ticks.append(y + _ROW / 2)
            texts.append(words)
            bold.append(is_bold)
            for x, column in enumerate(block):
                text = _compared_text(column) if is_bold else _BETTER[column.better]
                ax.text(x + 0.5, y + _ROW / 2, text, ha="center", va="center",
                        fontsize=SIZES["value"] if is_bold else SIZES["note"],
                        fontweight="bold" if is_bold else "normal",
                        color="black" if is_bold else GREY)  # fmt: skip
            y += _ROW
        _bases_head(ax, y - _ROW / 2, len(block))
        y += 0.06
        for group, height in zip(grid.groups, tall, strict=True):
            ticks.append(y + height / 2)
            texts.append("\n".join(even(data.clean(group), labels, SIZES["label"])))
            bold.append(False)
            for x, column in enumerate(block):
                _cell(ax, grid, group, column, x, y, height, step)
            _bases(ax, grid, group, block, y + height / 2)
            y += height
        y += 0.3
    ax.set_yticks(ticks, texts, fontsize=SIZES["label"])
    for label, is_bold in zip(ax.get_yticklabels(), bold, strict=True):
        label.set_fontweight("bold" if is_bold else "normal")


def _compared_text(column: _Column) -> str:
    return points_text(column.compared.mark.value, column.unit) if column.compared else "-"


def _colour(better: bool, step: int) -> str:
    """White, then three strengths of blue (better) or orange (worse)."""
    if not step:
        return "#FFFFFF"
    return tint(BLUE if better else ORANGE, _STRENGTHS[step - 1])


def _cell(
    ax: Axes, grid: _Grid, group: str, column: _Column, x: int, y: float, height: float, step: float
) -> None:
    from matplotlib.patches import Rectangle

    from culture_analytics.disclosure.rules import SYMBOLS

    m = grid.cells.get((group, column.measure))
    shown = m is not None and m.ok
    better = (grid.difference(group, column) or 0.0) > 0
    fill = _colour(better, grid.strength(group, column)) if shown else "#F3F3F3"
    ax.add_artist(
        Rectangle((x, y), 1, height, facecolor=fill, edgecolor="#B0B0B0", lw=0.6,
                  clip_on=False, hatch=None if shown else "////",
                  gid=f"cell {group} {column.measure}")
    )  # fmt: skip
    if m is not None and shown:
        mark = grid.apart(group, column)
        text = points_text(m.value, column.unit) + mark
        size = min(
            SIZES["value"], SIZES["value"] * (step - 0.08) / text_width(text, 9.5, _weight(mark))
        )
    else:
        text = SYMBOLS.get(m.status if m else "not_asked", "")
        mark, size = "", SIZES["note"]
    ax.text(
        x + 0.5, y + height / 2, text, ha="center", va="center", color=ink(fill), fontsize=size,
        fontweight=_weight(mark), zorder=4,
        bbox=None if shown else {"facecolor": "#F3F3F3", "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip


def _weight(mark: str) -> str:
    return "bold" if mark else "normal"


def _bases_head(ax: Axes, y: float, at: int) -> None:
    ax.annotate(
        "Fewest\nanswers", (at, y), xytext=(6, 0), textcoords="offset points", va="center",
        fontsize=SIZES["note"], color=GREY, annotation_clip=False,
    )  # fmt: skip


def _bases(ax: Axes, grid: _Grid, group: str, block: Sequence[_Column], y: float) -> None:
    """The smallest base among the figures of a row."""
    held = [grid.cells[group, c.measure].base for c in block if _ok(grid.cells, group, c)]
    held = [b for b in held if not math.isnan(b)]
    if held:
        ax.annotate(
            f"{min(held):,.0f}", (len(block), y), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=SIZES["value"], annotation_clip=False,
        )  # fmt: skip


def _draw_key(ax: Axes, grid: _Grid, y: float, inch: float, room: float) -> None:
    """What the colours mean, in words, from worse to better."""
    from matplotlib.patches import Rectangle

    if not any(c.compared for c in grid.columns):
        return
    unit = grid.columns[0].unit
    steps = _STEPS[unit]
    texts = [f"{steps[2]:g}+ worse", f"{steps[1]:g}+", f"{steps[0]:g}+", "about the same",
             f"{steps[0]:g}+", f"{steps[1]:g}+", f"{steps[2]:g}+ better"]  # fmt: skip
    values = (-3, -2, -1, 0, 1, 2, 3)
    left = ax.get_xlim()[0]
    widths = [(0.22 + text_width(t, SIZES["note"]) + 0.14) * inch for t in texts]
    x = left
    for text, value, width in zip(texts, values, widths, strict=True):
        if x + width > left + room:
            break
        ax.add_artist(
            Rectangle((x, y + 0.06), 0.17 * inch, 0.16, facecolor=_colour(value > 0, abs(value)),
                      edgecolor=GREY, lw=0.6, clip_on=False, gid="key")
        )  # fmt: skip
        ax.text(x + 0.22 * inch, y + 0.14, text, va="center", fontsize=SIZES["note"])
        x += width


def _nothing(estimates: Estimates, grid: _Grid) -> str:
    if not grid.total:
        return f"Nothing to show: these measures were not asked in {grid.year}."
    statuses = dict.fromkeys(m.status for m in grid.cells.values() if not m.ok)
    if list(statuses) == ["suppressed"] and estimates.rule.base_under > 1:
        return f"All {grid.total} groups are hidden to protect people [c]."
    words = ", ".join(data.status_text(s, estimates) for s in statuses)
    return f"There is no figure for any of the {grid.total} groups: {words}."


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    grid: _Grid,
    title: str | None,
    reference: Estimates | None,
) -> Page:
    first = rows.iloc[0]
    by = data.breakdown_label(str(first["breakdown"]))
    measures = [c.measure for c in grid.columns] or [str(m) for m in pd.unique(rows["measure"])]
    single = len(measures) == 1
    heading = (
        data.clean(first["label"]) if single else data.topic(measures) or "Staff survey results"
    )
    inside = f"Within: {data.clean(first['within_group'])}" if first["within_group"] else ""
    org = data.org_name(estimates, str(first["org"]))
    by = f"{by[:1].lower()}{by[1:]}"
    under = data.subtitle(inside, org, str(grid.year))
    of_year = rows[rows["year"] == grid.year]
    notes = [*_key_notes(grid, str(first["weighting"])), *_other_notes(estimates, rows, grid)]
    return Page(
        title or f"{heading}, by {by}", under, [*notes, *data.footer(estimates, of_year, reference)]
    )


def _key_notes(grid: _Grid, weighting: str) -> list[str]:
    if not grid.groups:
        return []
    names = _compared_name(grid)
    if not any(c.compared for c in grid.columns):
        return [
            "No colours: the figures of all staff are not in these Estimates "
            "(give them as reference=)."
        ]
    # The key is of the first column's unit: the note says where the other's colours change.
    units = list(dict.fromkeys(c.unit for c in grid.columns))
    points = "points of the score" if units[0] == "score" else "percentage points"
    both = "".join(
        f"; {_PLURAL[unit]} change colour at {low:g}, {middle:g} and {high:g}"
        for unit in units[1:] for low, middle, high in (_STEPS[unit],)
    )  # fmt: skip
    notes = [
        f"Colour: difference from {names} in {points}{both}. Orange is worse, blue is better, "
        "whichever way round the measure is. ▲ ▼: the interval lies wholly above or below "
        f"{names}; where it does not, the difference may be chance and the colour stays pale."
    ]
    compared = {c.compared.weighting for c in grid.columns if c.compared}
    if compared != {weighting}:
        how = " and ".join(data.weighted(w) for w in sorted(compared))
        notes.append(
            f"{names}: {how}; the groups: {data.weighted(weighting)}. They are not strictly "
            "comparable."
        )
    return notes


def _other_notes(estimates: Estimates, rows: pd.DataFrame, grid: _Grid) -> list[str]:
    notes = []
    if any(m.status == "suppressed" for (g, _), m in grid.cells.items() if g in grid.groups):
        notes.append(f"Hatched: {data.status_text('suppressed', estimates)}.")
    if grid.hidden and grid.groups:
        notes.append(f"{grid.hidden} of {grid.total} groups have no figure and are left out.")
    left = grid.total - grid.hidden - len(grid.groups)
    if left > 0 and grid.groups:
        notes.append(
            f"The {len(grid.groups)} worst on {grid.columns[0].name.lower()} are drawn; "
            f"{left} more are not."
        )
    if len(grid.years) > 1:
        notes.append(f"Only {grid.year}, the latest year, is drawn.")
    if grid.not_asked:
        notes.append(f"Not asked in {grid.year}: {'; '.join(grid.not_asked)}.")
    return notes


def _describe(estimates: Estimates, rows: pd.DataFrame, grid: _Grid, title: str) -> str:
    org = data.org_name(estimates, str(rows["org"].iloc[0]))
    what = f"Table with colours: {title}, {org}, {grid.year}"
    synthetic = data.synthetic(estimates)
    if not grid.groups:
        return sentences(what, _nothing(estimates, grid), *synthetic)
    size = f"{len(grid.groups)} groups by {len(grid.columns)} measures"
    drawn = [(g, c) for g in grid.groups for c in grid.columns]
    hidden = sum(not _ok(grid.cells, g, c) for g, c in drawn)
    if hidden:
        size += f"; {hidden} of {len(drawn)} cells have no figure"
    size += f", {grid.hidden} groups are left out" if grid.hidden else ""
    extremes = []
    for unit in dict.fromkeys(c.unit for c in grid.columns):
        known = [
            (d, g, c) for g, c in drawn if c.unit == unit
            for d in [grid.difference(g, c)] if d is not None
        ]  # fmt: skip
        for words, sign in (("worse", -1), ("better", 1)):
            side = [k for k in known if sign * k[0] > 0]
            if side:
                _, g, c = max(side, key=lambda k: sign * k[0])
                extremes.append(f"Furthest on the {words} side: {_spoken(grid, g, c)}")
    return sentences(what, size, *extremes, *synthetic)


def _spoken(grid: _Grid, group: str, column: _Column) -> str:
    value = value_text(grid.cells[group, column.measure].value, column.unit)
    against = ""
    if column.compared is not None:
        compared = value_text(column.compared.mark.value, column.unit)
        against = f" against {compared} for {column.compared.name}"
    return f"{data.clean(group)} on {column.name}, {value}{against}"
