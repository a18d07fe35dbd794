"""What notebooks show of changes over the years and of other organisations.

Like `culture_analytics.output.show`, whose names these are too: each gives a picture, a table or
a plain sentence, and says why where the data cannot answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.compare.comparable import beside
from culture_analytics.compare.leaving import BENCHMARK, CHANGES, GROUP, PULSE, SYSTEM
from culture_analytics.disclosure.release import Release
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.errors import MeasureError
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.estimates import Estimates
from culture_analytics.instrument.culture import DIAGNOSED
from culture_analytics.output import show
from culture_analytics.output.blocks import Block, Sentence, Several, Table, says_embargo

__all__ = [
    "changes",
    "england",
    "funnels",
    "local_differences",
    "movers",
    "position",
    "pulse",
    "steady",
    "system",
    "top_and_bottom",
    "trends",
    "unit_changes",
]

ALPHA = 0.05
MOST_PULSE = 6  # control charts
ONE_YEAR = (
    "Only one year with figures is held here, so nothing can be said about change. Give extracts "
    "of several years to see it."
)
NO_GROUP = (
    "Nothing on other organisations is held here. Give the official organisational results "
    "workbook of the same year as published to see this."
)
NO_PLACE = "None of these figures has a place in the benchmark group."
NO_CHANGE = "No question of these years can be compared."
# Topics made of others.
COMPARED = {CHANGES, BENCHMARK, GROUP, SYSTEM, PULSE, "published", *DIAGNOSED}
FAMILY_NOTE = (
    "Beyond chance: whether a change of this size would be rare if nothing had changed, allowing "
    "for how many figures were tested. Official-style: the test that benchmark reports print, of "
    "each figure by itself, so that one in twenty says yes by chance alone."
)
UNITS_NOTE = (
    "Beyond chance: allowing for how many units and headline figures were compared, so that of "
    "twenty marked yes about one is chance. The packs by unit say the same."
)
NO_SPREAD = (
    "How much respondents differ on these figures is not published, so that their changes have "
    "neither an interval nor a test."
)

Row = dict[str, Any]


# -- over the years ---------------------------------------------------------------------------


@says_embargo
def trends(
    release: Release, topic: str = "headline", measures: Sequence[str] | None = None
) -> Block:
    """Chart of a topic's measures by year, joined only where the years are one series.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measures
        Only these, ids, domains or collections.
    """
    chosen = show._overall(release, topic, measures)
    if isinstance(chosen, Sentence):
        return chosen
    if chosen.table.loc[chosen.table["status"].eq("ok"), "year"].nunique() < 2:
        return show._cannot(ONE_YEAR)
    from culture_analytics import plots

    return show._picture(plots.trend, chosen.drawn())


@says_embargo
def changes(release: Release, measures: Sequence[str] = ("headline",)) -> Block:
    """Table of differences between the latest two years, for everyone.

    Parameters
    ----------
    release
        The protected tables.
    measures
        Ids, domains or collections.
    """
    held = _changes(release, measures)
    if isinstance(held, Sentence):
        return held
    later, earlier = _latest_pair(held)
    pair = held[held["year"].eq(later) & held["reference"].eq(earlier)]
    pair = pair[pair["breakdown"].eq(OVERALL)]
    official = _by_measure(pair[pair["statistic"].eq("official_test")])
    values = _figures(release)
    rows, shown = [], []
    for row in show._rows(pair[pair["statistic"].eq("difference")]):
        measure = row["measure"]
        sides = [values.get((measure, year)) for year in (int(earlier), later)]
        if all(s is None or s["status"] in ("not_asked", "not_applicable") for s in sides):
            continue
        cells = ["" if s is None else show._value(s) for s in sides]
        test = _beyond(official.get(measure), "p_value")
        rows.append([show._short(measure), *cells, *_moved(row), test])
        shown += [s for s in (row, *sides) if s is not None]
    if not rows:
        return show._cannot("None of these figures is held in two years.")
    scores = all(map(_is_score, shown))
    return Table(
        f"{'Scores: changes' if scores else 'Changes'} from {earlier} to {later}, "
        f"{release.about['org_name']}",
        ["Measure", earlier, str(later), "Change", "95% interval", "Beyond chance?",
         "Official-style test"],
        [("", rows)],
        notes=[*show._legend(release, _plain(shown)), *_test_notes(rows),
               *_pair_notes(release, later, earlier, [r[0] for r in rows])],
    )  # fmt: skip


@says_embargo
def unit_changes(release: Release, measure: str) -> Block:
    """Table of one measure's change in each of the largest units, latest two years.

    Parameters
    ----------
    release
        The protected tables.
    measure
        Id of a headline measure.
    """
    held = _changes(release, [measure])
    if isinstance(held, Sentence):
        return held
    later, earlier = _latest_pair(held)
    units = release.units()
    part = held[
        held["year"].eq(later) & held["reference"].eq(earlier)
        & held["breakdown"].isin(units[:1]) & held["statistic"].eq("difference")
    ]  # fmt: skip
    if part.empty:
        return show._cannot("These results are not divided by directorate, department or team.")
    found = show._rows(part)
    rows = [[str(r["group"]), *_moved(r), show._base(r)] for r in found]
    return Table(
        f"{show._short(measure)}: changes from {earlier} to {later} by "
        f"{show._lower(show._breakdown(units[0]))}",
        [show._breakdown(units[0]), "Change", "95% interval", "Beyond chance?",
         "Answers (fewer of the two)"],
        [("", rows)],
        notes=[*show._legend(release, _plain(found)), UNITS_NOTE,
               *_pair_notes(release, later, earlier, [show._short(measure)])],
    )  # fmt: skip


@says_embargo
def movers(release: Release, n: int = 5) -> Block:
    """Table of the questions that improved and worsened most between the latest two years.

    Parameters
    ----------
    release
        The protected tables.
    n
        How many of each.
    """
    from culture_analytics.compare import biggest_movers

    if CHANGES not in release.topics:
        return show._cannot(ONE_YEAR)
    try:
        found = biggest_movers(release[CHANGES], n=n).table
    except MeasureError:
        return show._cannot(NO_CHANGE)
    found = found[found["org"].eq(release.about["org"])]
    if found.empty:
        return show._cannot(NO_CHANGE)
    later, earlier = _latest_pair(found)
    found = found[found["year"].eq(later) & found["reference"].eq(earlier)]
    sections = []
    for word, heading in (("improved", "Improved most"), ("worsened", "Worsened most")):
        part = show._rows(found[found["method"].str.startswith(word)])
        cells = [[show._short(r["measure"]), *_moved(r), show._base(r)] for r in part]
        sections += [(heading, cells)] if cells else []
    return Table(
        f"Biggest changes from {earlier} to {later}, {release.about['org_name']}",
        ["Question", "Change", "95% interval", "Beyond chance?", "Answers (fewer of the two)"],
        sections,
        notes=[
            "Percentages, in percentage points, of the single questions that have a table here; "
            "the survey has more. Biggest is not surest.",
            *_pair_notes(release, later, earlier, [r[0] for _, cells in sections for r in cells]),
        ],
    )


@says_embargo
def steady(release: Release, measures: Sequence[str] = ("headline",)) -> Block:
    """Table of straight lines through three comparable years or more.

    Parameters
    ----------
    release
        The protected tables.
    measures
        Ids, domains or collections.
    """
    held = _changes(release, measures)
    if isinstance(held, Sentence):
        return held
    lines = held[held["statistic"].eq("trend") & held["breakdown"].eq(OVERALL)]
    drawn = lines[lines["status"].eq("ok")]
    if drawn.empty:
        return show._cannot(
            "A line needs three years that are one series; no figure here has them."
        )
    rows = [[show._short(r["measure"]), *_moved(r), str(r["reference"])] for r in show._rows(drawn)]
    left = len(lines) - len(drawn)
    notes = ["Points a year: percentage points, or points of a score that runs from 0 to 10."]
    if left:
        notes.append(f"{left} of {len(lines)} have no line: too few years of one series.")
    notes += _care_notes(release, drawn, [r[0] for r in rows])
    return Table(
        f"Average change a year, {release.about['org_name']}",
        ["Measure", "Points a year", "95% interval", "Beyond chance?", "Years"],
        [("", rows)],
        notes=notes,
    )


# -- other organisations ----------------------------------------------------------------------


@says_embargo
def england(
    release: Release, topic: str = "headline", measures: Sequence[str] | None = None
) -> Block:
    """Chart of a topic's measures beside England's published ones.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measures
        Only these, ids, domains or collections.
    """
    if release.about["org"] == show.ENGLAND:
        return show._cannot("These are England's results.")
    chosen = show._overall(release, topic, measures)
    if isinstance(chosen, Sentence):
        return chosen
    if "published" not in release.topics:
        return show._cannot(
            "England's figures of these years are not held here. Give the official national "
            "results workbook as published."
        )
    held = release["published"]
    mine = chosen.table
    country = held._protected
    country = country[country["org"].eq(show.ENGLAND) & country["measure"].isin(chosen.measures())]
    years = sorted(set(mine.loc[mine["status"].eq("ok"), "year"]))
    common = [y for y in years if y in set(country["year"])]
    year = common[-1] if common else years[-1]
    rows = chosen.where(mine["year"].eq(year)).known()
    kept = country[country["year"].le(year) & country["measure"].isin(rows.measures())]
    if kept.empty:
        return show._cannot("England's figures of these questions are not held here.")
    keep = np.zeros(len(held), dtype=bool)
    keep[kept.index.to_numpy()] = True
    from culture_analytics import plots

    return show._picture(plots.measures, rows.drawn(), reference=held._rows(keep))


@says_embargo
def position(release: Release, measures: Sequence[str] = ("headline", "people_promise")) -> Block:
    """Chart of the place in the benchmark group, measure by measure.

    Parameters
    ----------
    release
        The protected tables.
    measures
        Ids, domains or collections.
    """
    if BENCHMARK not in release.topics:
        return show._cannot(NO_GROUP)
    found = _latest_places(release, measures)
    if found is None:
        return show._cannot(NO_PLACE)
    from culture_analytics import plots

    group = release[GROUP] if GROUP in release.topics else None
    try:
        return show._picture(plots.position, found, published=group)
    except MeasureError:
        return show._cannot(NO_PLACE)


@says_embargo
def top_and_bottom(release: Release, n: int = 5) -> Block:
    """Table of the questions furthest above and below the benchmark group's median.

    Parameters
    ----------
    release
        The protected tables.
    n
        How many of each.
    """
    from culture_analytics import compare

    if BENCHMARK not in release.topics:
        return show._cannot(NO_GROUP)
    places = _latest_places(release, None)
    if places is None:
        return show._cannot(NO_PLACE)
    try:
        found = compare.top_and_bottom(places, n=n).table
    except MeasureError:
        return show._cannot(NO_PLACE)
    every = places.table
    by = {(r["measure"], r["statistic"]): r for r in show._rows(every[every["status"].eq("ok")])
          if not str(r["reference"]).startswith("England")}  # fmt: skip
    sections = []
    for word, heading in (
        ("top", "Better than the median, furthest first"),
        ("bottom", "Worse than the median, furthest first"),
    ):
        cells = []
        for r in show._rows(found[found["method"].str.startswith(word)]):
            median = by[r["measure"], "benchmark_median"]
            here = {**median, "value": median["value"] + r["value"]}
            rank = by.get((r["measure"], "rank"))
            place = "" if rank is None else f"{rank['value']:.0f} {rank['method'].split(' org')[0]}"
            cells.append([show._short(r["measure"]), show._value(here), show._value(median),
                          _points(r), place])  # fmt: skip
        sections += [(heading, cells)] if cells else []
    if not sections:
        return show._cannot("No question lies above or below the median.")
    first = every.iloc[0]
    return Table(
        f"Furthest from the median, {release.about['org_name']}, {int(first['year'])}",
        ["Question", "Here (published)", "Group median", "Points from it", "Rank, 1 is best"],
        sections,
        notes=[
            f"Benchmark group: {_group_name(every)}. Published figures of single questions, "
            f"{_weighted(every)}. A place is not a test."
        ],
    )


@says_embargo
def local_differences(release: Release, measures: Sequence[str] = ("headline",)) -> Block:
    """Table of figures calculated here beside the organisation's published ones.

    Parameters
    ----------
    release
        The protected tables.
    measures
        Ids, domains or collections.
    """
    kind = release.about["kind"]
    if kind != "extract" and not (kind == "contractor" and BENCHMARK in release.topics):
        return show._cannot(
            "No figure here is calculated from respondents' answers, so there is nothing to set "
            "beside the published ones."
        )
    if BENCHMARK not in release.topics:
        return show._cannot(NO_GROUP)
    table = release[BENCHMARK].table
    ids = show._measures(measures) or []
    found = table[table["statistic"].eq("local_difference") & table["measure"].isin(ids)]
    found = found[found["status"].eq("ok")]
    if found.empty:
        return show._cannot("None of these figures is both calculated here and published.")
    year = int(found["year"].max())
    values = _figures(release)
    rows = []
    for r in show._rows(found[found["year"].eq(year)]):
        own = values.get((r["measure"], year))
        if own is None or own["status"] != "ok":
            continue
        told = {**own, "value": own["value"] - r["value"]}
        rows.append([show._short(r["measure"]), show._value(own), show._value(told), _points(r)])
    here = "Contractor's table" if kind == "contractor" else "Calculated here"
    return Table(
        f"{here} and published, {release.about['org_name']}, {year}",
        ["Measure", here, "Published", "Difference"],
        [("", rows)],
        notes=[
            f"{'These figures' if kind == 'contractor' else 'Figures calculated here'} will differ "
            "from your benchmark report: that report weights an organisation to the mix of "
            "occupations of its benchmark group, and cleans the answers once more."
            if found["reference"].ne("published, unweighted").any()
            else "The organisation's published figures are not weighted either. Small differences "
            "come from the answers being cleaned once more for the report."
        ],
    )


@says_embargo
def funnels(release: Release, *measures: str) -> Several:
    """Funnel of each measure: the organisation among all of its benchmark group.

    Parameters
    ----------
    release
        The protected tables.
    *measures
        Ids of headline measures that are percentages.
    """
    if GROUP not in release.topics:
        return Several([show._cannot(NO_GROUP)])
    from culture_analytics import plots

    group = release[GROUP]
    table = group._protected
    org = str(release.about["org"])
    blocks: list[Block] = []
    few: list[str] = []
    for measure in measures:
        judged = table[table["measure"].eq(measure) & table["statistic"].eq("funnel_z")]
        if judged.empty:
            few.append(show._lower(show._short(measure)))
            continue
        first = judged[judged["year"].eq(judged["year"].max())].iloc[0]
        keep = table["measure"].eq(measure) & table["year"].eq(first["year"])
        for column in ("weighting", "release"):
            keep &= table[column].eq(first[column])
        chosen = group._rows(keep.to_numpy(dtype=bool))
        blocks.append(show._picture(plots.funnel, chosen, org=org))
    if few:
        blocks.append(
            show._cannot(
                f"No funnel of {show._either(few)}: it needs the published percentages of ten "
                "organisations of one benchmark group."
            )
        )
    return Several(blocks)


@says_embargo
def system(release: Release, measures: Sequence[str] = ("headline", "people_promise")) -> Several:
    """Tables of the organisation beside its integrated care system, its region and England.

    Parameters
    ----------
    release
        The protected tables.
    measures
        Ids, domains or collections.
    """
    if SYSTEM not in release.topics:
        return Several([show._cannot(NO_GROUP)])
    held = release[SYSTEM]
    table = held.table
    table = table[table["year"].eq(table["year"].max()) & table["statistic"].ne("response_rate")]
    ids = show._measures(measures) or []
    org = str(release.about["org"])
    mine = table[table["org"].eq(org) & table["breakdown"].eq(OVERALL)]
    chosen = [m for m in pd.unique(mine["measure"]) if m in ids]
    if not chosen:
        return Several([show._cannot("None of these figures is published for the organisation.")])
    columns: list[tuple[str, pd.DataFrame]] = [(_name(held, org), mine)]
    words = {"ics": "ICS", "region": "region"}
    for place, kind in words.items():
        part = table[table["breakdown"].eq(place)]
        for group in pd.unique(part["group"]):
            columns.append((f"{group} ({kind})", part[part["group"].eq(group)]))
    beside_what = "its system" if len(columns) > 1 else "England"
    country = table[table["org"].eq(show.ENGLAND) & table["breakdown"].eq(OVERALL)]
    columns += [("England", country)] if len(country) else []
    blocks: list[Block] = [
        _side_by_side(
            f"{release.about['org_name']} beside {beside_what}, {int(table['year'].iloc[0])}",
            columns, chosen, release,
        )
    ]  # fmt: skip
    others = [o for o in pd.unique(table["org"]) if o not in (org, show.ENGLAND)]
    if others:
        neighbours = [(_name(held, o), table[table["org"].eq(o)]) for o in (org, *others)]
        few = [m for m in chosen if m in (show._measures(["headline"]) or [])][:4] or chosen[:4]
        blocks.append(_neighbours(neighbours, few, release))
    lacking = [n for n in held.notes if n.startswith("No row of its") or "says no" in n]
    blocks += [show._cannot(n) for n in lacking]
    return Several(blocks)


@says_embargo
def pulse(release: Release) -> Several:
    """Control charts of the quarterly pulse survey, where its workbooks were given.

    Parameters
    ----------
    release
        The protected tables.
    """
    if PULSE not in release.topics:
        return Several(
            [
                show._cannot(
                    "No results of the quarterly pulse survey are held here. Give its workbooks as "
                    "published, several quarters of them, to see them in order."
                )
            ]
        )
    from culture_analytics import plots
    from culture_analytics.control import control_chart

    held = release[PULSE]
    table = held.table
    shown = table[table["status"].eq("ok")]
    scores = shown[shown["statistic"].eq("score")]
    measures = list(pd.unique((scores if len(scores) else shown)["measure"]))
    blocks: list[Block] = []
    for measure in measures[:MOST_PULSE]:
        try:
            chart = control_chart(held, measure)
        except MeasureError as problem:
            blocks.append(show._cannot(f"{show._short(measure)}: {problem}"))
            continue
        blocks.append(show._picture(plots.spc, chart))
    return Several(blocks or [show._cannot("The pulse results hold no figure.")])


# -- rows -------------------------------------------------------------------------------------


def _changes(release: Release, measures: Sequence[str]) -> pd.DataFrame | Sentence:
    """Rows of comparisons over years, of these measures and the release's organisation."""
    if CHANGES not in release.topics:
        return show._cannot(ONE_YEAR)
    table = release[CHANGES].table
    held = table[table["org"].eq(release.about["org"])]
    held = held[held["measure"].isin(show._measures(measures) or [])]
    if held.empty:
        return show._cannot("None of these figures is held in two years.")
    return held


