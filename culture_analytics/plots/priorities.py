"""`priorities`: how much goes with each element of culture, against how well it does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.compared import name_of
from culture_analytics.plots.data import Mark
from culture_analytics.plots.drivers import inside, shares
from culture_analytics.plots.layout import (
    MARGIN,
    Page,
    axes_height,
    axes_width,
    even,
    line_height,
    say_around,
    text_width,
    ticks_within,
    wrap,
)
from culture_analytics.plots.style import BLUE, GREY, LIGHT, PLUM, SIZES, WIDTH, drawing, tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["priorities"]

LOOK, PROTECT, FINE, LATER = (
    "look here first",
    "strengths to protect",
    "does well, less goes with it",
    "lower score, but less goes with it",
)
_HEIGHT = 5.0  # inches
_LEFT, _OVER, _UNDER = 0.5, 0.22, 0.5
_WORDS = 1.75  # inches, at most, of the name of an element


@dataclass(frozen=True)
class _Element:
    name: str
    share: Mark
    score: Mark

    def quadrant(self, even_share: float, middle: float) -> str:
        much, low = self.share.value >= even_share, self.score.value < middle
        if much:
            return LOOK if low else PROTECT
        return LATER if low else FINE

    def unsure(self, even_share: float, middle: float) -> bool:
        """Whether an interval reaches over a dividing line."""
        return _over(self.share, even_share) or _over(self.score, middle)


def _over(m: Mark, line: float) -> bool:
    return m.lower < line < m.upper  # never with limits that are not known


@dataclass(frozen=True)
class _Box:
    """A rectangle of the plot, in inches from its lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    def shared(self, other: _Box) -> float:
        """Area that both cover."""
        across = min(self.right, other.right) - max(self.left, other.left)
        up = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(across, 0.0) * max(up, 0.0)


