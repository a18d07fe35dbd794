"""Scores that cannot be right: one divided by ten, an element unlike its sub-scores' mean.

Both are single slips in a file that can be read otherwise, so the figures are taken out by name.
In the official workbooks of 2024 no score lies below half the median of its measure, and no element
further than 0.06 from the mean of its sub-scores (`tests/read_published/test_slips.py`).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument, load_instrument

__all__ = ["without_slips"]

LOW = 0.2  # of the median of the same measure: a tenth of any real score lies below it
FEW = 3  # rows of a measure from which their median says what is usual
GAP = 0.25  # points an element may lie from the mean of its sub-scores ...
GAP_ONE = 5.0  # ... and for each response: one person may have answered some sub-scores only
MOST = 6  # rows named in a warning

_ROW = ["year", "org", "breakdown", "group", "within", "within_group", "weighting", "release"]
_AGAIN = "are marked unavailable and not passed on"

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]


def without_slips(
    frame: pd.DataFrame, instrument: Instrument | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Take out scores that contradict the others of their measure, or their own sub-scores.

    Parameters
    ----------
    frame : DataFrame
        Rows of the result schema.
    instrument : Instrument, optional
        Which score is made of which; default the package's.

    Returns
    -------
    frame : DataFrame
        What is wrong has no figure, and status ``unavailable``; bases are kept.
    warnings : tuple of str
        Which they are.
    """
    instrument = instrument or load_instrument()
    at = np.flatnonzero(frame["statistic"].eq("score") & frame["status"].eq("ok"))
    if not len(at):
        return frame, ()
    scores = frame.iloc[at]
    low = _low(scores)
    unlike, elements = _unlike(scores, low, instrument)
    wrong = low | unlike
    if not wrong.any():
        return frame, ()
    lost = at[wrong]
    gone = np.zeros(len(frame), dtype=bool)
    gone[lost] = True
    status = frame["status"].astype("object").mask(gone, "unavailable")
    frame = frame.assign(
        **{c: frame[c].mask(gone) for c in ("value", "lower", "upper")},
        status=status.astype(frame["status"].dtype),
    )
    warnings = []
    if low.any():
        warnings.append(
            f"{_counted(low.sum(), 'score lies', 'scores lie')} far below all others of the same "
            f"measure, as if divided by ten: {_named(scores[low], instrument)}; they {_AGAIN}"
        )
    if elements:
        warnings.append(
            f"{_counted(len(elements), 'score is', 'scores are')} not the mean of the sub-scores: "
            f"{_named(scores.iloc[elements], instrument)}; these and their sub-scores {_AGAIN}"
        )
    return frame, tuple(warnings)


def _low(scores: pd.DataFrame) -> Mask:
    grouped = scores.groupby(["year", "measure"], sort=False, observed=True)["value"]
    usual = grouped.transform("median") * LOW
    many = grouped.transform("count") >= FEW
    return (many & scores["value"].lt(usual)).to_numpy(dtype=bool)


def _unlike(scores: pd.DataFrame, low: Mask, instrument: Instrument) -> tuple[Mask, list[int]]:
    """Elements that are not the mean of their sub-scores, with these; and the elements alone."""
    keys = [c for c in _ROW if c in scores.columns]  # not every layout has tables within groups
    rows = scores.groupby(keys, sort=False, observed=True, dropna=False).ngroup().to_numpy()
    measures = scores["measure"].to_numpy(dtype=object)
    values = scores["value"].to_numpy(dtype=float)
    bases = scores["base"].to_numpy(dtype=float)
    wrong = np.zeros(len(scores), dtype=bool)
    found: list[int] = []
    for score in instrument.scores.values():
        if not score.parts:
            continue
        places = [_places(rows, measures == m, low) for m in (score.id, *score.parts)]
        several = np.stack(places)
        whole = several[:, (several >= 0).all(axis=0)]
        gap = np.abs(values[whole[0]] - values[whole[1:]].mean(axis=0))
        fewest = np.nan_to_num(bases[whole].min(axis=0), nan=1.0)
        off = gap > GAP + GAP_ONE / np.maximum(fewest, 1)
        wrong[whole[:, off]] = True
        found += whole[0, off].tolist()
    return wrong, found


def _places(rows: Ints, of_measure: Mask, low: Mask) -> Ints:
    """For each row of the file where a measure's figure stands, or -1."""
    places = np.full(int(rows.max()) + 1, -1, dtype=np.intp)
    at = np.flatnonzero(of_measure & ~low)
    places[rows[at]] = at
    return places


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _named(scores: pd.DataFrame, instrument: Instrument) -> str:
    whose = [
        f"{instrument.measures[m].short if m in instrument.measures else m} ({_where(row)})"
        for m, row in zip(scores["measure"], scores.to_dict("records"), strict=True)
    ]
    more = f" and {len(whose) - MOST:,} more" if len(whose) > MOST else ""
    return ", ".join(whose[:MOST]) + more


def _where(row: Mapping[Hashable, object]) -> str:
    group = "" if row["breakdown"] == "overall" else f", {row['group']}"
    return f"{row['org']}{group}, {row['year']}"
