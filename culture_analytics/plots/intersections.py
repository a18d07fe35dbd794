"""`intersections`: characteristics crossed, as answered and drawn towards what their parts give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.compare.groups import TOO_FEW
from culture_analytics.compare.sides import FEW
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.intersectional import LESS, MORE
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
from culture_analytics.plots.style import BLUE, GREY, PLUM, drawing, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["intersections"]

_MOST = 50
_APART = 0.065  # inches that the plain figure stands above the middle of its row
_FAINT = "#767676"
_CROSSED = " | "


@dataclass(frozen=True)
class _Stratum:
    """One combination: its figure as answered, drawn in, and what it has beyond its parts."""

    parts: tuple[str, ...]
    plain: Mark
    shrunken: Mark
    beyond: Mark
    verdict: str  # MORE, LESS or nothing
    few: bool = False  # too few people for a verdict

    @property
    def name(self) -> str:
        return ", ".join(self.parts)


def intersections(
    estimates: Estimates, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """A row a combination of characteristics: plain figure, steadied figure, and what stands out.

    Parameters
    ----------
    estimates
        ``intersections(...).estimates``, or such rows of a saved release: ``percent``,
        ``shrunken_percent`` (both 0-100) and ``beyond_parts`` (points) of one measure and crossing.
    title
        Default the measure.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        An arrow leads from each plain figure (hollow) to the one drawn towards what its
        characteristics by themselves would give (filled, with its interval). Hidden combinations
        keep their row. Of more than 50 those with most answers are drawn, and all that stand out.

    Raises
    ------
    MeasureError
        No such rows, or several measures, crossings, organisations or years at once.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> from culture_analytics.intersectional import intersections
    >>> found = intersections(ca.load_sample(2024), "discrimination_staff",
    ...                       by=["ethnicity_broad", "gender"])
    >>> plots.alt_text(plots.intersections(found.estimates)).split(":")[0]
    'Chart of combinations'
    """
    table = data.protected(estimates, "intersections")
    rows = table[table["statistic"].eq("shrunken_percent")]
    if rows.empty:
        held = ", ".join(sorted(map(str, pd.unique(table["statistic"]))))
        raise MeasureError(
            "plots.intersections() draws intersections(...).estimates, which hold "
            f"shrunken_percent; these Estimates hold: {held}."
        )
    data.only_one(rows, ("measure", "breakdown", "org", "year", "weighting"), "intersections")
    strata = _ordered(
        str(rows["breakdown"].iloc[0]), [*_strata(table, rows), *_hidden(table, rows)]
    )
    drawn, left_out = _chosen(strata)
    overall = _overall(table, rows)
    page = _page(estimates, rows, strata, left_out, title)
    sheet, placed = _sheet(drawn, overall)
    with drawing():
        (strip,) = lay_out([sheet], page, ax=ax)
        _draw(estimates, strip, drawn, placed, overall)
    attach(strip.ax, _describe(estimates, rows, strata, page))
    return strip.ax


# -- reading ------------------------------------------------------------------------------------


def _like(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """All rows of the same measure and crossing."""
    same = table["answer"].eq("")
    for column in ("measure", "breakdown", "org", "year", "weighting"):
        same &= table[column].eq(rows[column].iloc[0])
    return table[same]


def _hidden(table: pd.DataFrame, rows: pd.DataFrame) -> list[_Stratum]:
    """Combinations whose plain figure is hidden and that took no part in the analysis."""
    plain = _like(table, rows)
    plain = plain[plain["statistic"].eq("percent") & plain["status"].eq("suppressed")]
    known = load_instrument().breakdowns
    out = [
        {g.label for g in known[name].groups if not g.contrast} if name in known else set()
        for name in str(rows["breakdown"].iloc[0]).split(":")
    ]
    found = []
    for row in plain[~plain["group"].isin(rows["group"])].itertuples():
        parts = str(row.group).split(_CROSSED)
        if not any(part in labels for part, labels in zip(parts, out, strict=False)):
            mark = data.mark(row)
            found.append(_Stratum(tuple(map(data.clean, parts)), mark, mark, mark, ""))
    return found


def _strata(table: pd.DataFrame, rows: pd.DataFrame) -> list[_Stratum]:
    held = {(str(r.statistic), str(r.group)): r for r in _like(table, rows).itertuples()}
    found = []
    for row in rows.itertuples():
        group = str(row.group)
        beyond, plain = held.get(("beyond_parts", group)), held.get(("percent", group))
        shrunken = data.mark(row)
        nothing = Mark(shrunken.year, *(math.nan,) * 3, math.nan, shrunken.status)
        found.append(
            _Stratum(
                tuple(data.clean(p) for p in group.split(_CROSSED)),
                nothing if plain is None else data.mark(plain),
                shrunken,
                nothing if beyond is None else data.mark(beyond),
                "" if beyond is None else _verdict(beyond),
                beyond is not None and _few(beyond),
            )
        )
    return found


def _few(row: object) -> bool:
    return FEW in str(getattr(row, "method", ""))


def _verdict(row: object) -> str:
    """Whether the adjusted test says that a combination differs from the sum of its parts."""
    p, level, value = (float(getattr(row, c)) for c in ("p_adjusted", "level", "value"))
    if _few(row) or not p < 1 - (0.95 if math.isnan(level) else level):
        return ""
    return MORE if value > 0 else LESS


def _ordered(breakdown: str, found: list[_Stratum]) -> list[_Stratum]:
    """By each characteristic, in the order of the questionnaire."""
    orders: list[dict[str, int]] = []
    for k, name in enumerate(breakdown.split(":")):
        labels = list(dict.fromkeys(s.parts[k] for s in found))
        orders.append({g: i for i, g in enumerate(data.in_order(name, labels))})
    return sorted(found, key=lambda s: [o[p] for o, p in zip(orders, s.parts, strict=True)])


def _chosen(strata: list[_Stratum]) -> tuple[list[_Stratum], str]:
    """What is drawn: all, or what stands out and the largest; and what is said of the others."""
    if len(strata) <= _MOST:
        return strata, ""
    shown = sorted(
        (s for s in strata if s.shrunken.ok),
        key=lambda s: (not s.verdict, -s.plain.base if not math.isnan(s.plain.base) else 0.0),
    )[:_MOST]
    hidden = sum(s.shrunken.status == "suppressed" for s in strata)
    said = f"{len(shown)} of {len(strata)} combinations are drawn"
    if len(shown) + hidden < len(strata):
        said += ": all that differ beyond their parts, and those with most answers"
    said += f"; {hidden} are hidden to protect people." if hidden else "."
    return [s for s in strata if s in shown], said


def _overall(table: pd.DataFrame, rows: pd.DataFrame) -> Mark | None:
    of_all = data.overall_rows(table, rows)
    first = rows.iloc[0]
    of_all = of_all[
        of_all["measure"].eq(first["measure"]) & of_all["statistic"].eq("percent")
        & of_all["year"].eq(first["year"]) & of_all["weighting"].eq(first["weighting"])
    ]  # fmt: skip
    marks = [data.mark(r) for r in of_all.itertuples()]
    return next((m for m in marks if m.ok), None)


# -- rows ---------------------------------------------------------------------------------------


def _sheet(drawn: Sequence[_Stratum], overall: Mark | None) -> tuple[Sheet, list[int]]:
    """Rows under a heading for each group of the first characteristic."""
    lines: list[Line] = []
    placed: list[int] = []
    for number, s in enumerate(drawn):
        if not number or drawn[number - 1].parts[0] != s.parts[0]:
            lines.append(Line(s.parts[0], heading=True))
        placed.append(len(lines))
        lines.append(Line(", ".join(s.parts[1:]), _cells(s), bold=bool(s.verdict)))
    columns = (
        Column("plain", 0.55, right=True),
        Column("steadied, with its interval", 1.5, right=True),
        Column("answers", 0.56, right=True),
        Column("against the sum of its parts", 1.45),
    )
    key = [Said("○ plain: as answered", small=True, colour=GREY),
           Said("● steadied: drawn towards its parts", small=True, colour=BLUE)]  # fmt: skip
    if overall is not None:
        text = f"┆ all staff {value_text(overall.value, 'percent')}"
        key.append(Said(text, small=True, colour=PLUM))
    return Sheet(tuple(lines), columns, tuple(key), labels=1.95), placed


def _cells(s: _Stratum) -> tuple[tuple[Said, ...], ...]:
    if not s.shrunken.ok:
        return ()
    plain = (Said(value_text(s.plain.value, "percent"), colour=GREY),) if s.plain.ok else ()
    base = () if math.isnan(s.plain.base) else (Said(f"{s.plain.base:,.0f}"),)
    verdict = Said(TOO_FEW if s.few else "no clear difference", small=True, colour=GREY)
    if s.verdict:
        verdict = Said(s.verdict, small=True, bold=True, colour=PLUM)
    steadied = Said(_limits(s.shrunken), colour=BLUE, bold=bool(s.verdict))
    return plain, (steadied,), base, (verdict,)


def _limits(m: Mark) -> str:
    text = value_text(m.value, "percent")
    if math.isnan(m.lower) or math.isnan(m.upper):
        return text
    return f"{text} ({m.lower:.1f} to {m.upper:.1f})"


# -- drawing ------------------------------------------------------------------------------------


def _draw(
    estimates: Estimates,
    strip: Strip,
    drawn: Sequence[_Stratum],
    placed: Sequence[int],
    overall: Mark | None,
) -> None:
    ax = strip.ax
    plain = [Mark(s.plain.year, s.plain.value, *(math.nan,) * 3, s.plain.status) for s in drawn]
    low, high = span([*plain, *(s.shrunken for s in drawn)])
    high = min(high, 103.0)
    ax.set_xlim(low - 0.02 * (high - low), high)
    ticks = [t for t in ticks_within(low, high, max(2, int(strip.width / 0.6))) if t <= 100]
    frame(ax, ticks, [f"{t:g}%" for t in ticks], "Percentage of those who answered", (low, high))
    if overall is not None:
        ax.axvline(overall.value, color=PLUM, lw=1.2, ls=(0, (4, 2)), zorder=1, gid="all staff")
    for s, row in zip(drawn, placed, strict=True):
        y = strip.middles[row]
        if not s.shrunken.ok:
            words = data.status_text(s.shrunken.status, estimates)
            write(ax, low, y, words, "right", colour=_FAINT, italic=True)
            continue
        colour = PLUM if s.verdict else BLUE
        if s.plain.ok:
            ax.scatter(
                [s.plain.value], [y - _APART], marker="o", s=34, facecolors="white",
                edgecolors=GREY, linewidths=1.3, zorder=6, gid="value plain",
            )  # fmt: skip
            if abs(s.plain.value - s.shrunken.value) > 0.14 * (high - low) / strip.width:
                ax.annotate(
                    "", (s.shrunken.value, y + _APART), (s.plain.value, y - _APART), zorder=4,
                    arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 0.9, "shrinkA": 3,
                                "shrinkB": 3, "mutation_scale": 8},
                )  # fmt: skip
        mark_with_limits(ax, s.shrunken, y + _APART, shape="D" if s.verdict else "o",
                         colour=colour, gid="steadied")  # fmt: skip


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    strata: Sequence[_Stratum],
    left_out: str,
    title: str | None,
) -> Page:
    first = rows.iloc[0]
    level = rows["level"].dropna()
    out = sum(bool(s.verdict) for s in strata)
    notes = [
        "A steadied figure is drawn from the plain one (arrow) towards what the characteristics by "
        "themselves would give, most where answers are few. It is steadier, and slow to show a "
        f"small group that truly stands out. Lines are {100 * float(level.iloc[0]):g}% intervals."
        if len(level)
        else "",
        f"◆ {out} differ from what their parts add up to, after allowing for how many were looked "
        "at. It says nothing about why."
        if out
        else "None clearly differs from what its parts add up to, after allowing for how many were "
        "looked at. That does not prove that none does.",
        left_out,
    ]
    by = data.breakdown_label(str(first["breakdown"]))
    under = data.subtitle(
        f"By {by[:1].lower()}{by[1:]}",
        data.org_name(estimates, str(first["org"])),
        str(int(first["year"])),
        data.better_words(str(first["measure"])).capitalize(),
    )
    return Page(title or data.clean(first["label"]), under, [*notes, *data.footer(estimates, rows)])


def _describe(
    estimates: Estimates, rows: pd.DataFrame, strata: Sequence[_Stratum], page: Page
) -> str:
    what = f"Chart of combinations: {page.title}. {page.subtitle.replace('  ·  ', ', ')}"
    shown = [s for s in strata if s.shrunken.ok]
    hidden = sum(s.shrunken.status == "suppressed" for s in strata)
    counts = f"{len(strata)} combinations"
    if hidden:
        counts += f", of which {hidden} hidden to protect people"
    out = [s for s in shown if s.verdict]
    told = [f"{_spoken(s)}, {s.verdict}" for s in out] or ["None differs clearly beyond its parts"]
    ends = sorted(shown, key=lambda s: s.shrunken.value)
    if ends:
        told += [f"Highest steadied figure: {_spoken(ends[-1])}",
                 f"Lowest: {_spoken(ends[0])}"]  # fmt: skip
    return sentences(what, counts, *told, *data.synthetic(estimates))


def _spoken(s: _Stratum) -> str:
    base = "" if math.isnan(s.plain.base) else f", n = {s.plain.base:,.0f}"
    plain = f"plain {value_text(s.plain.value, 'percent')}{base}" if s.plain.ok else ""
    return f"{s.name} {_limits(s.shrunken)}" + (f" ({plain})" if plain else "")
