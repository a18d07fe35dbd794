"""Which further cells to hide, so that none can be worked out from the others.

`suppress` repeats three steps until nothing leaks: attack; for each cell worked out too nearly find
a sum that gives it away; hide the cheapest group of that sum that stops it. Then it shows again
whatever turned out not to be needed. Ties are broken by the order of the cells, so the pattern is
the same on every run. `suppress_least` finds the pattern of least cost by integer programming; it
is meant for small tables, and for checking the other.

The cost of hiding a group is one, plus ten times its share of the largest base: a figure lost, and
the people it spoke for; and as much again for each sum it is the total of, since a hidden total
loosens every table it heads. So small groups are hidden before large ones and totals last. Where
a pattern hides the figure of everyone all the same, though it is not small, the search is run again
for those measures with several groups hidden in its stead, if they cost less together.

References
----------
Fischetti M, Salazar JJ (2001). *Management Science* 47:1008-1027.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from culture_analytics.disclosure.bounds import star_range, star_ranges
from culture_analytics.disclosure.leaks import Ceilings, attack, glance, judge, known_least
from culture_analytics.disclosure.structure import (
    Box,
    Counts,
    Protection,
    Structure,
    attacker_view,
    small_numerators,
)
from culture_analytics.errors import DisclosureError

__all__ = ["costs", "least_needed", "primary", "small", "suppress", "suppress_least"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Structures with more cells than this in crossings are not searched for cells to show again.
MOST_TO_PRUNE = 60


def primary(structure: Structure, counts: Counts, protection: Protection, together: Ints) -> Mask:
    """Cells hidden for their own base: the smallest among the measures that share a pattern.

    Parameters
    ----------
    together
        A number for each measure; measures with the same number share one pattern, so that a
        base of 11 on one item does not give away a base of 10 on another.
    """
    with np.errstate(invalid="ignore"):
        own = counts.known & (counts.base < protection.base_under) & ~structure.latent
    return _shared(own, together) & counts.known


def small(structure: Structure, counts: Counts, protection: Protection, together: Ints) -> Mask:
    """Cells hidden for their own numerator, in all measures that share a pattern."""
    own = small_numerators(
        counts.base, counts.numerator, counts.whole[:, None], counts.adverse[:, None], protection
    )
    return _shared(own & counts.known & ~structure.latent, together) & counts.known


def _shared(own: Mask, together: Ints) -> Mask:
    hidden = np.zeros_like(own)
    for label in np.unique(together):
        rows = together == label
        hidden[rows] = own[rows].any(axis=0)
    return hidden


def costs(structure: Structure, counts: Counts) -> Floats:
    """Information lost by hiding each cell."""
    with np.errstate(invalid="ignore"):
        size = np.nan_to_num(np.where(counts.known, counts.base, 0.0)).max(axis=0, initial=0.0)
    heads = np.bincount([r.total for r in structure.relations], minlength=len(size))
    return np.asarray((1 + heads) * (1 + 10 * size / max(float(size.max(initial=0.0)), 1.0)))


def suppress(
    structure: Structure,
    counts: Counts,
    protection: Protection,
    *,
    hidden: Mask | None = None,
    together: Ints | None = None,
    cost: Floats | None = None,
    fixed: Mask | None = None,
    deadline: float | None = None,
) -> Mask:
    """Cells to hide, those of the start included.

    Parameters
    ----------
    structure, counts
        Cells, sums and true numbers.
    protection
        The rule.
    hidden
        What is hidden already, (measures, cells); default `primary`.
    together
        A number for each measure; those with the same number get one pattern. Default: all one.
    cost
        Of hiding each cell; default `costs`.
    fixed
        Cells that cannot be hidden, such as groups that were not asked.
    deadline
        `time.perf_counter` after which crossings are no longer programmed; what that would have
        shown is left for the audit to find.

    Returns
    -------
    array of bool, (measures, cells)
        Deterministic. What still leaks where nothing is left to hide shows up in the audit.
    """
    n_measures = len(counts.measures)
    together = np.zeros(n_measures, dtype=np.int64) if together is None else together
    if hidden is None:
        hidden = primary(structure, counts, protection, together)
        hidden |= small(structure, counts, protection, together)
    start = hidden & ~structure.latent
    cost = costs(structure, counts) if cost is None else cost
    can_hide = counts.known & (np.nan_to_num(counts.base) > 0) & ~structure.latent
    if fixed is not None:
        can_hide &= ~fixed
    groups = [np.flatnonzero(together == label) for label in np.unique(together)]
    found = _searched(structure, counts, protection, start, groups, can_hide, cost, deadline)
    everyone = np.array([not larger for larger in structure.containing])
    lost = (found & ~start)[:, everyone].sum(axis=1)
    again = [rows for rows in groups if lost[rows].any()]
    if not again or (deadline is not None and time.perf_counter() > deadline):
        return found
    some = np.concatenate(again)
    places = np.split(np.arange(len(some)), np.cumsum([len(rows) for rows in again])[:-1])
    spared = _searched(
        structure, counts.measures_of(some), protection, start[some], places, can_hide[some], cost,
        deadline, sparing=True,
    )  # fmt: skip
    still = (spared & ~start[some])[:, everyone].sum(axis=1)
    for rows, place in zip(again, places, strict=True):
        if still[place].sum() < lost[rows].sum():
            found[rows] = spared[place]
    return found


def _searched(
    structure: Structure,
    counts: Counts,
    protection: Protection,
    start: Mask,
    groups: list[Ints],
    can_hide: Mask,
    cost: Floats,
    deadline: float | None,
    *,
    sparing: bool = False,
) -> Mask:
    """A pattern from one search; `sparing` hides several groups rather than everyone."""
    search = _Search(structure, counts, protection, can_hide, cost, sparing)
    now = start.copy()
    stuck = np.zeros_like(now)
    crossed = not structure.is_tree
    # Hiding more keeps every table found so far possible, so each attack starts from the last.
    shape = (*now.shape, 3)
    reached = (np.full(shape, np.inf), np.full(shape, -np.inf))
    while True:
        # Programming is slow, so what a single sum gives away is dealt with first.
        leaking = glance(structure, counts, now, protection) & ~stuck if crossed else stuck
        if not (leaking & ~stuck).any():
            _, leaks = attack(
                structure, counts, now, protection, reached=reached, deadline=deadline
            )
            leaking = leaks.proved & ~stuck
        if not leaking.any():
            break
        search.look(now)
        for rows in groups:
            done: set[int] = set()
            for cell in np.flatnonzero(leaking[rows].any(axis=0)):
                measures = rows[leaking[rows, cell]]
                choice = search.choose(measures, int(cell), done)
                if choice is None:
                    stuck[measures, cell] = True
                    continue
                for i in choice:
                    now[rows, i] |= counts.known[rows, i]
    if crossed and deadline is not None and time.perf_counter() > deadline:
        return now
    return _shown_again(structure, counts, protection, start, now, groups, cost)


class _Search:
    """Finds the next cells to hide for one that leaks."""

    def __init__(
        self,
        structure: Structure,
        counts: Counts,
        protection: Protection,
        can_hide: Mask,
        cost: Floats,
        sparing: bool,
    ) -> None:
        self.structure = structure
        self.counts = counts
        self.protection = protection
        self.can_hide = can_hide
        self.cost = cost
        self.sparing = sparing

    def look(self, hidden: Mask) -> None:
        """Take in what is hidden now."""
        self.hidden = hidden
        self.view = attacker_view(self.structure, self.counts, hidden, self.protection)
        everything = attacker_view(
            self.structure, self.counts, self.can_hide | hidden, self.protection
        )
        self.if_hidden = everything

    def choose(self, measures: Ints, cell: int, done: set[int]) -> list[int] | None:
        """The cells to hide next, or None where nothing is left to hide.

        Empty where this round has already hidden something for the cell.
        """
        for relations in self._outwards(measures, cell):
            if relations & done:
                return []
            own = [r for r in relations if cell in self.structure.relations[r].cells]
            guilty = [r for r in own if self._star_leaks(measures, cell, r, ())]
            guilty = guilty or sorted(relations)
            candidates = self._candidates(measures, cell, guilty)
            if candidates:
                done.update(guilty)
                stops = (i for i in candidates if self._stops(measures, cell, guilty, (i,)))
                one = next(stops, None)
                if one is None:
                    return candidates[:1]
                return self._instead(measures, cell, guilty, candidates, one) or [one]
        return None

    def _instead(
        self, measures: Ints, cell: int, guilty: list[int], candidates: list[int], one: int
    ) -> list[int]:
        """Groups to hide instead of everyone, where together they cost less; or none.

        Where the number asked is nearly known in every group, no one group loosens the sum enough
        and the total would. Nobody can do without the figure of everyone, though.
        """
        if not self.sparing or self.structure.containing[one]:
            return []
        several = candidates[: candidates.index(one)]
        for n in range(2, len(several) + 1):
            if self.cost[several[:n]].sum() >= self.cost[one]:
                return []
            if self._stops(measures, cell, guilty, several[:n]):
                return several[:n]
        return []

    def _candidates(self, measures: Ints, cell: int, relations: list[int]) -> list[int]:
        inside = {i for r in relations for i in self.structure.relations[r].cells if i != cell}
        free = {i for i in inside if (self.can_hide[measures, i] & ~self.hidden[measures, i]).any()}
        return sorted(free, key=lambda i: (self.cost[i], i))

    def _stops(self, measures: Ints, cell: int, guilty: list[int], extra: Sequence[int]) -> bool:
        """Whether hiding `extra` ends the leak as far as single sums show it."""
        return not any(
            self._star_leaks(measures, cell, r, extra)
            for r in guilty
            if cell in self.structure.relations[r].cells
        )

    def _star_leaks(self, measures: Ints, cell: int, relation: int, extra: Sequence[int]) -> bool:
        """Whether one sum by itself gives the cell away, with `extra` hidden as well."""
        cells = self.structure.relations[relation].cells
        lower, upper = self.view.lower[measures], self.view.upper[measures]
        for i in set(extra) & set(cells):
            lower[:, i] = self.if_hidden.lower[measures, i]
            upper[:, i] = self.if_hidden.upper[measures, i]
        low, high = star_range(self.structure, relation, cell, lower, upper)
        ceilings = self._ceilings(measures, cell, extra)
        found = judge(Box(low[:, None], high[:, None]), ceilings, self.protection)
        return bool(found.any.any())

    def _ceilings(self, measures: Ints, cell: int, extra: Sequence[int]) -> Ceilings:
        larger = np.array([i for i in self.structure.containing[cell] if i not in extra], dtype=int)
        shown = (
            self.counts.known[np.ix_(measures, larger)]
            & ~self.hidden[np.ix_(measures, larger)]
            & ~self.structure.latent[larger]
        )
        base = self.counts.base[np.ix_(measures, larger)]
        numerator = self.counts.numerator[np.ix_(measures, larger)]

        def least(values: Floats) -> Floats:
            visible: Floats = np.where(shown, values, np.inf)
            return np.asarray(visible.min(axis=1, initial=np.inf)[:, None])

        most = self.counts.most_base
        asked = (
            np.full((len(measures), 1), np.inf) if most is None else most[measures, cell][:, None]
        )
        own = known_least(self.counts.base[measures, cell], self.protection)[:, None]
        return Ceilings(least(numerator), least(base - numerator), asked, own)

    def _outwards(self, measures: Ints, cell: int) -> Iterator[set[int]]:
        """Sums the cell stands in, then those of the hidden cells beside it, and so on."""
        hidden = self.hidden[measures].any(axis=0) | self.structure.latent
        seen: set[int] = set()
        edge, reached = {cell}, {cell}
        while edge:
            relations = {r for i in edge for r in self.structure.of_cell[i]} - seen
            if not relations:
                return
            yield relations
            seen |= relations
            beside = {i for r in relations for i in self.structure.relations[r].cells}
            edge = {i for i in beside if hidden[i]} - reached
            reached |= edge


def _shown_again(
    structure: Structure,
    counts: Counts,
    protection: Protection,
    start: Mask,
    hidden: Mask,
    groups: list[Ints],
    cost: Floats,
) -> Mask:
    """Show again what is not needed, dearest first, one cell a pattern at a time."""
    if not structure.is_tree and len(structure.cells) > MOST_TO_PRUNE:
        return hidden
    _, before = attack(structure, counts, hidden, protection)
    waiting = {
        g: sorted(
            map(int, np.flatnonzero((hidden & ~start)[rows].any(axis=0))),
            key=lambda i: (-cost[i], i),
        )
        for g, rows in enumerate(groups)
    }
    now = hidden.copy()
    crossed = not structure.is_tree
    while any(waiting.values()):
        trying = {g: cells.pop(0) for g, cells in waiting.items() if cells}
        trial = now.copy()
        for g, cell in trying.items():
            trial[groups[g], cell] = start[groups[g], cell]
        if crossed:  # what one sum shows to be needed is not worth a programme
            needed = glance(structure, counts, trial, protection) & ~before.any
            trying = {g: i for g, i in trying.items() if not needed[groups[g]].any()}
            if not trying:
                continue
        rows = np.concatenate([groups[g] for g in trying])
        some = counts.measures_of(rows)
        _, after = attack(structure, some, trial[rows], protection, first_leak=not before.any.any())
        worse = np.zeros_like(now)
        worse[rows] = after.any & ~before.any[rows]
        for g in trying:
            if not worse[groups[g]].any():
                now[groups[g]] = trial[groups[g]]
    return now


def least_needed(
    structure: Structure, counts: Counts, hidden: Mask, protection: Protection, can_hide: Mask
) -> Ints:
    """Figures that any method must hide besides those hidden already, at the least, by measure.

    Where one sum by itself gives a hidden cell away, something else in that sum must be hidden; two
    figures where none alone would do. The fewest figures that serve all such sums, by linear
    programming, are a bound from below; the true least number may be larger.

    Parameters
    ----------
    structure, counts, protection
        As for `suppress`.
    hidden
        What is hidden already (measures, cells), such as `primary`.
    can_hide
        What may be hidden.
    """
    view = attacker_view(structure, counts, hidden, protection)
    loose = attacker_view(structure, counts, hidden | can_hide, protection)
    ceilings = Ceilings.of(structure, counts, hidden, protection)
    wanted: list[list[tuple[Ints, int]]] = [[] for _ in counts.measures]
    for relation in structure.relations:
        cells = np.array(relation.cells)
        target = hidden[:, cells] & counts.known[:, cells] & ~structure.latent[cells]
        of = Ceilings(
            ceilings.numerator[:, cells], ceilings.complement[:, cells],
            ceilings.asked[:, cells], ceilings.least[:, cells],
        )  # fmt: skip

        def leaking(lower: Floats, upper: Floats, of: Ceilings = of, target: Mask = target) -> Mask:
            found = judge(Box(*star_ranges(lower, upper)), of, protection).any & target
            return np.asarray(found.any(axis=1))

        lower, upper = view.lower[:, cells], view.upper[:, cells]
        bad = leaking(lower, upper)
        free = can_hide[:, cells] & ~hidden[:, cells]
        if not (bad[:, None] & free).any():
            continue
        cured = np.zeros_like(bad)
        for j in np.flatnonzero((bad[:, None] & free).any(axis=0)):
            low, high = lower.copy(), upper.copy()
            low[:, j], high[:, j] = loose.lower[:, cells[j]], loose.upper[:, cells[j]]
            cured |= free[:, j] & ~leaking(low, high)
        for m in np.flatnonzero(bad & free.any(axis=1)):
            inside = cells[free[m]]
            wanted[m].append((inside, min(1 if cured[m] else 2, len(inside))))
    return np.array([_fewest(sums, len(structure.cells)) for sums in wanted], dtype=np.int64)


def _fewest(sums: list[tuple[Ints, int]], n: int) -> int:
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    if not sums:
        return 0
    rows = np.repeat(np.arange(len(sums)), [len(cells) for cells, _ in sums])
    columns = np.concatenate([cells for cells, _ in sums])
    table = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(sums), n))
    need = np.array([number for _, number in sums])
    found = linprog(np.ones(n), A_ub=-table, b_ub=-need, bounds=(0, 1), method="highs")
    return int(np.ceil(found.fun - 1e-6))


def suppress_least(
    structure: Structure,
    counts: Counts,
    protection: Protection,
    *,
    hidden: Mask | None = None,
    cost: Floats | None = None,
) -> Mask:
    """The pattern of least cost, the same for every measure, by integer programming.

    A programme chooses the cheapest set that meets every condition found so far; the attack shows
    a cell that still leaks; the largest set containing the pattern under which it still leaks
    gives a new condition, that something outside it be hidden. It ends with a pattern that is
    safe and, as every condition is necessary, the cheapest. For tables of up to about 60 cells.

    Parameters
    ----------
    structure, counts, protection, hidden, cost
        As for `suppress`.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    n = len(structure.cells)
    together = np.zeros(len(counts.measures), dtype=np.int64)
    if hidden is None:
        hidden = primary(structure, counts, protection, together)
        hidden = hidden | small(structure, counts, protection, together)
    start = hidden
    always: Mask = np.asarray(start.any(axis=0))
    can_hide = (counts.known & (np.nan_to_num(counts.base) > 0)).any(axis=0) & ~structure.latent
    cost = costs(structure, counts) if cost is None else cost
    # Equal costs are told apart by a trifle, so that the answer is always the same one.
    price = cost + 1e-4 * np.arange(n) / n
    conditions: list[Floats] = []

    def leaking(pattern: Mask) -> Mask:
        chosen = np.broadcast_to(pattern, counts.known.shape) & counts.known
        _, leaks = attack(structure, counts, chosen, protection)
        return np.asarray(leaks.any.any(axis=0))

    pattern = always.copy()
    while True:
        bad = leaking(pattern)
        if not bad.any():
            break
        cell = int(np.flatnonzero(bad)[0])
        widest = pattern.copy()
        for i in np.flatnonzero(can_hide & ~pattern):
            widest[i] = True
            if not leaking(widest)[cell]:
                widest[i] = False
        outside = can_hide & ~widest
        if not outside.any():
            raise DisclosureError(
                f"Nothing is left to hide that would protect {structure.cells[cell]!r}. "
                "Leave the table out, or combine its groups."
            )
        condition = outside.astype(float)
        condition[cell] -= 0.0 if always[cell] else 1.0
        conditions.append(np.append(condition, 1.0 if always[cell] else 0.0))
        table = np.array(conditions)
        result = milp(
            price,
            integrality=np.ones(n),
            bounds=Bounds(always.astype(float), (always | can_hide).astype(float)),
            constraints=LinearConstraint(table[:, :n], table[:, n], np.inf),
        )
        pattern = np.asarray(result.x > 0.5)
    return np.asarray(np.broadcast_to(pattern, counts.known.shape) & counts.known)
