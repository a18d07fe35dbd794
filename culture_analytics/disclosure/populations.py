"""From the rows of results to the cells an attacker would line up.

Every row of every table is about a group of respondents. The same group may stand in several
tables (White staff in two breakdowns of ethnicity); it is one cell. Groups are described by the
answers that make them up, so a detailed group is found to lie in its summary group, and a team in
its directorate, without being told. Crossings, and breakdowns of several organisations together,
give cells that lie in more than one sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.structure import Relation, Structure
from culture_analytics.instrument import Instrument

__all__ = ["Group", "UnitTree", "link", "populations", "unit_tree", "united"]

Floats = NDArray[np.float64]
Values = frozenset[str]

# A group of respondents: for each variable that narrows it, the values it takes.
Group = frozenset[tuple[str, Values]]

# Smaller unit column -> (larger unit column, {small unit: large unit}). A small unit whose people
# are in several large ones, or partly in none (""), has them all: {small unit: (large, large)}.
UnitTree = Mapping[str, tuple[str, Mapping[str, str | tuple[str, ...]]]]

OVERALL = "overall"
ALL_ORGS = "all"
MISSING = "(not stated)"
UNITS = "(units)"
ORGANISATION = "(organisation)"


@dataclass(frozen=True, eq=False)
class _Vocabulary:
    """Turns breakdowns and their groups into variables and values."""

    instrument: Instrument
    units: UnitTree

    def pairs(self, breakdown: str, group: str) -> list[tuple[str, Values]]:
        if breakdown in ("", OVERALL):
            return []
        names, groups = breakdown.split(":"), group.split(" | ")
        if len(names) != len(groups):
            return [(breakdown, frozenset({group}))]
        return [self._pair(n, g) for n, g in zip(names, groups, strict=True)]

    def _pair(self, name: str, group: str) -> tuple[str, Values]:
        definition = self.instrument.breakdowns.get(name)
        if definition is not None:
            for one in definition.groups:
                if one.label == group:
                    return definition.item, frozenset(one.answers)
        if name in self._unit_columns:
            return UNITS, self._below(name, group)
        return name, frozenset({group})

    @property
    def _unit_columns(self) -> set[str]:
        return {*self.units, *(above for above, _ in self.units.values())}

    def _below(self, column: str, unit: str) -> Values:
        """A unit as the set of smallest units in it, and of those in it that have none.

        A team whose people are in two directorates is two smallest units, which no table shows.
        """
        found: Values = frozenset({f"{column}={unit}"})
        for smaller, (larger, parents) in self.units.items():
            if larger == column:
                for child, above in parents.items():
                    if above == unit:
                        found |= self._below(smaller, child)
                    elif isinstance(above, tuple) and unit in above:
                        found |= _within(self._own(smaller, child), unit)
        if column in self.units:
            above = self.units[column][1].get(unit, "")
            if isinstance(above, tuple):
                own = self._own(column, unit)
                return frozenset().union(*(_within(own, larger) for larger in above))
        return found

    def _own(self, column: str, unit: str) -> Values:
        """As `_below`, without regard to the larger units it lies in."""
        above = {k: v for k, v in self.units.items() if k != column}
        return _Vocabulary(self.instrument, above)._below(column, unit)


def _within(values: Values, unit: str) -> Values:
    return frozenset(f"{v} in {unit}" for v in values)


def unit_tree(units: tuple[str, ...], responses: pd.DataFrame) -> UnitTree:
    """The hierarchy of a Survey's unit columns: ``unit_tree(survey.units, survey.responses)``."""
    tree: dict[str, tuple[str, Mapping[str, str | tuple[str, ...]]]] = {}
    if units:
        tree[units[0]] = ("", {})  # so that it is known to be a unit
    for above, below in pairwise(units):
        pairs = responses[[above, below]].dropna(subset=[below]).astype(object).fillna("")
        parents: dict[str, list[str]] = {}
        for large, small in pairs.drop_duplicates().astype(str).itertuples(index=False):
            parents.setdefault(small, []).append(large)
        tree[below] = (
            above,
            {s: up[0] if len(up) == 1 else tuple(sorted(up)) for s, up in parents.items()},
        )
    return tree


