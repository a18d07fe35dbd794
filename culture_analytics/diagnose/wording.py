"""Guarded words for figures: what may be said of a difference, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from culture_analytics.compare.organisations import better
from culture_analytics.compare.sides import FEW
from culture_analytics.diagnose.held import Row
from culture_analytics.diagnose.hotspots import LEAST
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.culture import PREFIX

__all__ = [
    "BETTER",
    "LITTLE",
    "SAME",
    "TOO_FEW",
    "WORSE",
    "and_list",
    "answers",
    "figure",
    "interval",
    "is_score",
    "judge",
    "plural",
    "points",
    "sentence_case",
    "way",
]

BETTER, WORSE = "clearly better", "clearly worse"
LITTLE = "clearly different, but by little"
SAME = "no clear difference"
TOO_FEW = "too few to say"

_SCORE = "score"
_NARROW = 0.3  # intervals of scores that one decimal would hide


def way(measure: str) -> int:
    """1 where a higher figure is better, -1 where a lower one is, 0 where neither."""
    return int(better(pd.Series([measure], dtype="str"))[0])


def judge(row: Row, *, alpha: float = 0.05, least: bool = True) -> str:
    """What may be said of a difference.

    Parameters
    ----------
    row
        A row of differences, in points.
    alpha
        Level of the adjusted p-value.
    least
        Whether a clear difference under `LEAST` points is told apart as little.
    """
    p = row["p_adjusted"]
    if row["status"] != "ok" or FEW in str(row["method"]) or _missing(p):
        return TOO_FEW
    if p > alpha:
        return SAME
    size = LEAST["score" if is_score(row) else "percent"]
    if least and abs(row["value"]) < size:
        return LITTLE
    sign = way(str(row["measure"])) * (1 if row["value"] > 0 else -1)
    return BETTER if sign > 0 else WORSE if sign < 0 else "clearly different"


def is_score(row: Row) -> bool:
    """Whether a figure or difference is of a 0-10 score."""
    known = load_instrument().measures.get(str(row["measure"]))
    if known is not None:
        return known.unit == _SCORE
    return bool(row["unit"] == _SCORE) or str(row["measure"]).startswith(PREFIX)


def figure(row: Row) -> str:
    """A figure with its unit: ``42 %``, ``6.9 of 10``."""
    return f"{row['value']:.1f} of 10" if is_score(row) else f"{row['value']:.0f} %"


def points(row: Row) -> str:
    """The size of a difference: ``3 points``, ``0.2 points``."""
    size = abs(float(row["value"]))
    if is_score(row):
        return f"{size:.2f} points" if size < 0.1 else f"{size:.1f} points"
    text = f"{size:.0f}" if size >= 1 else f"{size:.1f}"
    return f"{text} point{'' if text == '1' else 's'}"


def interval(row: Row, *, size: bool = False) -> str:
    """Its interval: ``95 % interval 40 to 44``; of the size of a difference, if wanted."""
    lower, upper = float(row["lower"]), float(row["upper"])
    if math.isnan(lower) or math.isnan(upper):
        return "no interval"
    if size and row["value"] < 0:
        lower, upper = -upper, -lower
    digits = 0
    if is_score(row):
        digits = 2 if upper - lower < _NARROW else 1
    return f"{100 * row['level']:g} % interval {lower:.{digits}f} to {upper:.{digits}f}"


def answers(row: Row) -> str:
    """How many answers it rests on."""
    base = row["base"]
    return "" if _missing(base) else f"{base:,.0f} answers"


def plural(unit: str) -> str:
    """Several of a unit: ``directorates``."""
    return unit if unit.endswith("s") else f"{unit}s"


def and_list(words: Sequence[str], *, most: int = 99) -> str:
    """``a, b and c``; those beyond the most are counted."""
    words = list(words)
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sentence_case(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
