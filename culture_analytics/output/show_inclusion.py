"""What notebooks show of inclusion: gaps between groups, intersections, grounds, what is asked.

Like `culture_analytics.output.show`, whose names these are too: each gives a picture, a table or
a plain sentence, and says why where the data cannot answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.compare.groups import CLEAR, TOO_FEW, verdict
from culture_analytics.compare.sides import FEW
from culture_analytics.disclosure.release import Release
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.errors import MeasureError
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.estimates import Estimates, concat
from culture_analytics.experience import equality_coverage, experience_ladder
from culture_analytics.inclusion_leaving import CROSSINGS, FIGURES, GAPS, INTERSECTIONS
from culture_analytics.instrument import load_instrument
from culture_analytics.intersectional import CROSSING_SHARES, LESS, MORE, crossing_sentence
from culture_analytics.output import show
from culture_analytics.output.blocks import Block, Sentence, Several, Table, says_embargo
from culture_analytics.output.show_standards import gap_text
from culture_analytics.standards import STANDARDS, inclusion_settings

__all__ = [
    "clear_gaps",
    "coverage",
    "gaps",
    "grounds_by_group",
    "intersections",
    "ladder",
    "not_said",
]

Row = dict[str, Any]

MOST_GAPS = 8  # listed of one question
NO_GAPS = "These results are not divided by the characteristics that staff are asked about."
NO_FIRST_STEP = (
    "How many experienced it from anyone needs an extract: published percentages cannot be added, "
    "as some people met it from several sides."
)
NO_CROSSINGS = (
    "Combinations of characteristics can only be looked at in an extract: published results split "
    "staff in one way at a time."
)


# -- what is asked ------------------------------------------------------------------------------


@says_embargo
def coverage(release: Release) -> Table:
    """Table of the nine protected characteristics: measured, as a ground only, or not at all.

    Parameters
    ----------
    release
        The protected tables.
    """
    year = max(release.years)
    known = load_instrument().breakdowns
    rows = []
    for r in show._rows(equality_coverage(year)):
        by = [known[b].label for b in str(r["breakdowns"]).split(", ") if b in known]
        by = [label for label in by if "(" not in label]
        rows.append(
            [
                show._capital(r["characteristic"]),
                show._capital(r["coverage"]),
                ", ".join(by),
                r["grounds"],
                show._capital(_plain_notes(r["note"])),
            ]
        )
    return Table(
        f"The nine protected characteristics of the Equality Act 2010 in the survey of {year}",
        ["Characteristic", "In the survey", "Staff are split by", "Ground of discrimination",
         "To keep in mind"],
        [("", rows)],
        notes=["'As a ground only': staff may name it as a reason for discrimination, but do not "
               "say whether it is true of them, so groups cannot be compared."],
        words=(0, 1, 2, 3, 4),
    )  # fmt: skip


def _plain_notes(note: str) -> str:
    """Notes for readers: those on how this project groups answers are left out."""
    out = ("census groups", "for crossings")
    return "; ".join(n for n in note.split("; ") if not n.startswith(out))


@says_embargo
def not_said(release: Release) -> Block:
    """Table of how many chose "prefer not to say", by characteristic, latest year.

    Parameters
    ----------
    release
        The protected tables.
    """
    instrument = load_instrument()
    rows, year, named, shown = [], 0, "", []
    for breakdown in instrument.breakdown_ids("equality"):
        out = [g.label for g in instrument.breakdowns[breakdown].groups if not g.contrast]
        if not out:
            continue
        for topic in ("stress", "bullying", "discrimination"):
            found = _measure_split(release, topic, breakdown)
            if found is not None:
                break
        else:
            continue
        year, named = int(found["year"].iloc[0]), show._short(str(found["measure"].iloc[0]))
        whole = found.loc[found["breakdown"].eq(OVERALL), "base"]
        part = found[found["breakdown"].eq(breakdown) & found["group"].isin(out)]
        for r in show._rows(part):
            share = ""
            if r["status"] == "ok" and len(whole) and whole.iloc[0] > 0:
                share = f"{100 * r['base'] / whole.iloc[0]:.1f}%"
            symbol = show._base(r) or SYMBOLS.get(str(r["status"]), "")
            rows.append([instrument.breakdowns[breakdown].label, str(r["group"]), symbol, share])
            shown.append(r)
    if not rows:
        return show._cannot("These results do not say how many preferred not to say.")
    return Table(
        f"Who preferred not to say, {release.about['org_name']}, {year}",
        ["Characteristic", "Answer", "People", "Of everyone who answered"],
        [("", rows)],
        notes=[
            *show._legend(release, [{**r, "method": ""} for r in shown]),
            f"People who answered the question '{named}'. Those who left the question on the "
            "characteristic blank are not counted here.",
        ],
        words=(0, 1),
    )


def _measure_split(release: Release, topic: str, breakdown: str) -> pd.DataFrame | None:
    """Rows of a topic's first measure with figures, by one breakdown, of the latest year."""
    chosen = show._split(release, topic, None, breakdown)
    if isinstance(chosen, Sentence):
        return None
    first = chosen.measures()[0]
    return chosen.table[chosen.table["measure"].eq(first)]


