"""Other tables that fit a crossing, found by exchanges among four cells.

One person more in a cell, one fewer beside it in its row, one more below that, one fewer below the
first: every row, every column and every total stays as it was. So where four hidden cells stand at
the corners of a rectangle there is another table that fits everything shown, as long as each cell
stays within what is known of it. A few such exchanges, one after another, show how far a hidden
number can be moved; two tables far enough apart are the proof that it is protected. All measures
and all cells of a crossing are moved at once. What exchanges do not show is left to programming.

References
----------
Gusfield D (1988). A graph theoretic approach to statistical data security. *SIAM Journal on
Computing* 17:552-571 (a hidden cell is protected by the circuits of hidden cells it lies on).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from culture_analytics.disclosure.structure import (
    BASE,
    COMPLEMENT,
    NUMERATOR,
    Counts,
    Structure,
)

__all__ = ["Block", "blocks", "completed", "widen"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NEAR = 1e-5

# Exchanges made one after another in one direction before a number is given up.
STEPS = 6

# Numbers held at once: cells to move times cells of the crossing.
AT_ONCE = 3_000_000


@dataclass(frozen=True, eq=False)
class Block:
    """Cells that stand in exactly two sums each, laid out as a table.

    Parameters
    ----------
    cells
        Cell numbers (rows, columns); -1 where there is none. Cells of a row stand in one sum
        together, as do those of a column.
    sign
        -1 for margins: they move with their parts, not against them.
    """

    cells: Ints
    sign: Ints


def blocks(structure: Structure, free: Mask) -> list[Block]:
    """The crossings among cells that are not known exactly."""
    edges = [int(i) for i in np.flatnonzero(free) if len(structure.of_cell[i]) == 2]
    beside: dict[int, list[int]] = {}
    for i in edges:
        for r in structure.of_cell[i]:
            beside.setdefault(r, []).append(i)
    side: dict[int, int] = {}
    turn: dict[int, int] = {}  # of a sum: sign of a cell in it, times the cell's own sign
    sign: dict[int, int] = {}
    found = []
    for start in beside:
        if start in side:
            continue
        side[start], turn[start] = 0, -1
        waiting, members, inside = [start], [start], []
        while waiting:
            r = waiting.pop(0)
            for i in beside[r]:
                if i in sign:
                    continue
                other = next(x for x in structure.of_cell[i] if x != r)
                own = _sign(structure, r, i) * turn[r]
                if other in side:
                    agrees = side[other] != side[r]
                    if not agrees or _sign(structure, other, i) * own != turn[other]:
                        continue  # no table: this cell stays where it is
                else:
                    side[other] = 1 - side[r]
                    turn[other] = _sign(structure, other, i) * own
                    waiting.append(other)
                    members.append(other)
                sign[i] = own
                inside.append(i)
        block = _laid_out(structure, members, inside, side, sign)
        if block is not None:
            found.append(block)
    return found


def _sign(structure: Structure, relation: int, cell: int) -> int:
    return 1 if structure.relations[relation].total == cell else -1


def _laid_out(
    structure: Structure,
    members: list[int],
    inside: list[int],
    side: dict[int, int],
    sign: dict[int, int],
) -> Block | None:
    row = {r: p for p, r in enumerate(m for m in members if side[m] == 0)}
    column = {r: p for p, r in enumerate(m for m in members if side[m] == 1)}
    if len(row) < 2 or len(column) < 2:
        return None
    cells = np.full((len(row), len(column)), -1, dtype=np.int64)
    signs = np.ones(cells.shape, dtype=np.int64)
    for i in inside:
        a, b = structure.of_cell[i]
        at = (row[a], column[b]) if a in row else (row[b], column[a])
        if cells[at] < 0:
            cells[at], signs[at] = i, sign[i]
    return Block(cells, signs)


def completed(structure: Structure, counts: Counts) -> Floats:
    """True numbers (measures, cells, 3) with latent cells filled in where the sums give them.

    A group that no table shows has no figure of its own, but "not stated" is what is left of its
    total. Where that cannot be said either there is NaN.
    """
    table = np.stack([counts.numerator, counts.base - counts.numerator, counts.base], axis=-1)
    open_sums = list(structure.relations)
    while open_sums:
        left = []
        changed = False
        for relation in open_sums:
            cells = np.array(relation.cells)
            missing = np.isnan(table[:, cells, BASE])
            number = missing.sum(axis=1)
            if (number == 1).any():
                signs = np.where(np.arange(len(cells)) == 0, 1.0, -1.0)
                rows = np.flatnonzero(number == 1)
                at = missing[rows].argmax(axis=1)
                known = np.nan_to_num(table[np.ix_(rows, cells)])
                rest = (known * signs[None, :, None]).sum(axis=1)
                table[rows, cells[at]] = -signs[at][:, None] * rest
                changed = True
            if (number > 1).any():
                left.append(relation)
        if not changed:
            break
        open_sums = left
    return table


def widen(
    block: Block,
    lower: Floats,
    upper: Floats,
    truth: Floats,
    whole: Mask,
    wanted: Mask,
    width: tuple[float, float, float],
) -> tuple[Floats, Floats]:
    """How far numbers can be moved by exchanges, up to the width wanted.

    Parameters
    ----------
    block
        Where.
    lower, upper
        What is known of each cell (measures, cells, 3).
    truth
        One table that fits (measures, cells, 3), see `completed`.
    whole
        Which measures are whole numbers.
    wanted
        Which numbers to move (measures, cells).
    width
        How far apart two values of the numerator, complement and base are wanted.

    Returns
    -------
    low, high
        Values (measures, cells, 3) that stand in some table that fits; not limits. Infinite
        (the wrong way round) where nothing was looked at.
    """
    low = np.full(lower.shape, np.inf)
    high = np.full(lower.shape, -np.inf)
    real = block.cells >= 0
    place = np.where(real, block.cells, 0)
    measures, rows, columns = np.nonzero(wanted[:, place] & real)
    size = max(AT_ONCE // max(block.cells.size, 1), 1)
    for begin in range(0, len(measures), size):
        some = slice(begin, begin + size)
        mover = _Mover(
            block, lower, upper, truth, whole, (measures[some], rows[some], columns[some])
        )
        cells = place[rows[some], columns[some]]
        least, most = mover.reach(width)
        low[measures[some], cells] = least
        high[measures[some], cells] = most
    return low, high


# Which of numerator and complement change, and the number that is moved that way.
LAYERS = ((1, 0), (0, 1), (1, -1))
WAYS = {BASE: (0, 1), NUMERATOR: (2, 0), COMPLEMENT: (2, 1)}


class _Mover:
    """Moves one number of one cell in each of many copies of a crossing."""

    def __init__(
        self,
        block: Block,
        lower: Floats,
        upper: Floats,
        truth: Floats,
        whole: Mask,
        targets: tuple[Ints, Ints, Ints],
    ) -> None:
        self.m, self.row, self.column = targets
        place = np.where(block.cells >= 0, block.cells, 0)
        self.block = block
        self.lower, self.upper = lower[:, place], upper[:, place]
        self.truth = truth[:, place]
        fits = (
            (self.truth >= self.lower - NEAR) & (self.truth <= self.upper + NEAR)
        ).all(axis=-1)  # fmt: skip
        self.still = ~fits | (block.cells < 0)
        self.whole = whole

    def reach(self, width: tuple[float, float, float]) -> tuple[Floats, Floats]:
        """Values reached of each target (targets, 3), both ways."""
        start = self.truth[self.m, self.row, self.column]
        low, high = start.copy(), start.copy()
        for which in (BASE, NUMERATOR, COMPLEMENT):
            for direction in (1, -1):
                if which == COMPLEMENT:  # only ever asked whether it can be more than 0
                    todo = high[:, which] < NEAR
                else:
                    todo = (high - low)[:, which] < width[which] - NEAR
                todo &= ~self.still[self.m, self.row, self.column]
                if (which == COMPLEMENT and direction < 0) or not todo.any():
                    continue
                self._move(np.flatnonzero(todo), which, direction, width[which], low, high)
        seen = ~np.isnan(start)
        return np.where(seen, low, np.inf), np.where(seen, high, -np.inf)

    def _move(
        self, t: Ints, which: int, direction: int, width: float, low: Floats, high: Floats
    ) -> None:
        m, row, column = self.m[t], self.row[t], self.column[t]
        state = np.nan_to_num(self.truth[m])
        lower, upper = self.lower[m], self.upper[m]
        still = self.still[m]
        active = np.arange(len(t))
        turned = np.where(self.block.sign[row, column] > 0, direction, -direction)
        for _ in range(STEPS):
            best = np.zeros(len(active))
            choice = np.zeros((len(active), 3), dtype=np.int64)
            n = np.arange(len(active))
            for way in WAYS[which]:
                # A swap raises the numerator and lowers the complement.
                flip = -1 if (which == COMPLEMENT and way == 2) else 1
                plus, minus = self._rooms(
                    state[active], lower[active], upper[active], still[active], way
                )
                forward = (turned[active] * flip > 0)[:, None, None]
                plus, minus = np.where(forward, plus, minus), np.where(forward, minus, plus)
                i, j = row[active], column[active]
                room = np.minimum(plus, minus[n, i][:, None, :])
                np.minimum(room, minus[n, :, j][:, :, None], out=room)
                np.minimum(room, plus[n, i, j][:, None, None], out=room)
                room[n, i, :] = 0
                room[n, :, j] = 0
                flat = room.reshape(len(active), -1)
                at = flat.argmax(axis=1)
                step = np.minimum(flat[n, at], width)
                step = np.where(self.whole[m[active]], np.floor(step + NEAR), step)
                better = step > best + NEAR
                best[better] = step[better]
                choice[better] = np.stack(
                    [np.full(len(active), way), at // room.shape[2], at % room.shape[2]], axis=1
                )[better]
            moved = best > NEAR
            if not moved.any():
                return
            active, best, choice = active[moved], best[moved], choice[moved]
            self._apply(state, active, row, column, turned, best, choice, which)
            value = state[active, row[active], column[active]]
            np.minimum.at(low, t[active], value)
            np.maximum.at(high, t[active], value)
            if which == COMPLEMENT:
                narrow = high[t[active], which] < NEAR
            else:
                narrow = (high - low)[t[active], which] < width - NEAR
            active = active[narrow]
            if not len(active):
                return

    def _rooms(
        self, state: Floats, lower: Floats, upper: Floats, still: Mask, way: int
    ) -> tuple[Floats, Floats]:
        """How much each cell can go up and down in one of the ways of `LAYERS`."""
        if way == 2:
            more = np.minimum(
                (upper - state)[..., NUMERATOR], (state - lower)[..., COMPLEMENT]
            )  # fmt: skip
            less = np.minimum((state - lower)[..., NUMERATOR], (upper - state)[..., COMPLEMENT])
        else:
            layer = NUMERATOR if way == 0 else COMPLEMENT
            more = np.minimum((upper - state)[..., layer], (upper - state)[..., BASE])
            less = np.minimum((state - lower)[..., layer], (state - lower)[..., BASE])
        more = np.where(still, 0.0, np.maximum(more, 0.0))
        less = np.where(still, 0.0, np.maximum(less, 0.0))
        with_parts = self.block.sign > 0
        return np.where(with_parts, more, less), np.where(with_parts, less, more)

    def _apply(
        self,
        state: Floats,
        active: Ints,
        row: Ints,
        column: Ints,
        turned: Ints,
        step: Floats,
        choice: Ints,
        which: int,
    ) -> None:
        layers = np.array(LAYERS, dtype=float)[choice[:, 0]]
        flip = np.where((which == COMPLEMENT) & (choice[:, 0] == 2), -1.0, 1.0)
        amount = (step * flip * turned[active])[:, None] * layers
        i, j, a, b = row[active], column[active], choice[:, 1], choice[:, 2]
        for r, c, s in ((i, j, 1), (i, b, -1), (a, j, -1), (a, b, 1)):
            change = amount * (s * self.block.sign[r, c])[:, None]
            state[active, r, c, NUMERATOR] += change[:, 0]
            state[active, r, c, COMPLEMENT] += change[:, 1]
            state[active, r, c, BASE] += change.sum(axis=1)
