"""`likert`: whole answer distributions, unfavourable to the left and favourable to the right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Item, load_instrument
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
    wrap,
)
from culture_analytics.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    SIZES,
    TEAL,
    WIDTH,
    base_text,
    drawing,
    ink,
    tint,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["likert"]

_BAR = 0.24  # inches
_PAD = 0.11
_LEGEND = 0.23
_LEAST = 6.0  # per cent: smaller segments have no number in them
_ASIDE = 0.04  # gap before what stands apart, of the width of the bars
_APART = "#D0D0D0"
_NEUTRAL = "#E3E3E3"
_MOST = 120  # bars in one picture


def likert(
    estimates: Estimates,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Diverging stacked bars: how every answer to an item was chosen.

    Parameters
    ----------
    estimates
        Answer distributions (`calculate_answers`, ``release.answers(topic)``) of one
        organisation: several items for everyone, or one item by one breakdown; any years.
    title
        Default: the item's label, or what the items have in common.
    ax
        Axes to draw in; default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    MeasureError
        Not Estimates; no answer distributions; several items by several groups.

    Notes
    -----
    Which answers are favourable is the questionnaire's (``item.positive``). Favourable answers
    stand right of the centre line, unfavourable ones left, a middle answer across it. Of answers
    that count incidents, "Never" stands right and every number of incidents left. "Don't know"
    and "not applicable" stand apart at the right, in grey. Items without a favourable side start
    at the left.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> answers = ca.calculate_answers(ca.load_sample(2024), ["enough_staff", "hba_managers"])
    >>> ax = plots.likert(answers)
    >>> "hidden" in plots.alt_text(ax)
    False
    """
    table = data.protected(estimates, "likert")
    rows = table[(table["answer"] != "") & (table["statistic"] == "percent")]
    if rows.empty:
        raise MeasureError(
            "plots.likert() draws whole answer distributions; these Estimates hold none. "
            "Use calculate_answers() or release.answers(topic)."
        )
    rows = _one_way(rows)
    years = sorted(int(y) for y in pd.unique(rows["year"]))
    sets, left_out = _sets(estimates, rows)
    page = _page(estimates, rows, sets, years, left_out, title)
    with drawing():
        made = _draw(sets, page, len(years) > 1, ax)
    attach(made, _describe(estimates, rows, sets, page.title, years))
    return made


# -- preparing ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Segment:
    answer: str
    side: str  # left | middle | right | apart | plain
    colour: str


@dataclass(frozen=True)
class _Bar:
    label: str
    year: int
    values: dict[str, float]  # answer -> per cent
    base: float
    words: str  # in place of a bar


@dataclass(frozen=True)
class _Set:
    """Bars with the same answers the same way round."""

    segments: tuple[_Segment, ...]
    bars: list[_Bar]

    def spans(self, bar: _Bar) -> list[tuple[_Segment, float, float]]:
        """Start and width of each segment but those apart; 0 is the centre line."""
        left = sum(bar.values.get(s.answer, 0.0) for s in self.segments if s.side == "left")
        left += sum(bar.values.get(s.answer, 0.0) for s in self.segments if s.side == "middle") / 2
        start, found = -left, []
        for s in self.segments:
            if s.side != "apart":
                width = bar.values.get(s.answer, 0.0)
                found.append((s, start, width))
                start += width
        return found

    def apart(self, bar: _Bar) -> list[tuple[_Segment, float]]:
        """Segments that stand apart, with their width."""
        return [(s, bar.values.get(s.answer, 0.0)) for s in self.segments if s.side == "apart"]


def _one_way(rows: pd.DataFrame) -> pd.DataFrame:
    """Several items for everyone, or one item by one breakdown."""
    split = rows[rows["breakdown"] != data.OVERALL]
    items = pd.unique(rows["measure"])
    if split.empty:
        chosen = rows
        data.only_one(chosen, ("within", "within_group"), "likert")
    elif len(items) == 1:
        data.only_one(split, ("breakdown", "within", "within_group"), "likert")
        chosen = rows[rows["within_group"].eq(split["within_group"].iloc[0])]
    elif len(pd.unique(split["group"])) == 1 and len(split) == len(rows):
        chosen = split
    else:
        raise MeasureError(
            f"plots.likert() draws several items for everyone, or one item by groups; these "
            f"Estimates hold {len(items)} items by groups. Choose: "
            f"estimates.select(measure={items[0]!r}) or estimates.select(breakdown='overall')."
        )
    data.only_one(chosen, ("org", "weighting", "source"), "likert")
    return chosen


