"""`adjusted`: the plain gap, and the gap with the same mix of something else in both groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.compare.groups import TOO_FEW
from culture_analytics.compare.sides import FEW
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.compared import ELSE, name_of
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
from culture_analytics.plots.style import BLUE, GREY, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["adjusted"]

_APART = 0.085  # inches between the middle of a row and each of its marks
_FAINT = "#767676"
_LINE = "#767676"
STILL, GONE, ONLY, NEITHER = (
    "a clear gap before and after",
    "no longer a clear gap",
    "a clear gap only after",
    "no clear difference before or after",
)


@dataclass(frozen=True)
class _Gap:
    measure: str
    name: str
    group: str
    reference: str
    plain: Mark
    adjusted: Mark
    words: str


def adjusted(
    estimates: Estimates,
    *,
    allowing_for: str | Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plain and adjusted gaps side by side, with intervals, a row a group or a measure.

    Parameters
    ----------
    estimates
        ``adjusted_gap(...).estimates``, several of them put together by `concat`, or such rows of
        a saved release: ``difference`` and ``adjusted_difference`` in points. One breakdown,
        organisation and year.
    allowing_for
        What the gaps are adjusted for, in words: ``["occupation", "age"]``.
    names
        Measure to the name drawn, such as that of a WRES indicator; default the measure's own.
    title
        Default the measure, or what several have in common.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        Points from the reference group; squares are plain gaps, dots adjusted ones.

    Raises
    ------
    MeasureError
        No adjusted gaps, or several breakdowns, organisations or years at once.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> from culture_analytics.adjusted import adjusted_gap
    >>> found = adjusted_gap(ca.load_sample(2024), "discrimination_staff", by="ethnicity",
    ...                      adjust_for="occupation")
    >>> ax = plots.adjusted(found.estimates, allowing_for="occupation")
    >>> plots.alt_text(ax).split(":")[0]
    'Chart of plain and adjusted gaps'
    """
    table = data.protected(estimates, "adjusted")
    rows = table[table["statistic"].eq("adjusted_difference")]
    if rows.empty:
        held = ", ".join(sorted(map(str, pd.unique(table["statistic"]))))
        raise MeasureError(
            "plots.adjusted() draws adjusted_gap(...).estimates, which hold adjusted_difference; "
            f"these Estimates hold: {held}."
        )
    data.only_one(rows, ("breakdown", "org", "year", "weighting"), "adjusted")
    gaps = _gaps(table, rows, names or {})
    mix = _listed([allowing_for] if isinstance(allowing_for, str) else list(allowing_for))
    page = _page(estimates, rows, gaps, mix, title)
    sheet, placed = _sheet(gaps, mix)
    with drawing():
        (strip,) = lay_out([sheet], page, ax=ax)
        _draw(estimates, strip, gaps, placed)
    attach(strip.ax, _describe(estimates, gaps, page))
    return strip.ax


def _listed(names: Sequence[str]) -> str:
    *most, last = [data.clean(n) for n in names] or ["other characteristics"]
    return f"{', '.join(most)} and {last}" if most else last


def _gaps(table: pd.DataFrame, rows: pd.DataFrame, names: Mapping[str, str]) -> list[_Gap]:
    first = rows.iloc[0]
    plain = table[
        table["statistic"].eq("difference") & table["breakdown"].eq(first["breakdown"])
        & table["org"].eq(first["org"]) & table["year"].eq(first["year"])
        & table["weighting"].eq(first["weighting"])
    ]  # fmt: skip
    held = {(str(r.measure), str(r.group), str(r.reference)): r for r in plain.itertuples()}
    found = []
    for row in rows.itertuples():
        key = (str(row.measure), str(row.group), str(row.reference))
        mark, before = data.mark(row), held.get(key)
        found.append(
            _Gap(
                measure=key[0],
                name=data.clean(names.get(key[0]) or name_of(key[0], str(row.label))),
                group=data.clean(key[1]),
                reference=ELSE.get(key[2], data.clean(key[2])),
                plain=Mark(mark.year, *(math.nan,) * 3, math.nan, mark.status)
                if before is None
                else data.mark(before),
                adjusted=mark,
                words=_words(before, row),
            )
        )
    return found


def _words(plain: object, row: object) -> str:
    """What becomes of a gap that is, or is not, clear."""
    if plain is not None and FEW in str(getattr(plain, "method", "")):
        return TOO_FEW
    clear = [_clear(r) for r in (plain, row)]
    return {(True, True): STILL, (True, False): GONE, (False, True): ONLY}.get(
        (clear[0], clear[1]), NEITHER
    )


def _clear(row: object) -> bool:
    if row is None:
        return False
    p, level = (float(getattr(row, c)) for c in ("p_value", "level"))
    return p < 1 - (0.95 if math.isnan(level) else level)


# -- rows ---------------------------------------------------------------------------------------


