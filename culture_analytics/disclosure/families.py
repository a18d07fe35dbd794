"""Which measures share one pattern of hidden groups.

Two groupings, both from the questionnaire's own definitions:

* a *base-rule family*: measures whose base is formed in the same way. Everyone is asked most items,
  so their bases differ only by the odd missing answer, and a group with a base of 11 on one has
  about ten on another. One pattern, chosen on the smallest base, serves them all. An item asked of
  some (by routing), or with answers left out of its base, is a family of its own.
* *linked measures*: those whose numerators give each other away, such as "any source" and its
  parts, the answers of one item, a score and its sub-scores. What one hides, all hide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from culture_analytics.instrument import Gate, Instrument, Item
from culture_analytics.instrument.model import Measure

__all__ = ["Key", "base_families", "distributions", "gates", "linked_measures", "unions"]

Floats = NDArray[np.float64]

# Items of an element of culture whose points stand in no table: from so many on, the sum of all
# says nothing of one of the others.
_UNKNOWN = 3

# Measure id and answer ("" for a measure, a label for a row of an answer distribution).
Key = tuple[str, str]


def base_families(keys: Sequence[Key], instrument: Instrument) -> NDArray[np.int64]:
    """A number for each measure; 0 is the family of measures asked of everyone.

    Measures the instrument does not know are taken as asked of everyone.
    """
    seen: dict[object, int] = {(): 0}
    return np.array([seen.setdefault(_base_rule(k, instrument), len(seen)) for k in keys])


def _base_rule(key: Key, instrument: Instrument) -> object:
    name, answer = key
    if answer or name in instrument.items:
        item = instrument.items.get(name)
        return () if item is None else _of_items([item], excluding=not answer)
    measure = instrument.measures.get(name)
    if measure is None or not measure.parts:
        return ()
    return _of_items([instrument.items[i] for i, _ in measure.parts], excluding=True)


def _of_items(items: Sequence[Item], *, excluding: bool) -> object:
    gates = tuple(dict.fromkeys(g for i in items for g in i.gates))
    left_out = tuple(i.id for i in items if i.excluded) if excluding else ()
    return (gates, left_out) if gates or left_out else ()


def linked_measures(keys: Sequence[Key], instrument: Instrument) -> NDArray[np.int64]:
    """A number for each measure; those with one number are hidden in the same cells.

    Measures of different base-rule families are not linked, but for an item's measure and its
    answer distribution: the shown answers that the measure leaves out would give its base away.
    What the answer that leads to an item says of those asked is another matter, see `gates`.
    """
    families = base_families(keys, instrument)
    root = list(range(len(keys)))

    def find(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    first: dict[tuple[object, str], int] = {}
    answered = {name for name, answer in keys if answer}
    for position, key in enumerate(keys):
        for source in _sources(key, instrument):
            # A distribution beside a measure that leaves answers out shows what was left out.
            whole = source.removeprefix("item ") in answered
            family = None if whole else int(families[position])
            other = first.setdefault((family, source), position)
            root[find(position)] = find(other)
    tops = [find(i) for i in range(len(keys))]
    return np.unique(tops, return_inverse=True)[1].astype(np.int64)


def _sources(key: Key, instrument: Instrument) -> list[str]:
    """The items and scores a figure is made of."""
    name, _ = key
    measure = instrument.measures.get(name)
    if measure is not None and measure.score:
        score = instrument.score(measure.score)
        return [
            f"score {score.id}",
            *(f"score {p}" for p in score.parts),
            *_given(instrument, measure),
        ]
    if measure is not None and measure.parts:
        return [f"item {i}" for i, _ in measure.parts]
    return [f"item {name}"]


def _given(instrument: Instrument, measure: Measure) -> list[str]:
    """Items whose percentage is their score: two values, the counted answers and the others."""
    found = []
    score = instrument.score(measure.score)
    for name in score.items:
        item = instrument.items[name]
        points = dict(zip(item.labels, item.scale.scores, strict=True))
        scored = {a: p for a, p in points.items() if not np.isnan(p)}
        counted = {p for a, p in scored.items() if a in item.reported}
        others = {p for a, p in scored.items() if a not in item.reported}
        if len(counted) <= 1 and len(others) <= 1:
            found.append(f"item {name}")
    if score.share and len(score.items) - len(found) >= _UNKNOWN:
        return []
    return found


def unions(keys: Sequence[Key], instrument: Instrument) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Measures of the kind "any of these", as positions: (the union, its parts).

    Unions of which a part is not among the keys are left out.
    """
    place = {
        instrument.measures[name].parts[0]: i
        for i, (name, answer) in enumerate(keys)
        if not answer and name in instrument.measures and instrument.measures[name].kind == "item"
    }
    found = []
    for i, (name, answer) in enumerate(keys):
        measure = instrument.measures.get(name)
        if not answer and measure is not None and measure.kind == "any":
            parts = tuple(place[p] for p in measure.parts if p in place)
            if len(parts) == len(measure.parts):
                found.append((i, parts))
    return tuple(found)


