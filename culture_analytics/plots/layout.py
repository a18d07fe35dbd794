"""Pages measured in inches: text is wrapped to widths that were measured, so nothing is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from culture_analytics.plots.style import DPI, GREY, SIZES, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "MARGIN",
    "Page",
    "axes_height",
    "axes_width",
    "even",
    "line_height",
    "root_figure",
    "say_around",
    "text_width",
    "ticks_within",
    "wrap",
]

MARGIN = 0.15  # inches

_FINE = 720  # dpi to measure at: glyphs are not pushed to whole pixels


@lru_cache(maxsize=1)
def _renderer() -> Any:
    from matplotlib.backends import backend_agg

    renderer: Any = backend_agg.RendererAgg
    return renderer(8, 8, _FINE)


@lru_cache(maxsize=20_000)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line of text in inches."""
    from matplotlib.font_manager import FontProperties

    font = FontProperties(family=["DejaVu Sans"], size=size, weight=weight)
    width, _, _ = _renderer().get_text_width_height_descent(text, font, False)
    return float(width) / _FINE * 1.02  # hinting differs a little between resolutions


def line_height(size: float) -> float:
    """Height of one line of text in inches."""
    return size * 1.25 / 72


def wrap(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Break text into lines no wider than `width` inches.

    Lines break at spaces and after strokes; a word that is still too long is cut in two.
    """
    lines: list[str] = []
    line = ""
    for gap, piece in _pieces(text):
        rest = piece
        if text_width(f"{line}{gap}{rest}", size, weight) <= width:
            line = f"{line}{gap}{rest}"
            continue
        if line:
            lines.append(line)
        while text_width(rest, size, weight) > width and len(rest) > 1:
            fits = max(
                (i for i in range(1, len(rest)) if text_width(rest[:i], size, weight) <= width),
                default=1,
            )
            lines.append(rest[:fits])
            rest = rest[fits:]
        line = rest
    return [*lines, line]


def _pieces(text: str) -> list[tuple[str, str]]:
    """What must not be broken, each with what stands before it on the same line."""
    found: list[tuple[str, str]] = []
    for number, word in enumerate(text.split(" ")):
        parts = word.replace("/", "/\n").split("\n")
        held = [p for p in parts if p] or [""]
        found += [(" " if number and not i else "", part) for i, part in enumerate(held)]
    return found


def even(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Break text like `wrap`, in lines of about the same length."""
    lines = wrap(text, width, size, weight)
    for part in range(95, 40, -5):
        narrower = wrap(text, width * part / 100, size, weight)
        if len(narrower) > len(lines):
            break
        lines = narrower
    return lines


@dataclass
class Page:
    """A figure of fixed width: title, subtitle, a body of any height, notes.

    Sizes are inches; positions are from the top left corner.
    """

    title: str
    subtitle: str = ""
    notes: Sequence[str] = ()
    figure: Figure | None = field(default=None, init=False)
    height: float = field(default=0.0, init=False)

    def open(self, body: float) -> float:
        """Make the figure for a body of the given height; returns where the body begins."""
        from matplotlib import pyplot as plt

        inner = WIDTH - 2 * MARGIN
        head = [(line, "title", "bold") for line in even(self.title, inner, SIZES["title"], "bold")]
        if self.subtitle:
            lines = wrap(self.subtitle, inner, SIZES["subtitle"])
            head += [(line, "subtitle", "normal") for line in lines]
        foot = [line for n in self.notes if n for line in wrap(n, inner, SIZES["note"])]
        top = MARGIN + sum(line_height(SIZES[size]) for _, size, _ in head) + 0.12
        step = line_height(SIZES["note"])
        self.height = top + body + (0.1 + step * len(foot) if foot else 0) + MARGIN
        self.figure = plt.figure(figsize=(WIDTH, self.height), dpi=DPI)
        y = MARGIN
        for line, size, weight in head:
            self.text(MARGIN, y, line, size=SIZES[size], weight=weight)
            y += line_height(SIZES[size])
        y = top + body + 0.1
        for line in foot:
            self.text(MARGIN, y, line, size=SIZES["note"], color=GREY)
            y += step
        return top

    def text(self, x: float, y: float, text: str, *, size: float, **style: Any) -> None:
        """Write one line with its top left corner at a position."""
        assert self.figure is not None
        self.figure.text(
            x / WIDTH, 1 - y / self.height, text, ha="left", va="top", fontsize=size, **style
        )

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a position."""
        assert self.figure is not None
        bottom = 1 - (top + height) / self.height
        return self.figure.add_axes((left / WIDTH, bottom, width / WIDTH, height / self.height))


def root_figure(ax: Axes) -> Figure:
    """The figure that axes are in, also through a subfigure."""
    from matplotlib.figure import Figure

    figure = ax.figure
    return figure if isinstance(figure, Figure) else figure.figure


def axes_width(ax: Axes) -> float:
    """Width of axes in inches."""
    return float(ax.get_window_extent().width / root_figure(ax).dpi)


def axes_height(ax: Axes) -> float:
    """Height of axes in inches."""
    return float(ax.get_window_extent().height / root_figure(ax).dpi)


def ticks_within(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two limits, about as many as asked for."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    return [float(t) for t in found if low - slack <= t <= high + slack]


def say_around(ax: Axes, page: Page, *, pad: float = 6.0) -> None:
    """Write a page's title and notes around axes that the caller made."""
    width = axes_width(ax)
    title = wrap(page.title, width, SIZES["panel"], "bold")
    ax.set_title("\n".join(title), loc="left", fontsize=SIZES["panel"], fontweight="bold", pad=pad)
    said = [s for s in (ax.get_xlabel(), page.subtitle, *page.notes) if s]
    lines = [line for s in said for line in wrap(s, width, SIZES["note"])]
    ax.set_xlabel("\n".join(lines), loc="left", fontsize=SIZES["note"])
