"""`ratios`: how many times as often a group says something, with the range used as guidance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.compare.groups import TOO_FEW
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.compared import (
    Pair,
    asked_only,
    comparisons,
    described,
    heading,
    in_words,
    lines_of,
    other_name,
    pairs,
    sides,
    under,
    whom_here,
)
from culture_analytics.plots.data import Mark
from culture_analytics.plots.layout import Page
from culture_analytics.plots.sheet import Column, Said, Sheet, Strip, frame, lay_out
from culture_analytics.plots.style import BLUE, GREY, drawing, tint
from culture_analytics.standards import guidance_range

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ratios"]

_MOST = 40
_FAINT = "#767676"
_BAND = tint(BLUE, 0.15)
_NEAR = (0.25, 0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
_FAR = (1 / 16, 1 / 8, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_ENDS = (1 / 16, 16.0)  # no scale reaches further; what does has an arrow


def ratios(
    estimates: Estimates,
    *,
    names: Mapping[str, str] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Ratios of two groups' percentages with intervals, a row a measure or a row a group.

    Parameters
    ----------
    estimates
        Holds the ratios that `compare_groups` makes, such as the `estimates` of WRES or WDES or
        rows of a saved release. One breakdown, organisation and year; other rows are passed over.
    names
        Names of measures, by id, in place of their short ones: a standard's indicators.
    title
        Default: the measure, or what several have in common.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        The scale is logarithmic, so that twice and half are equally far from 1. Where higher is
        better the ratio is turned round (reference over group): above 1 is always worse for the
        group, as WRES and WDES publish them. The shaded range is guidance made for how likely
        events are; the verdict rests on the test, not on it.

    Raises
    ------
    MeasureError
        No ratios of groups, or several breakdowns, organisations, years or weightings at once.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> from culture_analytics.compare import compare_groups
    >>> bullied = ca.calculate(ca.load_sample(2024), "bullying", by="ethnicity")
    >>> ax = plots.ratios(compare_groups(bullied, statistic="ratio"))
    >>> plots.alt_text(ax).split(":")[0]
    'Ratio chart'
    """
    rows = comparisons(estimates, "ratio", "ratios")
    found = pairs(estimates, rows, names)
    drawn, left_out = asked_only(found, _MOST)
    common = data.common_direction([str(m) for m in pd.unique(rows["measure"])])
    page = _page(estimates, rows, drawn, common, left_out, title)
    lines, placed = lines_of(drawn, common, lambda p, named: _cells(estimates, p, named))
    columns = (Column("answers, smaller group", 0.68, right=True),
               Column("ratio, its interval, and what can be said", 1.95))  # fmt: skip
    with drawing():
        (strip,) = lay_out([Sheet(lines, columns, _key(drawn))], page, ax=ax)
        _draw(strip, drawn, placed)
    attach(strip.ax, _describe(estimates, rows, drawn, page))
    return strip.ax


def _turned(pair: Pair) -> Mark:
    """The ratio the way round that above 1 is worse for the group; without end where it has none.

    An upper limit that is not there, of a ratio that is, is without end.
    """
    m = pair.found
    if not m.ok:
        return m
    upper = math.inf if math.isnan(m.upper) and not math.isnan(m.lower) else m.upper
    if pair.better != "higher":
        return replace(m, upper=upper)
    return replace(m, value=_over(m.value), lower=_over(upper), upper=_over(m.lower))


def _over(value: float) -> float:
    return math.inf if value == 0 else 1 / value


# -- rows ---------------------------------------------------------------------------------------


def _cells(estimates: Estimates, pair: Pair, named: bool) -> tuple[tuple[Said, ...], ...]:
    words, whom = in_words(pair, estimates)
    if not pair.found.ok:
        return (), (Said(words, colour=_FAINT),)
    base = () if math.isnan(pair.found.base) else (Said(f"{pair.found.base:,.0f}"),)
    said = [Said(_text(pair), bold=pair.clear), Said(words, small=True, bold=pair.clear)]
    if whom:
        said.append(Said(whom_here(whom, pair, named), small=True))
    return base, tuple(said)


def _text(pair: Pair) -> str:
    m = _turned(pair)
    limits = not (math.isnan(m.lower) or math.isnan(m.upper))
    if math.isinf(m.value):
        return f"{m.lower:.2f} or more" if limits else "nobody on one side"
    text = f"{m.value:.2f}"
    if not limits:
        return text
    return f"{text} ({m.lower:.2f} {'or more' if math.isinf(m.upper) else f'to {m.upper:.2f}'})"


def _key(drawn: Sequence[Pair]) -> tuple[Said, ...]:
    group, _ = _quoted(drawn)
    better = {p.better for p in drawn}
    above, below = ("worse", "better") if better - {""} else ("higher", "lower")
    low, high, _ = guidance_range()
    return (
        Said(f"shaded: {low:.2f} to {high:.2f}, guidance only", small=True, colour=GREY),
        Said(f"◀ below 1: {below}", small=True, colour=BLUE),
        Said(f"▶ above 1: {above} for {group}", small=True, colour=BLUE),
    )


