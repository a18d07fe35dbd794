"""`pooled`: units by partially pooled figures, with what stands out marked as such."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.diagnose.hotspots import BRIGHT, DIFFERENCE, HOT, POOLED
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.data import Mark
from culture_analytics.plots.layout import Page, ticks_within
from culture_analytics.plots.sheet import (
    Column,
    Line,
    Said,
    Sheet,
    Strip,
    frame,
    lay_out,
    mark_with_limits,
    span,
    write,
)
from culture_analytics.plots.style import GREY, PLUM, drawing, points_text, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["pooled"]

_MOST = 40
_FAINT = "#767676"
_GREEN = "#17695F"  # teal, dark enough to read as text
# Shape, sign, colour and words of each kind of unit.
_KINDS = {
    HOT: ("^", "▲", PLUM, "hot spot: worse"),
    BRIGHT: ("D", "◆", _GREEN, "bright spot: better"),
}
_PLAIN = ("o", "●", GREY, "")


@dataclass(frozen=True)
class _Unit:
    name: str
    figure: Mark
    away: Mark  # points from the organisation
    kind: str  # as `pooled_units` says it

    @property
    def style(self) -> tuple[str, str, str, str]:
        return _KINDS.get(self.kind, _PLAIN)


def pooled(estimates: Estimates, *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Units of one measure by their pooled figures; hot spots and bright spots stand out.

    Parameters
    ----------
    estimates
        Result of `pooled_units`, or such rows of a saved release: ``pooled`` (percent 0-100 or
        score 0-10) and ``pooled_difference`` (points from the organisation). One measure, unit
        column, organisation and year.
    title
        Default the measure.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        Highest first. Of more than 40 units only those that stand out are drawn, at most 40 of
        them, the surest; how many are not is said.

    Raises
    ------
    MeasureError
        No pooled figures, or several measures, unit columns, organisations or years at once.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> from culture_analytics.diagnose import pooled_units
    >>> stress = ca.calculate(ca.load_sample(2024), "work_related_stress", by="directorate")
    >>> ax = plots.pooled(pooled_units(stress, by="directorate"))
    >>> plots.alt_text(ax).split(":")[0]
    'Chart of units'
    """
    table = data.protected(estimates, "pooled")
    rows = table[table["statistic"].eq(POOLED)]
    if rows.empty:
        held = ", ".join(sorted(map(str, pd.unique(table["statistic"]))))
        raise MeasureError(
            f"plots.pooled() draws the result of pooled_units(); these Estimates hold: {held}."
        )
    data.only_one(rows, ("measure", "breakdown", "org", "year", "weighting"), "pooled")
    away = _like(table, rows, table["statistic"].eq(DIFFERENCE))
    units = _units(rows, away)
    drawn, left_out = _chosen(
        units, _sure(away), data.breakdown_label(str(rows["breakdown"].iloc[0]))
    )
    whole = _whole(units)
    unit = str(rows["unit"].iloc[0])
    page = _page(estimates, rows, units, left_out, title)
    lines = tuple(Line(u.name, _cells(u, unit), bold=u.kind in _KINDS) for u in drawn) or (
        Line("No unit stands out"),
    )
    columns = (
        Column("answers", 0.56, right=True),
        Column(f"{'' if _alone(rows) else 'pooled '}figure, its interval", 1.42, right=True),
        Column("points from all staff, and what stands out", 1.68),
    )
    key = [Said(f"{sign} {words} than all staff", small=True, colour=colour)
           for kind, (_, sign, colour, words) in _KINDS.items()
           if any(u.kind == kind for u in drawn)]  # fmt: skip
    if not math.isnan(whole):
        key.append(Said(f"┆ all staff {value_text(whole, unit)}", small=True, colour=GREY))
    with drawing():
        (strip,) = lay_out([Sheet(lines, columns, tuple(key), labels=2.1)], page, ax=ax)
        _draw(estimates, strip, drawn, whole, unit)
    attach(strip.ax, _describe(estimates, units, page, whole, unit))
    return strip.ax


# -- reading ------------------------------------------------------------------------------------


