"""Organisations that became others between two surveys, by the list of successors.

A merged organisation is not one of those it was made of: the guard breaks its series, and figures
of several predecessors are never added up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from culture_analytics.embargo import MONTHS
from culture_analytics.read.published.successors import (
    check_successors,
    load_successors,
    successors_file,
)

__all__ = ["Merger", "Successions", "said"]

SURVEY_DAY = "10-01"  # a survey is of the organisations there are on this day of its year
MOST = 6  # mergers named in one note


@dataclass(frozen=True)
class Merger:
    """Organisations that became one on a day."""

    old: tuple[str, ...]
    new: str
    date: str

    def __str__(self) -> str:
        *others, last = self.old
        whose = f"{', '.join(others)} and {last}" if others else last
        day = dt.date.fromisoformat(self.date)
        return f"{whose} became {self.new} on {day.day} {MONTHS[day.month - 1]} {day.year}"


@dataclass(frozen=True, eq=False)
class Successions:
    """The list of successors, asked by pairs of survey years.

    Parameters
    ----------
    mergers
        In order of date.
    """

    mergers: tuple[Merger, ...]

    @classmethod
    def of(cls, successors: pd.DataFrame | None) -> Successions:
        """From a list as `load_successors` gives it; default what that reads by itself.

        Raises
        ------
        PublishedError
            The list is not one.
        """
        if successors is None:
            return _read(successors_file())
        check_successors(successors)
        days = successors.groupby(["date", "new"], sort=True)["old"]
        return cls(tuple(Merger(tuple(old), str(new), str(day)) for (day, new), old in days))

    def between(self, earlier: int, later: int) -> tuple[Merger, ...]:
        """Mergers after the survey of one year and up to that of another."""
        first, last = f"{earlier}-{SURVEY_DAY}", f"{later}-{SURVEY_DAY}"
        return tuple(m for m in self.mergers if first < m.date <= last)

    def made(self, org: str, earlier: int, later: int) -> tuple[Merger, ...]:
        """Mergers between two surveys that an organisation of the later one came out of."""
        parts, found = {org}, []
        for merger in reversed(self.between(earlier, later)):
            if merger.new in parts:
                parts.update(merger.old)
                found.append(merger)
        return tuple(reversed(found))

    def became(self, org: str, earlier: int, later: int) -> tuple[Merger, ...]:
        """Mergers between two surveys that an organisation of the earlier one went into."""
        found = []
        for merger in self.between(earlier, later):
            if org in merger.old:
                found.append(merger)
                org = merger.new
        return tuple(found)

    def changed(self, orgs: Iterable[str], earlier: int, later: int) -> frozenset[str]:
        """Those of some organisations that came out of a merger between two surveys."""
        new = {m.new for m in self.between(earlier, later)}
        return frozenset(new.intersection(orgs))


def said(mergers: Iterable[Merger]) -> str:
    """Mergers in words."""
    each = list(dict.fromkeys(map(str, mergers)))
    more = f"; and {len(each) - MOST} more" if len(each) > MOST else ""
    return "; ".join(each[:MOST]) + more


@lru_cache(maxsize=4)
def _read(path: Path) -> Successions:
    return Successions.of(load_successors(path))
