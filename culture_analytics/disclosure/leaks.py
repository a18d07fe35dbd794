"""Which hidden cells are worked out too nearly: feasible intervals against a rule's protection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from culture_analytics.disclosure.bounds import NEAR, bounds
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

__all__ = ["Ceilings", "Leaks", "attack", "judge"]

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

    Returns
    -------
    Box, Leaks
        The intervals, and the leaks among the hidden cells.
    """
    ceilings = Ceilings.of(structure, counts, hidden)
    target = hidden & ~structure.latent & counts.known

    def enough(m: int, lower: Floats, upper: Floats) -> Mask:
        found = judge(Box(lower[None], upper[None]), ceilings.measure(m), protection)
        answer: Mask = ~target[m] | ~found.any[0]
        return answer

    box = bounds(
        structure,
        attacker_view(structure, counts, hidden, protection),
        whole=counts.whole,
        enough=None if exact else enough,
    )
    leaks = judge(box, ceilings, protection)
    return box, Leaks(
        leaks.base & target,
        leaks.numerator & target,
        leaks.everyone & target,
        leaks.contained & target,
    )
