"""What official workbooks call things: ``published.toml`` behind small questions."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from culture_analytics.instrument import Instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.read.headers import fold

__all__ = ["BreakdownNames", "Definitions", "GroupName", "Release", "load_definitions"]

OPEN_END = 9999


@dataclass(frozen=True)
class Release:
    """What is known of one year's release.

    Attributes
    ----------
    optional_items, optional_scores : frozenset of str
        Ids that a workbook of that year may lack.
    breakdowns : tuple of str
        Breakdowns its national file must have; empty if that is not known.
    note : str
        What a reader of that release must be told.
    """

    optional_items: frozenset[str] = frozenset()
    optional_scores: frozenset[str] = frozenset()
    breakdowns: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class BreakdownNames:
    """A breakdown's published group names.

    Attributes
    ----------
    id : str
        Breakdown of the schema.
    groups : mapping of str to str
        Folded published name to the group's label; empty: names are taken as they stand.
    """

    id: str
    groups: Mapping[str, str]


@dataclass(frozen=True)
class GroupName:
    """A name that a benchmark group goes by, and the years it does.

    Attributes
    ----------
    group : str
        The benchmark group.
    name : str
        As written in some release.
    kind : str
        ``trust`` (stands in every release), ``other`` or ``former`` (a group that is no more;
        its organisations are in another group today, so it is never taken for that one).
    first, last : int
        Survey years; the last one is far ahead where it is open.
    weighting : str
        Weighting label of its organisations' rows in weighted releases.
    """

    group: str
    name: str
    kind: str
    first: int
    last: int
    weighting: str


@dataclass(frozen=True, eq=False)
class Definitions:
    """The content of ``published.toml``, with names folded where they are compared."""

    raw: Mapping[str, Any] = field(repr=False)
    group_names: tuple[GroupName, ...] = field(repr=False, default=())

    @property
    def detailed(self) -> Mapping[str, Any]:
        """Spellings of the detailed spreadsheets."""
        layout: Mapping[str, Any] = self.raw["detailed"]
        return layout

    @cached_property
    def base_headers(self) -> frozenset[str]:
        """Folded headers of a column of bases."""
        return frozenset(map(fold, self.detailed["base_headers"]))

    @cached_property
    def roles(self) -> Mapping[str, Mapping[str, str]]:
        """Kind of file -> folded identifier header -> role."""
        return {
            kind: {fold(n): role for role, names in self.detailed[kind].items() for n in names}
            for kind in ("national", "organisational")
        }

    @cached_property
    def marks(self) -> Mapping[str, str]:
        """Folded text standing where a figure would -> status."""
        return {fold(mark): status for mark, status in self.raw["marks"].items()}

    @cached_property
    def national_rows(self) -> frozenset[str]:
        """Folded names of the rows about England as a whole."""
        return frozenset(map(fold, self.raw["national"]["rows"]))

    @property
    def england(self) -> str:
        """Name of England in the table of organisations."""
        return str(self.raw["national"]["name"])

    @cached_property
    def trust_groups(self) -> tuple[str, ...]:
        """Benchmark groups of trusts that stand in every release of today's groups."""
        return tuple(dict.fromkeys(n.group for n in self.group_names if n.kind == "trust"))

    @cached_property
    def benchmark_groups(self) -> Mapping[str, str]:
        """Folded name -> benchmark group, whatever the year."""
        return {fold(n.name): n.group for n in self.group_names}

    def benchmark_groups_of(self, year: int) -> Mapping[str, str]:
        """Folded name -> benchmark group, the names of one survey year."""
        return {fold(n.name): n.group for n in self.group_names if n.first <= year <= n.last}

    def group_weighting(self, group: str) -> str:
        """Weighting of a benchmark group's organisations in weighted releases."""
        return next((n.weighting for n in self.group_names if n.group == group), "")

    @cached_property
    def places(self) -> Mapping[str, tuple[str, ...]]:
        """Breakdowns by place -> their groups, empty where they change with boundaries."""
        return {name: tuple(place["groups"]) for name, place in self.raw["places"].items()}

    def release(self, year: int) -> Release:
        """Look up what is known of a year's release."""
        known = self.raw["releases"].get(str(year), {})
        return Release(
            optional_items=frozenset(known.get("optional_items", ())),
            optional_scores=frozenset(known.get("optional_scores", ())),
            breakdowns=tuple(known.get("breakdowns", ())),
            note=str(known.get("note", "")),
        )

    def ground(self, heading: str) -> str | None:
        """Find the item a ground of discrimination names in words, if its words are known."""
        text = fold(heading)
        for line in self.raw["grounds"]:
            if any(re.search(rf"\b{re.escape(word)}\b", text) for word in line["words"]):
                return str(line["item"])
        return None

    def score_names(self, instrument: Instrument) -> Mapping[str, str]:
        """Folded published code -> score id."""
        by_code = {score.code: score.id for score in instrument.scores.values()}
        named = {name: by_code[code] for name, code in self.raw["score_names"].items()}
        return {fold(name): score for name, score in {**by_code, **named}.items()}

    def breakdown_names(self, instrument: Instrument) -> Mapping[str, BreakdownNames]:
        """Folded published name of a breakdown -> its id and group names."""
        found: dict[str, BreakdownNames] = {}
        for place, spec in self.raw["places"].items():
            groups = {fold(group): str(group) for group in spec["groups"]}
            for name in spec["published"]:
                found[fold(name)] = BreakdownNames(place, groups)
        by_id: dict[str, BreakdownNames] = {}
        for breakdown in instrument.breakdowns.values():
            names = {fold(group.label): group.label for group in breakdown.groups}
            names.update(
                (fold(group.published), group.label)
                for group in breakdown.groups
                if group.published
            )
            by_id[breakdown.id] = BreakdownNames(breakdown.id, names)
            if breakdown.published:
                found[fold(breakdown.published)] = by_id[breakdown.id]
        for name, breakdown_id in self.raw["breakdown_names"].items():
            found.setdefault(fold(name), by_id[breakdown_id])
        return found


@lru_cache(maxsize=1)
def load_definitions() -> Definitions:
    """Read the definitions shipped with the package."""
    with (DATA / "published.toml").open("rb") as stream:
        raw = tomllib.load(stream)
    with (DATA / "benchmark_groups.csv").open(encoding="utf-8", newline="") as lines:
        names = tuple(
            GroupName(
                group=row["group"],
                name=row["name"],
                kind=row["kind"],
                first=int(row["first_year"]),
                last=int(row["last_year"] or OPEN_END),
                weighting=row["weighting"],
            )
            for row in csv.DictReader(lines)
        )
    return Definitions(raw, names)
