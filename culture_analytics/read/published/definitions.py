"""What official workbooks call things: ``published.toml`` behind small questions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from culture_analytics.instrument import Instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.read.headers import fold

__all__ = ["BreakdownNames", "Definitions", "Release", "load_definitions"]


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


@dataclass(frozen=True, eq=False)
class Definitions:
    """The content of ``published.toml``, with names folded where they are compared."""

    raw: Mapping[str, Any] = field(repr=False)

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
        """Benchmark groups that stand in every release."""
        return tuple(self.raw["benchmark_groups"]["trusts"])

    @cached_property
    def benchmark_groups(self) -> Mapping[str, str]:
        """Folded name -> benchmark group."""
        groups = self.raw["benchmark_groups"]
        found = {fold(name): name for name in (*groups["trusts"], *groups["others"])}
        return {**found, **{fold(name): group for name, group in groups["names"].items()}}

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
        return Definitions(tomllib.load(stream))