# -- gaps ---------------------------------------------------------------------------------------


def _gap_rows(release: Release) -> Estimates | None:
    if GAPS not in release.topics:
        return None
    found, org = release[GAPS], release.about["org"]
    return found.select(org=org) if found._has(org=org) else found


@says_embargo
def gaps(release: Release, breakdown: str, measures: Sequence[str] | None = None) -> Block:
    """Chart of the gaps between the groups of one characteristic, latest year.

    Parameters
    ----------
    release
        The protected tables.
    breakdown
        Id of the breakdown.
    measures
        Ids of measures; default all that gaps are worked out for.
    """
    made = _gap_rows(release)
    if made is None:
        return show._cannot(NO_GAPS)
    keys = {"breakdown": breakdown, "measure": _held(made, measures)}
    if not keys["measure"] or not made._has(**keys):
        label = show._lower(show._breakdown(breakdown))
        return show._cannot(f"These results are not divided by {label}.")
    chosen = made.select(**keys)
    year = int(chosen.unique("year")[0])
    figures = _figures_beside(release, chosen, breakdown, year)
    if not figures:
        return show._cannot(NO_GAPS)
    if not chosen.table["status"].eq("ok").any():
        return show._absent(chosen.table, f"Gaps by {show._lower(show._breakdown(breakdown))}")
    from culture_analytics import plots

    return show._picture(plots.gaps, concat([*figures, chosen]))


def _held(made: Estimates, measures: Sequence[str] | None) -> list[str]:
    """Measures asked for that are held; by default a measure of several parts without these."""
    held = [m for m in measures or inclusion_settings()["gaps"]["measures"] if made._has(measure=m)]
    if measures is not None:
        return held
    known = load_instrument().measures
    parts = {part for m in held if known[m].kind == "any" for part, _ in known[m].parts}
    return [m for m in held if m not in parts]


def _figures_beside(
    release: Release, chosen: Estimates, breakdown: str, year: int
) -> list[Estimates]:
    """The figures that gaps are made of, each measure from the first topic that holds it."""
    org, found, left = chosen.unique("org")[0], [], list(chosen.unique("measure"))
    for topic in release.topics:
        if topic in (FIGURES, CROSSINGS, GAPS, *STANDARDS) or not left:
            continue
        keys = {"org": org, "year": year, "breakdown": breakdown, "measure": left,
                "statistic": "percent"}  # fmt: skip
        if release[topic]._has(**keys):
            part = release[topic].select(**keys)
            found.append(part)
            left = [m for m in left if m not in part.unique("measure")]
    return found


@says_embargo
def clear_gaps(release: Release, measures: Sequence[str] | None = None) -> Block:
    """Table of the clear gaps over every equality characteristic, latest year.

    Parameters
    ----------
    release
        The protected tables.
    measures
        Ids of measures; default all that gaps are worked out for.
    """
    made = _gap_rows(release)
    if made is None:
        return show._cannot(NO_GAPS)
    wanted = _held(made, measures)
    if not wanted:
        return show._cannot("These questions are not in these results.")
    chosen = made.select(measure=wanted)
    table = chosen.table.assign(verdict=verdict(chosen))
    year = int(table["year"].iloc[0])
    known = load_instrument().measures
    figures = _sides_beside(release, chosen, year)
    sections, more = [], 0
    for measure in wanted:
        part = table[table["measure"].eq(measure) & table["verdict"].eq(CLEAR)]
        part = part.iloc[np.argsort(-part["value"].abs().to_numpy(), kind="stable")]
        more += max(len(part) - MOST_GAPS, 0)
        part = part.head(MOST_GAPS)
        rows = []
        for r in show._rows(part):
            worse = (r["value"] > 0) == (known[measure].better == "lower")
            row = {"gap": r["value"], "gap_lower": r["lower"], "gap_upper": r["upper"],
                   "unit": "percent"}  # fmt: skip
            here, there = (figures.get((measure, r["breakdown"], r[side]), "")
                           for side in ("group", "reference"))  # fmt: skip
            rows.append([f"{r['group']}{here}", show._breakdown(str(r["breakdown"])),
                         f"{_against(r)}{there}", gap_text(row),
                         "worse" if worse else "better"])  # fmt: skip
        if rows:
            sections.append((show._short(measure), rows))
    looked = table["verdict"].isin((CLEAR, "no clear difference"))
    few, clear = table["verdict"].eq(TOO_FEW), table["verdict"].eq(CLEAR)
    counted = (
        f"Clear: {int(clear.sum())} of the {int(looked.sum())} gaps that could be judged. Too few "
        f"people to judge: {int(few.sum())}. Hidden to protect people: "
        f"{int(table['status'].eq('suppressed').sum())}."
    )
    if not sections:
        return Sentence(
            f"No gap between groups is clear in {year}: {int(looked.sum())} could be judged, for "
            f"{int(few.sum())} there are too few people to judge, and "
            f"{int(table['status'].eq('suppressed').sum())} are hidden to protect people. That "
            "does not prove that there is no gap: small groups seldom show a clear one."
        )
    return Table(
        f"Clear gaps between groups, {release.about['org_name']}, {year}",
        ["Group\nfigure, answers", "Split by", "Compared with\nfigure, answers",
         "Gap, points\n95% interval", "For the group"],
        sections,
        notes=[
            counted,
            *([f"The {MOST_GAPS} largest of each question are listed; {more} more are clear."]
              if more else []),
            "A clear gap: one of this size would be rare if there were none, allowing for all "
            "gaps of the same split. A group that is not listed is not thereby like the others.",
        ],
        words=(0, 1, 2, 4),
    )  # fmt: skip