def _sets(estimates: Estimates, rows: pd.DataFrame) -> tuple[list[_Set], list[str]]:
    sets: dict[tuple[_Segment, ...], _Set] = {}
    left_out: dict[str, None] = {}
    by_group = (rows["breakdown"] != data.OVERALL).any()
    for measure in pd.unique(rows["measure"]):
        of_item = rows[rows["measure"] == measure]
        asked = of_item[of_item["status"] != "not_asked"]
        label = data.clean(of_item["label"].iloc[0])
        if asked.empty:
            left_out[label] = None
            continue
        segments = _segments(str(measure), [str(a) for a in pd.unique(asked["answer"])])
        held = sets.setdefault(segments, _Set(segments, []))
        for group in pd.unique(asked["group"]):
            of_group = asked[asked["group"] == group]
            for year in sorted(pd.unique(of_group["year"])):
                name = data.clean(group) if by_group else label
                bar = _bar(estimates, of_group[of_group["year"] == year], name, int(year))
                held.bars.append(bar)
    return list(sets.values()), list(left_out)


def _bar(estimates: Estimates, cells: pd.DataFrame, label: str, year: int) -> _Bar:
    shown = cells[cells["status"] == "ok"]
    values = {str(r.answer): float(str(r.value)) for r in shown.itertuples()}
    values = {a: v for a, v in values.items() if not math.isnan(v)}
    missing = [str(s) for s in pd.unique(cells["status"]) if s != "ok"]
    words = data.status_text(missing[0] if missing else "unavailable", estimates)
    base = float(shown["base"].max()) if len(shown) else float("nan")
    # A distribution with a hidden part is not drawn as if it were whole.
    complete = bool(values) and not missing
    return _Bar(label, year, values if complete else {}, base if complete else float("nan"),
                "" if complete else words)  # fmt: skip


def _segments(measure: str, answers: list[str]) -> tuple[_Segment, ...]:
    """The answers from left to right, with their side and colour."""
    item = load_instrument().items.get(measure)
    if item is None or not item.positive:
        return _plain(answers, item)
    points = dict(zip(item.scale.labels, item.scale.scores, strict=True))
    order = [a for a in item.labels if a in answers] + [a for a in answers if a not in item.labels]
    inner = [a for a in order if not _is_apart(item, points, order, a)]
    right = [a for a in inner if a in item.positive]
    middle = [a for a in inner if a not in right and points.get(a) == 5.0]
    left = [a for a in inner if a not in right and a not in middle]
    if inner and inner[0] in item.positive:  # best answer first: turn round
        right, left = right[::-1], left[::-1]
    return (
        *(_Segment(a, "left", c) for a, c in zip(left, _shades(ORANGE, len(left)), strict=True)),
        *(_Segment(a, "middle", _NEUTRAL) for a in middle),
        *(
            _Segment(a, "right", c)
            for a, c in zip(right, _shades(BLUE, len(right))[::-1], strict=True)
        ),
        *(_Segment(a, "apart", _APART) for a in order if a not in inner),
    )


def _is_apart(item: Item, points: dict[str, float], order: Sequence[str], answer: str) -> bool:
    """Don't know, not applicable: not scored, or half-way without standing in the middle."""
    if answer in item.positive:
        return False
    score = points.get(answer, float("nan"))
    unscored = math.isnan(score) and not all(math.isnan(p) for p in points.values())
    outside = score == 5.0 and answer in (order[0], order[-1])
    return answer in item.excluded or unscored or outside


def _plain(answers: list[str], item: Item | None) -> tuple[_Segment, ...]:
    order = [a for a in item.labels if a in answers] if item else answers
    shades = _shades(TEAL, len(order))[::-1]
    return tuple(_Segment(a, "plain", c) for a, c in zip(order, shades, strict=True))


