"""What must hold of every interval and standard error, whatever the numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from culture_analytics.stats import RatioSums, beta, kish, logit_beta, mean_t, ratio_se, wilson

count = st.integers(2, 200_000)
level = st.floats(0.5, 0.999)
quick = settings(deadline=None, max_examples=100, derandomize=True)


@st.composite
def cell(draw: st.DrawFn) -> tuple[float, float, int, int]:
    """Proportion, standard error (design effect 0.5 to 4), df and base of one possible cell."""
    n = draw(count)
    p = draw(st.integers(0, n)) / n
    deff = draw(st.floats(0.5, 4))
    strata = draw(st.integers(1, min(n - 1, 212)))
    return p, float(np.sqrt(deff * p * (1 - p) / n)), n - strata, n


@quick
@given(cell(), level)
def test_limits_lie_on_the_scale_and_around_the_estimate(
    values: tuple[float, float, int, int], level: float
) -> None:
    p, se, df, n = values
    slack = 1e-12
    for lower, upper in (
        wilson(p, n, level=level),
        beta(p, se, df, n, level=level),
        logit_beta(p, se, df, n, level=level),
    ):
        assert 0 <= lower <= p + slack
        assert p - slack <= upper <= 1
        assert lower < upper


@quick
@given(cell(), st.floats(0.5, 0.9), st.floats(0.001, 0.09))
def test_a_higher_level_is_wider(
    values: tuple[float, float, int, int], level: float, step: float
) -> None:
    p, se, df, n = values
    for function, arguments in (
        (wilson, (p, n)),
        (beta, (p, se, df, n)),
        (logit_beta, (p, se, df, n)),
    ):
        lower, upper = function(*arguments, level=level)
        wide_lower, wide_upper = function(*arguments, level=level + step)
        assert wide_lower <= lower + 1e-12
        assert wide_upper >= upper - 1e-12
        assert wide_upper - wide_lower > upper - lower


@quick
@given(count, st.floats(0, 1), st.floats(1.01, 50))
def test_more_answers_are_narrower(n: int, p: float, times: float) -> None:
    lower, upper = wilson(p, [n, n * times])
    assert upper[1] - lower[1] < upper[0] - lower[0]
    se = np.sqrt(p * (1 - p) / np.array([n, n * times]))
    lower, upper = logit_beta(p, se, np.array([n, n * times]) - 1, [n, n * times])
    assert upper[1] - lower[1] < upper[0] - lower[0] + 1e-12


@quick
@given(cell())
def test_the_opposite_answer_has_the_mirrored_limits(values: tuple[float, float, int, int]) -> None:
    p, se, df, n = values
    for function, arguments in ((wilson, (n,)), (beta, (se, df, n)), (logit_beta, (se, df, n))):
        lower, upper = function(p, *arguments)
        mirrored_lower, mirrored_upper = function(1 - p, *arguments)
        np.testing.assert_allclose(
            [1 - mirrored_upper, 1 - mirrored_lower], [lower, upper], atol=1e-9
        )


@quick
@given(st.floats(0, 10), st.floats(1e-6, 3), st.integers(1, 10_000), level)
def test_t_limits_are_symmetric_and_clip_to_the_scale(
    mean: float, se: float, df: int, level: float
) -> None:
    lower, upper = mean_t(mean, se, df, level=level)
    np.testing.assert_allclose((lower + upper) / 2, mean, atol=1e-9 * (1 + upper - lower))
    clipped_lower, clipped_upper = mean_t(mean, se, df, level=level, bounds=(0, 10))
    assert clipped_lower == max(lower, 0)
    assert clipped_upper == min(upper, 10)


respondents = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        arrays(float, n, elements=st.integers(0, 10).map(float)),
        arrays(float, n, elements=st.floats(0.01, 50)),
        arrays(int, n, elements=st.integers(0, 2)),
    )
)


def sums_of(y: np.ndarray, w: np.ndarray, stratum: np.ndarray) -> RatioSums:
    columns = (w, w * y, w**2, w**2 * y, w**2 * y**2)
    return RatioSums(*(np.bincount(stratum, column, minlength=3)[:, None] for column in columns))


@quick
@given(respondents, st.floats(1e-3, 1e3), st.sampled_from(["remove", "adjust", "average"]))
def test_standard_errors_ignore_the_unit_of_weight_and_the_origin_of_the_score(
    data: tuple[np.ndarray, np.ndarray, np.ndarray], constant: float, lonely: str
) -> None:
    y, w, stratum = data
    n_h = np.bincount(stratum, minlength=3) + 3 * (np.bincount(stratum, minlength=3) > 2)
    se = ratio_se(sums_of(y, w, stratum), n_h, lonely=lonely)
    rescaled = ratio_se(sums_of(y, w * constant, stratum), n_h, lonely=lonely)
    reversed_score = ratio_se(sums_of(10 - y, w, stratum), n_h, lonely=lonely)
    np.testing.assert_allclose(rescaled, se, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(reversed_score, se, rtol=1e-7, atol=1e-6)
    assert not (se < 0).any()


@quick
@given(respondents)
def test_the_effective_base_is_at_most_the_base(
    data: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    _, w, _ = data
    assert 1 - 1e-9 <= kish(w.sum(), (w**2).sum()) <= w.size * (1 + 1e-9)
