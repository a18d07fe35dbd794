"""Sums of every target over a table's cells."""

from __future__ import annotations

from culture_analytics.estimate.figures import PairSums
from culture_analytics.estimate.numerators import Answers
from culture_analytics.estimate.plan import Target
from culture_analytics.estimate.tabulate import Sums, Table

__all__ = ["count_targets"]


def count_targets(answers: Answers, table: Table, targets: list[Target]) -> list[PairSums]:
    """Sums of each target; targets that share a source share its counting."""
    of_source: dict[str, list[int]] = {}
    for position, target in enumerate(targets):
        if _available(answers, target):
            of_source.setdefault(target.source, []).append(position)
    found = [PairSums.empty(len(table.pair_cell))] * len(targets)
    for positions in of_source.values():
        sums = _sums(answers, table, targets[positions[0]])
        for position in positions:
            target = targets[position]
            found[position] = (
                PairSums.of_points(sums)
                if target.counted is None or target.in_base is None
                else PairSums.of_answers(sums, target.counted, target.in_base)
            )
    return found


def _sums(answers: Answers, table: Table, target: Target) -> Sums:
    if target.kind == "points":
        return table.total(answers.score(target.source))
    if target.definition is not None and target.definition.kind == "any":
        return table.count(answers.union(target.definition), 2)
    n_answers = len(answers.instrument.items[target.source].labels)
    return table.count(answers.item(target.source), n_answers)


def _available(answers: Answers, target: Target) -> bool:
    return all(answers.present(i) for i in target.items)
