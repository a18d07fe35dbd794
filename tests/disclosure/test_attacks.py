"""The attack suite: in each case hiding small bases alone leaks; the library's pattern does not.

An attack here is arithmetic on what is shown; the judgement of "leaks" is cross-checked by
attackers that share no code with the library.
"""

from __future__ import annotations

import numpy as np
import pytest

from culture_analytics.disclosure.audit import protect
from culture_analytics.disclosure.bounds import bounds
from culture_analytics.disclosure.leaks import Ceilings, attack, judge
from culture_analytics.disclosure.precision import Printed, numerator_range
from culture_analytics.disclosure.structure import (
    BASE,
    NUMERATOR,
    Box,
    Counts,
    Protection,
    Relation,
    Structure,
    attacker_view,
)
from culture_analytics.disclosure.suppress import primary, suppress
from culture_analytics.instrument import load_instrument
from culture_analytics.stats.proportion import wilson
from tests.disclosure.attackers import linear_bounds, trust_bounds
from tests.disclosure.releases import random_release, random_trust

RULE = Protection()
NAN = np.nan


def one_way(bases, numerators, *, not_stated=False):
    structure = Structure.one_way(
        [f"G{i}" for i in range(len(bases) - 1 - not_stated)], not_stated=not_stated
    )
    return structure, Counts.of(structure, bases, numerators)


def crossing():
    base = np.array([[5, 40, 30], [35, 50, 20], [25, 30, 45]])
    yes = np.array([[2, 12, 9], [10, 15, 6], [7, 9, 14]])
    structure = Structure.two_way(["r0", "r1", "r2"], ["c0", "c1", "c2"])

    def margins(x):
        rows = np.hstack([x, x.sum(axis=1, keepdims=True)])
        return np.vstack([rows, rows.sum(axis=0)]).ravel()

    return structure, Counts.of(structure, margins(base), margins(yes))


def sharing_a_margin():
    """Two tables with one margin: group A by sex in one, by age in another."""
    structure = Structure(
        ("all", "A", "B", "A women", "A men", "A young", "A old"),
        (Relation(0, (1, 2)), Relation(1, (3, 4)), Relation(1, (5, 6))),
        np.zeros(7, dtype=bool),
    )
    return structure, Counts.of(structure, [130, 60, 70, 55, 5, 24, 36], [39, 18, 21, 16, 2, 7, 11])


def parent_and_children():
    structure = Structure(
        ("organisation", "D1", "D2", "D1 team 1", "D1 team 2", "D1 team 3"),
        (Relation(0, (1, 2)), Relation(1, (3, 4, 5))),
        np.zeros(6, dtype=bool),
    )
    return structure, Counts.of(structure, [190, 70, 120, 30, 33, 7], [57, 22, 35, 9, 8, 5])


def rest_of_organisation():
    """A small unit beside "rest of organisation" and the organisation itself."""
    structure = Structure(("all", "unit", "rest"), (Relation(0, (1, 2)),), np.zeros(3, dtype=bool))
    return structure, Counts.of(structure, [300, 8, 292], [90, 6, 84])


def filtered_beside_full():
    """All staff by group, and clinical staff by group: the difference is one person."""
    structure = Structure(
        ("all", "A", "B", "clinical", "clinical A", "clinical B", "A not clinical",
         "B not clinical"),
        (Relation(0, (1, 2)), Relation(3, (4, 5)), Relation(1, (4, 6)), Relation(2, (5, 7))),
        np.zeros(8, dtype=bool),
    )  # fmt: skip
    return structure, Counts.of(
        structure, [120, 13, 107, 92, 12, 80, 1, 27], [36, 5, 31, 27, 4, 23, 1, 8]
    )


def detailed_in_summary():
    structure = Structure(
        ("all", "White", "other", "?", "Asian", "Black", "Arab"),
        (Relation(0, (1, 2, 3)), Relation(2, (4, 5, 6))),
        np.array([0, 0, 0, 1, 0, 0, 0], dtype=bool),
    )
    return structure, Counts.of(structure, [260, 190, 60, 10, 30, 26, 4], [70, 50, 18, 2, 9, 6, 3])


