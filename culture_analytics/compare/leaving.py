"""The comparisons that leave with a release, made of its tables after they were protected.

A comparison is hidden with any figure it is made of, so it says nothing of a hidden one. Those
with other organisations rest on published figures alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from culture_analytics.compare.benchmark import compare_benchmark
from culture_analytics.compare.funnels import funnel
from culture_analytics.compare.organisations import NOT_ONE, organisation_rows
from culture_analytics.compare.rollup import system
from culture_analytics.compare.trends import LEAST, trend
from culture_analytics.compare.years import compare_years
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import HIDE, KEY, Estimates, concat
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.culture import TOPICS

__all__ = [
    "BENCHMARK",
    "CHANGES",
    "GROUP",
    "PULSE",
    "SYSTEM",
    "compared",
    "comparisons",
    "in_family",
    "without_pulse",
]

# Topics of a release.
CHANGES, BENCHMARK, GROUP, SYSTEM, PULSE = "changes", "benchmark", "group", "system", "pulse"

# Measures shown of other organisations too.
SHOWN = ("headline", "people_promise")
OVERALL, HEADLINE, SUB_SCORES = "overall", "headline", "sub_scores"


def comparisons(
    tables: Mapping[str, Estimates],
    published: Estimates | None,
    *,
    orgs: Sequence[str],
    rule: Rule,
) -> dict[str, Estimates]:
    """Make the comparisons that a release's tables and published results allow.

    Parameters
    ----------
    tables
        The release's tables of measures, protected.
    published
        Published results to compare with, or None.
    orgs
        Organisations that the release is about.
    rule
        Its rule.

    Returns
    -------
    dict of str to Estimates
        ``changes``: differences and trends over the years, of everyone together and, for the
        headline measures, of the largest units. ``benchmark``, ``group``, ``system``: places in the
        benchmark group, its published figures with their funnels, and the ICS and region.
        ``pulse``: quarterly figures of the organisation. What the data do not allow is not there.
    """
    own = _held(tables)
    if rule.rounds:
        own = {topic: as_shown(figures) for topic, figures in own.items()}
    found: dict[str, Estimates] = {}
    changes = [c for topic, figures in own.items() for c in _changes(topic, figures)]
    if changes:
        found[CHANGES] = concat(changes)
    if published is None:
        return found
    annual = without_pulse(published)
    if annual is not None and len(orgs) == 1 and orgs[0] not in NOT_ONE:
        made = _beside_others(concat(own.values()), annual, orgs[0])
        found |= {topic: e._with(e._frame, rule) for topic, e in made.items()}
    quarters = _pulse(published, orgs)
    if quarters is not None:
        found[PULSE] = quarters._with(quarters._frame, rule)
    return found


def as_shown(figures: Estimates) -> Estimates:
    """The figures as their rule shows them: what is made of them says no more than they do.

    An exact difference beside two rounded figures would undo the rounding.
    """
    shown = figures.table.assign(**{HIDE: figures._hidden})
    return figures._with(shown)


def _held(tables: Mapping[str, Estimates]) -> dict[str, Estimates]:
    """By topic: every figure of everyone, and of the headline measures in the largest units.

    A figure that stands in several topics is of the first.
    """
    found: dict[str, Estimates] = {}
    seen = pd.DataFrame(columns=list(KEY))
    # The tables of a culture diagnosis have comparisons of their own.
    others = {topic: table for topic, table in tables.items() if topic not in TOPICS}
    for topic, table in (others or tables).items():
        frame = table._frame
        keep = frame["breakdown"].eq(OVERALL)
        if topic == HEADLINE:
            units = [b for b in table.unique("breakdown") if b != OVERALL][:1]
            keep |= frame["breakdown"].isin(units)
        both = pd.concat([seen, frame.loc[keep, list(KEY)]]) if len(seen) else frame.loc[keep]
        again = both.duplicated(list(KEY)).to_numpy(dtype=bool)[len(seen) :]
        mask = keep.to_numpy(dtype=bool, copy=True)
        mask[mask] = ~again
        if mask.any():
            found[topic] = table._rows(mask)
            seen = both[list(KEY)]
    return found


def _changes(topic: str, own: Estimates) -> list[Estimates]:
    """Differences and lines of one topic, whose figures are a family of their own."""
    years = own.unique("year")
    if len(years) < 2:
        return []
    made = []
    for family, figures in _families(topic, own):
        made += [in_family(family, c) for c in compared(figures)]
        if len(years) >= LEAST:
            made.append(in_family(family, trend(figures)))
    return made


def compared(figures: Estimates) -> list[Estimates]:
    """Differences between years: of everyone by Holm, of units, a screen of many, by their rate.

    Holm keeps the chance of a single false claim; over dozens of units it would find next to
    nothing. There the share of false ones among those called clear is kept (Benjamini-Hochberg).
    """
    overall = figures._frame["breakdown"].eq(OVERALL)
    found = []
    for keep, adjust in ((overall, "holm"), (~overall, "bh")):
        if figures._frame.loc[keep, "year"].nunique() > 1:
            part = figures._rows(keep.to_numpy(dtype=bool))
            found.append(compare_years(part, adjust=adjust))
    return found


def _families(topic: str, own: Estimates) -> list[tuple[str, Estimates]]:
    """The topic's figures; sub-scores, which repeat what their elements say, by themselves."""
    apart = {m.id for m in load_instrument().resolve_measures(SUB_SCORES)}
    parts = own._frame["measure"].isin(apart).to_numpy(dtype=bool)
    if parts.all() or not parts.any():
        return [(topic, own)]
    return [(topic, own._rows(~parts)), (SUB_SCORES, own._rows(parts))]


