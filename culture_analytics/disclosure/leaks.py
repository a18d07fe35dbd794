"""Which hidden cells are worked out too nearly: feasible intervals against a rule's protection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from culture_analytics.disclosure.bounds import NEAR, Goal, bounds, components, star_range, tighten
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

__all__ = ["Ceilings", "Leaks", "attack", "glance", "judge"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Ceilings:
    """The least numerator and complement of the shown groups that each cell lies in.

    Arrays (measures, cells); infinite where no shown group contains the cell.
    """

    numerator: Floats
    complement: Floats

    @classmethod
    def of(cls, structure: Structure, counts: Counts, hidden: Mask) -> Ceilings:
        """Over every larger shown group of the structure."""
        shown = counts.known & ~hidden & ~structure.latent
        found = [np.full(hidden.shape, np.inf), np.full(hidden.shape, np.inf)]
        values = (counts.numerator, counts.base - counts.numerator)
        for ceiling, value in zip(found, values, strict=True):
            visible = np.where(shown, value, np.inf)
            for cell, larger in enumerate(structure.containing):
                if larger:
                    ceiling[:, cell] = visible[:, list(larger)].min(axis=1)
        return cls(*found)

    def measure(self, m: int) -> Ceilings:
        """Of one measure, as arrays (1, cells)."""
        return Ceilings(self.numerator[m : m + 1], self.complement[m : m + 1])


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
    """

    base: Mask
    numerator: Mask
    everyone: Mask
    contained: Mask

    @property
    def any(self) -> Mask:
        """Cells with any leak."""
        return self.base | self.numerator | self.everyone


def judge(box: Box, ceilings: Ceilings, protection: Protection) -> Leaks:
    """Compare intervals with what the rule promises, as if every cell were hidden."""
    span_k = box.span(NUMERATOR)
    narrow = span_k < protection.numerator_span
    if protection.few == "shown":
        narrow &= box.lower[..., NUMERATOR] > NEAR
    last = box.upper[..., COMPLEMENT] < NEAR
    if protection.numerator_span < 1:  # bases only
        last = np.zeros_like(last)
    contained = np.zeros(narrow.shape, dtype=bool)
    if protection.contained == "shown":
        reachable = np.floor(ceilings.numerator + NEAR) + 1
        left = np.floor(ceilings.complement + NEAR) + 1
        contained = (narrow & (span_k >= np.minimum(reachable, left))) | (
            last & (ceilings.complement < NEAR)
        )
        narrow = narrow & (span_k < np.minimum(reachable, left))
        last = last & ~(ceilings.complement < NEAR)
    return Leaks(box.span(BASE) < protection.base_span, narrow, last, contained)


def attack(
    structure: Structure,
    counts: Counts,
    hidden: Mask,
    protection: Protection,
    *,
    exact: bool = False,
    reached: tuple[Floats, Floats] | None = None,
    first_leak: bool = False,
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
    reached, first_leak
        See `Goal`.

    Returns
    -------
    Box, Leaks
        The intervals, and the leaks among the hidden cells.
    """
    ceilings = Ceilings.of(structure, counts, hidden)
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
    box = bounds(
        structure,
        attacker_view(structure, counts, hidden, protection),
        whole=counts.whole,
        goal=None if exact else Goal(done, truth, width, reached, first_leak),
    )
    if counts.unions:
        box = _use_unions(structure, counts, box)
    leaks = judge(box, ceilings, protection)
    return box, Leaks(
        leaks.base & target,
        leaks.numerator & target,
        leaks.everyone & target,
        leaks.contained & target,
    )


# Times that what "any source" says of its parts, and they of it, is carried over all sums again.
ROUNDS = 3


def _use_unions(structure: Structure, counts: Counts, box: Box) -> Box:
    """Narrow with "any" at least each part and at most all of them together."""
    everything = np.ones(len(structure.cells), dtype=bool)
    trees = all(c.is_tree for c in components(structure, everything))
    for _ in range(ROUNDS if trees else 1):
        lower, upper = box.lower.copy(), box.upper.copy()
        k, c = NUMERATOR, COMPLEMENT
        for one, parts in counts.unions:
            p = list(parts)
            lower[one, :, k] = np.maximum(lower[one, :, k], lower[p, :, k].max(axis=0))
            upper[one, :, k] = np.minimum(upper[one, :, k], upper[p, :, k].sum(axis=0))
            upper[one, :, c] = np.minimum(upper[one, :, c], upper[p, :, c].min(axis=0))
            upper[p, :, k] = np.minimum(upper[p, :, k], upper[one, :, k])
            lower[p, :, c] = np.maximum(lower[p, :, c], lower[one, :, c])
            together = upper[p, :, k].sum(axis=0)
            for part in p:  # what the others cannot account for
                least = lower[one, :, k] - (together - upper[part, :, k])
                lower[part, :, k] = np.maximum(lower[part, :, k], least)
        if np.array_equal(lower, box.lower) and np.array_equal(upper, box.upper):
            return box
        box = Box(*tighten(lower, upper))
        if trees:
            box = bounds(structure, box, whole=counts.whole)
    return box


def glance(structure: Structure, counts: Counts, hidden: Mask, protection: Protection) -> Mask:
    """Hidden cells that one sum by itself gives away: a quick first look at crossings.

    Everything found is a leak; not everything that leaks is found.
    """
    view = attacker_view(structure, counts, hidden, protection)
    ceilings = Ceilings.of(structure, counts, hidden)
    target = hidden & ~structure.latent & counts.known
    found = np.zeros_like(hidden)
    for number, relation in enumerate(structure.relations):
        for i in relation.cells:
            rows = np.flatnonzero(target[:, i] & ~found[:, i])
            if len(rows):
                low, high = star_range(structure, number, i, view.lower[rows], view.upper[rows])
                at = Ceilings(ceilings.numerator[rows, i], ceilings.complement[rows, i])
                found[rows, i] |= judge(Box(low, high), at, protection).any
    return found
