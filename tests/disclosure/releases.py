"""Random releases to attack: totals, breakdowns, hierarchies and crossings with small groups."""

from __future__ import annotations

import numpy as np

from culture_analytics.disclosure.structure import Counts, Relation, Structure


def random_release(rng: np.random.Generator) -> tuple[Structure, Counts]:
    """One measure of 100 to 400 people in tables of a random shape."""
    kind = rng.choice(
        ["one way", "two breakdowns", "hierarchy", "crossing"], p=[0.3, 0.25, 0.35, 0.1]
    )
    share = float(rng.choice([0.03, 0.2, 0.5, 0.9]))
    slack = bool(rng.random() < 0.5)

    def people(n: int) -> np.ndarray:
        base = rng.poisson(rng.choice([3, 15, 60], n))
        yes = rng.binomial(base, share)
        return np.array([yes, base])

    if kind == "crossing":
        r, c = int(rng.integers(2, 4)), int(rng.integers(2, 4))
        structure = Structure.two_way([f"r{i}" for i in range(r)], [f"c{i}" for i in range(c)])
        inside = people(r * c).reshape(2, r, c)
        rows = np.concatenate([inside, inside.sum(axis=2, keepdims=True)], axis=2)
        table = np.concatenate([rows, rows.sum(axis=1, keepdims=True)], axis=1)
        return structure, Counts.of(structure, table[1].ravel(), table[0].ravel())
    if kind == "hierarchy":
        sizes = [int(rng.integers(2, 5)) for _ in range(int(rng.integers(2, 4)))]
        names, relations, numbers, tops = ["all"], [], [], []
        for d, size in enumerate(sizes):
            tops.append(len(names))
            names += [f"D{d}", *(f"D{d}t{t}" for t in range(size))]
            relations.append(Relation(tops[-1], tuple(range(tops[-1] + 1, len(names)))))
            teams = people(size)
            numbers += [teams.sum(axis=1), *teams.T]
        relations.append(Relation(0, tuple(tops)))
        numbers = np.array([sum(numbers[t - 1] for t in tops), *numbers]).T
        structure = Structure(tuple(names), tuple(relations), np.zeros(len(names), dtype=bool))
        return structure, Counts.of(structure, numbers[1], numbers[0])
    groups = people(int(rng.integers(2, 6)) + slack)
    total = groups.sum(axis=1, keepdims=True)
    one = Structure.one_way([f"A{i}" for i in range(groups.shape[1] - slack)], not_stated=slack)
    numbers = np.concatenate([total, groups], axis=1)
    if kind == "one way":
        return one, Counts.of(one, numbers[1], numbers[0])
    n = len(one.cells)
    yes = rng.multinomial(int(total[0, 0]), [0.9, 0.08, 0.02])
    no = rng.multinomial(int(total[1, 0] - total[0, 0]), [0.9, 0.08, 0.02])
    structure = Structure(
        (*one.cells, "B0", "B1", "B2"),
        (*one.relations, Relation(0, (n, n + 1, n + 2))),
        np.concatenate([one.latent, np.zeros(3, dtype=bool)]),
    )
    return structure, Counts.of(
        structure, [*numbers[1], *(yes + no)], [*numbers[0], *yes]
    )  # fmt: skip
