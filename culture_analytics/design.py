"""How the respondents were sampled and weighted: the `Design` a Survey carries.

The survey is an attempted census with about half of staff answering. Without a design every
respondent counts once and intervals treat non-response as random.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from culture_analytics.errors import DesignError

__all__ = ["Design", "Lonely"]

Lonely = Literal["fail", "remove", "adjust", "average"]


@dataclass(frozen=True)
class Design:
    """Weights, strata and populations, by the names of their columns.

    Parameters
    ----------
    weights
        Named weights, ``{"combined": "w_col"}``; a single column name is taken as a weight of
        that name. None of them is used until `calculate` is asked for it by ``weight=``.
    strata
        Column of strata. Years are always separate samples.
    population
        Column holding the number of eligible staff in the respondent's stratum (in the
        organisation, without strata): switches the finite population correction on.
    lonely
        What a stratum with one respondent does, as R's ``survey.lonely.psu``: ``"fail"`` (an
        error), ``"remove"`` (no variance), ``"adjust"`` (centred on the grand mean) or
        ``"average"`` (the average of the other strata).

    Examples
    --------
    >>> Design(weights={"combined": "w"}, strata="directorate")
    Design(weights={'combined': 'w'}, strata='directorate', population=None, lonely='fail')
    """

    weights: Mapping[str, str] = field(default_factory=dict)
    strata: str | None = None
    population: str | None = None
    lonely: Lonely = "fail"

    def __post_init__(self) -> None:
        if isinstance(self.weights, str):
            object.__setattr__(self, "weights", {self.weights: self.weights})
        else:
            object.__setattr__(self, "weights", dict(self.weights or {}))
        if self.lonely not in ("fail", "remove", "adjust", "average"):
            raise DesignError(
                f"lonely={self.lonely!r} is not known. Use 'fail', 'remove', 'adjust' or 'average'."
            )

    def check(self, responses: pd.DataFrame) -> None:
        """Raise `DesignError` if the columns named cannot be used as given."""
        problems = []
        named = {f"weight {k!r}": c for k, c in self.weights.items()}
        if self.strata:
            named["strata"] = self.strata
        if self.population:
            named["population"] = self.population
        problems += [
            f"{role}: no column {column!r} in the survey"
            for role, column in named.items()
            if column not in responses.columns
        ]
        for name, column in self.weights.items():
            if column in responses.columns:
                problems.extend(
                    f"weight {name!r} (column {column!r}): {p}"
                    for p in _weight_problems(responses[column])
                )
        for role in ("strata", "population"):
            blank = int(responses[named[role]].isna().sum()) if named.get(role) in responses else 0
            if blank:
                problems.append(f"{role} (column {named[role]!r}): {blank} respondents have none")
        if self.population in responses.columns:
            problems.extend(self._population_problems(responses))
        if problems:
            raise DesignError(
                f"The design cannot be used: {len(problems)} problem"
                f"{'s' if len(problems) > 1 else ''}.\n  "
                + "\n  ".join(problems)
                + "\n  Mend the columns or leave them out of Design(...)."
            )

    def _population_problems(self, responses: pd.DataFrame) -> list[str]:
        column = str(self.population)
        values = pd.to_numeric(responses[column], errors="coerce")
        if values.isna().any():
            return [f"population (column {column!r}): not numbers"]
        by = ["year", self.strata or "org"]
        if by[1] not in responses.columns:
            return []
        grouped = values.groupby([responses[c] for c in by], observed=True)
        problems = []
        uneven = int((grouped.nunique() > 1).sum())
        if uneven:
            problems.append(
                f"population (column {column!r}): differs within {uneven} strata; "
                "give each respondent the population of the whole stratum"
            )
        small = int((grouped.max() < grouped.size()).sum())
        if small:
            problems.append(
                f"population (column {column!r}): under the number of respondents in {small} strata"
            )
        return problems


def _weight_problems(column: pd.Series) -> list[str]:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    problems = []
    blank = int(np.isnan(values).sum())
    if blank:
        problems.append(f"{blank} of {len(values)} respondents have no usable number")
    if np.isinf(values).any():
        problems.append(f"{int(np.isinf(values).sum())} infinite")
    negative = int((values < 0).sum())
    if negative:
        problems.append(f"{negative} negative")
    if len(values) and not blank and np.all(values == 0):
        problems.append("all are zero")
    return problems
