"""Figures that already have their keys -> rows of the result schema, with limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument
from culture_analytics.stats import wilson

__all__ = ["Figures", "figure_rows"]

LEVEL = 0.95
BASE_ONLY = "base_only"
RESPONSE_RATE = "Response rate"


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of one file, an array a column.

    Attributes
    ----------
    keys : DataFrame
        ``year, org, measure, answer, breakdown, group, statistic, weighting, status``; whatever
        other schema columns differ between rows.
    value : ndarray of float
        Percentages 0-100, scores 0-10; NaN where there is none.
    base : ndarray of float
        Numbers of responses.
    """

    keys: pd.DataFrame
    value: NDArray[np.float64]
    base: NDArray[np.float64]


def figure_rows(
    figures: Figures, *, instrument: Instrument, labels: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Add labels, units and Wilson limits on the base.

    Parameters
    ----------
    figures : Figures
        The figures.
    instrument : Instrument
        Labels of measures and items.
    labels : mapping of str to str, optional
        Labels of what is neither.

    Returns
    -------
    DataFrame
        Columns of the schema; a percentage has limits where it has a base.
    """
    frame = figures.keys.reset_index(drop=True)
    named = {i: item.label for i, item in instrument.items.items()}
    measures = {i: measure.label for i, measure in instrument.measures.items()}
    extra = {"response_rate": RESPONSE_RATE, **(labels or {})}
    answered = frame["answer"].ne("")
    label = frame["measure"].map({**named, **measures, **extra})
    label = label.mask(answered, frame["measure"].map(named))
    percent = frame["statistic"].ne("score").to_numpy()
    limited = percent & frame["status"].eq("ok").to_numpy() & (figures.base > 0)
    lower, upper = np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    low, high = wilson(
        np.clip(figures.value[limited] / 100, 0, 1), figures.base[limited], level=LEVEL
    )
    lower[limited], upper[limited] = 100 * low, 100 * high
    method = frame["method"] if "method" in frame else pd.Series(BASE_ONLY, index=frame.index)
    return frame.assign(
        label=label.astype("str"),
        unit=np.where(percent, "percent", "score"),
        value=figures.value,
        base=figures.base,
        lower=lower,
        upper=upper,
        level=np.where(percent, LEVEL, np.nan),
        method=method.where(pd.Series(percent), ""),
    )