def _latest_pair(held: pd.DataFrame) -> tuple[int, str]:
    """The latest year that is compared, and what with."""
    pairs = held[held["statistic"].eq("difference")]
    later = int(pairs["year"].max())
    return later, str(pairs.loc[pairs["year"].eq(later), "reference"].max())


def _by_measure(rows: pd.DataFrame) -> dict[str, Row]:
    return {str(r["measure"]): r for r in show._rows(rows)}


def _figures(release: Release) -> dict[tuple[str, int], Row]:
    """The release's own figures of everyone, by measure and year."""
    found: dict[tuple[str, int], Row] = {}
    for topic in release.topics:
        if topic in COMPARED:
            continue
        table = release[topic]._protected
        keep = table["breakdown"].eq(OVERALL) & table["org"].eq(release.about["org"])
        for row in show._rows(table[keep]):
            found.setdefault((str(row["measure"]), int(row["year"])), row)
    return found


def _latest_places(release: Release, measures: Sequence[str] | None) -> Estimates | None:
    """Places of the latest year, in one release and one weighting."""
    held = release[BENCHMARK]
    table = held._protected
    keep = table["source"].eq("published") & table["org"].eq(release.about["org"])
    ids = show._measures(measures)
    if ids is not None:
        keep &= table["measure"].isin(ids)
    keep &= table["year"].eq(table.loc[keep, "year"].max())
    if not keep.any():
        return None
    first = table[keep].iloc[0]
    for column in ("weighting", "release"):
        keep &= table[column].eq(first[column])
    return held._rows(keep.to_numpy(dtype=bool))


