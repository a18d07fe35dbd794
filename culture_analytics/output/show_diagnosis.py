"""What notebooks show of the culture diagnosis.

Like `culture_analytics.output.show`, whose names these are too: each gives a picture, a table or
plain sentences, and says why where the data cannot answer. Everything is read from the diagnosis
that the release holds (`culture_analytics.diagnose.diagnosis_of`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from culture_analytics.diagnose.diagnosis import Diagnosis, diagnosis_of
from culture_analytics.diagnose.driving import ELEMENT
from culture_analytics.diagnose.findings import CONCERN, NEUTRAL, STRENGTH, UNKNOWN
from culture_analytics.diagnose.hotspots import BRIGHT, HOT, POOLED
from culture_analytics.diagnose.leaving import CULTURE
from culture_analytics.diagnose.priorities import FIRST, PROTECT
from culture_analytics.diagnose.tracker import (
    Tracker,
    follow_up,
    read_tracker,
    tracked_figures,
)
from culture_analytics.diagnose.wording import judge, plural
from culture_analytics.disclosure.release import Release
from culture_analytics.errors import MeasureError
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.estimates import Estimates, concat
from culture_analytics.instrument.culture import ELEMENTS, OUTCOMES
from culture_analytics.output import show
from culture_analytics.output.blocks import Block, Points, Sentence, Several, Table, says_embargo
from culture_analytics.output.show_trends import _points, _span

__all__ = [
    "concerns",
    "conditions",
    "culture_leaders",
    "doubts",
    "drivers",
    "elements",
    "falling",
    "findings",
    "pooled",
    "priorities",
    "scale_quality",
    "spots",
    "stressors",
    "tracker",
]

NOTHING = (
    "These results hold no culture diagnosis: it needs the questions behind the elements of "
    "culture, as an extract has them."
)
NO_UNITS = (
    "These results are not divided by directorate, department or team, so nothing can be said of "
    "where. An extract with a column for them can."
)
KINDS = {CONCERN: "To look at", STRENGTH: "To protect", NEUTRAL: "To know", UNKNOWN: "Cannot say"}

TEAM = "team"  # stands for the smallest units
MOST_SAID = 3  # times that one doubt is said before it is said once for all
MOST_UNITS = 15  # of each kind in a table of what stands out
MOST_MEASURES = 6  # named of one of them

Row = dict[str, Any]

_made: WeakKeyDictionary[Release, dict[str, Diagnosis]] = WeakKeyDictionary()


def diagnosis(release: Release, unit: str = "directorate") -> Diagnosis | None:
    """The diagnosis that a release holds, read once; None if it holds none.

    Parameters
    ----------
    release
        The protected tables.
    unit
        ``"directorate"`` for the largest units, ``"team"`` for the smallest, or a column's name.
    """
    column = (show._names(release, (unit,)) or [""])[0]
    held = _made.setdefault(release, {})
    if column not in held:
        try:
            held[column] = diagnosis_of(release, by=column if release.units() else None)
        except MeasureError:
            return None
    return held[column]


# -- in words ---------------------------------------------------------------------------------


@says_embargo
def findings(release: Release, *topics: str, kinds: Sequence[str] = tuple(KINDS)) -> Block:
    """Table of findings: what was found, and how sure that is.

    Parameters
    ----------
    release
        The protected tables.
    *topics
        Only these topics of the diagnosis: ``"standing"``, ``"changes"``, ``"units"`` ...
    kinds
        Only these kinds: ``"concern"``, ``"strength"``, ``"neutral"``, ``"cannot say"``.
    """
    found = diagnosis(release)
    if found is None:
        return show._cannot(NOTHING)
    table = found.findings
    table = table[table["kind"].isin(list(kinds))]
    if topics:
        table = table[table["topic"].isin(topics)]
    if table.empty:
        return show._cannot("The rules that make findings found nothing to say here.")
    often = _often(table["doubt"])
    sections = []
    for kind, words in KINDS.items():
        part = show._rows(table[table["kind"].eq(kind)])
        rows = [[_signs(r["sentence"]), "" if r["doubt"] in often else r["doubt"]] for r in part]
        sections += [(words, rows)] if rows else []
    return Table(
        f"Findings, {release.about['org_name']}, {found.year}",
        ["What was found", "What to keep in mind"],
        sections,
        notes=[f"To keep in mind: {doubt}" for doubt in often],
        words=(0, 1),
    )


def _signs(sentence: str) -> str:
    """Percent signs as everywhere on the page."""
    return str(sentence).replace(" %", "%")


def _often(said: pd.Series) -> list[str]:
    """What would be said again and again, and is better said once."""
    counts = said[said.ne("")].value_counts(sort=False)
    return [str(text) for text in counts.index[counts.ge(MOST_SAID)]]


@says_embargo
def doubts(release: Release) -> Block:
    """What the diagnosis could not do, and why.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None:
        return show._cannot(NOTHING)
    if not found.notes:
        return Sentence("Every part of the diagnosis could be made from these results.")
    return Points(list(found.notes), lead="What could not be done, and what to keep in mind")


