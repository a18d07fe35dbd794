"""Is the file what it says it is? Integrity checks on the figures, before any is passed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from culture_analytics.read.published.grid import STATUSES
from culture_analytics.read.published.questions import Block

__all__ = ["Findings", "check_blocks", "without_defects"]

ONE = 0.01  # how far from 1 proportions may add up to
EDGE = 1e-6
MANY = 10  # rows from which a column that never changes cannot be chance
UNAVAILABLE = STATUSES.index("unavailable")


@dataclass(frozen=True)
class Findings:
    """What the checks found.

    Attributes
    ----------
    problems : tuple of str
        Reasons to refuse the file.
    warnings : tuple of str
        What a reader must know.
    """

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check_blocks(blocks: Sequence[Block], limit: int) -> Findings:
    """Check every question's figures.

    Parameters
    ----------
    blocks : sequence of Block
        The questions of a workbook.
    limit : int
        The publisher's own limit: figures on fewer responses are not shown.

    Returns
    -------
    Findings
    """
    problems = [
        f"sheet {block.sheet!r}: {block.number}: {found}"
        for block in blocks
        for found in (_bounds(block), _sums(block), _bases(block))
        if found
    ]
    problems += _proportions([block for block in blocks if block.kind == "tick"])
    return Findings(tuple(problems), tuple(_small_bases(blocks, limit)))


def _bounds(block: Block) -> str:
    top = 10 if block.kind == "score" else 100
    outside = int(np.count_nonzero((block.values < -EDGE) | (block.values > top + EDGE)))
    if outside:
        return f"{outside:,} figure(s) outside 0 to {top}"
    if block.kind == "score" and _at_most_one(block):
        return "all scores lie between 0 and 1, where scores from 0 to 10 belong"
    return ""


def _sums(block: Block) -> str:
    """Answers of a question must add up to 100 wherever all of them are shown."""
    if block.kind != "answers" or not len(block.values):
        return ""
    sums = block.values.sum(axis=1)
    known = ~np.isnan(sums)
    # Where two answers can be given together, nobody is counted more than twice.
    twice = np.sort(np.nan_to_num(block.values), axis=1)[:, -2:].min(axis=1)
    most = 100 + block.tolerance + (twice if block.overlapping else 0)
    off = known & ((sums < 100 - block.tolerance) | (sums > most))
    partly = np.nansum(block.values, axis=1) > most
    wrong = int(np.count_nonzero(off | (partly & ~known)))
    if not wrong:
        return ""
    if np.all(np.abs(sums[off] - 1) < ONE) and off.any():
        return f"proportions (0 to 1) where percentages belong, in {wrong:,} row(s)"
    lost = f"; no column for {', '.join(map(repr, block.absent))}" if block.absent else ""
    return f"answers do not add up to 100 in {wrong:,} of {len(sums):,} row(s){lost}"


def _bases(block: Block) -> str:
    """Check that a base is a whole number of responses, and stands beside every figure."""
    shown = block.base[~np.isnan(block.base)]
    odd = int(np.count_nonzero((shown < 0) | (np.abs(shown - np.round(shown)) > EDGE)))
    if odd:
        return f"{odd:,} base(s) that are no whole number of responses"
    figure = ~np.isnan(block.values).all(axis=1)
    alone = int(np.count_nonzero(figure & np.isnan(block.base)))
    return f"{alone:,} row(s) of figures without a base" if alone else ""


def _at_most_one(block: Block) -> bool:
    """Whether the largest figure is at most 1: these may be proportions."""
    shown = block.values[~np.isnan(block.values)]
    return bool(len(shown)) and 0 < shown.max() <= 1


def _proportions(grounds: Sequence[Block]) -> list[str]:
    """Grounds need not add up to 100; if all are at most 1, there is no telling."""
    if not grounds or not all(map(_at_most_one, grounds)):
        return []
    return [
        f"sheet {grounds[0].sheet!r}: {grounds[0].number} to {grounds[-1].number}: all figures lie "
        "between 0 and 1, which looks like proportions where percentages belong"
    ]


def _small_bases(blocks: Sequence[Block], limit: int) -> list[str]:
    found = [
        (block, int(np.count_nonzero((block.base < limit) & _any_figure(block))))
        for block in blocks
    ]
    cells = sum(n for _, n in found)
    if not cells:
        return []
    small = [block for block, n in found if n]
    return [
        f"{_listed(small)}: {cells:,} row(s) are shown on fewer than {limit} responses, "
        "the publisher's own limit; they are hidden here"
    ]


def _any_figure(block: Block) -> NDArray[np.bool_]:
    return np.asarray((~np.isnan(block.values)).any(axis=1), dtype=bool)


def without_defects(blocks: Sequence[Block]) -> tuple[list[Block], tuple[str, ...]]:
    """Take out columns that cannot be what they say, where the rest of the file can be read.

    A figure that is the same in every row, which no survey gives; a ground of discrimination
    whose figures may be proportions; rows whose grounds cannot be those of their base.

    Parameters
    ----------
    blocks : sequence of Block
        The questions of a workbook.

    Returns
    -------
    blocks : list of Block
        What is defective has no figures, and status ``unavailable``; bases are kept.
    warnings : tuple of str
        Which they are, and how many figures were taken out.
    """
    constant = [block for block in blocks if _constant(block)]
    doubtful = [
        block
        for block in blocks
        if block.kind == "tick"
        and block not in constant
        and _at_most_one(block)
        and np.count_nonzero(~np.isnan(block.values)) >= MANY
    ]
    warnings = []
    if constant:
        same = " or ".join(sorted({_figure(block) for block in constant}))
        warnings.append(
            f"{_listed(constant)}: every one of the {_cells(constant):,} figures shown is {same}, "
            "a defect of the file; they are marked unavailable and not passed on"
        )
    if doubtful:
        warnings.append(
            f"{_listed(doubtful)}: all {_cells(doubtful):,} figures lie between 0 and 1 and may be "
            "proportions; they are marked unavailable and not passed on"
        )
    defective = {id(block) for block in (*constant, *doubtful)}
    grounds = [block for block in blocks if block.kind == "tick"]
    # Beside a column taken out the others need not reach 100.
    untouched = bool(grounds) and not any(id(block) in defective for block in grounds)
    short = _short(grounds) if untouched else np.zeros(0, dtype=bool)
    rows = {id(block): np.ones(len(block.values), dtype=bool) for block in (*constant, *doubtful)}
    if short.any():
        rows |= {id(block): short for block in grounds}
        warnings.append(
            f"{_listed(grounds)}: in {np.count_nonzero(short):,} of {len(short):,} row(s) the "
            "grounds add up to less than 100, though everyone in their base named one or more; "
            "these rows are marked unavailable and not passed on"
        )
    kept = [_emptied(block, rows[id(block)]) if id(block) in rows else block for block in blocks]
    return kept, tuple(warnings)


def _short(grounds: Sequence[Block]) -> NDArray[np.bool_]:
    """Rows in which all grounds are shown and are of fewer people than their base holds.

    The base is of those who named one or more: under 100, a figure is lost or in another unit.
    """
    sums = np.sum([block.values[:, 0] for block in grounds], axis=0)
    return np.asarray(sums < 100 - max(block.tolerance for block in grounds), dtype=bool)


def _emptied(block: Block, rows: NDArray[np.bool_]) -> Block:
    gone = rows[:, np.newaxis] & ~np.isnan(block.values)
    status = np.where(gone, UNAVAILABLE, block.status).astype(np.int8)
    return replace(block, values=np.where(gone, np.nan, block.values), status=status)


def _cells(blocks: Sequence[Block]) -> int:
    return sum(int(np.count_nonzero(~np.isnan(block.values))) for block in blocks)


def _listed(blocks: Sequence[Block], most: int = 12) -> str:
    more = f" and {len(blocks) - most} more" if len(blocks) > most else ""
    return ", ".join(block.number for block in blocks[:most]) + more


def _constant_columns(block: Block) -> NDArray[np.bool_]:
    many = (~np.isnan(block.values)).sum(axis=0) >= MANY
    top = np.max(block.values, axis=0, where=~np.isnan(block.values), initial=-1)
    bottom = np.min(block.values, axis=0, where=~np.isnan(block.values), initial=101)
    return np.asarray(many & (top - bottom < EDGE) & (top > EDGE), dtype=bool)


def _constant(block: Block) -> bool:
    """Whether a column holds one figure, not 0, in all of many rows."""
    return bool(_constant_columns(block).any())


def _figure(block: Block) -> str:
    """Write the figure that never changes."""
    return f"{np.nanmax(block.values[:, _constant_columns(block)]):g}"
