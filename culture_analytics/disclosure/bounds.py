"""How narrowly a hidden number can be worked out: the feasible interval of every cell.

Where the sums form a tree - a total and its groups, directorates and their teams, detailed groups
in summary groups - the intervals are exact in closed form. Each cell carries limits of three
numbers, the numerator, the complement and their sum, the base. Sets of that shape keep it when
cells are added, subtracted or intersected, and their corners are whole numbers (they are
generalised polymatroids), so two sweeps over the tree, up and down, give every interval, for all
measures at once.

Where cells lie in two sums (a crossing and both of its margins) the intervals come from linear or
integer programming (HiGHS), a component at a time.

References
----------
Frank A, Tardos E (1988). Generalized polymatroids and submodular flows. *Mathematical Programming*
42:489-563.
Fischetti M, Salazar JJ (2001). Solving the cell suppression problem on tabular data with linear
constraints. *Management Science* 47:1008-1027 (the attacker's problem).
Hundepool A and others (2012). *Statistical Disclosure Control*. Wiley. Chapter 4.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from culture_analytics.disclosure.exchanges import blocks, widen
from culture_analytics.disclosure.structure import (
    BASE,
    COMPLEMENT,
    MANY,
    NUMERATOR,
    Box,
    Structure,
)
from culture_analytics.errors import DisclosureError

__all__ = ["Component", "Goal", "bounds", "components", "star_range", "star_ranges"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Range = tuple[Floats, Floats]

# Numbers nearer than this are the same: scores are sums of decimals.
NEAR = 1e-5


@dataclass(frozen=True)
class Component:
    """Hidden cells tied together by sums, and those sums."""

    cells: tuple[int, ...]
    relations: tuple[int, ...]
    is_tree: bool


@dataclass(frozen=True, eq=False)
class Goal:
    """When an interval is wide enough, so that programming may stop.

    Parameters
    ----------
    done
        Given the number of a measure and limits (cells, 3) that tables found so far reach: which
        cells need no more looking at.
    truth
        The true numbers (measures, cells, 3), NaN where not known. They are one table that fits.
    width
        How far apart two values of the numerator, complement and base are wanted.
    reached
        Least and greatest numbers (measures, cells, 3) of tables found before, with no more
        hidden than now, so that they still fit; added to. Default: start afresh.
    first_leak
        Stop at the first cell of a measure that stays too narrow; the rest is not looked at.
    table
        The true numbers with latent cells filled in (`exchanges.completed`): where exchanges among
        four cells start from. Default: no exchanges.
    deadline
        `time.perf_counter` after which nothing more is programmed. What is not found wide enough
        by then stays too narrow.
    unsettled
        Is set where that is so (measures, cells).
    """

    done: Callable[[int, Floats, Floats], Mask]
    truth: Floats
    width: tuple[float, float, float]
    reached: tuple[Floats, Floats] | None = None
    first_leak: bool = False
    table: Floats | None = None
    deadline: float | None = None
    unsettled: Mask | None = None

    @property
    def late(self) -> bool:
        """Whether the time given is used up."""
        return self.deadline is not None and time.perf_counter() > self.deadline


def bounds(
    structure: Structure, box: Box, *, whole: Mask | None = None, goal: Goal | None = None
) -> Box:
    """Feasible interval of every number of every cell, given all the sums.

    Parameters
    ----------
    structure
        Cells and sums.
    box
        What is known of each cell by itself, see `attacker_view`.
    whole
        Which measures are whole numbers; default all.
    goal
        For sums that need programming: stop where intervals are wide enough. Those intervals are
        then at least as wide as the ones returned. Default: every interval exactly.

    Returns
    -------
    Box
        Exact in a tree; elsewhere exact unless `goal` stopped earlier.

    Raises
    ------
    DisclosureError
        No table at all fits what is given: the sums contradict each other.

    Examples
    --------
    >>> from culture_analytics.disclosure.structure import Counts, Protection, attacker_view
    >>> s = Structure.one_way(["A", "B"], not_stated=False)
    >>> c = Counts.of(s, [40, 5, 35], [10, 2, 8])
    >>> view = attacker_view(s, c, np.array([[False, True, False]]), Protection())
    >>> bounds(s, view).span(BASE)[0].tolist()  # one small group alone: given away
    [1.0, 1.0, 1.0]
    """
    whole = np.ones(len(box.lower), dtype=bool) if whole is None else whole
    lower, upper = tighten(box.lower, box.upper)
    free = np.asarray((upper > lower).any(axis=(0, 2)))
    _check_shown(structure, lower, free)
    found_components = components(structure, free)
    crossed = [c for c in found_components if not c.is_tree]
    if crossed:
        spread(structure, [r for c in crossed for r in c.relations], lower, upper)
        if goal is not None and goal.table is not None and goal.reached is not None:
            _exchange(structure, crossed, lower, upper, whole, goal)
    for component in found_components:
        if component.is_tree:
            _sweep(structure, component, lower, upper, free)
        elif len(lower) == 1:
            found = _programme(structure, component, lower[0], upper[0], bool(whole[0]), goal, 0)
            lower[0], upper[0] = found
        else:
            _one_by_one(structure, component, lower, upper, whole, goal)
    return Box(lower, upper)


def _exchange(
    structure: Structure,
    crossed: list[Component],
    lower: Floats,
    upper: Floats,
    whole: Mask,
    goal: Goal,
) -> None:
    """Add to what is reached the numbers that exchanges among four cells give."""
    assert goal.reached is not None and goal.table is not None
    low, high = goal.reached
    cells = np.zeros(lower.shape[1], dtype=bool)
    cells[[i for c in crossed for i in c.cells]] = True
    known = ~np.isnan(goal.truth)
    np.fmin(low, np.where(known, goal.truth, np.inf), out=low)
    np.fmax(high, np.where(known, goal.truth, -np.inf), out=high)
    wanted = np.zeros(lower.shape[:2], dtype=bool)
    for m in range(len(lower)):
        seen = np.isfinite(low[m]) & np.isfinite(high[m])
        at = np.where(seen, low[m], lower[m]), np.where(seen, high[m], upper[m])
        wanted[m] = ~goal.done(m, *at) & cells & known[m].all(axis=-1)
    if not wanted.any():
        return
    for block in blocks(structure, cells):
        least, most = widen(block, lower, upper, goal.table, whole, wanted, goal.width)
        np.minimum(low, least, out=low)
        np.maximum(high, most, out=high)


def _one_by_one(
    structure: Structure,
    component: Component,
    lower: Floats,
    upper: Floats,
    whole: Mask,
    goal: Goal | None,
) -> None:
    """Measures may have different cells shown, and then be trees each by itself."""
    for m in range(len(lower)):
        one = (lower[m : m + 1], upper[m : m + 1])
        inside = np.zeros(lower.shape[1], dtype=bool)
        inside[list(component.cells)] = True
        free = (one[1] > one[0]).any(axis=(0, 2)) & inside
        for part in components(structure, free):
            if part.is_tree:
                _sweep(structure, part, *one, free)
            else:
                one[0][0], one[1][0] = _programme(
                    structure, part, one[0][0], one[1][0], bool(whole[m]), goal, m
                )


def tighten(lower: Floats, upper: Floats) -> Range:
    """Use numerator + complement = base in each cell by itself (exactly, in one pass)."""
    k, c, b = NUMERATOR, COMPLEMENT, BASE
    lo, hi = np.empty_like(lower), np.empty_like(upper)
    lo[..., b] = np.maximum(lower[..., b], lower[..., k] + lower[..., c])
    hi[..., b] = np.minimum(upper[..., b], upper[..., k] + upper[..., c])
    for one, other in ((k, c), (c, k)):
        lo[..., one] = np.maximum(lower[..., one], lower[..., b] - upper[..., other])
        hi[..., one] = np.minimum(upper[..., one], upper[..., b] - lower[..., other])
    crossed = lo > hi
    if crossed.any():
        if (lo - hi).max() > NEAR:
            raise DisclosureError(
                "The tables contradict each other: no counts fit the totals and groups given. "
                "Check that they are of one extract and that the unit hierarchy is right."
            )
        middle = (lo[crossed] + hi[crossed]) / 2
        lo[crossed] = hi[crossed] = middle
    return lo, hi


def components(structure: Structure, free: Mask) -> list[Component]:
    """Cells not known exactly, in groups that no sum ties together."""
    root = {int(i): int(i) for i in np.flatnonzero(free)}

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    inside = [[i for i in r.cells if free[i]] for r in structure.relations]
    for cells in inside:
        for i in cells[1:]:
            root[find(i)] = find(cells[0])
    members: dict[int, list[int]] = {}
    for i in root:
        members.setdefault(find(i), []).append(i)
    relations: dict[int, list[int]] = {}
    edges: dict[int, int] = {}
    for number, cells in enumerate(inside):
        if cells:
            top = find(cells[0])
            relations.setdefault(top, []).append(number)
            edges[top] = edges.get(top, 0) + len(cells)
    found = []
    for top, cells in members.items():
        ties = relations.get(top, [])
        found.append(
            Component(tuple(cells), tuple(ties), edges.get(top, 0) == len(cells) + len(ties) - 1)
        )
    return found


def _check_shown(structure: Structure, value: Floats, free: Mask) -> None:
    wrong = 0
    for relation in structure.relations:
        if not free[list(relation.cells)].any():
            parts = value[:, list(relation.parts)].sum(axis=1)
            wrong += bool((np.abs(parts - value[:, relation.total]) > 0.01).any())
    if wrong:
        raise DisclosureError(
            f"{wrong} totals are not the sum of their groups. Check that every table is of the "
            "same extract and that the unit hierarchy is right."
        )


# -- trees: closed form -------------------------------------------------------------------


def _signed(sign: int, limits: Range) -> Range:
    lower, upper = limits
    return (lower, upper) if sign > 0 else (-upper, -lower)


def _meet(first: Range, second: Range) -> Range:
    return tighten(np.maximum(first[0], second[0]), np.minimum(first[1], second[1]))


def star_range(
    structure: Structure, relation: int, cell: int, lower: Floats, upper: Floats
) -> Range:
    """Limits of one cell from one sum and what is known of the others in it, and of itself."""
    r = structure.relations[relation]
    if cell == r.total:
        parts = list(r.parts)
        message = (lower[:, parts].sum(axis=1), upper[:, parts].sum(axis=1))
    else:
        others = [i for i in r.parts if i != cell]
        message = (
            lower[:, r.total] - upper[:, others].sum(axis=1),
            upper[:, r.total] - lower[:, others].sum(axis=1),
        )
    return _meet(message, (lower[:, cell], upper[:, cell]))


def star_ranges(lower: Floats, upper: Floats) -> Range:
    """`star_range` of every cell of one sum at once.

    Parameters
    ----------
    lower, upper
        Of the cells of the sum (measures, cells, 3), the total first.
    """
    # A limit that stands for "no limit" is far from all others, and stays so when added to them.
    parts_low, parts_high = lower[:, 1:].sum(axis=1), upper[:, 1:].sum(axis=1)
    low, high = np.empty_like(lower), np.empty_like(upper)
    low[:, 0], high[:, 0] = parts_low, parts_high
    low[:, 1:] = lower[:, :1] - (parts_high[:, None] - upper[:, 1:])
    high[:, 1:] = upper[:, :1] - (parts_low[:, None] - lower[:, 1:])
    return _meet((low, high), (lower, upper))


# Times that what each sum says is carried over all the others in a crossing.
SPREADS = 12


def spread(structure: Structure, relations: Sequence[int], lower: Floats, upper: Floats) -> None:
    """Narrow cells by one sum after another until nothing changes. Writes into the arrays.

    In a crossing this need not be all that can be worked out, but all of it is true.
    """
    waiting = list(relations)
    for _ in range(SPREADS):
        changed: set[int] = set()
        for r in waiting:
            cells = np.array(structure.relations[r].cells)
            was_lower, was_upper = lower[:, cells], upper[:, cells]
            low, high = star_ranges(was_lower, was_upper)
            moved = ((low > was_lower + NEAR) | (high < was_upper - NEAR)).any(axis=(0, 2))
            lower[:, cells], upper[:, cells] = low, high
            for i in cells[moved]:
                changed.update(structure.of_cell[i])
        if not changed:
            return
        waiting = [r for r in relations if r in changed]


def _sweep(
    structure: Structure, component: Component, lower: Floats, upper: Floats, free: Mask
) -> None:
    """Exact intervals of a tree: messages up to a root, then down. Writes into the arrays."""
    if not component.relations:
        return
    ties: dict[int, list[int]] = {i: [] for i in component.cells}
    inside: dict[int, list[int]] = {}
    for r in component.relations:
        inside[r] = [i for i in structure.relations[r].cells if free[i]]
        for i in inside[r]:
            ties[i].append(r)
    order, nearer = _walk(component.cells[0], ties, inside)
    local = lower.copy(), upper.copy()
    constant = {r: _shown_part(structure.relations[r].cells, lower, free) for r in order}
    said: dict[int, Range] = {}
    told: dict[int, Range] = {}

    # Up: each sum says what its cells further out leave for the cell nearer the root.
    for r in reversed(order):
        near = nearer[r]
        far = [i for i in inside[r] if i != near]
        message = _added(structure, r, far, lower, upper, constant[r])
        said[r] = _signed(-_sign(structure, r, near), message)
        lower[:, near], upper[:, near] = _meet((lower[:, near], upper[:, near]), said[r])
    # Down: each sum tells the cells further out what the nearer one leaves for them.
    for r in order:
        near = nearer[r]
        context = local[0][:, near], local[1][:, near]
        for other in ties[near]:
            if other != r and nearer[other] == near:
                context = _meet(context, said[other])
        if near in told:
            context = _meet(context, told[near])
        far = [i for i in inside[r] if i != near]
        low, high = _added(structure, r, far, lower, upper, constant[r])
        ours = _signed(_sign(structure, r, near), context)
        low, high = low + ours[0], high + ours[1]
        for i in far:
            sign = _sign(structure, r, i)
            own = _signed(sign, (lower[:, i], upper[:, i]))
            told[i] = _signed(-sign, (low - own[0], high - own[1]))
            lower[:, i], upper[:, i] = _meet((lower[:, i], upper[:, i]), told[i])


def _walk(
    root: int, ties: dict[int, list[int]], inside: dict[int, list[int]]
) -> tuple[list[int], dict[int, int]]:
    """The sums from the root outwards, and the cell of each that is nearest the root."""
    order: list[int] = []
    nearer: dict[int, int] = {}
    waiting = [root]
    while waiting:
        cell = waiting.pop(0)
        for r in ties[cell]:
            if r not in nearer:
                nearer[r] = cell
                order.append(r)
                waiting.extend(i for i in inside[r] if i != cell)
    return order, nearer


def _sign(structure: Structure, relation: int, cell: int) -> int:
    """Of a cell in the sum written as total - parts = 0."""
    return 1 if structure.relations[relation].total == cell else -1


def _shown_part(cells: Sequence[int], value: Floats, free: Mask) -> Floats:
    """Signed sum of the cells known exactly; the total comes first."""
    constant = np.zeros_like(value[:, 0])
    for position, i in enumerate(cells):
        if not free[i]:
            constant += value[:, i] if position == 0 else -value[:, i]
    return constant


def _added(
    structure: Structure,
    relation: int,
    cells: Sequence[int],
    lower: Floats,
    upper: Floats,
    constant: Floats,
) -> Range:
    """Signed limits of some cells of a sum, added up with its shown cells."""
    low, high = constant.copy(), constant.copy()
    for i in cells:
        signed = _signed(_sign(structure, relation, i), (lower[:, i], upper[:, i]))
        low += signed[0]
        high += signed[1]
    return low, high


# -- crossings: linear and integer programming --------------------------------------------


class _Attack:
    """One measure in one component: which tables of counts fit everything given."""

    def __init__(
        self, structure: Structure, component: Component, lower: Floats, upper: Floats, whole: bool
    ) -> None:
        from scipy.optimize import Bounds, LinearConstraint
        from scipy.sparse import csr_array

        self.cells = list(component.cells)
        n = len(self.cells)
        place = {i: p for p, i in enumerate(self.cells)}
        rows: list[int] = []
        columns: list[int] = []
        signs: list[int] = []
        right: list[float] = []
        for number, r in enumerate(component.relations):
            fixed = np.zeros(2)
            for i in structure.relations[r].cells:
                sign = _sign(structure, r, i)
                if i in place:
                    for layer in (0, 1):
                        rows.append(2 * number + layer)
                        columns.append(layer * n + place[i])
                        signs.append(sign)
                else:
                    fixed += sign * lower[i, :2]
            right.extend(-fixed)
        sums = csr_array((signs, (rows, columns)), shape=(2 * len(component.relations), 2 * n))
        bases = csr_array(
            (np.ones(2 * n), (np.tile(np.arange(n), 2), np.arange(2 * n))), shape=(n, 2 * n)
        )
        low, high = lower[self.cells], np.where(upper >= MANY / 2, np.inf, upper)[self.cells]
        self.variables = Bounds(low[:, :2].T.ravel(), high[:, :2].T.ravel())
        slack = 0.0 if whole else NEAR / 10
        self.constraints = [
            LinearConstraint(sums, np.array(right) - slack, np.array(right) + slack),
            LinearConstraint(bases, low[:, BASE], high[:, BASE]),
        ]
        self.whole = whole
        self.n = n

    def solve(self, weights: Floats) -> Floats | None:
        """A table (cells, 3) that makes the weighted sum largest; None where it has no limit.

        `weights` has the shape (cells, 3).
        """
        objective = np.concatenate(
            [weights[:, 0] + weights[:, BASE], weights[:, 1] + weights[:, BASE]]
        )
        return self._table(-objective, self.variables, self.constraints)

    def away(self, truth: Floats, sign: Floats, width: Floats) -> Floats | None:
        """A table with as many numbers as possible `width` away from the truth.

        `sign` (cells, 3) says which way each is pushed, 0 for not at all. Going further than
        `width` earns nothing, so that one table serves many cells.
        """
        from scipy.optimize import Bounds, LinearConstraint
        from scipy.sparse import block_array, coo_array, csr_array

        cell, which = np.nonzero(sign)
        n, extra = 2 * self.n, len(cell)
        if not extra:
            return None
        s = sign[cell, which]
        row = np.arange(extra)
        first = which != COMPLEMENT
        second = which != NUMERATOR
        pushed = coo_array(
            (
                np.concatenate([-s[first], -s[second], np.ones(extra)]),
                (
                    np.concatenate([row[first], row[second], row]),
                    np.concatenate([cell[first], self.n + cell[second], n + row]),
                ),
            ),
            shape=(extra, n + extra),
        )
        wide = [
            LinearConstraint(
                csr_array(block_array([[c.A, csr_array((c.A.shape[0], extra))]])), c.lb, c.ub
            )
            for c in self.constraints
        ]
        wide.append(LinearConstraint(csr_array(pushed), -np.inf, -s * truth[cell, which]))
        limits = Bounds(
            np.concatenate([self.variables.lb, np.full(extra, -np.inf)]),
            np.concatenate([self.variables.ub, width[which]]),
        )
        objective = np.concatenate([np.zeros(n), -1.0 / width[which]])
        return self._table(objective, limits, wide)

    def _table(self, objective: Floats, variables: Any, constraints: list[Any]) -> Floats | None:
        # Corners are nearly always whole already; only if not, whole numbers are asked for.
        found = self._optimise(objective, variables, constraints, whole=False)
        if found is not None and self.whole and np.abs(found - np.round(found)).max() > NEAR:
            found = self._optimise(objective, variables, constraints, whole=True)
        if found is None:
            return None
        k, c = found[: self.n], found[self.n :]
        if self.whole:
            k, c = np.round(k), np.round(c)
        return np.stack([k, c, k + c], axis=1)

    def _optimise(
        self, objective: Floats, variables: Any, constraints: list[Any], *, whole: bool
    ) -> Floats | None:
        from scipy.optimize import milp

        integrality = np.zeros(len(objective))
        integrality[: 2 * self.n] = whole
        result = milp(objective, integrality=integrality, bounds=variables, constraints=constraints)
        if result.status == 2:
            raise DisclosureError(
                "The tables contradict each other: no counts fit the totals and groups given."
            )
        return None if result.x is None else np.asarray(result.x[: 2 * self.n])


# Tables tried for all cells at once, for each of the three numbers, before looking at single
# cells; and tries in a row that served no cell, after which no more are made.
TRIES = 8
IDLE = 2


class _Reach:
    """The least and greatest numbers of the tables found so far, of one measure and component."""

    def __init__(
        self, cells: Sequence[int], lower: Floats, upper: Floats, goal: Goal | None, measure: int
    ) -> None:
        self.cells = list(cells)
        self.n = len(self.cells)
        self.lower, self.upper = lower, upper
        self.goal, self.measure = goal, measure
        self.low = np.full((self.n, 3), np.inf)
        self.high = np.full((self.n, 3), -np.inf)
        # Cells that are not given away by what is known of them already.
        self.may = np.ones(self.n, dtype=bool)
        if goal is not None:
            self.may = np.asarray(goal.done(measure, lower, upper)[self.cells])
            self.truth = goal.truth[measure, self.cells]
            known = ~np.isnan(self.truth)
            self.low[known] = self.high[known] = self.truth[known]
            if goal.reached is not None:
                np.minimum(self.low, goal.reached[0][measure, self.cells], out=self.low)
                np.maximum(self.high, goal.reached[1][measure, self.cells], out=self.high)

    def take(self, table: Floats | None) -> bool:
        """Widen by one more table."""
        if table is None:
            return False
        np.minimum(self.low, table, out=self.low)
        np.maximum(self.high, table, out=self.high)
        return True

    def placed(self) -> Range:
        """As limits of every cell of the structure."""
        low, high = self.lower.copy(), self.upper.copy()
        # A latent cell may stand in no table yet; of a cell given away the limits say more.
        seen = np.isfinite(self.low) & self.may[:, None]
        low[self.cells] = np.where(seen, self.low, low[self.cells])
        high[self.cells] = np.where(seen, self.high, high[self.cells])
        return low, high

    def remaining(self) -> Mask:
        """Cells still too narrow, for all that is known."""
        if self.goal is None:
            return np.ones(self.n, dtype=bool)
        return np.asarray(~self.goal.done(self.measure, *self.placed())[self.cells] & self.may)

    def part(self, cells: Sequence[int]) -> _Reach:
        """Of some of the cells."""
        at = {i: p for p, i in enumerate(self.cells)}
        chosen = [at[i] for i in cells]
        some = _Reach(cells, self.lower, self.upper, self.goal, self.measure)
        some.low, some.high = self.low[chosen], self.high[chosen]
        return some

    def merge(self, part: _Reach) -> None:
        """Take in what was found of some of the cells."""
        at = {i: p for p, i in enumerate(self.cells)}
        chosen = [at[i] for i in part.cells]
        self.low[chosen] = np.minimum(self.low[chosen], part.low)
        self.high[chosen] = np.maximum(self.high[chosen], part.high)

    def useful(self, position: int, which: int, direction: float) -> bool:
        """Whether this number of a cell is still too narrow and could move that way."""
        if self.goal is None:
            return True
        cell = self.cells[position]
        end = self.upper[cell, which] if direction > 0 else self.lower[cell, which]
        at = self.high[position, which] if direction > 0 else self.low[position, which]
        if which == COMPLEMENT:
            return bool(direction > 0 and at < NEAR)
        wide = self.high[position, which] - self.low[position, which]
        return bool(wide < self.goal.width[which] - NEAR and abs(end - at) > NEAR)

    def give_up(self) -> None:
        """Say which cells are left for lack of time."""
        if self.goal is not None and self.goal.unsettled is not None:
            left = np.array(self.cells)[self.remaining()]
            self.goal.unsettled[self.measure, left] = True

    def keep(self) -> None:
        """For the next attack."""
        if self.goal is not None and self.goal.reached is not None:
            self.goal.reached[0][self.measure, self.cells] = self.low
            self.goal.reached[1][self.measure, self.cells] = self.high


def _programme(
    structure: Structure,
    component: Component,
    lower: Floats,
    upper: Floats,
    whole: bool,
    goal: Goal | None,
    measure: int,
) -> Range:
    """Intervals of one measure in one component by optimising each number both ways.

    Every table found widens the range reached for all cells at once, so most need no solving of
    their own when `goal` says how wide is wide enough.
    """
    reach = _Reach(component.cells, lower, upper, goal, measure)
    if not reach.remaining().any():
        return reach.placed()
    if goal is not None and goal.late:
        reach.give_up()
        return reach.placed()
    if goal is not None and goal.table is not None:
        # Small programmes first, with the rest of the component as it truly is: what can move
        # there can move in the whole.
        inside = np.zeros(lower.shape[0], dtype=bool)
        inside[list(component.cells)] = True
        for block in blocks(structure, inside):
            cells = block.cells[block.cells >= 0]
            if len(cells) < reach.n:
                _solve(structure, cells, component, lower, upper, whole, reach, goal.table[measure])
    if reach.remaining().any():
        _solve(structure, np.array(component.cells), component, lower, upper, whole, reach, None)
    if goal is not None and goal.late:
        reach.give_up()
    reach.keep()
    return reach.placed()


def _solve(
    structure: Structure,
    cells: NDArray[np.int64],
    component: Component,
    lower: Floats,
    upper: Floats,
    whole: bool,
    reach: _Reach,
    rest: Floats | None,
) -> None:
    """Move the cells that are still too narrow, the other cells being as in `rest`."""
    goal = reach.goal
    chosen = np.isin(reach.cells, cells)
    if not (reach.remaining() & chosen).any():
        return
    if rest is not None:
        others = np.array([i for i in component.cells if i not in set(cells.tolist())])
        if np.isnan(rest[others]).any() or np.isnan(rest[cells]).any():
            return
        lower, upper = lower.copy(), upper.copy()
        lower[others] = upper[others] = rest[others]
        ties = {r for i in cells for r in structure.of_cell[i]}
        component = Component(tuple(map(int, cells)), tuple(sorted(ties)), False)
    attack = _Attack(structure, component, lower, upper, whole)
    part = reach.part(component.cells)
    if goal is not None:
        _push_together(attack, part, goal)
    left = part.remaining()
    for position in range(part.n):
        if goal is not None and goal.late:
            break
        for which in (BASE, NUMERATOR, COMPLEMENT):
            for direction in (1.0, -1.0):
                if not left[position] or not part.useful(position, which, direction):
                    continue
                weights = np.zeros((part.n, 3))
                weights[position, which] = direction
                if not part.take(attack.solve(weights)):
                    part.high[position, which] = MANY
                left = part.remaining()
        if goal is not None and goal.first_leak and left[position] and rest is None:
            break
    reach.merge(part)


def _push_together(attack: _Attack, reach: _Reach, goal: Goal) -> None:
    """Look for tables that move many cells away from the truth at once.

    Directions are drawn from a fixed seed, so that every run finds the same tables.
    """
    draw = np.random.default_rng(reach.n)
    width = np.array(goal.width)
    known = ~np.isnan(reach.truth).any(axis=1)
    for which in (BASE, NUMERATOR, COMPLEMENT):
        least, most = reach.lower[reach.cells, which], reach.upper[reach.cells, which]
        idle = 0
        for _ in range(TRIES):
            direction = draw.choice([-1.0, 1.0], reach.n)
            # Where there is no room on one side, push to the other.
            direction[reach.truth[:, which] - width[which] < least] = 1.0
            direction[reach.truth[:, which] + width[which] > most] = -1.0
            narrow = (reach.high - reach.low)[:, which] < width[which] - NEAR
            wanted = reach.remaining() & known & narrow
            if not wanted.any() or idle == IDLE:
                break
            sign = np.zeros((reach.n, 3))
            sign[wanted, which] = direction[wanted]
            reach.take(attack.away(reach.truth, sign, width))
            served = (reach.high - reach.low)[wanted, which] >= width[which] - NEAR
            idle = 0 if served.any() else idle + 1
