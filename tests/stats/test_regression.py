"""Design-based logistic regression and standardised percentages equal R's survey package.

The numbers were printed by tests/reference/regression.R from tests/reference/design_data.csv.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError, DesignError
from culture_analytics.stats.regression import (
    LogisticFit,
    LogisticSums,
    logistic_regression,
    standardised_gap,
    standardised_percentages,
    treatment_coding,
)
from tests.stats.test_against_r import DESIGNS, REFERENCE, respondents

COEFFICIENTS = pd.read_csv(REFERENCE / "regression_r.csv")
STANDARDISED = pd.read_csv(REFERENCE / "regression_r_standardised.csv")
KEYS = ["dataset", "design", "lonely", "model"]
CASES = [tuple(key) for key in COEFFICIENTS[KEYS].drop_duplicates().to_numpy()]
GROUPS = ["x", "y", "z"]


def columns(model: str, group: np.ndarray, medium: np.ndarray, score: np.ndarray) -> np.ndarray:
    """R's model matrix."""
    one, y, z = np.ones(len(group)), group == "y", group == "z"
    kinds = {
        "group": [one, y, z],
        "job": [one, y, z, medium],
        "crossed": [one, y, z, medium, y * medium, z * medium],
        "number": [one, y, z, medium, score],
    }
    return np.column_stack(kinds[model]).astype(float)


def sums_of(y: np.ndarray, w: np.ndarray, stratum: np.ndarray, pattern: np.ndarray) -> Any:
    """(stratum, pattern) pairs that occur and their sums."""
    pairs, at = np.unique(np.column_stack([stratum, pattern]), axis=0, return_inverse=True)
    values = (np.ones(len(y)), y, w, w * y, w**2, w**2 * y)
    sums = LogisticSums(*(np.bincount(at.ravel(), value) for value in values))
    return pairs[:, 0], pairs[:, 1], sums


def fit_case(key: tuple[str, ...], **options: Any) -> tuple[LogisticFit, list[np.ndarray]]:
    dataset, design, lonely, model = key
    strata, weights, fpc = DESIGNS[design]
    data = respondents(dataset)
    stratum = pd.factorize(data["stratum"])[0] if strata else np.zeros(len(data), dtype=int)
    n_h = np.bincount(stratum)
    population = data.groupby(stratum)["population"].first().to_numpy() if fpc else None
    w = data["weight"].to_numpy() if weights else np.ones(len(data))
    answered = data["y01"].notna().to_numpy()
    if model == "number":
        answered = answered & data["score"].notna().to_numpy()
    part = data[answered]
    parts = part["group2"].to_numpy(), (part["group"] == "medium").to_numpy(), part["score"]
    x = columns(model, *parts)
    patterns, first, pattern = np.unique(x, axis=0, return_index=True, return_inverse=True)
    h, at, sums = sums_of(part["y01"].to_numpy(), w[answered], stratum[answered], pattern.ravel())
    fit = logistic_regression(
        patterns, at, h, sums, n_h, population_h=population, lonely=lonely, **options
    )
    medium, score = (np.asarray(values)[first] for values in parts[1:])
    settings = [columns(model, np.full(len(first), g), medium, score) for g in GROUPS]
    return fit, settings


