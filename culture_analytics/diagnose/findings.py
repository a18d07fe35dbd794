"""Findings: sentences a board can read, each made by a rule from protected figures.

Only guarded words are used: "clearly worse", "clearly better", "no clear difference", "too few to
say". Nothing says why, nothing ranks raw figures of small units, and good news is looked for by the
same rules as bad. Each finding holds the figures it rests on and its doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.diagnose.conditions import here
from culture_analytics.diagnose.driving import ALL_ELEMENTS, ELEMENT, EXPLAINED, SHARE
from culture_analytics.diagnose.held import Held, Row
from culture_analytics.diagnose.hotspots import BRIGHT, HOT, LEAST, spots
from culture_analytics.diagnose.leaving import (
    CHANGES,
    CULTURE,
    DIFFERENCES,
    DRIVERS,
    ITEMS,
    LEADERS,
    QUALITY,
    SPOTS,
)
from culture_analytics.diagnose.model import Condition
from culture_analytics.diagnose.priorities import FIRST, PROTECT
from culture_analytics.diagnose.reliability import ALPHA, READINGS
from culture_analytics.diagnose.wording import (
    BETTER,
    LITTLE,
    SAME,
    TOO_FEW,
    WORSE,
    and_list,
    answers,
    figure,
    interval,
    is_score,
    judge,
    plural,
    points,
    sentence_case,
    way,
)

__all__ = ["COLUMNS", "CONCERN", "NEUTRAL", "STRENGTH", "UNKNOWN", "findings"]

CONCERN, STRENGTH, NEUTRAL, UNKNOWN = "concern", "strength", "neutral", "cannot say"
"""What a finding is: something to look at, something to protect, neither, or not to be told."""

MOST_UNITS = 5
FEW_ANSWERS = 100  # of a unit, under which its size is said to be uncertain
_NAMED = 3  # measures or units named in one sentence

CHANCE = "Changes of a year may be chance; the same staff answered in part in both years."
LEVELS = (
    "Elements hold different questions, so their levels compare only roughly: which is lowest says "
    "where answers are least favourable, not where culture is weakest."
)
WHY = (
    "Units do different work with different staff, which is not allowed for. Why they differ, the "
    "survey cannot tell: talk with the people there first."
)
ENGLAND = "England's figures are as published and weighted, so they compare only roughly."
NO_CAUSE = (
    "The same people answered both on one day. It says what goes together, not what brings it "
    "about, and nothing of what would change if one of them did."
)
OWN_YEAR = "A level by itself is neither good nor bad news: see the comparisons."


@dataclass(frozen=True)
class _Finding:
    """One sentence, its doubt, and the figures it rests on."""

    finding: str  # a name that stays the same from year to year
    kind: str
    topic: str
    measure: str
    breakdown: str
    group: str
    sentence: str
    doubt: str
    statistic: str = ""
    value: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    unit: str = ""
    base: float = np.nan
    reference: str = ""
    p_adjusted: float = np.nan
    table: str = ""  # the topic of the release that the figures stand in


COLUMNS = tuple(f.name for f in fields(_Finding))


def findings(held: Held, *, priorities: pd.DataFrame, falling: pd.DataFrame) -> pd.DataFrame:
    """All findings, in the order a reader asks: where we stand, what changed, where, what first.

    Parameters
    ----------
    held
        Figures.
    priorities, falling
        As in the Diagnosis.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `finding` names it (``"change/burnout"``), the same in every year, so
        that an action can point at it; `kind` is ``concern``, ``strength``, ``neutral`` or
        ``cannot say``; `topic` is ``standing``, ``concerns``, ``changes``, ``england``, ``units``,
        ``falling``, ``drivers``, ``priorities``, ``leaders``, ``quality``, ``conditions`` or
        ``stressors``.
    """
    found = [
        *_standing(held),
        *_concerns(held),
        *_changes(held),
        *_units(held),
        *_falling(held, falling),
        *_drivers(held),
        *_priorities(priorities),
        *_leaders(held),
        *_stressors(held),
        *_quality(held),
        *_conditions(held),
    ]
    return pd.DataFrame([vars(f) for f in found], columns=list(COLUMNS))


def _numbers(row: Row, table: str = "") -> dict[str, Any]:
    """The figures of a row, and the topic they stand in: its own, where it says."""
    keys = ("statistic", "value", "lower", "upper", "unit", "base", "reference", "p_adjusted")
    return {**{k: row[k] for k in keys}, "table": table or row["topic"]}


# -- where we stand ---------------------------------------------------------------------------


def _standing(held: Held) -> Iterator[_Finding]:
    rows = [r for r in (held.figure(m) for m in held.elements) if r is not None]
    if not rows:
        return
    rows.sort(key=lambda r: -r["value"])
    top, bottom = rows[0], rows[-1]
    text = f"{held.name(top['measure'])} scores {figure(top)}."
    if len(rows) > 1:
        text = (
            f"Of {len(rows)} elements of culture {held.name(top['measure'])} scores highest "
            f"({figure(top)}; {interval(top)}) and {held.name(bottom['measure'])} lowest "
            f"({figure(bottom)}; {interval(bottom)}); 10 is best."
        )
    yield _Finding(
        "standing/elements", NEUTRAL, "standing", bottom["measure"], "overall",
        str(bottom["group"]), text, LEVELS, **_numbers(bottom),
    )  # fmt: skip


def _concerns(held: Held) -> Iterator[_Finding]:
    """Stress, bullying, discrimination, pride and joy: level, change, England."""
    for concern in held.model.concerns.values():
        rows = [r for r in (held.figure(m) for m in concern.measures) if r is not None]
        if not rows:
            continue
        said = [f"{held.name(r['measure'])} {figure(r)}{_england(held, r)}" for r in rows]
        lead = rows[0]
        kind, compared = _compared(held, concern.measures)
        yield _Finding(
            f"concerns/{concern.id}", kind, "concerns", lead["measure"], "overall",
            str(lead["group"]),
            f"{concern.label}: {and_list(said)} ({answers(lead)}). {compared}".strip(),
            f"{sentence_case(concern.reason)}. {OWN_YEAR}"
            + (f" {ENGLAND}" if any(held.england(m) for m in concern.measures) else ""),
            **_numbers(lead),
        )  # fmt: skip


def _compared(held: Held, measures: Sequence[str]) -> tuple[str, str]:
    """Kind of a concern's finding, and what its comparisons say."""
    parts = []
    kinds = set()
    if held.earlier is not None:
        readings = {m: judge(c) for m in measures if (c := held.change(m)) is not None}
        moved = [m for m, r in readings.items() if r in (WORSE, BETTER)]
        for measure in moved:
            row = held.change(measure)
            if row is not None:
                words = f"{readings[measure]} than {held.earlier} by {points(row)}"
                parts.append(f"{held.name(measure)} is {words}.")
            kinds.add(readings[measure])
        little = [m for m, r in readings.items() if r == LITTLE]
        if little:
            said = [f"{held.name(m)} {_little(held.change(m))}" for m in little]
            parts.append(f"Since {held.earlier} {and_list(said)}.")
        if any(r == SAME for r in readings.values()) and not moved and not little:
            parts.append(f"{sentence_case(SAME)} since {held.earlier}.")
    beside = {m: r for m in measures if (r := held.beside_england(m)) is not None}
    clear = {m: r for m, r in beside.items() if judge(r) in (WORSE, BETTER)}
    for measure, row in clear.items():
        name = held.name(measure)
        parts.append(f"As published, {name} is {judge(row)} than in England by {points(row)}.")
        kinds.add(judge(row))
    if not clear and any(judge(r) in (SAME, LITTLE) for r in beside.values()):
        parts.append(f"As published, {SAME} of note from England.")
    kind = CONCERN if WORSE in kinds else STRENGTH if BETTER in kinds else NEUTRAL
    return kind, " ".join(parts)