def united(trees: Iterable[UnitTree]) -> UnitTree:
    """Several hierarchies as one; a small unit keeps every larger one that it lies in."""
    found: dict[str, tuple[str, dict[str, set[str]]]] = {}
    for tree in trees:
        for below, (above, parents) in tree.items():
            _, known = found.setdefault(below, (above, {}))
            for small, large in parents.items():
                known.setdefault(small, set()).update([large] if isinstance(large, str) else large)
    return {
        below: (
            above,
            {s: min(up) if len(up) == 1 else tuple(sorted(up)) for s, up in parents.items()},
        )
        for below, (above, parents) in found.items()
    }


def populations(
    frame: pd.DataFrame, instrument: Instrument, units: UnitTree | None = None
) -> tuple[NDArray[np.int64], list[Group], list[str], list[str]]:
    """The group each row is about.

    Parameters
    ----------
    frame
        Rows of the result schema, of one year.
    instrument
        For the answers that make up each group.
    units
        The unit hierarchy.

    Returns
    -------
    of_row
        Number of each row's group.
    groups, names, tables
        For each group what it is, its name for people, and the breakdown it was first seen in.
    """
    words = _Vocabulary(instrument, units or {})
    columns = ["org", "breakdown", "group", "within", "within_group"]
    number, keys = pd.factorize(pd.MultiIndex.from_frame(frame[columns].astype(str)))
    found: dict[Group, int] = {}
    names: list[str] = []
    tables: list[str] = []
    of_key = np.empty(len(keys), dtype=np.int64)
    several = frame["org"].nunique() > 1
    for k, (org, breakdown, group, within, within_group) in enumerate(keys):
        pairs = [*words.pairs(breakdown, group), *words.pairs(within, within_group)]
        if several and org != ALL_ORGS:
            pairs.append((ORGANISATION, frozenset({org})))
        one = _joined(pairs)
        if one not in found:
            found[one] = len(found)
            shown = f"{breakdown}: {group}" if breakdown != OVERALL else group
            inside = f" in {within_group}" if within else ""
            names.append(f"{org}, {shown}{inside}")
            tables.append(f"{breakdown} within {within}" if within else breakdown)
        of_key[k] = found[one]
    return of_key[number], list(found), names, tables


def _joined(pairs: Iterable[tuple[str, Values]]) -> Group:
    """Both conditions on one variable are their common values."""
    merged: dict[str, Values] = {}
    for variable, values in pairs:
        merged[variable] = merged[variable] & values if variable in merged else values
    return frozenset(merged.items())


def link(
    groups: list[Group],
    names: list[str],
    tables: list[str],
    instrument: Instrument,
    base: Floats,
    *,
    suppose: bool = True,
) -> tuple[Structure, Floats]:
    """All the sums between groups, with latent cells for those no table shows.

    Parameters
    ----------
    groups, names, tables
        From `populations`.
    base
        Bases (measures, groups), NaN where a measure has no figure. A remainder that is nobody on
        every measure, of a column that is not a question (a unit, an organisation), is taken as
        known to be nobody: everyone is in some directorate.
    suppose
        Whether that is also supposed of units that no table adds up.

    Returns
    -------
    Structure, base
        The cells, and the bases with a column for each latent cell.
    """
    work = _Linker(groups, names, tables, instrument, base)
    work.suppose = suppose
    work.run()
    return work.structure(), np.stack(work.base, axis=1)


