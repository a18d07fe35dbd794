"""Limits under unequal weights and few answers, and which method each figure gets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats import (
    INTERVALS,
    logit,
    logit_beta,
    logit_t,
    mean_t,
    percentage_limits,
    score_limits,
    wilson,
    wilson_weighted,
)
from culture_analytics.stats.limits import FEW_ANSWERS, FEW_SCORES

quick = settings(deadline=None, max_examples=100, derandomize=True)


def test_equally_weighted_answers_are_worth_what_they_are() -> None:
    p, n = np.array([0.1, 0.5, 0.95]), np.array([40, 80, 4000])
    se = np.sqrt(p * (1 - p) / n)
    np.testing.assert_allclose(wilson_weighted(p, se, n, n), wilson(p, n), rtol=1e-12)


def test_weighted_wilson_by_the_formula() -> None:
    # 0.3 of 60 answers, Kish 24 of them; the standard error says 0.21 / 0.1^2 = 21.
    factor = student.ppf(0.975, 59) / student.ppf(0.975, 23)
    expected = wilson(0.3, 21 * factor**2)
    np.testing.assert_allclose(wilson_weighted(0.3, 0.1, 60, 24), expected, rtol=1e-10)
    # A standard error that looks better than the weights allow is not believed.
    expected = wilson(0.3, 24 * factor**2)
    np.testing.assert_allclose(wilson_weighted(0.3, 0.05, 60, 24), expected, rtol=1e-10)
    # A population of which four fifths answered leaves a fifth of the variance.
    expected = wilson(0.3, 24 / 0.2 * factor**2)
    with_population = wilson_weighted(0.3, 0.01, 60, 24, unsampled=0.2)
    np.testing.assert_allclose(with_population, expected, rtol=1e-10)


def test_weighted_wilson_at_the_ends_uses_the_effective_base() -> None:
    lower, upper = wilson_weighted([0.0, 1.0], 0.0, 60, 24)
    factor = student.ppf(0.975, 59) / student.ppf(0.975, 23)
    np.testing.assert_allclose([lower, upper], wilson([0.0, 1.0], 24 * factor**2), rtol=1e-10)
    assert (lower[0], upper[1]) == (0, 1)


@pytest.mark.parametrize(
    ("p", "se", "n", "effective"),
    [(0.4, 0.0, 30, 20), (0.4, np.nan, 30, 20), (0.4, 0.1, 30, 1), (np.nan, np.nan, 0, 0)],
)
def test_weighted_wilson_without_information_has_no_limits(
    p: float, se: float, n: float, effective: float
) -> None:
    assert np.isnan(wilson_weighted(p, se, n, effective)).all()


@quick
@given(st.integers(2, 5_000), st.floats(0.001, 0.999), st.floats(1.001, 5), st.floats(0.3, 3))
def test_weighted_wilson_is_on_the_scale_and_wider_than_wilson(
    n: int, p: float, kish: float, design: float
) -> None:
    effective = max(n / kish, 1.1)
    se = np.sqrt(design * p * (1 - p) / effective)
    lower, upper = wilson_weighted(p, se, n, effective)
    narrow_lower, narrow_upper = wilson(p, effective)
    assert 0 <= lower <= narrow_lower + 1e-12
    assert narrow_upper - 1e-12 <= upper <= 1
    mirrored_lower, mirrored_upper = wilson_weighted(1 - p, se, n, effective)
    np.testing.assert_allclose([1 - mirrored_upper, 1 - mirrored_lower], [lower, upper], atol=1e-9)


def test_logit_t_by_the_formula() -> None:
    # Base 40, effective base 16: spread corrected by 1 + (2 * 2.5 - 1) / 16, df 39 * 16 / 40.
    se = 0.3 * np.sqrt(1 + 4 / 16)
    expected = logit(0.8, se / 10, 39 * 0.4)
    np.testing.assert_allclose(logit_t(8.0, 0.3, 39, 40, 16), np.multiply(10, expected), rtol=1e-12)
    on_five = logit_t(1 + 0.8 * 4, 0.3 * 4 / 10, 39, 40, 16, bounds=(1, 5))
    np.testing.assert_allclose(on_five, 1 + 4 * np.array(expected), rtol=1e-12)


def test_logit_t_nears_t_as_answers_become_many() -> None:
    n = 4_000_000
    np.testing.assert_allclose(
        logit_t(6.5, 0.001, n - 1, n, n / 2), mean_t(6.5, 0.001, n - 1), atol=1e-6
    )


@pytest.mark.parametrize(
    ("mean", "se", "df", "n", "effective"),
    [
        (10.0, 0.0, 20, 21, 21),
        (6.0, 0.0, 20, 21, 21),
        (6.0, 0.4, 0, 1, 1),
        (np.nan, np.nan, 0, 0, 0),
    ],
)
def test_no_spread_no_df_or_no_mean_gives_no_limits(
    mean: float, se: float, df: float, n: float, effective: float
) -> None:
    assert np.isnan(logit_t(mean, se, df, n, effective)).all()


def test_a_mean_off_the_scale_is_refused() -> None:
    with pytest.raises(CultureAnalyticsError):
        logit_t(11.0, 0.1, 20, 21, 21)


# -- which method -----------------------------------------------------------------------------

P = np.array([0.0, 0.05, 0.5, 1.0])
SE = np.sqrt(P * (1 - P) / 80)


def test_equal_weights_without_strata_are_exactly_wilson() -> None:
    lower, upper, method = percentage_limits(P, SE, 99, 100, 100)
    np.testing.assert_array_equal([lower, upper], wilson(P, 100))
    assert set(method) == {"wilson"}


def test_unequal_weights_without_strata() -> None:
    lower, upper, method = percentage_limits(P, SE, 99, 100, 80)
    np.testing.assert_array_equal([lower, upper], wilson_weighted(P, SE, 100, 80))
    assert set(method) == {"wilson_weighted"}


def test_strata_with_equal_weights_are_logit_and_beta_however_few() -> None:
    lower, upper, method = percentage_limits(P, SE, 95, 100, 100, by_design=True)
    np.testing.assert_array_equal([lower, upper], logit_beta(P, SE, 95, 100))
    assert method.tolist() == ["beta", "logit", "logit", "beta"]


def test_strata_with_unequal_weights_and_few_answers() -> None:
    lower, upper, method = percentage_limits(P, SE, 95, 100, 80, unsampled=0.9, by_design=True)
    assert method.tolist() == ["beta", "wilson_weighted", "logit", "beta"]
    few = wilson_weighted(P[1], SE[1], 100, 80, unsampled=0.9)
    assert (lower[1], upper[1]) == few
    others = [0, 2, 3]
    expected = np.array(logit_beta(P, SE, 95, 100, effective_n=80))[:, others]
    np.testing.assert_array_equal([lower[others], upper[others]], expected)


def test_the_few_are_counted_on_the_rarer_side() -> None:
    p = np.array([FEW_ANSWERS / 80 - 1e-6, FEW_ANSWERS / 80 + 1e-6])
    se = np.sqrt(p * (1 - p) / 80)
    for share in (p, 1 - p):
        _, _, method = percentage_limits(share, se, 95, 100, 80, by_design=True)
        assert method.tolist() == ["wilson_weighted", "logit"]


def test_no_degrees_of_freedom_gives_no_limits_under_strata() -> None:
    lower, upper, _ = percentage_limits(0.2, 0.1, 0, 5, 4, by_design=True)
    assert np.isnan([lower, upper]).all()


def test_scores_are_t_once_the_effective_base_is_large() -> None:
    effective = np.array([FEW_SCORES - 1, FEW_SCORES])
    lower, upper, method = score_limits(7.0, 0.2, 299, 300, effective)
    assert method.tolist() == ["logit_t", "t"]
    assert (lower[1], upper[1]) == mean_t(7.0, 0.2, 299)
    assert (lower[0], upper[0]) == logit_t(7.0, 0.2, 299, 300, effective[0])


def test_every_method_that_can_be_given_is_in_the_table_of_intervals() -> None:
    given = set()
    for by_design in (False, True):
        for effective in (100, 60):
            given |= set(percentage_limits(P, SE, 95, 100, effective, by_design=by_design)[2])
    for effective in (100, 60):
        given |= set(score_limits(7.0, 0.2, 95, 100, [effective])[2])
    assert given == {"wilson", "wilson_weighted", "logit", "beta", "t", "logit_t"}
    assert given <= set(INTERVALS)
