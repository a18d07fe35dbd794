"""What a release holds for a diagnosis: figures, changes and differences, found by measure.

Everything here reads protected views, so that it is the same for a release just built and for one
opened from its file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from culture_analytics.compare.derive import PLAIN
from culture_analytics.compare.groups import REST
from culture_analytics.compare.organisations import ENGLAND
from culture_analytics.diagnose.leaving import (
    CHANGES,
    CULTURE,
    DIFFERENCES,
    DRIVERS,
    ITEMS,
    LEADERS,
    OVERALL,
    QUALITY,
    SPOTS,
)
from culture_analytics.diagnose.model import CultureModel
from culture_analytics.disclosure.release import Release
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.culture import PREFIX

__all__ = ["SCORES", "Held", "Row"]

Row = Mapping[str, Any]

SCORES, PUBLISHED, BENCHMARK = "scores", "published", "benchmark"
_ENGLAND = "England (as published)"
_FIRST = (CULTURE, ITEMS, LEADERS, SCORES)
_MADE = (DIFFERENCES, SPOTS, CHANGES, DRIVERS, QUALITY, PUBLISHED, BENCHMARK)


@dataclass(frozen=True, eq=False, repr=False)
class Held:
    """One organisation's part of a release.

    Parameters
    ----------
    release
        Protected tables.
    model
        The model of culture they follow.
    by
        Unit column, or empty.
    """

    release: Release
    model: CultureModel
    by: str

    @property
    def org(self) -> str:
        """The organisation it is about; ``"all"`` for several."""
        return str(self.release.about["org"])

    @property
    def year(self) -> int:
        """The latest year."""
        return int(max(self.release.years))

    @property
    def earlier(self) -> int | None:
        """The year before it, if it is held."""
        years = sorted(self.release.years)
        return int(years[-2]) if len(years) > 1 else None

    # -- measures -------------------------------------------------------------------------

    @cached_property
    def elements(self) -> dict[str, str]:
        """Measure of each element of the model, and the element's label."""
        return {f"{PREFIX}{e.id}": e.label for e in self.model.elements.values()}

    @cached_property
    def outcomes(self) -> dict[str, str]:
        """Measure of each outcome, and the outcome's label."""
        return {o.measure: o.label for o in self.model.outcomes.values()}

    def name(self, measure: str) -> str:
        """Short name of a measure."""
        if measure in self.elements:
            return self.elements[measure]
        known = load_instrument().measures
        return known[measure].short if measure in known else measure

    # -- tables ---------------------------------------------------------------------------

    def rows(self, topic: str) -> pd.DataFrame:
        """Protected rows of a topic, of this organisation; without rows if it is not held."""
        return self._tables.get(topic, self._nothing)

    def estimates(self, topic: str) -> Estimates | None:
        """A topic, of this organisation; None if it is not held."""
        if topic not in self.release.topics:
            return None
        held = self.release[topic]
        keep = held._frame["org"].eq(self.org).to_numpy(dtype=bool)
        return held._rows(keep) if keep.any() else None

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        found = {}
        for topic in self.release.topics:
            table = self.release[topic]._protected
            orgs = [self.org, ENGLAND] if topic == PUBLISHED else [self.org]
            found[topic] = table[table["org"].isin(orgs)]
        return found

    @cached_property
    def _nothing(self) -> pd.DataFrame:
        return next(iter(self._tables.values())).iloc[:0]

    # -- single rows ----------------------------------------------------------------------

    def figure(self, measure: str, year: int | None = None) -> Row | None:
        """The organisation's figure of a measure, and its topic; None if hidden or not held."""
        return self._figures.get((measure, self.year if year is None else year))

    def change(self, measure: str) -> Row | None:
        """Its change since the year before."""
        return self._changes.get((measure, OVERALL, ""))

    def unit_change(self, measure: str, group: str) -> Row | None:
        """Change of a unit since the year before."""
        return self._changes.get((measure, self.by, group))

    def england(self, measure: str) -> Row | None:
        """England's published figure of the latest year; none beside England's own."""
        return None if self.release.about["org"] == ENGLAND else self._england.get(measure)

    def beside_england(self, measure: str) -> Row | None:
        """The organisation's published figure less England's, with its test."""
        rows = self.rows(BENCHMARK)
        rows = rows[
            rows["measure"].eq(measure) & rows["year"].eq(self.year)
            & rows["statistic"].eq("difference") & rows["reference"].eq(_ENGLAND)
        ]  # fmt: skip
        return next(_records(rows), None)

    def share(self, measure: str, group: str) -> Row | None:
        """An element's share of what the elements explain of an outcome."""
        return self._shares.get((measure, group))

    def leaders(self) -> list[Row]:
        """Differences of the groups that stand for leaders from everyone else."""
        if self.model.leaders is None:
            return []
        rows = self.rows(DIFFERENCES)
        mine = rows["breakdown"].eq(self.model.leaders.breakdown) & rows["reference"].eq(REST)
        return list(_records(rows[mine], shown=False))

    @cached_property
    def _figures(self) -> dict[tuple[str, int], Row]:
        found: dict[tuple[str, int], Row] = {}
        others = [t for t in self.release.topics if t not in (*_FIRST, *_MADE)]
        for topic in (*_FIRST, *others):
            rows = self.rows(topic)
            rows = rows[
                rows["breakdown"].eq(OVERALL) & rows["statistic"].isin(PLAIN)
                & rows["answer"].eq("") & rows["within"].eq("") & rows["reference"].eq("")
            ]  # fmt: skip
            for row in _records(rows):
                found.setdefault((row["measure"], int(row["year"])), {**row, "topic": topic})
        return found

    @cached_property
    def _changes(self) -> dict[tuple[str, str, str], Row]:
        rows = self.rows(CHANGES)
        rows = rows[rows["year"].eq(self.year)]
        return {
            (r["measure"], r["breakdown"], "" if r["breakdown"] == OVERALL else r["group"]): r
            for r in _records(rows)
        }

    @cached_property
    def _england(self) -> dict[str, Row]:
        rows = self.rows(PUBLISHED)
        rows = rows[rows["org"].eq(ENGLAND) & rows["year"].eq(self.year)]
        return {r["measure"]: r for r in _records(rows)}

    @cached_property
    def _shares(self) -> dict[tuple[str, str], Row]:
        rows = self.rows(DRIVERS)
        return {(r["measure"], r["group"]): r for r in _records(rows)}


def _records(rows: pd.DataFrame, *, shown: bool = True) -> Iterator[Row]:
    """Rows with a figure, as mappings; all, if wanted."""
    chosen = rows[rows["status"].eq("ok")] if shown else rows
    for record in chosen.to_dict("records"):
        yield {str(k): v for k, v in record.items()}
