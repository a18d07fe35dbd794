"""On synthetic trusts of known truth flags hold their error rates, and still find what is there.

The whole table of settings: benchmarks/false_flags.py.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from culture_analytics.compare import compare_years, funnel
from culture_analytics.disclosure.rules import load_rule
from culture_analytics.estimates import Estimates
from culture_analytics.stats.funnel import calibrated_funnel, proportion_funnel


@pytest.fixture(scope="module")
def flags() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "false_flags.py"
    spec = importlib.util.spec_from_file_location("false_flags", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["false_flags"] = module
    spec.loader.exec_module(module)
    return module


def test_year_on_year_flags_hold_their_rate(flags: ModuleType) -> None:
    for found in [*flags.years(150, 800, seed=11), *flags.scores(150, 200, seed=12)]:
        assert found.holds, str(found)
    one = flags.years(150, 800, seed=11)[0]
    assert one.rate > 0.02  # and are not merely silent


def test_year_on_year_flags_find_a_real_change(flags: ModuleType) -> None:
    keys = pd.DataFrame({"year": [2022, 2024], "org": "ZZ1", "measure": "work_related_stress"})
    base = np.array([3000, 3000])
    frame = flags.percentages(np.array([1260, 1410]), base, keys, "extract")  # 42 % and 47 %
    row = compare_years(Estimates(frame, rule=load_rule("default"))).table.iloc[0]
    assert row["p_adjusted"] < 0.001 and row["lower"] > 0


def test_funnel_flags_hold_their_rate() -> None:
    # The arrays alone, so that many runs take a second: ordinary trusts, far apart.
    rng = np.random.default_rng(7)
    runs, trusts = 250, 30
    calibrated, usual = np.zeros(runs), np.zeros(runs)
    for run in range(runs):
        n = rng.integers(400, 6000, trusts)
        spread = np.sqrt(8 * np.mean(1 / (4 * n)))
        true = np.sin(rng.normal(np.arcsin(np.sqrt(0.3)), spread, trusts)) ** 2
        p = rng.binomial(n, true) / n
        calibrated[run] = (calibrated_funnel(p, n).p_value < 0.05).mean()
        usual[run] = (proportion_funnel(p, n).p_value < 0.05).mean()
    error = calibrated.std(ddof=1) / runs**0.5
    assert 0.02 < calibrated.mean() <= 0.05 + 2 * error
    # Why there are two: drawing in the tails without allowing for it flags twice as many.
    assert usual.mean() > 0.08


def test_whole_funnels_hold_their_rate_and_find_an_outlier(flags: ModuleType) -> None:
    for found in flags.funnels(12, 40, 8.0, seed=5):
        assert found.holds, str(found)
    rng = np.random.default_rng(3)
    orgs = [f"ZZ{k:02d}" for k in range(40)]
    base = rng.integers(1000, 5000, 40)
    # Ordinary trusts: evenly spaced quantiles of a normal spread, none of them far out.
    true = rng.permutation(0.40 + 0.02 * ndtri((np.arange(40) + 0.5) / 40))
    true[6] = 0.55
    keys = pd.DataFrame({"org": orgs, "year": 2024, "measure": "work_related_stress"})
    places = pd.DataFrame({"org": orgs, "name": orgs, "benchmark_group": "Made-up trusts",
                           "region": None, "ics": None})  # fmt: skip
    frame = flags.percentages(rng.binomial(base, true), base, keys, "published")
    table = funnel(Estimates(frame, rule=load_rule("nss-2024"), organisations=places)).table
    judged = table[table["statistic"] == "funnel_z"].set_index("org")
    assert judged.index[judged["p_adjusted"] < 0.05].tolist() == ["ZZ06"]