def test_the_reference_covers_what_it_should() -> None:
    assert set(COEFFICIENTS["design"]) == set(DESIGNS) - {"stratified_unweighted"}
    assert set(COEFFICIENTS["lonely"]) == {"fail", "remove", "adjust", "average"}
    assert len(COEFFICIENTS) >= 150
    assert len(STANDARDISED) >= 150


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_coefficients_and_standard_errors(key: tuple[str, ...]) -> None:
    fit, _ = fit_case(key)
    rows = COEFFICIENTS[(COEFFICIENTS[KEYS] == list(key)).all(axis=1)]
    np.testing.assert_allclose(fit.coefficients, rows["estimate"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(fit.se, rows["se"], rtol=1e-8)
    assert fit.df == rows["df"].iloc[0]


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_standardised_percentages_and_gap(key: tuple[str, ...]) -> None:
    fit, settings = fit_case(key)
    rows = STANDARDISED[(STANDARDISED[KEYS] == list(key)).all(axis=1)].set_index("group")
    found = standardised_percentages(fit, settings)
    gap = standardised_gap(found, 2, 0)
    np.testing.assert_allclose(found.value, rows.loc[GROUPS, "value"], rtol=1e-9)
    np.testing.assert_allclose(found.se, rows.loc[GROUPS, "se"], rtol=1e-8)
    np.testing.assert_allclose(gap[:2], rows.loc["z-x", ["value", "se"]].astype(float), rtol=1e-7)
    assert ((found.lower < found.value) & (found.value < found.upper)).all()
    # The reference also shows that the spread of the covariates is counted, not left out.
    if key[-1] != "group":
        assert (rows.loc[GROUPS, "fixed_se"] != rows.loc[GROUPS, "se"]).all()


def test_a_saturated_model_gives_the_crude_percentages_back() -> None:
    fit, settings = fit_case(("many", "stratified_fpc", "fail", "group"))
    data = respondents("many").dropna(subset="y01")
    crude = [np.average(g["y01"], weights=g["weight"]) for _, g in data.groupby("group2")]
    np.testing.assert_allclose(standardised_percentages(fit, settings).value, crude, rtol=1e-10)


def answers(n: list[float], yes: list[float]) -> LogisticSums:
    return LogisticSums(n, yes, n, yes, n, yes)


def fit_simple(x: Any, n: list[float], yes: list[float], **options: Any) -> LogisticFit:
    k = len(n)
    return logistic_regression(x, range(k), [0] * k, answers(n, yes), [sum(n)], **options)


def test_too_few_in_a_group_is_refused_by_name() -> None:
    x = [[1, 0], [1, 1]]
    options: dict[str, Any] = {"group": [0, 1], "group_names": ["White", "Other"]}
    with pytest.raises(AdjustmentError, match=r"1 of 2 groups have fewer than 50 .*'Other'"):
        fit_simple(x, [200, 49], [100, 24], **options)
    assert fit_simple(x, [200, 50], [100, 24], **options).base == 250


def test_a_group_without_any_pattern_is_refused_too() -> None:
    with pytest.raises(AdjustmentError, match="'Prefer not'"):
        fit_simple(
            [[1, 0], [1, 1]],
            [200, 90],
            [100, 24],
            group=[0, 1],
            group_names=["White", "Other", "Prefer not"],
        )


@pytest.mark.parametrize("flip", [False, True])
def test_too_few_events_are_refused(flip: bool) -> None:
    def yes(*counts: int) -> list[float]:
        return [300 - c if flip else c for c in counts]

    x = [[1, 0], [1, 1]]
    with pytest.raises(AdjustmentError, match=r"19 answers .* 2 parameters.*\(20\)"):
        fit_simple(x, [300, 300], yes(10, 9))
    assert fit_simple(x, [300, 300], yes(10, 10)).events == 20


@pytest.mark.parametrize("yes", [0, 300])
def test_nobody_or_everybody_is_refused_even_without_the_rule(yes: int) -> None:
    with pytest.raises(AdjustmentError, match="0 answers of the rarer kind"):
        fit_simple([[1, 0], [1, 1]], [300, 300], [yes, yes], fewest_events=0)


@pytest.mark.parametrize(
    ("yes", "name"), [([100, 60, 0], "z"), ([100, 300, 60], "y"), ([0, 60, 60], "(intercept)")]
)
def test_separation_is_refused_and_named(yes: list[float], name: str) -> None:
    x, terms = treatment_coding([[0], [1], [2]], [["x", "y", "z"]], ["g"])
    with pytest.raises(AdjustmentError, match="separation") as caught:
        fit_simple(x, [300, 300, 300], yes, names=terms)
    assert name in str(caught.value)


def test_separation_by_a_combination_is_refused() -> None:
    # Neither column alone picks out people who all answered alike; their difference does.
    x = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]])
    with pytest.raises(AdjustmentError, match="separation"):
        fit_simple(x, [100, 100, 100, 100], [40, 100, 0, 55])


def test_rare_but_possible_answers_are_fitted() -> None:
    fit = fit_simple([[1, 0], [1, 1]], [100_000, 100_000], [20, 100_000 - 20])
    np.testing.assert_allclose(fit.coefficients[1], 2 * np.log(99_980 / 20), rtol=1e-10)