def _like(table: pd.DataFrame, rows: pd.DataFrame, keep: pd.Series[bool]) -> pd.DataFrame:
    """Other rows of the same measure, units, organisation, year and weights."""
    first = rows.iloc[0]
    for column in ("measure", "breakdown", "org", "year", "weighting"):
        keep = keep & table[column].eq(first[column])
    return table[keep]


def _units(rows: pd.DataFrame, away: pd.DataFrame) -> list[_Unit]:
    """Highest figure first, hidden units last."""
    held = {str(r.group): r for r in away.itertuples()}
    found = []
    for row in rows.itertuples():
        figure, other = data.mark(row), held.get(str(row.group))
        nothing = Mark(figure.year, *(math.nan,) * 3, math.nan, figure.status)
        found.append(
            _Unit(
                data.clean(row.group),
                figure,
                nothing if other is None else data.mark(other),
                "" if other is None else str(other.method),
            )
        )
    return sorted(found, key=lambda u: (not u.figure.ok, -u.figure.value if u.figure.ok else 0.0))


def _alone(rows: pd.DataFrame) -> str:
    """Why figures are not pooled; nothing where they are."""
    said = [str(m) for m in pd.unique(rows["method"]) if str(m).startswith("not pooled")]
    return said[0] if said else ""


def _sure(away: pd.DataFrame) -> dict[str, float]:
    return {data.clean(r.group): float(str(r.p_adjusted)) for r in away.itertuples()}


def _chosen(units: list[_Unit], p: dict[str, float], by: str) -> tuple[list[_Unit], str]:
    """What is drawn: all, or what stands out; and what is said of the others."""
    if len(units) <= _MOST:
        return units, ""
    spots = [u for u in units if u.kind in _KINDS]
    kept = sorted(spots, key=lambda u: p.get(u.name, 1.0))[:_MOST]
    hidden = sum(u.figure.status == "suppressed" for u in units)
    plain = len(units) - len(spots) - hidden
    said = f"Only what stands out is drawn. Not drawn: {plain} that do not"
    if len(kept) < len(spots):
        said += f", {len(spots) - len(kept)} that do but less surely"
    said += f", {hidden} hidden to protect people" if hidden else ""
    return [
        u for u in units if u in kept
    ], f"{said} (by {by[:1].lower()}{by[1:]}, {len(units)} in all)."


def _whole(units: Sequence[_Unit]) -> float:
    """The organisation's figure: a unit's, less its distance from the organisation."""
    both = (u.figure.value - u.away.value for u in units if u.figure.ok and u.away.ok)
    return next(both, math.nan)


# -- rows ---------------------------------------------------------------------------------------


def _cells(u: _Unit, unit: str) -> tuple[tuple[Said, ...], ...]:
    if not u.figure.ok:
        return ()
    base = () if math.isnan(u.figure.base) else (Said(f"{u.figure.base:,.0f}"),)
    _, sign, colour, words = u.style
    said = []
    if u.away.ok:
        said.append(Said(_away(u.away, unit), colour=colour))
    if words:
        said.append(Said(f"{sign} {words}", small=True, bold=True, colour=colour))
    elif u.kind:
        said.append(Said(u.kind, small=True, colour=GREY))
    return base, (Said(_limits(u.figure, unit)),), tuple(said)


def _limits(m: Mark, unit: str) -> str:
    text = value_text(m.value, unit)
    if math.isnan(m.lower) or math.isnan(m.upper):
        return text
    return f"{text} ({points_text(m.lower, unit)} to {points_text(m.upper, unit)})"


def _away(m: Mark, unit: str) -> str:
    text = _signed(m.value, unit)
    if math.isnan(m.lower) or math.isnan(m.upper):
        return text
    return f"{text} ({_signed(m.lower, unit)} to {_signed(m.upper, unit)})"


def _signed(value: float, unit: str) -> str:
    text = points_text(abs(value), unit)
    return f"{'' if float(text) == 0 else '+' if value > 0 else '−'}{text}"


# -- drawing ------------------------------------------------------------------------------------