def in_family(topic: str, estimates: Estimates) -> Estimates:
    """Tests of a topic named as families of their own."""
    family = estimates._frame["family"]
    return estimates._with(
        estimates._frame.assign(family=family.where(family.eq(""), f"{topic}, " + family))
    )


def _beside_others(own: Estimates, published: Estimates, org: str) -> dict[str, Estimates]:
    """Comparisons with other organisations, where these are published."""
    try:
        rows = organisation_rows(published, "a benchmark")
        places = compare_benchmark(_of(own, org), published)
    except MeasureError:
        return {}  # England alone, or other organisations only
    found = {BENCHMARK: _with_other_questions(places, published, rows, org)}
    # Published results say themselves what they are; the notes of the extract are in its tables.
    shown = {m.id for m in load_instrument().resolve_measures(SHOWN)}
    group = _group(published, rows, org, shown)
    if group is not None:
        found[GROUP] = group
    chosen = [m for m in pd.unique(rows.loc[rows["org"].eq(org), "measure"]) if m in shown]
    if chosen:
        found[SYSTEM] = system(published, org, measures=chosen)
    return found


def _with_other_questions(
    places: Estimates, published: Estimates, rows: pd.DataFrame, org: str
) -> Estimates:
    """Places on every published percentage, also of questions that no table here is of.

    What an organisation is best and worst at is chosen among all questions, as in its benchmark
    report. There is nothing of a respondent in these rows.
    """
    mine = rows[rows["org"].eq(org) & rows["statistic"].eq("percent")]
    mine = mine[mine["year"].isin(places._frame["year"])]
    others = mine.loc[~mine["measure"].isin(places._frame["measure"]), "measure"]
    frame = published._frame
    keep = (
        frame["org"].eq(org) & frame["measure"].isin(others) & frame["answer"].eq("")
        & frame["breakdown"].eq(OVERALL) & frame["within"].eq("")
        & frame["source"].eq("published") & frame["year"].isin(mine["year"])
    ).to_numpy(dtype=bool)  # fmt: skip
    if not keep.any():
        return places
    more = compare_benchmark(published._rows(keep), published)._frame
    # Tests against England are a family of the measures that have a table.
    more = more[~more["reference"].str.startswith("England")]
    both = pd.concat([places._frame, more], ignore_index=True)
    if HIDE in both.columns:
        both[HIDE] = both[HIDE].eq(True).to_numpy(dtype=bool)
    return places._with(both)


def _of(estimates: Estimates, org: str) -> Estimates:
    keep = estimates._frame["org"].eq(org) & estimates._frame["breakdown"].eq(OVERALL)
    return estimates._rows(keep.to_numpy(dtype=bool))


def _group(published: Estimates, rows: pd.DataFrame, org: str, shown: set[str]) -> Estimates | None:
    """Figures of every organisation of the benchmark group, and the funnels of the percentages."""
    mine = rows.loc[rows["org"].eq(org), "benchmark_group"].dropna()
    if mine.empty:
        return None
    name = str(mine.iloc[0])
    members = rows.loc[rows["benchmark_group"].eq(name), "org"]
    frame = published._frame
    keep = (
        frame["org"].isin(members) & frame["measure"].isin(shown) & frame["answer"].eq("")
        & frame["breakdown"].eq(OVERALL) & frame["within"].eq("")
        & frame["source"].eq("published") & frame["statistic"].isin(("percent", "score"))
    ).to_numpy(dtype=bool)  # fmt: skip
    figures = published._rows(keep)
    percents = [m for m in pd.unique(figures._frame["measure"]) if m in shown]
    try:
        flags = funnel(published, percents, group=name)
    except MeasureError:
        return figures  # too few organisations
    return concat([figures, flags])


def _pulse(published: Estimates, orgs: Sequence[str]) -> Estimates | None:
    frame = published._frame
    keep = (
        frame["source"].eq("pulse") & frame["breakdown"].eq(OVERALL) & frame["answer"].eq("")
        & frame["org"].isin(list(orgs))
    ).to_numpy(dtype=bool)  # fmt: skip
    return published._rows(keep) if keep.any() else None


def without_pulse(published: Estimates | None) -> Estimates | None:
    """Results of the annual survey; None if there are none."""
    if published is None:
        return None
    keep = np.asarray(~published._frame["source"].eq("pulse").to_numpy(dtype=bool))
    if keep.all():
        return published
    return published._rows(keep) if keep.any() else None
