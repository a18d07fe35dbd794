"""`funnel`: organisations by size, with the limits between which such organisations lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.layout import (
    MARGIN,
    Page,
    axes_height,
    axes_width,
    line_height,
    say_around,
    text_width,
    ticks_within,
    wrap,
)
from culture_analytics.plots.style import (
    BLUE,
    GREY,
    LIGHT,
    PLUM,
    SIZES,
    WIDTH,
    drawing,
    value_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["funnel"]

ALPHA = 0.05
LEVELS = ((0.95, (0, (4, 2))), (0.998, (0, (1, 1.5))))
_HEIGHT = 3.6  # inches
_LEFT, _UNDER = 0.5, 0.46
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Funnel:
    """One measure of one group of organisations."""

    points: pd.DataFrame  # org, value, base, p_adjusted
    target: float  # percent
    tau2: float
    group: str
    own: str | None

    @property
    def flagged(self) -> pd.DataFrame:
        return self.points[self.points["p_adjusted"] < ALPHA]

    @property
    def mine(self) -> pd.DataFrame:
        return self.points[self.points["org"] == self.own]


def funnel(
    estimates: Estimates,
    *,
    org: str | None = None,
    published: Estimates | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Percentages of organisations against the number of answers, within control limits.

    Parameters
    ----------
    estimates
        Result of `funnel` (the comparison) of one measure, year and benchmark group.
    org
        Code of the organisation to mark; default none.
    published
        The organisations' published figures; default `estimates` holds them too.
    title
        Default the measure.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        Limits are the over-dispersed 95 and 99.8 % limits on the arcsine scale. Squares are
        organisations judged unusual after allowing for how many were looked at.

    Raises
    ------
    MeasureError
        Not a funnel, several measures or groups at once, or no published figures to draw.

    References
    ----------
    Spiegelhalter (2005) Statistics in Medicine 24:1185.

    Examples
    --------
    >>> flags = ca.funnel(published, "work_related_stress",
    ...                   group="Community Trusts")  # doctest: +SKIP
    >>> plots.funnel(flags, org="RXX", published=published)  # doctest: +SKIP
    """
    table = data.protected(estimates, "funnel")
    judged = table[table["statistic"].eq("funnel_z")]
    if judged.empty:
        raise MeasureError(
            "plots.funnel() draws the result of compare.funnel(); these Estimates hold: "
            f"{', '.join(sorted(map(str, pd.unique(table['statistic']))))}."
        )
    data.only_one(judged, ("measure", "year", "reference", "weighting", "release"), "funnel")
    figures = table if published is None else data.protected(published, "funnel")
    drawn = _read(table, judged, figures, org)
    page = _page(estimates, judged, drawn, title)
    with drawing():
        made = _lay_out(drawn, page, _name(estimates, org), ax)
    attach(made, _describe(estimates, judged, drawn, page.title, org))
    return made


def _read(
    table: pd.DataFrame, judged: pd.DataFrame, figures: pd.DataFrame, org: str | None
) -> _Funnel:
    on = ["year", "org", "measure", "weighting", "release"]
    shown = figures[
        figures["statistic"].eq("percent") & figures["breakdown"].eq(data.OVERALL)
        & figures["answer"].eq("") & figures["status"].eq("ok")
    ]  # fmt: skip
    asked = judged.loc[judged["status"].eq("ok"), [*on, "p_adjusted", "reference"]]
    points = asked.merge(shown[[*on, "value", "base"]].drop_duplicates(on), on=on)
    points = points[points["value"].notna() & points["base"].gt(0)]
    if points.empty:
        raise MeasureError(
            "plots.funnel() needs the organisations' published figures too: published=..."
        )
    first = judged.iloc[0]
    whole = table[
        table["measure"].eq(first["measure"]) & table["year"].eq(first["year"])
        & table["reference"].eq(first["reference"]) & table["weighting"].eq(first["weighting"])
        & table["release"].eq(first["release"])
    ].set_index("statistic")["value"]  # fmt: skip
    return _Funnel(
        points.reset_index(drop=True),
        float(whole["funnel_target"]),
        float(whole["funnel_tau2"]),
        data.clean(first["reference"]),
        org,
    )


def _name(estimates: Estimates, org: str | None) -> str:
    return "" if org is None else data.org_name(estimates, org)