def _quoted(drawn: Sequence[Pair]) -> tuple[str, str]:
    """Names of both sides, quoted where they are names of groups."""
    group, other = sides(drawn)
    named = {p.group for p in drawn} | {p.reference for p in drawn}
    return (f"'{group}'" if group in named else group, f"'{other}'" if other in named else other)


# -- drawing ------------------------------------------------------------------------------------


def _draw(strip: Strip, drawn: Sequence[Pair], placed: Sequence[int]) -> None:
    ax = strip.ax
    low, high = _scale(drawn)
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ticks = [t for t in (_NEAR if high / low < 6 else _FAR) if low <= t <= high]
    frame(ax, ticks, [f"{t:g}" if t > 0.2 else f"1/{1 / t:g}" for t in ticks],
          "Ratio of percentages; 1: both the same", (low, high))  # fmt: skip
    band = guidance_range()[:2]
    ax.axvspan(*band, color=_BAND, lw=0, zorder=0.5, gid="guidance")
    ax.axvline(1.0, color=GREY, lw=1.2, zorder=1, gid="same")
    for pair, row in zip(drawn, placed, strict=True):
        y, m = strip.middles[row], _turned(pair)
        if not m.ok:
            continue
        colour = BLUE if pair.clear else GREY
        if not (math.isnan(m.lower) or math.isnan(m.upper)):
            ends = [min(max(e, low), high) for e in (m.lower, m.upper)]
            ax.hlines(y, ends[0], ends[1], color=colour, lw=2.2, zorder=3, gid="interval")
            for end, drawn_at, arrow in ((m.lower, ends[0], "<"), (m.upper, ends[1], ">")):
                beyond = end < low or end > high
                ax.scatter([drawn_at], [y], marker=arrow if beyond else "|", s=36, color=colour,
                           lw=0 if beyond else 1.4, zorder=3, clip_on=False)  # fmt: skip
        if low <= m.value <= high:
            ax.scatter([m.value], [y], marker="o", s=42, zorder=4, edgecolors=colour,
                       facecolors=colour if pair.clear else "white", linewidths=1.6,
                       gid="value")  # fmt: skip


def _scale(drawn: Sequence[Pair]) -> tuple[float, float]:
    marks = [_turned(p) for p in drawn if p.found.ok]
    ends = [e for m in marks for e in (m.value, m.lower, m.upper)
            if math.isfinite(e) and e > 0]  # fmt: skip
    low, high = min([0.7, *ends]) / 1.12, max([1.45, *ends]) * 1.12
    return max(low, _ENDS[0]), min(high, _ENDS[1])


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates, rows: pd.DataFrame, drawn: Sequence[Pair], common: str, left_out: str,
    title: str | None,
) -> Page:  # fmt: skip
    group, other = _quoted(drawn)
    shown = [p for p in drawn if p.found.ok]
    level = f"{100 * shown[0].level:g}%" if shown else "95%"
    turned = {p.better == "higher" for p in drawn}
    over = f"the percentage of {group} divided by that of {other}"
    notes = [
        f"A ratio is {over}"
        + ("; turned round where higher is better, so that above 1 is always worse for the group."
           if True in turned else ".")
        + f" Lines are {level} intervals; arrows: the interval goes on.",
        "'A clear gap' (filled dot) is unlikely to be chance after allowing for how many gaps were "
        "looked at; it says nothing about why.",
        "'Too few to judge': fewer than ten people on a side gave, or did not give, the answer."
        if any(p.verdict == TOO_FEW for p in drawn)
        else "",
        guidance_range()[2],
        left_out,
    ]  # fmt: skip
    return Page(
        title or heading(rows, "ratios"),
        under(estimates, rows, common, by=bool(title) or rows["measure"].nunique() == 1),
        [*notes, *data.footer(estimates, rows)],
    )


def _describe(
    estimates: Estimates, rows: pd.DataFrame, drawn: Sequence[Pair], page: Page
) -> str:  # fmt: skip
    above = "worse" if any(p.better for p in drawn) else "higher"
    what = (
        f"Ratio chart: {described(estimates, rows, page)}. Above 1 is {above} for the group named"
    )
    told, counts = list(drawn), ""
    if len(drawn) > 12:
        told = [p for p in drawn if p.clear][:12]
        hidden = sum(p.found.status == "suppressed" for p in drawn)
        counts = f"{len(drawn)} ratios, {sum(p.clear for p in drawn)} with a clear gap"
        counts += f", {hidden} hidden to protect people" if hidden else ""
    listed = "; ".join(_spoken(p, estimates) for p in told)
    return sentences(what, counts, listed, *data.synthetic(estimates))


def _spoken(pair: Pair, estimates: Estimates) -> str:
    words = ", ".join(w for w in in_words(pair, estimates) if w)
    who = f"{pair.name}, {pair.group} and {other_name(pair)}"
    return f"{who}: {_text(pair)}, {words}" if pair.found.ok else f"{who}: {words}"