@pytest.mark.parametrize(
    "x",
    [
        [[1, 0, 0], [1, 1, 1], [1, 0, 0]],  # one column is another
        [[1, 0, 1], [1, 1, 0], [1, 0, 1]],  # it is the intercept less another
        [[1, 0, 0], [1, 1, 0], [1, 1, 0]],  # nobody
        [[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 1]],  # more columns than patterns
    ],
)
def test_collinearity_is_refused_and_named(x: list[list[float]]) -> None:
    names = ["(intercept)", "a", "b", "c"][: len(x[0])]
    with pytest.raises(AdjustmentError, match=r"cannot be told apart .*\b[bc]\b"):
        fit_simple(x, [300, 300, 300], [100, 60, 80], names=names)


def test_a_column_of_another_size_is_not_called_collinear() -> None:
    x = np.array([[1, 0, 2e6], [1, 1, 2e6 + 40], [1, 0, 2e6 + 90], [1, 1, 2e6 + 30]])
    fit = fit_simple(x, [300] * 4, [100, 60, 80, 90])
    near = fit_simple(x - [0, 0, 2e6], [300] * 4, [100, 60, 80, 90])
    np.testing.assert_allclose(fit.coefficients[1:], near.coefficients[1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"yes": [400, 60]}, "cannot be"),
        ({"pattern": [0, 5]}, "pattern that does not exist"),
        ({"stratum": [0, 1]}, "stratum that does not exist"),
        ({"pattern": [0]}, "differ in length"),
        ({"x": [[1, 0], [1, np.nan]]}, "not a number"),
    ],
)
def test_impossible_input_is_refused(change: dict[str, Any], match: str) -> None:
    given: dict[str, Any] = {
        "x": [[1, 0], [1, 1]],
        "pattern": [0, 1],
        "stratum": [0, 0],
        "yes": [100, 60],
    } | change
    with pytest.raises(CultureAnalyticsError, match=match):
        logistic_regression(
            given["x"], given["pattern"], given["stratum"], answers([300, 300], given["yes"]), [600]
        )


def test_a_lonely_stratum_fails_by_default() -> None:
    with pytest.raises(DesignError, match="one respondent"):
        fit_case(("everyone", "stratified", "fail", "group"))


def test_no_message_or_repr_holds_answers() -> None:
    fit = fit_simple([[1, 0], [1, 1]], [300, 300], [123, 77])
    assert repr(fit) == "<LogisticFit: 2 parameters, 600 answers>"


def test_treatment_coding_refuses_codes_without_labels() -> None:
    with pytest.raises(CultureAnalyticsError, match="1 of 2 codes have no label"):
        treatment_coding([[0], [-1]], [["a", "b"]], ["g"])
    with pytest.raises(CultureAnalyticsError, match="factors"):
        treatment_coding([[0], [1]], [["a", "b"]], ["g", "h"])


def test_splitting_cells_changes_nothing() -> None:
    """The same respondents in more (stratum, pattern) pairs, and in any order."""
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(12), np.repeat([0, 1], 6), np.tile(np.arange(6), 2)])
    n = rng.integers(40, 90, 12).astype(float)
    yes = np.round(n * rng.uniform(0.2, 0.6, 12))
    once = logistic_regression(x, range(12), [0] * 12, answers(n, yes), [n.sum()])
    order = rng.permutation(24)
    parts = (np.r_[n - 20, np.full(12, 20)], np.r_[yes - 5, np.full(12, 5)])
    twice = logistic_regression(
        np.r_[x, x], order, [0] * 24, answers(*(p[order] for p in parts)), [n.sum()]
    )
    np.testing.assert_allclose(once.coefficients, twice.coefficients, rtol=1e-10)
    np.testing.assert_allclose(once.covariance, twice.covariance, rtol=1e-9)


POINTS = [  # respondents, shares of (group, job), coefficients, spread of log weights
    (500, (0.4, 0.2, 0.1, 0.3), (0.0, 0.4, -0.3), 0.8),
    (600, (0.6, 0.3, 0.05, 0.05), (-2.8, 0.0, 0.5), 0.0),
    (600, (0.6, 0.3, 0.05, 0.05), (-2.8, 1.0, 0.5), 0.5),
    (1200, (0.65, 0.3, 0.02, 0.03), (-3.2, 0.8, 0.3), 0.5),
    (800, (0.6, 0.32, 0.04, 0.04), (-1.0, -0.6, -0.3), 0.8),
]


