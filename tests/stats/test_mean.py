"""Limits of a mean score; the agreement with R is in test_against_r."""

from __future__ import annotations

import numpy as np

from culture_analytics.stats import mean_t


def test_t_limits_by_the_printed_table() -> None:
    # t(0.975, 10) = 2.228139
    lower, upper = mean_t(6.0, 0.5, 10)
    np.testing.assert_allclose([lower, upper], [6 - 1.1140695, 6 + 1.1140695], atol=1e-6)


def test_limits_stop_at_the_ends_of_the_scale_only_when_asked() -> None:
    mean, se = [9.8, 0.1, 5.0], [0.5, 0.5, 0.5]
    free_lower, free_upper = mean_t(mean, se, 30)
    lower, upper = mean_t(mean, se, 30, bounds=(0, 10))
    assert free_upper[0] > 10
    assert upper[0] == 10
    assert free_lower[1] < 0
    assert lower[1] == 0
    assert (lower[2], upper[2]) == (free_lower[2], free_upper[2])


def test_no_spread_no_df_or_no_mean_gives_no_limits() -> None:
    lower, upper = mean_t([10.0, 6.0, 6.0, np.nan], [0.0, 0.4, 0.4, np.nan], [20, 0, np.nan, 5])
    assert np.isnan(lower).all()
    assert np.isnan(upper).all()
