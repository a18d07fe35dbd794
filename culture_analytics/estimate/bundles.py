"""Breakdowns counted together: one pass over the respondents for several small breakdowns.

Counting reads every respondent once an item; adding cells up is nearly free. So breakdowns with
few groups are counted in all their combinations and each is the margin of that table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from culture_analytics.estimate.dimensions import Dimension

__all__ = ["Bundle", "Margin", "bundles"]

# A table of more numbers than this share of the respondents costs more than reading them again.
_LARGEST_SHARE = 1 / 3
_ANSWERS = 6  # of a usual item, "missing" among them


class Margin(NamedTuple):
    """One breakdown of a bundle."""

    position: int  # where it stood in the list asked for
    dimension: Dimension
    slot: NDArray[np.int64]  # its group in each slot of the joint table; the last: "not stated"


@dataclass(frozen=True, eq=False)
class Bundle:
    """Some breakdowns, and the dimension of all their combinations.

    Parameters
    ----------
    joint
        Every combination of groups, "not stated" among them, so that nobody is left out.
    margins
        The breakdowns.
    """

    joint: Dimension
    margins: tuple[Margin, ...]


def bundles(dimensions: Sequence[Dimension], *, cells_each: int, respondents: int) -> list[Bundle]:
    """Put breakdowns together while their combinations stay few.

    Parameters
    ----------
    dimensions
        The breakdowns asked for.
    cells_each
        How often the table is repeated: organisations, years, groups of `within`.
    respondents
        Rows to be counted.
    """
    most = respondents * _LARGEST_SHARE / (cells_each * _ANSWERS)
    together: list[list[int]] = []
    combinations: list[int] = []
    for position in sorted(range(len(dimensions)), key=lambda i: -len(dimensions[i].groups)):
        size = len(dimensions[position].groups) + 1
        for place, so_far in enumerate(combinations):
            if so_far * size <= most:
                together[place].append(position)
                combinations[place] *= size
                break
        else:
            together.append([position])
            combinations.append(size)
    return [_bundle(dimensions, sorted(positions)) for positions in together]


def _bundle(dimensions: Sequence[Dimension], positions: Sequence[int]) -> Bundle:
    chosen = [dimensions[i] for i in positions]
    if len(chosen) == 1:
        (alone,) = chosen
        same = np.arange(len(alone.groups) + 1)
        return Bundle(alone, (Margin(positions[0], alone, same),))
    sizes = [len(d.groups) + 1 for d in chosen]
    codes = np.zeros(len(chosen[0].codes), dtype=np.int32)
    for dimension, size in zip(chosen, sizes, strict=True):
        codes *= size
        codes += np.where(dimension.codes >= 0, dimension.codes, size - 1)
    groups = ("",) * int(np.prod(sizes))  # combinations are never shown
    joint = Dimension("+".join(d.id for d in chosen), "", groups, codes)
    # The last slot of any table is its "not stated", where here nobody is.
    slots = [
        np.append(place, size - 1)
        for place, size in zip(np.indices(sizes).reshape(len(sizes), -1), sizes, strict=True)
    ]
    return Bundle(joint, tuple(map(Margin, positions, chosen, slots)))
