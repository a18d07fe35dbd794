"""What a chart reads from Estimates: protected rows, names, and what must be said beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.embargo import EMBARGOED
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Measure, load_instrument

__all__ = [
    "OVERALL",
    "Comparators",
    "Mark",
    "Reference",
    "better_words",
    "breakdown_label",
    "clean",
    "common_direction",
    "comparability",
    "comparators",
    "embargo_lines",
    "figures",
    "footer",
    "in_order",
    "interval_note",
    "mark",
    "marked_direction",
    "measure_of",
    "one_breakdown",
    "only_one",
    "org_name",
    "overall_rows",
    "protected",
    "status_text",
    "subtitle",
    "synthetic",
    "synthetic_notes",
    "topic",
    "weighted",
    "years_text",
]

OVERALL = "overall"

_STATISTICS = ("percent", "score")

_STATUS_WORDS = {
    "suppressed": "hidden",
    "unavailable": "not available",
    "not_asked": "not asked",
    "not_applicable": "does not apply",
    "not_comparable": "not comparable",
    "not_computable": "cannot be worked out",
}


@dataclass(frozen=True)
class Mark:
    """One figure of a chart; every number is NaN where `status` is not ``"ok"``."""

    year: int
    value: float
    lower: float
    upper: float
    base: float
    status: str

    @property
    def ok(self) -> bool:
        """Whether there is a figure to draw."""
        return self.status == "ok" and not math.isnan(self.value)

    @property
    def reach(self) -> float:
        """The furthest right that the mark is drawn."""
        return self.value if math.isnan(self.upper) else max(self.value, self.upper)


@dataclass(frozen=True)
class Reference:
    """A figure to compare with: everyone in the organisation, or England."""

    name: str
    mark: Mark
    weighting: str
    own: bool  # of the same organisation as the chart


# -- rows ---------------------------------------------------------------------------------------


def protected(estimates: Estimates, chart: str) -> pd.DataFrame:
    """The protected rows, checked to be Estimates that hold some."""
    if not isinstance(estimates, Estimates):
        raise MeasureError(
            f"plots.{chart}() draws Estimates, as calculate(), read_published() and "
            f"release[topic, breakdown] give; it was given {type(estimates).__name__}."
        )
    if len(estimates) == 0:
        raise MeasureError(f"plots.{chart}() was given Estimates without rows.")
    return estimates.table


def figures(table: pd.DataFrame, chart: str) -> pd.DataFrame:
    """The rows that are percentages or scores of measures, not answers and not differences."""
    rows = table[table["answer"] == ""]
    if rows.empty:
        raise MeasureError(
            f"plots.{chart}() draws measures; these Estimates hold answer distributions. "
            "Use plots.likert()."
        )
    rows = rows[rows["statistic"].isin(_STATISTICS)]
    if rows.empty:
        held = ", ".join(sorted(table["statistic"].unique()))
        raise MeasureError(
            f"plots.{chart}() draws percentages and scores; these Estimates hold: {held}."
        )
    return rows


def only_one(rows: pd.DataFrame, columns: Iterable[str], chart: str) -> None:
    """Refuse rows that mix several values of a key.

    Raises
    ------
    MeasureError
        Names the column, the values and the selection to make.
    """
    for column in columns:
        held = [str(v) for v in pd.unique(rows[column])]
        if len(held) > 1:
            shown = ", ".join(repr(h) for h in held[:8]) + (", ..." if len(held) > 8 else "")
            raise MeasureError(
                f"plots.{chart}() draws one {column} at a time; these Estimates hold "
                f"{len(held)}: {shown}. Choose one: estimates.select({column}={held[0]!r})."
            )


def one_breakdown(rows: pd.DataFrame, chart: str) -> pd.DataFrame:
    """The rows of the one breakdown there is, without the overall rows."""
    split = rows[rows["breakdown"] != OVERALL]
    if split.empty:
        raise MeasureError(
            f"plots.{chart}() draws groups; these Estimates hold everyone together only. "
            "Use calculate(..., by=...) or plots.measures()."
        )
    only_one(split, ("breakdown", "org", "within", "within_group"), chart)
    only_one(split, ("weighting", "source"), chart)
    return split


def overall_rows(table: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Everyone together, of the organisation and `within` group of the rows `like`."""
    first = like.iloc[0]
    keep = (table["breakdown"] == OVERALL) & (table["answer"] == "")
    for column in ("org", "within", "within_group", "source"):
        keep &= table[column] == first[column]
    return table[keep]


