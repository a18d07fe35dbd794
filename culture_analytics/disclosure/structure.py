"""What an attacker sees: cells, how they add up, and what is known of each.

A *cell* is a group of respondents: all staff, a directorate, women, women in a directorate. For
each measure it has a base (valid answers) and a numerator (those who gave the answer counted). The
only thing an attacker needs to work out a hidden cell is that cells add up: groups and "not stated"
to the total, teams to their directorate, detailed groups to a summary group, a crossing to both of
its margins. A `Structure` holds the cells and those sums; `Counts` the true numbers; a `Box` what
is known of each number: a shown one exactly, a hidden one by the rule alone.

"Not stated" and other groups that no table shows are cells too, marked latent: the attacker knows
only that they are not negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from culture_analytics.errors import DisclosureError

__all__ = [
    "BASE",
    "COMPLEMENT",
    "MANY",
    "NUMERATOR",
    "Box",
    "Counts",
    "Protection",
    "Relation",
    "Structure",
    "attacker_view",
    "round_people",
    "shown_ranges",
    "small_numerators",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Position of the three numbers of a cell: numerator + complement = base.
NUMERATOR, COMPLEMENT, BASE = 0, 1, 2

# Stands for "no upper limit": more people than any survey has.
MANY = 1e8

# Less than this is nobody: scores are sums of decimals.
NEARLY = 1e-6


@dataclass(frozen=True)
class Relation:
    """One sum: the total cell is all of its parts together, and nobody else."""

    total: int
    parts: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        """The total first, then the parts."""
        return (self.total, *self.parts)


@dataclass(frozen=True, eq=False)
class Structure:
    """Cells and the sums between them.

    Parameters
    ----------
    cells
        Names for people: ``"ethnicity: White"``.
    relations
        The sums.
    latent
        Cells that no table shows, such as "not stated".
    tables
        For each cell, the tables (breakdowns) it stands in; used in reports only.

    Examples
    --------
    >>> s = Structure.one_way(["A", "B", "C"])
    >>> s.cells
    ('total', 'A', 'B', 'C', 'not stated')
    """

    cells: tuple[str, ...]
    relations: tuple[Relation, ...]
    latent: Mask
    tables: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        n = len(self.cells)
        if len(self.latent) != n:
            raise DisclosureError(f"{n} cells but {len(self.latent)} marks of latent cells.")
        for relation in self.relations:
            if len(set(relation.cells)) != len(relation.cells):
                raise DisclosureError(
                    f"Contradictory hierarchy: {self.cells[relation.total]!r} adds up from a cell "
                    "twice, or from itself."
                )
        if self._cyclic():
            raise DisclosureError("Contradictory hierarchy: a group lies inside itself.")

    @classmethod
    def one_way(cls, groups: Sequence[str], *, not_stated: bool = True) -> Structure:
        """A total and its groups; `not_stated` adds a latent group."""
        cells = ("total", *groups, *(("not stated",) if not_stated else ()))
        latent = np.array([False] * (len(groups) + 1) + [True] * not_stated)
        return cls(cells, (Relation(0, tuple(range(1, len(cells)))),), latent)

    @classmethod
    def two_way(
        cls, rows: Sequence[str], columns: Sequence[str], *, not_stated: bool = False
    ) -> Structure:
        """A crossing with both margins and the grand total.

        Cells stand row by row with the margin last: (row, column), ..., (row, all). With
        `not_stated` a latent row and column are added before the margins.
        """
        r, c = [*rows], [*columns]
        if not_stated:
            r, c = [*r, "?"], [*c, "?"]
        width = len(c) + 1
        names = [f"{i} | {j}" for i in [*r, "all"] for j in [*c, "all"]]
        relations = [
            Relation(i * width + len(c), tuple(range(i * width, i * width + len(c))))
            for i in range(len(r) + 1)
        ]
        relations += [
            Relation(len(r) * width + j, tuple(i * width + j for i in range(len(r))))
            for j in range(width)
        ]
        latent = np.array(["?" in n.split(" | ") for n in names])
        return cls(tuple(names), tuple(relations), latent)

    @cached_property
    def of_cell(self) -> tuple[tuple[int, ...], ...]:
        """For each cell the relations it stands in."""
        found: list[list[int]] = [[] for _ in self.cells]
        for number, relation in enumerate(self.relations):
            for cell in relation.cells:
                found[cell].append(number)
        return tuple(map(tuple, found))

    @cached_property
    def containing(self) -> tuple[tuple[int, ...], ...]:
        """For each cell every larger cell it lies in."""
        above: list[list[int]] = [[] for _ in self.cells]
        for relation in self.relations:
            for part in relation.parts:
                above[part].append(relation.total)
        return tuple(tuple(_reached(cell, above)) for cell in range(len(self.cells)))

    @cached_property
    def is_tree(self) -> bool:
        """Whether no crossing is among the sums, whatever is hidden."""
        root = list(range(len(self.cells) + len(self.relations)))

        def find(i: int) -> int:
            while root[i] != i:
                root[i] = root[root[i]]
                i = root[i]
            return i

        for number, relation in enumerate(self.relations):
            for cell in relation.cells:
                one, other = find(cell), find(len(self.cells) + number)
                if one == other:
                    return False
                root[one] = other
        return True

    def _cyclic(self) -> bool:
        below: list[list[int]] = [[] for _ in self.cells]
        above = np.zeros(len(self.cells), dtype=int)
        for relation in self.relations:
            for part in relation.parts:
                below[relation.total].append(part)
                above[part] += 1
        ready = [i for i in range(len(self.cells)) if above[i] == 0]
        done = 0
        while ready:
            done += 1
            for part in below[ready.pop()]:
                above[part] -= 1
                if above[part] == 0:
                    ready.append(part)
        return done < len(self.cells)


def _reached(start: int, links: Sequence[Iterable[int]]) -> list[int]:
    seen: dict[int, None] = {}
    waiting = list(links[start])
    while waiting:
        cell = waiting.pop()
        if cell not in seen:
            seen[cell] = None
            waiting.extend(links[cell])
    return list(seen)


@dataclass(frozen=True, eq=False)
class Counts:
    """The true numbers of every measure in every cell. Private: never in a report.

    Parameters
    ----------
    base, numerator
        Arrays (measures, cells). A score's numerator is its sum of points over ten, so that it
        runs from 0 to the base as a percentage's does. Cells without a figure hold NaN.
    measures
        Names.
    whole
        Which measures count people (percentages); the others are scores.
    unions
        "Any of these" measures and their parts, by position: who says yes to a part says yes to
        the union, and who says no to the union says no to every part.
    adverse
        Which measures count an adverse event, so that nobody at all may be shown.
    distributions
        All the answers of one item, by position: everyone in the base gave one of them.
    most_base
        What other measures say of the base of an item asked of some: no more than gave the answer
        that leads to it. Array (measures, cells), infinite where nothing is said.
    """

    base: Floats
    numerator: Floats
    measures: tuple[str, ...]
    whole: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    unions: tuple[tuple[int, tuple[int, ...]], ...] = ()
    adverse: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    distributions: tuple[tuple[int, ...], ...] = ()
    most_base: Floats | None = None

    def __post_init__(self) -> None:
        if len(self.whole) != len(self.measures):
            object.__setattr__(self, "whole", np.ones(len(self.measures), dtype=bool))
        if len(self.adverse) != len(self.measures):
            object.__setattr__(self, "adverse", np.zeros(len(self.measures), dtype=bool))

    def __repr__(self) -> str:
        return f"<Counts: {len(self.measures)} measures, {self.base.shape[1]} cells>"

    @classmethod
    def of(cls, structure: Structure, base: Sequence[float], numerator: Sequence[float]) -> Counts:
        """One measure's numbers, with the cells left out (NaN) filled where they add up."""
        b = np.array(base, dtype=float)[None, :]
        k = np.array(numerator, dtype=float)[None, :]
        if b.shape[1] != len(structure.cells):
            raise DisclosureError(f"{b.shape[1]} bases for {len(structure.cells)} cells.")
        return cls(b, k, ("measure",))

    @property
    def known(self) -> Mask:
        """Where there is a figure at all."""
        return ~np.isnan(self.base)

    def measures_of(self, chosen: NDArray[np.int64] | Mask) -> Counts:
        """Some of the measures."""
        names = tuple(np.array(self.measures, dtype=object)[chosen])
        place = {int(old): new for new, old in enumerate(np.arange(len(self.measures))[chosen])}
        unions = tuple(
            (place[one], tuple(place[p] for p in parts))
            for one, parts in self.unions
            if one in place and all(p in place for p in parts)
        )
        distributions = tuple(
            tuple(place[a] for a in answers)
            for answers in self.distributions
            if all(a in place for a in answers)
        )
        return Counts(
            self.base[chosen], self.numerator[chosen], names, self.whole[chosen], unions,
            self.adverse[chosen], distributions,
            None if self.most_base is None else self.most_base[chosen],
        )  # fmt: skip


