"""Feasible intervals against enumeration, and the choice of what else to hide."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest

from culture_analytics.disclosure.bounds import bounds
from culture_analytics.disclosure.leaks import attack
from culture_analytics.disclosure.precision import (
    Printed,
    fitting_numerators,
    numerator_range,
    score_total_range,
    share_fixed,
)
from culture_analytics.disclosure.structure import (
    BASE,
    Counts,
    Protection,
    Relation,
    Structure,
    attacker_view,
)
from culture_analytics.disclosure.suppress import costs, primary, suppress, suppress_least
from culture_analytics.errors import DisclosureError
from culture_analytics.stats.proportion import wilson
from tests.disclosure.attackers import enumerated_bounds

SMALL = Protection(base_under=4)


def filled(structure: Structure, rng: np.random.Generator, mean: float) -> Counts:
    """Random leaves, added up into their totals."""
    totals = {r.total for r in structure.relations}
    layers = np.zeros((2, len(structure.cells)))
    for i in range(len(structure.cells)):
        if i not in totals:
            layers[:, i] = rng.poisson(mean, 2)
    for _ in structure.cells:  # deeper totals need their parts first
        for r in structure.relations:
            layers[:, r.total] = layers[:, list(r.parts)].sum(axis=1)
    if [r.total for r in structure.relations] == [0, 0]:  # a second breakdown of the same people
        parts = list(structure.relations[1].parts)
        first = layers[:, list(structure.relations[0].parts)].sum(axis=1)
        layers[:, 0] = first
        for layer in (0, 1):
            share = np.full(len(parts), 1 / len(parts))
            layers[layer, parts] = rng.multinomial(int(first[layer]), share)
    return Counts.of(structure, layers.sum(axis=0), layers[0])


STRUCTURES = {
    "one way": Structure.one_way(["A", "B", "C"]),
    "no slack": Structure.one_way(["A", "B", "C"], not_stated=False),
    "hierarchy": Structure(
        ("all", "A", "B", "?", "a1", "a2"),
        (Relation(0, (1, 2, 3)), Relation(1, (4, 5))),
        np.array([0, 0, 0, 1, 0, 0], dtype=bool),
    ),
    "two breakdowns": Structure(
        ("all", "A", "B", "X", "Y", "?"),
        (Relation(0, (1, 2)), Relation(0, (3, 4, 5))),
        np.array([0, 0, 0, 0, 0, 1], dtype=bool),
    ),
    "crossing": Structure.two_way(["A", "B"], ["X", "Y"]),
}


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("knows", [True, False])
def test_intervals_equal_enumeration(name, knows):
    structure = STRUCTURES[name]
    protection = Protection(base_under=4, knows_reason=knows)
    rng = np.random.default_rng(len(name))
    looked_at = 0
    for _ in range(8):
        counts = filled(structure, rng, 0.8)
        hidden = (rng.random((1, len(structure.cells))) < 0.6) & ~structure.latent
        # The total stays shown, and of a crossing one margin, so that enumeration ends.
        hidden[0, [2, 5, 8] if name == "crossing" else 0] = False
        view = attacker_view(structure, counts, hidden, protection)
        found = bounds(structure, view)
        low, high = enumerated_bounds(structure, view, most=int(counts.base.max()))
        assert np.array_equal(found.lower[0], low)
        assert np.array_equal(found.upper[0], high)
        looked_at += int(hidden.sum())
    assert looked_at > 10


def test_hidden_total_with_the_rest_shown_is_exact():
    structure = Structure.one_way(["A", "B"], not_stated=False)
    counts = Counts.of(structure, [30, 12, 18], [5, 2, 3])
    view = attacker_view(structure, counts, np.array([[True, False, False]]), Protection())
    assert bounds(structure, view).span(BASE)[0, 0] == 1


def test_contradictory_numbers_and_hierarchies_are_refused():
    structure = Structure.one_way(["A", "B"], not_stated=False)
    wrong = Counts.of(structure, [30, 12, 20], [5, 2, 3])
    with pytest.raises(DisclosureError, match="not the sum"):
        attack(structure, wrong, np.zeros((1, 3), dtype=bool), Protection())
    with pytest.raises(DisclosureError, match="contradict"):
        attack(
            Structure.one_way(["A", "B"]),
            Counts.of(Structure.one_way(["A", "B"]), [30, 40, 5, np.nan], [5, 2, 3, np.nan]),
            np.array([[False, False, True, False]]),
            Protection(),
        )
    with pytest.raises(DisclosureError, match="inside itself"):
        Structure(("A", "B"), (Relation(0, (1,)), Relation(1, (0,))), np.zeros(2, dtype=bool))
    with pytest.raises(DisclosureError, match="twice"):
        Structure(("A", "B"), (Relation(0, (1, 1)),), np.zeros(2, dtype=bool))


def _cheapest_by_trying_all(structure, counts, protection):
    start = primary(structure, counts, protection, np.zeros(1, dtype=int))
    price = costs(structure, counts)
    others = np.flatnonzero(~start[0] & ~structure.latent & (np.nan_to_num(counts.base[0]) > 0))
    best = np.inf
    for more in chain.from_iterable(combinations(others, n) for n in range(len(others) + 1)):
        hidden = start.copy()
        hidden[0, list(more)] = True
        if (
            price[hidden[0]].sum() < best
            and not attack(structure, counts, hidden, protection)[1].any.any()
        ):
            best = price[hidden[0]].sum()
    return best


@pytest.mark.parametrize("name", ["one way", "no slack", "hierarchy", "two breakdowns"])
def test_least_cost_equals_trying_every_pattern(name):
    structure = STRUCTURES[name]
    rng = np.random.default_rng(5)
    protection = Protection(base_under=8)
    compared = 0
    for _ in range(6):
        counts = filled(structure, rng, 8.0)
        best = _cheapest_by_trying_all(structure, counts, protection)
        if not np.isfinite(best):
            continue
        least = suppress_least(structure, counts, protection)
        assert costs(structure, counts)[least[0]].sum() == pytest.approx(best)
        quick = suppress(structure, counts, protection)
        assert not attack(structure, counts, quick, protection)[1].any.any()
        assert costs(structure, counts)[quick[0]].sum() >= best - 1e-9
        compared += 1
    assert compared >= 4


def test_not_stated_alone_can_protect_one_group():
    structure = Structure.one_way(["A", "B", "C"])
    counts = Counts.of(structure, [100, 5, 40, 45, 10], [30, 2, 12, 13, 3])
    assert suppress(structure, counts, Protection())[0].tolist() == [0, 1, 0, 0, 0]


def test_without_not_stated_a_second_group_goes_and_it_is_the_smallest_that_serves():
    structure = Structure.one_way(["A", "B", "C", "D"], not_stated=False)
    counts = Counts.of(structure, [122, 2, 12, 40, 68], [39, 1, 4, 12, 22])
    hidden = suppress(structure, counts, Protection())
    # B has 12 and is known to have at least 11, which would leave A four values: C must go.
    assert hidden[0].tolist() == [0, 1, 0, 1, 0]
    assert np.array_equal(hidden, suppress_least(structure, counts, Protection()))


def test_one_pattern_for_measures_together_chosen_on_the_smallest_base():
    structure = Structure.one_way(["A", "B", "C"])
    counts = Counts(
        np.array([[100, 11, 40, 40, 9], [100, 10, 40, 40, 10]], dtype=float),
        np.array([[30, 4, 12, 11, 3], [30, 3, 12, 12, 3]], dtype=float),
        ("one", "other"),
    )
    together = primary(structure, counts, Protection(), np.array([0, 0]))
    apart = primary(structure, counts, Protection(), np.array([0, 1]))
    assert together[:, 1].tolist() == [True, True]
    assert apart[:, 1].tolist() == [False, True]


def test_same_pattern_on_every_run():
    rng = np.random.default_rng(2)
    structure = Structure.one_way(list("ABCDEFGH"), not_stated=False)
    for _ in range(5):
        counts = filled(structure, rng, 9.0)
        first = suppress(structure, counts, Protection())
        assert np.array_equal(first, suppress(structure, counts, Protection()))


def test_printed_percentages_and_limits_give_the_numerator():
    assert share_fixed(150, decimals=0) == pytest.approx(1 / 3, abs=0.01)
    assert share_fixed(150, decimals=1, limit_decimals=1) == 1.0
    for base, k in ((150, 17), (37, 0), (412, 201)):
        p = k / base
        lower, upper = (float(x) for x in wilson(p, base))
        printed = Printed(
            base=base, percent=round(100 * p, 1), lower=round(100 * lower, 1),
            upper=round(100 * upper, 1), decimals=1, limit_decimals=1,
        )  # fmt: skip
        assert fitting_numerators(printed).tolist() == [k]
        least, most = numerator_range(Printed(base=base, percent=round(100 * p)))
        by_hand = [j for j in range(base + 1) if abs(100 * j / base - round(100 * p)) <= 0.5]
        assert (least, most) == (by_hand[0], by_hand[-1])


def test_rounded_bases_widen_what_a_percentage_gives():
    exact = fitting_numerators(Printed(base=100, percent=30))
    rounded = fitting_numerators(Printed(base=100, percent=30, base_rounding=5))
    assert exact.tolist() == [30]
    assert rounded.tolist() == [29, 30, 31]


def test_impossible_printed_figures_are_refused():
    with pytest.raises(DisclosureError, match="No count of people"):
        fitting_numerators(Printed(base=10, percent=33))


def test_score_mean_times_base():
    low, high = score_total_range(20, 6.31, 2)
    assert low < 126.2 < high and high - low == pytest.approx(0.2)


def asked_of_some(answered: list[float], asked: list[float]) -> tuple[Structure, Counts]:
    """An item put to as many of each group as is shown, and answered by nearly all of them."""
    structure = Structure.one_way([f"g{i}" for i in range(len(asked))], not_stated=False)
    base = np.array([[sum(answered), *answered]])
    most = np.array([[sum(asked), *asked]])
    return structure, Counts(base, np.floor(base / 2), ("item",), most_base=most)


def test_groups_are_hidden_rather_than_everyone() -> None:
    """Nobody of the small groups failed to answer: only hiding several others loosens the sum."""
    structure, counts = asked_of_some([5, 8, 58, 68, 78], [5, 8, 60, 70, 80])
    hidden = suppress(structure, counts, Protection(numerator_span=0))
    assert hidden[0].tolist() == [False, True, True, True, True, False]
    _, leaks = attack(structure, counts, hidden, Protection(numerator_span=0), exact=True)
    assert not leaks.any.any()


def test_everyone_is_hidden_where_no_groups_would_do() -> None:
    """All who were asked answered, so that the figure of everyone gives every group away."""
    structure, counts = asked_of_some([5, 8, 60, 70, 80], [5, 8, 60, 70, 80])
    hidden = suppress(structure, counts, Protection(numerator_span=0))
    assert hidden[0].tolist()[:3] == [True, True, True]
    _, leaks = attack(structure, counts, hidden, Protection(numerator_span=0), exact=True)
    assert not leaks.any.any()
