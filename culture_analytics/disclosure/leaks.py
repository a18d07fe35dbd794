"""Which hidden cells are worked out too nearly: feasible intervals against a rule's protection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from culture_analytics.disclosure.bounds import NEAR, Goal, bounds, spread, star_ranges, tighten
from culture_analytics.disclosure.exchanges import completed
from culture_analytics.disclosure.structure import (
    BASE,
    COMPLEMENT,
    NUMERATOR,
    Box,
    Counts,
    Protection,
    Structure,
    attacker_view,
)

__all__ = ["Ceilings", "Leaks", "asked_at_most", "attack", "glance", "judge"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Ceilings:
    """The least numerator and complement of the shown groups that each cell lies in.

    Arrays (measures, cells); infinite where no shown group contains the cell. `asked` is the most
    people who can have been asked an item that only some are, as other measures say by themselves;
    `least` the fewest, for a reader who knows that the cell is not hidden for its own base.
    """

    numerator: Floats
    complement: Floats
    asked: Floats
    least: Floats

    @classmethod
    def of(
        cls, structure: Structure, counts: Counts, hidden: Mask, protection: Protection
    ) -> Ceilings:
        """Over every larger shown group of the structure."""
        asked = np.full(hidden.shape, np.inf) if counts.most_base is None else counts.most_base
        least = known_least(counts.base, protection)
        if protection.contained != "shown":  # then they make no difference
            nothing = np.full(hidden.shape, np.inf)
            return cls(nothing, nothing, asked, least)
        shown = counts.known & ~hidden & ~structure.latent
        found = [np.full(hidden.shape, np.inf), np.full(hidden.shape, np.inf)]
        values = (counts.numerator, counts.base - counts.numerator)
        for ceiling, value in zip(found, values, strict=True):
            visible = np.where(shown, value, np.inf)
            for cell, larger in enumerate(structure.containing):
                if larger:
                    ceiling[:, cell] = visible[:, list(larger)].min(axis=1)
        return cls(found[0], found[1], asked, least)

    def measure(self, m: int) -> Ceilings:
        """Of one measure, as arrays (1, cells)."""
        one = slice(m, m + 1)
        return Ceilings(self.numerator[one], self.complement[one], self.asked[one], self.least[one])


def known_least(base: Floats, protection: Protection) -> Floats:
    """The least base of a hidden cell, for a reader who knows that it is not under the limit."""
    with np.errstate(invalid="ignore"):
        large = (base >= protection.base_under) & protection.knows_reason
    return np.where(large, float(protection.base_under), 0.0)


@dataclass(frozen=True, eq=False)
class Leaks:
    """Hidden cells whose interval is narrower than promised, (measures, cells) each.

    Parameters
    ----------
    base
        The base could have too few values.
    numerator
        The numerator could have too few values.
    everyone
        Every person of the cell must have given the answer.
    contained
        Not a leak: a shown larger group says as much by itself.
    unproved
        Counted as a leak only because there was no time left to look further.
    """

    base: Mask
    numerator: Mask
    everyone: Mask
    contained: Mask
    unproved: Mask | None = None

    @property
    def any(self) -> Mask:
        """Cells with any leak."""
        return self.base | self.numerator | self.everyone

    @property
    def proved(self) -> Mask:
        """Cells with a leak that more time would not clear."""
        return self.any if self.unproved is None else self.any & ~self.unproved


def judge(box: Box, ceilings: Ceilings, protection: Protection) -> Leaks:
    """Compare intervals with what the rule promises, as if every cell were hidden."""
    span_k, span_b = box.span(NUMERATOR), box.span(BASE)
    # Of an item asked of few people no more can be kept than their number leaves.
    few_asked = np.floor(ceilings.asked + NEAR) + 1
    base_span = np.minimum(protection.base_span, few_asked - ceilings.least)
    narrow = span_k < np.minimum(protection.numerator_span, few_asked)
    if protection.few == "shown":
        narrow &= box.lower[..., NUMERATOR] > NEAR
    last = box.upper[..., COMPLEMENT] < NEAR
    if protection.numerator_span < 1:  # bases only
        last = np.zeros_like(last)
    last &= few_asked > 1
    contained = (base_span < protection.base_span) & (span_b < protection.base_span)
    if protection.contained == "shown":
        reachable = np.floor(ceilings.numerator + NEAR) + 1
        left = np.floor(ceilings.complement + NEAR) + 1
        contained |= (narrow & (span_k >= np.minimum(reachable, left))) | (
            last & (ceilings.complement < NEAR)
        )
        narrow = narrow & (span_k < np.minimum(reachable, left))
        last = last & ~(ceilings.complement < NEAR)
    return Leaks(span_b < base_span, narrow, last, contained)


def attack(
    structure: Structure,
    counts: Counts,
    hidden: Mask,
    protection: Protection,
    *,
    exact: bool = False,
    reached: tuple[Floats, Floats] | None = None,
    first_leak: bool = False,
    deadline: float | None = None,
) -> tuple[Box, Leaks]:
    """Play the attacker: bound every hidden cell and say which are too narrow.

    Parameters
    ----------
    structure, counts
        Cells, sums and true numbers.
    hidden
        What is hidden, (measures, cells).
    protection
        The rule.
    exact
        Every interval exactly. Default: crossings are looked at until wide enough.
    reached, first_leak, deadline
        See `Goal`.

    Returns
    -------
    Box, Leaks
        The intervals, and the leaks among the hidden cells.
    """
    ceilings = Ceilings.of(structure, counts, hidden, protection)
    target = hidden & ~structure.latent & counts.known

    def done(m: int, lower: Floats, upper: Floats) -> Mask:
        found = judge(Box(lower[None], upper[None]), ceilings.measure(m), protection)
        answer: Mask = ~target[m] | ~found.any[0]
        return answer

    truth = np.stack([counts.numerator, counts.base - counts.numerator, counts.base], axis=-1)
    truth[~target] = np.nan
    width = (
        max(protection.numerator_span - 1.0, 1.0), 1.0, max(protection.base_span - 1.0, 1.0)
    )  # fmt: skip
    goal = None
    if not exact:
        shape = (*hidden.shape, 3)
        reached = reached or (np.full(shape, np.inf), np.full(shape, -np.inf))
        table = None if structure.is_tree else completed(structure, counts)
        nothing = np.zeros_like(target)
        goal = Goal(done, truth, width, reached, first_leak, table, deadline, nothing)
    view = attacker_view(structure, counts, hidden, protection)
    box = bounds(structure, view, whole=counts.whole, goal=goal)
    joint = bool(counts.unions or counts.distributions)
    if joint and structure.is_tree:
        box = _use_joint(structure, counts, box)
    leaks = judge(box, ceilings, protection)
    if joint and not structure.is_tree:
        # Ranges that tables were found for are no limits; what is certain is worked out apart.
        limits = _use_joint(structure, counts, Box(*tighten(view.lower, view.upper)))
        certain = judge(limits, ceilings, protection)
        given = certain.any[..., None]
        box = Box(
            np.where(given, limits.lower, box.lower), np.where(given, limits.upper, box.upper)
        )
        leaks = Leaks(
            leaks.base | certain.base,
            leaks.numerator | certain.numerator,
            leaks.everyone | certain.everyone,
            leaks.contained | certain.contained,
        )
    unproved: Mask = np.zeros_like(target)
    if goal is not None and goal.unsettled is not None:
        unproved = goal.unsettled & target & leaks.any
    return box, Leaks(
        leaks.base & target,
        leaks.numerator & target,
        leaks.everyone & target,
        leaks.contained & target,
        unproved,
    )


def asked_at_most(
    structure: Structure,
    counts: Counts,
    hidden: Mask,
    protection: Protection,
    gates: Sequence[tuple[int, tuple[int, ...]]],
) -> Floats:
    """The most people who can have been asked each measure, as the measures before it say.

    Parameters
    ----------
    gates
        Positions of an item asked of some, and of the measures whose numerators together are at
        least those asked; see `families.gates`.

    Returns
    -------
    array (measures, cells)
        Infinite where nothing is said.
    """
    most = np.full(hidden.shape, np.inf)
    if not gates:
        return most
    used = np.array(sorted({p for _, parts in gates for p in parts}), dtype=np.int64)
    before = counts.measures_of(used)
    view = attacker_view(structure, before, hidden[used], protection)
    lower, upper = tighten(view.lower, view.upper)
    if structure.is_tree:
        upper = bounds(structure, Box(lower, upper), whole=before.whole).upper
    else:
        spread(structure, range(len(structure.relations)), lower, upper)
    place = {int(p): i for i, p in enumerate(used)}
    for measure, parts in gates:
        most[measure] = upper[[place[p] for p in parts], :, NUMERATOR].sum(axis=0)
    return most


# Times that what figures of the same people say of each other is carried over all sums again.
ROUNDS = 3


def _use_joint(structure: Structure, counts: Counts, box: Box) -> Box:
    """Narrow with what figures of the same people say of each other.

    "Any" is at least each part and at most all of them together; the answers of one item are
    together everyone.
    """
    everything = range(len(structure.relations))
    for _ in range(ROUNDS):
        lower, upper = box.lower.copy(), box.upper.copy()
        for one, parts in counts.unions:
            _of_union(one, list(parts), lower, upper)
        for answers in counts.distributions:
            _of_distribution(list(answers), lower, upper)
        if np.array_equal(lower, box.lower) and np.array_equal(upper, box.upper):
            return box
        box = Box(*tighten(lower, upper))
        if structure.is_tree:
            box = bounds(structure, box, whole=counts.whole)
        else:
            spread(structure, everything, box.lower, box.upper)
    return box


def _of_union(one: int, p: list[int], lower: Floats, upper: Floats) -> None:
    k, c = NUMERATOR, COMPLEMENT
    lower[one, :, k] = np.maximum(lower[one, :, k], lower[p, :, k].max(axis=0))
    upper[one, :, k] = np.minimum(upper[one, :, k], upper[p, :, k].sum(axis=0))
    upper[one, :, c] = np.minimum(upper[one, :, c], upper[p, :, c].min(axis=0))
    upper[p, :, k] = np.minimum(upper[p, :, k], upper[one, :, k])
    lower[p, :, c] = np.maximum(lower[p, :, c], lower[one, :, c])
    together = upper[p, :, k].sum(axis=0)
    for part in p:  # what the others cannot account for
        least = lower[one, :, k] - (together - upper[part, :, k])
        lower[part, :, k] = np.maximum(lower[part, :, k], least)


def _of_distribution(p: list[int], lower: Floats, upper: Floats) -> None:
    k, b = NUMERATOR, BASE
    least, most = lower[p, :, k].sum(axis=0), upper[p, :, k].sum(axis=0)
    lower[p, :, b] = np.maximum(lower[p, :, b].max(axis=0), least)
    upper[p, :, b] = np.minimum(upper[p, :, b].min(axis=0), most)
    others_most, others_least = most - upper[p, :, k], least - lower[p, :, k]
    lower[p, :, k] = np.maximum(lower[p, :, k], lower[p, :, b] - others_most)
    upper[p, :, k] = np.minimum(upper[p, :, k], upper[p, :, b] - others_least)


def glance(structure: Structure, counts: Counts, hidden: Mask, protection: Protection) -> Mask:
    """Hidden cells that one sum by itself gives away: a quick first look at crossings.

    Everything found is a leak; not everything that leaks is found.
    """
    view = attacker_view(structure, counts, hidden, protection)
    ceilings = Ceilings.of(structure, counts, hidden, protection)
    target = hidden & ~structure.latent & counts.known
    found = np.zeros_like(hidden)
    for relation in structure.relations:
        cells = np.array(relation.cells)
        rows = np.flatnonzero((target[:, cells] & ~found[:, cells]).any(axis=1))
        if not len(rows):
            continue
        at = np.ix_(rows, cells)
        low, high = star_ranges(view.lower[at], view.upper[at])
        of = Ceilings(
            ceilings.numerator[at], ceilings.complement[at], ceilings.asked[at], ceilings.least[at]
        )
        found[at] |= judge(Box(low, high), of, protection).any & target[at]
    return found
