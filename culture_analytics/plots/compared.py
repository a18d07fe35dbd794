"""What the charts of gaps and ratios read: each group, the one it is compared with, a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from culture_analytics.compare.groups import ALL, CLEAR, NOT_SHOWN, REST, verdict
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots import data
from culture_analytics.plots.data import Mark
from culture_analytics.plots.layout import Page
from culture_analytics.plots.sheet import Line, Said

__all__ = [
    "ELSE",
    "Pair",
    "asked_only",
    "capped",
    "comparisons",
    "described",
    "heading",
    "in_words",
    "lines_of",
    "name_of",
    "other_name",
    "pairs",
    "sides",
    "under",
    "whom_here",
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


def lines_of(
    part: Sequence[Pair], common: str, cells: Callable[[Pair, bool], tuple[tuple[Said, ...], ...]]
) -> tuple[tuple[Line, ...], list[int]]:
    """Rows named by measure where all are of the same two groups, else by group.

    Parameters
    ----------
    part
        What is compared.
    common
        The way round most measures are, as `common_direction` says it.
    cells
        What the columns say of a pair; told whether the row is named by the group.

    Returns
    -------
    tuple
        The rows, and which of them each pair has.
    """
    named = len({(p.group, p.reference) for p in part}) > 1
    headed = named and len({p.measure for p in part}) > 1
    lines: list[Line] = []
    placed: list[int] = []
    for number, pair in enumerate(part):
        direction = data.marked_direction(pair.measure, common)
        name = f"{pair.name} ({direction})" if direction else pair.name
        if headed and (not number or part[number - 1].measure != pair.measure):
            lines.append(Line(name, heading=True))
        placed.append(len(lines))
        lines.append(Line(pair.group if named else name, cells=cells(pair, named)))
    return tuple(lines), placed


def sides(part: Sequence[Pair]) -> tuple[str, str]:
    """Names of what is compared, and of what it is compared with, for all rows together."""
    groups, others = {p.group: 0 for p in part}, {other_name(p): 0 for p in part}
    return (
        next(iter(groups)) if len(groups) == 1 else "the group named at the left",
        next(iter(others)) if len(others) == 1 else "what it is compared with",
    )


def whom_here(whom: str, pair: Pair, named: bool) -> str:
    """Whom a gap is worse for, in the row that has the group's name."""
    return whom.replace(f"'{pair.group}'", "this group") if named else whom


def asked_only(found: Sequence[Pair], most: int) -> tuple[list[Pair], str]:
    """Those that were on the questionnaire, at most so many, and what is said of the others."""
    asked = [p for p in found if p.found.status != "not_asked"] or list(found)
    drawn, said = capped(asked, most)
    out = [p for p in found if p not in asked]
    if not out:
        return drawn, said
    groups = {p.group for p in asked}
    names = dict.fromkeys(p.name if p.group in groups else p.group for p in out)
    return drawn, f"Not asked in {out[0].found.year}: {', '.join(names)}. {said}".strip()


def _by_words(rows: pd.DataFrame) -> str:
    """The breakdown inside a sentence."""
    by = data.breakdown_label(str(rows["breakdown"].iloc[0]))
    return f"{by[:1].lower()}{by[1:]}"


def heading(rows: pd.DataFrame, what: str) -> str:
    """A title: the measure, or what several have in common, and the breakdown."""
    measures = [str(m) for m in pd.unique(rows["measure"])]
    if len(measures) == 1:
        return data.clean(rows["label"].iloc[0])
    return f"{data.topic(measures) or 'Staff survey results'}: {what} by {_by_words(rows)}"


def under(estimates: Estimates, rows: pd.DataFrame, common: str, *, by: bool) -> str:
    """The line below the title; `by` where the title does not name the breakdown."""
    first = rows.iloc[0]
    return data.subtitle(
        f"By {_by_words(rows)}" if by else "",
        f"Within: {data.clean(first['within_group'])}" if first["within_group"] else "",
        data.org_name(estimates, str(first["org"])),
        str(int(first["year"])),
        common,
    )


def described(estimates: Estimates, rows: pd.DataFrame, page: Page) -> str:
    """What a chart is of, for readers who cannot see it."""
    by = f"by {_by_words(rows)}"
    parts = [page.title, "" if by in page.title else by]
    first = rows.iloc[0]
    if first["within_group"]:
        parts.append(f"within {data.clean(first['within_group'])}")
    parts += [data.org_name(estimates, str(first["org"])), str(int(first["year"]))]
    return ", ".join(p for p in parts if p)
