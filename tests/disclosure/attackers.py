"""Attackers that share no code with the library: enumeration and plain linear programming."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
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


def trust_bounds(trust, hidden: np.ndarray, most: int | None = None):
    """Bounds on hidden rows of a random trust, from its tables alone: (row, base, numerator).

    Counts of people in every combination of answers and unit are the unknowns; each shown row is a
    sum of them. Nothing of the library is used: no cells, no sums between cells, no families.
    """
    frame = trust.frame
    grid = pd.MultiIndex.from_product(trust.categories.values(), names=trust.categories).to_frame()
    for column, (larger, parents) in trust.units.items():
        if not larger:
            continue
        grid = grid[grid[column].map(parents).eq(grid[larger])]
    n = len(grid)
    looked_at = 0
    for measure in frame["measure"].unique():
        rows = np.flatnonzero(frame["measure"].eq(measure))
        inside = np.array([_members(grid, frame.iloc[i]) for i in rows], dtype=float)
        base = frame["base"].to_numpy()[rows]
        numerator = frame["_numerator"].to_numpy()[rows]
        unseen = hidden[rows]
        both = np.hstack([inside, inside])
        yes = np.hstack([inside, np.zeros_like(inside)])
        equal = np.vstack([both[~unseen], yes[~unseen]])
        right = np.concatenate([base[~unseen], numerator[~unseen]])
        small = base[unseen] < 11
        limit = np.vstack([both[unseen][small], -both[unseen][~small]])
        limit_at = np.concatenate([np.full(small.sum(), 10.0), np.full((~small).sum(), -11.0)])
        for i in np.flatnonzero(unseen):
            if most is not None and looked_at >= most:
                return
            looked_at += 1
            ends = []
            for objective in (both[i], yes[i], both[i] - yes[i]):
                for sign in (1, -1):
                    result = linprog(
                        sign * objective, A_ub=limit if len(limit) else None,
                        b_ub=limit_at if len(limit) else None, A_eq=equal, b_eq=right,
                        bounds=(0, None), method="highs",
                    )  # fmt: skip
                    assert result.status in (0, 3), result.message
                    ends.append(sign * result.fun if result.status == 0 else np.inf)
            yield int(rows[i]), (ends[0], ends[1]), (ends[2], ends[3]), (ends[4], ends[5])
    assert n


def _members(grid: pd.DataFrame, row: pd.Series) -> np.ndarray:
    found = np.ones(len(grid), dtype=bool)
    for by, group in ((row["breakdown"], row["group"]), (row["within"], row["within_group"])):
        if by not in ("", "overall"):
            for column, value in zip(by.split(":"), group.split(" | "), strict=True):
                found &= grid[column].eq(value).to_numpy()
    return found