def _shades(colour: str, number: int) -> list[str]:
    """Strong to weak."""
    if number < 2:
        return [colour] * number
    return [tint(colour, 1 - 0.72 * i / (number - 1)) for i in range(number)]


# -- drawing ------------------------------------------------------------------------------------


def _draw(sets: list[_Set], page: Page, dated: bool, ax: Axes | None) -> Axes:
    bars = sum(len(s.bars) for s in sets)
    sets = _capped(sets)
    labels = 2.2 if ax is not None else _label_width(sets)
    right = _right(sets, dated)
    width = axes_width(ax) if ax is not None else WIDTH - 2 * MARGIN - labels - 0.12 - right
    total = sum(_set_height(s, width, labels) for s in sets) or 0.6
    if bars > _MOST:
        page.notes = [f"The first {_MOST} of {bars} bars are drawn.", *page.notes]
    if ax is None:
        top = page.open(total + 0.05)
        ax = page.axes(MARGIN + labels + 0.12, top, width, total)
        own = True
    else:
        own = False
    low, high, apart = _extent(sets)
    reach = high - low + (_ASIDE * (high - low) + apart if apart else 0.0)
    room = max((text_width(_apart_text(s, b), 9) for s in sets for b in s.bars), default=0.0)
    # The numbers beside what stands apart need inches, the bars the rest of the width.
    ax.set_xlim(low, low + reach * width / (width - (room + 0.1 if apart else 0.0)))
    ax.set_ylim(total, 0)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0, pad=6)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if not any(b.values for s in sets for b in s.bars):
        words = dict.fromkeys(b.words for s in sets for b in s.bars)
        said = f"There is nothing to show: {', '.join(words) or 'not asked'}."
        ax.text(0.0, 0.5, "\n".join(wrap(said, width, SIZES["label"])), transform=ax.transAxes,
                va="center", fontsize=SIZES["label"], color=GREY)  # fmt: skip
        ax.set_yticks([])
    else:
        _draw_sets(ax, sets, width, labels, dated, high)
    if not own:
        say_around(ax, page)
    return ax


def _capped(sets: list[_Set]) -> list[_Set]:
    found, room = [], _MOST
    for s in sets:
        if room > 0:
            found.append(_Set(s.segments, s.bars[:room]))
            room -= len(s.bars)
    return found


def _label_width(sets: list[_Set]) -> float:
    lines = [line for s in sets for b in s.bars for line in even(b.label, 2.8, SIZES["label"])]
    return max((text_width(line, SIZES["label"]) for line in lines), default=0.5)


def _right(sets: list[_Set], dated: bool) -> float:
    texts = [base_text(b.base) for s in sets for b in s.bars]
    widest = max((text_width(t, SIZES["value"]) for t in texts), default=0.0)
    return 0.12 + widest + (text_width("2024", SIZES["value"]) + 0.12 if dated else 0)


def _rows(s: _Set) -> list[tuple[str, list[_Bar]]]:
    """Bars of one label, one below the other: its years."""
    found: list[tuple[str, list[_Bar]]] = []
    for bar in s.bars:
        if found and found[-1][0] == bar.label and found[-1][1][-1].year < bar.year:
            found[-1][1].append(bar)
        else:
            found.append((bar.label, [bar]))
    return found


def _row_height(label: str, bars: list[_Bar], labels: float) -> float:
    lines = len(even(label, labels, SIZES["label"]))
    return max(lines * line_height(SIZES["label"]), len(bars) * _BAR) + _PAD


def _set_height(s: _Set, width: float, labels: float) -> float:
    heads = _LEGEND * (len(_legend(s, width)) + _sided(s)) + 0.08
    return heads + sum(_row_height(label, bars, labels) for label, bars in _rows(s)) + 0.14


def _sided(s: _Set) -> bool:
    return any(g.side in ("left", "right") for g in s.segments)


