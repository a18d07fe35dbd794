"""The scoring rules, tested on every published score of every organisation."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from culture_analytics.instrument import Instrument
from culture_analytics.read.published import read_published
from tests.read_published.conftest import Published

SCRIPT = Path(__file__).parents[2] / "benchmarks/check_scoring.py"


@pytest.fixture(scope="session")
def check_scoring() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_scoring", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_scoring"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def compared(check_scoring: ModuleType, real_organisational: Published) -> pd.DataFrame:
    result: pd.DataFrame = check_scoring.compare(real_organisational.estimates.table)
    return result


def test_every_score_of_every_organisation_is_compared(
    compared: pd.DataFrame, instrument: Instrument
) -> None:
    counts = compared.groupby("score").size()
    assert set(counts.index) == set(instrument.scores)
    assert (counts == 263).all()
    assert compared["error"].notna().all()


@pytest.mark.parametrize(
    ("score", "bound"),
    [("appraisals", 0.06), ("health_and_safety_climate", 0.15), ("", 0.05)],
)
def test_within_the_bounds(compared: pd.DataFrame, score: str, bound: float) -> None:
    wider = ("appraisals", "health_and_safety_climate")
    rows = compared[compared["score"].eq(score) if score else ~compared["score"].isin(wider)]
    assert len(rows) >= 263
    assert rows["error"].abs().max() <= bound


def test_most_are_far_closer(compared: pd.DataFrame) -> None:
    rmse = compared.groupby("score")["error"].apply(lambda e: float(np.sqrt(np.mean(e**2))))
    assert (rmse < 0.0125).drop("health_and_safety_climate").all()
    assert rmse.median() < 0.004


def test_rival_rules_are_found_out(
    check_scoring: ModuleType, real_organisational: Published, instrument: Instrument
) -> None:
    """The check can fail: plausible other rules are far outside, or much worse."""
    table = real_organisational.estimates.table
    rivals = check_scoring.try_rivals(table, instrument)
    accepted = check_scoring.summarise(check_scoring.compare(table), instrument)
    ours = rivals["code"].map(accepted.set_index("code")["rmse"])
    assert (rivals["rmse"] > 1.5 * ours).all()
    easy = rivals["code"].ne("PP4_1")  # the routed items move that score by under 0.1
    assert (rivals.loc[easy, "largest"] > 0.15).all()


def test_the_check_runs_on_a_synthetic_workbook(
    check_scoring: ModuleType, synthetic: dict[str, Path], instrument: Instrument
) -> None:
    """Without the official file: the library's own scores, recomputed the same way."""
    compared = check_scoring.compare(read_published(synthetic["organisational"]).table)
    summary = check_scoring.summarise(compared, instrument)
    assert len(summary) == 30 and (summary["organisations"] == 12).all()
    # 500 respondents an organisation leave more chance in who lacks which item.
    assert (summary["largest"] < 0.2).all()