class _Linker:
    def __init__(
        self,
        groups: list[Group],
        names: list[str],
        tables: list[str],
        instrument: Instrument,
        base: Floats,
    ) -> None:
        self.cell = {g: i for i, g in enumerate(groups)}
        self.groups = list(groups)
        self.names = list(names)
        self.tables = list(tables)
        self.instrument = instrument
        self.base = [base[:, i] for i in range(len(groups))]
        self.shown = len(groups)
        self.relations: list[Relation] = []
        self.tied: set[tuple[int, str]] = set()
        self.suppose = True
        self.universe: dict[str, set[str]] = {}
        for group in groups:
            for variable, values in group:
                self.universe.setdefault(variable, {MISSING}).update(values)
        for variable, values_seen in self.universe.items():
            item = instrument.items.get(variable)
            if item is not None:
                values_seen.update(item.labels)

        # Unit columns that some people are known to have nothing in.
        self.without: set[str] = set()
        self.empty = {v: self._nobody(v) for v in self.universe if v not in instrument.items}

    def _nobody(self, variable: str) -> Values:
        """Values that nobody has: shown groups without them are everyone already.

        Where the teams are together all staff, nobody is in a directorate but in no team.
        """
        everyone = self.cell.get(frozenset())
        if everyone is None:
            return frozenset()
        sets = [v for g in self.cell if len(g) == 1 for x, v in g if x == variable]
        found: Values = frozenset()
        for cover in (_largest(sets), [s for s in sets if not any(o < s for o in sets)]):
            if not cover or sum(map(len, cover)) != len(frozenset().union(*cover)):
                continue
            parts = sum(self.base[self.cell[frozenset({(variable, v)})]] for v in cover)
            left = self.base[everyone] - parts
            if (left > 0).any():
                self.without.add(variable)
            if (left == 0).any() and not (left > 0).any():
                found |= frozenset(self.universe[variable]) - frozenset().union(*cover)
        return found

    def run(self) -> None:
        for group in list(self.groups):
            for pair in group:
                self._number(group - {pair}, "margin not shown")
        # Latent cells can themselves be split, so this goes on until nothing new appears.
        while True:
            before = len(self.relations)
            children: dict[tuple[Group, str], list[Values]] = {}
            for group in list(self.groups):
                for variable, values in group:
                    children.setdefault((group - {(variable, values)}, variable), []).append(values)
            for (whole, variable), sets in children.items():
                root = self._number(whole, "margin not shown")
                if (root, variable) not in self.tied:
                    if len(sets) > 1 or self.names[root] != "margin not shown":
                        self._tie(whole, variable, sorted(sets, key=lambda s: (-len(s), sorted(s))))
                    self.tied.add((root, variable))
            if len(self.relations) == before:
                return

    def _number(self, group: Group, name: str) -> int:
        if group not in self.cell:
            self.cell[group] = len(self.groups)
            self.groups.append(group)
            self.names.append(name)
            self.tables.append("")
            self.base.append(np.full(len(self.base[0]), np.nan))
        return self.cell[group]

    def _tie(self, whole: Group, variable: str, sets: list[Values]) -> None:
        everyone = frozenset(self.universe[variable])
        if _nested(sets):
            self._sum(whole, variable, None, everyone, _largest(sets))
            for values in sets:
                inside = _largest([s for s in sets if s < values])
                if inside:
                    self._sum(whole, variable, values, values, inside)
            return
        # Overlapping groupings: everything is made of the smallest pieces.
        empty = self.empty.get(variable, frozenset())
        pieces = [p for p in _pieces([*sets, everyone]) if not p <= empty]
        self._sum(whole, variable, None, everyone, pieces)
        for values in sets:
            inside = [p for p in pieces if p <= values]
            if inside != [values]:
                self._sum(whole, variable, values, values, inside)

    def _sum(
        self, whole: Group, variable: str, total: Values | None, values: Values, parts: list[Values]
    ) -> None:
        group = whole if total is None else whole | {(variable, total)}
        cell = self._number(group, "not stated")
        members = [self._number(whole | {(variable, p)}, "not stated") for p in parts]
        rest = values - frozenset().union(*parts) - self.empty.get(variable, frozenset())
        if rest:
            known = [self.base[i] for i in (cell, *members)]
            left = known[0] - sum(known[1:])
            question = variable in self.instrument.items
            key = whole | {(variable, rest)}
            if self._taken_as_nobody(variable, left) and key not in self.cell:
                rest = frozenset()
            elif question or key in self.cell or not (left == 0).any() or (left > 0).any():
                number = self._number(key, "not stated")
                if np.isnan(self.base[number]).all():
                    self.base[number] = left
                members.append(number)
        self.relations.append(Relation(cell, tuple(members)))

    def _taken_as_nobody(self, variable: str, left: Floats) -> bool:
        """Units that no table adds up: a reader supposes that everyone is in some unit."""
        unit = variable in (UNITS, ORGANISATION)
        return self.suppose and unit and variable not in self.without and bool(np.isnan(left).all())

    def structure(self) -> Structure:
        latent = np.arange(len(self.groups)) >= self.shown
        return Structure(
            tuple(self.names), tuple(self.relations), latent, tuple((t,) for t in self.tables)
        )


def _nested(sets: list[Values]) -> bool:
    return all(not (a & b) or a <= b or b <= a for i, a in enumerate(sets) for b in sets[i + 1 :])


def _largest(sets: list[Values]) -> list[Values]:
    return [s for s in dict.fromkeys(sets) if not any(s < other for other in sets)]


def _pieces(sets: list[Values]) -> list[Values]:
    """Values that always stand together."""
    together: dict[tuple[bool, ...], set[str]] = {}
    for value in sorted(frozenset().union(*sets)):
        together.setdefault(tuple(value in s for s in sets), set()).add(value)
    return [frozenset(p) for p in together.values()]