# -- elements ---------------------------------------------------------------------------------


@says_embargo
def elements(release: Release, unit: str = "directorate") -> Several:
    """Chart of the elements of culture for everyone, and a heat map of them by unit.

    Parameters
    ----------
    release
        The protected tables.
    unit
        As for `diagnosis`.
    """
    if not _ids(ELEMENTS) or isinstance(show._overall(release, "culture", [ELEMENTS]), Sentence):
        return Several([without_elements(release)])
    return Several(
        [
            show.headline(release, "culture", [ELEMENTS]),
            _heatmap(release, unit, "Elements of culture, and what they are set against"),
        ]
    )


def _heatmap(release: Release, unit: str, title: str) -> Block:
    (column,) = show._names(release, (unit,)) or ("",)
    chosen = show._split(release, "culture", [ELEMENTS, OUTCOMES], column)
    if isinstance(chosen, Sentence):
        return chosen
    from culture_analytics import plots

    return show._picture(plots.heatmap, chosen.drawn(), title=title)


@says_embargo
def scale_quality(release: Release) -> Block:
    """Table of how well the items of each element hold together, by year.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None or found.quality is None:
        return show._cannot(
            "Whether the items of an element hold together can be told from respondents only, and "
            "from enough of them."
        )
    table = found.quality.table
    table = table[table["breakdown"].eq(OVERALL) & table["status"].eq("ok")]
    latest = table[table["year"].eq(table["year"].max())]
    parts = {s: _by_measure(latest[latest["statistic"].eq(s)]) for s in ("alpha", "omega")}
    rows = []
    for measure, alpha in parts["alpha"].items():
        omega = parts["omega"].get(measure)
        rows.append(
            [
                show._short(measure), f"{alpha['value']:.2f}",
                f"{alpha['lower']:.2f} to {alpha['upper']:.2f}",
                "" if omega is None else f"{omega['value']:.2f}", str(alpha["method"]),
                f"{alpha['base']:,.0f}",
            ]
        )  # fmt: skip
    if not rows:
        return show._cannot("Too few people answered to say whether the items hold together.")
    return Table(
        f"Do the items of each element go together? {int(latest['year'].iloc[0])}",
        ["Element", "Alpha", "95% interval", "Omega", "Reading", "Answers"],
        [("", rows)],
        notes=[
            "Alpha and omega run from 0 to 1: how far the answers to an element's questions move "
            "together, so that one score can stand for them. The lower of the two decides."
        ],
        words=(0, 4),
    )


# -- where ------------------------------------------------------------------------------------


@says_embargo
def spots(release: Release, unit: str = "directorate") -> Block:
    """Table of what stands out from the rest of the organisation, worse and better.

    Parameters
    ----------
    release
        The protected tables.
    unit
        As for `diagnosis`.
    """
    found = diagnosis(release, unit)
    if found is None:
        return show._cannot(NOTHING)
    if not found.by or found.pooled is None:
        return show._cannot(NO_UNITS)
    word = show._lower(show._breakdown(found.by))
    if unit == TEAM and len(release.units()) == 1:
        return show._cannot(f"These results are divided by {word} alone.")
    if found.spots.empty:
        return none_stands_out(found)
    sections = []
    for kind, words in ((HOT, "Worse than elsewhere"), (BRIGHT, "Better than elsewhere")):
        rows = _by_unit(found.spots[found.spots["kind"].eq(kind)])
        if len(rows) > MOST_UNITS:
            left = len(rows) - MOST_UNITS
            rows = [*rows[:MOST_UNITS], [f"{left} more", "on fewer measures", ""]]
        sections += [(words, rows)] if rows else []
    return Table(
        f"What stands out by {word}, {found.year}: on most measures first",
        [show._breakdown(found.by), "Points from the organisation (95% interval)", "Answers"],
        sections,
        notes=[
            "Percentage points, or points of a score from 0 to 10, where higher is better, also "
            "for burnout. Drawn a little towards all units, so that small ones do not stand out "
            "by luck alone; so figures differ from other tables. Tested over all units and "
            "measures together: of twenty spots about one may still be chance."
        ],
        words=(0, 1),
    )


def none_stands_out(found: Diagnosis) -> Sentence:
    """That no unit stands out, of those that can be shown; or that too few of them can be."""
    assert found.pooled is not None
    table = found.pooled.table
    table = table[table["breakdown"].eq(found.by)]
    every = int(table["group"].nunique())
    shown = int(table.loc[table["status"].eq("ok"), "group"].nunique())
    word = show._lower(show._breakdown(found.by))
    if every == 1:
        return show._cannot(f"There is one {word} only, so there is nothing to compare it with.")
    if shown < 2:
        many = "One" if shown else "None"
        return show._cannot(
            f"{many} of {every} {plural(word)} can be shown, so nothing can be said of which stand "
            "out. Try larger units."
        )
    which = (
        f"None of {every} {plural(word)}"
        if shown == every
        else f"None of the {shown} {plural(word)} that can be shown (of {every})"
    )
    return Sentence(
        f"{which} stands out from the rest beyond chance and by enough to matter, for better or "
        "worse."
    )


def without_elements(release: Release) -> Sentence:
    """Why nothing is said of the elements of culture: hidden, or not held at all."""
    if CULTURE in release.topics:
        rows = release[CULTURE].table
        rows = rows[rows["measure"].isin(_ids(ELEMENTS)) & rows["breakdown"].eq(OVERALL)]
        if rows["status"].eq("suppressed").any():
            return show._absent(rows[rows["status"].eq("suppressed")], "The elements of culture")
    return show._cannot(NOTHING)


def _by_unit(found: pd.DataFrame) -> list[list[str]]:
    """A row a unit, with what stands out in it, the surest to be large first."""
    rows = []
    for name, part in found.groupby("group", sort=False):
        named = [_spot(r) for r in show._rows(part)]
        left = len(named) - MOST_MEASURES
        said = named[:MOST_MEASURES] + ([f"{left} more"] if left > 0 else [])
        rows.append((len(named), [str(name), "; ".join(said), f"{part['base'].max():,.0f}"]))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def _spot(row: Row) -> str:
    shown = {**row, "value": row["difference"], "status": "ok"}
    return f"{show._short(row['measure'])} {_points(shown)} ({_span(shown)})"


@says_embargo
def pooled(release: Release, measure: str = "", unit: str = "directorate") -> Block:
    """Chart of units by one measure, drawn towards each other, what stands out marked.

    Parameters
    ----------
    release
        The protected tables.
    measure
        Default: the measure on which most units stand out as worse.
    unit
        As for `diagnosis`.
    """
    found = diagnosis(release, unit)
    if found is None:
        return show._cannot(NOTHING)
    if not found.by or found.pooled is None:
        return show._cannot(NO_UNITS)
    table = found.pooled.table
    shown = table[table["statistic"].eq(POOLED) & table["status"].eq("ok")]
    chosen = measure or _most_spots(found.spots, list(pd.unique(shown["measure"])))
    if not shown["measure"].eq(chosen).any():
        return show._cannot("No unit can be shown.")
    from culture_analytics import plots

    return show._picture(plots.pooled, found.pooled.select(measure=chosen))


def _most_spots(found: pd.DataFrame, measures: Sequence[str]) -> str:
    hot = found.loc[found["kind"].eq(HOT), "measure"]
    if len(hot):
        return str(hot.value_counts().index[0])
    return str(measures[0]) if measures else ""


@says_embargo
def falling(release: Release, unit: str = "directorate") -> Block:
    """Table of units that are worse than the organisation and clearly worse than the year before.

    Parameters
    ----------
    release
        The protected tables.
    unit
        As for `diagnosis`.
    """
    found = diagnosis(release, unit)
    if found is None:
        return show._cannot(NOTHING)
    if not found.by:
        return show._cannot(NO_UNITS)
    if len(release.years) < 2:
        return show._cannot("Only one year is held here, so nothing can be said about change.")
    word = show._lower(show._breakdown(found.by))
    if found.falling.empty:
        return Sentence(
            f"No {word} is both worse than the organisation and clearly worse than the year "
            "before. Only a large fall of one unit would be noticed."
        )
    rows = [
        [str(r["group"]), show._short(r["measure"]),
         _points({**r, "value": r["difference"], "status": "ok"}),
         _points({**r, "value": r["change"], "status": "ok"}), str(r["since"]),
         f"{r['base']:,.0f}"]
        for r in show._rows(found.falling)
    ]  # fmt: skip
    return Table(
        f"Low and falling by {word}, {found.year}",
        [show._breakdown(found.by), "Measure", "Points from the organisation", "Change", "Since",
         "Answers"],
        [("", rows)],
        words=(0, 1),
    )  # fmt: skip


# -- what goes with it, what first ------------------------------------------------------------


@says_embargo
def drivers(release: Release) -> Block:
    """Chart of what goes with each outcome.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None:
        return show._cannot(NOTHING)
    if found.drivers is None:
        return show._cannot(
            "What goes with an outcome can be told from respondents only, and from enough of them."
        )
    held = found.drivers
    single = held._frame["measure"].ne(OUTCOMES).to_numpy(dtype=bool)
    if not single.any():
        return show._cannot("No outcome varies enough to say what goes with it.")
    if held._hidden[single].all():
        return show._cannot(
            "What goes with the outcomes is not shown: their figures of all staff are hidden, so "
            "that those of small groups cannot be worked out."
        )
    if not held._protected.loc[single, "status"].eq("ok").any():
        return show._cannot(
            "Too few people answered all of the questions to say what goes with an outcome."
        )
    from culture_analytics import plots

    return show._picture(plots.drivers, held._rows(single))