def _legend(s: _Set, width: float) -> list[list[tuple[_Segment, float]]]:
    """The key of a set in lines: each segment with its distance from the left."""
    lines: list[list[tuple[_Segment, float]]] = [[]]
    at = 0.0
    for segment in s.segments:
        room = 0.24 + text_width(_key(segment), SIZES["note"]) + 0.16
        if at and at + room > width:
            lines.append([])
            at = 0.0
        lines[-1].append((segment, at))
        at += room
    return lines


def _key(segment: _Segment) -> str:
    return data.clean(segment.answer)


def _extent(sets: list[_Set]) -> tuple[float, float, float]:
    spans = [(a, a + w) for s in sets for b in s.bars for _, a, w in s.spans(b)]
    low = min((a for a, _ in spans), default=-1.0)
    high = max((b for _, b in spans), default=1.0)
    aside = [sum(w for _, w in s.apart(b)) for s in sets for b in s.bars]
    return low, max(high, low + 1), max(aside, default=0.0)


def _draw_sets(
    ax: Axes, sets: list[_Set], width: float, labels: float, dated: bool, high: float
) -> None:
    low, top = ax.get_xlim()
    inch = (top - low) / width  # data units
    ticks, texts = [], []
    y = 0.0
    for s in sets:
        start = y
        y = _draw_legend(ax, s, y, inch, low, labels)
        for label, bars in _rows(s):
            height = _row_height(label, bars, labels)
            ticks.append(y + height / 2)
            texts.append("\n".join(even(label, labels, SIZES["label"])))
            first = y + height / 2 - _BAR * (len(bars) - 1) / 2
            for position, bar in enumerate(bars):
                _draw_bar(ax, s, bar, first + position * _BAR, inch, high, dated)
            y += height
        if _sided(s):
            below = start + _LEGEND * (len(_legend(s, width)) + 1)
            ax.plot([0, 0], [below, y], color=GREY, lw=1, zorder=2)
        y += 0.14
    ax.set_yticks(ticks, texts, fontsize=SIZES["label"])


def _draw_legend(ax: Axes, s: _Set, y: float, inch: float, low: float, labels: float) -> float:
    from matplotlib.patches import Rectangle

    width = (ax.get_xlim()[1] - low) / inch
    for line in _legend(s, width):
        for segment, at in line:
            x = low + at * inch
            ax.add_artist(
                Rectangle((x, y + 0.04), 0.17 * inch, 0.14, facecolor=segment.colour,
                          edgecolor=GREY, lw=0.6, hatch=_hatch(segment), gid="key")
            )  # fmt: skip
            ax.text(x + 0.23 * inch, y + 0.11, _key(segment), va="center", fontsize=SIZES["note"])
        y += _LEGEND
    if _sided(s):
        space = 0.06 * inch
        for words, x, side in (
            ("← less favourable", -space, "right"), ("more favourable →", space, "left"),
        ):  # fmt: skip
            # The space beside the plot is free at this height.
            before = (x - low) / inch + labels
            fits = before if side == "right" else (ax.get_xlim()[1] - x) / inch + 0.6
            if text_width(words, SIZES["note"]) < fits:
                ax.text(x, y + 0.12, words, ha=side, va="center", fontsize=SIZES["note"],
                        color=GREY)  # fmt: skip
        y += _LEGEND
    return y + 0.08


def _hatch(segment: _Segment) -> str | None:
    return "////" if segment.side == "apart" else None


