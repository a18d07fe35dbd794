"""What the two pages for a board show: short, bounded lists, each made by a rule.

Like `culture_analytics.output.show`, whose names these are too. Every list has a most, so that the
two pages stay two pages whatever the data; what is left out is counted and stands in the report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.compare.groups import CLEAR, compare_groups, verdict
from culture_analytics.compare.leaving import CHANGES
from culture_analytics.compare.organisations import better
from culture_analytics.diagnose.diagnosis import Diagnosis
from culture_analytics.diagnose.findings import CONCERN, UNKNOWN
from culture_analytics.diagnose.hotspots import BRIGHT, HOT, LEAST
from culture_analytics.diagnose.priorities import FIRST, PROTECT
from culture_analytics.diagnose.wording import BETTER, LITTLE, WORSE, and_list, judge
from culture_analytics.disclosure.release import Release
from culture_analytics.errors import MeasureError
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.instrument import load_instrument
from culture_analytics.output import show
from culture_analytics.output.blocks import Block, Points, Sentence, Several, Table, says_embargo
from culture_analytics.output.show_diagnosis import (
    NO_UNITS,
    NOTHING,
    _signs,
    diagnosis,
    none_stands_out,
    without_elements,
)
from culture_analytics.output.show_trends import ONE_YEAR, _latest_pair, _points, _span

__all__ = [
    "board_changes",
    "board_first",
    "board_groups",
    "board_standing",
    "board_sure",
    "board_where",
]

# The one measure of each worry that groups are compared on: the first that is held.
WORRIES = (
    ("stress", ("work_related_stress",)),
    ("bullying", ("hba_staff", "hba_managers")),
    ("discrimination", ("discrimination_staff", "discrimination_any")),
)
LOWEST = "Least favourable answers: "  # how the reasons of a priority name its questions
MOST_GROUPS = 7
MOST_UNITS = {HOT: 5, BRIGHT: 3}
MOST_CHANGES = 3  # sentences on culture
MOST_FIRST = 3
MOST_QUESTIONS = 2  # of an element to look at first
MOST_MEASURES = 3  # named of one unit
MOST_WORRIES = 2  # sentences on stress, and so on
MOST_NAMED = 4  # measures named in one sentence

Row = dict[str, Any]


@says_embargo
def board_standing(release: Release) -> Block:
    """Chart of the headline measures, England beside them where known.

    Parameters
    ----------
    release
        The protected tables.
    """
    return show.headline(release, "headline")


@says_embargo
def board_changes(release: Release) -> Block:
    """What became clearly better or worse since the year before, in a few sentences.

    Parameters
    ----------
    release
        The protected tables.
    """
    if CHANGES not in release.topics:
        return show._cannot(ONE_YEAR)
    table = release[CHANGES].table
    wanted = [m.id for m in load_instrument().resolve_measures(["headline", "people_promise"])]
    held = table[
        table["org"].eq(release.about["org"]) & table["breakdown"].eq(OVERALL)
        & table["measure"].isin(wanted) & table["statistic"].eq("difference")
    ]  # fmt: skip
    if held.empty:
        return show._cannot("None of these figures is held in two years.")
    later, earlier = _latest_pair(held)
    pair = held[held["year"].eq(later) & held["reference"].eq(earlier) & held["status"].eq("ok")]
    if pair.empty:
        return show._cannot(f"No figure of {later} can be compared with {earlier}.")
    way = better(pair["measure"]) * np.sign(pair["value"].to_numpy(dtype=float))
    # In the words of the diagnosis, which stand below: a change beyond chance may be little.
    reading = pd.Series([judge(r) for r in show._rows(pair)], index=pair.index)
    large, little = reading.isin([BETTER, WORSE]), reading.eq(LITTLE)
    points = []
    for words, chosen in (
        ("Clearly better", large & (way > 0)), ("Clearly worse", large & (way < 0)),
        ("Slightly better", little & (way > 0)), ("Slightly worse", little & (way < 0)),
    ):  # fmt: skip
        named = [f"{show._short(r['measure'])} ({_points(r)} points)"
                 for r in show._rows(pair[chosen])]  # fmt: skip
        if named:
            points.append(f"{words} than in {earlier}: {and_list(named, most=MOST_NAMED)}.")
    every = f"{len(pair)} headline figures and scores"
    if points:
        points.append(f"{int((~(large | little)).sum())} of {every} did not change beyond chance.")
    else:
        points.append(f"None of {every} changed beyond chance since {earlier}.")
    found = diagnosis(release)
    if found is not None:
        table = found.findings
        changes = table[table["topic"].eq("changes") & table["kind"].ne(UNKNOWN)]
        said = [_signs(s) for s in changes["sentence"][:MOST_CHANGES]]
        points += [f"Elements of culture and their outcomes: {show._lower(s)}" for s in said]
    return Points(points)


@says_embargo
def board_groups(release: Release) -> Block:
    """Table of the protected groups for whom stress, bullying or discrimination is clearly worse.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = [g for topic, names in WORRIES for g in _gaps(release, topic, names)]
    if not found:
        protected = {b for t, _ in WORRIES if t in release.topics for b in release.breakdowns(t)}
        if protected & set(_protected()):
            return show._cannot(
                "No two equality groups of a pair to compare can be shown: too few people answered."
            )
        return show._cannot("These results are not divided by equality groups.")
    worse = sorted((g for g in found if g["worse"]), key=lambda g: -g["far"])
    if not worse:
        return Sentence(
            f"{len(found)} {'comparison' if len(found) == 1 else 'comparisons'} of equality groups "
            "could be made; the others are hidden or not in these results. None shows that stress, "
            "bullying or discrimination is clearly worse for a group. That does not prove that it "
            "is not: small groups seldom show a clear difference."
        )
    rows = [
        [str(g["group"]), show._short(g["measure"]), g["here"], str(g["reference"]), g["there"],
         f"{_points(g)}\n{_span(g)}"]
        for g in worse[:MOST_GROUPS]
    ]  # fmt: skip
    left = len(worse) - len(rows)
    more = f" {left} more stand in the report." if left > 0 else ""
    return Table(
        f"For whom it is clearly worse, {release.about['org_name']}, {worse[0]['year']}",
        [
            "Group",
            "Measure",
            "Figure\nanswers",
            "Compared with",
            "Figure\nanswers",
            "Points apart\n95% interval",
        ],
        [("", rows)],
        notes=[
            f"{len(worse)} of {len(found)} comparisons are clearly worse for the group, furthest "
            f"first.{more} One characteristic at a time, not adjusted for the work people do."
        ],
        words=(0, 1, 3),
    )


