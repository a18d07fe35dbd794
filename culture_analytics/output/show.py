"""What notebooks show of a Release: each function gives a picture, a table or a plain sentence.

A notebook asks one question a cell and holds no logic; whether the data can answer it is decided
here. Where they cannot, the reader is told so and why.

>>> import culture_analytics as ca
>>> release = ca.open_release("sample", year=2024)
>>> print(ca.show.sentence(release, "stress", "work_related_stress"))  # doctest: +ELLIPSIS
Work-related stress, 2024: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from culture_analytics.disclosure.release import Release
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.output.blocks import Block, Picture, Sentence, Several, Table, says_embargo

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from culture_analytics.control import ControlChart
    from culture_analytics.output.show_board import (
        board_changes,
        board_first,
        board_groups,
        board_standing,
        board_sure,
        board_where,
    )
    from culture_analytics.output.show_diagnosis import (
        concerns,
        conditions,
        culture_leaders,
        doubts,
        drivers,
        elements,
        falling,
        findings,
        pooled,
        priorities,
        scale_quality,
        spots,
        stressors,
        tracker,
    )
    from culture_analytics.output.show_inclusion import (
        clear_gaps,
        coverage,
        gaps,
        grounds_by_group,
        intersections,
        ladder,
        not_said,
    )
    from culture_analytics.output.show_response import who_answered
    from culture_analytics.output.show_standards import (
        adjusted,
        detailed,
        edi,
        elsewhere,
        gap_chart,
        gap_years,
        leaders,
        medical,
        ratio_chart,
        reconcile,
        standard_table,
        wdes,
        wres,
    )
    from culture_analytics.output.show_trends import (
        changes,
        england,
        funnels,
        local_differences,
        movers,
        position,
        pulse,
        steady,
        system,
        top_and_bottom,
        trends,
        unit_changes,
    )

__all__ = [
    "STATUS_WORDS",
    "about",
    "adjusted",
    "answers",
    "board_changes",
    "board_first",
    "board_groups",
    "board_standing",
    "board_sure",
    "board_where",
    "changes",
    "clear_gaps",
    "concerns",
    "conditions",
    "coverage",
    "culture_leaders",
    "detailed",
    "doubts",
    "drivers",
    "edi",
    "elements",
    "elsewhere",
    "england",
    "falling",
    "figures",
    "findings",
    "first_held",
    "funnels",
    "gap_chart",
    "gap_years",
    "gaps",
    "grounds_by_group",
    "group_table",
    "groups",
    "headline",
    "heatmap",
    "hidden",
    "intersections",
    "ladder",
    "leaders",
    "local_differences",
    "medical",
    "movers",
    "not_said",
    "pooled",
    "position",
    "priorities",
    "pulse",
    "quality",
    "ratio_chart",
    "reconcile",
    "respondents",
    "scale_quality",
    "sentence",
    "spots",
    "standard_table",
    "standing_apart",
    "steady",
    "stressors",
    "system",
    "top_and_bottom",
    "tracker",
    "trends",
    "unit_changes",
    "unit_table",
    "wdes",
    "who_answered",
    "wres",
    "years",
]


# Modules that hold the rest of the names, and rest on this one themselves.
_OTHERS = (
    "show_trends",
    "show_standards",
    "show_inclusion",
    "show_response",
    "show_diagnosis",
    "show_board",
)


def __getattr__(name: str) -> Any:
    """What the other modules of blocks hold."""
    for module in _OTHERS if name in __all__ else ():
        found = import_module(f"culture_analytics.output.{module}")
        if name in found.__all__:
            return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


Row = dict[str, Any]  # of the protected table

# Why a row has no figure, in words.
STATUS_WORDS = {
    "suppressed": "too few answers to show without risk to the people who gave them",
    "not_asked": "not asked that year, or not of this group",
    "not_applicable": "the question does not apply to this group",
    "not_comparable": "asked differently, so not comparable",
    "unavailable": "not in the data this was made from",
    "not_computable": "nobody gave an answer that counts",
}

# Where results come from, by kind of release.
ORIGIN_WORDS = {
    "extract": "calculated from respondents' answers",
    "published": "taken from the officially published results",
    "contractor": "taken from tables that the survey contractor supplied, which are not published",
}

# The check that begins the findings of a file.
FIRST_CHECK = "rows read"
# What asks for a unit without saying what the extract calls it.
NO_UNIT = ("", "units", "directorate", "team")
ENGLAND = "ENG"
ALL_ORGS = "all"


# -- what it is about -------------------------------------------------------------------------


@says_embargo
def about(release: Release) -> Several:
    """Whose results these are, of which years, and what may be done with them.

    Parameters
    ----------
    release
        The protected tables.
    """
    facts = release.about
    lines: list[Block] = []
    if facts.get("synthetic"):
        lines.append(
            Sentence(
                "SYNTHETIC DATA. These are simulated respondents of an organisation that does not "
                "exist. Nothing here is about real staff.",
                mark=True,
            )
        )
    lines.append(Sentence(f"{release.banner}.", mark=True))
    source = f" Source: {facts['source']}." if facts.get("source") else ""
    lines.append(Sentence(f"{facts['title']}: {ORIGIN_WORDS[facts['kind']]}.{source}"))
    return Several(lines)


@says_embargo
def respondents(release: Release) -> Block:
    """How many people answered, by year.

    Parameters
    ----------
    release
        The protected tables.
    """
    counts = release.about.get("respondents") or {}
    if not counts:
        return _cannot(
            f"{_results(release)} do not say how many people answered in all. The number of "
            "answers stands beside every figure instead."
        )
    rows = [[str(year), _fewer(release) if n is None else f"{n:,}"] for year, n in counts.items()]
    return Table(
        f"People who answered, {release.about['org_name']}", ["Survey year", "People"], [("", rows)]
    )


@says_embargo
def quality(release: Release) -> Block:
    """What was found on reading the extract: rows kept and set aside, and things to check.

    Parameters
    ----------
    release
        The protected tables.
    """
    if release.quality is None or release.quality.empty:
        if release.about["kind"] != "extract":
            what = _lower(_results(release))
            return _cannot(f"These are {what}: there was no extract to check.")
        return _cannot("There is no record of how the extract was read.")
    few = _fewer(release)
    sections: list[tuple[str, list[list[str]]]] = []
    for row in _rows(release.quality):
        file = str(row["where"])
        if row["check"] == FIRST_CHECK:
            sections.append((file, []))
        elif not sections:
            sections.append(("", []))
        about_file = file == sections[-1][0]
        sections[-1][1].append(
            [
                _capital(str(row["check"])),
                _capital(str(row["severity"] or "")),
                few if pd.isna(row["count"]) else f"{int(row['count']):,}",
                "" if about_file else file,
                _capital(str(row["detail"])),
            ]
        )
    return Table(
        "What was found on reading the data (counts only)",
        ["Check", "Importance", "Count", "Where", "What was found and done"],
        sections,
        words=(0, 1, 3, 4),
    )


@says_embargo
def hidden(release: Release) -> Block:
    """How many figures are hidden or missing, and why.

    Parameters
    ----------
    release
        The protected tables.
    """
    counts = release.hidden()
    rows = [["A figure", "shown", f"{counts.get('ok', 0):,}"]]
    rows += [
        [SYMBOLS[status], words, f"{counts[status]:,}"]
        for status, words in STATUS_WORDS.items()
        if counts.get(status)
    ]
    return Table(
        "Figures shown and not shown in all tables of this report",
        ["Symbol", "Meaning", "Figures"],
        [("", rows)],
        notes=[f"Rule {release.rule.name}: {release.rule.label}."],
        words=(0, 1),
    )


def _fewer(release: Release) -> str:
    """In place of a number of people too small to show."""
    return f"fewer than {release.rule.base_under}"


def _results(release: Release) -> str:
    """What results that are not of respondents are called."""
    contractor = release.about["kind"] == "contractor"
    return "Tables of the survey contractor" if contractor else "Published results"


# -- everyone together ------------------------------------------------------------------------


@says_embargo
def headline(
    release: Release, topic: str = "headline", measures: Sequence[str] | None = None
) -> Block:
    """Chart of a topic's measures for everyone, England beside them where it is known.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measures
        Only these, ids, domains or collections.
    """
    chosen = _overall(release, topic, measures)
    if isinstance(chosen, Sentence):
        return chosen
    from culture_analytics import plots

    latest = _latest(chosen)
    return _picture(plots.measures, latest.drawn(), **_beside(release, latest))


@says_embargo
def years(release: Release, topic: str, measures: Sequence[str] | None = None) -> Block:
    """Chart of a topic's measures by survey year.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measures
        Only these, ids, domains or collections.
    """
    chosen = _overall(release, topic, measures)
    if isinstance(chosen, Sentence):
        return chosen
    drawn = chosen.where(chosen.table["status"].isin(["ok", "suppressed"]))
    if drawn.table["year"].nunique() < 2:
        return _cannot(
            "Only one year with figures is held here, so nothing can be said about change. Give "
            "extracts of several years to see it."
        )
    from culture_analytics import plots

    return _picture(plots.measures, drawn.drawn())


@says_embargo
def figures(
    release: Release, topic: str = "headline", measures: Sequence[str] | None = None
) -> Block:
    """Table of a topic's measures for everyone, a column a year, England's where known.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measures
        Only these, ids, domains or collections.
    """
    chosen = _overall(release, topic, measures)
    if isinstance(chosen, Sentence):
        return chosen
    held = chosen.table
    all_years = sorted(int(y) for y in held["year"].unique())
    latest = all_years[-1]
    england = _england(release, _latest(chosen))
    abroad = {} if england is None else {r["measure"]: r for r in _rows(england.table)}
    heads = ["Measure", f"{latest}", "95% interval", "Answers"]
    heads += [str(y) for y in reversed(all_years[:-1])]
    heads += ["England"] if abroad else []
    rows, shown = [], []
    for measure in chosen.measures():
        by_year = {int(r["year"]): r for r in _rows(held[held["measure"] == measure])}
        now = by_year.get(latest)
        if now is None:
            continue
        cells = [_short(measure), _value(now), _interval(now), _base(now)]
        others = [by_year.get(y) for y in reversed(all_years[:-1])]
        others += [abroad.get(measure)] if abroad else []
        rows.append(cells + ["" if o is None else _value(o) for o in others])
        shown += [r for r in (now, *others) if r is not None]
    title = f"{release.about['org_name']}, {latest}"
    return Table(f"All staff, {title}", heads, [("", rows)], notes=_legend(release, shown))


def first_held(release: Release, topic: str, measures: Sequence[str]) -> str:
    """The first of some measures that these results hold; the first of all if none.

    Published results lack measures that unite several questions.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measures
        Ids, the most wanted first.
    """
    held = [m for m in measures if not isinstance(_overall(release, topic, [m]), Sentence)]
    return held[0] if held else measures[0]


@says_embargo
def sentence(release: Release, topic: str, measure: str) -> Sentence:
    """One measure for everyone in words, with its interval, ready to be copied.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measure
        Id of the measure.
    """
    chosen = _overall(release, topic, [measure])
    if isinstance(chosen, Sentence):
        return chosen
    row = _rows(_latest(chosen).table)[0]
    if row["status"] != "ok":
        return Sentence(f"{_short(measure)}, {row['year']}: {_why_not([str(row['status'])])}.")
    what = f"{_short(measure)}, {row['year']}: {_value(row)}"
    extent = (
        f" (95% interval {_interval(row)}; {_base(row)} answers)"
        if _interval(row)
        else (f" ({_base(row)} answers)")
    )
    return Sentence(f"{what}{extent}. In full: {_full(row['label'])}.")


@says_embargo
def answers(release: Release, topic: str, domain: str | Sequence[str] | None = None) -> Block:
    """Chart of the whole distribution of answers, latest year.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    domain
        Only the items of these domains (or these items).
    """
    if not release.has_answers(topic):
        return _cannot(
            "How the single answers were distributed is not in these results, so only the "
            "combined figures can be shown."
        )
    found = release.answers(topic)
    held = found._protected
    mask = np.ones(len(held), dtype=bool)
    if domain is not None:
        mask = held["measure"].isin(_items(domain)).to_numpy()
    chosen = _own(release, _Rows(found, mask))
    if chosen.table.empty:
        return _cannot("These questions are not in these results.")
    if not _any_ok(chosen.table):
        return _absent(chosen.table, "These questions")
    from culture_analytics import plots

    return _picture(plots.likert, _latest(chosen).drawn())


# -- groups -----------------------------------------------------------------------------------


@says_embargo
def groups(release: Release, topic: str, measure: str | Sequence[str], *breakdowns: str) -> Several:
    """A chart for each breakdown: a dot and an interval a group, latest year.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measure
        Id of the measure, or several.
    *breakdowns
        Ids of breakdowns, ``"units"`` for the extract's unit columns, or sets of them.
    """
    wanted = [measure] if isinstance(measure, str) else list(measure)
    names = _names(release, breakdowns)
    held = [b for b in names if _has(release, topic, b) or b in NO_UNIT]
    blocks = [_group_chart(release, topic, wanted, b) for b in held]
    lacking = [_lower(_breakdown(b)) for b in names if b not in held]
    if lacking:
        blocks.append(_cannot(f"These results are not divided by {_either(lacking)}."))
    return Several(blocks)


def _group_chart(release: Release, topic: str, measures: Sequence[str], breakdown: str) -> Block:
    chosen = _split(release, topic, measures, breakdown)
    if isinstance(chosen, Sentence):
        return chosen
    from culture_analytics import plots

    return _picture(plots.groups, chosen.drawn(), **_beside(release, chosen))


@says_embargo
def heatmap(
    release: Release,
    topic: str,
    *breakdowns: str,
    measures: Sequence[str] | None = None,
) -> Several:
    """A chart of groups by measures for each breakdown, latest year.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    *breakdowns
        Ids of breakdowns, ``"units"``, ``"directorate"`` (the largest unit) or ``"team"`` (the
        smallest), whatever the extract calls them.
    measures
        Only these.
    """
    blocks: list[Block] = []
    for breakdown in _names(release, breakdowns):
        chosen = _split(release, topic, measures, breakdown)
        if isinstance(chosen, Sentence):
            blocks.append(chosen)
            continue
        from culture_analytics import plots

        blocks.append(_picture(plots.heatmap, chosen.drawn()))
    return Several(blocks)


@says_embargo
def group_table(release: Release, topic: str, measure: str, *breakdowns: str) -> Block:
    """Table of one measure by groups, latest year; by default by every equality characteristic.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measure
        Id of the measure.
    *breakdowns
        Ids of breakdowns or names of sets; default ``"equality"``.
    """
    sections: list[tuple[str, list[list[str]]]] = []
    shown: list[Row] = []
    year = 0
    for breakdown in _names(release, breakdowns or ("equality",)):
        chosen = _split(release, topic, [measure], breakdown)
        if isinstance(chosen, Sentence):
            continue
        held = chosen.table
        if not sections:
            sections.append(("", [_cells(r) for r in _rows(held[held["breakdown"] == OVERALL])]))
        part = _rows(_offered(held[held["breakdown"] == breakdown]))
        sections.append((_breakdown(breakdown), [_cells(r) for r in part]))
        shown += part
        year = int(held["year"].iloc[0])
    if not sections:
        return _cannot(f"{_short(measure)} is not held for separate groups in these results.")
    return Table(
        f"{_short(measure)} by group, {release.about['org_name']}, {year}",
        ["Group", "Figure", "95% interval", "Answers"],
        sections,
        notes=_legend(release, shown),
    )


@says_embargo
def unit_table(release: Release, topic: str, measures: Sequence[str], unit: str = "team") -> Block:
    """Table of units by measures, latest year.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measures
        Ids of a few measures: a column each.
    unit
        ``"directorate"`` for the largest units, ``"team"`` for the smallest, or a column's name.
    """
    ((breakdown),) = _names(release, (unit,)) or ("",)
    chosen = _split(release, topic, measures, breakdown)
    if isinstance(chosen, Sentence):
        return chosen
    held = chosen.table
    columns = chosen.measures()
    rows, shown = [], []
    for group, part in held.groupby("group", sort=False, observed=True):
        of_measure = {r["measure"]: r for r in _rows(part)}
        present = [of_measure[m] for m in columns if m in of_measure]
        bases = [r["base"] for r in present if r["status"] == "ok"]
        answered = "" if not bases else f"{min(bases):,.0f}"
        rows.append([str(group), *(_value(of_measure[m]) for m in columns), answered])
        shown += present
    return Table(
        f"{release.about['org_name']} by {_lower(_breakdown(breakdown))}, "
        f"{int(held['year'].iloc[0])}",
        [_breakdown(breakdown), *map(_short, columns), "Answers (fewest)"],
        [("", rows)],
        notes=_legend(release, shown),
    )


@says_embargo
def standing_apart(release: Release, topic: str, measure: str, *breakdowns: str) -> Block:
    """Groups whose whole interval lies above or below the figure for all staff, latest year.

    A reading aid, not a test: among many groups one in twenty does so by chance alone.

    Parameters
    ----------
    release
        The protected tables.
    topic
        Topic of the release.
    measure
        Id of the measure.
    *breakdowns
        Ids of breakdowns or names of sets; default the equality characteristics and units.
    """
    looked, found, year = 0, [], 0
    least = None
    for breakdown in _names(release, breakdowns or ("equality", "units")):
        chosen = _split(release, topic, [measure], breakdown)
        if isinstance(chosen, Sentence):
            continue
        held = chosen.table
        year = int(held["year"].iloc[0])
        whole = held[held["breakdown"] == OVERALL]
        if whole.empty or whole["status"].iloc[0] != "ok":
            continue
        least = float(whole["value"].iloc[0])
        part = held[(held["breakdown"] == breakdown) & (held["status"] == "ok")]
        part = part[part["lower"].notna()]
        looked += len(part)
        apart = part[(part["lower"] > least) | (part["upper"] < least)]
        found += [(float(r["value"]) - least, breakdown, r) for r in _rows(apart)]
    if least is None or not looked:
        return _cannot(f"{_short(measure)} is not held for separate groups in these results.")
    where = f"{_short(measure)}, {year}"
    if not found:
        return Sentence(
            f"{where}: none of the {looked} groups stands clearly apart from all staff."
        )
    found.sort(key=lambda f: (-f[0], f[1], str(f[2]["group"])))
    rows = [
        [str(r["group"]), _breakdown(b), "higher" if gap > 0 else "lower", *_cells(r)[1:]]
        for gap, b, r in found
    ]
    unit = found[0][2]["unit"]
    whole_text = f"{least:.2f}" if unit == "score" else f"{least:.1f}%"
    return Table(
        f"{where}: groups that stand apart from all staff ({whole_text})",
        ["Group", "Split by", "Than all staff", "Figure", "95% interval", "Answers"],
        [("", rows)],
        notes=[
            f"{len(found)} of the {looked} groups looked at. About one group in twenty would "
            "stand apart by chance alone if all were alike; small differences in large groups "
            "stand apart too."
        ],
        words=(0, 1, 2),
    )


# -- choosing rows ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Rows:
    """Chosen rows of a topic's table: as a protected table at once, as Estimates when drawn."""

    estimates: Estimates
    mask: NDArray[np.bool_]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The protected rows."""
        return self.estimates._protected.loc[self.mask]

    def where(self, keep: pd.Series) -> _Rows:
        """Fewer of them; `keep` is aligned with `table`."""
        mask = self.mask.copy()
        mask[self.mask] = keep.to_numpy()
        return _Rows(self.estimates, mask)

    def measures(self) -> list[str]:
        """Their measures, in order."""
        return list(pd.unique(self.table["measure"]))

    def known(self) -> _Rows:
        """Only measures with a figure in some row, or with one that is hidden: that is said."""
        held = self.table.loc[self.table["status"].isin(["ok", "suppressed"]), "measure"]
        return self.where(self.table["measure"].isin(held))

    def drawn(self) -> Estimates:
        """As Estimates, for a chart."""
        return self.estimates._rows(self.mask)


def _choose(
    release: Release, topic: str, measures: Sequence[str] | None, breakdowns: Sequence[str]
) -> _Rows:
    """Rows of the organisation the release is about: all together where there are several."""
    found = release[topic]
    held = found._protected
    mask = held["breakdown"].isin(list(breakdowns)).to_numpy(copy=True)
    ids = _measures(measures)
    if ids is not None:
        mask &= held["measure"].isin(ids).to_numpy()
    return _own(release, _Rows(found, mask))


def _own(release: Release, rows: _Rows) -> _Rows:
    org = release.about["org"]
    keep = rows.table["org"].eq(org)
    if org == ALL_ORGS:  # a year with one organisation has no row of all together
        together = rows.table.loc[keep, "year"].unique()
        keep |= ~rows.table["year"].isin(together)
    return rows.where(keep) if keep.any() else rows


def _overall(release: Release, topic: str, measures: Sequence[str] | None) -> _Rows | Sentence:
    """Rows of everyone, of the measures with a figure, shown or hidden, in some year."""
    if topic not in release.topics:
        return _cannot("These results hold nothing on this.")
    chosen = _choose(release, topic, measures, [OVERALL])
    if chosen.table.empty:
        return _cannot("These questions are not in these results.")
    if not _any_ok(chosen.table):
        return _absent(chosen.table, _one_or("These questions", _measures(measures)))
    return chosen.known()


def _split(
    release: Release, topic: str, measures: Sequence[str] | None, breakdown: str
) -> _Rows | Sentence:
    """Rows of everyone and of the groups of one breakdown, of the latest year that has them."""
    if not _has(release, topic, breakdown):
        if breakdown in NO_UNIT:
            return _cannot(
                "These results are not divided by directorate, department or team, so this cannot "
                "be shown. An extract with a column for them can."
            )
        return _cannot(f"These results are not divided by {_lower(_breakdown(breakdown))}.")
    chosen = _choose(release, topic, measures, [OVERALL, breakdown])
    split = chosen.table[chosen.table["breakdown"] == breakdown]
    if split.empty:
        return _cannot("These questions are not in these results.")
    with_figure = split.loc[split["status"] == "ok"]
    if with_figure.empty:
        what = _one_or("These questions", _measures(measures))
        return _absent(split, f"{what}, by {_lower(_breakdown(breakdown))}")
    year = with_figure["year"].max()
    known = _with_figure(with_figure[with_figure["year"] == year])
    return chosen.where((chosen.table["year"] == year) & chosen.table["measure"].isin(known))


def _england(release: Release, like: _Rows) -> Estimates | None:
    """England's figures of the same measures and year."""
    if "published" not in release.topics or release.about["org"] == ENGLAND:
        return None
    published = release["published"]
    keys = {
        "org": ENGLAND,
        "breakdown": OVERALL,
        "year": [int(y) for y in like.table["year"].unique()],
        "measure": like.measures(),
    }
    return published.select(**keys) if published._has(**keys) else None