def _little(row: Row | None) -> str:
    """A clear change that is small."""
    if row is None:
        return ""
    word = "better" if row["value"] * way(row["measure"]) > 0 else "worse"
    return f"is slightly {word} ({points(row)})"


def _england(held: Held, row: Row) -> str:
    """England's published figure of the same measure and year, in brackets."""
    there = held.england(row["measure"])
    return "" if there is None else f" (England {figure(there)})"


# -- what changed -----------------------------------------------------------------------------


def _changes(held: Held) -> Iterator[_Finding]:
    """Elements and outcomes since the year before: one sentence for each way."""
    if held.earlier is None:
        return
    names = [*held.elements, *held.outcomes]
    rows = [r for r in (held.change(m) for m in dict.fromkeys(names)) if r is not None]
    if not rows:
        return
    by_reading: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: -abs(r["value"]) / LEAST[_scale(r)]):
        by_reading.setdefault(judge(row), []).append(row)
    for reading, kind in ((WORSE, CONCERN), (BETTER, STRENGTH)):
        for row in by_reading.get(reading, []):
            yield _Finding(
                f"changes/{row['measure']}", kind, "changes", row["measure"], "overall",
                str(row["group"]),
                f"{held.name(row['measure'])} is {reading} than in {held.earlier}: "
                f"{_from_to(held, row)}, a change of {points(row)} "
                f"({interval(row, size=True)}).",
                CHANCE, **_numbers(row, CHANGES),
            )  # fmt: skip
    yield from _little_or_none(held, by_reading)