# -- drawing ------------------------------------------------------------------------------------


def _lay_out(drawn: _Funnel, page: Page, name: str, ax: Axes | None) -> Axes:
    right = max(text_width(t, SIZES["note"]) for t in ("99.8% limits", _target(drawn))) + 0.15
    if ax is None:
        top = page.open(_HEIGHT + _UNDER)
        made = page.axes(
            MARGIN + _LEFT, top, WIDTH - 2 * MARGIN - _LEFT - right, _HEIGHT
        )  # fmt: skip
    else:
        made = ax
    _draw(made, drawn, name)
    if ax is not None:
        say_around(ax, page)
    return made


def _target(drawn: _Funnel) -> str:
    return f"group {value_text(drawn.target, 'percent')}"


def _limits(drawn: _Funnel, n: Floats, level: float) -> tuple[Floats, Floats]:
    from culture_analytics.stats.funnel import arcsine_limits

    lower, upper = arcsine_limits(drawn.target / 100, n, level=level, tau2=drawn.tau2)
    return 100 * np.asarray(lower), 100 * np.asarray(upper)


def _draw(ax: Axes, drawn: _Funnel, name: str) -> None:
    value, base = (drawn.points[c].to_numpy(dtype=float) for c in ("value", "base"))
    high = 1.04 * base.max()
    low = min(0.6 * base.min(), 0.15 * base.min() + 5)
    n = np.geomspace(max(0.85 * base.min(), 5.0), high, 200)
    wide_low, wide_high = _limits(drawn, n, LEVELS[-1][0])
    bottom = min(float(value.min()), float(wide_low.min()))
    top = max(float(value.max()), float(wide_high.max()))
    pad = 0.06 * (top - bottom)
    ax.set_xlim(max(0.0, low), high)
    # The own label stands over everything else, so that it covers no organisation.
    lines = _own_label(ax, drawn, name)
    share = len(lines) * line_height(SIZES["value"]) / axes_height(ax) + 0.02 * bool(lines)
    bottom, top = max(0.0, bottom - pad), top + pad
    ax.set_ylim(bottom, bottom + (top - bottom) / (1 - share))
    ax.axhline(drawn.target, color=GREY, lw=1.2, zorder=2, gid="target")
    ends = [(drawn.target, _target(drawn))]
    for level, style in LEVELS:
        below, above = _limits(drawn, n, level)
        for line in (below, above):
            ax.plot(n, line, color=GREY, lw=1.2, ls=style, zorder=2, gid=f"limit {level}")
        ends.append((float(above[-1]), f"{100 * level:g}% limits"))
        ends.append((float(below[-1]), f"{100 * level:g}%"))
    _say_at_right(ax, ends)
    flagged = drawn.points["p_adjusted"].to_numpy(dtype=float) < ALPHA
    mine = drawn.points["org"].eq(drawn.own or "").to_numpy(dtype=bool)
    plain = ~flagged & ~mine
    ax.scatter(base[plain], value[plain], marker="o", s=22, facecolors="#8A8A8A",
               edgecolors="white", linewidths=0.5, zorder=3, gid="organisations")  # fmt: skip
    ax.scatter(base[flagged & ~mine], value[flagged & ~mine], marker="s", s=30,
               facecolors="white", edgecolors=PLUM, linewidths=1.4, zorder=4,
               gid="unusual")  # fmt: skip
    if mine.any():
        ax.scatter(base[mine], value[mine], marker="D", s=70, color=BLUE, edgecolors="white",
                   linewidths=0.8, zorder=6, gid="own")  # fmt: skip
        _label(ax, float(base[mine][0]), float(value[mine][0]), lines)
    bases = ticks_within(max(0.0, low), high, 6)
    ax.set_xticks(bases, [f"{b:,.0f}" for b in bases])
    values = ticks_within(*ax.get_ylim(), 6)
    ax.set_yticks([v for v in values if v <= 100], [f"{v:g}%" for v in values if v <= 100])
    ax.tick_params(axis="both", labelsize=SIZES["note"], length=3)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=LIGHT, lw=0.6, zorder=0)
    ax.set_axisbelow(True)
    ax.set_xlabel("Number of answers", fontsize=SIZES["note"], loc="left")
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def _say_at_right(ax: Axes, ends: list[tuple[float, str]]) -> None:
    """Names of the lines at their right ends, moved apart where they would touch."""
    bottom, top = ax.get_ylim()
    inch = (top - bottom) / axes_height(ax)
    step = line_height(SIZES["note"]) * inch
    ordered = sorted(ends)
    places = [y for y, _ in ordered]
    for _ in range(50):
        for k in range(1, len(places)):
            lack = step - (places[k] - places[k - 1])
            if lack > 0:
                places[k - 1] -= lack / 2
                places[k] += lack / 2
    for y, (_, text) in zip(places, ordered, strict=True):
        ax.annotate(text, (1, y), xycoords=ax.get_yaxis_transform(), xytext=(5, 0),
                    textcoords="offset points", va="center_baseline", fontsize=SIZES["note"],
                    color=GREY, annotation_clip=False)  # fmt: skip


