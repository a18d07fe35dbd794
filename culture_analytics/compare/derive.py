"""Rows made of other rows: what they keep, when they die, and how their tests are adjusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.rules import Rule
from culture_analytics.estimates import HIDE, NUMBERS, Estimates
from culture_analytics.stats.multiplicity import adjust_p

__all__ = ["CELL", "PLAIN", "adjusted", "derived", "dies"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

# What a figure is about, apart from its year and where it comes from.
CELL = ("org", "measure", "answer", "breakdown", "group", "within", "within_group", "statistic")

# Statistics that are figures of their own, not made of others.
PLAIN = ("percent", "score", "response_rate")


def dies(frame: pd.DataFrame, hidden: Mask, *, together: bool) -> pd.DataFrame:
    """Hide the rows that have a hidden parent.

    Results that were suppressed together say so of each row. Others are hidden by their base, and
    a row with a hidden parent has none.
    """
    if together:
        return frame.assign(**{HIDE: hidden})
    return frame.assign(base=frame["base"].where(~pd.Series(hidden, index=frame.index)))


def adjusted(
    frame: pd.DataFrame, family: Sequence[str], tested: Mask, *, adjust: str, what: str
) -> pd.DataFrame:
    """Fill in `p_adjusted` and `family`.

    Parameters
    ----------
    frame
        Rows with `p_value`.
    family
        Name of the family of each row.
    tested
        The publishable rows with a p-value: the family is fixed by them alone.
    adjust
        ``"holm"``, ``"bh"`` or ``"none"``.
    what
        Plural of what is tested, as "comparisons".
    """
    codes, names = pd.factorize(pd.Series(family, dtype="str"))
    size = np.bincount(codes[tested], minlength=len(names))
    words = np.array([f"{name}: {n} {what}" for name, n in zip(names, size, strict=True)])
    p = np.where(tested, frame["p_value"].to_numpy(dtype=float), np.nan)
    return frame.assign(
        p_adjusted=adjust_p(p, method=adjust, family=codes),
        family=np.where(tested, words[codes] if len(words) else "", ""),
    )


def derived(
    parent: Estimates,
    frame: pd.DataFrame,
    *,
    notes: Sequence[str] = (),
    rule: Rule | None = None,
) -> Estimates:
    """Results made of other results: their rule, organisations, origin and notes go with them."""
    blank = ~frame["status"].eq("ok")
    numbers = [c for c in NUMBERS if c in frame.columns]
    frame.loc[blank, numbers] = np.nan
    words = [c for c in ("method", "family") if c in frame.columns]
    frame.loc[blank, words] = ""
    return Estimates(
        frame.reset_index(drop=True),
        rule=rule or parent.rule,
        organisations=parent.organisations,
        notes=tuple(dict.fromkeys([*parent.notes, *notes])),
        origin=parent._origin,
    )