def _beside(release: Release, like: _Rows) -> dict[str, Estimates]:
    reference = _england(release, like)
    return {} if reference is None else {"reference": reference}


def _latest(rows: _Rows) -> _Rows:
    """The latest year with any figure, and of it the measures with one."""
    year = rows.table.loc[rows.table["status"] == "ok", "year"].max()
    return rows.where(rows.table["year"] == year).known()


def _with_figure(rows: pd.DataFrame) -> list[str]:
    return list(pd.unique(rows.loc[rows["status"] == "ok", "measure"]))


def _any_ok(rows: pd.DataFrame) -> bool:
    return bool(rows["status"].eq("ok").any())


def _offered(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out of tables the groups that did not exist that year."""
    return rows[rows["status"] != "not_asked"]


def _one_or(several: str, ids: Sequence[str] | None) -> str:
    return _short(ids[0]) if ids and len(ids) == 1 else several


def _names(release: Release, names: Iterable[str]) -> list[str]:
    """Breakdown ids: sets and the largest and smallest units resolved."""
    units = release.units()
    known = load_instrument()
    found: list[str] = []
    for name in names:
        if name == "units":
            found += list(units) or ["units"]
        elif name in ("directorate", "team") and name not in units:
            found.append((units[0] if name == "directorate" else units[-1]) if units else name)
        else:
            found += known.breakdown_ids(name) or (name,)
    return list(dict.fromkeys(found))


def _has(release: Release, topic: str, breakdown: str) -> bool:
    return topic in release.topics and (topic, breakdown) in release


def _measures(names: Sequence[str] | None) -> list[str] | None:
    if names is None:
        return None
    return [m.id for m in load_instrument().resolve_measures(names)]


def _items(names: str | Sequence[str]) -> list[str]:
    instrument = load_instrument()
    found: list[str] = []
    for name in [names] if isinstance(names, str) else names:
        if name in instrument.items:
            found.append(name)
        else:
            found += [i for m in instrument.resolve_measures(name) for i, _ in m.parts]
    return list(dict.fromkeys(found))


def _cannot(text: str) -> Sentence:
    """In place of a result that these data cannot give."""
    return Sentence(text, absent=True)


def _absent(rows: pd.DataFrame, what: str) -> Sentence:
    return _cannot(f"{what}: no figure can be shown. {_capital(_why_not(rows['status']))}.")


def _why_not(statuses: Iterable[str]) -> str:
    reasons = [STATUS_WORDS[s] for s in pd.unique(pd.Series(list(statuses))) if s in STATUS_WORDS]
    return "; ".join(reasons) or "nothing is held"


# -- words and cells --------------------------------------------------------------------------


def _picture(draw: Callable[..., Axes], what: Estimates | ControlChart, **options: Any) -> Picture:
    from matplotlib import pyplot as plt

    from culture_analytics.plots import alt_text

    figure = draw(what, **options).get_figure(root=True)
    assert figure is not None
    plt.close(figure)  # shown by the block, not a second time by the notebook
    return Picture(figure, alt_text(figure))


def _rows(table: pd.DataFrame) -> list[Row]:
    """Rows as dictionaries: many times faster than iterrows."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict(orient="records")]


def _short(measure: str) -> str:
    known = load_instrument()
    if measure in known.measures:
        return known.measures[measure].short
    return known.items[measure].label if measure in known.items else measure


def _breakdown(name: str) -> str:
    known = load_instrument().breakdowns
    return known[name].label if name in known else _capital(name.replace("_", " "))


def _full(label: str) -> str:
    return label.rstrip(".")


def _either(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cells(row: Row) -> list[str]:
    return [str(row["group"]), _value(row), _interval(row), _base(row)]


def _value(row: Row) -> str:
    if row["status"] != "ok" or np.isnan(row["value"]):
        return SYMBOLS.get(str(row["status"]), "")
    return f"{row['value']:.2f}" if row["unit"] == "score" else f"{row['value']:.1f}%"


def _interval(row: Row) -> str:
    if row["status"] != "ok" or np.isnan(row["lower"]) or np.isnan(row["upper"]):
        return ""
    digits = 2 if row["unit"] == "score" else 1
    return f"{row['lower']:.{digits}f} to {row['upper']:.{digits}f}"


def _base(row: Row) -> str:
    return "" if row["status"] != "ok" or np.isnan(row["base"]) else f"{row['base']:,.0f}"


def _with_answers(row: Row) -> str:
    """A figure, and under it the number of answers it is made of."""
    return "\n".join(filter(None, [_value(row), _base(row)]))


def _legend(release: Release, rows: Iterable[Row]) -> list[str]:
    """Meaning of the symbols that occur, and of scores and published intervals."""
    rows = list(rows)
    statuses = {str(r["status"]) for r in rows}
    said: dict[str, list[str]] = {}
    for status, words in STATUS_WORDS.items():
        if status in statuses:
            said.setdefault(SYMBOLS[status], []).append(words)
    notes = [f"{symbol} {', or '.join(words)}." for symbol, words in said.items()]
    if any(r["unit"] == "score" for r in rows):
        notes.append("Scores run from 0 to 10; higher is better.")
    if any(r["method"] == "base_only" and r["status"] == "ok" for r in rows):
        notes.append(
            "Intervals of published figures come from the number of answers alone and are "
            "probably too narrow."
        )
    return notes