CASES = {
    "one small cell with margins": crossing,
    "zeros and ones with a known total": lambda: one_way([60, 0, 1, 0, 59], [20, 0, 1, 0, 19]),
    "three singletons in a row": lambda: one_way([73, 1, 1, 1, 40, 30], [21, 1, 0, 1, 11, 8]),
    "linked tables sharing a margin": sharing_a_margin,
    "parent minus children": parent_and_children,
    "complement: rest of organisation": rest_of_organisation,
    "filtered release beside the full one": filtered_beside_full,
    "detailed groups in a summary group": detailed_in_summary,
    "two small groups with little not stated": lambda: one_way(
        [89, 1, 1, 45, 41, 1], [30, 1, 1, 15, 13, 0], not_stated=True
    ),
    "everyone gave the answer": lambda: one_way(
        [104, 6, 50, 42, 6], [40, 6, 15, 13, 6], not_stated=True
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_primary_alone_leaks_and_ours_does_not(name):
    structure, counts = CASES[name]()
    first = primary(structure, counts, RULE, np.zeros(1, dtype=int))
    assert first.any()
    assert attack(structure, counts, first, RULE, exact=True)[1].any.any()
    hidden = suppress(structure, counts, RULE)
    assert (hidden | ~first).all()
    assert not attack(structure, counts, hidden, RULE, exact=True)[1].any.any()
    assert_protected(structure, counts, hidden)


def assert_protected(structure, counts, hidden, most=None):
    """By plain linear programming: every hidden number has the room the rule promises."""
    view = attacker_view(structure, counts, hidden, RULE)
    for cell in np.flatnonzero(hidden[0] & ~structure.latent)[:most]:
        numerator, complement, base = linear_bounds(structure, view, int(cell))
        assert base[1] - base[0] >= RULE.base_span - 1 - 1e-6
        assert numerator[1] - numerator[0] >= RULE.numerator_span - 1 - 1e-6
        assert complement[1] > 0.5


def test_primary_alone_gives_the_exact_numbers_of_one_small_cell():
    structure, counts = crossing()
    first = primary(structure, counts, RULE, np.zeros(1, dtype=int))
    view = attacker_view(structure, counts, first, RULE)
    (cell,) = np.flatnonzero(first[0])
    numerator, _, base = linear_bounds(structure, view, int(cell))
    assert numerator == pytest.approx((2, 2)) and base == pytest.approx((5, 5))


def test_any_minus_parts():
    structure = Structure.one_way(["A", "B"])
    bases = np.array([[100, 10, 70, 20], [100, 11, 70, 19], [100, 11, 70, 19]], dtype=float)
    yes = np.array([[30, 3, 21, 6], [30, 1, 21, 8], [40, 4, 26, 10]], dtype=float)
    bases[:, 3] = yes[:, 3] = NAN
    counts = Counts(bases, yes, ("from managers", "from colleagues", "from either"),
                    unions=((2, (0, 1)),))  # fmt: skip
    apart = primary(structure, counts, RULE, np.arange(3))
    assert apart[:, 1].tolist() == [True, False, False]
    leaking = attack(structure, counts, apart, RULE)[1]
    assert leaking.numerator[0, 1]  # either less colleagues: three or four from managers
    hidden = suppress(structure, counts, RULE)
    assert hidden[:, 1].all()
    assert not attack(structure, counts, hidden, RULE)[1].any.any()


def _shown_as(structure, counts, hidden, printed_as):
    """The attacker's view when numerators are known only through what is printed."""
    view = attacker_view(structure, counts, hidden, RULE)
    lower, upper = view.lower.copy(), view.upper.copy()
    for i in np.flatnonzero(~hidden[0] & ~structure.latent):
        b, k = int(counts.base[0, i]), int(counts.numerator[0, i])
        least, most = numerator_range(printed_as(b, k))
        lower[0, i, :2] = least, b - most
        upper[0, i, :2] = most, b - least
    return Box(lower, upper)


def _unrounded(b, k):
    return Printed(base=b, percent=100 * k / b, decimals=9)


def _wilson_one_decimal(b, k):
    lower, upper = (float(x) for x in wilson(k / b, b))
    return Printed(
        base=b, percent=round(100 * k / b), lower=round(100 * lower, 1),
        upper=round(100 * upper, 1), limit_decimals=1,
    )  # fmt: skip


@pytest.mark.parametrize("printed_as", [_unrounded, _wilson_one_decimal])
def test_percentages_and_limits_give_the_hidden_numerator(printed_as):
    structure, counts = one_way([1507, 7, 700, 800], [453, 6, 207, 240])
    first = primary(structure, counts, RULE, np.zeros(1, dtype=int))
    seen = bounds(structure, _shown_as(structure, counts, first, printed_as))
    assert seen.span(NUMERATOR)[0, 1] == 1  # given away to the person
    rounded = bounds(
        structure,
        _shown_as(
            structure, counts, first, lambda b, k: Printed(base=b, percent=round(100 * k / b))
        ),
    )
    assert rounded.span(NUMERATOR)[0, 1] >= RULE.numerator_span  # whole percentages hold back
    hidden = suppress(structure, counts, RULE)
    ours = bounds(structure, _shown_as(structure, counts, hidden, printed_as))
    ceilings = Ceilings.of(structure, counts, hidden, RULE)
    assert not (judge(ours, ceilings, RULE).any & hidden).any()


def test_score_mean_times_base():
    structure = Structure.one_way(["A", "B", "C"], not_stated=False)
    points = np.array([[0, 41.9, 247.3, 309.6]])
    points[0, 0] = points[0, 1:].sum()
    counts = Counts(np.array([[106.0, 6, 45, 55]]), points / 10, ("score",), np.array([False]))
    first = primary(structure, counts, RULE, np.zeros(1, dtype=int))
    box, leaks = attack(structure, counts, first, RULE)
    assert leaks.base[0, 1] and leaks.numerator[0, 1]
    assert box.upper[0, 1, NUMERATOR] * 10 == pytest.approx(41.9)  # the hidden mean times base
    hidden = suppress(structure, counts, RULE)
    assert not attack(structure, counts, hidden, RULE)[1].any.any()


def test_base_11_against_base_10_on_two_items():
    structure = Structure.one_way(["A", "B", "C"])
    counts = Counts(
        np.array([[101, 11, 40, 40, 10], [100, 10, 40, 40, 10]], dtype=float),
        np.array([[30, 4, 12, 11, 3], [30, 3, 12, 12, 3]], dtype=float),
        ("one item", "another"),
    )
    alone = primary(structure, counts, RULE, np.arange(2))
    assert not alone[0, 1] and alone[1, 1]  # the other item's base says who is in the group
    assert suppress(structure, counts, RULE)[:, 1].all()


def test_random_releases_are_protected_and_the_same_on_every_run():
    leaked_before = 0
    for seed in range(60):
        structure, counts = random_release(np.random.default_rng(seed))
        first = primary(structure, counts, RULE, np.zeros(1, dtype=int))
        leaked_before += bool(attack(structure, counts, first, RULE)[1].any.any())
        hidden = suppress(structure, counts, RULE)
        assert not attack(structure, counts, hidden, RULE)[1].any.any(), seed
        assert_protected(structure, counts, hidden, most=1)
        if seed % 10 == 0:
            assert np.array_equal(hidden, suppress(structure, counts, RULE))
    assert leaked_before > 20  # the releases are worth attacking


def test_a_hidden_base_may_take_at_least_five_values():
    structure, counts = parent_and_children()
    hidden = suppress(structure, counts, RULE)
    box, _ = attack(structure, counts, hidden, RULE, exact=True)
    assert (box.span(BASE)[hidden] >= 5).all() and (box.span(NUMERATOR)[hidden] >= 3).all()


def test_none_of_three_singletons_recovers_the_others():
    """Each of them knows their own answer, and so their own cell."""
    structure, counts = CASES["three singletons in a row"]()
    hidden = suppress(structure, counts, RULE)
    first = primary(structure, counts, RULE, np.zeros(1, dtype=int))
    singles = [i for i in np.flatnonzero(first[0]) if counts.base[0, i] == 1]
    assert len(singles) == 3
    for knowing in singles:
        for alone in (True, False):
            view = attacker_view(structure, counts, first if alone else hidden, RULE)
            lower, upper = view.lower.copy(), view.upper.copy()
            own = [counts.numerator[0, knowing], 1 - counts.numerator[0, knowing], 1]
            lower[0, knowing] = upper[0, knowing] = own
            found = bounds(structure, Box(lower, upper))
            for other in set(singles) - {knowing}:
                spans = found.span(BASE)[0, other], found.span(NUMERATOR)[0, other]
                if alone:  # two people are left, and the number of yes among them
                    assert spans[0] < RULE.base_span and found.upper[0, other, BASE] <= 2
                else:
                    assert spans[0] >= RULE.base_span and spans[1] >= RULE.numerator_span


@pytest.mark.parametrize("seed", range(18))  # 17 once gave a directorate away
def test_random_trusts_give_nothing_back_to_one_who_counts_people(seed):
    """Whole sets of tables, attacked from the combinations of people alone."""
    trust = random_trust(np.random.default_rng(seed))
    hide, report = protect(trust.frame, load_instrument(), units=trust.units)
    assert report.ok
    assert hide[(trust.frame["base"] < 11).to_numpy()].all()
    for _, base, numerator, complement in trust_bounds(trust, hide, most=2):
        assert base[1] - base[0] >= RULE.base_span - 1 - 1e-6
        assert numerator[1] - numerator[0] >= RULE.numerator_span - 1 - 1e-6
        assert complement[1] > 0.5


def test_random_trusts_leak_when_small_bases_alone_are_hidden():
    leaking = 0
    for seed in (1, 3, 5):
        trust = random_trust(np.random.default_rng(seed))
        small = (trust.frame["base"] < 11).to_numpy()
        leaking += any(
            base[1] - base[0] < 1 for _, base, _, _ in trust_bounds(trust, small, most=6)
        )
    assert leaking


def test_the_same_trust_is_hidden_in_the_same_way_on_every_run():
    trust = random_trust(np.random.default_rng(3))
    hide, _ = protect(trust.frame, load_instrument(), units=trust.units)
    again, _ = protect(trust.frame, load_instrument(), units=trust.units)
    assert np.array_equal(hide, again) and hide.any()
