"""Rows of a chart as in a table: names at the left, marks in the middle, words at the right.

Shared by the charts of gaps, ratios, intersections and units. Vertical data units are inches, so
that rows hold their words whatever their number; what is drawn between is the chart's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_analytics.plots.data import Mark
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
from culture_analytics.plots.style import GREY, LIGHT, SIZES, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Column",
    "Line",
    "Said",
    "Sheet",
    "Strip",
    "frame",
    "lay_out",
    "mark_with_limits",
    "span",
    "write",
]

INK = "#1A1A1A"
_PAD = 0.12  # inches between the lines of rows
_LEAST = 0.28  # height of a row
_GAP = 0.14  # between the plot and each column
_AXIS = 0.46  # tick labels and axis label
_BETWEEN = 0.16  # between two sets of axes


@dataclass(frozen=True)
class Said:
    """Words of one style; wrapped to the column they stand in."""

    text: str
    bold: bool = False
    small: bool = False
    colour: str = INK

    @property
    def size(self) -> float:
        """Points."""
        return SIZES["note"] if self.small else SIZES["value"]

    @property
    def weight(self) -> str:
        """Of the font."""
        return "bold" if self.bold else "normal"


@dataclass(frozen=True)
class Column:
    """A column of words at the right of the plot."""

    head: str
    width: float  # inches
    right: bool = False  # set flush right


@dataclass(frozen=True)
class Line:
    """One row: its name, and what each column says. A heading has no columns and no mark."""

    label: str
    cells: tuple[tuple[Said, ...], ...] = ()
    heading: bool = False
    bold: bool = False


@dataclass(frozen=True)
class Sheet:
    """Rows on one scale."""

    lines: tuple[Line, ...]
    columns: tuple[Column, ...] = ()
    key: tuple[Said, ...] = ()  # over the plot
    labels: float = 2.4  # inches, at most


@dataclass(frozen=True)
class Strip:
    """Axes made for a sheet: where its rows are. One vertical unit is an inch."""

    ax: Axes
    middles: tuple[float, ...]
    heights: tuple[float, ...]
    width: float  # inches

    @property
    def total(self) -> float:
        """Height of all rows in inches."""
        return sum(self.heights)


def lay_out(
    sheets: Sequence[Sheet], page: Page, *, axis: bool = True, ax: Axes | None = None
) -> list[Strip]:
    """Make axes for sheets, one below the other, with all that stands around their marks.

    Parameters
    ----------
    sheets
        At least one; all have the same columns.
    page
        Title and notes.
    axis
        Whether room is needed for a scale below each.
    ax
        Axes to draw the only sheet in, instead of a new figure.
    """
    right = _right(sheets[0])
    most = max(s.labels for s in sheets)
    labels = max(
        (text_width(t, SIZES["label"], _weight(line)) for s in sheets for line in s.lines
         for t in ([] if line.heading else even(line.label, most, SIZES["label"], _weight(line)))),
        default=0.5,
    )  # fmt: skip
    below = _AXIS if axis else 0.1
    if ax is not None:
        width = axes_width(ax)
        made = _place(ax, sheets[0], width, labels)
        say_around(ax, page, pad=6 + 72 * _above(sheets[0], width))
        return [made]
    width = WIDTH - 2 * MARGIN - labels - 0.1 - right
    blocks = [(_above(s, width), _heights(s, labels, width)) for s in sheets]
    body = sum(above + sum(heights) + below + _BETWEEN for above, heights in blocks) - _BETWEEN
    top = page.open(body)
    strips = []
    for sheet, (above, heights) in zip(sheets, blocks, strict=True):
        made_ax = page.axes(MARGIN + labels + 0.1, top + above, width, sum(heights))
        strips.append(_place(made_ax, sheet, width, labels))
        top += above + sum(heights) + below + _BETWEEN
    return strips


def frame(
    ax: Axes, ticks: Sequence[float], texts: Sequence[str], label: str,
    bounds: tuple[float, float],
) -> None:  # fmt: skip
    """A scale below, thin lines up from it, and nothing else around."""
    ax.set_xticks(list(ticks), list(texts))
    ax.minorticks_off()
    ax.tick_params(axis="x", labelsize=SIZES["note"], length=3)
    ax.tick_params(axis="y", length=0, pad=5)
    # Around axes that the caller made, notes stand below the scale already.
    below = f"{label}\n{ax.get_xlabel()}" if ax.get_xlabel() else label
    ax.set_xlabel(below, fontsize=SIZES["note"], loc="left")
    ax.vlines(ticks, *ax.get_ylim(), color=LIGHT, lw=0.6, zorder=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_bounds(*bounds)


def write(
    ax: Axes, x: float, y: float, text: str, side: str, *, points: float = 7.0,
    colour: str = INK, bold: bool = False, italic: bool = False,
) -> None:  # fmt: skip
    """Words beside a mark, `points` from it; ``side="left"`` stands at its left."""
    ax.annotate(
        text, (x, y), xytext=(-points if side == "left" else points, 0),
        textcoords="offset points", va="center_baseline",
        ha="right" if side == "left" else "left", fontsize=SIZES["value"], color=colour,
        fontweight="bold" if bold else "normal", fontstyle="italic" if italic else "normal",
        zorder=6, annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
    )  # fmt: skip


# -- measuring ----------------------------------------------------------------------------------


def _right(sheet: Sheet) -> float:
    return sum(_GAP + c.width for c in sheet.columns)


def _weight(line: Line) -> str:
    return "bold" if line.bold or line.heading else "normal"


def _wrapped(cell: Sequence[Said], width: float) -> list[Said]:
    return [
        Said(text, said.bold, said.small, said.colour)
        for said in cell
        for text in wrap(said.text, width, said.size, said.weight)
    ]


def _tall(words: Sequence[Said]) -> float:
    return sum(line_height(w.size) for w in words)


def _heights(sheet: Sheet, labels: float, width: float) -> list[float]:
    across = labels + 0.1 + width + _right(sheet)
    heights = []
    for line in sheet.lines:
        room = across if line.heading else labels + 1e-3
        name = len(even(line.label, room, SIZES["label"], _weight(line)))
        cells = [
            _tall(_wrapped(cell, column.width))
            for cell, column in zip(line.cells, sheet.columns, strict=False)
        ]
        content = max([name * line_height(SIZES["label"]), *cells])
        heights.append(max(_LEAST, content + _PAD))
    return heights


def _above(sheet: Sheet, width: float) -> float:
    """Inches of the heads of columns and of the key."""
    heads = [len(wrap(c.head, c.width, SIZES["note"])) if c.head else 0 for c in sheet.columns]
    key = _tall(_wrapped(sheet.key, width))
    return max([line_height(SIZES["note"]) * max(heads, default=0), key]) + 0.08


# -- writing ------------------------------------------------------------------------------------


def _place(ax: Axes, sheet: Sheet, width: float, labels: float) -> Strip:
    heights = _heights(sheet, labels, width)
    total = sum(heights)
    ax.set_ylim(total, 0)
    y, middles, names = 0.0, [], []
    for line, height in zip(sheet.lines, heights, strict=True):
        middle = y + height / 2
        if y and not line.heading:
            ax.axhline(y, color=LIGHT, lw=0.5, zorder=0)
        if line.heading:
            _heading(ax, line, y + height, labels, labels + 0.1 + width + _right(sheet))
        else:
            lines = even(line.label, labels + 1e-3, SIZES["label"], _weight(line))
            names.append((middle, "\n".join(lines), line))
        along = 0.0
        for cell, column in zip(line.cells, sheet.columns, strict=False):
            along += _GAP
            _cell(ax, cell, column, along, middle)
            along += column.width
        middles.append(middle)
        y += height
    ax.set_yticks([m for m, _, _ in names], [text for _, text, _ in names])
    for text, (_, _, line) in zip(ax.get_yticklabels(), names, strict=True):
        text.set_fontsize(SIZES["label"])
        text.set_fontweight(_weight(line))
    _over(ax, sheet, width)
    return Strip(ax, tuple(middles), tuple(heights), width)


def _heading(ax: Axes, line: Line, bottom: float, labels: float, across: float) -> None:
    lines = even(line.label, across, SIZES["label"], "bold")
    ax.annotate(
        "\n".join(lines), (0, bottom), xycoords=ax.get_yaxis_transform(),
        xytext=(-72 * (labels + 0.1), 3), textcoords="offset points", ha="left", va="bottom",
        fontsize=SIZES["label"], fontweight="bold", annotation_clip=False, zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def _cell(ax: Axes, cell: Sequence[Said], column: Column, along: float, middle: float) -> None:
    words = _wrapped(cell, column.width)
    down = -_tall(words) / 2  # inches from the middle of the row, however high axes are
    for said in words:
        step = line_height(said.size)
        x = along + (column.width if column.right else 0.0)
        if said.text:
            ax.annotate(
                said.text, (1, middle), xycoords=ax.get_yaxis_transform(),
                xytext=(72 * x, -72 * (down + step / 2)), textcoords="offset points",
                ha="right" if column.right else "left", va="center", fontsize=said.size,
                fontweight=said.weight, color=said.colour, annotation_clip=False,
            )  # fmt: skip
        down += step


def _over(ax: Axes, sheet: Sheet, width: float) -> None:
    """The key over the plot, and the heads of columns."""
    y = 4.0
    for said in reversed(_wrapped(sheet.key, width)):
        ax.annotate(
            said.text, (0, 1), xycoords="axes fraction", xytext=(0, y),
            textcoords="offset points", ha="left", va="bottom", fontsize=said.size,
            fontweight=said.weight, color=said.colour, annotation_clip=False,
        )  # fmt: skip
        y += 72 * line_height(said.size)
    along = 0.0
    for column in sheet.columns:
        along += _GAP
        x = along + (column.width if column.right else 0.0)
        if column.head:
            ax.annotate(
                "\n".join(wrap(column.head, column.width, SIZES["note"])), (1, 1),
                xycoords="axes fraction", xytext=(72 * x, 4), textcoords="offset points",
                ha="right" if column.right else "left", va="bottom", fontsize=SIZES["note"],
                color=GREY, annotation_clip=False,
            )  # fmt: skip
        along += column.width


# -- marks --------------------------------------------------------------------------------------


def mark_with_limits(
    ax: Axes, m: Mark, y: float, *, shape: str, colour: str, filled: bool = True, gid: str,
) -> None:  # fmt: skip
    """A figure and its interval; a shape without filling is drawn over the line."""
    if not (math.isnan(m.lower) or math.isnan(m.upper)):
        ax.hlines(y, m.lower, m.upper, color=colour, lw=2.0, zorder=3, gid=f"interval {gid}")
        ax.scatter([m.lower, m.upper], [y, y], marker="|", s=30, color=colour, lw=1.3, zorder=3)
    ax.scatter(
        [m.value], [y], marker=shape, s=40, zorder=5, edgecolors=colour, linewidths=1.4,
        facecolors=colour if filled else "white", gid=f"value {gid}",
    )  # fmt: skip


def span(marks: Iterable[Mark], *, zero: bool = True, least: float = 5.0) -> tuple[float, float]:
    """Ends of a scale that holds figures and their limits; from 0 unless told otherwise."""
    ends = [e for m in marks if m.ok for e in (m.value, m.lower, m.upper) if not math.isnan(e)]
    low, high = min(ends, default=0.0), max(ends, default=least)
    if zero and low >= 0:
        return 0.0, max(high, least) * 1.04
    pad = 0.06 * max(high - low, least)
    return low - pad, high + pad