def _group_name(table: pd.DataFrame) -> str:
    named = table.loc[table["statistic"].eq("benchmark_median"), "reference"]
    return str(named.iloc[0]) if len(named) else "none"


def _weighted(table: pd.DataFrame) -> str:
    from culture_analytics.plots.data import weighted

    return " and ".join(weighted(str(w)) for w in pd.unique(table["weighting"]))


def _name(estimates: Estimates, org: str) -> str:
    table = estimates.organisations
    if table is not None and table["org"].eq(org).any():
        return str(table.loc[table["org"].eq(org), "name"].iloc[0]) or org
    return org


def _pair_notes(release: Release, later: int, earlier: str, shown: Sequence[str]) -> list[str]:
    """What the guard says of this pair of years, about the figures shown."""
    said = []
    for note in release[CHANGES].notes:
        if f", {later} with {earlier} (" not in note or note.startswith("Note"):
            continue
        whose = note.split("(", 1)[1]
        # A note that names three measures "and 2 more" may be about any.
        every = "all measures): " in whose or " more): " in whose
        if every or any(name in whose for name in shown):
            said.append(note)
    return said


def _care_notes(release: Release, lines: pd.DataFrame, shown: Sequence[str]) -> list[str]:
    """What the guard says of the years that lines go through."""
    first = min(int(str(reference)[:4]) for reference in lines["reference"])
    years = [year for year in release.years if year >= first]
    return [
        note
        for earlier, later in pairwise(years)
        for note in _pair_notes(release, later, str(earlier), shown)
        if note.startswith("Compare with care")
    ]