@dataclass(frozen=True)
class Protection:
    """What a rule promises for a hidden cell.

    Parameters
    ----------
    base_under
        Bases under this are hidden (first, primary suppression).
    base_span
        A hidden base could have at least this many values.
    numerator_span
        A hidden numerator could have at least this many values.
    contained
        What counts as worked out when a shown larger group says it by itself. If at most one
        person of a shown group gave the answer, so did at most one of every group inside it; if
        everyone did, so did everyone in it. ``"shown"``: that is the larger group's own figure,
        which the rule shows; it is counted in the report, not as a leak. ``"protected"``: the
        larger group's figure is hidden too.
    few
        Whether a hidden numerator that can be 0, and not much else, counts as worked out although
        no one larger group says so (``"protected"``, the default), or only one that cannot be 0
        (``"shown"``).
    knows_reason
        Whether the attacker is taken to know which cells are hidden for their own base (so under
        `base_under`) and which to protect others (so not under it).
    numerator_under
        Numerators and complements under this are hidden first, too; 0 = none are. The attacker
        does not know for which of the reasons a base of `base_under` or more is hidden.
    round_base
        Shown numbers of people are rounded to this; 1 = exact.
    decimals
        Decimals of shown percentages; None = as calculated.

    Notes
    -----
    All figures are counts of people. An attacker is taken to know the rule and this method.
    """

    base_under: int = 11
    base_span: int = 5
    numerator_span: int = 3
    contained: str = "protected"
    few: str = "protected"
    knows_reason: bool = True
    numerator_under: int = 0
    round_base: int = 1
    decimals: int | None = None

    @property
    def rounds(self) -> bool:
        """Whether shown figures are less exact than the true ones."""
        return self.round_base > 1 or self.decimals is not None


