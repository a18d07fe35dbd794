"""What the charts of gaps and ratios read: each group, the one it is compared with, a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from culture_analytics.compare.groups import ALL, CLEAR, NOT_SHOWN, REST, verdict
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.data import Mark

__all__ = [
    "ELSE",
    "Pair",
    "by_words",
    "capped",
    "comparisons",
    "heading",
    "in_words",
    "name_of",
    "other_name",
    "pairs",
]

ELSE = {REST: "everyone else", ALL: "all staff"}
_KEYS = ("breakdown", "org", "year", "within", "within_group", "weighting", "source", "release")


@dataclass(frozen=True)
class Pair:
    """One comparison: what is compared, both figures, and what is said of them."""

    statistic: str  # difference or ratio
    measure: str
    name: str  # of the measure
    group: str
    reference: str
    unit: str  # of the figures: percent or score
    compared: Mark
    other: Mark
    found: Mark  # the difference or ratio
    level: float
    verdict: str
    better: str  # "lower", "higher", or nothing

    @property
    def clear(self) -> bool:
        """Whether the verdict is a clear gap."""
        return self.verdict == CLEAR


def comparisons(estimates: Estimates, statistic: str, chart: str) -> pd.DataFrame:
    """Rows that compare groups, of one table, with a column of verdicts.

    Raises
    ------
    MeasureError
        There are none, or they are of several tables.
    """
    table = data.protected(estimates, chart)
    keep = (
        table["statistic"].eq(statistic)
        & table["breakdown"].ne(data.OVERALL)
        & table["answer"].eq("")
        & table["reference"].ne("")
        & ~table["reference"].str.fullmatch(r"\d{4}")
    ).to_numpy(dtype=bool)
    if not keep.any():
        held = ", ".join(sorted(map(str, pd.unique(table["statistic"]))))
        raise MeasureError(
            f"plots.{chart}() draws what compare_groups() makes, a {statistic} for each group; "
            f"these Estimates hold: {held}. Try: concat([figures, compare_groups(figures, "
            "statistic=['difference', 'ratio'])])."
        )
    rows = table[keep].reset_index(drop=True)
    data.only_one(rows, _KEYS, chart)
    return rows.assign(verdict=verdict(estimates._rows(keep)))


def pairs(
    estimates: Estimates, rows: pd.DataFrame, names: Mapping[str, str] | None = None
) -> list[Pair]:
    """The comparisons with both figures, by measure and then in the order of the questionnaire."""
    table = estimates.table
    like = rows.iloc[0]
    same = table["answer"].eq("") & table["statistic"].isin(("percent", "score"))
    for column in ("org", "year", "within", "within_group", "weighting", "source", "release"):
        same &= table[column].eq(like[column])
    figures = {
        (str(r.measure), str(r.breakdown), str(r.group)): r for r in table[same].itertuples()
    }
    breakdown = str(like["breakdown"])
    place = {g: i for i, g in enumerate(data.in_order(breakdown, list(pd.unique(rows["group"]))))}
    measures = {m: i for i, m in enumerate(pd.unique(rows["measure"]))}
    found = []
    for row in rows.itertuples():
        measure, group, reference = str(row.measure), str(row.group), str(row.reference)
        own = figures.get((measure, breakdown, group))
        other = figures.get((measure, breakdown, reference))
        mark = data.mark(row)
        nothing = _nothing(mark)
        compared = nothing if own is None else data.mark(own)
        known = data.measure_of(measure)
        found.append(
            Pair(
                statistic=str(row.statistic),
                measure=measure,
                name=name_of(measure, str(row.label), names),
                group=data.clean(group),
                reference=data.clean(reference),
                unit=_unit(own, known.unit if known else "percent"),
                compared=compared,
                other=_other(mark, compared, reference) if other is None else data.mark(other),
                found=mark,
                level=float(str(row.level)),
                verdict=str(row.verdict),
                better=data.better_words(measure).removesuffix(" is better"),
            )
        )
    order = sorted(
        range(len(found)),
        key=lambda i: (
            measures[rows["measure"].iloc[i]], place[rows["group"].iloc[i]],
            str(rows["reference"].iloc[i]),
        ),
    )  # fmt: skip
    return [found[i] for i in order]


def _nothing(mark: Mark) -> Mark:
    """No figure, for the same reason."""
    nan = math.nan
    return replace(mark, value=nan, lower=nan, upper=nan, base=nan)


def _unit(own: object, known: str) -> str:
    return known if own is None else str(getattr(own, "unit", known))


def _other(gap: Mark, compared: Mark, reference: str) -> Mark:
    """Everyone else's figure: the group's less the gap, which are both shown."""
    if reference not in ELSE or not (gap.ok and compared.ok):
        return _nothing(gap)
    return replace(_nothing(gap), value=compared.value - gap.value, status="ok")


def other_name(pair: Pair) -> str:
    """What a group is compared with, in words."""
    return ELSE.get(pair.reference, pair.reference)


def name_of(measure: str, label: str, names: Mapping[str, str] | None = None) -> str:
    """A measure's name: the one given, its short one, or its label."""
    if names and measure in names:
        return data.clean(names[measure])
    known = data.measure_of(measure)
    return data.clean(known.short if known else label)


def in_words(pair: Pair, estimates: Estimates) -> tuple[str, str]:
    """The verdict, or why there is no figure; and whom a clear gap is worse for."""
    if not pair.found.ok or pair.verdict == NOT_SHOWN:
        return data.status_text(pair.found.status, estimates), ""
    if not pair.clear:
        return pair.verdict, ""
    more = pair.found.value > (1 if pair.statistic == "ratio" else 0)
    worse = more == (pair.better == "lower") if pair.better else more
    return pair.verdict, f"{'worse' if pair.better else 'higher'} for {_side(pair, worse)}"


def _side(pair: Pair, compared: bool) -> str:
    return f"'{pair.group}'" if compared else _quoted(pair)


def _quoted(pair: Pair) -> str:
    return ELSE.get(pair.reference) or f"'{pair.reference}'"


def capped(found: list[Pair], most: int) -> tuple[list[Pair], str]:
    """At most so many rows, those most surely apart, and what is said of the others.

    Not those with the largest gaps: these are the smallest groups.
    """
    if len(found) <= most:
        return found, ""
    shown = sorted((p for p in found if p.found.ok), key=lambda p: -_sure(p))[:most]
    hidden = sum(p.found.status == "suppressed" for p in found)
    said = f"{len(shown)} of {len(found)} are drawn: those most surely apart"
    said += f"; {hidden} are hidden to protect people." if hidden else "."
    return [p for p in found if p in shown], said


def _sure(pair: Pair) -> float:
    """How far the limit nearer to no gap lies from it, in the direction of the gap."""
    none = 1.0 if pair.statistic == "ratio" else 0.0
    way = 1.0 if pair.found.value >= none else -1.0
    near = pair.found.lower if way > 0 else pair.found.upper
    return -math.inf if math.isnan(near) else way * (near - none)


def by_words(rows: pd.DataFrame) -> str:
    """The breakdown inside a sentence."""
    by = data.breakdown_label(str(rows["breakdown"].iloc[0]))
    return f"{by[:1].lower()}{by[1:]}"


def heading(rows: pd.DataFrame, found: Sequence[Pair], what: str) -> str:
    """A title: the measure, or what several have in common, and the breakdown."""
    measures = list(pd.unique(rows["measure"]))
    if len(measures) == 1:
        return data.clean(rows["label"].iloc[0])
    return f"{data.topic(measures) or 'Staff survey results'}: {what} by {by_words(rows)}"
