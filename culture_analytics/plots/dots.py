"""Dots with intervals: the drawing shared by `groups` and `measures`.

A panel is a list of rows; a row has a label and a mark for each year. Vertical data units are
inches, so that rows hold their labels whatever the number of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from culture_analytics.plots.data import Mark, Reference
from culture_analytics.plots.layout import (
    MARGIN,
    Page,
    axes_width,
    even,
    line_height,
    text_width,
    wrap,
)
from culture_analytics.plots.style import (
    BLUE,
    GREY,
    LIGHT,
    PLUM,
    SIZES,
    WIDTH,
    YEAR_MARKS,
    base_text,
    value_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Panel", "Row", "draw", "lay_out"]

_MARK_STEP = 0.21  # inches between the marks of one row
_ROW_PAD = 0.09
_TIER = 0.2  # height of the label of a reference line
_GAP = 0.12  # between the plot and its labels
_BETWEEN = 0.2  # inches between blocks of panels
_AXIS = 0.46  # tick labels and axis label
_REFERENCE_MARKS = (("D", PLUM), ("s", GREY))


@dataclass(frozen=True)
class Row:
    """A label with its marks; text stands in place of a mark without a figure."""

    label: str
    marks: tuple[Mark, ...] = ()
    words: tuple[str, ...] = ()  # one for each mark: what to say if it has no figure
    beside: tuple[Reference, ...] = ()  # figures to compare this row with
    bold: bool = False


@dataclass(frozen=True)
class Panel:
    """One set of axes."""

    rows: tuple[Row, ...]
    unit: str
    title: str = ""
    note: str = ""  # under the title
    lines: tuple[Reference, ...] = ()  # figures to compare every row with
    years: tuple[int, ...] = ()
    beside: tuple[str, ...] = ()  # names of the columns of `Row.beside`
    message: str = ""  # said in place of rows when there are none with a figure

    @property
    def dated(self) -> bool:
        """Whether marks need their year beside them."""
        return len(self.years) > 1

    @property
    def reach(self) -> float:
        """The largest figure drawn."""
        marks = [m for r in self.rows for m in (*r.marks, *(b.mark for b in r.beside)) if m.ok]
        drawn = [m.reach for m in marks] + [line.mark.value for line in self.lines]
        return max(drawn, default=0.0)


# -- measuring ----------------------------------------------------------------------------------


def _year_column(panel: Panel) -> float:
    return text_width("2024", SIZES["value"]) + 0.12 if panel.dated else 0.0


def _base_column(panel: Panel) -> float:
    texts = [base_text(m.base) for r in panel.rows for m in r.marks]
    return max((text_width(t, SIZES["value"]) for t in texts), default=0.0)


def _beside_column(panel: Panel) -> float:
    if not panel.beside:
        return 0.0
    heads = [text_width(w, SIZES["note"]) for name in panel.beside for w in name.split()]
    return 0.14 + max([text_width("100.0%", SIZES["value"]) + 0.15, *heads])


def _right(panel: Panel) -> float:
    columns = _year_column(panel) + _base_column(panel)
    return _GAP + columns + len(panel.beside) * _beside_column(panel)


def _beside_heads(panel: Panel) -> list[list[str]]:
    return [wrap(n, _beside_column(panel) - 0.1, SIZES["note"]) for n in panel.beside]


def _tiers(panel: Panel) -> float:
    heads = max((len(h) for h in _beside_heads(panel)), default=0)
    return max(len(panel.lines) * _TIER, heads * line_height(SIZES["note"]) + 0.05 * bool(heads))


def _heights(panels: Sequence[Panel], label_width: float) -> list[float]:
    """Inches of each row, the same in panels that stand side by side."""
    heights = []
    for rows in zip(*(p.rows for p in panels), strict=True):
        lines = len(even(rows[0].label, label_width, SIZES["label"], _weight(rows[0])))
        marks = max(len(r.marks) for r in rows)
        content = max(lines * line_height(SIZES["label"]), marks * _MARK_STEP, _MARK_STEP)
        heights.append(content + _ROW_PAD)
    return heights


def _weight(row: Row) -> str:
    return "bold" if row.bold else "normal"


def _label_width(panels: Sequence[Panel], most: float) -> float:
    widths = [
        text_width(line, SIZES["label"], _weight(r))
        for p in panels
        for r in p.rows
        for line in even(r.label, most, SIZES["label"], _weight(r))
    ]
    return max(widths, default=0.5)


def _nice(value: float) -> float:
    """The least of 1, 2, 2.5, 4, 5, 6, 8, 10 x 10^k that is not below a value."""
    scale = 10.0 ** math.floor(math.log10(value))
    return next(s * scale for s in (1, 2, 2.5, 4, 5, 6, 8, 10) if s * scale >= value * (1 - 1e-9))


def _limit(panel: Panel, width: float) -> float:
    """Right end of the value axis: a round number, with room for the value labels."""
    top = 10.0 if panel.unit == "score" else min(100.0, _nice(max(panel.reach, 5.0)))
    labelled = [(m, r.beside if m is r.marks[-1] else ()) for r in panel.rows for m in r.marks]
    for m, beside in labelled:
        if not m.ok:
            continue
        text = value_text(m.value, panel.unit)
        others = [o.mark.value for o in beside if o.mark.ok]
        at, left = _label_place(m, text, others, top / width)
        room = text_width(text, SIZES["value"]) + (0.19 if at > m.reach else 0.16)
        if not left:
            top = max(top, at * width / max(width - room, 0.2 * width))
    return top


# -- drawing ------------------------------------------------------------------------------------


def draw(ax: Axes, panel: Panel, *, width: float, heights: Sequence[float], limit: float,
         labels: float | None) -> None:  # fmt: skip
    """Draw one panel in axes `width` inches wide.

    Parameters
    ----------
    ax
        Axes; their vertical unit becomes the inch.
    panel
        What to draw.
    width
        Inches of the value axis.
    heights
        Inches of each row.
    limit
        Right end of the value axis.
    labels
        Inches for row labels; None leaves them out (they stand beside another panel).
    """
    total = sum(heights) or 0.6
    ax.set_xlim(0, limit)
    ax.set_ylim(total, 0)
    _frame(ax, panel, width, limit)
    if not panel.rows or panel.message:
        _say(ax, panel.message or "Nothing to show.", width)
    ticks, texts, bold = [], [], []
    marks: list[tuple[Mark, float]] = []
    y = 0.0
    for row, height in zip(panel.rows, heights[: len(panel.rows)], strict=True):
        middle = y + height / 2
        ticks.append(middle)
        if labels is not None:
            texts.append("\n".join(even(row.label, labels, SIZES["label"], _weight(row))))
        bold.append(row.bold)
        if y:
            ax.axhline(y, color=GREY if bold[-2:-1] == [True] else LIGHT, lw=0.5, zorder=0)
        marks += _row(ax, panel, row, middle, limit / width)
        y += height
    _marks(ax, panel, marks, limit / width)
    ax.set_yticks(ticks, texts if labels is not None else [""] * len(ticks))
    for text, is_bold in zip(ax.get_yticklabels(), bold, strict=True):
        text.set_fontsize(SIZES["label"])
        text.set_fontweight("bold" if is_bold else "normal")
    _lines(ax, panel, width, limit, total)
    _heads(ax, panel)


def _frame(ax: Axes, panel: Panel, width: float, limit: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    highest = 10.0 if panel.unit == "score" else 100.0
    ticks = max(2, min(5, int(width * min(1.0, highest / limit) / 0.45)))
    steps = [1, 2, 5, 10] if panel.unit == "score" else [1, 2, 2.5, 5, 10]
    values = MaxNLocator(nbins=ticks, steps=steps).tick_values(0, min(limit, highest))
    ax.xaxis.set_major_locator(
        FixedLocator([float(v) for v in values if 0 <= v <= min(limit, highest)])
    )
    suffix = "" if panel.unit == "score" else "%"
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}{suffix}"))
    ax.tick_params(axis="x", labelsize=SIZES["note"], length=3)
    ax.tick_params(axis="y", length=0, pad=6)
    ax.set_xlabel(
        "Score, 0 to 10" if panel.unit == "score" else "Percentage of those who answered",
        fontsize=SIZES["note"], loc="left",
    )  # fmt: skip
    ax.grid(axis="x", color=LIGHT, lw=0.6, zorder=0)
    ax.set_axisbelow(True)
    if panel.message and not panel.rows:  # a sentence needs no scale
        ax.set_xticks([])
        ax.set_xlabel("")
        ax.spines["bottom"].set_visible(False)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_bounds(0, min(limit, highest))


def _say(ax: Axes, message: str, width: float) -> None:
    ax.text(
        0.0, 0.5, "\n".join(wrap(message, width - 0.2, SIZES["label"])), transform=ax.transAxes,
        ha="left", va="center", fontsize=SIZES["label"], color=GREY,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2}, zorder=5,
    )  # fmt: skip


def _row(ax: Axes, panel: Panel, row: Row, middle: float, inch: float) -> list[tuple[Mark, float]]:
    """Write what a row says; returns its marks with their heights, to be drawn together."""
    found = []
    first = middle - _MARK_STEP * (len(row.marks) - 1) / 2
    for position, m in enumerate(row.marks):
        y = first + position * _MARK_STEP
        if m.ok:
            others = row.beside if m is row.marks[-1] else ()
            found.append((m, y))
            _value(ax, panel, m, y, [o.mark.value for o in others if o.mark.ok], inch)
            column = _GAP + _year_column(panel) + _base_column(panel)
            _beside(ax, column, y, base_text(m.base), ha="right")
        elif not panel.message:
            words = row.words[position] if row.words else ""
            ax.annotate(
                words, (0, y), xytext=(4, 0), textcoords="offset points", va="center",
                fontsize=SIZES["value"], color=GREY, fontstyle="italic", zorder=4,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip
        if panel.dated:
            _beside(ax, _GAP, y, str(m.year), ha="left")
    for position, compared in enumerate(row.beside):
        last = first + _MARK_STEP * (len(row.marks) - 1)  # in line with the latest year
        _compared(ax, panel, compared, position, last if row.marks else middle)
    return found


def _style(panel: Panel, year: int) -> tuple[str, str]:
    if not panel.dated:
        return YEAR_MARKS[0]
    age = sorted(panel.years, reverse=True).index(year)
    return YEAR_MARKS[min(age, len(YEAR_MARKS) - 1)]


def _marks(ax: Axes, panel: Panel, marks: Sequence[tuple[Mark, float]], inch: float) -> None:
    """Dots and intervals, a collection for each year."""
    for year in dict.fromkeys(m.year for m, _ in marks):
        shape, colour = _style(panel, year)
        of_year = [(m, y) for m, y in marks if m.year == year]
        lines = [(m, y) for m, y in of_year if not (math.isnan(m.lower) or math.isnan(m.upper))]
        ax.hlines(
            [y for _, y in lines], [m.lower for m, _ in lines], [m.upper for m, _ in lines],
            color=colour, lw=2.2, zorder=3, gid=f"interval {year}",
        )  # fmt: skip
        # Ends of short intervals would hide the shape of the dot.
        wide = [(m, y) for m, y in lines if m.upper - m.lower > 0.16 * inch]
        ax.scatter(
            [m.lower for m, _ in wide] + [m.upper for m, _ in wide], [y for _, y in wide] * 2,
            marker="|", s=36, color=colour, lw=1.4, zorder=3, gid=f"ends {year}",
        )  # fmt: skip
        ax.scatter(
            [m.value for m, _ in of_year], [y for _, y in of_year], marker=shape, s=38,
            color=colour, lw=0, zorder=4, gid=f"value {year}",
        )  # fmt: skip


def _value(ax: Axes, panel: Panel, m: Mark, y: float, others: Sequence[float], inch: float) -> None:
    text = value_text(m.value, panel.unit)
    at, left = _label_place(m, text, others, inch)
    beyond = at > m.reach  # another mark stands there, wider than the end of an interval
    ax.annotate(
        text, (at, y), xytext=(-6 if left else 8 if beyond else 6, 0),
        textcoords="offset points", va="center_baseline", ha="right" if left else "left",
        fontsize=SIZES["value"], zorder=5, annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
    )  # fmt: skip


def _label_place(m: Mark, text: str, others: Sequence[float], inch: float) -> tuple[float, bool]:
    """Where a figure's label is clear of other marks, and whether it stands at the left of it.

    Right of the interval; else left of it; else right of the marks that are in its way.
    """
    room = (text_width(text, SIZES["value"]) + 0.18) * inch
    touching = 0.07 * inch  # half a mark
    low = m.value if math.isnan(m.lower) else min(m.value, m.lower)
    at = m.reach
    for other in sorted(others):
        if at - touching < other < at + room:
            at = other
    if at == m.reach:
        return at, False
    left_is_clear = not any(low - room < o < low + touching for o in others)
    return (low, True) if low > room and left_is_clear else (at, False)


def _beside(ax: Axes, inches: float, y: float, text: str, **style: Any) -> None:
    """Text in the columns at the right of the plot, `inches` from it."""
    if text:
        ax.annotate(
            text, (1, y), xycoords=ax.get_yaxis_transform(), xytext=(inches * 72, 0),
            textcoords="offset points", va="center", fontsize=SIZES["value"],
            annotation_clip=False, **style,
        )  # fmt: skip


def _compared(ax: Axes, panel: Panel, compared: Reference, position: int, y: float) -> None:
    shape, colour = _REFERENCE_MARKS[position % len(_REFERENCE_MARKS)]
    name = compared.name
    ax.scatter(
        [compared.mark.value], [y], marker=shape, s=48, facecolors="none", edgecolors=colour,
        linewidths=1.5, zorder=6, gid=f"reference {name}",
    )  # fmt: skip
    column = panel.beside.index(name) if name in panel.beside else position
    right = _GAP + _year_column(panel) + _base_column(panel) + (column + 1) * _beside_column(panel)
    _beside(ax, right, y, value_text(compared.mark.value, panel.unit), ha="right", color=colour)


def _heads(ax: Axes, panel: Panel) -> None:
    """Names over the columns of `Row.beside`, with their shape."""
    for position, head in enumerate(_beside_heads(panel)):
        shape, colour = _REFERENCE_MARKS[position % len(_REFERENCE_MARKS)]
        right = _GAP + _year_column(panel) + _base_column(panel)
        right += (position + 1) * _beside_column(panel)
        sign = {"D": "◇", "s": "□"}[shape]
        ax.annotate(
            "\n".join([*head[:-1], f"{sign} {head[-1]}"]), (1, 1), xycoords="axes fraction",
            xytext=(right * 72, 2), textcoords="offset points", ha="right", va="bottom",
            fontsize=SIZES["note"], color=colour, annotation_clip=False,
        )  # fmt: skip


def _lines(ax: Axes, panel: Panel, width: float, limit: float, total: float) -> None:
    styles = ((0, (4, 2)), (0, (1, 1.5)), (0, (4, 1.5, 1, 1.5)))
    for tier, line in enumerate(panel.lines):
        dated = panel.dated and str(line.mark.year) not in line.name
        name = f"{line.name} {line.mark.year}" if dated else line.name
        text = f"{name} {value_text(line.mark.value, panel.unit)}"
        half = text_width(text, SIZES["value"]) / 2
        at = line.mark.value / limit * width
        centre = min(max(at, half), max(width + _right(panel) - half, half))
        colour = (GREY, PLUM, BLUE)[tier % 3]
        ax.plot(
            [line.mark.value] * 2,
            [0, total],
            color=colour,
            lw=1.2,
            ls=styles[tier % 3],
            zorder=2,
            gid=f"reference {line.name}",
        )
        ax.annotate(
            text, (0, 1), xycoords="axes fraction", xytext=(centre * 72, 3 + tier * _TIER * 72),
            textcoords="offset points", ha="center", va="bottom", fontsize=SIZES["value"],
            color=colour, annotation_clip=False,
        )  # fmt: skip


# -- pages --------------------------------------------------------------------------------------


def lay_out(
    panels: Sequence[Panel], page: Page, *, columns: int, ax: Axes | None = None
) -> list[Axes]:
    """Draw panels on a page of their own, or one panel in axes given.

    Parameters
    ----------
    panels
        At least one; with two columns all have the same rows.
    page
        Title and notes.
    columns
        1 or 2; with 2 the row labels stand at the left only.
    ax
        Axes to draw the only panel in, instead of a new figure.
    """
    if ax is not None:
        return [_draw_in(ax, panels[0], page)]
    labels = _label_width(panels, 2.2 if columns == 2 else 3.2)
    right = max(_right(p) for p in panels)
    inner = WIDTH - 2 * MARGIN - labels - 0.12 - columns * right - (columns - 1) * 0.3
    width = inner / columns
    limits = [_limit(p, width) for p in panels]
    if _one_scale(panels, columns):
        highest = max(_limit(p, width) for p in _percentages(panels))
        limits = [m if p.unit == "score" else highest for m, p in zip(limits, panels, strict=True)]
    blocks = _blocks(panels, columns, labels, width + right)
    top = page.open(sum(b.height for b in blocks) - _BETWEEN)
    axes: list[Axes] = []
    for block in blocks:
        for column, panel in enumerate(block.panels):
            left = MARGIN + labels + 0.12 + column * (width + right + 0.3)
            for number, line in enumerate(block.titles[column]):
                y = top + number * line_height(SIZES["panel"])
                page.text(_title_left(columns, left), y, line, size=SIZES["panel"], weight="bold")
            if panel.note:
                y = top + len(block.titles[column]) * line_height(SIZES["panel"])
                page.text(_title_left(columns, left), y, panel.note, size=SIZES["note"], color=GREY)
            made = page.axes(left, top + block.head, width, sum(block.heights))
            draw(
                made, panel, width=width, heights=block.heights,
                limit=limits[len(axes)], labels=labels if column == 0 else None,
            )  # fmt: skip
            axes.append(made)
        top += block.height
    return axes


def scales_differ(panels: Sequence[Panel], columns: int) -> bool:
    """Whether percentages of several panels are drawn to different scales."""
    reaches = [p.reach for p in _percentages(panels)]
    return not _one_scale(panels, columns) and len({_nice(max(r, 5.0)) for r in reaches}) > 1


def _percentages(panels: Sequence[Panel]) -> list[Panel]:
    return [p for p in panels if p.unit != "score" and not p.message]


def _one_scale(panels: Sequence[Panel], columns: int) -> bool:
    """Whether panels side by side share a scale: not where the smallest would be squeezed."""
    reaches = [p.reach for p in _percentages(panels)]
    return columns == 2 and bool(reaches) and max(reaches) <= 3 * min(reaches)


def _title_left(columns: int, left: float) -> float:
    return left if columns == 2 else MARGIN


@dataclass(frozen=True)
class _Block:
    """Panels side by side."""

    panels: Sequence[Panel]
    titles: list[list[str]]
    head: float  # inches above the axes
    heights: list[float]

    @property
    def height(self) -> float:
        return self.head + sum(self.heights) + _AXIS + _BETWEEN


def _blocks(panels: Sequence[Panel], columns: int, labels: float, width: float) -> list[_Block]:
    blocks = []
    for start in range(0, len(panels), columns):
        side = panels[start : start + columns]
        room = width if columns == 2 else WIDTH - 2 * MARGIN
        titles = [even(p.title, room, SIZES["panel"], "bold") if p.title else [] for p in side]
        head = max(map(len, titles)) * line_height(SIZES["panel"])
        head += line_height(SIZES["note"]) * any(p.note for p in side)
        head += max(_tiers(p) for p in side) + 0.06
        heights = _heights(side, labels) or [0.6]
        blocks.append(_Block(side, titles, head, heights))
    return blocks


def _draw_in(ax: Axes, panel: Panel, page: Page) -> Axes:
    from culture_analytics.plots.layout import say_around

    width = axes_width(ax)
    labels = 2.2
    heights = _heights([panel], labels) or [0.6]
    limit = _limit(panel, width)
    draw(ax, panel, width=width, heights=heights, limit=limit, labels=labels)
    say_around(ax, page, pad=6 + _tiers(panel) * 72)
    return ax