def _protected() -> list[str]:
    """Breakdowns by protected characteristic."""
    known = load_instrument().breakdowns
    return [b for b in known if known[b].characteristic and "equality" in known[b].sets]


def _gaps(release: Release, topic: str, names: Sequence[str]) -> list[Row]:
    """Gaps of one measure by protected characteristic, latest year."""
    measure = show.first_held(release, topic, names)
    if isinstance(show._overall(release, topic, [measure]), Sentence):
        return []
    protected = _protected()
    held = release[topic]
    frame = held._protected
    keep = (
        frame["measure"].eq(measure) & frame["org"].eq(release.about["org"])
        & frame["breakdown"].isin([OVERALL, *protected])
    )  # fmt: skip
    keep &= frame["year"].eq(frame.loc[keep & frame["status"].eq("ok"), "year"].max())
    chosen = held._rows(keep.to_numpy(dtype=bool))
    if len(chosen) < 2:
        return []
    try:
        gaps = compare_groups(chosen)
    except MeasureError:
        return []
    table = gaps.table.assign(verdict=verdict(gaps))
    figures = {
        (r["breakdown"], r["group"]): show._with_answers(r) for r in show._rows(chosen.table)
    }
    way = int(better(pd.Series([measure]))[0])
    found = []
    for row in show._rows(table[table["status"].eq("ok")]):
        gap = float(row["value"])
        found.append(
            {
                **row,
                "here": figures.get((row["breakdown"], row["group"]), ""),
                "there": figures.get((row["breakdown"], row["reference"]), ""),
                "worse": row["verdict"] == CLEAR and way * gap < 0,
                "far": abs(gap),
            }
        )
    return found


