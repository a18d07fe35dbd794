"""`spc`: one series as a run chart or XmR control chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from culture_analytics.control import KINDS, ControlChart
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import AS_PUBLISHED, PRIMARY_ONLY
from culture_analytics.plots import data
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.layout import (
    MARGIN,
    Page,
    axes_height,
    axes_width,
    say_around,
    text_width,
    ticks_within,
)
from culture_analytics.plots.style import (
    BLUE,
    GREY,
    LIGHT,
    ORANGE,
    PLUM,
    SIZES,
    WIDTH,
    drawing,
    value_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["spc"]

_HEIGHT, _LEFT, _UNDER = 2.9, 0.5, 0.78
# What a signal means -> mark, colour, edge and words. The shape says it without the colour.
MARKS = {
    "common": ("o", "#767676", "ordinary ups and downs: no signal"),
    "improvement": ("^", BLUE, "signal of improvement"),
    "concern": ("D", ORANGE, "signal of concern"),
    "neutral": ("s", PLUM, "signal, neither better nor worse"),
}
RULE_WORDS = {
    "beyond_limits": "beyond the limits",
    "shift": "seven or more in a row on one side of the middle",
    "two_of_three": "two of three close to a limit",
    "trend": "six or more in a row all rising or all falling",
}
BETTER = {"up": "Higher is better", "down": "Lower is better", "neither": ""}
SOURCES = {
    "pulse": "National Quarterly Pulse Survey",
    "published": "NHS Staff Survey, published results",
    "contractor": "NHS Staff Survey, tables of the survey contractor",
}


def spc(chart: ControlChart, *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Statistical process control: points in order, middle, limits, signals by shape and colour.

    Parameters
    ----------
    chart
        Result of `control_chart`.
    title
        Default the measure.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        Grey dots are common cause, triangles improvement, diamonds concern, squares a signal of a
        measure without a better way round. Where limits start afresh stands a vertical line.

    Raises
    ------
    MeasureError
        Not a ControlChart.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> stress = ca.calculate(ca.load_sample(), "work_related_stress")
    >>> ax = plots.spc(ca.control_chart(stress, "work_related_stress"))
    >>> plots.alt_text(ax).split(":")[0]
    'Control chart'
    """
    if not isinstance(chart, ControlChart):
        raise MeasureError(
            "plots.spc() draws a ControlChart, as control_chart() gives it; it was given "
            f"{type(chart).__name__}."
        )
    table = chart.table
    page = _page(chart, table, title)
    with drawing():
        if ax is None:
            top = page.open(_HEIGHT + _UNDER)
            right = max((text_width(t, SIZES["note"]) for t in _end_words(chart, table)), default=0)
            made = page.axes(
                MARGIN + _LEFT, top + 0.18, WIDTH - 2 * MARGIN - _LEFT - right - 0.12,
                _HEIGHT - 0.18,
            )  # fmt: skip
        else:
            made = ax
        _draw(made, chart, table)
        if ax is not None:
            say_around(ax, page, pad=14)
    attach(made, _describe(chart, table, page))
    return made


# -- drawing ------------------------------------------------------------------------------------


