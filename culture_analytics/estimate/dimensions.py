"""Names of breakdowns -> dimensions: which group each respondent belongs to, as small integers.

A dimension may be a breakdown of the instrument, a unit or other local column of the extract, or
two or three of them crossed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.errors import MeasureError
from culture_analytics.instrument import Breakdown
from culture_analytics.survey import Survey

__all__ = ["OVERALL", "OVERALL_GROUP", "Dimension", "resolve_dimension", "resolve_dimensions"]

OVERALL = "overall"
OVERALL_GROUP = "All staff"
CROSSED = " | "  # between the groups of a crossing, as ":" is between its breakdowns

# A local column with more groups than this is an identifier, not a breakdown.
MOST_GROUPS = 5_000
DEEPEST_CROSSING = 3


@dataclass(frozen=True, eq=False)
class Dimension:
    """One way of splitting the respondents of a Survey.

    Parameters
    ----------
    id, label
        For the result's `breakdown` column, and for people.
    groups
        Group labels in questionnaire order.
    codes
        Position of each respondent's group in `groups`; -1 where it is not known.
    breakdowns
        The instrument's breakdowns it is made of; empty for local columns.
    """

    id: str
    label: str
    groups: tuple[str, ...]
    codes: NDArray[np.int32]
    breakdowns: tuple[Breakdown, ...] = ()
    members: tuple[tuple[str, ...], ...] = ()  # for a crossing: the group of each part, per group


def overall(survey: Survey) -> Dimension:
    """Everyone in one group."""
    return Dimension(OVERALL, "All staff", (OVERALL_GROUP,), np.zeros(survey.n, dtype=np.int32))


def resolve_dimensions(survey: Survey, by: str | Sequence[str] | None) -> list[Dimension]:
    """The dimensions of ``by=``: one name, a list of names, a named set, or None.

    A breakdown that comes from a set and whose item is not in the extract is left out; one asked
    for by name is an error.
    """
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    found: dict[str, Dimension] = {}
    problems: list[str] = []
    for name in names:
        for one, from_set in _expand(survey, name):
            if one in found or one == OVERALL:
                continue
            try:
                found[one] = resolve_dimension(survey, one)
            except MeasureError as error:
                if not from_set:
                    problems.append(str(error))
    if problems:
        raise MeasureError("\n".join(problems))
    return list(found.values())


def resolve_dimension(survey: Survey, name: str) -> Dimension:
    """One breakdown, local column, or crossing of two or three."""
    parts = name.split(":")
    if len(parts) > DEEPEST_CROSSING:
        raise MeasureError(
            f"{name!r} crosses {len(parts)} breakdowns; at most {DEEPEST_CROSSING} can be crossed."
        )
    if len(parts) > 1:
        return _crossing(name, [resolve_dimension(survey, p) for p in parts])
    breakdown = survey.instrument.breakdowns.get(name)
    if breakdown is not None and breakdown.item in survey.responses.columns:
        return _from_breakdown(survey, breakdown)
    if name in survey.local_columns:
        return _from_column(survey, name)
    raise MeasureError(_unknown(survey, name, breakdown))


def _expand(survey: Survey, name: str) -> list[tuple[str, bool]]:
    if name == "units":
        return [(u, True) for u in survey.units]
    if name in survey.instrument.breakdowns or name in survey.local_columns or ":" in name:
        return [(name, False)]
    if name in survey.instrument.breakdown_sets:
        return [(b, True) for b in survey.instrument.breakdown_ids(name)]
    return [(name, False)]


def _from_breakdown(survey: Survey, breakdown: Breakdown) -> Dimension:
    item = survey.instrument.items[breakdown.item]
    group_of = np.full(len(item.labels) + 1, -1, dtype=np.int32)  # the last slot is "missing"
    for position, group in enumerate(breakdown.groups):
        for answer in group.answers:
            group_of[item.labels.index(answer)] = position
    codes = group_of[survey.responses[breakdown.item].cat.codes.to_numpy()]
    labels = tuple(g.label for g in breakdown.groups)
    return Dimension(breakdown.id, breakdown.label, labels, codes, (breakdown,))


def _from_column(survey: Survey, column: str) -> Dimension:
    values = survey.responses[column]
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("category")
    values = values.cat.remove_unused_categories()
    groups = tuple(map(str, values.cat.categories))
    if len(groups) > MOST_GROUPS:
        raise MeasureError(
            f"Column {column!r} has {len(groups):,} different values: it identifies respondents "
            "and cannot be a breakdown."
        )
    codes = values.cat.codes.to_numpy().astype(np.int32)
    return Dimension(column, column.replace("_", " ").capitalize(), groups, codes)


def _crossing(name: str, parts: list[Dimension]) -> Dimension:
    repeated = [p.id for i, p in enumerate(parts) if p.id in {q.id for q in parts[:i]}]
    if repeated:
        raise MeasureError(f"{name!r} crosses {repeated[0]!r} with itself.")
    codes = np.zeros(len(parts[0].codes), dtype=np.int64)
    known = np.ones(len(codes), dtype=bool)
    members: list[tuple[str, ...]] = [()]
    for part in parts:
        codes = codes * len(part.groups) + part.codes
        known &= part.codes >= 0
        members = [(*m, g) for m in members for g in part.groups]
    return Dimension(
        id=name,
        label=" by ".join([parts[0].label, *(p.label.lower() for p in parts[1:])]),
        groups=tuple(CROSSED.join(m) for m in members),
        codes=np.where(known, codes, -1).astype(np.int32),
        breakdowns=tuple(b for p in parts for b in p.breakdowns),
        members=tuple(members),
    )


def _unknown(survey: Survey, name: str, breakdown: Breakdown | None) -> str:
    if breakdown is not None:
        numbers = sorted(
            {n for y in survey.years if (n := survey.instrument.number(breakdown.item, y))}
        )
        return (
            f"Breakdown {name!r} needs the item {breakdown.item!r}"
            + (f" ({', '.join(numbers)})" if numbers else "")
            + ", which the extract does not have."
        )
    known = [
        *survey.instrument.breakdowns,
        *survey.instrument.breakdown_sets,
        *survey.local_columns,
        "units",
    ]
    near = get_close_matches(name, known, n=3)
    hint = f" Nearest: {', '.join(near)}." if near else ""
    local = ", ".join(survey.local_columns) or "none"
    return f"No breakdown {name!r}.{hint} The extract's own columns: {local}."
