"""Design-based covariance matrices from sums over strata: what tables and regressions share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats
from culture_analytics.stats.variance import _check_lonely, unsampled_share


class StratumFactors(NamedTuple):
    r"""What the sums of a linearised variable *z* are multiplied by, stratum by stratum.

    The covariance is :math:`\sum_h s_h \sum_{i \in h} z_i z_i' - \sum_h t_h T_h T_h'` with
    :math:`T_h` the stratum's total of *z*: :math:`s_h = (1 - f_h) n_h / (n_h - 1)`,
    :math:`t_h = s_h / n_h`.
    """

    squares: FloatArray
    totals: FloatArray


def stratum_factors(
    n_h: ArrayLike,
    used: NDArray[np.bool_],
    *,
    population_h: ArrayLike | None,
    lonely: str,
) -> StratumFactors:
    """Factors of the design, with what strata of one respondent do worked in.

    Parameters
    ----------
    n_h : array_like
        Respondents of the whole design in each stratum, shape (strata,).
    used : ndarray of bool
        Strata with at least one answer, shape (strata,).
    population_h, lonely
        As for :func:`~culture_analytics.stats.ratio_se`.

    Raises
    ------
    DesignError
        As :func:`~culture_analytics.stats.ratio_se`.
    """
    respondents = floats(n_h)
    unsampled = unsampled_share(respondents, population_h)
    alone = (respondents == 1) & (unsampled > 0)
    _check_lonely(lonely, alone, np.flatnonzero(used))
    squares = respondents / np.maximum(respondents - 1, 1) * unsampled
    totals = squares / np.maximum(respondents, 1)
    totals[alone] = 0.0
    if lonely != "adjust":
        squares[alone] = 0.0
    if lonely == "average":
        several = np.count_nonzero(used & ~alone)
        scale = np.count_nonzero(used) / several if several else np.nan
        squares, totals = squares * scale, totals * scale
    return StratumFactors(squares, totals)


def checked_weights(weights: ArrayLike, respondents: int) -> FloatArray:
    """Weights as numbers, one for each respondent.

    Raises
    ------
    CultureAnalyticsError
        They are not one for each respondent, or some are missing, infinite or below 0.
    """
    given = floats(weights)
    if given.shape != (respondents,):
        raise CultureAnalyticsError(f"Try: one weight for each of the {respondents:,} respondents.")
    wrong = int(np.count_nonzero(~np.isfinite(given) | (given < 0)))
    if wrong:
        raise CultureAnalyticsError(
            f"{wrong} of {respondents:,} weights are missing, infinite or below 0."
        )
    return given