@says_embargo
def priorities(release: Release) -> Several:
    """Chart and table of what to look at first, and what to protect.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None or found.priorities.empty:
        return Several([without_elements(release)])
    table = found.priorities
    blocks: list[Block] = []
    chart = _priorities_chart(found)
    if chart is not None:
        blocks.append(chart)
    sections = []
    # Doubts are sentences one after the other; what is said of most elements is said once.
    said = table["doubts"].str.split(r"(?<=[.]) ", regex=True).explode()
    often = _often(said.fillna(""))
    for kind, words in (
        (FIRST, "Look at first"), (PROTECT, "Protect"), (None, "Neither stands out"),
    ):  # fmt: skip
        part = table[table["kind"].eq(kind) if kind else ~table["kind"].isin([FIRST, PROTECT])]
        rows = [[r["area"], _signs(r["reasons"]), _without(r["doubts"], often)]
                for r in show._rows(part)]  # fmt: skip
        sections += [(words, rows)] if rows else []
    blocks.append(
        Table(
            f"What to look at first, {release.about['org_name']}, {found.year}",
            ["Element", "Reasons", "Doubts"],
            sections,
            notes=[
                (
                    "The order is by room: how much of the outcomes goes with an element, times "
                    "how far its score lies under ten."
                    if table["importance"].notna().any()
                    else "The order is by how far the score lies under ten."
                )
                + " It is where to begin talking, not a proof.",
                *(f"To keep in mind: {doubt}" for doubt in often),
            ],
            words=(0, 1, 2),
        )
    )
    return Several(blocks)


def _without(text: str, often: Sequence[str]) -> str:
    for sentence in often:
        text = text.replace(sentence, "")
    return text.strip()


def _priorities_chart(found: Diagnosis) -> Block | None:
    """Importance against performance, where both are known."""
    if found.drivers is None or found.elements is None:
        return None
    if not found.priorities["importance"].notna().any():  # shares are hidden
        return None
    frame = found.elements._frame
    scores = (
        frame["breakdown"].eq(OVERALL) & frame["year"].eq(found.year)
        & frame["measure"].isin(_ids(ELEMENTS))
    ).to_numpy(dtype=bool)  # fmt: skip
    shares = found.drivers._frame
    shares_of = (shares["measure"].eq(OUTCOMES) & shares["breakdown"].eq(ELEMENT)).to_numpy()
    if not scores.any() or not shares_of.any():
        return None
    from culture_analytics import plots

    first = found.priorities.loc[found.priorities["kind"].eq(FIRST), "area"].tolist()
    held = concat([found.drivers._rows(shares_of), found.elements._rows(scores)])
    try:
        return show._picture(plots.priorities, held, outcome=OUTCOMES, first=first)
    except MeasureError:  # too few respondents: no share, or no score, may be shown
        return None


# -- the framework ----------------------------------------------------------------------------


@says_embargo
def conditions(release: Release) -> Block:
    """Table of the framework's five conditions: what the survey sees, says, and cannot show.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None:
        return show._cannot(NOTHING)
    rows = [
        [f"{r['number']}. {r['label']}", str(r["coverage"]).capitalize(), _signs(r["here"]),
         r["cannot_show"], f"{show._capital(str(r['other_evidence']))}."]
        for r in show._rows(found.conditions)
    ]  # fmt: skip
    return Table(
        "The five conditions of Developing People - Improving Care",
        ["Condition", "The survey sees it", "What it says here", "What it cannot show",
         "What else to collect"],
        [("", rows)],
        notes=[
            "Strong: the survey asks about it. Partial: it sees a part. Weak: a stand-in only. "
            "None: it does not ask. A condition that is weak or none gets no score."
        ],
        words=(0, 1, 2, 3, 4),
    )  # fmt: skip


