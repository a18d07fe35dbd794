"""The nouns of the questionnaire: scales, items, questions, breakdowns, scores and measures.

All are frozen; an `Instrument` is put together once by the loader and shared. Python knows no
question number: they stand in ``data/item_codes.csv``, a row for each item and year.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from culture_analytics.errors import MeasureError

__all__ = [
    "Breakdown",
    "Gate",
    "Group",
    "Instrument",
    "Item",
    "Measure",
    "Question",
    "Scale",
    "Score",
]


@dataclass(frozen=True)
class Scale:
    """One list of answers: labels in questionnaire order, their codes and 0-10 points."""

    id: str
    labels: tuple[str, ...]
    codes: Mapping[int, str]  # printed code -> label
    scores: tuple[float, ...]  # points for each label; NaN where the answer is not scored
    aliases: Mapping[str, str]  # other spellings -> label; "~text" matches any label holding text


@dataclass(frozen=True)
class Gate:
    """A condition of being asked: `item` answered with one of `answers`."""

    item: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One item: the same meaning and the same answers in every year it carries its id."""

    id: str
    label: str  # paraphrase
    kind: str  # answer | tick | background
    scale: Scale
    reported: tuple[str, ...]  # answers counted in the officially reported percentage
    reported_label: str
    better: str  # higher | lower | context: which way round the reported percentage is better
    positive: tuple[str, ...]  # answers counted in a contractor's positive score
    positive_label: str
    excluded: tuple[str, ...]  # answers given but left out of the base
    gates: tuple[Gate, ...]  # asked only if any of these holds; empty = asked of everyone
    source: str
    confidence: str
    notes: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Every answer the item ever had, in questionnaire order."""
        return self.scale.labels

    @cached_property
    def dtype(self) -> pd.CategoricalDtype:
        """The one dtype of this item's column in every Survey."""
        return pd.CategoricalDtype(list(self.scale.labels), ordered=False)


@dataclass(frozen=True)
class Question:
    """An item as it stood in one year."""

    item: str
    year: int
    number: str
    scale: Scale  # that year's codes
    variant: str  # "" | "form" | "extract" (two numberings of one year) | "alias"
    comparable: str  # first | yes | caution | no: with the year it was last asked
    change: str
    confidence: str


@dataclass(frozen=True)
class Group:
    """One group of a breakdown: the answers of its item that make it up."""

    label: str
    answers: tuple[str, ...]
    reference: bool  # the standard comparator of this breakdown
    contrast: bool  # False for "prefer not to say": shown, but kept out of two-group contrasts
    published: str  # its name in official workbooks


@dataclass(frozen=True)
class Breakdown:
    """A way of splitting staff into groups, made from one background item."""

    id: str
    label: str
    item: str
    characteristic: str  # the protected characteristic it speaks to, if any
    sets: tuple[str, ...]
    published: str
    note: str
    groups: tuple[Group, ...]

    @property
    def reference(self) -> str | None:
        """Label of the standard reference group, if the breakdown has one."""
        return next((g.label for g in self.groups if g.reference), None)

    @property
    def ordered(self) -> bool:
        """Whether its groups have an order, from the first to the last: the set "ordered"."""
        return "ordered" in self.sets


@dataclass(frozen=True)
class Score:
    """A 0-10 score, higher better: a mean of item points, or of sub-scores.

    With `share` it is a score of the model of culture: it exists in the years in which that share
    of its items was asked, for those who answered that share of the items asked.
    """

    id: str
    code: str  # the official workbook's code
    label: str
    kind: str  # element | theme | sub-score
    first_year: int
    items: tuple[str, ...] = ()
    min_items: int = 1
    parts: tuple[str, ...] = ()  # sub-scores
    min_parts: int = 1
    gate: Gate | None = None  # `gate.answers` open the items ...
    gate_zero: tuple[str, ...] = ()  # ... these score 0 ... anything else is missing
    source: str = ""
    confidence: str = ""
    share: float = 0.0

    def needed(self, items: int) -> int:
        """How many of so many items are enough, by `share`."""
        return max(1, math.ceil(self.share * items - 1e-9))


@dataclass(frozen=True)
class Measure:
    """A figure that can be asked for by id."""

    id: str
    label: str
    short: str
    kind: str  # item | any | score | element (a score of the model of culture)
    unit: str  # percent | score
    better: str  # higher | lower | context
    domain: str
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (item, answers counted)
    score: str = ""
    source: str = ""
    confidence: str = ""

    @property
    def statistic(self) -> str:
        """The `statistic` of the result schema this measure has."""
        return "score" if self.unit == "score" else "percent"


