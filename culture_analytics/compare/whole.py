"""One figure for a whole breakdown: whether its groups are alike, and how it rises along them.

`association`: Rao and Scott's test of whether the groups differ at all. `slope_index` and
`relative_index`: the gradient over groups that have an order. Each is made of the groups that are
shown and of nobody else, so it says nothing that they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.derive import adjusted, dies
from culture_analytics.compare.sides import FEW, FEWEST, OVERALL, Side, not_compared, side_of
from culture_analytics.disclosure.derived import GROUPS, OF_WHOLE
from culture_analytics.errors import MeasureError
from culture_analytics.estimate.kept import CELL_NUMBER, CELL_SUMS, CellSums
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.stats.association import RaoScott, rao_scott
from culture_analytics.stats.inequality import gradient_limits, slope_coefficients, slope_index
from culture_analytics.stats.proportion import wilson

__all__ = [
    "ASSOCIATION",
    "GROUPS_SHOWN",
    "RELATIVE",
    "SLOPE",
    "SPARSE",
    "WHOLE",
    "whole_breakdowns",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]

ASSOCIATION, SLOPE, RELATIVE = WHOLE = OF_WHOLE

GROUPS_SHOWN, EACH_OTHER = "Groups shown", "each other"

SPARSE = "few answers expected"
"""Stands in `method` where the groups of an association are too small for the test."""
FEWEST_EXPECTED = 5.0
"""Yes and no answers expected, if all groups were alike, of a group that takes part in the test."""

NOTHING = "not_applicable"
"""Status where there is nothing to test: two groups in a gradient, all answers alike."""

LEAST = {ASSOCIATION: 2, SLOPE: 3}  # groups

MADE_OF = (
    "Figures of a whole breakdown are made of the groups shown; 'prefer not to say' and hidden "
    "groups take no part in them, nor, in an association, groups of whom fewer than five would be "
    "expected to say yes, or no."
)
NO_ORDER = "{breakdowns}: groups without an order, so no gradient."
NO_SUMS = (
    "{number} association(s) cannot be tested: weighted results that were saved no longer hold "
    "the sums the test needs. Calculate them again from the respondents."
)

# What the groups of one table have in common.
_TABLE = ("year", "org", "measure", "label", "answer", "breakdown", "within", "within_group",
          "statistic", "weighting", "source", "release", "level")  # fmt: skip

# Columns that do not outlive the work: hidden with its groups, sums gone, the ratio of a slope.
_WORKING = ("_dead", "_unknown", "_ratio", "_ratio_lower", "_ratio_upper")


@dataclass(frozen=True, eq=False)
class _Tables:
    """Tables of one breakdown each: which rows of the results are their groups."""

    frame: pd.DataFrame
    first: Ints  # a row of each table
    members: list[Ints]  # rows of its groups that take part, in order
    groups: Ints  # how many there are, shown or not
    status: NDArray[np.object_]  # where too few take part


def whole_breakdowns(
    estimates: Estimates,
    wanted: Sequence[str],
    *,
    order: Mapping[str, Sequence[str]] | None,
    adjust: str,
) -> tuple[pd.DataFrame, list[str]]:
    """Rows of `compare_groups` that are about whole breakdowns, and what is to be said of them.

    Parameters
    ----------
    estimates
        Results with a breakdown or more.
    wanted
        Some of `WHOLE`.
    order
        Groups from first to last of breakdowns whose order the instrument does not know.
    adjust
        As for `compare_groups`.

    Raises
    ------
    MeasureError
        Nothing that can be tested, or `order` names what is not there.
    """
    frame = estimates._frame.reset_index(drop=True)
    own = frame["statistic"].isin(("percent", "score")) & frame["reference"].eq("")
    own &= ~frame["breakdown"].isin((OVERALL, ""))
    instrument = load_instrument()
    ordered = _ordered(instrument, frame.loc[own], order)
    chosen = {
        ASSOCIATION: own & frame["statistic"].eq("percent"),
        SLOPE: own & frame["breakdown"].isin(ordered),
    }
    found: dict[str, pd.DataFrame] = {}
    for name in dict.fromkeys(ASSOCIATION if w == ASSOCIATION else SLOPE for w in wanted):
        rows = chosen[name].to_numpy(dtype=bool)
        if rows.any():
            tables = _tables(estimates, frame, rows, instrument, ordered, name)
            made = _MADE[name](estimates, tables)
            found[name] = _tested(made, estimates, adjust, _WHAT[name])
    if SLOPE in found:  # a relative index is tested as its slope
        found[RELATIVE] = _relative(found[SLOPE])
    blocks = [found[name] for name in wanted if name in found and len(found[name])]
    if not blocks:
        raise MeasureError(_nothing(wanted, bool(own.any())))
    notes = [MADE_OF]
    without = [b for b in pd.unique(frame.loc[own, "breakdown"]) if b not in ordered]
    if without and any(name != ASSOCIATION for name in wanted):
        notes.append(NO_ORDER.format(breakdowns=", ".join(without)))
    lost = sum(int(block["_unknown"].sum()) for block in blocks)
    if lost:
        notes.append(NO_SUMS.format(number=lost))
    both = pd.concat(blocks, ignore_index=True)
    dead = both["_dead"].to_numpy(dtype=bool)
    both = both.drop(columns=[c for c in _WORKING if c in both.columns])
    return dies(both, dead, together=estimates._suppressed_together), notes


def _nothing(wanted: Sequence[str], some: bool) -> str:
    if not some:
        return (
            "compare_groups() needs figures by group; these results have none. Try: "
            "calculate(..., by='ethnicity')."
        )
    if ASSOCIATION in wanted:
        return "Associations are of percentages; these results hold scores alone."
    return (
        "None of these breakdowns has an order, so there is no gradient. Try: "
        "calculate(..., by='ordered'), or order={'band': ['Band 2', 'Band 3', ...]}."
    )


def _ordered(
    instrument: Instrument, rows: pd.DataFrame, order: Mapping[str, Sequence[str]] | None
) -> dict[str, list[str]]:
    """Breakdowns with an order, and their groups from first to last."""
    found = {
        str(b): [g.label for g in instrument.breakdowns[b].groups]
        for b in pd.unique(rows["breakdown"])
        if b in instrument.breakdowns and instrument.breakdowns[b].ordered
    }
    for breakdown, labels in (order or {}).items():
        there = set(rows.loc[rows["breakdown"].eq(breakdown), "group"])
        strange = [label for label in labels if label not in there]
        if not there or strange:
            raise MeasureError(
                f"order={{{breakdown!r}: ...}}: "
                + (f"no groups {', '.join(map(repr, strange))} there." if there else "not there.")
            )
        if len(set(labels)) < len(labels):
            raise MeasureError(f"order={{{breakdown!r}: ...}}: a group stands there twice.")
        found[breakdown] = list(labels)
    return found


# -- which groups take part ---------------------------------------------------------------------


def _tables(
    estimates: Estimates,
    frame: pd.DataFrame,
    rows: Mask,
    instrument: Instrument,
    ordered: Mapping[str, list[str]],
    name: str,
) -> _Tables:
    hidden = estimates._hidden
    value, base = (frame[c].to_numpy(dtype=float) for c in ("value", "base"))
    shown = frame["status"].eq("ok").to_numpy(dtype=bool) & ~hidden & (base > 0)
    shown &= ~np.isnan(value)
    breakdown, group = (frame[c].to_numpy(dtype=object) for c in ("breakdown", "group"))
    place: dict[str, dict[str, int]] = {}
    for one in pd.unique(breakdown[rows]):
        labels = list(dict.fromkeys(group[rows & (breakdown == one)]))
        chosen = ordered[one] if name != ASSOCIATION else labels
        out = not_compared(instrument, one, labels)
        place[one] = {g: k for k, g in enumerate(chosen) if g not in out}
    at = np.flatnonzero(rows)
    rank = np.array([place[breakdown[i]].get(group[i], -1) for i in at], dtype=np.int64)
    at, rank = at[rank >= 0], rank[rank >= 0]
    # Levels of published scores are blank: blanks are alike.
    table = frame.iloc[at].groupby(list(_TABLE), sort=False, dropna=False, observed=True).ngroup()
    number = table.to_numpy(dtype=np.int64)
    statuses = frame["status"].to_numpy(dtype=object)
    first, members, size, status = [], [], [], []
    for k in _members(number):
        of = at[k][np.argsort(rank[k], kind="stable")]
        part = of[shown[of]]
        first.append(of[0])
        members.append(part)
        size.append(len(of))
        status.append(_status(statuses[of], hidden[of], len(part), name))
    return _Tables(
        frame, np.array(first, dtype=np.intp), members, np.array(size, dtype=np.intp),
        np.array(status, dtype=object),
    )  # fmt: skip


def _members(number: NDArray[np.integer[Any]]) -> list[Ints]:
    """Positions of each number, in the order of the numbers."""
    order = np.argsort(number, kind="stable")
    cuts = np.flatnonzero(np.diff(number[order])) + 1
    return [np.asarray(part, dtype=np.intp) for part in np.split(order, cuts) if len(part)]


def _status(statuses: NDArray[np.object_], hidden: Mask, shown: int, name: str) -> str:
    """Of a table: ok, hidden with its groups, or why there is nothing to test."""
    if shown >= LEAST[name]:
        return "ok"
    if hidden.any():
        return "suppressed"
    others = set(statuses) - {"ok", "suppressed"}
    return str(others.pop()) if len(others) == 1 and not shown else NOTHING


def _rows(tables: _Tables, name: str, unit: str) -> pd.DataFrame:
    """Rows with their keys, without figures yet."""
    found = tables.frame.iloc[tables.first][list(_TABLE)].reset_index(drop=True)
    labels = tables.frame["group"].to_numpy(dtype=object)
    groups = np.empty(len(found), dtype=object)
    for k, part in enumerate(tables.members):
        groups[k] = tuple(str(g) for g in labels[part])
    ends = [f"{g[0]} to {g[-1]}" if g else "" for g in groups]
    base = tables.frame["base"].to_numpy(dtype=float)
    return found.assign(
        group=GROUPS_SHOWN,
        statistic=name,
        unit=unit,
        reference=EACH_OTHER if name == ASSOCIATION else ends,
        base=[float(base[part].sum()) for part in tables.members],
        status=np.where(tables.status == "suppressed", "ok", tables.status),
        _dead=tables.status == "suppressed",
        _unknown=False,
        **{GROUPS: groups},
    )


def _words(tables: _Tables, how: Sequence[str], more: Sequence[str]) -> list[str]:
    """What was done, over how many groups, and what keeps it from being judged."""
    return [
        f"{name}, {len(part)} of {size} groups" + (f", {word}" if word else "")
        for name, part, size, word in zip(how, tables.members, tables.groups, more, strict=True)
    ]


# -- association --------------------------------------------------------------------------------


def _associations(estimates: Estimates, tables: _Tables) -> pd.DataFrame:
    frame = tables.frame
    side = side_of(frame, np.arange(len(frame)))
    large = [_large_enough(side.take(part)) for part in tables.members]
    sparse = [np.count_nonzero(big) < LEAST[ASSOCIATION] for big in large]
    tables = replace(
        tables,
        members=[
            part if few else part[big]
            for part, big, few in zip(tables.members, large, sparse, strict=True)
        ],
    )
    tester = _Tester.of(estimates, frame, side)
    found = [
        tester.test(part, int(first)) if status == "ok" else None
        for part, first, status in zip(tables.members, tables.first, tables.status, strict=True)
    ]
    nothing = RaoScott(*[np.nan] * 7)
    tests = [t or nothing for t in found]
    rows = _rows(tables, ASSOCIATION, "F")
    lost = np.array([t is None for t in found]) & (tables.status == "ok")
    status = np.where(lost, "unavailable", rows["status"])
    value = np.array([t.f for t in tests])
    base_only = frame["method"].astype(str).str.startswith("base_only").to_numpy(dtype=bool)
    more = [
        ", ".join(w for w in ("base_only" if base_only[i] else "", SPARSE if few else "") if w)
        for i, few in zip(tables.first, sparse, strict=True)
    ]
    return rows.assign(
        value=value,
        df=[t.ndf for t in tests],
        p_value=[t.p_value for t in tests],
        status=np.where((status == "ok") & np.isnan(value) & ~rows["_dead"], NOTHING, status),
        method=_words(tables, ["rao_scott"] * len(rows), more),
        _unknown=lost,
    )


@dataclass(frozen=True, eq=False)
class _Tester:
    """What tests of tables need of every row."""

    side: Side
    sums: NDArray[np.object_] | None
    number: Floats
    local: Mask
    unweighted: Mask
    sampled: Floats  # respondents of the whole sample; NaN where not known

    @classmethod
    def of(cls, estimates: Estimates, frame: pd.DataFrame, side: Side) -> _Tester:
        kept = CELL_SUMS in frame.columns
        people = {
            key: float(next(iter(sets))[1])
            for key, sets in estimates._origin.respondents.items()
            if len(sets) == 1
        }
        keys = zip(frame["year"].astype(int), frame["org"].astype(str), strict=True)
        return cls(
            side,
            frame[CELL_SUMS].to_numpy(dtype=object) if kept else None,
            frame[CELL_NUMBER].to_numpy(dtype=float) if kept else np.zeros(len(frame)),
            frame["source"].eq("extract").to_numpy(dtype=bool),
            frame["weighting"].eq("unweighted").to_numpy(dtype=bool),
            np.array([people.get(key, np.nan) for key in keys]),
        )

    def test(self, part: Ints, first: int) -> RaoScott | None:
        """One table; None where the sums it needs are gone."""
        sums = self.sums[first] if self.sums is not None else None
        if isinstance(sums, CellSums):
            table = sums.tables(self.number[part].astype(np.int64))
            return rao_scott(
                table.n, table.sw, table.sw2, table.n_h,
                population_h=table.population_h, lonely=sums.lonely,
            )  # fmt: skip
        if self.local[first] and not self.unweighted[first]:
            return None
        side = self.side.take(part)
        counts = np.stack([side.base - side.yes, side.yes], axis=1)[None]
        people = float(side.base.sum())
        if self.local[first]:
            people = float(np.fmax(people, self.sampled[first]))
        return rao_scott(counts, counts, counts, [people])


def _large_enough(side: Side) -> Mask:
    """Groups large enough for the test, which is too sure of small ones beside large ones."""
    weight = np.where(np.isnan(side.weight), side.base, side.weight)
    people = np.fmin(side.effective, side.base)
    yes = float(np.sum(side.p * weight) / max(float(np.sum(weight)), 1e-300))
    return np.asarray(people * min(yes, 1 - yes) >= FEWEST_EXPECTED - 1e-9, dtype=bool)


# -- gradient -----------------------------------------------------------------------------------


def _slopes(estimates: Estimates, tables: _Tables) -> pd.DataFrame:
    frame = tables.frame
    rows = _rows(tables, SLOPE, "points")
    score = frame["statistic"].eq("score").to_numpy(dtype=bool)
    levels = frame["level"].to_numpy(dtype=float)
    every = side_of(frame, np.arange(len(frame)))
    figures = np.full((len(rows), 9), np.nan)
    few = np.zeros(len(rows), dtype=bool)
    for k, (part, first) in enumerate(zip(tables.members, tables.first, strict=True)):
        if tables.status[k] != "ok":
            continue
        level = 0.95 if np.isnan(levels[first]) else float(levels[first])
        side = every.take(part)
        if score[first]:
            figures[k, :6] = _of_scores(side, level)
        else:
            figures[k] = _of_percentages(side, level)
            yes = side.yes.sum()
            few[k] = min(yes, side.base.sum() - yes) < FEWEST - 1e-6
    base_only = frame["method"].astype(str).str.startswith("base_only").to_numpy(dtype=bool)
    more = [
        ", ".join(w for w in ("base_only" if base_only[i] else "", FEW if f else "") if w)
        for i, f in zip(tables.first, few, strict=True)
    ]
    how = np.where(score[tables.first], "slope_t", "slope_mover")
    columns = ("value", "lower", "upper", "se", "df", "p_value",
               "_ratio", "_ratio_lower", "_ratio_upper")  # fmt: skip
    rows = rows.assign(**dict(zip(columns, figures.T, strict=True)))
    lost = rows["status"].eq("ok") & rows["value"].isna() & ~rows["_dead"]
    return rows.assign(
        status=rows["status"].mask(lost, NOTHING),
        method=_words(tables, list(how), more),
    )


def _relative(slopes: pd.DataFrame) -> pd.DataFrame:
    """The rows of relative indices, of percentages only."""
    rows = slopes[~slopes["method"].str.startswith("slope_t")]
    ratio = rows["_ratio"].to_numpy(dtype=float)
    upper = rows["_ratio_upper"].to_numpy(dtype=float)
    none = rows["status"].eq("ok") & np.isnan(ratio) & ~rows["_dead"]
    return rows.assign(
        statistic=RELATIVE,
        unit="ratio",
        value=ratio,
        lower=np.where(np.isnan(ratio), np.nan, rows["_ratio_lower"]),
        upper=np.where(np.isnan(ratio) | np.isinf(upper), np.nan, upper),
        se=np.nan,
        df=np.nan,
        status=rows["status"].mask(none, NOTHING),  # the line leaves 0-100
        method=rows["method"].str.replace("slope_mover", "relative_mover"),
    )


def _of_percentages(side: Side, level: float) -> list[float]:
    """Slope, limits, standard error, degrees of freedom, p; relative index and limits."""
    p, low, high = side.p, side.lower / 100, side.upper / 100
    c = slope_coefficients(side.weight)
    share = side.weight / side.weight.sum()
    mean = float(np.sum(share * p))
    worth = 1 / float(np.sum(share**2 / np.where(side.effective > 0, side.effective, np.nan)))
    limits = gradient_limits(p, side.weight, (low, high), wilson(mean, worth, level=level))
    index = slope_index(p, side.weight, se=side.se / 100, level=level)
    # As if there were no gradient: all groups share one percentage.
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = float(np.sqrt(mean * (1 - mean) * np.sum(c**2 / side.effective_answers)))
    points = [index.sii, limits.sii_lower, limits.sii_upper, index.sii_se]
    ratio = [index.rii, limits.rii_lower, limits.rii_upper]
    return [
        *(100 * float(x) for x in points), np.inf, _normal_p(float(index.sii), spread),
        *(float(x) for x in ratio),
    ]  # fmt: skip


def _of_scores(side: Side, level: float) -> list[float]:
    """The same of scores, without a ratio: Student's t with Welch's degrees of freedom."""
    from scipy.special import stdtr

    parts = (slope_coefficients(side.weight) * side.se) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        df = float(parts.sum() ** 2 / np.sum(parts**2 / side.df))
    index = slope_index(side.value, side.weight, se=side.se, df=df, level=level)
    se = float(index.sii_se)
    p_value = 2 * float(stdtr(df, -abs(float(index.sii)) / se)) if se > 0 else np.nan
    return [float(index.sii), float(index.sii_lower), float(index.sii_upper), se, df, p_value]


def _normal_p(value: float, se: float) -> float:
    from scipy.special import ndtr

    return 2 * float(ndtr(-abs(value) / se)) if se > 0 else np.nan


_MADE: dict[str, Callable[[Estimates, _Tables], pd.DataFrame]] = {
    ASSOCIATION: _associations,
    SLOPE: _slopes,
}
_WHAT = {ASSOCIATION: "associations", SLOPE: "gradients"}


# -- tests --------------------------------------------------------------------------------------


def _tested(made: pd.DataFrame, estimates: Estimates, adjust: str, what: str) -> pd.DataFrame:
    """Adjusted p-values: every publishable test of an organisation and year is one family."""
    tested = made["p_value"].notna() & ~made["_dead"] & made["status"].eq("ok")
    tested &= ~made["base"].lt(estimates.rule.base_under)
    return adjusted(made, _families(made), tested.to_numpy(bool), adjust=adjust, what=what)


def _families(rows: pd.DataFrame) -> list[str]:
    columns = ("org", "year", "within", "weighting", "release")
    return [
        f"{org} {year}, every breakdown"
        + (f" within {within}" if within else "")
        + "".join(f", {w}" for w in (weighting, release) if w and w != "unweighted")
        for org, year, within, weighting, release in zip(*(rows[c] for c in columns), strict=True)
    ]