@says_embargo
def concerns(release: Release) -> Several:
    """Chart and findings of stress, bullying, discrimination, and pride and joy in work.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None:
        return Several([show._cannot(NOTHING)])
    ids = [m for c in found.model.concerns.values() for m in c.measures]
    chosen = show._overall(release, "culture", [m for m in ids if m in _held(release)])
    if isinstance(chosen, Sentence):
        return Several([chosen])
    from culture_analytics import plots

    latest = show._latest(chosen)
    title = ", ".join(c.label for c in found.model.concerns.values())
    beside: dict[str, Any] = {"title": title, **show._beside(release, latest)}
    chart = show._picture(plots.measures, latest.drawn(), **beside)
    return Several([chart, findings(release, "concerns")])


@says_embargo
def culture_leaders(release: Release) -> Block:
    """Table of those who stand for leaders beside everyone else.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None:
        return show._cannot(NOTHING)
    if found.leaders is None or found.model.leaders is None:
        return show._cannot("These results do not say who is likely to lead.")
    table = found.leaders.table
    table = table[table["group"].isin(found.model.leaders.groups)]
    if table.empty or not table["status"].eq("ok").any():
        return show._cannot("Too few leaders answered to show anything of them.")
    rows = [
        [show._short(r["measure"]), _points(r), _span(r),
         judge(r) if r["status"] == "ok" else "", show._base(r)]
        for r in show._rows(table)
    ]  # fmt: skip
    groups = ", ".join(found.model.leaders.groups)
    return Table(
        f"{groups} beside everyone else, {found.year}",
        ["Measure", "Points from everyone else", "95% interval", "Reading", "Answers"],
        [("", rows)],
        notes=["Scores run from 0 to 10; higher is better."],
        words=(0, 3),
    )


