"""Fisher's exact test of many tables at once equals scipy's distribution, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats.fisher import fisher_exact


def tables(cells: int, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    n, rest = rng.integers(1, 400, cells), rng.integers(1, 4000, cells)
    share = rng.uniform(0, 1, cells) ** 2
    y, other = rng.binomial(n, np.clip(share * 1.3, 0, 1)), rng.binomial(rest, share)
    return y, n, y + other, n + rest


@pytest.mark.parametrize("mid", [False, True])
def test_it_is_twice_the_smaller_tail(mid: bool) -> None:
    y, n, of, everyone = tables(400)
    upper = stats.hypergeom.sf(y - 1, everyone, of, n)
    lower = stats.hypergeom.cdf(y, everyone, of, n)
    half = stats.hypergeom.pmf(y, everyone, of, n) / 2 if mid else 0
    expected = np.minimum(2 * np.minimum(upper - half, lower - half), 1)
    found = fisher_exact(y, n, of, everyone, mid=mid)
    small = expected < 0.9  # about the middle one of the tails is not added up
    assert small.sum() > 200
    np.testing.assert_allclose(found[small], expected[small], rtol=1e-7, atol=1e-14)
    assert (found[~small] >= 0.89).all()


def test_saying_no_is_the_same_test() -> None:
    y, n, of, everyone = tables(300, seed=2)
    np.testing.assert_allclose(
        fisher_exact(y, n, of, everyone), fisher_exact(n - y, n, everyone - of, everyone)
    )


def test_groups_of_nobody_and_of_everyone() -> None:
    assert np.isnan(fisher_exact([0, 5, np.nan], [0, 10, 3], [5, 5, 5], [10, 10, 10])).all()
    assert fisher_exact(0, 10, 0, 100) == 1


def test_what_cannot_be() -> None:
    with pytest.raises(CultureAnalyticsError, match="1 of 2 groups"):
        fisher_exact([6, 2], [10, 10], 5, 100)


def test_it_keeps_its_level_where_a_normal_test_does_not() -> None:
    rng = np.random.default_rng(3)
    runs, n, rest = 40_000, 12, 3000
    y, other = rng.binomial(n, 0.1, runs), rng.binomial(rest, 0.1, runs)
    p = fisher_exact(y, n, y + other, n + rest)
    z = (y / n - other / rest) / np.sqrt(0.09 * (1 / n + 1 / rest))
    normal = 2 * stats.norm.sf(np.abs(z))
    for level in (0.05, 0.01, 0.001):
        assert np.mean(p <= level) <= level + 3 * (level / runs) ** 0.5
    assert np.mean(normal <= 0.001) > 0.003