def coverage(point: Any, runs: int) -> float:
    size, share, beta, spread = point
    rng = np.random.default_rng(11)
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    labels, factors = [["a", "b"], ["c", "d"]], ["g", "job"]
    x, terms = treatment_coding(codes, labels, factors)
    settings = [treatment_coding(np.c_[[g] * 4, codes[:, 1]], labels, factors)[0] for g in (0, 1)]
    p = 1 / (1 + np.exp(-x @ beta))
    first, second = (share @ (1 / (1 + np.exp(-setting @ beta))) for setting in settings)
    held = fitted = 0
    for _ in range(runs):
        pattern = rng.choice(4, size, p=share)
        w = np.exp(rng.normal(0, spread, size))
        y = (rng.random(size) < p[pattern]).astype(float)
        h, at, sums = sums_of(y, w, np.zeros(size, dtype=int), pattern)
        try:
            fit = logistic_regression(x, at, h, sums, [size], names=terms, group=codes[:, 0])
        except AdjustmentError:
            continue
        found = standardised_percentages(fit, settings, effective_base=fit.effective_base)
        gap = standardised_gap(found, 1, 0)
        held += gap.lower <= second - first <= gap.upper
        fitted += 1
        assert (gap.p_value < 0.05) == (not gap.lower <= 0 <= gap.upper)
    assert fitted > runs / 2
    return held / fitted


def test_coverage_of_the_adjusted_gap() -> None:
    """Small groups, rare answers, unequal weights: 95 % limits hold the true gap."""
    runs = 300
    held = np.array([coverage(point, runs) for point in POINTS])
    noise = np.sqrt(0.95 * 0.05 / runs)
    assert held.mean() >= 0.945 - 2 * noise / np.sqrt(len(POINTS))
    assert held.min() >= 0.92


def test_p_of_a_gap_falls_with_the_gap_and_never_reaches_nought() -> None:
    ps = []
    for yes in ([60, 60], [60, 90], [60, 200]):
        fit = fit_simple([[1, 0], [1, 1]], [300, 300], yes)
        found = standardised_percentages(fit, [[[1, 0], [1, 0]], [[1, 1], [1, 1]]])
        ps.append(standardised_gap(found, 1, 0).p_value)
    assert 1 >= ps[0] > 0.99
    assert 0.001 < ps[1] < 0.01
    assert 0 < ps[2] < 1e-12


def test_effective_bases_are_those_of_the_groups() -> None:
    rng = np.random.default_rng(3)
    group, w = rng.integers(0, 2, 400), rng.uniform(0.3, 3, 400)
    h, at, sums = sums_of((rng.random(400) < 0.4).astype(float), w, np.zeros(400, int), group)
    fit = logistic_regression([[1, 0], [1, 1]], at, h, sums, [400], group=[0, 1])
    expected = [w[group == g].sum() ** 2 / (w[group == g] ** 2).sum() for g in (0, 1)]
    np.testing.assert_allclose(fit.effective_base, expected, rtol=1e-12)


def test_national_size_is_fast() -> None:
    """775,000 answers in 220 strata and 2,000 patterns of 40 parameters."""
    rng = np.random.default_rng(2)
    sizes = [2, 10, 10, 10]
    codes = np.stack(np.unravel_index(np.arange(2000), sizes), axis=1)
    levels = [[str(i) for i in range(size)] for size in sizes]
    x, terms = treatment_coding(codes, levels, list("abcd"))
    effect = rng.normal(0, 0.3, x.shape[1])
    stratum, pattern = (a.ravel() for a in np.meshgrid(range(220), range(2000), indexing="ij"))
    n = rng.poisson(775_000 / stratum.size, stratum.size).astype(float)
    yes = rng.binomial(n.astype(int), 1 / (1 + np.exp(1 - x @ effect))[pattern]).astype(float)
    started = time.process_time()
    fit = logistic_regression(
        x, pattern, stratum, answers(n, yes), np.bincount(stratum, n), names=terms
    )
    settings = [x.copy(), x.copy()]
    settings[0][:, 1], settings[1][:, 1] = 0, 1
    standardised_percentages(fit, settings)
    assert time.process_time() - started < 10
    assert np.abs((fit.coefficients[1:] - effect[1:]) / fit.se[1:]).max() < 5
    assert fit.base == n.sum()