@dataclass(frozen=True, eq=False)
class Instrument:
    """The questionnaire of all years, as data.

    Parameters are mappings keyed by id, in questionnaire order; use `load_instrument`.
    """

    items: Mapping[str, Item]
    scales: Mapping[str, Scale]
    questions: tuple[Question, ...]
    breakdowns: Mapping[str, Breakdown]
    scores: Mapping[str, Score]
    measures: Mapping[str, Measure]
    domains: Mapping[str, tuple[str, ...]]
    collections: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str]  # of domains and collections
    category_breaks: pd.DataFrame
    version: str
    path: str
    _by_item_year: Mapping[tuple[str, int], Question] = field(repr=False)
    culture: Mapping[str, Score] = field(default_factory=dict)  # elements of the model of culture

    def __repr__(self) -> str:
        return (
            f"<Instrument {self.years[0]}-{self.years[-1]}: {len(self.items)} items, "
            f"{len(self.scores)} scores, {len(self.measures)} measures, "
            f"{len(self.breakdowns)} breakdowns>"
        )

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Survey years the instrument knows, ascending."""
        return tuple(sorted({q.year for q in self.questions}))

    def question(self, item: str, year: int) -> Question | None:
        """The item as asked in `year`; None if it was not asked."""
        return self._by_item_year.get((item, year))

    def score(self, name: str) -> Score:
        """The definition of a score, official or of the model of culture.

        Raises
        ------
        KeyError
            There is no such score.
        """
        return self.scores[name] if name in self.scores else self.culture[name]

    def asked(self, item: str, year: int) -> bool:
        """Whether the item was on that year's questionnaire."""
        return (item, year) in self._by_item_year

    def number(self, item: str, year: int) -> str | None:
        """Question number of an item in a year, as a person would look it up."""
        question = self.question(item, year)
        return question.number if question else None

    def numbers(self, year: int) -> dict[str, tuple[Question, ...]]:
        """Every question number of a year -> the questions it may stand for.

        More than one where a year had two numberings (``variant`` "form" and "extract").
        """
        found: dict[str, tuple[Question, ...]] = {}
        for question in self.questions:
            if question.year == year:
                found[question.number] = (*found.get(question.number, ()), question)
        return found

    def breakdown_ids(self, name: str) -> tuple[str, ...]:
        """A breakdown id, or the ids of a named set such as ``"equality"``."""
        if name in self.breakdowns:
            return (name,)
        return tuple(b.id for b in self.breakdowns.values() if name in b.sets)

    @cached_property
    def breakdown_sets(self) -> tuple[str, ...]:
        """Names of the sets of breakdowns."""
        return tuple(dict.fromkeys(s for b in self.breakdowns.values() for s in b.sets))

    def resolve_measures(self, names: str | Iterable[str]) -> tuple[Measure, ...]:
        """Ids, domains and collections -> measures, in the order asked, each once.

        Raises
        ------
        MeasureError
            A name is none of the three; the nearest ids are given.
        """
        wanted = [names] if isinstance(names, str) else list(names)
        if not wanted:
            raise MeasureError("No measure was asked for. Try: list_measures().")
        found: dict[str, Measure] = {}
        unknown = []
        for name in wanted:
            ids = self.domains.get(name) or self.collections.get(name)
            if ids is None and name in self.measures:
                ids = (name,)
            if ids is None:
                unknown.append(name)
                continue
            found.update((i, self.measures[i]) for i in ids)
        if unknown:
            raise MeasureError(self._unknown("measure", unknown, self._measure_names))
        return tuple(found.values())

    @cached_property
    def _measure_names(self) -> tuple[str, ...]:
        return (*self.measures, *self.domains, *self.collections)

    @staticmethod
    def _unknown(what: str, names: list[str], known: Iterable[str]) -> str:
        from difflib import get_close_matches

        known = list(known)
        near = list(dict.fromkeys(m for n in names for m in get_close_matches(str(n), known, n=3)))
        hint = f" Nearest: {', '.join(near)}." if near else ""
        shown = ", ".join(repr(n) for n in names)
        return f"{len(names)} unknown {what}{'s' if len(names) > 1 else ''}: {shown}.{hint}"