def mark(row: Any) -> Mark:
    """A row of the protected table, as ``itertuples`` gives it, as a mark."""
    return Mark(
        year=int(row.year),
        value=float(row.value),
        lower=float(row.lower),
        upper=float(row.upper),
        base=float(row.base),
        status=str(row.status),
    )


@dataclass(frozen=True)
class Comparators:
    """Everyone together, here and elsewhere: what groups and measures are compared with."""

    rows: tuple[tuple[str, str, Reference], ...]  # measure, organisation's key, figure

    def of(self, measure: str, year: int) -> list[Reference]:
        """One figure of each organisation: of that year, or the last year before it."""
        latest: dict[str, Reference] = {}
        for of_measure, key, figure in self.rows:
            if of_measure == measure and figure.mark.year <= year and figure.mark.ok:
                held = latest.get(key)
                if held is None or held.mark.year <= figure.mark.year:
                    latest[key] = figure
        return [
            f if f.mark.year == year else replace(f, name=f"{f.name} {f.mark.year}")
            for f in latest.values()
        ]


def comparators(
    estimates: Estimates,
    like: pd.DataFrame,
    reference: Estimates | Sequence[Estimates] | None,
    chart: str,
) -> Comparators:
    """The overall rows of the Estimates themselves, then those of `reference`."""
    org, kind = str(like["org"].iloc[0]), str(like["source"].iloc[0])
    own = overall_rows(estimates.table, like)
    sources = [(estimates, own[own["statistic"].isin(_STATISTICS)])]
    for one in _listed(reference):
        rows = figures(protected(one, chart), chart)
        sources.append((one, rows[(rows["breakdown"] == OVERALL) & (rows["within"] == "")]))
    found = []
    for source, rows in sources:
        names = {str(o): org_name(source, str(o)) for o in pd.unique(rows["org"])}
        for row in rows.itertuples():
            is_own = str(row.org) == org
            name = "All staff" if is_own else names[str(row.org)]
            if is_own and str(row.source) != kind:
                name += f" ({row.source})"
            figure = Reference(name, mark(row), str(row.weighting), is_own)
            found.append((str(row.measure), name, figure))
    return Comparators(tuple(found))


def _listed(reference: Estimates | Sequence[Estimates] | None) -> list[Estimates]:
    if reference is None:
        return []
    return [reference] if isinstance(reference, Estimates) else list(reference)


# -- names --------------------------------------------------------------------------------------


