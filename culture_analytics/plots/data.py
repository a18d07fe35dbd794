"""What a chart reads from Estimates: protected rows, names, and what must be said beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from culture_analytics.disclosure.release import BANNER
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Measure, load_instrument

__all__ = [
    "OVERALL", "Mark", "Reference", "better_words", "breakdown_label", "clean", "comparability",
    "figures", "footer", "interval_note", "mark", "measure_of", "one_breakdown", "only_one",
    "org_name", "overall_rows", "protected", "references", "status_text", "subtitle", "topic",
    "years_text",
]  # fmt: skip

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


def references(
    estimates: Estimates,
    like: pd.DataFrame,
    reference: Estimates | Sequence[Estimates] | None,
    measure: str,
    year: int,
    chart: str,
) -> list[Reference]:
    """Figures to compare one measure with: all staff, then those of `reference`."""
    org = str(like["org"].iloc[0])
    given = (
        [] if reference is None else [reference] if isinstance(reference, Estimates) else reference
    )
    found: dict[str, Reference] = {}
    sources = [(estimates, overall_rows(estimates.table, like))]
    for one in given:
        rows = figures(protected(one, chart), chart)
        sources.append((one, rows[(rows["breakdown"] == OVERALL) & (rows["within"] == "")]))
    for source, rows in sources:
        rows = rows[(rows["measure"] == measure) & rows["statistic"].isin(_STATISTICS)]
        for one_org in pd.unique(rows["org"]):
            of_org = rows[(rows["org"] == one_org) & (rows["year"] <= year)]
            if of_org.empty:
                continue
            row = next(of_org.sort_values("year", kind="stable").tail(1).itertuples())
            own = str(one_org) == org
            name = "All staff" if own else org_name(source, str(one_org))
            if own and str(row.source) != str(like["source"].iloc[0]):
                name = f"All staff ({row.source})"
            if int(str(row.year)) != year:
                name = f"{name} {row.year}"
            if str(row.status) == "ok" and name not in found:
                found[name] = Reference(name, mark(row), str(row.weighting), own)
    return list(found.values())


# -- names --------------------------------------------------------------------------------------


def clean(text: object) -> str:
    """A label on one line, without characters that cannot be drawn."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def measure_of(measure: str) -> Measure | None:
    """The definition of a measure, if the shipped questionnaire has it."""
    return load_instrument().measures.get(measure)


def better_words(measure: str) -> str:
    """``"lower is better"``, ``"higher is better"``, or nothing."""
    definition = measure_of(measure)
    if definition is None or definition.better not in ("lower", "higher"):
        return ""
    return f"{definition.better} is better"


def breakdown_label(breakdown: str) -> str:
    """A breakdown's name for people; the parts of a crossing are joined by "and"."""
    known = load_instrument().breakdowns
    parts = [
        known[p].label if p in known else p.replace("_", " ").capitalize()
        for p in breakdown.split(":")
    ]
    return " and ".join([parts[0], *(p[:1].lower() + p[1:] for p in parts[1:])])


def org_name(estimates: Estimates, org: str) -> str:
    """An organisation's name, or its code where no name is held."""
    table = estimates.organisations
    if table is not None and "name" in table:
        named = table.loc[table["org"] == org, "name"].dropna()
        if len(named) and str(named.iloc[0]).strip():
            return clean(named.iloc[0])
    return {"ENG": "England", "all": "All organisations together"}.get(org, clean(org))


def topic(measures: Sequence[str]) -> str:
    """What several measures have in common, as a title."""
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
        return "Staff survey results"
    lowered = [labels[0], *(label[:1].lower() + label[1:] for label in labels[1:])]
    return lowered[0] if len(lowered) == 1 else "; ".join(lowered)


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
    """A symbol and words in place of a number: ``"[c] hidden, fewer than 11"``."""
    symbol = SYMBOLS.get(status, "")
    words = _STATUS_WORDS.get(status, "no figure")
    if status == "suppressed" and estimates.rule.base_under > 1:
        words += f", fewer than {estimates.rule.base_under}"
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


def comparability(measures: Sequence[str], years: Sequence[int]) -> list[str]:
    """Why years may not compare, for the years drawn after the first."""
    instrument = load_instrument()
    said: dict[str, None] = {}
    for measure in measures:
        definition = instrument.measures.get(measure)
        for item, _ in definition.parts if definition else ():
            for year in sorted(years)[1:] if len(years) > 1 else ():
                question = instrument.question(item, year)
                if question is not None and question.comparable in ("caution", "no"):
                    said[f"Comparing with {year}: {question.change}."] = None
    return list(said)


def footer(
    estimates: Estimates,
    rows: pd.DataFrame,
    others: Estimates | Sequence[Estimates] | None = None,
) -> list[str]:
    """Source, synthetic data, protection: the lines under every chart."""
    given = [] if others is None else [others] if isinstance(others, Estimates) else list(others)
    lines = []
    org = org_name(estimates, str(rows["org"].iloc[0]))
    years = years_text([int(y) for y in pd.unique(rows["year"])])
    weighting = ", ".join(str(w) for w in pd.unique(rows["weighting"]) if w)
    if (rows["source"] == "published").any():
        release = "; ".join(str(r) for r in pd.unique(rows["release"]) if r) or f"published {years}"
        what = f"NHS Staff Survey, {release}, {org}"
    else:
        what = f"NHS Staff Survey {years}, respondents of {org}"
    lines.append(f"Source: {what}{f' ({weighting})' if weighting else ''}.")
    notes = dict.fromkeys(n for e in (estimates, *given) for n in e.notes)
    lines.extend(clean(n) for n in notes if "synthetic" in n.lower())
    if estimates.rule.reason:
        lines.append(f"Rule {estimates.rule.name}: {clean(estimates.rule.label)}.")
    if (rows["source"] != "published").any():
        lines.append(f"{BANNER}.")
    return lines