def _scale(row: Row) -> str:
    return "score" if is_score(row) else "percent"


def _from_to(held: Held, row: Row) -> str:
    now = held.figure(row["measure"])
    before = held.figure(row["measure"], held.earlier)
    if now is None or before is None:
        return f"{row['value']:+.1f}"
    return f"from {figure(before)} to {figure(now)}"


def _little_or_none(held: Held, by_reading: dict[str, list[Row]]) -> Iterator[_Finding]:
    """Those that changed by little, and those that did not clearly change, in one sentence each."""
    little = by_reading.get(LITTLE, [])
    for sign, word in ((-1, "worse"), (1, "better")):
        rows = [r for r in little if np.sign(r["value"]) * way(r["measure"]) == sign]
        if rows:
            said = [f"{held.name(r['measure'])} by {points(r)}" for r in rows]
            yield _Finding(
                f"changes/slightly-{word}", NEUTRAL, "changes", rows[0]["measure"], "overall",
                str(rows[0]["group"]),
                f"Slightly {word} than in {held.earlier}, beyond what chance would give but by "
                f"little: {and_list(said)}.",
                "A change this small is hard to notice at work; watch whether it goes on.",
                **_numbers(rows[0], CHANGES),
            )  # fmt: skip
    same = by_reading.get(SAME, [])
    if same:
        said = [held.name(r["measure"]) for r in same]
        yield _Finding(
            "changes/none", NEUTRAL, "changes", same[0]["measure"], "overall",
            str(same[0]["group"]),
            f"{sentence_case(SAME)} since {held.earlier} in {and_list(said)}.",
            "That no difference is clear does not prove that there is none.",
            **_numbers(same[0], CHANGES),
        )  # fmt: skip


# -- where ------------------------------------------------------------------------------------


def _units(held: Held) -> Iterator[_Finding]:
    if not held.by:
        return
    pooled = held.estimates(SPOTS)
    rows = held.rows(SPOTS)
    shown = rows[rows["breakdown"].eq(held.by) & rows["status"].eq("ok")]
    if pooled is None or shown.empty:
        return
    every = spots(pooled)
    every = every[every["breakdown"].eq(held.by)]
    units = int(shown["group"].nunique())
    tested = int(shown["measure"].nunique())
    for kind, reading, word in ((CONCERN, HOT, WORSE), (STRENGTH, BRIGHT, BETTER)):
        groups = _mostly(every, reading)
        for group in groups[:MOST_UNITS]:
            yield _unit(held, every[every["group"].eq(group)], kind, reading, tested)
        if len(groups) > MOST_UNITS:
            yield _Finding(
                f"units/{held.by}/more-{word.split()[-1]}", kind, "units", "", held.by, "",
                f"{sentence_case(word)} than the organisation on at least one measure, too: "
                f"{and_list(groups[MOST_UNITS:], most=8)}.",
                WHY, table=SPOTS,
            )  # fmt: skip
    if every.empty and units == 1:
        yield _Finding(
            f"units/{held.by}/none", UNKNOWN, "units", "", held.by, "",
            f"Only one {held.by} can be shown, so nothing is said of where.",
            "It is not compared with any other.", table=SPOTS,
        )  # fmt: skip
    elif every.empty:
        yield _Finding(
            f"units/{held.by}/none", NEUTRAL, "units", "", held.by, "",
            f"None of {units} {plural(held.by)} stands out beyond chance on any of {tested} "
            "measures.",
            "Small units can differ without it being noticed: that none stands out does not prove "
            "that all are alike.",
            table=SPOTS,
        )  # fmt: skip


