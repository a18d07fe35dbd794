"""Crossings: exchanges never reach too far, sums never narrow too much; bounds are bounds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from culture_analytics.disclosure.bounds import bounds, spread, star_range, star_ranges, tighten
from culture_analytics.disclosure.exchanges import blocks, completed, widen
from culture_analytics.disclosure.leaks import attack
from culture_analytics.disclosure.structure import (
    BASE,
    MANY,
    Counts,
    Protection,
    Relation,
    Structure,
    attacker_view,
)
from culture_analytics.disclosure.suppress import least_needed, primary, suppress
from tests.disclosure.releases import random_release

RULE = Protection()


def crossing(rng, rows, columns, *, mean=12.0, measures=2):
    structure = Structure.two_way(
        [f"r{i}" for i in range(rows)], [f"c{i}" for i in range(columns)], not_stated=True
    )
    inside = rng.poisson(mean, (measures, rows + 1, columns + 1)).astype(float)
    inside[:, -1] = rng.poisson(3, (measures, columns + 1))
    yes = rng.binomial(inside.astype(int), 0.3).astype(float)

    def margins(x):
        x = np.concatenate([x, x.sum(axis=2, keepdims=True)], axis=2)
        return np.concatenate([x, x.sum(axis=1, keepdims=True)], axis=1).reshape(measures, -1)

    base, numerator = margins(inside), margins(yes)
    shown = ~structure.latent
    counts = Counts(
        np.where(shown, base, np.nan), np.where(shown, numerator, np.nan),
        tuple(f"m{i}" for i in range(measures)),
    )  # fmt: skip
    return structure, counts, np.stack([numerator, base - numerator, base], axis=-1)


def test_latent_cells_are_filled_in_from_the_sums():
    structure, counts, truth = crossing(np.random.default_rng(1), 3, 4)
    found = completed(structure, counts)
    known = ~np.isnan(found)
    assert np.array_equal(found[known], truth[known])
    assert known[:, ~structure.latent].all() and known[:, structure.latent].any()


@pytest.mark.parametrize("seed", range(6))
def test_exchanges_reach_nothing_that_does_not_fit(seed):
    rng = np.random.default_rng(seed)
    structure, counts, _ = crossing(rng, 3, 3)
    hidden = (rng.random(counts.base.shape) < 0.5) & ~structure.latent
    view = attacker_view(structure, counts, hidden, RULE)
    exact = bounds(structure, view)
    free = (view.upper > view.lower).any(axis=(0, 2))
    table, reached = completed(structure, counts), 0
    for block in blocks(structure, free):
        low, high = widen(
            block, view.lower, view.upper, table, counts.whole, hidden, (2.0, 1.0, 4.0)
        )  # fmt: skip
        seen = np.isfinite(low) & hidden[..., None]
        assert (low[seen] >= exact.lower[seen] - 1e-9).all()
        assert (high[seen] <= exact.upper[seen] + 1e-9).all()
        reached += int(((high - low)[seen] > 0).sum())
    assert reached > 5


def test_margins_move_with_their_parts():
    """A hidden row total and the cells under it: exchanges among both kinds fit."""
    structure = Structure.two_way(["r0", "r1", "r2"], ["c0", "c1"])
    base = np.array([[20, 30], [25, 15], [40, 22]], dtype=float)
    full = np.hstack([base, base.sum(axis=1, keepdims=True)])
    full = np.vstack([full, full.sum(axis=0)]).ravel()
    counts = Counts.of(structure, full, full // 2)
    counts.numerator[0] = np.round(full / 2)
    yes = np.hstack([np.floor(base / 2), np.floor(base / 2).sum(axis=1, keepdims=True)])
    counts = Counts.of(structure, full, np.vstack([yes, yes.sum(axis=0)]).ravel())
    hidden = np.zeros((1, len(structure.cells)), dtype=bool)
    hidden[0, [0, 2, 3, 5]] = True  # two rows: first cell and total
    view = attacker_view(structure, counts, hidden, RULE)
    (block,) = blocks(structure, (view.upper > view.lower).any(axis=(0, 2)))
    assert (block.sign < 0).any() and (block.sign > 0).any()
    low, high = widen(
        block, view.lower, view.upper, completed(structure, counts), counts.whole, hidden,
        (2.0, 1.0, 4.0),
    )  # fmt: skip
    exact = bounds(structure, view)
    assert ((high - low)[0, [0, 2, 3, 5], BASE] >= 4).all()
    assert (low[hidden] >= exact.lower[hidden]).all() and (
        high[hidden] <= exact.upper[hidden]
    ).all()


@pytest.mark.parametrize("seed", range(4))
def test_one_sum_after_another_never_narrows_too_much(seed):
    rng = np.random.default_rng(40 + seed)
    structure, counts, _ = crossing(rng, 3, 3, mean=6)
    hidden = (rng.random(counts.base.shape) < 0.4) & ~structure.latent
    view = attacker_view(structure, counts, hidden, RULE)
    exact = bounds(structure, view)
    lower, upper = tighten(view.lower, view.upper)
    spread(structure, range(len(structure.relations)), lower, upper)
    limited = exact.upper < MANY / 2
    assert (lower <= exact.lower + 1e-9).all()
    assert (upper[limited] >= exact.upper[limited] - 1e-9).all()
    assert (lower > view.lower).any() or (upper < view.upper).any()


def test_all_cells_of_a_sum_at_once_are_each_by_itself():
    structure, counts, _ = crossing(np.random.default_rng(3), 3, 3)
    hidden = np.random.default_rng(3).random(counts.base.shape) < 0.5
    view = attacker_view(structure, counts, hidden & ~structure.latent, RULE)
    for number, relation in enumerate(structure.relations):
        cells = np.array(relation.cells)
        low, high = star_ranges(view.lower[:, cells], view.upper[:, cells])
        for place, cell in enumerate(cells):
            one = star_range(structure, number, int(cell), view.lower, view.upper)
            assert np.allclose(one[0], low[:, place]) and np.allclose(one[1], high[:, place])


@pytest.mark.parametrize("seed", range(3))
def test_crossings_are_protected_with_and_without_exchanges(seed):
    structure, counts, _ = crossing(np.random.default_rng(70 + seed), 6, 4, mean=14)
    hidden = suppress(structure, counts, RULE)
    assert hidden.any() and not hidden.all()
    assert not attack(structure, counts, hidden, RULE)[1].any.any()
    assert not attack(structure, counts, hidden, RULE, exact=True)[1].any.any()


def test_no_method_hides_fewer_than_the_bound():
    compared = 0
    for seed in range(60):
        structure, counts = random_release(np.random.default_rng(seed))
        if len(structure.cells) > 10:
            continue
        first = primary(structure, counts, RULE, np.zeros(1, dtype=int))
        can_hide = counts.known & (np.nan_to_num(counts.base) > 0) & ~structure.latent
        bound = int(least_needed(structure, counts, first, RULE, can_hide)[0])
        ours = int((suppress(structure, counts, RULE) & ~first).sum())
        assert bound <= ours
        others = np.flatnonzero((can_hide & ~first)[0])
        for fewer in range(bound):  # fewer than the bound never serve
            for more in combinations(others, fewer):
                hidden = first.copy()
                hidden[0, list(more)] = True
                assert attack(structure, counts, hidden, RULE)[1].any.any()
                compared += 1
    assert compared > 50


def test_a_team_and_its_directorate_crossed_by_one_group_share_their_sums():
    """Three kinds of sum at one cell: nothing is claimed that programming does not confirm."""
    cells = (
        "all",
        "D",
        "E",
        "D t1",
        "D t2",
        "D women",
        "D men",
        "women",
        "men",
        "E women",
        "E men",
    )
    structure = Structure(
        cells,
        (Relation(0, (1, 2)), Relation(1, (3, 4)), Relation(1, (5, 6)), Relation(0, (7, 8)),
         Relation(2, (9, 10)), Relation(7, (5, 9)), Relation(8, (6, 10))),
        np.zeros(len(cells), dtype=bool),
    )  # fmt: skip
    base = [200, 90, 110, 82, 8, 84, 6, 164, 36, 80, 30]
    yes = [60, 27, 33, 25, 2, 25, 2, 49, 11, 24, 9]
    counts = Counts.of(structure, base, yes)
    first = primary(structure, counts, RULE, np.zeros(1, dtype=int))
    assert attack(structure, counts, first, RULE)[1].any[first].all()
    hidden = suppress(structure, counts, RULE)
    assert not attack(structure, counts, hidden, RULE, exact=True)[1].any.any()