def _test_notes(rows: Sequence[Sequence[str]]) -> list[str]:
    """What the columns of tests say, or why they are empty."""
    if any(cell for row in rows for cell in row[-3:]):
        return [FAMILY_NOTE]
    return [NO_SPREAD] if any(row[3] for row in rows) else []


# -- tables -----------------------------------------------------------------------------------


def _side_by_side(
    caption: str,
    columns: Sequence[tuple[str, pd.DataFrame]],
    measures: Sequence[str],
    release: Release,
) -> Table:
    rows, shown = [], []
    sides = [(name, _by_measure(part)) for name, part in columns]
    for measure in measures:
        found = [of.get(measure) for _, of in sides]
        rows.append([show._short(measure), *("" if r is None else show._value(r) for r in found)])
        shown += [r for r in found if r is not None]
    ways = {
        name: ", ".join(map(str, pd.unique(part["weighting"])))
        for name, part in columns
        if len(part)
    }
    notes = show._legend(release, _plain(shown))
    notes.append("Weighted by: " + "; ".join(f"{name}: {way}" for name, way in ways.items()) + ".")
    (own, mine), *others = ways.items()
    unlike = [name for name, way in others if not beside(mine, way)]
    if unlike:
        notes.append(
            f"Not weighted as {own}: {', '.join(unlike)}. Small differences from these mean "
            "nothing."
        )
    notes.append(
        "A system's or a region's figure holds the organisation itself. Organisations differ in "
        "the work they do."
    )
    return Table(caption, ["Measure", *(name for name, _ in columns)], [("", rows)], notes=notes)