def _mostly(every: pd.DataFrame, reading: str) -> list[str]:
    """Units that stand out this way on more measures than the other, the surest first.

    As many both ways: where the surest of them is listed first.
    """
    found = []
    for group in dict.fromkeys(every.loc[every["kind"].eq(reading), "group"]):
        kinds = every.loc[every["group"].eq(group), "kind"]
        mine = int(kinds.eq(reading).sum())
        if 2 * mine > len(kinds) or (2 * mine == len(kinds) and kinds.iloc[0] == reading):
            found.append(str(group))
    return found


def _unit(held: Held, rows: pd.DataFrame, kind: str, reading: str, tested: int) -> _Finding:
    """One unit: on how many measures it stands out, the surest in figures, the others by name."""
    word, contrary = (WORSE, BETTER) if reading == HOT else (BETTER, WORSE)
    mine, other = rows[rows["kind"].eq(reading)], rows[rows["kind"].ne(reading)]
    first = mine.iloc[0]
    group, base = str(first["group"]), float(first["base"])
    text = f"{group} is {word} than the organisation on {len(mine)} of {tested} measures."
    text += f" {first['reason']}."
    names = [held.name(m) for m in mine["measure"].iloc[1:]]
    if names:
        text += f" Also {word} on {and_list(names, most=_NAMED)}."
    if len(other):
        names = [held.name(m) for m in other["measure"]]
        text += f" It is {contrary} on {and_list(names, most=_NAMED)}."
    few = f"{base:,.0f} answers only, so how large it is, is uncertain. "
    return _Finding(
        f"units/{held.by}/{group}", kind, "units", str(first["measure"]), held.by, group, text,
        f"{few if base < FEW_ANSWERS else ''}{WHY}",
        statistic="pooled_difference", value=float(first["difference"]),
        lower=float(first["lower"]), upper=float(first["upper"]), unit="points",
        base=base, reference="all", p_adjusted=float(first["p_adjusted"]), table=SPOTS,
    )  # fmt: skip


def _falling(held: Held, falling: pd.DataFrame) -> Iterator[_Finding]:
    if held.earlier is None or not held.by or held.rows(SPOTS).empty:
        return
    if falling.empty:
        yield _Finding(
            f"falling/{held.by}/none", NEUTRAL, "falling", "", held.by, "",
            f"No {held.by} is both worse than the organisation and clearly worse than in "
            f"{held.earlier}.",
            "Only a large fall of a single unit would be noticed, the more so the smaller it is.",
            table=CHANGES,
        )  # fmt: skip
        return
    for group, rows in falling.groupby("group", sort=False, observed=True):
        first = rows.iloc[0]
        said = [
            f"{held.name(m)} by {abs(change):.{1 if _is_score(m) else 0}f} points"
            for m, change in zip(rows["measure"], rows["change"], strict=True)
        ]
        yield _Finding(
            f"falling/{held.by}/{group}", CONCERN, "falling", str(first["measure"]), held.by,
            str(group),
            f"{group} is worse than the organisation, and {WORSE} than in {held.earlier}: "
            f"{and_list(said, most=_NAMED)}.",
            f"{CHANCE} {WHY}",
            statistic="difference", value=float(first["change"]), unit="points",
            base=float(first["base"]), reference=str(first["since"]), table=CHANGES,
        )  # fmt: skip


# -- what goes with it, and what first --------------------------------------------------------


def _is_score(measure: str) -> bool:
    return is_score({"measure": measure, "unit": ""})


