"""Is the file what it says it is? Integrity checks on the figures, before any is passed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from culture_analytics.read.published.grid import STATUSES
from culture_analytics.read.published.questions import Block

__all__ = ["Findings", "check_blocks", "without_constants"]

SUM_TOLERANCE = 0.01  # percentage points; the official files keep to it
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
    problems += _proportions([block for block in blocks if block.kind == "tick"], "percentages")
    problems += _proportions([block for block in blocks if block.kind == "score"], "scores")
    return Findings(tuple(problems), tuple(_small_bases(blocks, limit)))


def _bounds(block: Block) -> str:
    top = 10 if block.kind == "score" else 100
    outside = int(np.count_nonzero((block.values < -EDGE) | (block.values > top + EDGE)))
    return f"{outside:,} figure(s) outside 0 to {top}" if outside else ""


def _sums(block: Block) -> str:
    """Answers of a question must add up to 100 wherever all of them are shown."""
    if block.kind != "answers" or not len(block.values):
        return ""
    sums = block.values.sum(axis=1)
    known = ~np.isnan(sums)
    off = known & (np.abs(sums - 100) > SUM_TOLERANCE)
    partly = np.nansum(block.values, axis=1) > 100 + SUM_TOLERANCE
    wrong = int(np.count_nonzero(off | (partly & ~known)))
    if not wrong:
        return ""
    if np.all(np.abs(sums[off] - 1) < SUM_TOLERANCE) and off.any():
        return f"proportions (0 to 1) where percentages belong, in {wrong:,} row(s)"
    lost = f"; no column for {', '.join(map(repr, block.absent))}" if block.absent else ""
    return f"answers do not add up to 100 in {wrong:,} of {len(sums):,} row(s){lost}"


def _bases(block: Block) -> str:
    """A base is a whole number of responses, and stands beside every figure."""
    shown = block.base[~np.isnan(block.base)]
    odd = int(np.count_nonzero((shown < 0) | (np.abs(shown - np.round(shown)) > EDGE)))
    if odd:
        return f"{odd:,} base(s) that are no whole number of responses"
    figure = ~np.isnan(block.values).all(axis=1)
    alone = int(np.count_nonzero(figure & np.isnan(block.base)))
    return f"{alone:,} row(s) of figures without a base" if alone else ""


def _proportions(blocks: Sequence[Block], what: str) -> list[str]:
    """Figures that are all at most 1 may be proportions; there is no telling, so no guessing."""
    if not blocks:
        return []
    values = np.concatenate([block.values.ravel() for block in blocks])
    values = values[~np.isnan(values)]
    if not len(values) or values.max() > 1 or values.max() == 0:
        return []
    return [
        f"sheet {blocks[0].sheet!r}: {blocks[0].number} to {blocks[-1].number}: all {len(values):,} "
        f"{what} lie between 0 and 1, which looks like proportions"
    ]


def _small_bases(blocks: Sequence[Block], limit: int) -> list[str]:
    found = [
        (block, int(np.count_nonzero((block.base < limit) & _any_figure(block))))
        for block in blocks
    ]
    cells = sum(n for _, n in found)
    if not cells:
        return []
    names = [block.number for block, n in found if n]
    return [
        f"{cells:,} group(s) of {', '.join(names[:8])} are shown on fewer than {limit} responses, "
        "the publisher's own limit; they are hidden here"
    ]


def _any_figure(block: Block) -> NDArray[np.bool_]:
    shown: NDArray[np.bool_] = ~np.isnan(block.values).all(axis=1)
    return shown


def without_constants(blocks: Sequence[Block]) -> tuple[list[Block], tuple[str, ...]]:
    """Take out figures that are the same in every row, which no survey gives.

    Parameters
    ----------
    blocks : sequence of Block
        The questions of a workbook.

    Returns
    -------
    blocks : list of Block
        Those with such a column have no figures, and status ``unavailable``; bases are kept.
    warnings : tuple of str
        Which, and how many figures.
    """
    kept, wrong = [], []
    for block in blocks:
        if not _constant(block):
            kept.append(block)
            continue
        wrong.append(block)
        status = np.where(np.isnan(block.values), block.status, UNAVAILABLE).astype(np.int8)
        kept.append(replace(block, values=np.full_like(block.values, np.nan), status=status))
    if not wrong:
        return kept, ()
    cells = sum(int(np.count_nonzero(~np.isnan(block.values))) for block in wrong)
    same = sorted({f"{np.nanmax(block.values):g}" for block in wrong})
    names = [block.number for block in wrong]
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return kept, (
        f"{shown}: every one of the {cells:,} figures shown is {' or '.join(same)}, a defect of "
        "the file; they are marked unavailable and not passed on",
    )


def _constant(block: Block) -> bool:
    """Whether a column holds one figure, not 0, in all of many rows."""
    shown = ~np.isnan(block.values)
    many = shown.sum(axis=0) >= MANY
    if not many.any():
        return False
    values = block.values[:, many]
    top, bottom = np.nanmax(values, axis=0), np.nanmin(values, axis=0)
    return bool(np.any((top - bottom < EDGE) & (top > EDGE)))
