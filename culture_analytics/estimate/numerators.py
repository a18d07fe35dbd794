"""Answers of each respondent, ready to be counted: codes for percentages, points for scores.

`Answers` works out each vector once for a calculation and keeps it. Routing is settled here: an
answer from someone who was not asked does not count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from culture_analytics.instrument import Gate, Instrument, Item, Measure, Score
from culture_analytics.survey import Survey

__all__ = ["Answers"]

Codes = NDArray[np.int8]
NO, YES = 0, 1


class Answers:
    """The respondents' answers as integer codes and 0-10 points."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.instrument: Instrument = survey.instrument
        self._codes: dict[str, Codes] = {}
        self._scores: dict[str, NDArray[np.float64]] = {}
        self._year = survey.responses["year"].to_numpy()

    def present(self, item: str) -> bool:
        """Whether the extract has the item's column."""
        return item in self.survey.responses.columns

    def item(self, name: str) -> Codes:
        """Answer codes of those asked; -1 where missing or not asked."""
        if name not in self._codes:
            raw = self.survey.responses[name].cat.codes.to_numpy().astype(np.int8, copy=False)
            self._codes[name] = self._asked_only(self.instrument.items[name], raw)
        return self._codes[name]

    def _asked_only(self, item: Item, codes: Codes) -> Codes:
        # A gate that the extract does not have cannot be checked, so answers stand as given.
        gates = [g for g in item.gates if self.present(g.item)]
        if not gates or len(gates) < len(item.gates):
            return codes
        asked = np.zeros(len(codes), dtype=bool)
        for gate in gates:
            asked |= self._open(gate)
        return np.where(asked, codes, np.int8(-1)).astype(np.int8, copy=False)

    def _open(self, gate: Gate) -> NDArray[np.bool_]:
        labels = self.instrument.items[gate.item].labels
        opens = np.zeros(len(labels) + 1, dtype=bool)  # the last slot is "missing"
        opens[[labels.index(a) for a in gate.answers]] = True
        result: NDArray[np.bool_] = opens[self.item(gate.item)]
        return result

    def union(self, measure: Measure) -> Codes:
        """For a measure of kind "any": 1 if any part is yes, 0 if all are no, else -1."""
        some = np.zeros(self.survey.n, dtype=bool)
        full = np.ones(self.survey.n, dtype=bool)
        for item, answers in measure.parts:
            labels = self.instrument.items[item].labels
            codes = self.item(item)
            counted = np.zeros(len(labels) + 1, dtype=bool)
            counted[[labels.index(a) for a in answers]] = True
            some |= counted[codes]
            full &= codes >= 0
        return np.where(some, YES, np.where(full, NO, -1)).astype(np.int8)

    def score(self, name: str) -> NDArray[np.float64]:
        """Points from 0 to 10 of each respondent; NaN where too few parts were answered."""
        if name not in self._scores:
            score = self.instrument.score(name)
            points = self._from_parts(score) if score.parts else self._from_items(score)
            points[~np.isin(self._year, self._years(score))] = np.nan
            self._scores[name] = points
        return self._scores[name]

    def _years(self, score: Score) -> list[int]:
        return [y for y in self.survey.years if score_asked(self.instrument, score, y)]

    def _from_parts(self, score: Score) -> NDArray[np.float64]:
        return _mean_of([self.score(p) for p in score.parts], score.min_parts)

    def _from_items(self, score: Score) -> NDArray[np.float64]:
        if score.share:
            return self._from_asked(score)
        points = _mean_of([self._points(i) for i in score.items], score.min_items)
        if score.gate is None:
            return points
        points[~self._open(score.gate)] = np.nan
        points[self._open(Gate(score.gate.item, score.gate_zero))] = 0.0
        return points

    def _from_asked(self, score: Score) -> NDArray[np.float64]:
        """Of those who answered the score's share of the items asked in their year."""
        needed = np.zeros(self.survey.n, dtype=np.int64)
        for year in self.survey.years:
            asked = sum(self.instrument.asked(i, year) for i in score.items)
            needed[self._year == year] = score.needed(asked)
        return _mean_of([self._points(i) for i in score.items if self.present(i)], needed)

    def _points(self, item: str) -> NDArray[np.float64]:
        scale = self.instrument.items[item].scale
        points = np.array([*scale.scores, np.nan])  # code -1 reads the last slot
        return points[self.item(item)]


def _mean_of(
    parts: list[NDArray[np.float64]], needed: int | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean of what each respondent has, if that is at least `needed` parts."""
    total = np.zeros(len(parts[0]))
    answered = np.zeros(len(parts[0]), dtype=np.int16)
    for part in parts:
        known = ~np.isnan(part)
        total += np.where(known, part, 0.0)
        answered += known
    mean = total / np.maximum(answered, 1)
    return np.where(answered >= needed, mean, np.nan)


def score_asked(instrument: Instrument, score: Score, year: int) -> bool:
    """Whether a score exists in a year: from its first year, with every item on the form.

    A score of the model of culture needs its share of items on the form.
    """
    if score.share:
        asked = sum(instrument.asked(i, year) for i in score.items)
        return asked >= score.needed(len(score.items))
    return year >= score.first_year and all(
        instrument.asked(i, year) for i in score_items(instrument, score)
    )


def score_items(instrument: Instrument, score: Score) -> tuple[str, ...]:
    """Every item a score rests on, its filter and its sub-scores' items included."""
    below = tuple(i for p in score.parts for i in score_items(instrument, instrument.scores[p]))
    gate = (score.gate.item,) if score.gate else ()
    return tuple(dict.fromkeys((*score.items, *gate, *below)))
