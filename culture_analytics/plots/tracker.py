"""`tracker`: the figure each action is about, by survey year, with its start and its target."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from culture_analytics.compare.comparable import CARE, NO
from culture_analytics.diagnose.tracker import Tracker
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots import trend as by_year
from culture_analytics.plots.alt import attach, sentences
from culture_analytics.plots.layout import MARGIN, Page, even, line_height
from culture_analytics.plots.style import ORANGE, PLUM, SIZES, WIDTH, drawing, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["tracker"]

MOST = 12  # panels
COLUMNS = 2
_AUTUMN = 0.8  # part of the year at which the survey is answered, about mid-October
_PLOT = 1.5  # inches


@dataclass(frozen=True)
class _Action:
    """An action with the panel of its figure."""

    name: str
    panel: by_year._Panel
    start: float  # survey years; NaN if it has not begun
    began: str
    target: float
    status: str


def tracker(estimates: Estimates, actions: Tracker, *, title: str | None = None) -> Axes:
    """Figures of the actions of an improvement tracker, by survey year.

    Parameters
    ----------
    estimates
        The figures, as `culture_analytics.diagnose.tracked_figures` gives them.
    actions
        The tracker.
    title
        Default: "What was said, what was done: the figures".

    Returns
    -------
    matplotlib.axes.Axes
        The first panel: a panel an action, an upright line where it began, a dotted one at its
        target.

    Raises
    ------
    MeasureError
        Not Estimates and a Tracker, or the figures are of none of the actions.

    Notes
    -----
    At most 12 actions are drawn, the first of the file. A figure that moves after an action did
    not therefore move because of it; the chart says so.
    """
    if not isinstance(actions, Tracker):
        raise MeasureError(
            f"plots.tracker() draws a Tracker, as read_tracker() gives it; it was given "
            f"{type(actions).__name__}."
        )
    rows = data.figures(data.protected(estimates, "tracker"), "tracker")
    data.only_one(rows, ("org", "weighting", "source"), "tracker")
    drawn, without = _actions(estimates, rows, actions)
    if not drawn:
        raise MeasureError("plots.tracker(): none of these figures is of an action.")
    years = sorted(int(y) for y in pd.unique(rows["year"]))
    letters = by_year._letters([a.panel for a in drawn])
    page = _page(estimates, rows, drawn, letters, years, title, without)
    with drawing():
        axes = _lay_out(drawn, page, letters, years)
    for ax, action in zip(axes, drawn, strict=True):
        attach(ax, _describe(estimates, rows, action))
    return axes[0]


def _actions(
    estimates: Estimates, rows: pd.DataFrame, actions: Tracker
) -> tuple[list[_Action], list[str]]:
    """Actions with a figure, as panels, and the names of those without one or beyond the most."""
    drawn: list[_Action] = []
    without: list[str] = []
    split = set(rows["breakdown"])
    for row in actions.actions():
        name = data.clean(row["id"])
        of = rows[rows["measure"].eq(row["measure"]) & rows["group"].eq(row["group"])]
        # A unit column may have another name in the extract than in the tracker.
        of = of[of["breakdown"].eq(row["breakdown"])] if row["breakdown"] in split else of
        if of.empty or not of["status"].eq("ok").any() or len(drawn) == MOST:
            without.append(name)
            continue
        panel = by_year._panels(estimates, of)[0]
        drawn.append(_action(name, panel, row))
    return drawn, without


def _action(name: str, panel: by_year._Panel, row: Mapping[str, Any]) -> _Action:
    definition = data.measure_of(str(row["measure"]))
    short = data.clean(definition.short if definition else row["measure"])
    what = short if row["breakdown"] == data.OVERALL else f"{short}, {data.clean(row['group'])}"
    started, target = row["started"], float(row["target"])
    also = () if math.isnan(target) else (target,)
    return _Action(
        name=name,
        panel=replace(panel, title=f"{name}: {what}", short=what, also=also),
        start=float("nan") if started is None else _position(started),
        began="" if started is None else f"{started:%b %Y}",
        target=target,
        status=str(row["status"]),
    )


def _position(day: datetime.date) -> float:
    """A day on an axis whose whole numbers are surveys."""
    return day.year + day.timetuple().tm_yday / 365.25 - _AUTUMN


# -- drawing ----------------------------------------------------------------------------------


def _lay_out(
    actions: Sequence[_Action], page: Page, letters: dict[str, str], years: Sequence[int]
) -> list[Axes]:
    columns = min(COLUMNS, len(actions))
    room = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * 0.3) / COLUMNS
    titles = [even(a.panel.title, room, SIZES["panel"], "bold") for a in actions]
    blocks = [range(k, min(k + columns, len(actions))) for k in range(0, len(actions), columns)]
    heads = [max(len(titles[k]) for k in b) * line_height(SIZES["panel"]) + 0.16 for b in blocks]
    each = _PLOT + by_year._YEARS + by_year._BETWEEN
    top = page.open(sum(heads) + len(blocks) * each - by_year._BETWEEN)
    spans = by_year._spans([a.panel for a in actions])
    made = []
    for block, head in zip(blocks, heads, strict=True):
        for column, k in enumerate(block):
            left = MARGIN + column * (room + 0.3)
            for number, line in enumerate(titles[k]):
                y = top + number * line_height(SIZES["panel"])
                page.text(left, y, line, size=SIZES["panel"], weight="bold")
            inset = by_year._AXIS_LEFT
            ax = page.axes(left + inset, top + head, room - inset, _PLOT)
            panel = actions[k].panel
            by_year._draw(ax, panel, spans[panel.unit], letters, years)
            _marks(ax, actions[k])
            made.append(ax)
        top += head + each
    return made


def _marks(ax: Axes, action: _Action) -> None:
    """The start and the target, each with its words."""
    low, high = ax.get_xlim()
    if low < action.start < high:
        ax.axvline(action.start, color=PLUM, lw=1.4, zorder=1, gid="start")
        late = action.start > (low + high) / 2
        ax.annotate(
            f"began {action.began}", (action.start, 0.02), xycoords=ax.get_xaxis_transform(),
            xytext=(-4 if late else 4, 0), textcoords="offset points",
            ha="right" if late else "left", va="bottom", fontsize=SIZES["note"], color=PLUM,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5}, zorder=7,
        )  # fmt: skip
    if not math.isnan(action.target):
        ax.axhline(action.target, color=ORANGE, lw=1.6, ls=(0, (1, 1.5)), zorder=1, gid="target")
        bottom, top = ax.get_ylim()
        under = action.target - bottom > 0.2 * (top - bottom)
        ax.annotate(
            f"target {value_text(action.target, action.panel.unit)}", (0, action.target),
            xycoords=ax.get_yaxis_transform(), xytext=(3, -2 if under else 2),
            textcoords="offset points", ha="left", va="top" if under else "bottom",
            fontsize=SIZES["note"], color="#1A1A1A",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5}, zorder=7,
        )  # fmt: skip


# -- saying -----------------------------------------------------------------------------------


def _page(
    estimates: Estimates,
    rows: pd.DataFrame,
    actions: Sequence[_Action],
    letters: dict[str, str],
    years: Sequence[int],
    title: str | None,
    without: Sequence[str],
) -> Page:
    panels = [a.panel for a in actions]
    org = data.org_name(estimates, str(rows["org"].iloc[0]))
    notes = [
        data.interval_note(rows),
        "Upright line: when the action began. Dotted line: its target. The scales need not begin "
        "at zero.",
        "A figure that moved after an action did not therefore move because of it.",
    ]
    for text, letter in letters.items():
        about = by_year._whose(panels, text, NO)
        notes.append(f"Break {letter}{about}, years not joined: {text}.")
    for text in dict.fromkeys(s.text for p in panels for s in p.steps if s.strength == CARE):
        notes.append(f"Dashed{by_year._whose(panels, text, CARE)}, compare with care: {text}.")
    lacking = [w for p in panels for m, w in zip(p.marks, p.words, strict=True) if not m.ok]
    notes.append(f"No point: {'; '.join(dict.fromkeys(lacking))}." if lacking else "")
    early = [a.name for a in actions if a.start <= years[0] - 0.5]
    late = [a.name for a in actions if a.start >= years[-1] + 0.5]
    notes.append(f"Began before the first survey shown: {', '.join(early)}." if early else "")
    notes.append(f"Began after the last survey shown: {', '.join(late)}." if late else "")
    notes.append(f"Not drawn: {', '.join(without)}." if without else "")
    return Page(
        title or "What was said, what was done: the figures",
        data.subtitle(org, data.years_text(years)),
        [*notes, *data.footer(estimates, rows)],
    )


def _describe(estimates: Estimates, rows: pd.DataFrame, action: _Action) -> str:
    unit = action.panel.unit
    told = by_year._describe(estimates, rows, action.panel)
    began = f"The action began in {action.began}" if action.began else "The action has not begun"
    target = "" if math.isnan(action.target) else f"Its target is {value_text(action.target, unit)}"
    return sentences(told, f"{began}; status: {action.status}", target)