@says_embargo
def board_where(release: Release) -> Several:
    """The units that stand out, worse and better, a sentence each.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None:
        return Several([show._cannot(NOTHING)])
    if not found.by or found.pooled is None:
        return Several([show._cannot(NO_UNITS)])
    blocks: list[Block] = []
    for kind, lead in ((HOT, "Worse than elsewhere"), (BRIGHT, "Better than elsewhere")):
        units = found.spots[found.spots["kind"].eq(kind)].groupby("group", sort=False)
        said = [_unit_spots(str(name), show._rows(part)) for name, part in units]
        # Most measures first; among equals the surest, as they come.
        said.sort(key=lambda pair: -pair[0])
        most = MOST_UNITS[kind]
        items = [text for _, text in said[:most]]
        if len(said) > most:
            items.append(f"{len(said) - most} more: see the report.")
        if items:
            blocks.append(Points(items, lead=lead))
    if not blocks:
        blocks.append(none_stands_out(found))
    return Several(blocks)


def _unit_spots(name: str, rows: Sequence[Row]) -> tuple[int, str]:
    named = [
        f"{show._short(r['measure'])} ({_points({**r, 'value': r['difference'], 'status': 'ok'})})"
        for r in rows[:MOST_MEASURES]
    ]
    if len(rows) > MOST_MEASURES:
        named.append(f"{len(rows) - MOST_MEASURES} more")
    answers = max(r["base"] for r in rows)
    return len(rows), f"{name} (up to {answers:,.0f} answers): {and_list(named)}."


@says_embargo
def board_first(release: Release) -> Several:
    """What to look at first and what to protect, with reasons and doubts.

    Parameters
    ----------
    release
        The protected tables.
    """
    found = diagnosis(release)
    if found is None or found.priorities.empty:
        return Several([without_elements(release)])
    table = found.priorities
    word = show._lower(show._breakdown(found.by)) if found.by else "unit"
    first = show._rows(table[table["kind"].eq(FIRST)])
    said = [_priority(r, word) for r in first[:MOST_FIRST]]
    blocks: list[Block] = [Points(said, lead="Look at first", numbered=True)]
    worries = _worries(found)
    if worries:
        blocks.append(Points(worries, lead="And of the worries that the framework names"))
    notes = []
    if len(first) > MOST_FIRST:
        others = and_list([str(r["area"]) for r in first[MOST_FIRST:]])
        notes.append(f"Not clearly behind these: {others}.")
    kept = [str(r["area"]) for r in show._rows(table[table["kind"].eq(PROTECT)])]
    if kept:
        notes.append(f"Protect what works: {and_list(kept)}.")
    if table["importance"].notna().any():
        outcomes = and_list([o.label.lower() for o in found.model.set_against])
        notes.append(
            f"Share: of what the elements of culture together explain of {outcomes}, the part that "
            f"goes with this one ({100 / len(table):.0f}% if all were alike). It goes with them; "
            "that it brings them about is not shown."
        )
    return Several([*blocks, Sentence(" ".join(notes))] if notes else blocks)


def _worries(found: Diagnosis) -> list[str]:
    """Stress, bullying and discrimination where clearly worse than England or the year before.

    Elements are all that priorities weigh; a concern of the framework has no share to be weighed.
    """
    table = found.findings
    own = table[table["topic"].eq("concerns") & table["kind"].eq(CONCERN)]
    worse = []
    for sentence in own["sentence"]:
        label, _, rest = str(sentence).partition(":")
        said = [s for s in re.split(r"(?<=[.]) ", rest) if f" is {WORSE} than " in s]
        left = len(said) - MOST_WORRIES
        said = [s.strip() for s in said[:MOST_WORRIES]]
        said += [f"{left} more: see the report."] if left > 0 else []
        if said:
            worse.append(_signs(f"{label}: {' '.join(said)}"))
    return worse


def _priority(row: Row, word: str) -> str:
    """One element in a sentence: its score, what goes with it, and where it is worse."""
    said = f"{row['area']}: scores {row['score']:.1f} of 10"
    if not np.isnan(row["importance"]):
        said += f"; share {row['importance']:.0f}%"
        if not np.isnan(row["importance_lower"]):
            said += f" ({row['importance_lower']:.0f} to {row['importance_upper']:.0f})"
    if abs(row["change"]) >= LEAST["score"] and row["change_reading"]:
        said += f"; {row['change_reading']} since last year ({row['change']:+.1f})"
    if row["units_worse"]:
        several = f"{word}s" if row["units"] != 1 else word
        said += f"; clearly worse in {row['units_worse']} of {row['units']} {several}"
    lowest = [t for t in str(row["reasons"]).partition(LOWEST)[2].rstrip(".").split("; ") if t]
    if lowest:
        named = and_list([_signs(text) for text in lowest[:MOST_QUESTIONS]])
        said += f". Least favourable: {named}"
    return f"{said}."


@says_embargo
def board_sure(release: Release) -> Points:
    """How sure all this is: who answered, what is hidden, what the survey cannot see.

    Parameters
    ----------
    release
        The protected tables.
    """
    points = [_who_answered(release), _hidden(release)]
    found = diagnosis(release)
    if found is not None:
        table = found.findings
        quality = table[table["topic"].eq("quality")]["sentence"].tolist()
        points += [_signs(s) for s in quality[:2]]
        blind = table[table["topic"].eq("conditions") & table["kind"].eq(UNKNOWN)]
        if len(blind):
            numbers = [str(c["number"]) for c in show._rows(found.conditions) if not c["scored"]]
            points.append(
                "Of the five conditions of Developing People - Improving Care the survey sees "
                f"{and_list(numbers)} hardly or not at all: other evidence is needed."
            )
        points += list(found.notes[:2])
    points.append(
        "Differences called clear are beyond chance, allowing for how many were looked at. None "
        "says why: the survey shows what goes together, not what brings it about."
    )
    return Points([p for p in points if p])


def _who_answered(release: Release) -> str:
    if release.about["kind"] == "published":
        return (
            "These are published results: their intervals come from the number of answers alone "
            "and are probably too narrow."
        )
    counts = release.about.get("respondents") or {}
    last = counts.get(str(release.years[-1]))
    many = f"{last:,} people" if last else "Few people"
    return (
        f"{many} answered in {release.years[-1]}. Those who did not may see things differently; "
        "the intervals take them to be alike."
    )


def _hidden(release: Release) -> str:
    counts = release.hidden()
    hidden, shown = counts.get("suppressed", 0), counts.get("ok", 0)
    if not hidden:
        return ""
    return (
        f"{hidden:,} of {hidden + shown:,} figures in all tables are hidden to protect people, so "
        "a small unit may stand out unseen."
    )
