"""Random releases to attack: totals, breakdowns, hierarchies and crossings with small groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

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


@dataclass
class Trust:
    """Made-up people, and tables of them in the columns of the result schema."""

    frame: pd.DataFrame
    units: dict[str, tuple[str, dict[str, str]]]
    categories: dict[str, list[str]]


NOT_STATED = "(none)"


def random_trust(rng: np.random.Generator) -> Trust:
    """60 to 400 people in two to four units, with teams, two questions and tables at random."""
    n = int(rng.integers(60, 400))
    people = pd.DataFrame(index=range(n))
    categories: dict[str, list[str]] = {}
    for name, most in (("colour", 5), ("shape", 4)):
        groups = [f"{name} {i}" for i in range(int(rng.integers(2, most)))] + [NOT_STATED]
        share = rng.dirichlet(np.full(len(groups), 0.7))
        people[name] = rng.choice(groups, n, p=share)
        categories[name] = groups
    sizes = rng.integers(1, 4, int(rng.integers(2, 4)))
    parents = {f"{d}{t}": f"D{d}" for d, size in enumerate(sizes) for t in range(size)}
    team = rng.choice(list(parents), n, p=rng.dirichlet(np.full(len(parents), 0.8)))
    people["team"], people["directorate"] = team, [parents[t] for t in team]
    categories |= {"directorate": [f"D{d}" for d in range(len(sizes))], "team": list(parents)}
    share, asked = rng.choice([0.03, 0.2, 0.5, 0.95]), rng.choice([1.0, 0.95])
    for item in ("one", "two"):
        people[item] = np.where(rng.random(n) < asked, rng.random(n) < share, np.nan)
    possible = [
        ("colour", ""), ("shape", ""), ("directorate", ""), ("team", ""), ("colour:shape", ""),
        ("colour", "directorate"), ("shape", "directorate"),
    ]  # fmt: skip
    chosen = rng.choice(len(possible), int(rng.integers(2, 5)), replace=False)
    tables = [("overall", ""), *(possible[i] for i in sorted(chosen))]
    frame = pd.concat([_table(people, by, within) for by, within in tables], ignore_index=True)
    used = {c for by, within in tables for c in (*by.split(":"), within)}
    units: dict[str, tuple[str, dict[str, str]]] = {"directorate": ("", {})}
    if "team" in used:
        units["team"] = ("directorate", parents)
    else:
        categories.pop("team", None)
    return Trust(frame, units, categories)


def _table(people: pd.DataFrame, by: str, within: str) -> pd.DataFrame:
    columns = [c for c in (*by.split(":"), within) if c not in ("", "overall")]
    parts = []
    for item in ("one", "two"):
        grouped = (
            people.groupby(columns)[item] if columns else people.assign(x="").groupby("x")[item]
        )
        counts = grouped.agg(["count", "sum"]).reset_index()
        counts = counts[~counts.isin([NOT_STATED]).any(axis=1)]
        group = (
            counts[by.split(":")].agg(" | ".join, axis=1) if by != "overall" else "All staff"
        )  # fmt: skip
        parts.append(
            pd.DataFrame(
                {
                    "year": 2024, "org": "ZZ1", "measure": item, "answer": "",
                    "breakdown": by, "group": group, "within": within,
                    "within_group": counts[within] if within else "", "statistic": "percent",
                    "reference": "", "weighting": "unweighted", "source": "extract",
                    "status": "ok", "base": counts["count"].astype(float),
                    "value": np.nan, "_numerator": counts["sum"].astype(float),
                }, index=counts.index,
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