@dataclass(frozen=True, eq=False)
class Box:
    """Least and greatest value of the numerator, complement and base of each cell.

    Parameters
    ----------
    lower, upper
        Arrays (measures, cells, 3), see `NUMERATOR`, `COMPLEMENT`, `BASE`; `MANY` = no limit.
    """

    lower: Floats
    upper: Floats

    def __repr__(self) -> str:
        return f"<Box: {self.lower.shape[0]} measures, {self.lower.shape[1]} cells>"

    def span(self, which: int) -> Floats:
        """How many whole numbers each range holds."""
        width: Floats = np.floor(self.upper[..., which] - self.lower[..., which] + 1e-6) + 1
        return width


def attacker_view(
    structure: Structure, counts: Counts, hidden: Mask, protection: Protection
) -> Box:
    """What is known before any adding up: shown cells exactly, hidden ones by the rule alone.

    Parameters
    ----------
    structure, counts
        The cells and their true numbers.
    hidden
        Which are hidden, (measures, cells).
    protection
        The rule, which the attacker knows.
    """
    shown = counts.known & ~hidden & ~structure.latent
    lower = np.zeros((*hidden.shape, 3))
    upper = np.full((*hidden.shape, 3), MANY)
    with np.errstate(invalid="ignore"):
        small = hidden & (counts.base < protection.base_under)
        large = hidden & (counts.base >= protection.base_under)
    upper[small, BASE] = protection.base_under - 1
    if protection.knows_reason:
        lower[large, BASE] = protection.base_under
    elif large.any():
        upper[small, BASE] = MANY
    if counts.most_base is not None:
        upper[..., BASE] = np.minimum(upper[..., BASE], counts.most_base)
    if protection.rounds:
        rounded = shown & counts.whole[:, None]
        low, high = shown_ranges(counts.base, counts.numerator, protection)
        lower[rounded], upper[rounded] = low[rounded], high[rounded]
        shown &= ~rounded
    for which, values in (
        (NUMERATOR, counts.numerator),
        (COMPLEMENT, counts.base - counts.numerator),
        (BASE, counts.base),
    ):
        lower[..., which] = np.where(shown, values, lower[..., which])
        upper[..., which] = np.where(shown, values, upper[..., which])
    return Box(lower, upper)


