"""Figures of one table -> rows of the result schema, a status for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from culture_analytics.estimate.figures import PairSums, estimate_table
from culture_analytics.estimate.numerators import Answers
from culture_analytics.estimate.plan import Target, status_of
from culture_analytics.estimate.tabulate import Table

__all__ = ["rows_of"]


def rows_of(
    answers: Answers, table: Table, targets: list[Target], pairs: list[PairSums], level: float
) -> dict[str, NDArray[np.generic]]:
    """The rows of one table as columns: target by result key, within group, group."""
    is_score = np.array([t.unit == "score" for t in targets])
    figures = estimate_table(table, pairs, is_score, level=level)
    stated = np.ones((len(targets), *table.shape), dtype=bool)
    stated[..., -1] = False
    figures = figures.keep(stated.reshape(len(targets), -1))
    status = _statuses(answers, table, targets)
    no_answer = (status == "ok") & (figures.base == 0)
    status[no_answer] = "not_computable"
    shown = status == "ok"

    def number(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(shown, values, np.nan).ravel()

    n_targets = len(targets)
    n_by = len(table.by.groups)
    within_groups = table.within.groups if table.within else ("",)
    n_within, n_keys = len(within_groups), len(table.frame.result_keys)
    per_target = n_keys * n_within * n_by

    def of_target(name: str) -> NDArray[np.object_]:
        values = np.array([getattr(t, name) for t in targets], dtype=object)
        return np.repeat(values, per_target)

    def of_key(values: list[object]) -> NDArray[np.object_]:
        column = np.repeat(np.array(values, dtype=object), n_within * n_by)
        return np.tile(column, n_targets)

    groups = np.tile(np.array(table.by.groups, dtype=object), n_keys * n_within * n_targets)
    within = np.tile(np.repeat(np.array(within_groups, dtype=object), n_by), n_keys * n_targets)
    rows = n_targets * per_target
    years = np.repeat([y for y, _ in table.frame.result_keys], n_within * n_by)
    return {
        "year": np.tile(years, n_targets),
        "org": of_key([o for _, o in table.frame.result_keys]),
        "measure": of_target("measure"),
        "label": of_target("label"),
        "answer": of_target("answer"),
        "breakdown": np.full(rows, table.by.id, dtype=object),
        "group": groups,
        "within": np.full(rows, table.within.id if table.within else "", dtype=object),
        "within_group": within,
        "statistic": of_target("statistic"),
        "unit": of_target("unit"),
        "value": number(figures.value),
        "lower": number(figures.lower),
        "upper": number(figures.upper),
        "se": number(figures.se),
        "df": number(figures.df),
        "base": np.where(shown | no_answer, figures.base, np.nan).ravel(),
        "weighted_base": number(figures.weighted_base),
        "effective_base": number(figures.effective_base),
        "method": np.where(shown, figures.method, "").ravel(),
        "status": status.ravel(),
    }


def _statuses(answers: Answers, table: Table, targets: list[Target]) -> NDArray[np.object_]:
    """Status of each (target, cell) as the questionnaire and the extract decide it."""
    n_within = len(table.within.groups) if table.within else 1
    years = list(dict.fromkeys(y for y, _ in table.frame.result_keys))
    by_year = {y: [status_of(t, answers, table.by, y) for t in targets] for y in years}
    if table.within is not None:
        inside = {y: [status_of(t, answers, table.within, y) for t in targets] for y in years}
    status = np.empty(
        (len(targets), len(table.frame.result_keys), n_within, len(table.by.groups)), dtype=object
    )
    for k, (year, _) in enumerate(table.frame.result_keys):
        for t in range(len(targets)):
            status[t, k] = by_year[year][t][None, :]
            if table.within is not None:
                outer = inside[year][t][:, None]
                status[t, k] = np.where(outer != "ok", outer, status[t, k])
    return status.reshape(len(targets), -1)
