"""The kinds of confidence limits there are: one visible table, name -> how it is worked out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from culture_analytics.stats._quantiles import Limits
from culture_analytics.stats.mean import logit_t, mean_t
from culture_analytics.stats.proportion import (
    beta,
    logit,
    logit_beta,
    wilson,
    wilson_weighted,
)

__all__ = ["INTERVALS", "Interval"]


@dataclass(frozen=True)
class Interval:
    """One kind of confidence limits.

    Call ``function(*[values[name] for name in needs], level=level)``.
    """

    function: Callable[..., Limits]
    needs: tuple[str, ...]
    """Positional arguments, in order, by the names of the function's own signature."""
    description: str


INTERVALS = MappingProxyType(
    {
        "wilson": Interval(
            wilson, ("p", "n"), "Wilson score limits of a proportion on its (effective) base"
        ),
        "wilson_weighted": Interval(
            wilson_weighted,
            ("p", "se", "n", "effective_n"),
            "Wilson score limits under unequal weights",
        ),
        "logit": Interval(
            logit, ("p", "se", "df"), "design-based, symmetric in log-odds; none at 0 or 100 %"
        ),
        "beta": Interval(
            beta, ("p", "se", "df", "n"), "design-based Clopper-Pearson (Korn and Graubard)"
        ),
        "logit_beta": Interval(
            logit_beta, ("p", "se", "df", "n"), "logit limits, beta limits at 0 and 100 %"
        ),
        "t": Interval(mean_t, ("mean", "se", "df"), "Student t limits of a mean score"),
        "logit_t": Interval(
            logit_t,
            ("mean", "se", "df", "n", "effective_n"),
            "t limits of a mean score in log-odds of its scale, for few answers",
        ),
    }
)
"""Name (the ``method`` column of a result) -> how the limits are worked out."""
