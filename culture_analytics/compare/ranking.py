"""The rows to look at first: best and worst against the group, and biggest changes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from culture_analytics.compare.derive import derived
from culture_analytics.compare.organisations import better
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import load_instrument

__all__ = ["biggest_movers", "top_and_bottom"]


def top_and_bottom(benchmark: Estimates, *, n: int = 5) -> Estimates:
    """Questions on which an organisation lies furthest above and below its group's median.

    Parameters
    ----------
    benchmark
        Result of `compare_benchmark`.
    n
        How many of each.

    Returns
    -------
    Estimates
        For each organisation and year the best `n`, best first, then the worst `n`, worst first;
        `method` says which. Reported percentages of single questions with a better way round
        only: scores are on another scale, and other readings of a question would count it twice.
        A question better than the median is never among the worst.

    Raises
    ------
    MeasureError
        There is no distance from a median among the rows, or `n` is under 1.

    Examples
    --------
    >>> top_and_bottom(compare_benchmark(own, published))  # doctest: +SKIP
    """
    frame = benchmark._frame
    rows = frame["statistic"].eq("difference") & frame["reference"].str.endswith("(median)")
    return _ends(benchmark, rows, n, ("top", "bottom"), "compare_benchmark()")


def biggest_movers(changes: Estimates, *, n: int = 5) -> Estimates:
    """Questions that improved and worsened most.

    Parameters
    ----------
    changes
        Result of `compare_years`.
    n
        How many of each.

    Returns
    -------
    Estimates
        For each organisation and pair of years the `n` that improved most, then the `n` that
        worsened most, of everyone together; `method` says which. The same questions as in
        `top_and_bottom`. Biggest is not surest: see `p_adjusted`.

    Raises
    ------
    MeasureError
        There is no difference between years among the rows, or `n` is under 1.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.compare import biggest_movers, compare_years
    >>> stress = ca.calculate(ca.load_sample(), "stress")
    >>> biggest_movers(compare_years(stress, baseline=2023), n=1).table["method"].tolist()[:2]
    ['improved 1', 'worsened 1']
    """
    frame = changes._frame
    # The baseline of compare_years() is a year.
    rows = frame["statistic"].eq("difference") & frame["reference"].str.fullmatch(r"\d{4}")
    return _ends(changes, rows, n, ("improved", "worsened"), "compare_years()")


def _ends(
    estimates: Estimates, rows: pd.Series[bool], n: int, words: tuple[str, str], origin: str
) -> Estimates:
    if n < 1:
        raise MeasureError(f"n={n}: ask for one row or more.")
    frame = estimates._frame
    if not rows.any():
        raise MeasureError(f"No row to choose from: give the result of {origin}.")
    single = [
        m.id
        for m in load_instrument().measures.values()
        if m.kind == "item" and m.unit == "percent" and m.parts and m.parts[0][0] == m.id
    ]
    keep = (
        rows & frame["breakdown"].eq("overall") & frame["within"].eq("") & frame["answer"].eq("")
        & frame["measure"].isin(single) & frame["status"].eq("ok")
    ).to_numpy(dtype=bool) & ~estimates._hidden  # fmt: skip
    some = frame.loc[keep]
    gain = some["value"].to_numpy(dtype=float) * better(some["measure"])
    some = some.assign(_gain=gain)
    chosen: list[pd.DataFrame] = []
    for _, table in some.groupby(["org", "year", "reference", "release"], sort=False):
        for sign, word in zip((1, -1), words, strict=True):
            moved = table[np.sign(table["_gain"]) == sign]
            order = np.argsort(-sign * moved["_gain"].to_numpy(), kind="stable")[:n]
            named = [f"{word} {place + 1}" for place in range(len(order))]
            chosen.append(moved.iloc[order].assign(method=named))
    found = pd.concat(chosen) if chosen else some
    return derived(estimates, found.drop(columns="_gain").copy())