def _draw(ax: Axes, chart: ControlChart, table: pd.DataFrame) -> None:
    value = table["value"].to_numpy(dtype=float)
    x = np.arange(len(table))
    ax.set_xlim(-0.6, len(table) - 0.4)
    ends = _ends(chart, table)
    drawn = np.concatenate([value, *(table[c].to_numpy(dtype=float) for c in ("lower", "upper"))])
    known = drawn[np.isfinite(drawn)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    pad = max(0.12 * (high - low), 0.1 if chart.unit == "score" else 1.0)
    ax.set_ylim(low - pad, high + pad)
    for _, part in table.groupby("segment", sort=True):
        at = x[part.index.to_numpy()]
        span = [at[0] - 0.4, at[-1] + 0.4]
        _level(ax, span, part["centre"], GREY, "-", "centre")
        style = (0, (1, 1.5)) if part["kind"].iloc[0] == "xmr_provisional" else (0, (4, 2))
        for side in ("lower", "upper"):
            _level(ax, span, part[side], GREY, style, f"{side} limit")
    ax.plot(x, value, color="#767676", lw=1.0, zorder=2, gid="series")
    for kind, (shape, colour, _) in MARKS.items():
        of_kind = table["variation"].eq(kind).to_numpy() & np.isfinite(value)
        if of_kind.any():
            ax.scatter(x[of_kind], value[of_kind], marker=shape,
                       s=26 if kind == "common" else 54, color=colour, edgecolors="white",
                       linewidths=0.6, zorder=4, gid=kind)  # fmt: skip
    for k in np.flatnonzero(~np.isfinite(value)):
        ax.annotate(
            SYMBOLS.get(str(table["status"].iloc[k]), ""), (k, 0.03),
            xycoords=ax.get_xaxis_transform(), ha="center", fontsize=SIZES["note"], color=GREY,
        )  # fmt: skip
    for period in chart.rebased:
        at_period = table["period"].tolist().index(period) - 0.5
        ax.axvline(at_period, color=PLUM, lw=1.3, zorder=1, gid="re-base")
        late = at_period > 0.6 * len(table)
        ax.annotate(
            f"limits afresh from {period}", (at_period, 1), xycoords=ax.get_xaxis_transform(),
            xytext=(-3 if late else 3, 2), textcoords="offset points",
            ha="right" if late else "left", va="bottom", fontsize=SIZES["note"], color=PLUM,
            annotation_clip=False,
        )  # fmt: skip
    _say_at_right(ax, ends)
    _ticks(ax, chart, table)


def _level(ax: Axes, span: list[float], column: pd.Series, colour: str, style: Any,
           gid: str) -> None:  # fmt: skip
    level = float(column.iloc[0])
    if np.isfinite(level):
        ax.plot(span, [level, level], color=colour, lw=1.2, ls=style, zorder=1, gid=gid)


def _ends(chart: ControlChart, table: pd.DataFrame) -> list[tuple[float, str]]:
    """Names and heights of the lines at their right end."""
    last = table.iloc[-1]
    middle = "median" if last["kind"] in ("run_chart", "too_few_points") else "mean"
    provisional = "provisional " if last["kind"] == "xmr_provisional" else ""
    named = [
        (last["lower"], f"{provisional}limit"),
        (last["centre"], middle),
        (last["upper"], f"{provisional}limit"),
    ]
    return [
        (float(y), f"{text} {value_text(float(y), chart.unit)}")
        for y, text in named
        if np.isfinite(float(y))
    ]


def _end_words(chart: ControlChart, table: pd.DataFrame) -> list[str]:
    return [text for _, text in _ends(chart, table)]


def _say_at_right(ax: Axes, ends: list[tuple[float, str]]) -> None:
    for y, text in ends:
        ax.annotate(text, (1, y), xycoords=ax.get_yaxis_transform(), xytext=(4, 0),
                    textcoords="offset points", va="center_baseline", fontsize=SIZES["note"],
                    color=GREY, annotation_clip=False)  # fmt: skip


def _ticks(ax: Axes, chart: ControlChart, table: pd.DataFrame) -> None:
    labels = []
    before = ""
    for place, period in enumerate(table["period"].astype(str)):
        year, _, quarter = period.partition(" ")
        labels.append(quarter or year)
        if quarter and year != before:
            ax.annotate(year, (place, 0), xycoords=ax.get_xaxis_transform(), xytext=(0, -19),
                        textcoords="offset points", ha="center", va="top",
                        fontsize=SIZES["note"], annotation_clip=False)  # fmt: skip
        before = year
    ax.set_xticks(range(len(labels)), labels)
    suffix = "" if chart.unit == "score" else "%"
    values = ticks_within(*ax.get_ylim(), 6)
    ax.set_yticks(values, [f"{v:g}{suffix}" for v in values])
    ax.tick_params(axis="both", labelsize=SIZES["note"], length=3)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=LIGHT, lw=0.6, zorder=0)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    _key(ax, table)