def gates(keys: Sequence[Key], instrument: Instrument) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Items asked of some, by position, and the measures that say of how many at the most.

    The numerators of those measures are together at least the people whose answers lead to the
    item: the "any" of all such answers where it is there, else each answer's own figure. Items of
    which no figures among the keys say so are left out.
    """
    union: dict[object, int] = {}
    single: dict[object, int] = {}
    for i, (name, answer) in enumerate(keys):
        measure = instrument.measures.get(name)
        if answer:
            single.setdefault((name, frozenset([answer])), i)
        elif measure is not None and measure.parts:
            parts = frozenset((item, frozenset(answers)) for item, answers in measure.parts)
            union.setdefault(parts, i)
            if len(parts) == 1:
                single.setdefault(next(iter(parts)), i)
    found = []
    for i, key in enumerate(keys):
        led = {(g.item, frozenset(g.answers)) for g in _gates_of(key, instrument)}
        before = _figures_of(led, union, single)
        if led and before is not None and i not in before:
            found.append((i, before))
    return tuple(found)


def _gates_of(key: Key, instrument: Instrument) -> Sequence[Gate]:
    name, _ = key
    measure = instrument.measures.get(name)
    items = [i for i, _ in measure.parts] if measure is not None and measure.parts else [name]
    known = [instrument.items[i].gates for i in items if i in instrument.items]
    return known[0] if known and all(g == known[0] for g in known) else ()


def _figures_of(
    led: set[tuple[str, frozenset[str]]], union: dict[object, int], single: dict[object, int]
) -> tuple[int, ...] | None:
    if frozenset(led) in union:
        return (union[frozenset(led)],)
    found: list[int] = []
    for item, answers in sorted(led, key=lambda pair: (pair[0], sorted(pair[1]))):
        if (item, answers) in single:
            found.append(single[item, answers])
        elif all((item, frozenset([a])) in single for a in answers):
            found += [single[item, frozenset([a])] for a in sorted(answers)]
        else:
            return None
    return tuple(dict.fromkeys(found))


def distributions(
    keys: Sequence[Sequence[str]], base: Floats, numerator: Floats
) -> tuple[tuple[int, ...], ...]:
    """All the answers of one item, as positions, where they are together everyone.

    Parameters
    ----------
    keys
        Measure, answer, statistic and weighting of each measure.
    base, numerator
        True numbers (measures, cells), by which an incomplete set of answers is told.
    """
    found: dict[tuple[str, ...], list[int]] = {}
    for i, (name, answer, *rest) in enumerate(keys):
        if answer:
            found.setdefault((name, *rest), []).append(i)
    complete = []
    for answers in found.values():
        total = numerator[answers].sum(axis=0)
        known = ~np.isnan(total)
        same = (base[answers] == base[answers[0]])[:, known].all()
        if len(answers) > 1 and same and np.array_equal(total[known], base[answers[0], known]):
            complete.append(tuple(answers))
    return tuple(complete)
