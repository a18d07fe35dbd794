"""`gaps`: two groups side by side, and how far they are apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.compare.groups import TOO_FEW
from culture_analytics.errors import MeasureError
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
from culture_analytics.plots.layout import Page, text_width, ticks_within
from culture_analytics.plots.sheet import Column, Said, Sheet, Strip, frame, lay_out, write
from culture_analytics.plots.style import (
    BLUE,
    GREY,
    SIZES,
    base_text,
    drawing,
    points_text,
    value_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["gaps"]

_MOST = 40
_MANY = 1e5  # answers whose number is longer than the column for most
_OTHER = ("s", "■", BLUE)
_COMPARED = ("o", "●", "#B8460E")  # orange, dark enough to read as text
_FAINT = "#767676"


def gaps(
    estimates: Estimates,
    *,
    reference: Estimates | None = None,
    names: Mapping[str, str] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Two groups joined by a line, a row a measure; or each group beside one, for a measure.

    Parameters
    ----------
    estimates
        Percentages and scores (0-100, 0-10) together with the differences that `compare_groups`
        made of them, in points: ``concat([figures, compare_groups(figures)])``, the `estimates` of
        WRES or WDES, or such rows of a saved release. One breakdown, organisation and year.
    reference
        England's published figures: its gap is written beneath each. Default none.
    names
        Names of measures, by id, in place of their short ones: a standard's indicators.
    title
        Default: the measure, or what several have in common.
    ax
        Axes to draw in (percentages or scores, not both); default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        The first of them: percentages and scores have a scale each. The gap, its interval and
        the verdict stand at the right. Several measures and groups have a heading a measure.

    Raises
    ------
    MeasureError
        No differences between groups, no figures beside them, or several breakdowns,
        organisations, years or weightings at once.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> from culture_analytics.compare import compare_groups
    >>> stress = ca.calculate(ca.load_sample(2024), "stress", by="long_term_condition")
    >>> ax = plots.gaps(ca.concat([stress, compare_groups(stress)]))
    >>> plots.alt_text(ax).split(":")[0]
    'Gap chart'
    """
    rows = comparisons(estimates, "difference", "gaps")
    found = pairs(estimates, rows, names)
    _refuse_without_figures(estimates, rows)
    drawn, left_out = asked_only(found, _MOST)
    units = list(dict.fromkeys(p.unit for p in drawn))
    if ax is not None and len(units) > 1:
        raise MeasureError(
            "plots.gaps(ax=...) draws percentages or scores, not both. Choose measures of one "
            "kind: estimates.select(measure=...)."
        )
    england = _country(reference, rows)
    parts = [[p for p in drawn if p.unit == unit] for unit in units]
    common = data.common_direction([str(m) for m in pd.unique(rows["measure"])])
    page = _page(estimates, rows, drawn, common, reference, left_out, title, bool(england))
    with drawing():
        sheets = [_sheet(estimates, part, common, england, k == 0) for k, part in enumerate(parts)]
        strips = lay_out([s for s, _ in sheets], page, ax=ax)
        for strip, part, (_, placed) in zip(strips, parts, sheets, strict=True):
            _draw(strip, part, placed)
    for strip, part in zip(strips, parts, strict=True):
        attach(strip.ax, _describe(estimates, rows, part, page, common))
    return strips[0].ax


def _refuse_without_figures(estimates: Estimates, rows: pd.DataFrame) -> None:
    held = estimates.table
    held = held[held["breakdown"].eq(rows["breakdown"].iloc[0])]
    if not held["statistic"].isin(("percent", "score")).any():
        raise MeasureError(
            "plots.gaps() draws both figures and their difference; these Estimates hold the "
            "differences alone. Try: concat([figures, compare_groups(figures)])."
        )


def _country(reference: Estimates | None, rows: pd.DataFrame) -> dict[tuple[str, str], float]:
    """England's figures by measure and group, of the same year and breakdown."""
    if reference is None:
        return {}
    table = data.figures(data.protected(reference, "gaps"), "gaps")
    same = (
        table["breakdown"].eq(rows["breakdown"].iloc[0]) & table["year"].eq(rows["year"].iloc[0])
        & table["status"].eq("ok") & table["within"].eq("")
    )  # fmt: skip
    return {(str(r.measure), str(r.group)): float(str(r.value)) for r in table[same].itertuples()}


