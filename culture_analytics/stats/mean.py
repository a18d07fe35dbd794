"""Confidence limits of a mean score.

References
----------
Lumley T (2010). *Complex Surveys: a guide to analysis using R*. Wiley. Section 2.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.stats._quantiles import Limits, floats, t_quantile

__all__ = ["mean_t"]


def mean_t(
    mean: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> Limits:
    r"""Student t limits of a mean, :math:`\bar y \pm t_{df} \, se`.

    Parameters
    ----------
    mean : array_like
        Mean, in the units of the scale.
    se : array_like
        Its standard error, in the same units.
    df : array_like
        Design degrees of freedom; may be infinite.
    level : float, default 0.95
        Confidence level.
    bounds : tuple of float, optional
        Ends of the scale, ``(0, 10)`` for a People Promise score: limits beyond them are moved to
        them. Default: limits are left alone.

    Returns
    -------
    lower, upper : ndarray
        NaN where ``df`` is not above 0 or ``se`` is 0 (everyone had the same score: no spread was
        seen, so none can be estimated).

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    References
    ----------
    Equal to R ``confint(svymean(...), df = degf(design))``.

    Examples
    --------
    >>> lower, upper = mean_t([6.5, 9.8], [0.1, 0.2], [200, 20], bounds=(0, 10))
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([6.303, 9.383], [6.697, 10.0])
    """
    centre, error = floats(mean), floats(se)
    margin = t_quantile(level, df) * np.where(error > 0, error, np.nan)
    lower, upper = centre - margin, centre + margin
    if bounds is not None:
        lower, upper = np.clip(lower, *bounds), np.clip(upper, *bounds)
    return lower, upper