@says_embargo
def stressors(release: Release) -> Block:
    """Table of the seven stressors by domain of the HSE Management Standards.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None or found.stressors.empty or found.stressors.get("value") is None:
        return show._cannot(NOTHING)
    table = found.stressors[found.stressors["value"].notna()]
    if table.empty:
        held = release[CULTURE].table
        held = held[held["measure"].isin(list(found.stressors["measure"]))]
        hidden = held[held["breakdown"].eq(OVERALL) & held["status"].eq("suppressed")]
        if len(hidden):
            return show._absent(hidden, "The questions on stressors")
        return show._cannot("The questions on stressors are not in these results.")
    changed = bool(table["change"].notna().any())
    rows = []
    for r in show._rows(table):
        row = {**r, "status": "ok", "unit": "percent"}
        cells = [show._capital(r["domain"]), r["label"], show._value(row), show._interval(row)]
        if changed:
            cells.append(_points({**row, "value": r["change"]}))
        rows.append([*cells, show._base(row)])
    heads = ["Domain", "Question", "Favourable answers", "95% interval"]
    heads += ["Change since last year"] if changed else []
    return Table(
        f"Stress at work by domain, {found.year}",
        [*heads, "Answers"],
        [("", rows)],
        notes=[
            "One question of the staff survey a domain of the Management Standards of the Health "
            "and Safety Executive (HSE); the full tool has 35. No cut-offs are given: none exist "
            "for these single questions."
        ],
        words=(0, 1),
    )


# -- the improvement cycle --------------------------------------------------------------------


@says_embargo
def tracker(release: Release, path: str | Path | Tracker | None) -> Several:
    """Table and chart of an improvement tracker: what was said, what is done, what the figure did.

    Parameters
    ----------
    release
        The protected tables.
    path
        The tracker's csv, or a tracker already read; None for none.
    """
    if path is None or (isinstance(path, str) and not path.strip()):
        return Several(
            [
                show._cannot(
                    'No improvement tracker was given. "culture-analytics tracker DIR" writes an '
                    "empty one; fill it in and give its path as tracker."
                )
            ]
        )
    actions = path if isinstance(path, Tracker) else read_tracker(path)
    table = follow_up(actions, release)
    said = [[r["id"], r["said"], r["doing"], r["owner"], show._capital(r["stage"]),
             show._capital(r["status"]), _day(r["started"]), _day(r["review"])]
            for r in show._rows(table)]  # fmt: skip
    blocks: list[Block] = [
        Table(
            "You said, we did",
            ["Action", "You said", "We did", "Owner", "Stage", "Status", "Started", "Review"],
            [("", said)],
            words=tuple(range(8)),
        ),
        Table(
            "What the figures did",
            ["Action", "Figure", "Before", "Now", "Change", "95% interval", "Reading", "Target"],
            [("", [_followed(r) for r in show._rows(table)])],
            notes=[
                "Before: the last survey before the action began. Each reading is of one figure by "
                "itself. A figure that moved after an action did not therefore move because of it."
            ],
            words=(0, 1, 6, 7),
        ),
    ]
    linked = _linked(release, table)
    if linked:
        blocks.append(Points(linked, lead="What the diagnosis says of these now"))
    chart = _tracker_chart(actions, tracked_figures(actions, release))
    return Several([*blocks, *([chart] if chart is not None else [])])


def _linked(release: Release, table: pd.DataFrame) -> list[str]:
    """The findings about the measure and the group of each action."""
    found = diagnosis(release)
    if found is None:
        return []
    said = []
    for action in show._rows(table):
        (column,) = show._names(release, (action["breakdown"],)) or ("",)
        about = found.findings[
            found.findings["measure"].eq(action["measure"])
            & found.findings["breakdown"].eq(column)
            & found.findings["group"].eq(action["group"])
        ]
        said += [f"{action['id']}: {_signs(s)}" for s in about["sentence"]]
    return said


def _tracker_chart(actions: Tracker, held: Estimates | None) -> Block | None:
    if held is None or not held._protected["status"].eq("ok").any():
        return None
    from culture_analytics import plots

    return show._picture(lambda estimates: plots.tracker(estimates, actions), held)


def _followed(row: Row) -> list[str]:
    what = show._short(row["measure"])
    what += "" if row["group"] == "All staff" else f", {row['group']}"
    shown = {"unit": row["unit"], "status": "ok", "measure": row["measure"]}
    sides = []
    for side, year in (("before", "began"), ("after", "now")):
        known = not np.isnan(row[side])
        figure = show._value({**shown, "value": row[side]}) if known else ""
        sides.append(f"{figure} ({row[year]})" if known else figure)
    change = {**shown, "value": row["change"], "lower": row["lower"], "upper": row["upper"]}
    moved = not np.isnan(row["change"])
    aim = "" if np.isnan(row["target"]) else show._value({**shown, "value": row["target"]})
    if aim and row["reached"] and row["began"] is not None:
        aim += {"yes": ": reached", "no": ": not reached"}.get(
            row["reached"], ": reached by the figure, not surely"
        )
    return [
        str(row["id"]), what, *sides, _points(change) if moved else "",
        _span(change) if moved else "", str(row["words"] or show._capital(row["why"])), aim,
    ]  # fmt: skip


def _day(day: Any) -> str:
    return "" if day is None or day is pd.NaT else f"{day:%d/%m/%Y}"


# -- rows -------------------------------------------------------------------------------------


def _by_measure(rows: pd.DataFrame) -> dict[str, Row]:
    return {str(r["measure"]): r for r in show._rows(rows)}


def _held(release: Release) -> set[str]:
    """Measures of the culture tables."""
    return set(release["culture"].unique("measure")) if "culture" in release.topics else set()


def _ids(collection: str) -> list[str]:
    from culture_analytics.instrument import load_instrument

    return list(load_instrument().collections.get(collection, ()))