def _sides_beside(
    release: Release, chosen: Estimates, year: int
) -> dict[tuple[str, str, str], str]:
    """By measure, breakdown and group: the figure that a gap is made of, and how many answered."""
    found = {}
    for breakdown in chosen.unique("breakdown"):
        gaps = chosen.select(breakdown=breakdown)
        for figures in _figures_beside(release, gaps, breakdown, year):
            for r in show._rows(figures.table):
                if r["status"] == "ok":
                    key = (str(r["measure"]), str(r["breakdown"]), str(r["group"]))
                    found[key] = f"\n{show._value(r)} of {show._base(r)}"
    return found


def _against(row: Row) -> str:
    return "everyone else" if row["reference"] == "rest" else str(row["reference"])


# -- characteristics together -------------------------------------------------------------------


@says_embargo
def intersections(release: Release, measure: str, *crossings: str) -> Several:
    """Chart and sentence of each crossing, or why the characteristics cannot be put together.

    Parameters
    ----------
    release
        The protected tables.
    measure
        Id of the measure.
    *crossings
        Crossings such as ``"ethnicity_broad:gender_broad"``; default all that are held.
    """
    if CROSSINGS not in release.topics:
        return Several([show._cannot(NO_CROSSINGS)])
    figures = release[CROSSINGS]
    held = [b for b in figures.unique("breakdown") if b != OVERALL]
    blocks: list[Block] = []
    for by in crossings or held:
        blocks += _one_crossing(release, figures, measure, by)
    return Several(blocks)


def _one_crossing(release: Release, figures: Estimates, measure: str, by: str) -> list[Block]:
    known = load_instrument()
    labels = [known.breakdowns[b].label.split(" (")[0] for b in by.split(":")]
    made = release[INTERSECTIONS] if INTERSECTIONS in release.topics else None
    org = release.about["org"]
    keys: dict[str, Any] = {"measure": measure, "breakdown": by}
    if made is None or not made._has(**keys) or not figures._has(org=org, **keys):
        names = " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]])).lower()
        return [
            show._cannot(
                f"{show._short(measure)}, {names} together: too few combinations may be shown, "
                "or too few people gave the answer, to tell how they add up."
            )
        ]
    rows = made.select(measure=measure)
    strata = rows.select(breakdown=by)
    from culture_analytics import plots

    plain = figures.select(org=org, measure=measure, breakdown=[OVERALL, by])
    picture = show._picture(plots.intersections, concat([plain, strata]))
    shares = rows.table[rows.table["statistic"].eq("variance_share")]
    of = shares.set_index("reference")["value"]
    vpc, _, pcv = (float(of.get(f"{by}: {share}", np.nan)) for share in CROSSING_SHARES)
    beyond = strata.table[strata.table["statistic"].eq("beyond_parts")]
    verdicts = [
        "not shown"
        if r["status"] != "ok"
        else TOO_FEW
        if FEW in str(r["method"])
        else (MORE if r["value"] > 0 else LESS)
        if r["p_adjusted"] < 0.05
        else ""
        for r in show._rows(beyond)
    ]
    if np.isnan(vpc):
        return [picture]
    text = crossing_sentence(known.measures[measure], labels, vpc, pcv, verdicts)
    hidden = int(plain.table["status"].eq("suppressed").sum())
    if hidden:
        one = hidden == 1
        text += (
            f" {hidden} combination{'' if one else 's'} {'is' if one else 'are'} hidden to protect "
            f"people and take{'s' if one else ''} no part."
        )
    return [picture, Sentence(text)]