# -- rows ---------------------------------------------------------------------------------------


def _sheet(
    estimates: Estimates,
    part: Sequence[Pair],
    common: str,
    england: Mapping[tuple[str, str], float],
    first: bool,
) -> tuple[Sheet, list[int]]:
    """The rows of one scale, and which of them each pair stands in."""
    lines, placed = lines_of(part, common, lambda p, named: _cells(estimates, p, england, named))
    largest = max((m.base for p in part for m in (p.other, p.compared) if m.base > 0), default=0.0)
    room = 0.68 if largest < _MANY else 0.9  # the sign and the number stay on one line
    columns = (
        Column("answers" if first else "", room, right=True),
        Column("gap in points, its interval, and what can be said" if first else "", 2.63 - room),
    )
    compared, other = sides(part)
    key = (
        Said(f"{_OTHER[1]} {other}", colour=_OTHER[2]),
        Said(f"{_COMPARED[1]} {compared}", colour=_COMPARED[2]),
    )
    return Sheet(lines, columns, key if first else ()), placed


def _cells(
    estimates: Estimates, pair: Pair, england: Mapping[tuple[str, str], float], named: bool
) -> tuple[tuple[Said, ...], ...]:
    """What the columns say; `named` where the row has the name of the group."""
    bases = []
    for mark, (_, sign, colour) in ((pair.other, _OTHER), (pair.compared, _COMPARED)):
        if mark.ok and not math.isnan(mark.base):
            bases.append(Said(f"{sign} {mark.base:,.0f}", colour=colour))
    words, whom = in_words(pair, estimates)
    if not pair.found.ok:
        return tuple(bases), (Said(words, colour=_FAINT),)
    said = [Said(_gap_text(pair), bold=pair.clear), Said(words, small=True, bold=pair.clear)]
    if whom:
        said.append(Said(whom_here(whom, pair, named),
                         small=True))  # fmt: skip
    country = _england_gap(pair, england)
    if country:
        said.append(Said(country, small=True, colour=GREY))
    return tuple(bases), tuple(said)


def _gap_text(pair: Pair) -> str:
    gap, unit = pair.found, pair.unit
    text = _signed(gap.value, unit)
    if math.isnan(gap.lower) or math.isnan(gap.upper):
        return text
    return f"{text} ({_signed(gap.lower, unit)} to {_signed(gap.upper, unit)})"


def _signed(value: float, unit: str) -> str:
    text = points_text(abs(value), unit)
    none = float(text) == 0
    return f"{'' if none else '+' if value > 0 else '−'}{text}"


def _england_gap(pair: Pair, england: Mapping[tuple[str, str], float]) -> str:
    both = [england.get((pair.measure, g)) for g in (pair.group, pair.reference)]
    if both[0] is None or both[1] is None:
        return ""
    return f"England {_signed(both[0] - both[1], pair.unit)}"


# -- drawing ------------------------------------------------------------------------------------


def _draw(strip: Strip, part: Sequence[Pair], placed: Sequence[int]) -> None:
    ax = strip.ax
    unit = part[0].unit
    low, high, pad = _scale(part, strip.width)
    ax.set_xlim(low - pad, high + pad)
    ticks = ticks_within(low, high, max(2, min(5, int(strip.width / 0.6))))
    suffix = "" if unit == "score" else "%"
    label = "Score, 0 to 10" if unit == "score" else "Percentage of those who answered"
    frame(ax, ticks, [f"{t:g}{suffix}" for t in ticks], label, (low, high))
    for pair, row in zip(part, placed, strict=True):
        y = strip.middles[row]
        both = [(m, s) for m, s in ((pair.other, _OTHER), (pair.compared, _COMPARED)) if m.ok]
        if len(both) == 2:
            ax.plot(
                [m.value for m, _ in both], [y, y], color=GREY if pair.clear else "#8A8A8A",
                lw=2.4 if pair.clear else 1.0, ls="-" if pair.clear else (0, (3, 2)), zorder=2,
                gid="gap",
            )  # fmt: skip
        for mark, (shape, _, colour) in both:
            ax.scatter([mark.value], [y], marker=shape, s=44, color=colour, lw=0, zorder=4,
                       gid=f"value {shape}")  # fmt: skip
        values = [m.value for m, _ in both]
        for mark, (_, _, colour) in both:
            left = mark.value <= min(values) if len(set(values)) > 1 else mark is pair.other
            write(ax, mark.value, y, value_text(mark.value, unit), "left" if left else "right",
                  colour=colour)  # fmt: skip


