"""Detectable changes and sample sizes equal R's power tests; readings hold their error rates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats.power import (
    READINGS,
    equivalence,
    minimum_detectable_change,
    sample_needed,
)
from tests.stats.test_against_r import REFERENCE

PRINTED = pd.read_csv(REFERENCE / "power_r.csv")


def rows(test: str) -> list[dict[str, float]]:
    return PRINTED[PRINTED["test"] == test].to_dict("records")


def test_rises_of_percentages_equal_r() -> None:
    assert len(rows("prop_rise")) == 18
    for row in rows("prop_rise"):
        found = minimum_detectable_change(
            100 * row["value"], staff=2 * row["n"], response_rate=50, power=row["power"]
        )
        assert found.rise == pytest.approx(100 * row["change"], abs=1e-3)


def test_a_fall_is_the_rise_of_the_opposite() -> None:
    fall = minimum_detectable_change(70, staff=200, response_rate=60).fall
    assert fall == pytest.approx(minimum_detectable_change(30, staff=200, response_rate=60).rise)


def test_changes_of_scores_equal_r() -> None:
    assert len(rows("t_change")) == 8
    for row in rows("t_change"):
        found = minimum_detectable_change(
            row["value"], staff=row["n"], response_rate=100, sd=row["sd"], power=row["power"],
            scale=(-10, 20),
        )  # fmt: skip
        assert found.rise == pytest.approx(row["change"], rel=1e-5)
        assert found.fall == pytest.approx(row["change"], rel=1e-5)


def test_samples_equal_r() -> None:
    for row in rows("prop_n"):
        change = 100 * (row["extra"] - row["value"])
        assert sample_needed(30, change).respondents == np.ceil(float(row["change"]))
    for row in rows("t_n"):
        found = sample_needed(row["value"], row["extra"], sd=row["sd"])
        assert found.respondents == np.ceil(float(row["change"]))


def test_two_one_sided_tests_equal_r() -> None:
    for row in rows("tost"):
        found = equivalence(row["value"], row["sd"], margin=row["extra"], df=row["n"])
        assert found.lower == pytest.approx(row["change"], abs=1e-9)
        assert found.p_no_worse == pytest.approx(row["p1"], abs=1e-9)
        assert found.p_same == pytest.approx(max(row["p1"], row["p2"]), abs=1e-9)


def test_the_sample_for_a_change_detects_that_change() -> None:
    change = np.array([3.0, 7.0, 12.0])
    needed = sample_needed(25, change)
    for n, target in zip(needed.respondents, change, strict=True):
        enough = minimum_detectable_change(25, staff=n, response_rate=100).rise
        short = minimum_detectable_change(25, staff=n - 1, response_rate=100).rise
        assert enough <= target < short


def test_power_is_what_it_says() -> None:
    rng = np.random.default_rng(12)
    n, runs = 150, 20_000
    rise = float(minimum_detectable_change(30, staff=300, response_rate=50).rise) / 100
    a, b = rng.binomial(n, 0.3, runs) / n, rng.binomial(n, 0.3 + rise, runs) / n
    middle = (a + b) / 2
    z = (b - a) / np.sqrt(2 * middle * (1 - middle) / n)
    assert np.mean(np.abs(z) > 1.959964) == pytest.approx(0.8, abs=0.02)


def test_more_staff_answers_or_the_correction_make_changes_easier_to_see() -> None:
    at = minimum_detectable_change(40, staff=[40, 100, 400, 2000], response_rate=50).rise
    assert (np.diff(at) < 0).all()
    plain = minimum_detectable_change(40, staff=100, response_rate=70).rise
    assert minimum_detectable_change(40, staff=100, response_rate=70, fpc=True).rise < 0.65 * plain
    better = minimum_detectable_change(40, staff=100, response_rate=70, response_rate_after=90)
    assert better.rise < plain
    assert (
        minimum_detectable_change(40, staff=100, response_rate=70, design_effect=1.5).rise > plain
    )
    # Where everyone answers, the correction leaves no doubt.
    everyone = minimum_detectable_change(40, staff=100, response_rate=100, fpc=True)
    assert everyone.rise == pytest.approx(0, abs=1e-6)


def test_the_correction_makes_samples_smaller_as_cochran_says() -> None:
    plain = sample_needed(30, -5, staff=2000).respondents
    corrected = sample_needed(30, -5, staff=2000, fpc=True)
    assert corrected.respondents == pytest.approx(plain / (1 + plain / 2000), abs=1)
    assert corrected.response_rate < 100
    assert sample_needed(30, -5, staff=800).response_rate > 100


def test_units_too_small_for_any_change_say_so() -> None:
    found = minimum_detectable_change([10, 90], staff=12, response_rate=60)
    assert np.isnan(found.fall[0]) and found.rise[0] > 50
    assert np.isnan(found.rise[1]) and found.fall[1] > 50
    nobody = minimum_detectable_change(50, staff=10, response_rate=0)
    assert np.isnan(nobody.rise) and np.isnan(nobody.fall)
    assert np.isnan(minimum_detectable_change(5, staff=2, response_rate=50, sd=2).rise)
    assert np.isnan(sample_needed(3, -5).respondents)
    assert np.isnan(sample_needed(3, 0).respondents)


def test_readings() -> None:
    cases = {
        "better": (5.0, 1.0), "better_within": (1.2, 0.4), "worse": (-5.0, 1.0),
        "worse_within": (-1.2, 0.4), "same": (0.1, 0.5), "no_worse": (1.5, 1.0),
        "no_better": (-1.5, 1.0), "unclear": (0.5, 4.0), "": (np.nan, 1.0),
    }  # fmt: skip
    d, se = np.array(list(cases.values())).T
    found = equivalence(d, se, margin=2)
    assert found.reading.tolist() == list(cases)
    assert set(cases) == set(READINGS)
    turned = equivalence(-d, se, margin=2, better="lower")
    assert turned.reading.tolist() == list(cases)
    np.testing.assert_allclose(turned.lower, -found.upper)


def test_no_worse_is_said_wrongly_one_time_in_twenty() -> None:
    rng = np.random.default_rng(7)
    runs, df = 40_000, 30
    # Worse by exactly the margin: "no worse" and "same" are then wrong.
    se = np.sqrt(rng.chisquare(df, runs) / df)
    d = rng.normal(-2, 1, runs)
    found = equivalence(d, se, margin=2, df=df)
    assert np.mean(found.p_no_worse <= 0.05) == pytest.approx(0.05, abs=0.004)
    wrong = np.isin(found.reading, ["same", "no_worse", "better", "better_within"])
    assert wrong.mean() <= 0.054
    expected = stats.t.sf((d + 2) / se, df)
    np.testing.assert_allclose(found.p_no_worse, expected, atol=1e-12)


def test_what_cannot_be() -> None:
    with pytest.raises(CultureAnalyticsError, match="1 of 2 figures lie outside 0 to 100"):
        minimum_detectable_change([30, 130], staff=100, response_rate=50)
    with pytest.raises(CultureAnalyticsError, match="response rates"):
        minimum_detectable_change(30, staff=100, response_rate=150)
    with pytest.raises(CultureAnalyticsError, match="power must lie"):
        minimum_detectable_change(30, staff=100, response_rate=50, power=80)
    with pytest.raises(CultureAnalyticsError, match="needs the staff"):
        sample_needed(30, 5, fpc=True)
    with pytest.raises(CultureAnalyticsError, match="margin"):
        equivalence(1.0, 1.0, margin=0)
    with pytest.raises(CultureAnalyticsError, match="'higher' and 'lower'"):
        equivalence(1.0, 1.0, margin=1, better="up")


def test_scores_have_a_change_to_detect_at_every_size_and_spread() -> None:
    """SciPy's non-central t gives no number here and there, far out: that is a certain find."""
    n, sd = (x.ravel() for x in np.meshgrid(np.arange(40.0, 900.0, 7.0), np.linspace(1.2, 2.8, 33)))
    found = minimum_detectable_change(5.1, staff=n, response_rate=100, sd=sd)
    expected = sd * np.sqrt(2 / n) * (1.959964 + 0.841621)
    for change in (found.rise, found.fall):
        np.testing.assert_allclose(change, expected, rtol=0.02)
