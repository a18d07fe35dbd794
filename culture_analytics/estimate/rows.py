"""Figures of one table -> rows of the result schema, a status for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.estimate.figures import PairSums, estimate_table
from culture_analytics.estimate.kept import CELL_NUMBER, CELL_SUMS, CellSums
from culture_analytics.estimate.numerators import Answers
from culture_analytics.estimate.plan import STATUSES, Target, status_of
from culture_analytics.estimate.tabulate import Layout
from culture_analytics.estimates import words

__all__ = ["rows_of"]

OK, NOT_COMPUTABLE = STATUSES.index("ok"), STATUSES.index("not_computable")
OF_TARGET = ("measure", "label", "answer", "statistic", "unit")


def rows_of(
    answers: Answers, table: Layout, targets: list[Target], pairs: PairSums, level: float
) -> pd.DataFrame:
    """The rows of one table: target by result key, within group, group."""
    is_score = np.array([t.unit == "score" for t in targets])
    figures = estimate_table(table, pairs, is_score, level=level)
    stated = np.ones((len(targets), *table.shape), dtype=bool)
    stated[..., -1] = False
    figures = figures.keep(stated.reshape(len(targets), -1))
    status = _statuses(answers, table, targets)
    no_answer = (status == OK) & (figures.base == 0)
    status[no_answer] = NOT_COMPUTABLE
    shown = status == OK

    def number(values: NDArray[np.float64], where: NDArray[np.bool_] = shown) -> NDArray[Any]:
        return np.where(where, values, np.nan).ravel()

    within_groups = table.within.groups if table.within else ("",)
    shape = (len(targets), len(table.keys), len(within_groups), len(table.by.groups))

    def along(axis: int, values: Sequence[str]) -> Any:
        """A text column that follows one axis of the table."""
        along_axis = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(4)])
        return words(values, np.broadcast_to(along_axis, shape).ravel())

    everywhere = np.zeros(int(np.prod(shape)), dtype=np.intp)
    years = np.array([y for y, _ in table.keys])[None, :, None, None]
    columns: dict[str, Any] = {
        "year": np.broadcast_to(years, shape).ravel(),
        "org": along(1, [o for _, o in table.keys]),
        **{name: along(0, [getattr(t, name) for t in targets]) for name in OF_TARGET},
        "breakdown": words([table.by.id], everywhere),
        "group": along(3, table.by.groups),
        "within": words([table.within.id if table.within else ""], everywhere),
        "within_group": along(2, within_groups),
        "value": number(figures.value),
        "lower": number(figures.lower),
        "upper": number(figures.upper),
        "se": number(figures.se),
        "df": number(figures.df),
        "base": number(figures.base, shown | no_answer),
        "weighted_base": number(figures.weighted_base),
        "effective_base": number(figures.effective_base),
        "method": np.where(shown, figures.method, "").ravel(),
        "status": words(STATUSES, status.ravel()),
        # Private: what disclosure control counts, also where the figures are weighted.
        "_numerator": number(figures.numerator, shown | no_answer),
    }
    if CellSums.needed(table):
        columns[CELL_SUMS] = np.full(len(everywhere), CellSums(table, pairs), dtype=object)
        numbers = np.arange(stated.size).reshape(stated.shape)
        columns[CELL_NUMBER] = numbers[stated]
    return pd.DataFrame(columns)


def _statuses(answers: Answers, table: Layout, targets: list[Target]) -> NDArray[np.int8]:
    """Status of each (target, cell) as the questionnaire and the extract decide it."""
    keys = [year for year, _ in table.keys]
    years = list(dict.fromkeys(keys))
    year_of_key = np.array([years.index(year) for year in keys])

    def of(dimension: Any) -> NDArray[np.int8]:
        return np.array(
            [[status_of(t, answers, dimension, year) for year in years] for t in targets],
            dtype=np.int8,
        )[:, year_of_key]

    status = of(table.by)[:, :, None, :]
    if table.within is not None:
        outer = of(table.within)[:, :, :, None]
        status = np.where(outer != OK, outer, status)
    return status.reshape(len(targets), -1)
