"""Two attackers that share no code with the library: enumeration and plain linear programming."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import linprog

from culture_analytics.disclosure.structure import Box, Structure


def enumerate_tables(structure: Structure, box: Box, most: int) -> Iterator[np.ndarray]:
    """Every table of whole numbers up to `most` that fits, as (cells, 3)."""
    n = len(structure.cells)
    lower, upper = np.maximum(box.lower[0], 0), np.minimum(box.upper[0], most)
    choices = [
        [
            (k, c)
            for k in range(int(lower[i, 0]), int(upper[i, 0]) + 1)
            for c in range(int(lower[i, 1]), int(upper[i, 1]) + 1)
            if lower[i, 2] <= k + c <= upper[i, 2]
        ]
        for i in range(n)
    ]
    order = sorted(range(n), key=lambda i: len(choices[i]))
    chosen: list[tuple[int, int] | None] = [None] * n

    def possible(cell: int) -> bool:
        for r in structure.of_cell[cell]:
            relation = structure.relations[r]
            open_cells = any(chosen[j] is None for j in relation.parts)
            total = chosen[relation.total]
            for layer in (0, 1):
                parts = sum(chosen[j][layer] for j in relation.parts if chosen[j] is not None)
                if total is not None and (
                    parts > total[layer] or (not open_cells and parts != total[layer])
                ):
                    return False
        return True

    def search(depth: int) -> Iterator[np.ndarray]:
        if depth == n:
            yield np.array([(k, c, k + c) for k, c in chosen])
            return
        cell = order[depth]
        for value in choices[cell]:
            chosen[cell] = value
            if possible(cell):
                yield from search(depth + 1)
            chosen[cell] = None

    return search(0)


def enumerated_bounds(structure: Structure, box: Box, most: int) -> tuple[np.ndarray, np.ndarray]:
    low = np.full((len(structure.cells), 3), np.inf)
    high = -low
    for table in enumerate_tables(structure, box, most):
        low, high = np.minimum(low, table), np.maximum(high, table)
    return low, high


def linear_bounds(structure: Structure, box: Box, cell: int, m: int = 0) -> list[tuple[float, ...]]:
    """(least, greatest) numerator, complement and base of one cell, by linear programming."""
    n = len(structure.cells)
    equal = np.zeros((2 * len(structure.relations), 2 * n))
    for number, relation in enumerate(structure.relations):
        for layer in (0, 1):
            equal[2 * number + layer, layer * n + relation.total] = 1
            equal[2 * number + layer, [layer * n + p for p in relation.parts]] = -1
    both = np.hstack([np.eye(n), np.eye(n)])
    inequality = np.vstack([both, -both])
    right = np.concatenate([box.upper[m, :, 2], -box.lower[m, :, 2]])
    limits = list(
        zip(
            box.lower[m, :, :2].T.ravel(), np.minimum(box.upper[m, :, :2], 1e6).T.ravel(),
            strict=True,
        )
    )  # fmt: skip
    found = []
    for weights in ((1, 0), (0, 1), (1, 1)):
        objective = np.zeros(2 * n)
        objective[cell], objective[n + cell] = weights
        ends = []
        for sign in (1, -1):
            result = linprog(
                sign * objective, A_ub=inequality, b_ub=right, A_eq=equal,
                b_eq=np.zeros(len(equal)), bounds=limits,
            )  # fmt: skip
            assert result.status == 0, result.message
            ends.append(sign * result.fun)
        found.append(tuple(ends))
    return found
