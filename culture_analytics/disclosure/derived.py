"""Figures made of other figures: gaps, ratios and p-values die with either of their groups.

A shown gap beside one shown group gives the other. So a derived row is shown only where the rows it
is made of are all shown, and then it says nothing that they do not.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "ALL_STAFF",
    "GROUPS",
    "OF_STAFF",
    "OF_WHOLE",
    "RAW",
    "alone",
    "is_derived",
    "orphans",
    "parents",
]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Statistics that rest on the people of one group; every other is derived from those.
RAW = ("percent", "score")
ALL_STAFF = "overall"

# Statistics made of several groups of a breakdown; the private column names those. Without it
# they are taken to be made of all. Any other row that names groups is made of those as well.
OF_WHOLE = ("association", "slope_index", "relative_index")
GROUPS = "_groups"

# Statistics of how answers go together in everyone, or in a large group: correlations of hundreds
# of respondents, rounded, from which no figure follows. They rest on the group's being shown.
OF_STAFF = ("variance_share", "variance_explained", "alpha", "omega", "item_rest")

# What a figure and those it is made of have in common, apart from the year and the group.
_SAME = ["org", "measure", "answer", "within", "within_group", "weighting", "source"]
_YEARS = re.compile(r"(\d{4})(?:-(\d{4}) \((\d+) years\))?")

# One group in one year, under which a row is found.
_Cell = tuple[str, ...]


def is_derived(frame: pd.DataFrame) -> Mask:
    """Rows of results made of other rows of the same extract."""
    own = frame["statistic"].isin(RAW) & frame["reference"].astype(str).eq("")
    return np.asarray((frame["source"].eq("extract") & ~own).to_numpy(dtype=bool))


def alone(frame: pd.DataFrame) -> Mask:
    """Derived rows whose own groups are not among the tables."""
    derived = is_derived(frame)
    if not derived.any():
        return derived
    return derived & ~parents(frame)[2] & _figures(frame)


def parents(frame: pd.DataFrame) -> tuple[Ints, Ints, Mask]:
    """The rows that derived rows are made of.

    Returns
    -------
    child, parent
        Positions in the frame, pairs.
    complete
        For each row of the frame whether all it is made of was found. A reference is another group
        of the breakdown, an earlier year ("2023") or several ("2021-2024 (4 years)"); any other
        ("rest", "all") rests on the group itself and on all staff. A figure of a whole breakdown
        rests on the groups it was made of. Statistics of `OF_STAFF` rest on the measure's figure of
        their group, or where there is none on its figure of all staff, or the largest of those.
    """
    derived = is_derived(frame)
    raw = frame["statistic"].isin(RAW).to_numpy(dtype=bool) & ~derived
    columns = ["year", *_SAME, "breakdown", "group"]
    cells = list(map(tuple, frame[columns].astype(str).to_numpy()))
    place: dict[_Cell, int] = {}
    groups: dict[_Cell, list[_Cell]] = {}
    for i in np.flatnonzero(raw):
        place.setdefault(cells[i], int(i))
        groups.setdefault(cells[i][:-1], []).append(cells[i])
        if cells[i][-2] == ALL_STAFF:  # found whatever the label
            place.setdefault((*cells[i][:-1], ""), int(i))
    years = sorted(map(int, pd.unique(frame.loc[raw, "year"])))
    reference = frame["reference"].astype(str).to_numpy()
    kind = frame["statistic"].to_numpy(dtype=object)
    named = frame[GROUPS].to_numpy() if GROUPS in frame.columns else np.full(len(frame), None)
    largest = _of_everyone(frame, raw, cells) if np.isin(kind, OF_STAFF).any() else {}
    child: list[int] = []
    parent: list[int] = []
    complete = np.ones(len(frame), dtype=bool)
    for i in np.flatnonzero(derived):
        cell = cells[i]
        if kind[i] in OF_STAFF:
            wanted, number = [_own_or_largest(cell, place, largest)], 1
        elif kind[i] in OF_WHOLE or isinstance(named[i], tuple):
            known = isinstance(named[i], tuple)
            every = groups.get(cell[:-1], [])
            wanted = [(*cell[:-1], g) for g in named[i]] if known else every
            number = max(len(wanted), 1)
        else:
            wanted, number = _made_of(cell, str(reference[i]), years, place)
        found = [place[c] for c in wanted if c in place]
        complete[i] = len(found) >= number
        child += [int(i)] * len(found)
        parent += found
    return np.array(child, dtype=np.int64), np.array(parent, dtype=np.int64), complete


def _of_everyone(frame: pd.DataFrame, raw: Mask, cells: list[_Cell]) -> dict[_Cell, _Cell]:
    """For each year and organisation the cell of all staff with the largest base."""
    base = np.nan_to_num(frame["base"].to_numpy(dtype=float))
    most: dict[_Cell, int] = {}
    for i in np.flatnonzero(raw):
        key = cells[i][:2]
        if cells[i][-2] == ALL_STAFF and (key not in most or base[i] > base[most[key]]):
            most[key] = int(i)
    return {key: cells[i] for key, i in most.items()}


def _own_or_largest(cell: _Cell, place: dict[_Cell, int], largest: dict[_Cell, _Cell]) -> _Cell:
    """The measure's figure of the group, or of all staff, or the largest of all staff."""
    year, org, measure, _, *same = cell
    own = (year, org, measure, "", *same)
    of_all = (*own[:-2], ALL_STAFF, "")
    return next((c for c in (own, of_all) if c in place), largest.get((year, org), own))


def _made_of(
    cell: _Cell, reference: str, years: list[int], place: dict[_Cell, int]
) -> tuple[list[_Cell], int]:
    """Cells a derived row may be made of, and how many there must be."""
    at_years = _YEARS.fullmatch(reference)
    if at_years:
        first, last, number = at_years.groups()
        if last is None:
            return [cell, (first, *cell[1:])], 2
        between = [str(y) for y in years if int(first) <= y <= int(last)]
        return [(y, *cell[1:]) for y in between], int(number)
    other = (*cell[:-1], reference)
    return [cell, other if other in place else (*cell[:-2], ALL_STAFF, "")], 2


def orphans(frame: pd.DataFrame, hidden: Mask) -> Mask:
    """Derived rows that are shown though a row they are made of is hidden, or not there at all.

    Each of them is a leak: with the other row it gives the hidden one.

    Parameters
    ----------
    frame
        Rows of everything that leaves together.
    hidden
        Which of them are hidden.
    """
    if not is_derived(frame).any():
        return np.zeros(len(frame), dtype=bool)
    child, parent, complete = parents(frame)
    bad = ~complete
    np.logical_or.at(bad, child, hidden[parent])
    return bad & ~hidden & _figures(frame)


def _figures(frame: pd.DataFrame) -> Mask:
    """Rows that hold numbers: not those of a year that was not asked, or cannot be compared."""
    return np.asarray(frame["status"].eq("ok").to_numpy(dtype=bool))