def _drivers(held: Held) -> Iterator[_Finding]:
    rows = held.rows(DRIVERS)
    for outcome in held.model.set_against:
        mine = rows[
            rows["measure"].eq(outcome.measure) & rows["breakdown"].eq(ELEMENT)
            & rows["status"].eq("ok")
        ]  # fmt: skip
        shares = mine[mine["statistic"].eq(SHARE)].sort_values("value", ascending=False)
        explained = mine[mine["statistic"].eq(EXPLAINED) & mine["group"].eq(ALL_ELEMENTS)]
        if shares.empty or explained.empty:
            continue
        top: Any = shares.iloc[0].to_dict()
        limits = "" if np.isnan(top["lower"]) else f" ({interval(top)})"
        rivals = shares[shares["upper"].ge(top["lower"])]["group"].tolist()[1:]
        tied = f", not clearly more than {and_list(rivals)}" if rivals else ""
        yield _Finding(
            f"drivers/{outcome.id}", NEUTRAL, "drivers", outcome.measure, ELEMENT,
            str(top["group"]),
            f"{outcome.label}: of the elements, {top['group']} goes with it most{tied}: "
            f"{top['value']:.0f} %{limits} of what all elements explain, which is "
            f"{explained['value'].iloc[0]:.0f} % of the differences between people.",
            NO_CAUSE,
            **_numbers(top, DRIVERS),
        )  # fmt: skip


def _priorities(table: pd.DataFrame) -> Iterator[_Finding]:
    records: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    for row in records:
        if row["kind"] not in (FIRST, PROTECT):
            continue
        kind, lead = (
            (CONCERN, "Look at first")
            if row["kind"] == FIRST
            else (STRENGTH, "A strength to protect")
        )
        yield _Finding(
            f"priorities/{row['measure']}", kind, "priorities", row["measure"], "overall", "",
            f"{lead}: {row['area']}. {row['reasons']}", row["doubts"],
            statistic="score", value=row["score"], lower=row["score_lower"],
            upper=row["score_upper"], unit="score", table=CULTURE,
        )  # fmt: skip


# -- leaders, stressors, quality, conditions --------------------------------------------------


def _leaders(held: Held) -> Iterator[_Finding]:
    leaders = held.model.leaders
    if leaders is None or held.release.rule.rounds:
        return
    figures = held.rows(LEADERS)
    figures = figures[figures["breakdown"].eq(leaders.breakdown)]
    if figures.empty:
        return  # published results, or an extract without that question
    rows = [r for r in held.leaders() if r["measure"] in (*leaders.measures, *held.elements)]
    if not rows and figures.loc[figures["group"].isin(leaders.groups), "status"].eq("ok").any():
        return  # published figures, which are not compared
    groups = and_list(list(leaders.groups))
    by_reading: dict[str, list[Row]] = {}
    for row in rows:
        by_reading.setdefault(judge(row), []).append(row)
    doubt = f"{sentence_case(leaders.reason)}."
    clear = [r for word in (WORSE, BETTER) for r in by_reading.get(word, [])]
    if not rows or len(by_reading.get(TOO_FEW, [])) == len(rows):
        yield _Finding(
            "leaders/none", UNKNOWN, "leaders", "", leaders.breakdown, groups,
            f"{leaders.label}: {TOO_FEW} ({groups}).", doubt, table=LEADERS,
        )  # fmt: skip
        return
    for word, kind in ((WORSE, CONCERN), (BETTER, STRENGTH)):
        mine = by_reading.get(word, [])
        if mine:
            said = [f"{held.name(r['measure'])} by {points(r)}" for r in mine]
            yield _Finding(
                f"leaders/{word.split()[-1]}", kind, "leaders", mine[0]["measure"],
                leaders.breakdown, groups,
                f"{leaders.label} ({groups}, {answers(mine[0])}): {word} than everyone else on "
                f"{and_list(said, most=6)}.", doubt, **_numbers(mine[0], DIFFERENCES),
            )  # fmt: skip
    if not clear:
        row = rows[0]
        yield _Finding(
            "leaders/same", NEUTRAL, "leaders", row["measure"], leaders.breakdown, groups,
            f"{leaders.label} ({groups}): {SAME} from everyone else on {len(rows)} measures.",
            doubt, **_numbers(row, DIFFERENCES),
        )  # fmt: skip


