"""Sums of every target over a layout's cells."""

from __future__ import annotations

from culture_analytics.estimate.figures import PairSums
from culture_analytics.estimate.numerators import Answers
from culture_analytics.estimate.plan import Target, available
from culture_analytics.estimate.tabulate import Sums, Tally

__all__ = ["count_targets"]


def count_targets(answers: Answers, tally: Tally, targets: list[Target]) -> PairSums:
    """Sums of each target; targets that share a source share its counting."""
    of_source: dict[str, list[int]] = {}
    for position, target in enumerate(targets):
        if available(target, answers):
            of_source.setdefault(target.source, []).append(position)
    found = PairSums.zeros(
        len(targets), len(tally.layout.cell), weighted=tally.layout.frame.weight is not None
    )
    for positions in of_source.values():
        sums = _sums(answers, tally, targets[positions[0]])
        for position in positions:
            target = targets[position]
            if target.counted is None or target.in_base is None:
                found.put_points(position, sums)
            else:
                found.put_answers(position, sums, target.counted, target.in_base)
    return found


def _sums(answers: Answers, tally: Tally, target: Target) -> Sums:
    if target.kind == "points":
        return tally.total(answers.score(target.source))
    if target.definition is not None and target.definition.kind == "any":
        return tally.count(answers.union(target.definition), 2)
    n_answers = len(answers.instrument.items[target.source].labels)
    return tally.count(answers.item(target.source), n_answers)
