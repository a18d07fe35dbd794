"""The intervals hold the true value as often as they say: a small part of benchmarks/coverage.py.

Coverage without weights is exact; with weights it is simulated with a fixed seed, and the bounds
allow for its noise (0.7 percentage points at 95 %).
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import binom

from culture_analytics.stats import RatioSums, ratio_se, wilson

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "coverage.py"
BASES, RATES = (11, 50, 300), (0.02, 0.1, 0.3)
DRAWS, NOISE = 4_000, 0.7


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark as a module."""
    if not PATH.exists():
        pytest.skip("benchmarks/ is not beside the tests")
    spec = importlib.util.spec_from_file_location("coverage_benchmark", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def covered(points: list) -> np.ndarray:
    return np.array([p.covered for p in points])


def test_exact_coverage_is_the_sum_of_the_chances_of_the_outcomes_that_hold(bench) -> None:
    # Brown, Cai and DasGupta (2001): Wilson falls to 0.838 beside 0, at p where 1 of n just fails.
    n, p = 11, 0.016
    lower, upper = wilson(np.arange(n + 1) / n, n)
    by_hand = sum(binom.pmf(x, n, p) for x in range(n + 1) if lower[x] <= p <= upper[x])
    grid = bench.unweighted(
        {"wilson": bench.PERCENTAGES["wilson (on Kish's effective base)"]}, [p], [n]
    )
    np.testing.assert_allclose(grid["wilson"][0].covered, 100 * by_hand, rtol=1e-12)
    assert 83 < 100 * by_hand < 84


def test_without_weights_the_given_limits_hold_on_average(bench) -> None:
    methods = {name: bench.PERCENTAGES[name] for name in bench.GIVEN}
    for name, points in bench.unweighted(methods, RATES, BASES).items():
        averaged = np.array([p.averaged for p in points])
        assert averaged.mean() >= 94.5, name
        assert averaged.min() >= 93, name


@pytest.mark.parametrize("effect", [1.5, 3.0])
def test_with_weights_the_given_limits_hold(bench, effect: float) -> None:
    methods = {name: bench.PERCENTAGES[name] for name in bench.GIVEN}
    for name, points in bench.weighted(methods, RATES, BASES, [effect], DRAWS, 1).items():
        assert covered(points).mean() >= 94.5, name
        assert covered(points).min() >= 92 - NOISE, name


def test_strata_and_rates_that_go_with_the_weights(bench) -> None:
    name = bench.GIVEN[1]
    grid = bench.weighted(
        {name: bench.PERCENTAGES[name]}, RATES, BASES, [2.0], DRAWS, 2, slope=0.3, strata=5
    )
    assert covered(grid[name]).mean() >= 94.5
    assert covered(grid[name]).min() >= 92 - NOISE


def test_the_exceptions_are_needed(bench) -> None:
    """Under weights the methods they replace fail: if these hold, the exceptions can go."""
    methods = {k: bench.PERCENTAGES[k] for k in ("logit_beta", "beta")}
    for name, points in bench.weighted(methods, [0.02, 0.05], [50, 200], [3.0], DRAWS, 3).items():
        assert covered(points).mean() < 90, name
    plain = {k: bench.SCORES[k] for k in ("t",)}
    points = bench.of_scores(plain, (8.1, 1.9), [11], [1.0, 3.0], DRAWS, 4)["t"]
    assert covered(points).max() < 92


@pytest.mark.parametrize("shape", [(5.0, 3.2), (8.1, 1.9)])
def test_limits_of_scores_hold(bench, shape: tuple[float, float]) -> None:
    given = {k: bench.SCORES[k] for k in ("**given**",)}
    points = bench.of_scores(given, shape, BASES, [1.0, 1.5, 3.0], DRAWS, 5)["**given**"]
    assert covered(points).mean() >= 94.5
    assert covered(points).min() >= 92 - NOISE


@pytest.mark.parametrize("shape", ["log-normal", "gamma", "one in ten heavy"])
@pytest.mark.parametrize("effect", [1.0, 1.5, 3.0])
def test_weights_have_the_effect_asked_for(bench, shape: str, effect: float) -> None:
    for n in (11, 37, 500):
        found = bench.weights(n, effect, shape)
        assert found.size.sum() == n
        np.testing.assert_allclose(found.effect, effect, rtol=1e-6)


@pytest.mark.parametrize("strata", [1, 5])
def test_simulated_samples_have_the_standard_errors_of_the_engine(bench, strata: int) -> None:
    """The benchmark's own variance, written for classes of one weight, is the library's."""
    classes = bench.weights(60, 2.0)
    one = bench.simulated(classes, 0.3, 1, np.random.default_rng(6), strata=strata)
    yes = np.random.default_rng(6).binomial(classes.size, 0.3)
    stratum = np.arange(classes.size.size) // (classes.size.size // strata)
    w, size = classes.weight, classes.size
    columns = (w * size, w * yes, w**2 * size, w**2 * yes, w**2 * yes)
    sums = RatioSums(*(np.bincount(stratum, column)[:, None] for column in columns))
    n_h = bench.OUTSIDE * np.bincount(stratum, size)
    np.testing.assert_allclose(one.se, ratio_se(sums, n_h), rtol=1e-10)
    np.testing.assert_allclose(one.p, (w @ yes) / (w @ size), rtol=1e-12)
    np.testing.assert_allclose(one.effective, 30, rtol=1e-6)
    assert (one.n[0], one.df[0]) == (60, 60 - strata)
