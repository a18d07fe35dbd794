"""Funnels against FunnelPlotR (NHS-R) and PHEindicatormethods (DHSC): published test numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats.funnel import (
    arcsine_limits,
    plain_limits,
    poisson_limits,
    proportion_funnel,
    ratio_funnel,
)

HERE = Path(__file__).parents[1] / "reference"
NUMBERS = json.loads((HERE / "funnel_overdispersion.json").read_text(encoding="utf-8"))


def test_arcsine_funnel_with_over_dispersion() -> None:
    wanted = NUMBERS["proportions"]
    n = np.array(wanted["denominator"])
    found = proportion_funnel(np.array(wanted["numerator"]) / n, n)
    for name, value in [
        ("target", found.target), ("y", found.y), ("s", found.s), ("z_unadjusted", found.z),
        ("z_winsorised", found.z_trimmed), ("phi", found.phi), ("tau2", found.tau2),
        ("z_od", found.z_od),
    ]:  # fmt: skip
        assert np.abs(np.subtract(value, wanted[name])).max() < 1e-9, name
    limits = wanted["limits_n2000"]
    usual = 1 - 2 * ndtr(-3.090232)  # the source rounds this quantile
    for name, tau2, level in [
        ("od95", found.tau2, 0.95), ("od998", found.tau2, usual), ("naive95", 0.0, 0.95),
    ]:  # fmt: skip
        given = arcsine_limits(found.target, 2000, tau2=tau2, level=level)
        assert np.abs(np.subtract(given, limits[name])).max() < 1e-9, name


def test_ratio_funnels() -> None:
    wanted = NUMBERS["ratios"]
    counts = wanted["numerator"], wanted["denominator"]
    root = ratio_funnel(*counts)
    assert abs(root.phi - wanted["phi_CQC_winsorised"]) < 1e-9
    assert abs(root.tau2 - wanted["tau2_CQC"]) < 1e-9
    log = ratio_funnel(*counts, scale="log", trim="truncate")
    assert np.abs(log.z - wanted["z_SHMI"]).max() < 1e-9
    assert abs(log.phi - wanted["phi_SHMI_truncated"]) < 1e-9


def test_exact_poisson_limits() -> None:
    wanted = NUMBERS["poisson_limits_test"]
    for level, names in [(0.95, ("ll95", "ul95")), (0.998, ("ll998", "ul998"))]:
        found = poisson_limits(wanted["n"], level=level)
        for side, name in zip(found, names, strict=True):
            assert side == pytest.approx(wanted[name], abs=1e-6)


def test_plain_limits_equal_phe() -> None:
    wanted = pd.read_csv(HERE / "phe_funnel_prop_outputs.csv")
    target = wanted["Baseline"].iloc[0] / 100
    for level, which in [(0.95, "2s0025"), (0.998, "3s0001")]:
        lower, upper = plain_limits(target, wanted["Population"], level=level)
        # The table is printed to six decimals of a percentage.
        assert 100 * lower == pytest.approx(wanted[f"Lower{which}limit"], abs=1.5e-6)
        assert 100 * upper == pytest.approx(wanted[f"Upper{which}limit"], abs=1.5e-6)


def test_areas_flagged_by_phe_and_how_few_remain_when_over_dispersion_is_allowed_for() -> None:
    areas = pd.read_csv(HERE / "phe_funnel_prop_inputs.csv")
    share = areas["numerator"] / areas["denominator"]
    target = areas["numerator"].sum() / areas["denominator"].sum()
    low2, high2 = plain_limits(target, areas["denominator"], level=0.95)
    low3, high3 = plain_limits(target, areas["denominator"], level=0.998)
    flags = np.select(
        [share < low3, share > high3, share < low2, share > high2],
        ["Low (0.001)", "High (0.001)", "Low (0.025)", "High (0.025)"],
        "Not significant",
    )
    assert len(areas) == 303
    assert (flags == areas["significance"]).all()
    beyond = int(np.isin(flags, ["Low (0.001)", "High (0.001)"]).sum())
    assert beyond == 260
    found = proportion_funnel(share, areas["denominator"])
    assert np.count_nonzero(np.abs(found.z_od) > 3.09) < 0.1 * beyond


def test_truncation_cuts_whole_organisations() -> None:
    p = np.linspace(0.2, 0.6, 20)
    found = proportion_funnel(p, np.full(20, 500), trim="truncate")
    assert np.flatnonzero(np.isnan(found.z_trimmed)).tolist() == [0, 1, 18, 19]
    assert found.phi == pytest.approx(np.mean(found.z[2:-2] ** 2))


def test_no_over_dispersion_means_the_plain_funnel() -> None:
    found = proportion_funnel([0.4, 0.4, 0.401, 0.399, 0.4], np.full(5, 400.0))
    assert found.tau2 == 0
    assert found.z_od == pytest.approx(found.z)


def test_missing_organisations_take_no_part() -> None:
    p, n = np.array([0.4, 0.5, 0.3, 0.45, 0.35]), np.full(5, 300.0)
    whole = proportion_funnel(p, n)
    more = proportion_funnel([*p, np.nan, 0.9], [*n, 500.0, 0.0])
    assert more.z_od[:5] == pytest.approx(whole.z_od)
    assert np.isnan(more.z_od[5:]).all() and np.isnan(more.p_value[5:]).all()
    few = proportion_funnel([0.4, 0.5], [100, 100])
    assert np.isnan(few.z_od).all() and np.isnan(few.tau2)


def test_limits_stay_within_the_scale() -> None:
    for limits in (arcsine_limits(0.01, [1, 5, 0], tau2=0.1), plain_limits(0.99, [1, 5, 0])):
        lower, upper = limits
        assert (lower[:2] >= 0).all() and (upper[:2] <= 1).all() and (lower < upper)[:2].all()
        assert np.isnan(lower[2]) and np.isnan(upper[2])


@pytest.mark.parametrize("options", [{"trim": "cut"}, {"tail": 0.5}, {"target": 1.2}])
def test_impossible_options_are_refused(options: dict) -> None:
    with pytest.raises(CultureAnalyticsError):
        proportion_funnel([0.2, 0.3, 0.4], [50, 60, 70], **options)
    with pytest.raises(CultureAnalyticsError, match="scale"):
        ratio_funnel([1, 2, 3], [1, 2, 3], scale="square")
