"""What is to be counted: each measure or answer as a numerator over a base, and its status.

A `Target` is one row family of the result: for a percentage, which answer codes count and which
are in the base; for a score, the respondents' points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from culture_analytics.errors import MeasureError
from culture_analytics.estimate.dimensions import Dimension
from culture_analytics.estimate.numerators import Answers, score_asked, score_items
from culture_analytics.instrument import Instrument, Item, Measure

__all__ = [
    "STATUSES",
    "Target",
    "answer_targets",
    "available",
    "measure_targets",
    "status_of",
]

Mask = NDArray[np.bool_]

# Statuses of a calculated row; `suppressed` is the protected view's.
STATUSES = ("ok", "not_asked", "not_applicable", "unavailable", "not_computable")


@dataclass(frozen=True, eq=False)
class Target:
    """One measure, or one answer of one item.

    Parameters
    ----------
    measure, label, answer, statistic, unit
        As in the result schema.
    source
        Key of the vector to count: targets with one source share its bincounts.
    kind
        ``"codes"`` or ``"points"``.
    counted, in_base
        For codes: which of the source's answers are in the numerator and in the base.
    items
        The items whose presence and year decide the status.
    """

    measure: str
    label: str
    answer: str
    statistic: str
    unit: str
    source: str
    kind: str
    items: tuple[str, ...]
    counted: Mask | None = None
    in_base: Mask | None = None
    definition: Measure | None = None


def measure_targets(instrument: Instrument, measures: Iterable[Measure]) -> list[Target]:
    """A target for each measure."""
    return [_measure_target(instrument, m) for m in measures]


def _measure_target(instrument: Instrument, measure: Measure) -> Target:
    common: dict[str, Any] = {
        "measure": measure.id,
        "label": measure.label,
        "answer": "",
        "statistic": measure.statistic,
        "unit": measure.unit,
        "definition": measure,
    }
    if measure.score:
        items = score_items(instrument, instrument.score(measure.score))
        return Target(**common, source=measure.id, kind="points", items=items)
    if measure.kind == "any":
        return Target(
            **common,
            source=measure.id,
            kind="codes",
            items=tuple(i for i, _ in measure.parts),
            counted=np.array([False, True]),
            in_base=np.array([True, True]),
        )
    ((item_id, answers),) = measure.parts
    item = instrument.items[item_id]
    return Target(
        **common,
        source=item_id,
        kind="codes",
        items=(item_id,),
        counted=_mask(item, answers),
        in_base=~_mask(item, item.excluded),
    )


def answer_targets(instrument: Instrument, items: str | Sequence[str]) -> list[Target]:
    """A target for each answer of each item; every answer given is in the base."""
    wanted = [items] if isinstance(items, str) else list(items)
    known = []
    for name in wanted:
        if name in instrument.items:
            known.append(name)
        elif name in instrument.domains or name in instrument.collections:
            measures = instrument.resolve_measures(name)
            known.extend(i for m in measures for i, _ in m.parts)
        else:
            raise MeasureError(
                f"No item {name!r}. Answers can be shown for items (list_measures()), "
                "domains and collections."
            )
    return [
        Target(
            measure=item.id,
            label=item.label,
            answer=answer,
            statistic="percent",
            unit="percent",
            source=item.id,
            kind="codes",
            items=(item.id,),
            counted=_mask(item, (answer,)),
            in_base=np.ones(len(item.labels), dtype=bool),
        )
        for item in (instrument.items[i] for i in dict.fromkeys(known))
        for answer in item.labels
    ]


def _mask(item: Item, answers: Sequence[str]) -> Mask:
    return np.array([label in answers for label in item.labels])


def status_of(target: Target, answers: Answers, by: Dimension, year: int) -> NDArray[np.int8]:
    """Place in `STATUSES` of a target in each group in one year, before any base is known."""
    instrument = answers.instrument
    whole = _target_status(target, answers, year)
    if whole != "ok":
        return np.full(len(by.groups), STATUSES.index(whole), dtype=np.int8)
    status = [
        "not_asked"
        if not _offered(instrument, by, position, year)
        else "not_applicable"
        if _routed_out(instrument, target, by, position)
        else "ok"
        for position in range(len(by.groups))
    ]
    return np.array([STATUSES.index(s) for s in status], dtype=np.int8)


def _target_status(target: Target, answers: Answers, year: int) -> str:
    instrument = answers.instrument
    definition = target.definition
    if definition is not None and definition.score:
        asked = score_asked(instrument, instrument.score(definition.score), year)
    else:
        asked = all(instrument.asked(i, year) for i in target.items)
    if not asked:
        return "not_asked"
    if not available(target, answers):
        return "unavailable"
    if target.answer:
        question = instrument.question(target.items[0], year)
        if question is not None and target.answer not in question.scale.labels:
            return "not_asked"
    return "ok"


def available(target: Target, answers: Answers) -> bool:
    """Whether the extract has the columns: all, or a score of culture's share of them."""
    there = sum(answers.present(i) for i in target.items)
    definition = target.definition
    if definition is not None and definition.score:
        score = answers.instrument.score(definition.score)
        if score.share:
            return there >= score.needed(len(target.items))
    return there == len(target.items)


def _parts(by: Dimension, position: int) -> list[tuple[str, tuple[str, ...]]]:
    """(item, answers) that make up one group, for each breakdown of the dimension."""
    labels = by.members[position] if by.members else (by.groups[position],)
    found = []
    for breakdown in by.breakdowns:
        for group in breakdown.groups:
            if group.label in labels:
                found.append((breakdown.item, group.answers))
    return found


def _offered(instrument: Instrument, by: Dimension, position: int, year: int) -> bool:
    for item, group_answers in _parts(by, position):
        question = instrument.question(item, year)
        if question is None or not set(group_answers) & set(question.scale.labels):
            return False
    return True


def _routed_out(instrument: Instrument, target: Target, by: Dimension, position: int) -> bool:
    """Whether nobody in the group can have been asked, by the questionnaire's routing."""
    if len(target.items) != 1:
        return False
    gates = instrument.items[target.items[0]].gates
    if not gates:
        return False
    parts = dict(_parts(by, position))
    return all(g.item in parts and not set(g.answers) & set(parts[g.item]) for g in gates)