def _draw_bar(
    ax: Axes, s: _Set, bar: _Bar, y: float, inch: float, high: float, dated: bool
) -> None:
    from matplotlib.patches import Rectangle

    depth = _BAR - 0.03
    spans = s.spans(bar) if bar.values else []
    start = high + _ASIDE * (high - ax.get_xlim()[0])
    aside = []
    for segment, size in s.apart(bar) if bar.values else []:
        aside.append((segment, start, size))
        start += size
    for segment, at, size in [*spans, *aside]:
        if size <= 0:
            continue
        ax.add_artist(
            Rectangle((at, y - depth / 2), size, depth, facecolor=segment.colour, edgecolor=GREY,
                      lw=0.6, hatch=_hatch(segment), zorder=3, gid=f"answer {segment.answer}")
        )  # fmt: skip
        text = f"{size:.0f}"
        if segment.side != "apart" and size >= _LEAST and text_width(text, 9) < size / inch:
            ax.text(at + size / 2, y, text, ha="center", va="center_baseline", fontsize=9,
                    color=ink(segment.colour), zorder=6)  # fmt: skip
    if aside and start > aside[0][1]:
        ax.text(
            start + 0.05 * inch,
            y,
            _apart_text(s, bar),
            va="center",
            fontsize=9,
            color=GREY,
            zorder=6,
        )
    if not bar.values:
        ax.text(ax.get_xlim()[0] if not _sided(s) else 0.06 * inch, y, bar.words, va="center",
                fontsize=SIZES["value"], color=GREY, fontstyle="italic", zorder=6)  # fmt: skip
    gap = 0.12
    if dated:
        _side(ax, gap, y, str(bar.year))
        gap += text_width("2024", SIZES["value"]) + 0.12
    _side(ax, gap, y, base_text(bar.base))


def _apart_text(s: _Set, bar: _Bar) -> str:
    return " + ".join(f"{size:.0f}" for _, size in s.apart(bar) if size > 0)


def _side(ax: Axes, inches: float, y: float, text: str) -> None:
    if text:
        ax.annotate(
            text, (1, y), xycoords=ax.get_yaxis_transform(), xytext=(inches * 72, 0),
            textcoords="offset points", va="center", fontsize=SIZES["value"],
            annotation_clip=False,
        )  # fmt: skip


# -- saying -------------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    sets: list[_Set],
    years: list[int],
    left_out: list[str],
    title: str | None,
) -> Page:
    first = rows.iloc[0]
    items = [str(m) for m in pd.unique(rows["measure"])]
    split = rows[rows["breakdown"] != data.OVERALL]
    by = data.breakdown_label(str(split["breakdown"].iloc[0])) if len(split) else ""
    about = data.topic(items) or f"{len(items)} items"
    heading = data.clean(first["label"]) if len(items) == 1 else f"Answers: {about}"
    under = data.subtitle(
        f"By {by[:1].lower()}{by[1:]}" if by else "",
        f"Within: {data.clean(first['within_group'])}" if first["within_group"] else "",
        data.org_name(estimates, str(first["org"])),
        data.years_text(years),
    )
    numbers = "Numbers are percentages of all who answered"
    numbers += f"; those under {_LEAST:.0f} are not printed in the bars."
    kinds = {g.side for s in sets for g in s.segments}
    notes = [
        numbers,
        "A middle answer lies across the centre line." if "middle" in kinds else "",
        "Hatched, at the right: answers that take no side." if "apart" in kinds else "",
        f"Not asked in {data.years_text(years)}: {'; '.join(left_out)}." if left_out else "",
    ]
    said = [" ".join(n for n in notes[:3] if n), notes[3]]
    said += data.comparability(items, years)
    return Page(title or heading, under, [*said, *data.footer(estimates, rows)])


def _describe(
    estimates: Estimates, rows: pd.DataFrame, sets: list[_Set], title: str, years: list[int]
) -> str:
    bars = [b for s in sets for b in s.bars if b.year == years[-1]]
    hidden = [b for b in bars if not b.values]
    org = data.org_name(estimates, str(rows["org"].iloc[0]))
    what = f"Stacked bar chart of answers: {title}, {org}, {years[-1]}"
    count = f"{len(bars)} bar{'' if len(bars) == 1 else 's'}"
    if hidden:
        reasons = ", ".join(dict.fromkeys(b.words for b in hidden))
        count += f", of which {len(hidden)} without figures ({reasons})"
    listed = []
    for bar in [b for b in bars if b.values][:12]:
        answer = max(bar.values, key=lambda a: bar.values[a])
        base = f" ({base_text(bar.base)})" if base_text(bar.base) else ""
        listed.append(f"{bar.label}: {data.clean(answer)}, {bar.values[answer]:.1f}%{base}")
    common = f"Most common answers: {'; '.join(listed)}" if listed else ""
    return sentences(what, count, common, *data.synthetic(estimates))