def _sheet(gaps: Sequence[_Gap], names: str) -> tuple[Sheet, list[int]]:
    sides = {(g.group, g.reference) for g in gaps}
    measures = list(dict.fromkeys(g.measure for g in gaps))
    common = data.common_direction(measures)
    lines: list[Line] = []
    placed: list[int] = []
    for number, g in enumerate(gaps):
        direction = data.marked_direction(g.measure, common)
        name = f"{g.name} ({direction})" if direction else g.name
        new = not number or gaps[number - 1].measure != g.measure
        if len(measures) > 1 and len(sides) > 1 and new:
            lines.append(Line(name, heading=True))
        label = name if len(sides) == 1 and len(measures) > 1 else g.group
        placed.append(len(lines))
        lines.append(Line(label, _cells(g)))
    columns = (Column("answers, smaller group", 0.62, right=True),
               Column("gap in points, its interval", 1.82),
               Column("before and after adjusting", 1.3))  # fmt: skip
    key = (Said("■ plain gap", colour=_LINE),
           Said(f"● gap with the same mix of {names}", colour=BLUE))  # fmt: skip
    return Sheet(tuple(lines), columns, key, labels=2.1), placed


def _cells(g: _Gap) -> tuple[tuple[Said, ...], ...]:
    if not g.adjusted.ok:
        return ()
    base = () if math.isnan(g.adjusted.base) else (Said(f"{g.adjusted.base:,.0f}"),)
    both = []
    if g.plain.ok:
        both.append(Said(f"■ {_text(g.plain)}", colour=GREY))
    both.append(Said(f"● {_text(g.adjusted)}", colour=BLUE))
    return base, tuple(both), (Said(g.words, small=True),)


def _text(m: Mark) -> str:
    if math.isnan(m.lower) or math.isnan(m.upper):
        return _signed(m.value)
    return f"{_signed(m.value)} ({_signed(m.lower)} to {_signed(m.upper)})"


def _signed(value: float) -> str:
    text = f"{abs(value):.1f}"
    return f"{'' if text == '0.0' else '+' if value > 0 else '−'}{text}"


# -- drawing ------------------------------------------------------------------------------------


def _draw(estimates: Estimates, strip: Strip, gaps: Sequence[_Gap], placed: Sequence[int]) -> None:
    ax = strip.ax
    low, high = span([m for g in gaps for m in (g.plain, g.adjusted)], zero=False)
    low, high = min(low, -0.5), max(high, 0.5)
    ax.set_xlim(low, high)
    ticks = ticks_within(low, high, max(2, int(strip.width / 0.55)))
    frame(ax, ticks, [f"{t:+g}".replace("-", "−") if t else "0" for t in ticks],
          "Gap in points; 0: no gap", (low, high))  # fmt: skip
    ax.axvline(0.0, color=GREY, lw=1.2, zorder=1, gid="no gap")
    for g, row in zip(gaps, placed, strict=True):
        y = strip.middles[row]
        if not g.adjusted.ok:
            words = data.status_text(g.adjusted.status, estimates)
            write(ax, low, y, words, "right", colour=_FAINT, italic=True)
            continue
        if g.plain.ok:
            mark_with_limits(ax, g.plain, y - _APART, shape="s", colour=_LINE, gid="plain")
        mark_with_limits(ax, g.adjusted, y + _APART, shape="o", colour=BLUE, gid="adjusted")


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates, rows: pd.DataFrame, gaps: Sequence[_Gap], names: str, title: str | None
) -> Page:
    first = rows.iloc[0]
    measures = list(dict.fromkeys(g.measure for g in gaps))
    by = data.breakdown_label(str(first["breakdown"]))
    by = f"{by[:1].lower()}{by[1:]}"
    heading = (
        data.clean(first["label"])
        if len(measures) == 1
        else f"{data.topic(measures) or 'Staff survey results'}: gaps by {by}"
    )
    elses = set(ELSE.values())
    references = list(
        dict.fromkeys(g.reference if g.reference in elses else f"'{g.reference}'" for g in gaps)
    )
    groups = list(dict.fromkeys(f"'{g.group}'" for g in gaps))
    who = f"{groups[0]} less {references[0]}" if len(groups) == len(references) == 1 else (
        f"by {by}, less {references[0]}" if len(references) == 1 else f"by {by}"
    )  # fmt: skip
    under = data.subtitle(
        f"{who[:1].upper()}{who[1:]}",
        data.org_name(estimates, str(first["org"])),
        str(int(first["year"])),
        data.common_direction(measures),
    )
    level = rows["level"].dropna()
    notes = [
        f"The adjusted gap is what the gap would be if every group had the same mix of {names}. "
        f"Lines are {100 * float(level.iloc[0]) if len(level) else 95:g}% intervals.",
        "It does not say why groups differ, nor that a difference which goes with the mix is fair: "
        "who gets which job may itself be unequal.",
        "Each gap is judged by itself, without allowing for how many were looked at."
        if len(gaps) > 1
        else "",
        "'No longer a clear gap' does not prove that there is none."
        if any(g.words == GONE for g in gaps)
        else "",
    ]
    return Page(title or heading, under, [*notes, *data.footer(estimates, rows)])


def _describe(estimates: Estimates, gaps: Sequence[_Gap], page: Page) -> str:
    what = f"Chart of plain and adjusted gaps: {page.title}. {page.subtitle.replace('  ·  ', ', ')}"
    return sentences(what, "; ".join(_spoken(estimates, g) for g in gaps),
                     *data.synthetic(estimates))  # fmt: skip


def _spoken(estimates: Estimates, g: _Gap) -> str:
    who = f"{g.name}, {g.group}"
    if not g.adjusted.ok:
        return f"{who}: {data.status_text(g.adjusted.status, estimates)}"
    plain = f"plain gap {_text(g.plain)}, " if g.plain.ok else ""
    return f"{who}: {plain}adjusted gap {_text(g.adjusted)} points, {g.words}"
