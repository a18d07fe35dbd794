"""What comparisons of groups rest on: the figures of rows as arrays, and who is compared at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument
from culture_analytics.stats.trend import effective_answers

__all__ = ["CROSSED", "FEW", "FEWEST", "OVERALL", "Side", "not_compared", "side_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

OVERALL, CROSSED = "overall", " | "

FEWEST = 10
"""People who gave, or did not give, the answer counted: below it, on either side, no verdict."""
FEW = f"under {FEWEST} people"  # stands in `method`, so that it outlives every protected view


@dataclass(frozen=True, eq=False)
class Side:
    """Figures of one side of each comparison, as they stand in the rows."""

    value: Floats
    lower: Floats
    upper: Floats
    se: Floats
    df: Floats
    base: Floats
    effective: Floats
    """Kish's effective base; the base when unweighted."""
    weight: Floats
    """Sum of weights; the base when unweighted."""
    yes: Floats
    """People who gave the answer counted; NaN for scores."""

    def take(self, at: Ints) -> Side:
        """Some of the figures."""
        return Side(**{f.name: getattr(self, f.name)[at] for f in fields(self)})

    @property
    def p(self) -> Floats:
        """The percentage as a proportion."""
        return np.clip(self.value / 100, 0, 1)

    @property
    def effective_answers(self) -> Floats:
        """Random answers the percentage is worth.

        Under unequal weights no more than Kish's: the standard error of a small group is itself
        uncertain, and where it comes out small by chance a test would be too sure.
        """
        found = effective_answers(self.p, self.se / 100, self.base, self.effective)
        unequal = self.effective < self.base * (1 - 1e-9)
        return np.asarray(np.where(unequal, np.fmin(found, self.effective), found))


def side_of(frame: pd.DataFrame, at: Ints) -> Side:
    """Figures of rows; NaN at positions below 0."""
    there = at >= 0

    def column(name: str) -> Floats:
        values = frame[name].to_numpy(dtype=float)[np.maximum(at, 0)]
        return np.asarray(np.where(there, values, np.nan), dtype=np.float64)

    value, base, se = column("value"), column("base"), column("se")
    percent = frame["statistic"].eq("percent").to_numpy(dtype=bool)[np.maximum(at, 0)]
    counted = base * value / 100
    if "_numerator" in frame.columns:
        own = column("_numerator")
        counted = np.where(np.isnan(own), counted, own)
    share = np.clip(value / 100, 0, 1)
    published = 100 * np.sqrt(share * (1 - share) / np.where(base > 0, base, np.nan))
    equal = frame["weighting"].eq("unweighted").to_numpy(dtype=bool)[np.maximum(at, 0)]
    equal |= frame["source"].ne("extract").to_numpy(dtype=bool)[np.maximum(at, 0)]
    effective, weight = (column(c) for c in ("effective_base", "weighted_base"))
    return Side(
        value=value,
        lower=column("lower"),
        upper=column("upper"),
        se=np.where(np.isnan(se) & percent, published, se),
        df=column("df"),
        base=base,
        effective=np.where(equal & np.isnan(effective), base, effective),
        weight=np.where(equal & np.isnan(weight), base, weight),
        yes=np.where(percent, counted, np.nan),
    )


def not_compared(instrument: Instrument, breakdown: str, groups: list[str]) -> set[str]:
    """Groups that are shown but kept out of contrasts, such as "prefer not to say"."""
    kept_out = [
        {g.label for g in b.groups if not g.contrast}
        if (b := instrument.breakdowns.get(name))
        else set[str]()
        for name in breakdown.split(":")
    ]
    return {
        group
        for group in groups
        if any(label in out for label, out in zip(_labels(group, kept_out), kept_out, strict=True))
    }


def _labels(group: str, parts: Sequence[object]) -> list[str]:
    labels = group.split(CROSSED)
    return labels if len(labels) == len(parts) else [""] * len(parts)