def _own_label(ax: Axes, drawn: _Funnel, name: str) -> list[str]:
    if drawn.mine.empty:
        return []
    text = f"{name} {value_text(float(drawn.mine['value'].iloc[0]), 'percent')}"
    return wrap(text, 0.45 * axes_width(ax), SIZES["value"], "bold")


def _label(ax: Axes, x: float, y: float, lines: list[str]) -> None:
    """The organisation's name at the top of the plot, with a line to its mark."""
    left, right = ax.get_xlim()
    width = axes_width(ax)
    half = max(text_width(line, SIZES["value"], "bold") for line in lines) / 2 / width
    at = min(max((x - left) / (right - left), half), 1 - half)
    ax.annotate(
        "\n".join(lines), (x, y), xytext=(at, 1.0), textcoords="axes fraction", ha="center",
        va="top", fontsize=SIZES["value"], fontweight="bold", color=BLUE, zorder=7,
        arrowprops={"arrowstyle": "-", "color": BLUE, "lw": 0.9, "shrinkA": 1, "shrinkB": 5},
    )  # fmt: skip


# -- saying -------------------------------------------------------------------------------------


def _page(estimates: Estimates, judged: pd.DataFrame, drawn: _Funnel, title: str | None) -> Page:
    first = judged.iloc[0]
    under = data.subtitle(
        f"{len(drawn.points)} organisations, {drawn.group}",
        str(int(first["year"])),
        data.better_words(str(first["measure"])).capitalize(),
    )
    unusual = len(drawn.flagged)
    notes = [
        "Each dot is an organisation. Dashed and dotted lines hold 95% and 99.8% of organisations "
        "that differ no more than such organisations usually do.",
        f"Squares: {unusual} unusual after allowing for how many figures were looked at."
        if unusual
        else "None is unusual after allowing for how many figures were looked at.",
        "Being unusual says nothing about why. The scale need not begin at zero.",
        _own_words(drawn),
    ]
    source = data.footer(estimates, judged, name=f"organisations of {drawn.group}")
    return Page(title or data.clean(first["label"]), under, [*notes, *source])


def _own_words(drawn: _Funnel) -> str:
    if drawn.own is None:
        return ""
    if drawn.mine.empty:
        return "The organisation's own figure is not published or not shown, so it is not drawn."
    if float(drawn.mine["p_adjusted"].iloc[0]) < ALPHA:
        return "The marked organisation is among the unusual ones."
    return "The marked organisation is not unusual."


def _describe(
    estimates: Estimates, judged: pd.DataFrame, drawn: _Funnel, title: str, org: str | None
) -> str:
    values = drawn.points["value"]
    what = (
        f"Funnel plot: {title}, {drawn.group}, {int(judged['year'].iloc[0])}. "
        f"{len(drawn.points)} organisations between {value_text(float(values.min()), 'percent')} "
        f"and {value_text(float(values.max()), 'percent')}, common figure "
        f"{value_text(drawn.target, 'percent')}. {len(drawn.flagged)} of them unusual"
    )
    own = ""
    if org is not None and not drawn.mine.empty:
        row = drawn.mine.iloc[0]
        own = (
            f"{data.org_name(estimates, org)}: {value_text(float(row['value']), 'percent')} "
            f"(n = {row['base']:,.0f})"
        )
    return sentences(what, own, _own_words(drawn), *data.synthetic(estimates))