def _stressors(held: Held) -> Iterator[_Finding]:
    bridge = held.model.bridge
    if bridge is None:
        return
    rows = [(d, r) for d, i in bridge.domains.items() if (r := held.figure(i)) is not None]
    if 2 * len(rows) <= len(bridge.domains):  # the fewest of a few say nothing of the others
        return
    rows.sort(key=lambda pair: pair[1]["value"])
    said = [f"{domain.replace('_', ' ')} {figure(row)}" for domain, row in rows[:2]]
    yield _Finding(
        "stressors/lowest", NEUTRAL, "stressors", rows[0][1]["measure"], "overall",
        str(rows[0][1]["group"]),
        f"Of {len(rows)} kinds of stressor the fewest favourable answers are on {and_list(said)}.",
        "One question a kind, with different wordings, so the order is a pointer only: the full "
        "Management Standards tool has 35 questions and cut-offs.",
        **_numbers(rows[0][1]),
    )  # fmt: skip


def _quality(held: Held) -> Iterator[_Finding]:
    rows = held.rows(QUALITY)
    rows = rows[
        rows["statistic"].eq(ALPHA) & rows["breakdown"].eq("overall") & rows["year"].eq(held.year)
        & rows["measure"].isin(held.elements) & rows["status"].eq("ok")
    ]  # fmt: skip
    if rows.empty:
        return
    good = [words for _, words in READINGS[:2]]
    bad = rows[~rows["method"].isin(good)]
    for row in bad.to_dict("records"):
        yield _Finding(
            f"quality/{row['measure']}", UNKNOWN, "quality", str(row["measure"]), "overall", "",
            f"{held.name(str(row['measure']))}: {row['method']}.",
            "A score stands for its questions only where answers to these go together (Cronbach's "
            f"alpha {row['value']:.2f}).",
            **_numbers({str(k): v for k, v in row.items()}, QUALITY),
        )  # fmt: skip
    fine = rows[rows["method"].isin(good)]
    if len(fine):
        every = "all" if bad.empty else f"{len(fine)} of {len(rows)}"
        low = fine["value"].min()
        yield _Finding(
            "quality/elements", NEUTRAL, "quality", "", "overall", "",
            f"The questions of {every} elements hold together here, so that their scores may be "
            "read.",
            "Which questions make an element is this project's proposal. Cronbach's alpha is "
            f"{low:.2f} or more.",
            statistic=ALPHA, value=float(low), table=QUALITY,
        )  # fmt: skip


def _conditions(held: Held) -> Iterator[_Finding]:
    for condition in held.model.conditions.values():
        if condition.scored:
            yield from _scored(held, condition)
            continue
        sees = "does not ask about" if condition.coverage == "none" else "hardly sees"
        yield _Finding(
            f"conditions/{condition.id}", UNKNOWN, "conditions", "", "", "",
            f"Condition {condition.number}, {_lower(condition.label)}: the survey {sees} this, so "
            f"it gets no score. Collect instead: {'; '.join(condition.other_evidence)}.",
            condition.cannot_show, table=ITEMS,
        )  # fmt: skip


def _scored(held: Held, condition: Condition) -> Iterator[_Finding]:
    """What the strongest evidence of a condition says, and what it leaves out."""
    said = here(held, condition)
    if not said:
        return
    first = held.figure(said[0][0])
    if first is None:
        return
    changes = [
        c
        for e in condition.evidence
        for m in (*e.measures, *e.items)
        if (c := held.change(m)) is not None and judge(c) != TOO_FEW
    ]
    moved = [
        f"{held.name(c['measure'])} is {judge(c)} than in {held.earlier} by {points(c)}"
        for c in changes
        if judge(c) in (WORSE, BETTER)
    ]
    change = f" {sentence_case(SAME)} of note since {held.earlier}." if changes else ""
    if moved:
        change = f" {and_list(list(dict.fromkeys(moved)), most=_NAMED)}."
    yield _Finding(
        f"conditions/{condition.id}", NEUTRAL, "conditions", str(first["measure"]), "overall",
        str(first["group"]),
        f"Condition {condition.number}, {_lower(condition.label)}: the survey sees part of it. "
        f"{and_list([words for _, words in said])}.{change}",
        f"Not seen: {_lower(condition.cannot_show)} Collect too: "
        f"{'; '.join(condition.other_evidence)}.",
        **_numbers(first),
    )  # fmt: skip


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