def _key(ax: Axes, table: pd.DataFrame) -> None:
    """Marks and their meaning, under the periods."""
    inches = 0.0
    width = axes_width(ax)
    shown = table.loc[np.isfinite(table["value"].to_numpy(dtype=float)), "variation"]
    for kind, (shape, colour, words) in MARKS.items():
        if not shown.eq(kind).any():
            continue
        ax.annotate(
            words, (0, 0), xycoords="axes fraction", xytext=((inches + 0.2) * 72, -46),
            textcoords="offset points", va="center_baseline", fontsize=SIZES["note"],
            annotation_clip=False,
        )  # fmt: skip
        ax.plot(
            [(inches + 0.08) / width], [-46 / 72 / axes_height(ax)],
            transform=ax.transAxes, marker=shape, ms=6, color=colour, ls="", clip_on=False,
            gid=f"key {kind}",
        )  # fmt: skip
        inches += 0.45 + text_width(words, SIZES["note"])


# -- saying -------------------------------------------------------------------------------------


def _org(chart: ControlChart) -> str:
    return {"ENG": "England", "all": "All organisations together"}.get(
        chart.org, data.clean(chart.org)
    )


def _page(chart: ControlChart, table: pd.DataFrame, title: str | None) -> Page:
    periods = table["period"].tolist()
    under = data.subtitle(
        _org(chart), f"{periods[0]} to {periods[-1]}", BETTER.get(chart.improvement, "")
    )
    source = SOURCES.get(chart.source, "NHS Staff Survey, respondents")
    said = [n for n in chart.notes if "synthetic" not in n.lower() and _about_chart(n)]
    use = AS_PUBLISHED if chart.source in ("pulse", "published") else PRIMARY_ONLY
    signals = _signals(chart)
    notes = [
        *said,
        f"{signals}." if signals else "",
        "A signal says that something changed, not what." if signals else "",
        "Periods without a figure have no point." if table["value"].isna().any() else "",
        "The scale need not begin at zero.",
        f"Source: {source}, {_org(chart)}.",
        *data.synthetic_notes(chart.notes),
        *data.embargo_lines(chart.notes),
        f"{use}.",
    ]
    return Page(title or data.clean(chart.label), under, notes)


def _about_chart(note: str) -> bool:
    """Whether a note is of the chart and not of the files it was read from."""
    return any(words in note for words in KINDS.values()) or note.startswith("Limits start afresh")


def _signals(chart: ControlChart) -> str:
    """What the signals are, those of one kind together."""
    said = []
    groups = chart.signals.groupby(["variation", "rule"], sort=False, observed=True)
    for (variation, rule), part in groups:
        words = RULE_WORDS.get(str(rule), str(rule))
        said.append(f"{variation}, {words}: {', '.join(map(str, part['period']))}")
    return f"Signals: {'; '.join(said)}" if said else ""


def _describe(chart: ControlChart, table: pd.DataFrame, page: Page) -> str:
    known = table[table["value"].notna()]
    what = f"Control chart: {page.title}, {page.subtitle.replace('  ·  ', ', ')}"
    last = known.iloc[-1] if len(known) else None
    latest = (
        ""
        if last is None
        else f"{len(known)} point{'s' if len(known) != 1 else ''}; latest, {last['period']}, "
        f"{value_text(float(last['value']), chart.unit)}"
    )
    lines = "; ".join(_end_words(chart, table))
    judged = _signals(chart) or "No signal"
    kinds = [n for n in page.notes if any(words in n for words in KINDS.values())]
    rebased = f"Limits start afresh at {', '.join(chart.rebased)}" if chart.rebased else ""
    synthetic = [n for n in page.notes if "synthetic" in n.lower()]
    return sentences(what, latest, lines, *kinds, judged, rebased, *synthetic)