def clean(text: object) -> str:
    """A label on one line, without characters that cannot be drawn."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def measure_of(measure: str) -> Measure | None:
    """The definition of a measure, if the shipped questionnaire has it."""
    return load_instrument().measures.get(measure)


def in_order(breakdown: str, groups: Sequence[str]) -> list[str]:
    """Groups in questionnaire order where the questionnaire knows them, else as they come."""
    known = load_instrument().breakdowns.get(breakdown)
    place = {g.label: i for i, g in enumerate(known.groups)} if known else {}
    return sorted(groups, key=lambda name: place.get(name, len(place)))


def synthetic(*estimates: Estimates) -> list[str]:
    """What is said of synthetic data; empty for real ones."""
    return synthetic_notes([note for e in estimates for note in e.notes])


def synthetic_notes(notes: Sequence[str]) -> list[str]:
    """The one sentence on synthetic data, not the notes on every file that is called so."""
    told = [clean(n) for n in notes if "synthetic" in n.lower()]
    sentence = [n for n in told if n.lower().startswith("synthetic data")]
    return sentence[:1] or (["SYNTHETIC data."] if told else [])


def embargo_lines(notes: Sequence[str]) -> list[str]:
    """The embargo that results are under, said under every chart of them."""
    return [f"{clean(n).rstrip('.')}." for n in notes if n.startswith(EMBARGOED)][:1]


def common_direction(measures: Sequence[str]) -> str:
    """``"Lower is better"`` where all or most measures say so; with a reminder where not all do."""
    words = [better_words(m) for m in measures]
    if not words or not any(words):
        return ""
    most = max(dict.fromkeys(w for w in words if w), key=words.count)
    return most.capitalize() + ("" if set(words) == {most} else " unless marked")


def marked_direction(measure: str, common: str) -> str:
    """What to add to the name of a measure that is not the common way round."""
    words = better_words(measure)
    if not common or common.lower().startswith(words or "-"):
        return ""
    return words or "neither way is better"


def better_words(measure: str) -> str:
    """``"lower is better"``, ``"higher is better"``, or nothing."""
    definition = measure_of(measure)
    if definition is None or definition.better not in ("lower", "higher"):
        return ""
    return f"{definition.better} is better"


def breakdown_label(breakdown: str) -> str:
    """A breakdown's name for people; the last part of a crossing is joined by "and"."""
    known = load_instrument().breakdowns
    parts = [
        known[p].label if p in known else p.replace("_", " ").capitalize()
        for p in breakdown.split(":")
    ]
    *most, last = [parts[0], *(p[:1].lower() + p[1:] for p in parts[1:])]
    return f"{', '.join(most)} and {last}" if most else last


def org_name(estimates: Estimates, org: str) -> str:
    """An organisation's name, or its code where no name is held."""
    table = estimates.organisations
    if table is not None and "name" in table:
        named = table.loc[table["org"] == org, "name"].dropna()
        if len(named) and str(named.iloc[0]).strip():
            return clean(named.iloc[0])
    return {"ENG": "England", "all": "All organisations together"}.get(org, clean(org))


def topic(measures: Sequence[str]) -> str:
    """What several measures have in common, as a title; empty if too little."""
    instrument = load_instrument()
    for known in (instrument.collections, instrument.domains):
        for name, ids in known.items():
            if tuple(ids) == tuple(measures) and name in instrument.labels:
                return instrument.labels[name]
    domains: dict[str, None] = {}
    for measure in measures:
        definition = instrument.measures.get(measure)
        domains[definition.domain if definition else ""] = None
    labels = [instrument.labels.get(d, "") for d in domains]
    if not labels or len(labels) > 3 or not all(labels):
        return ""
    lowered = [labels[0], *(label[:1].lower() + label[1:] for label in labels[1:])]
    return lowered[0] if len(lowered) == 1 else "; ".join(lowered)


def weighted(weighting: str) -> str:
    """How figures are weighted, as part of a sentence."""
    if not weighting or weighting == "unweighted":
        return "unweighted"
    return weighting if "weight" in weighting else f"weighted by {weighting}"


def years_text(years: Sequence[int]) -> str:
    """Years in words."""
    years = sorted(years)
    if len(years) < 2:
        return "".join(map(str, years))
    return ", ".join(map(str, years[:-1])) + f" and {years[-1]}"


def subtitle(*parts: str) -> str:
    """Facts about a chart on one line."""
    return "  ·  ".join(p for p in parts if p)


# -- what must be said --------------------------------------------------------------------------


def status_text(status: str, estimates: Estimates) -> str:
    """A symbol and words in place of a number: ``"[c] hidden to protect people"``."""
    symbol = SYMBOLS.get(status, "")
    words = _STATUS_WORDS.get(status, "no figure")
    if status == "suppressed" and estimates.rule.base_under > 1:
        words += " to protect people"  # not why: for its own small base, or another's
    return f"{symbol} {words}".strip()


