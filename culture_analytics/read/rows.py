"""Which rows are kept: every other one is set aside under a reason, and counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from culture_analytics.errors import ExtractError
from culture_analytics.read.findings import Findings
from culture_analytics.read.raw import RawTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "all_rows",
    "fill_or_set_aside",
    "kept_of",
    "refuse_no_rows",
    "set_aside",
    "set_aside_silent",
]

Value = TypeVar("Value", bound=np.generic)


def all_rows(table: RawTable, findings: Findings) -> NDArray[np.bool_]:
    """Keep every row of the table; those that did not fit its columns are counted already."""
    if table.ragged:
        findings.set_aside["more or fewer fields than the header"] = table.ragged
    return np.ones(table.rows, dtype=bool)


def set_aside(
    keep: NDArray[np.bool_], which: NDArray[np.bool_], reason: str, findings: Findings
) -> NDArray[np.bool_]:
    """Keep no row of `which`; those kept until now are counted under the reason."""
    lost = keep & which
    if not lost.any():
        return keep
    findings.set_aside[reason] += int(lost.sum())
    return keep & ~lost


def fill_or_set_aside(
    codes: NDArray[np.int32],
    keep: NDArray[np.bool_],
    choices: int,
    reason: str,
    where: str,
    findings: Findings,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Rows without a code: those of a file with one code have it, others are set aside.

    Parameters
    ----------
    codes : ndarray of int32, shape (rows,)
        Position of each row's value; negative where it has none.
    keep : ndarray of bool, shape (rows,)
        Rows kept until now.
    choices : int
        Number of values the column has.
    reason : str
        What the rows lack.
    where : str
        File and sheet, for the finding.
    findings : Findings
        Where the rows are counted.

    Returns
    -------
    codes : ndarray of int32, shape (rows,)
        With blanks filled, if there is one value.
    keep : ndarray of bool, shape (rows,)
        Rows still kept.
    """
    blank = (codes < 0) & keep
    if not blank.any():
        return codes, keep
    if choices != 1:
        return codes, set_aside(keep, blank, reason, findings)
    findings.add(
        "note", reason, where, int(blank.sum()), "blank cells took the only value of the column"
    )
    return np.where(codes < 0, np.int32(0), codes), keep


def set_aside_silent(
    table: RawTable,
    answers: Iterable[NDArray[np.int8]],
    keep: NDArray[np.bool_],
    findings: Findings,
) -> NDArray[np.bool_]:
    """Set aside respondents who answered no question, and rows that are blank altogether."""
    answered = np.zeros(table.rows, dtype=bool)
    for codes in answers:
        answered |= codes >= 0
    silent = keep & ~answered
    if not silent.any():
        return keep
    empty = silent.copy()
    for column in table.columns:
        empty &= column.codes < 0
    keep = set_aside(keep, empty, "blank row", findings)
    return set_aside(keep, silent, "no answer to any question", findings)


def refuse_no_rows(table: RawTable, keep: NDArray[np.bool_], findings: Findings) -> None:
    """Refuse a file of which no row is left.

    Raises
    ------
    ExtractError
        With the reasons and their counts.
    """
    if keep.any():
        return
    raise ExtractError(
        f"No row of {table.where} can be used ({table.rows:,} read): "
        + "; ".join(f"{n:,} {reason}" for reason, n in findings.set_aside.items())
        + "."
    )


def kept_of(values: NDArray[Value], keep: NDArray[np.bool_]) -> NDArray[Any]:
    """Give the values of the rows kept; without a copy if that is all of them."""
    return values if keep.all() else values[keep]
