"""`drivers`: how much of the differences in an outcome goes with each element of culture."""

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
from culture_analytics.plots.compared import name_of
from culture_analytics.plots.data import Mark
from culture_analytics.plots.layout import (
    MARGIN,
    Page,
    axes_width,
    even,
    line_height,
    say_around,
    text_width,
    ticks_within,
)
from culture_analytics.plots.sheet import write
from culture_analytics.plots.style import BLUE, GREY, LIGHT, SIZES, WIDTH, drawing, tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ELEMENT", "SHARE", "drivers", "inside", "shares"]

SHARE, EXPLAINED = "variance_share", "variance_explained"
ELEMENT = "element"

_BAR = 0.2  # inches
_LEAST = 0.36  # height of a row
_AXIS = 0.46
_BETWEEN = 0.26
_APART = 0.3  # between panels side by side
_FAINT = "#767676"


@dataclass(frozen=True)
class _Outcome:
    measure: str
    name: str
    marks: dict[str, Mark]  # by element
    explained: Mark | None  # percent of all variation that the elements explain

    @property
    def base(self) -> float:
        return next((m.base for m in self.marks.values() if not math.isnan(m.base)), math.nan)


def drivers(estimates: Estimates, *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Bars of the share of the explained variation that goes with each element, by outcome.

    Parameters
    ----------
    estimates
        Rows ``statistic="variance_share"``, ``unit="percent"``: `measure` and `label` are the
        outcome's, ``breakdown="element"``, `group` the label of an element, `value`, `lower` and
        `upper` percent of the variation that all elements explain together (they add up to 100).
        What they explain of all variation is said where rows ``variance_explained`` hold it. One
        organisation and year; other rows are passed over.
    title
        Default "What goes with ...".
    ax
        Axes to draw in, for one outcome; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        The first panel; there is one for each outcome, elements in the same order in all, the
        largest on average first.

    Raises
    ------
    MeasureError
        No such rows, or several organisations or years at once.

    Examples
    --------
    >>> plots.drivers(release["diagnosis"].select(statistic="variance_share"))  # doctest: +SKIP
    """
    rows = shares(estimates, "drivers")
    data.only_one(rows, ("org", "year", "weighting"), "drivers")
    outcomes = _outcomes(estimates.table, rows)
    if ax is not None and len(outcomes) > 1:
        raise MeasureError(
            f"plots.drivers(ax=...) draws one outcome; these Estimates hold {len(outcomes)}. "
            f"Choose one: estimates.select(measure={outcomes[0].measure!r})."
        )
    elements = _elements(outcomes)
    page = _page(estimates, rows, outcomes, title)
    with drawing():
        axes = _lay_out(estimates, page, outcomes, elements, ax)
    for made, outcome in zip(axes, outcomes, strict=True):
        attach(made, _describe(estimates, rows, outcome, elements))
    return axes[0]


def shares(estimates: Estimates, chart: str) -> pd.DataFrame:
    """The rows that say how much of an outcome goes with each element.

    Raises
    ------
    MeasureError
        There are none.
    """
    table = data.protected(estimates, chart)
    rows = table[table["statistic"].eq(SHARE) & table["breakdown"].eq(ELEMENT)]
    if rows.empty:
        held = ", ".join(sorted(map(str, pd.unique(table["statistic"]))))
        raise MeasureError(
            f"plots.{chart}() draws shares of variation by element (statistic {SHARE!r}, breakdown "
            f"{ELEMENT!r}); these Estimates hold: {held}."
        )
    return rows


def _outcomes(table: pd.DataFrame, rows: pd.DataFrame) -> list[_Outcome]:
    first = rows.iloc[0]
    whole = table[
        table["statistic"].eq(EXPLAINED) & table["breakdown"].eq(ELEMENT)
        & table["org"].eq(first["org"]) & table["year"].eq(first["year"])
    ]  # fmt: skip
    explained = {str(r.measure): data.mark(r) for r in whole.itertuples()}
    found = []
    for measure in pd.unique(rows["measure"]):
        of_one = rows[rows["measure"].eq(measure)]
        data.only_one(of_one, ("within_group", "reference"), "drivers")
        found.append(
            _Outcome(
                str(measure),
                name_of(str(measure), str(of_one["label"].iloc[0])),
                {data.clean(r.group): data.mark(r) for r in of_one.itertuples()},
                explained.get(str(measure)),
            )
        )
    return found


def _elements(outcomes: Sequence[_Outcome]) -> list[str]:
    """The largest share on average first; those without a figure last."""
    held: dict[str, list[float]] = {}
    for o in outcomes:
        for name, m in o.marks.items():
            held.setdefault(name, []).extend([m.value] if m.ok else [])
    return sorted(held, key=lambda e: -sum(held[e]) / len(held[e]) if held[e] else 0.0)


# -- drawing ------------------------------------------------------------------------------------


def _lay_out(
    estimates: Estimates,
    page: Page,
    outcomes: Sequence[_Outcome],
    elements: Sequence[str],
    ax: Axes | None,
) -> list[Axes]:
    names = {e: even(e, 1.9, SIZES["label"]) for e in elements}
    heights = [max(_LEAST, len(names[e]) * line_height(SIZES["label"]) + 0.1) for e in elements]
    reach = max([m.upper if not math.isnan(m.upper) else m.value
                 for o in outcomes for m in o.marks.values() if m.ok] or [50.0])  # fmt: skip
    if ax is not None:
        _draw(estimates, ax, outcomes[0], names, heights, _limit(reach, axes_width(ax)), True)
        say_around(ax, page)
        return [ax]
    columns = min(2, len(outcomes))
    labels = max(text_width(line, SIZES["label"]) for lines in names.values() for line in lines)
    left = MARGIN + labels + 0.12
    width = (WIDTH - MARGIN - left - (columns - 1) * _APART) / columns
    limit = _limit(reach, width)
    blocks = []
    for start in range(0, len(outcomes), columns):
        side = outcomes[start : start + columns]
        # Of one outcome the title of the page is enough.
        titles = [
            even(o.name, width, SIZES["panel"], "bold") if len(outcomes) > 1 else [] for o in side
        ]
        blocks.append((side, titles, max(map(len, titles)) * line_height(SIZES["panel"]) + 0.24))
    body = sum(head + sum(heights) + _AXIS + _BETWEEN for _, _, head in blocks) - _BETWEEN
    top = page.open(body)
    axes = []
    for side, titles, head in blocks:
        for column, (outcome, lines) in enumerate(zip(side, titles, strict=True)):
            x = left + column * (width + _APART)
            y = top
            for line in lines:
                page.text(x, y, line, size=SIZES["panel"], weight="bold")
                y += line_height(SIZES["panel"])
            page.text(x, y, _facts(outcome), size=SIZES["note"], color=GREY)
            made = page.axes(x, top + head, width, sum(heights))
            _draw(estimates, made, outcome, names, heights, limit, column == 0)
            axes.append(made)
        top += head + sum(heights) + _AXIS + _BETWEEN
    return axes


def _facts(outcome: _Outcome) -> str:
    """How many answered, and how much all elements explain."""
    base = "" if math.isnan(outcome.base) else f"{outcome.base:,.0f} answers"
    m = outcome.explained
    whole = "" if m is None or not m.ok else f"all elements: {m.value:.0f}% of all differences"
    return data.subtitle(base, whole)


def _limit(reach: float, width: float) -> float:
    """Right end of the scale, with room for the figures."""
    room = text_width("100% (100 to 100)", SIZES["value"]) + 0.15
    return max(reach, 5.0) * width / max(width - room, 0.3 * width)


def _draw(
    estimates: Estimates,
    ax: Axes,
    outcome: _Outcome,
    names: dict[str, list[str]],
    heights: Sequence[float],
    limit: float,
    labelled: bool,
) -> None:
    ax.set_xlim(0, limit)
    ax.set_ylim(sum(heights), 0)
    y, middles = 0.0, []
    for element, height in zip(names, heights, strict=True):
        middle = y + height / 2
        middles.append(middle)
        y += height
        m = outcome.marks.get(element)
        if m is None or not m.ok:
            words = data.status_text("unavailable" if m is None else m.status, estimates)
            write(ax, 0, middle, words, "right", points=3, colour=_FAINT, italic=True)
            continue
        ax.barh([middle], [m.value], height=_BAR, color=tint(BLUE, 0.45), lw=0, zorder=2,
                gid="share")  # fmt: skip
        known = not (math.isnan(m.lower) or math.isnan(m.upper))
        if known:
            ax.hlines(middle, m.lower, m.upper, color=BLUE, lw=2.0, zorder=3, gid="interval")
            ax.scatter([m.lower, m.upper], [middle] * 2, marker="|", s=34, color=BLUE, lw=1.4,
                       zorder=3)  # fmt: skip
        write(ax, m.reach, middle, _text(m), "right")
    ax.set_yticks(middles, ["\n".join(n) if labelled else "" for n in names.values()])
    ax.tick_params(axis="y", length=0, pad=6, labelsize=SIZES["label"])
    ticks = ticks_within(0, min(limit, 100.0), max(2, min(4, int(axes_width(ax) / 0.7))))
    ax.set_xticks(ticks, [f"{t:g}%" for t in ticks])
    ax.tick_params(axis="x", labelsize=SIZES["note"], length=3)
    ax.set_xlabel("Share of what goes with all elements", fontsize=SIZES["note"], loc="left")
    ax.vlines(ticks, 0, sum(heights), color=LIGHT, lw=0.6, zorder=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_bounds(0, min(limit, 100.0))


def _text(m: Mark) -> str:
    if math.isnan(m.lower) or math.isnan(m.upper):
        return f"{m.value:.0f}%"
    return f"{m.value:.0f}% ({max(m.lower, 0.0):.0f} to {m.upper:.0f})"


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates, rows: pd.DataFrame, outcomes: Sequence[_Outcome], title: str | None
) -> Page:
    first = rows.iloc[0]
    level = rows["level"].dropna()
    whole = f"What goes with {inside(outcomes[0].name)}"
    notes = [
        "How much of the differences between people's answers to the outcome goes with each "
        "element, in percent of all that goes with these elements together. Elements overlap, "
        "and what they share is divided among them."
        + (
            " 'All elements' is how much of all differences goes with them together."
            if any(o.explained is not None for o in outcomes)
            else ""
        )
        + (f" Lines are {100 * float(level.iloc[0]):g}% intervals." if len(level) else ""),
        "'Goes with' is not 'leads to': the survey asks about both at once, and something else may "
        "move both. A share does not say in which direction.",
    ]
    under = data.subtitle(data.org_name(estimates, str(first["org"])), str(int(first["year"])))
    return Page(
        title or (whole if len(outcomes) == 1 else "What goes with each outcome"),
        under,
        [*notes, *data.footer(estimates, rows)],
    )


def inside(name: str) -> str:
    """The name of an outcome, or of several together, within a sentence."""
    parts = name.removeprefix("Together: ").split(", ")
    *most, last = [f"{part[:1].lower()}{part[1:]}" for part in parts]
    return f"{', '.join(most)} and {last}" if most else last


def _describe(
    estimates: Estimates, rows: pd.DataFrame, outcome: _Outcome, elements: Sequence[str]
) -> str:
    first = rows.iloc[0]
    what = (
        f"Bar chart of what goes with {outcome.name}, "
        f"{data.org_name(estimates, str(first['org']))}, {int(first['year'])}"
    )
    told = []
    for element in sorted(
        elements,
        key=lambda e: (
            -outcome.marks[e].value if e in outcome.marks and outcome.marks[e].ok else 0.0
        ),
    ):
        m = outcome.marks.get(element)
        words = _text(m) if m is not None and m.ok else data.status_text(
            "unavailable" if m is None else m.status, estimates
        )  # fmt: skip
        told.append(f"{element} {words}")
    return sentences(
        what, _facts(outcome), "Shares: " + "; ".join(told), *data.synthetic(estimates)
    )