def _scale(part: Sequence[Pair], width: float) -> tuple[float, float, float]:
    """Ends of the scale, and the room for figures beyond each of them, in its unit."""
    values = [m.value for p in part for m in (p.compared, p.other) if m.ok]
    room = text_width(value_text(88.8, part[0].unit), SIZES["value"]) + 0.2
    inner = max(width - 2 * room, 0.3 * width)
    if part[0].unit == "score":
        low, high = min(values, default=0.0), max(values, default=10.0)
        span = max(high - low, 1.0)
        low, high = max(0.0, low - 0.1 * span), min(10.0, high + 0.1 * span)
    else:
        low, high = 0.0, min(100.0, 1.04 * max([*values, 10.0]))
    return low, high, room * (high - low) / inner


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    drawn: Sequence[Pair],
    common: str,
    reference: Estimates | None,
    left_out: str,
    title: str | None,
    england: bool,
) -> Page:
    shown = [p for p in drawn if p.found.ok]
    level = f"{100 * shown[0].level:g}%" if shown else "95%"
    notes = [
        f"The gap is ● less ■, in brackets its {level} interval. 'A clear gap' is unlikely to be "
        "chance after allowing for how many gaps were looked at; it says nothing about why. "
        "'No clear difference' does not prove that there is none.",
        "'Too few to judge': fewer than ten people on a side gave, or did not give, the answer."
        if any(p.verdict == TOO_FEW for p in drawn)
        else "",
        "The scale of scores does not begin at zero."
        if any(p.unit == "score" for p in drawn)
        else "",
        _england_note(reference, rows) if england else "",
        left_out,
    ]
    return Page(
        title or heading(rows, "gaps"),
        under(estimates, rows, common, by=bool(title) or rows["measure"].nunique() == 1),
        [*notes, *data.footer(estimates, rows, reference if england else None)],
    )


def _england_note(reference: Estimates | None, rows: pd.DataFrame) -> str:
    assert reference is not None
    own = str(rows["weighting"].iloc[0])
    others = [str(w) for w in reference.unique("weighting") if w]
    if not others or own in others:
        return ""
    return (
        f"England is {data.weighted(others[0])}, these figures are {data.weighted(own)}: they are "
        "not strictly comparable."
    )


def _describe(
    estimates: Estimates, rows: pd.DataFrame, part: Sequence[Pair], page: Page, common: str
) -> str:
    what = f"Gap chart: {described(estimates, rows, page)}"
    many = len(part) > 12
    told = sorted(
        (p for p in part if p.found.ok), key=lambda p: (not p.clear, -abs(p.found.value))
    )[:12] if many else list(part)  # fmt: skip
    counts = ""
    if many:
        clear = sum(p.clear for p in part)
        hidden = sum(p.found.status == "suppressed" for p in part)
        counts = f"{len(part)} gaps, {clear} of them clear" + (
            f", {hidden} hidden to protect people" if hidden else ""
        )
    listed = "; ".join(_spoken(p, estimates) for p in told)
    return sentences(what, common, counts, listed, *data.synthetic(estimates))


def _spoken(pair: Pair, estimates: Estimates) -> str:
    both = [
        f"{name} {value_text(m.value, pair.unit)}"
        + (f" ({base_text(m.base)})" if base_text(m.base) else "")
        for name, m in ((other_name(pair), pair.other), (pair.group, pair.compared))
        if m.ok
    ]
    if not pair.found.ok:
        return f"{pair.name}, {pair.group}: gap {in_words(pair, estimates)[0]}"
    said = ", ".join(w for w in in_words(pair, estimates) if w)
    return f"{pair.name}: {', '.join(both)}, gap {_gap_text(pair)} points, {said}"