# -- grounds and ladders ------------------------------------------------------------------------


@says_embargo
def grounds_by_group(release: Release, *breakdowns: str) -> Several:
    """Table of the grounds of discrimination by group, latest year, a table a characteristic.

    Parameters
    ----------
    release
        The protected tables.
    *breakdowns
        Ids of breakdowns.
    """
    blocks = [_grounds(release, b) for b in breakdowns]
    return Several(blocks)


def _grounds(release: Release, breakdown: str) -> Block:
    chosen = show._split(release, "grounds", None, breakdown)
    if isinstance(chosen, Sentence):
        return chosen
    table = chosen.table
    table = table[table["status"].ne("not_asked")]
    whole = table[table["breakdown"].eq(OVERALL)].set_index("measure")["value"]
    order = sorted(chosen.measures(), key=lambda m: -float(whole.get(m, np.nan) or 0))
    groups = list(pd.unique(table.loc[table["breakdown"].eq(breakdown), "group"]))
    of = {(r["measure"], r["group"], r["breakdown"]): r for r in show._rows(table)}
    rows, shown = [], []
    for measure in order:
        cells = [of.get((measure, g, breakdown)) for g in groups]
        everyone = next((r for (m, _, b), r in of.items() if m == measure and b == OVERALL), None)
        held = [everyone, *cells]
        name = show._capital(show._short(measure).removeprefix("Ground: "))
        rows.append([name, *("" if r is None else show._with_answers(r) for r in held)])
        shown += [r for r in held if r is not None]
    return Table(
        f"Grounds of discrimination by {show._lower(show._breakdown(breakdown))}, "
        f"{release.about['org_name']}, {int(table['year'].iloc[0])}",
        ["Ground\n%, answers", "All staff", *map(str, groups)],
        [("", rows)],
        notes=[
            *show._legend(release, shown),
            "Of those who met discrimination. They may name several grounds. The list had seven "
            "grounds until 2024 and has ten from 2025: race and other do not compare across.",
        ],
    )


@says_embargo
def ladder(release: Release, kind: str, *breakdowns: str) -> Block:
    """Table of steps by group: it happened, it was reported, a concern would be dealt with.

    Parameters
    ----------
    release
        The protected tables.
    kind
        ``"bullying"`` or ``"violence"``.
    *breakdowns
        Ids of breakdowns; default those held.
    """
    topic = "ladder"
    if topic not in release.topics:
        return show._cannot("These results hold nothing on this.")
    held = release[topic]
    org = release.about["org"]
    held = held.select(org=org) if held._has(org=org) else held
    year = max(map(int, held.unique("year")))
    held = held.select(year=year)
    wanted: list[str | None] = [
        b for b in breakdowns or release.breakdowns(topic) if held._has(breakdown=b)
    ]
    steps: dict[int, tuple[str, str]] = {}
    sections: list[tuple[str, list[list[str]]]] = []
    shown: list[Row] = []
    for by in wanted or [None]:
        try:
            table = experience_ladder(held, kind, by=by)
        except MeasureError:
            return show._cannot("These questions are not in these results.")
        steps |= {int(r["step"]): (r["experience"], r["of"]) for r in show._rows(table)}
        table = table.assign(unit="percent", method="")
        if not sections:
            part = table[table["breakdown"].eq(OVERALL)]
            sections.append(("", _steps(part)))
            shown += show._rows(part)
        if by is not None:
            part = table[table["breakdown"].eq(by) & table["status"].ne("not_asked")]
            sections.append((show._breakdown(by), _steps(part)))
            shown += show._rows(part)
    if not steps or all(r["status"] != "ok" for r in shown):
        return show._cannot("These questions are not in these results.")
    numbers = sorted(steps)
    filled = [(t, [[r[0], *(r[n] for n in numbers)] for r in rows]) for t, rows in sections]
    label = inclusion_settings()["ladders"][kind]["label"]
    return Table(
        f"{label}: from what happened to what is done, {release.about['org_name']}, {year}",
        ["Group\n%, answers", *(steps[n][0] for n in numbers)],
        filled,
        notes=[
            *show._legend(release, shown),
            "Each step is of different people: "
            + "; ".join(f"{steps[n][0].lower()}: {steps[n][1]}" for n in numbers)
            + ". So they cannot be multiplied.",
            *([] if 1 in steps else [NO_FIRST_STEP]),
        ],
    )


def _steps(part: pd.DataFrame) -> list[list[str]]:
    rows = []
    for group, cells in part.groupby("group", sort=False):
        of = {int(r["step"]): show._with_answers(r) for r in show._rows(cells)}
        rows.append([str(group), *(of.get(n, "") for n in (1, 2, 3))])
    return rows