def interval_note(rows: pd.DataFrame) -> str:
    """What the lines beside the dots are."""
    shown = rows[rows["status"] == "ok"]
    if shown["lower"].isna().all():
        return "" if shown.empty else "No intervals are known for these figures."
    levels = shown.loc[shown["lower"].notna(), "level"].dropna().unique()
    level = f"{100 * float(levels[0]):g}% intervals" if len(levels) == 1 else "intervals"
    note = f"Lines are {level}."
    if (shown["method"] == "base_only").any():
        note += " Those of published figures come from the base alone and are probably too narrow."
    return note


def comparability(measures: Sequence[str], years: Sequence[int], breakdown: str = "") -> list[str]:
    """Why years may not compare: changed questions and groups, for years after the first drawn."""
    instrument = load_instrument()
    later = sorted(years)[1:]
    changes: dict[tuple[int, str], dict[str, None]] = {}
    for measure in measures:
        definition = instrument.measures.get(measure)
        short = definition.short if definition else measure
        parts = [i for i, _ in definition.parts] if definition else [measure]
        for item in parts:
            for year in later:
                question = instrument.question(item, year)
                if question is not None and question.comparable in ("caution", "no"):
                    changes.setdefault((year, question.change), {})[clean(short)] = None
    said = []
    for (year, change), names in changes.items():
        about = "" if len(measures) == 1 else f" ({', '.join(names)})" if len(names) < 4 else ""
        said.append(f"Compare {year} with care{about}: {change}.")
    return [*said, *_changed_groups(breakdown, later)]


def _changed_groups(breakdown: str, years: Sequence[int]) -> list[str]:
    """Groups of one answer whose meaning moved; an answer first offered then is no change."""
    instrument = load_instrument()
    known = instrument.breakdowns.get(breakdown)
    if known is None:
        return []
    alone = {g.answers[0]: g.label for g in known.groups if len(g.answers) == 1}
    return [
        f"Compare {row.year} with care ({clean(alone[str(row.label)])}): {row.note}."
        for row in instrument.category_breaks.itertuples()
        if str(row.item) == known.item
        and int(str(row.year)) in years
        and str(row.label) in alone
        and not str(row.note).startswith("first offered")
    ]


def _published_beside(
    rows: pd.DataFrame, others: Estimates | Sequence[Estimates] | None
) -> list[str]:
    """Where published figures come from that stand beside those of respondents."""
    if (rows["source"] == "published").any():
        return []
    said: dict[str, None] = {}
    for one in _listed(others):
        held = one.table
        held = held[held["source"] == "published"]
        for org, release in held[["org", "release"]].drop_duplicates().to_numpy():
            said[f"{org_name(one, str(org))}: published, {clean(release)}."] = None
    return list(said)


def footer(
    estimates: Estimates,
    rows: pd.DataFrame,
    others: Estimates | Sequence[Estimates] | None = None,
    *,
    name: str = "",
) -> list[str]:
    """Source, synthetic data, protection: the lines under every chart.

    ``name``: whose figures they are; by default the first row's organisation.
    """
    lines = []
    org = name or org_name(estimates, str(rows["org"].iloc[0]))
    years = years_text([int(y) for y in pd.unique(rows["year"])])
    weighting = ", ".join(weighted(str(w)) for w in pd.unique(rows["weighting"]) if w)
    if (rows["source"] == "published").any():
        release = "; ".join(str(r) for r in pd.unique(rows["release"]) if r) or f"published {years}"
        what = f"NHS Staff Survey, {release}, {org}"
    elif (rows["source"] == "contractor").any():
        what = f"NHS Staff Survey {years}, tables of the survey contractor, {org}"
    elif (rows["source"] == "pulse").any():
        what = f"National Quarterly Pulse Survey {years}, {org}"
    else:
        what = f"NHS Staff Survey {years}, respondents of {org}"
    lines.append(f"Source: {what}{f' ({weighting})' if weighting else ''}.")
    lines.extend(_published_beside(rows, others))
    lines.extend(synthetic(estimates, *_listed(others)))
    lines.extend(embargo_lines(estimates.notes))
    if estimates.rule.reason:
        lines.append(f"Rule {estimates.rule.name}: {clean(estimates.rule.label)}.")
    if (rows["source"] != "published").any():
        lines.append(f"{estimates._use()}.")
    return lines
