"""Weight columns: numbers, one for every respondent, or an error that counts what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from culture_analytics.errors import DesignError
from culture_analytics.read.claims import Claim
from culture_analytics.read.context import Context
from culture_analytics.read.headers import snake_case
from culture_analytics.read.rows import kept_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_weights"]


def read_weights(
    context: Context,
    claims: Sequence[Claim],
    keep: NDArray[np.bool_],
    taken: Collection[str],
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """Read the weight columns of the rows kept.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    claims : sequence of Claim
        What each column is.
    keep : ndarray of bool, shape (rows,)
        Rows kept.
    taken : collection of str
        Names that the Survey has already.

    Returns
    -------
    weights : dict of str to ndarray of float64, shape (rows kept,)
        Name in the Survey to weights.
    names : dict of str to str
        Header to name in the Survey.

    Raises
    ------
    DesignError
        If a column holds something other than weights, with counts.
    """
    weights: dict[str, NDArray[np.float64]] = {}
    names: dict[str, str] = {}
    problems: list[str] = []
    headers = [claim.header for claim in claims if claim.role == "weight"]
    for header in headers:
        column = context.table[header]
        codes = kept_of(column.codes, keep)
        values = np.array([*map(_number, column.values), np.nan])[codes]
        problem = _weight_problem(values, codes >= 0)
        if problem:
            problems.append(f"{header!r}: {problem}")
            continue
        name = snake_case(header, {*taken, *weights, *context.instrument.items})
        weights[name], names[header] = values, name
    if problems:
        raise DesignError(
            f"{len(problems):,} weight column(s) of {context.table.where} cannot be used: "
            f"{'; '.join(problems)}. Weights are numbers of 0 or more, one for every respondent. "
            f'Mend the column, or leave it out with columns={{"{headers[0]}": "ignore"}}.'
        )
    return weights, names


def _number(text: str) -> float:
    try:
        return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return np.nan


def _weight_problem(values: NDArray[Any], held: NDArray[np.bool_]) -> str:
    """Say what is wrong with a weight column, in counts; empty if nothing is."""
    finite = np.isfinite(values)
    problems = [
        (int(np.count_nonzero(~finite & held)), "not a number"),
        (int(np.count_nonzero(~held)), "blank"),
        (int(np.count_nonzero(values[finite] < 0)), "negative"),
    ]
    said = [f"{count:,} {what}" for count, what in problems if count]
    if not said and not np.any(values > 0):
        said = [f"all {len(values):,} are zero"]
    return ", ".join(said)
