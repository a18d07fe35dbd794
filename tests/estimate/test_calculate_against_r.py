"""`calculate`, from respondents to limits, equals R's survey package.

Reference: tests/reference/survey_r.csv, printed by tests/reference/make_reference.R.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.stats.limits import FEW_ANSWERS

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
OPEN = ca.Rule.none(reason="comparing with R in a test")
DESIGNS = {  # name: (strata, weight, population)
    "unweighted": (None, None, None),
    "weighted": (None, "w", None),
    "stratified": ("stratum", "w", None),
    "stratified_fpc": ("stratum", "w", "population"),
    "stratified_unweighted": ("stratum", None, None),
}


@pytest.fixture(scope="module")
def r_numbers():
    return pd.read_csv(REFERENCE / "survey_r.csv", keep_default_na=False, na_values={"se": [""]})


def survey_from_reference(dataset, strata, population, lonely):
    """The reference respondents as a Survey; their yes/no outcome stands in for an item."""
    data = pd.read_csv(REFERENCE / "design_data.csv", keep_default_na=False, na_values=[""])
    if dataset == "many":
        data = data[data["stratum"] != "s6"].reset_index(drop=True)
    instrument = ca.load_instrument()
    item = instrument.items["work_related_stress"]
    answer = data["y01"].map({1.0: "Yes", 0.0: "No"}).astype(object)
    responses = pd.DataFrame(
        {
            "org": pd.Categorical(["ZZ1"] * len(data)),
            "year": np.full(len(data), 2024, dtype="int16"),
            item.id: pd.Categorical(answer, dtype=item.dtype),
            "grp": pd.Categorical(data["group"]),
            "grp2": pd.Categorical(data["group2"]),
            "stratum": pd.Categorical(data["stratum"]),
            "population": data["population"].astype(float),
            "weight": data["weight"],
        }
    )
    design = ca.Design(weights={"w": "weight"}, strata=strata, population=population, lonely=lonely)
    return ca.Survey(responses, instrument=instrument, design=design)


CASES = [("many", d, "fail") for d in DESIGNS] + [
    ("everyone", d, lonely)
    for d in DESIGNS
    if d.startswith("stratified")
    for lonely in ("remove", "adjust", "average")
]


@pytest.mark.parametrize(("dataset", "design", "lonely"), CASES)
def test_equal_to_r(r_numbers, dataset, design, lonely):
    strata, weight, population = DESIGNS[design]
    survey = survey_from_reference(dataset, strata, population, lonely)
    ours = ca.calculate(
        survey, "work_related_stress", by=["grp", "grp2", "grp:grp2"], weight=weight, rule=OPEN
    ).table.set_index(["breakdown", "group"])
    theirs = r_numbers[
        (r_numbers["dataset"] == dataset)
        & (r_numbers["design"] == design)
        & (r_numbers["lonely"] == lonely)
        & (r_numbers["outcome"] == "y01")
        & (r_numbers["level"].astype(float) == 0.95)
    ]
    compared = limits_compared = 0
    for _, row in theirs.iterrows():
        if row["group"] and row["group2"]:
            key = ("grp:grp2", f"{row['group']} | {row['group2']}")
        elif row["group"] or row["group2"]:
            key = ("grp", row["group"]) if row["group"] else ("grp2", row["group2"])
        else:
            key = ("overall", "All staff")
        found = ours.loc[key]
        assert found["base"] == int(row["n"])
        assert found["df"] == float(row["df"])
        np.testing.assert_allclose(found["value"] / 100, float(row["estimate"]), rtol=1e-12)
        np.testing.assert_allclose(found["se"] / 100, float(row["se"]), rtol=1e-9, atol=1e-14)
        compared += 1
        if not strata or not row["xlogit_lower"]:
            continue
        p, worth = found["value"] / 100, found["effective_base"]
        if weight and worth * min(p, 1 - p) < FEW_ANSWERS:  # where R's limits are known to fail
            assert found["method"] == "wilson_weighted"
            continue
        limits = [float(row["xlogit_lower"]), float(row["xlogit_upper"])]
        np.testing.assert_allclose([found["lower"] / 100, found["upper"] / 100], limits, rtol=1e-8)
        assert found["method"] == "logit"
        limits_compared += 1
    assert compared >= 18
    assert limits_compared >= (8 if strata else 0)


def test_lonely_stratum_is_refused_by_default():
    survey = survey_from_reference("everyone", "stratum", None, "fail")
    with pytest.raises(ca.CultureAnalyticsError, match="1 of 6 strata have one respondent"):
        ca.calculate(survey, "work_related_stress")