def _neighbours(
    columns: Sequence[tuple[str, pd.DataFrame]], measures: Sequence[str], release: Release
) -> Table:
    rows, shown = [], []
    for name, part in columns:
        of = _by_measure(part[part["breakdown"].eq(OVERALL)])
        found = [of.get(m) for m in measures]
        rows.append([name, *("" if r is None else show._value(r) for r in found)])
        shown += [r for r in found if r is not None]
    return Table(
        "Organisations of the same integrated care system",
        ["Organisation", *map(show._short, measures)],
        [("", rows)],
        notes=[*show._legend(release, _plain(shown)), "The order is not a ranking."],
    )


def _plain(rows: Sequence[Row]) -> list[Row]:
    """Rows for a legend: what is said of differences stands elsewhere."""
    return [{**r, "method": ""} for r in rows]


def _digits(row: Row) -> int:
    return 2 if _is_score(row) else 1


def _is_score(row: Row) -> bool:
    from culture_analytics.instrument import load_instrument

    definition = load_instrument().measures.get(str(row["measure"]))
    return bool(definition is not None and definition.unit == "score")


def _moved(row: Row) -> tuple[str, str, str]:
    """A change, its interval, and whether it is beyond chance."""
    return _points(row), _span(row), _beyond(row, "p_adjusted")


def _points(row: Row) -> str:
    """A difference with its sign."""
    if row["status"] != "ok" or np.isnan(row["value"]):
        return SYMBOLS.get(str(row["status"]), "")
    return _signed(float(row["value"]), _digits(row))


def _span(row: Row) -> str:
    if row["status"] != "ok" or np.isnan(row["lower"]) or np.isnan(row["upper"]):
        return ""
    digits = _digits(row)
    return f"{_signed(float(row['lower']), digits)} to {_signed(float(row['upper']), digits)}"


def _signed(value: float, digits: int) -> str:
    """With its sign, but nought without one."""
    nearest = round(value, digits)
    return f"{nearest:+.{digits}f}" if nearest else f"{0:.{digits}f}"


def _beyond(row: Row | None, column: str) -> str:
    if row is None or row["status"] != "ok" or np.isnan(row[column]):
        return ""
    return "yes" if row[column] < ALPHA else "no"