def shown_ranges(base: Floats, numerator: Floats, protection: Protection) -> tuple[Floats, Floats]:
    """What rounded figures say of a shown cell: arrays (..., 3) of least and greatest numbers.

    With `round_base` both numbers of people are rounded, and the percentage is one by the other,
    so that each says nothing more of the other. With `decimals` alone the base is exact, and the
    percentage fits a range of numerators.
    """
    lower = np.zeros((*base.shape, 3))
    upper = np.full((*base.shape, 3), MANY)
    step = protection.round_base
    if step > 1:
        for which, values in ((NUMERATOR, numerator), (BASE, base)):
            shown = round_people(values, step)
            lower[..., which] = np.maximum(shown - step // 2, 0)
            upper[..., which] = shown + (step - 1) // 2
        with np.errstate(invalid="ignore"):
            enough = base >= protection.base_under
        lower[enough, BASE] = np.maximum(lower[enough, BASE], protection.base_under)
        upper[base == 0] = 0  # a group that was not asked
        lower[base == 0] = 0
        return lower, upper
    decimals = protection.decimals or 0
    percent = np.round(100 * numerator / np.maximum(base, 1), decimals)
    half = 0.5 * 10.0**-decimals + 1e-9
    least = np.ceil(np.maximum(base * (percent - half) / 100, 0) - 1e-9)
    most = np.floor(np.minimum(base * (percent + half) / 100, base) + 1e-9)
    for array, ends in ((lower, (least, base - most)), (upper, (most, base - least))):
        array[..., NUMERATOR], array[..., COMPLEMENT] = ends
        array[..., BASE] = base
    return lower, upper


def round_people(number: Floats, step: int) -> Floats:
    """Numbers of people rounded to a multiple of `step`, halves up."""
    return np.asarray(np.floor((number + step // 2) / step) * step)


def small_numerators(
    base: Floats, numerator: Floats, whole: Mask, adverse: Mask, protection: Protection
) -> Mask:
    """Where the number who gave the answer, or who did not, is under `numerator_under`.

    Parameters
    ----------
    base, numerator
        True numbers, of one shape; NaN where there is no figure.
    whole, adverse
        Percentages (scores have no numerator to hide, only everyone at one end), and those of
        adverse events, of which nobody at all may be shown. Broadcast against the numbers.
    protection
        The rule.
    """
    under = protection.numerator_under
    with np.errstate(invalid="ignore"):
        few = np.where(whole, numerator < under, numerator < NEARLY)
        few &= ~(adverse & (numerator < NEARLY))
        most = np.where(whole, base - numerator < under, base - numerator < NEARLY)
        found: Mask = (few | most) & (base > 0)
    return found & bool(under)