def _draw(
    estimates: Estimates, strip: Strip, drawn: Sequence[_Unit], whole: float, unit: str
) -> None:
    ax = strip.ax
    marks = [u.figure for u in drawn]
    if not math.isnan(whole):
        marks.append(Mark(0, whole, math.nan, math.nan, math.nan, "ok"))
    low, high = span(marks, zero=unit != "score", least=1.0 if unit == "score" else 5.0)
    if unit != "score":
        high = min(high, 103.0)
    ax.set_xlim(low - 0.02 * (high - low), high)
    highest = 10.0 if unit == "score" else 100.0
    ticks = [t for t in ticks_within(low, high, max(2, int(strip.width / 0.6))) if t <= highest]
    suffix = "" if unit == "score" else "%"
    label = "Score, 0 to 10" if unit == "score" else "Percentage of those who answered"
    frame(ax, ticks, [f"{t:g}{suffix}" for t in ticks], label, (low, high))
    if not math.isnan(whole):
        ax.axvline(whole, color=GREY, lw=1.2, ls=(0, (4, 2)), zorder=1, gid="all staff")
    for u, y in zip(drawn, strip.middles, strict=False):
        if u.figure.ok:
            shape, _, colour, _ = u.style
            mark_with_limits(ax, u.figure, y, shape=shape, colour=colour, gid="pooled")
        else:
            words = data.status_text(u.figure.status, estimates)
            write(ax, low, y, words, "right", colour=_FAINT, italic=True)


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    units: Sequence[_Unit],
    left_out: str,
    title: str | None,
) -> Page:
    first = rows.iloc[0]
    level = rows["level"].dropna()
    alone = _alone(rows)
    by = data.breakdown_label(str(first["breakdown"]))
    spots = [sum(u.kind == kind for u in units) for kind in (HOT, BRIGHT)]
    notes = [
        "Highest first, which is not a ranking: units whose intervals overlap may well stand the "
        "other way round."
        + (f" Lines are {100 * float(level.iloc[0]):g}% intervals." if len(level) else ""),
        f"These figures are {alone}."
        if alone
        else "Pooled: each unit is drawn towards all units, the more the fewer its answers, so "
        "that small units do not stand out by chance.",
        _spots(*spots),
        left_out,
        "The scale of scores does not begin at zero." if first["unit"] == "score" else "",
    ]
    under = data.subtitle(
        f"By {by[:1].lower()}{by[1:]}",
        data.org_name(estimates, str(first["org"])),
        str(int(first["year"])),
        data.better_words(str(first["measure"])).capitalize(),
    )
    return Page(title or data.clean(first["label"]), under, [*notes, *data.footer(estimates, rows)])


def _spots(hot: int, bright: int) -> str:
    if not hot + bright:
        return (
            "No unit stands out after allowing for how many were looked at. That does not prove "
            "that they are alike."
        )
    counts = [f"{n} {what}{'' if n == 1 else 's'}"
              for n, what in ((hot, HOT), (bright, BRIGHT)) if n]  # fmt: skip
    return (
        f"{' and '.join(counts)}: unlikely to be chance after allowing for how many units were "
        "looked at, and far enough from all staff to matter. Why, the survey cannot tell."
    )


def _describe(
    estimates: Estimates, units: Sequence[_Unit], page: Page, whole: float, unit: str
) -> str:
    what = f"Chart of units: {page.title}. {page.subtitle.replace('  ·  ', ', ')}"
    hidden = sum(u.figure.status == "suppressed" for u in units)
    counts = f"{len(units)} units" + (
        f", of which {hidden} hidden to protect people" if hidden else ""
    )
    everyone = "" if math.isnan(whole) else f"All staff {value_text(whole, unit)}"
    told = [
        f"{u.name}, {u.kind}: {_limits(u.figure, unit)}, {_away(u.away, unit)} points from all "
        f"staff, n = {u.figure.base:,.0f}"
        for kind in (HOT, BRIGHT)
        for u in units
        if u.kind == kind
    ]
    more = f"{len(told) - 12} more stand out" if len(told) > 12 else ""
    told = told[:12] or ["None stands out"]
    return sentences(what, counts, everyone, *told, more, *data.synthetic(estimates))