def priorities(
    estimates: Estimates,
    *,
    outcome: str | None = None,
    first: Sequence[str] = (),
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Elements of culture: what goes with an outcome (across) against their own score (up).

    Parameters
    ----------
    estimates
        Holds rows ``statistic="variance_share"``, ``breakdown="element"`` (as for `drivers`:
        `measure` the outcome, `group` the label of an element, percent), and rows
        ``statistic="score"`` of everyone (0-10), `measure` and `label` those of an element. An
        element's score is found by its label, with or without what stands in brackets.
    outcome
        Measure id of the outcome; default the one there is.
    first
        Labels of elements that the diagnosis names to look at first: their marks are filled and
        their names bold.
    title
        Default "What to look at first: ...".
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        Intervals both ways. Lines stand at an even share (100 divided by the number of elements)
        and at the middle score; the four fields between them are named.

    Raises
    ------
    MeasureError
        No shares or no scores; several outcomes, organisations or years at once; or no element has
        both figures.

    Examples
    --------
    >>> plots.priorities(held, outcome="burnout")  # doctest: +SKIP
    """
    rows = shares(estimates, "priorities")
    if outcome is not None:
        rows = rows[rows["measure"].eq(outcome)]
        if rows.empty:
            raise MeasureError(f"plots.priorities(): no shares of the outcome {outcome!r}.")
    data.only_one(rows, ("measure", "org", "year", "weighting"), "priorities")
    found, missing = _elements(estimates.table, rows)
    even_share = 100.0 / len(rows)
    middle = float(pd.Series([e.score.value for e in found]).median())
    chosen = {data.clean(name) for name in first}
    page = _page(estimates, rows, found, even_share, middle, missing, chosen, title)
    with drawing():
        if ax is None:
            top = page.open(_OVER + _HEIGHT + _UNDER) + _OVER
            made = page.axes(MARGIN + _LEFT, top, WIDTH - 2 * MARGIN - _LEFT, _HEIGHT)
        else:
            made = ax
        _draw(made, found, even_share, middle, chosen)
        made.set_xlabel(
            "Share of what goes with all elements: further right, more goes with it",
            fontsize=SIZES["note"], loc="left",
        )  # fmt: skip
        if ax is not None:
            say_around(ax, page, pad=6 + 72 * _OVER)
    attach(made, _describe(estimates, found, page, even_share, middle))
    return made


# -- reading ------------------------------------------------------------------------------------


def _elements(table: pd.DataFrame, rows: pd.DataFrame) -> tuple[list[_Element], list[str]]:
    """Elements with both figures, and the names of those that lack one."""
    first = rows.iloc[0]
    scores = table[
        table["statistic"].eq("score") & table["breakdown"].eq(data.OVERALL)
        & table["within"].eq("") & table["org"].eq(first["org"]) & table["year"].eq(first["year"])
        & table["source"].eq(first["source"])
    ]  # fmt: skip
    if scores.empty:
        raise MeasureError(
            "plots.priorities() draws scores against shares; these Estimates hold no score of "
            "everyone of that organisation and year. Try: concat([shares, calculate(survey, "
            "scores of the elements)])."
        )
    known: dict[str, Mark] = {}
    for row in scores.itertuples():
        label = data.clean(row.label)
        for name in (label, label.split(" (")[0], name_of(str(row.measure), label)):
            known.setdefault(name, data.mark(row))
    found, missing = [], []
    for row in rows.itertuples():
        name, share = data.clean(row.group), data.mark(row)
        score = known.get(name)
        if share.ok and score is not None and score.ok:
            found.append(_Element(name, share, score))
        else:
            missing.append(name)
    if not found:
        raise MeasureError(
            "plots.priorities(): no element has both a share and a score that may be shown. "
            f"Elements: {', '.join(missing[:8])}; scores: {', '.join(list(known)[:8])}."
        )
    return found, missing


# -- drawing ------------------------------------------------------------------------------------


def _draw(
    ax: Axes, found: Sequence[_Element], even_share: float, middle: float, chosen: set[str]
) -> None:
    low, high = _span([e.score for e in found], 0.5)
    left, right = 0.0, max(_span([e.share for e in found], 10.0)[1], 1.6 * even_share)
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    width, height = axes_width(ax), axes_height(ax)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - left) / (right - left) * width, (y - low) / (high - low) * height

    ax.axvline(even_share, color=GREY, lw=1.0, ls=(0, (4, 2)), zorder=1, gid="even share")
    ax.axhline(middle, color=GREY, lw=1.0, ls=(0, (4, 2)), zorder=1, gid="middle score")
    ax.fill_between([even_share, right], low, middle, color=tint(PLUM, 0.09), lw=0, zorder=0.5)
    cross = at(even_share, middle)
    taken = _fields(ax, cross, (width, height))
    taken += [_Box(cross[0] - 0.01, 0, cross[0] + 0.01, height),
              _Box(0, cross[1] - 0.01, width, cross[1] + 0.01)]  # fmt: skip
    for e in found:
        x, y = at(e.share.value, e.score.value)
        taken.append(_Box(x - 0.08, y - 0.08, x + 0.08, y + 0.08))
        for one, two in (
            (at(_or(e.share.lower, e.share), e.score.value),
             at(_or(e.share.upper, e.share), e.score.value)),
            (at(e.share.value, _or(e.score.lower, e.score)),
             at(e.share.value, _or(e.score.upper, e.score))),
        ):  # fmt: skip
            taken.append(_Box(one[0] - 0.02, one[1] - 0.02, two[0] + 0.02, two[1] + 0.02))
        ax.hlines(e.score.value, _or(e.share.lower, e.share), _or(e.share.upper, e.share),
                  color=BLUE, lw=1.8, zorder=3, gid="interval across")  # fmt: skip
        ax.vlines(e.share.value, _or(e.score.lower, e.score), _or(e.score.upper, e.score),
                  color=BLUE, lw=1.8, zorder=3, gid="interval up")  # fmt: skip
        ax.scatter([e.share.value], [e.score.value], marker="o", s=46, zorder=4, edgecolors=BLUE,
                   facecolors=BLUE if e.name in chosen or not chosen else "white",
                   linewidths=1.5, gid="element")  # fmt: skip
    placed: list[_Box] = []
    for e in sorted(found, key=lambda e: -e.share.value):
        _name(ax, e, at(e.share.value, e.score.value), (width, height), taken, placed,
              e.name in chosen)  # fmt: skip
    _axes(ax, left, right, low, high)


def _or(limit: float, m: Mark) -> float:
    return m.value if math.isnan(limit) else limit


def _span(marks: Sequence[Mark], least: float) -> tuple[float, float]:
    ends = [_or(e, m) for m in marks for e in (m.lower, m.upper, m.value)]
    low, high = min(ends), max(ends)
    pad = 0.22 * max(high - low, least)
    return low - pad, high + pad


def _fields(ax: Axes, cross: tuple[float, float], size: tuple[float, float]) -> list[_Box]:
    """Names of the four fields, in their outer corners; returns where they stand."""
    boxes = []
    step = line_height(SIZES["label"])
    for words, right, top in (
        (LOOK, True, False), (PROTECT, True, True), (FINE, False, True), (LATER, False, False),
    ):  # fmt: skip
        weight = "bold" if words in (LOOK, PROTECT) else "normal"
        room = (size[0] - cross[0] if right else cross[0]) - 0.16
        lines = wrap(words, max(room, 0.9), SIZES["label"], weight)
        ax.annotate(
            "\n".join(lines), (1 if right else 0, 1 if top else 0), xycoords="axes fraction",
            xytext=(-6 if right else 6, -5 if top else 5), textcoords="offset points",
            ha="right" if right else "left", va="top" if top else "bottom",
            fontsize=SIZES["label"], fontweight=weight, color=PLUM if words == LOOK else GREY,
            zorder=2,
        )  # fmt: skip
        wide = max(text_width(line, SIZES["label"], weight) for line in lines) + 0.12
        tall = len(lines) * step + 0.1
        x = size[0] - wide if right else 0.0
        y = size[1] - tall if top else 0.0
        boxes.append(_Box(x, y, x + wide, y + tall))
    return boxes


def _name(
    ax: Axes,
    e: _Element,
    at: tuple[float, float],
    size: tuple[float, float],
    taken: Sequence[_Box],
    placed: list[_Box],
    bold: bool,
) -> None:
    """Write a name where it covers nothing, with a line to its mark if that is not beside it."""
    weight = "bold" if bold else "normal"
    lines = even(e.name, _WORDS, SIZES["value"], weight)
    figures = f"{e.share.value:.0f}%, score {e.score.value:.1f}"
    wide = max([*(text_width(t, SIZES["value"], weight) for t in lines),
                text_width(figures, SIZES["note"])]) + 0.06  # fmt: skip
    tall = len(lines) * line_height(SIZES["value"]) + line_height(SIZES["note"]) + 0.04
    box, distance = _free(at, (wide, tall), size, taken, placed)
    placed.append(box)
    if distance > 0.25:
        end = (min(max(at[0], box.left), box.right), min(max(at[1], box.bottom), box.top))
        ax.plot(
            [at[0] / size[0], end[0] / size[0]], [at[1] / size[1], end[1] / size[1]],
            color=GREY, lw=0.7, transform=ax.transAxes, zorder=2.5,
        )  # fmt: skip
    # Words stand towards their mark.
    side, x = "center", (box.left + box.right) / 2
    if box.left >= at[0]:
        side, x = "left", box.left + 0.03
    elif box.right <= at[0]:
        side, x = "right", box.right - 0.03
    y = box.top - 0.02
    said = [(line, SIZES["value"], weight, "#1A1A1A") for line in lines]
    for text, points, heavy, colour in [*said, (figures, SIZES["note"], "normal", GREY)]:
        ax.text(x / size[0], y / size[1], text, transform=ax.transAxes, ha=side, va="top",
                fontsize=points, fontweight=heavy, color=colour, zorder=6)  # fmt: skip
        y -= line_height(points)


def _free(
    at: tuple[float, float],
    words: tuple[float, float],
    size: tuple[float, float],
    taken: Sequence[_Box],
    placed: Sequence[_Box],
) -> tuple[_Box, float]:
    """The place of a label that covers least, the nearer the better; and its distance."""

    def cost(box: _Box) -> tuple[float, float, float]:
        on_words = sum(box.shared(other) for other in placed)
        on_marks = sum(box.shared(other) for other in taken)
        away = math.hypot(
            max(box.left - at[0], at[0] - box.right, 0.0),
            max(box.bottom - at[1], at[1] - box.top, 0.0),
        )
        return round(on_words, 4), round(on_marks, 4), away

    best = min(_places(at, words, size), key=cost)
    return best, cost(best)[2]


def _places(
    at: tuple[float, float], words: tuple[float, float], size: tuple[float, float]
) -> Iterator[_Box]:
    """Places inside the plot, around a mark and then anywhere."""
    wide, tall = words
    corners = [
        (at[0] + across * (0.1 + away) + (across - 1) / 2 * wide,
         at[1] + up * (0.1 + away) + (up - 1) / 2 * tall)
        for away in (0.0, 0.12, 0.25, 0.4, 0.6, 0.8, 1.1, 1.5)
        for across, up in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
    ]  # fmt: skip
    steps = [[k * (size[i] - words[i]) / 14 for k in range(15)] for i in (0, 1)]
    for x, y in itertools.chain(corners, itertools.product(*steps)):
        if 0 <= x <= size[0] - wide and 0 <= y <= size[1] - tall:
            yield _Box(x, y, x + wide, y + tall)


def _axes(ax: Axes, left: float, right: float, low: float, high: float) -> None:
    across = [t for t in ticks_within(left, right, 7) if t >= 0]
    up = [t for t in ticks_within(low, high, 6) if 0 <= t <= 10]
    ax.set_xticks(across, [f"{t:g}%" for t in across])
    ax.set_yticks(up, [f"{t:g}" for t in up])
    ax.tick_params(axis="both", labelsize=SIZES["note"], length=3, color=LIGHT)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.annotate(
        "Score, 0 to 10: higher is better", (0, 1), xycoords="axes fraction", xytext=(0, 6),
        textcoords="offset points", fontsize=SIZES["note"], annotation_clip=False,
    )  # fmt: skip


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    found: Sequence[_Element],
    even_share: float,
    middle: float,
    missing: Sequence[str],
    chosen: set[str],
    title: str | None,
) -> Page:
    first = rows.iloc[0]
    level = rows["level"].dropna()
    outcome = name_of(str(first["measure"]), str(first["label"]))
    unsure = [e.name for e in found if e.unsure(even_share, middle)]
    notes = [
        "Across: how much of the differences in the outcome goes with the element, in percent of "
        "all that goes with these elements together. Up: the element's own score."
        + (f" Lines are {100 * float(level.iloc[0]):g}% intervals." if len(level) else ""),
        f"Dashed lines: an even share ({even_share:.0f}%) and the middle of these scores "
        f"({middle:.1f}). Half of the scores always lie below the middle, however good they are.",
        f"Could stand on either side of a line: {', '.join(unsure)}." if unsure else "",
        "Filled: named by the diagnosis to look at first." if chosen else "",
        f"Not drawn, without both figures: {', '.join(missing)}." if missing else "",
        "'Goes with' is not 'leads to': work on an element need not move the outcome.",
        "The scale of scores does not begin at zero.",
    ]
    base = first["base"]
    under = data.subtitle(
        data.org_name(estimates, str(first["org"])),
        str(int(first["year"])),
        "" if math.isnan(base) else f"{base:,.0f} answers",
    )
    return Page(
        title or f"What to look at first: what goes with {inside(outcome)}",
        under,
        [*notes, *data.footer(estimates, rows)],
    )


def _describe(
    estimates: Estimates,
    found: Sequence[_Element],
    page: Page,
    even_share: float,
    middle: float,
) -> str:
    what = f"Scatter chart: {page.title}. {page.subtitle.replace('  ·  ', ', ')}"
    told = []
    for words in (LOOK, PROTECT, FINE, LATER):
        here = [e for e in found if e.quadrant(even_share, middle) == words]
        if here:
            listed = "; ".join(
                f"{e.name} (share {e.share.value:.0f}%, score {e.score.value:.1f})" for e in here
            )
            told.append(f"{words[:1].upper()}{words[1:]}: {listed}")
    unsure = [e.name for e in found if e.unsure(even_share, middle)]
    doubt = f"Could stand on either side of a line: {', '.join(unsure)}" if unsure else ""
    return sentences(what, *told, doubt, *data.synthetic(estimates))
