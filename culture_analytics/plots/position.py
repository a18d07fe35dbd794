"""`position`: where an organisation lies between the worst and the best of its benchmark group."""

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
from culture_analytics.plots.layout import (
    MARGIN,
    Page,
    axes_width,
    even,
    line_height,
    say_around,
    text_width,
)
from culture_analytics.plots.style import BLUE, GREY, LIGHT, PLUM, SIZES, WIDTH, drawing, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["position"]

_ROW = 0.36  # inches
_HEAD = 0.3
_LABELS = 2.7  # inches, at most, for the names of measures
_ENDS = 0.62  # for the figures at the ends of a strip
_COLUMNS = (("Here", 0.62), ("Median", 0.68), ("Rank", 0.95))


@dataclass(frozen=True)
class _Strip:
    """One measure: figures of the group and the organisation's place among them."""

    label: str
    unit: str
    here: float
    best: float
    median: float
    worst: float
    rank: float
    size: int
    others: tuple[float, ...]

    def place(self, value: float) -> float:
        """0 at the worst of the group, 1 at the best."""
        span = self.best - self.worst
        return 0.5 if span == 0 else (value - self.worst) / span

    @property
    def rank_text(self) -> str:
        return f"{self.rank:.0f} of {self.size}"


def position(
    estimates: Estimates,
    *,
    published: Estimates | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A strip a measure: worst at the left, best at the right, median, and the own place.

    Parameters
    ----------
    estimates
        Result of `compare_benchmark` of one organisation and year.
    published
        The organisations' published figures, drawn as thin ticks; default none.
    title
        Default: the organisation's place in its group.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        Strips have scales of their own, so that each fills the width; their ends are printed.

    Raises
    ------
    MeasureError
        Not a comparison with a benchmark group; several organisations, years or groups; or no
        measure with a place.

    Examples
    --------
    >>> places = ca.compare_benchmark(own, published)  # doctest: +SKIP
    >>> plots.position(places, published=published)  # doctest: +SKIP
    """
    table = data.protected(estimates, "position")
    rows = table[table["statistic"].isin(("benchmark_best", "rank"))]
    if rows.empty:
        raise MeasureError(
            "plots.position() draws the result of compare_benchmark(); these Estimates hold: "
            f"{', '.join(sorted(map(str, pd.unique(table['statistic']))))}."
        )
    data.only_one(rows, ("org", "year", "reference", "weighting", "release"), "position")
    others = None if published is None else data.protected(published, "position")
    strips = _strips(table, rows, others, None if published is None else published.organisations)
    if not strips:
        raise MeasureError(
            "plots.position(): no measure of these has a place in the group. Measures without a "
            "better way round have none, nor have groups of fewer than three."
        )
    page = _page(estimates, rows, strips, others is not None, title)
    with drawing():
        made = _lay_out(strips, page, ax)
    attach(made, _describe(estimates, strips, page))
    return made


def _strips(
    table: pd.DataFrame,
    rows: pd.DataFrame,
    others: pd.DataFrame | None,
    places: pd.DataFrame | None,
) -> list[_Strip]:
    reference = str(rows["reference"].iloc[0])
    of_group = table[table["reference"].isin((reference, f"{reference} (median)"))]
    members = _members(places, rows, others, reference)
    found = []
    for measure, part in of_group.groupby("measure", sort=False, observed=True):
        shown = part[part["status"].eq("ok")].drop_duplicates("statistic")
        value = shown.set_index("statistic")["value"]
        needed = ("benchmark_best", "benchmark_median", "benchmark_worst", "rank", "difference")
        if not set(needed) <= set(value.index):
            continue
        words = str(shown.set_index("statistic")["method"]["rank"])
        median = float(value["benchmark_median"])
        definition = data.measure_of(str(measure))
        found.append(
            _Strip(
                label=data.clean(definition.short if definition else part["label"].iloc[0]),
                unit=str(part.loc[part["statistic"].eq("benchmark_best"), "unit"].iloc[0]),
                here=median + float(value["difference"]),
                best=float(value["benchmark_best"]),
                median=median,
                worst=float(value["benchmark_worst"]),
                rank=float(value["rank"]),
                size=int("".join(c for c in words if c.isdigit()) or 0),
                others=members.get(str(measure), ()),
            )
        )
    return found


def _members(
    places: pd.DataFrame | None, rows: pd.DataFrame, others: pd.DataFrame | None, group: str
) -> dict[str, tuple[float, ...]]:
    """Figures of the group's organisations by measure, on the same weights."""
    if others is None or places is None:
        return {}
    first = rows.iloc[0]
    orgs = places.loc[places["benchmark_group"].eq(group), "org"]
    keep = (
        others["org"].isin(orgs) & others["year"].eq(first["year"])
        & others["weighting"].eq(first["weighting"]) & others["release"].eq(first["release"])
        & others["breakdown"].eq(data.OVERALL) & others["answer"].eq("")
        & others["statistic"].isin(("percent", "score")) & others["status"].eq("ok")
    )  # fmt: skip
    found = others[keep].groupby("measure", observed=True)["value"]
    return {str(m): tuple(float(v) for v in values.dropna()) for m, values in found}


# -- drawing ------------------------------------------------------------------------------------


def _right() -> float:
    return _ENDS + sum(width for _, width in _COLUMNS)


def _lay_out(strips: Sequence[_Strip], page: Page, ax: Axes | None) -> Axes:
    wrapped = [even(s.label, _LABELS, SIZES["label"]) for s in strips]
    heights = [max(_ROW, len(w) * line_height(SIZES["label"]) + 0.1) for w in wrapped]
    labels = max(text_width(line, SIZES["label"]) for w in wrapped for line in w)
    if ax is None:
        top = page.open(_HEAD + sum(heights))
        left = MARGIN + labels + 0.12 + _ENDS
        width = WIDTH - MARGIN - left - _right()
        made = page.axes(left, top + _HEAD, width, sum(heights))
    else:
        made, width = ax, axes_width(ax)
    _draw(made, strips, wrapped, heights)
    if ax is not None:
        say_around(ax, page, pad=6 + _HEAD * 72)
    return made


def _draw(
    ax: Axes, strips: Sequence[_Strip], labels: Sequence[list[str]], heights: Sequence[float]
) -> None:
    ax.set_xlim(0, 1)
    ax.set_ylim(sum(heights), 0)
    y, middles = 0.0, []
    for strip, height in zip(strips, heights, strict=True):
        middle = y + height / 2
        middles.append(middle)
        if y:
            ax.plot([0, 1], [y, y], color="white", lw=0.0)
        ax.plot([0, 1], [middle, middle], color=LIGHT, lw=7, solid_capstyle="butt", zorder=1,
                gid="strip")  # fmt: skip
        inside = [strip.place(v) for v in strip.others]
        ax.vlines(inside, middle - 0.06, middle + 0.06, color="#767676", lw=0.8, zorder=2,
                  gid="organisations")  # fmt: skip
        at = strip.place(strip.median)
        ax.vlines([at], middle - 0.12, middle + 0.12, color=PLUM, lw=2.2, zorder=3, gid="median")
        ax.scatter([strip.place(strip.here)], [middle], marker="D", s=62, color=BLUE,
                   edgecolors="white", linewidths=0.9, zorder=5, clip_on=False,
                   gid="own")  # fmt: skip
        _beside(ax, -0.09, middle, value_text(strip.worst, strip.unit), "left")
        _beside(ax, 0.09, middle, value_text(strip.best, strip.unit), "right")
        texts = (
            value_text(strip.here, strip.unit), value_text(strip.median, strip.unit),
            strip.rank_text,
        )  # fmt: skip
        along = _ENDS
        for (head, column), text in zip(_COLUMNS, texts, strict=True):
            along += column
            weight = "bold" if head == "Here" else "normal"
            _beside(ax, along, middle, text, "column", weight=weight,
                    color={"Here": BLUE, "Median": PLUM}.get(head, "#1A1A1A"))  # fmt: skip
        y += height
    ax.set_yticks(middles, ["\n".join(w) for w in labels], fontsize=SIZES["label"])
    ax.tick_params(axis="y", length=0, pad=6 + _ENDS * 72)
    ax.set_xticks([])
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
    _heads(ax)


def _heads(ax: Axes) -> None:
    along = _ENDS
    _head(ax, 0, -0.09 * 72, "worst", "right", GREY)
    _head(ax, 1, 0.09 * 72, "best", "left", GREY)
    signs = {"Here": "◆ Here", "Median": "| Median", "Rank": "Rank"}
    for head, column in _COLUMNS:
        along += column
        colour = {"Here": BLUE, "Median": PLUM}.get(head, GREY)
        _head(ax, 1, along * 72, signs[head], "right", colour)


def _head(ax: Axes, x: float, points: float, text: str, side: str, colour: str) -> None:
    ax.annotate(text, (x, 1), xycoords="axes fraction", xytext=(points, 5),
                textcoords="offset points", ha=side, va="bottom", fontsize=SIZES["note"],
                color=colour, annotation_clip=False)  # fmt: skip


def _beside(
    ax: Axes, inches: float, y: float, text: str, where: str, *, weight: str = "normal",
    color: str = GREY,
) -> None:  # fmt: skip
    x, side = {"left": (0, "right"), "right": (1, "left"), "column": (1, "right")}[where]
    ax.annotate(text, (x, y), xycoords=ax.get_yaxis_transform(), xytext=(inches * 72, 0),
                textcoords="offset points", ha=side, va="center_baseline",
                fontsize=SIZES["value"], color=color, fontweight=weight,
                annotation_clip=False)  # fmt: skip


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates, rows: pd.DataFrame, strips: Sequence[_Strip], ticks: bool,
    title: str | None,
) -> Page:  # fmt: skip
    first = rows.iloc[0]
    name = data.org_name(estimates, str(first["org"]))
    group = data.clean(first["reference"])
    under = data.subtitle(name, str(int(first["year"])), f"benchmark group: {group}")
    notes = [
        "Right is better: each strip runs from the group's worst to its best figure, on a scale "
        "of its own. Rank 1 is best." + (" Thin ticks are the organisations." if ticks else ""),
        "All figures are published and weighted: those calculated here from respondents will "
        "differ from your benchmark report."
        if rows["weighting"].ne("unweighted").any()
        else "All figures are published ones, not weighted.",
        "A rank is not a test: neighbours in rank often differ by less than chance.",
    ]
    outside = [s for s in strips if not -1e-9 <= s.place(s.here) <= 1 + 1e-9]
    if outside:
        notes.append("A mark beyond the end of a strip: the organisation is not of this group.")
    return Page(
        title or "Where we stand in the benchmark group",
        under,
        [*notes, *data.footer(estimates, rows)],
    )


def _describe(estimates: Estimates, strips: Sequence[_Strip], page: Page) -> str:
    what = f"Position strips: {page.title}, {page.subtitle.replace('  ·  ', ', ')}"
    listed = [
        f"{s.label}: {value_text(s.here, s.unit)}, rank {s.rank_text}, group median "
        f"{value_text(s.median, s.unit)}, from {value_text(s.worst, s.unit)} (worst) to "
        f"{value_text(s.best, s.unit)} (best)"
        for s in strips
        if not math.isnan(s.rank)
    ]
    return sentences(what, "; ".join(listed), *data.synthetic(estimates))
