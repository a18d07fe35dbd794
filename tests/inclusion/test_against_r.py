"""From respondents to results, adjustment, intersections and raking equal R.

Numbers printed by tests/reference/regression.R (`svyglm`), multilevel.R (`lme4`), raking.R (`rake`
and `postStratify`). The formulas on sums are held to R in tests/stats.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.survey import Survey
from tests.estimate.test_calculate_against_r import DESIGNS, OPEN, survey_from_reference
from tests.stats.test_against_r import REFERENCE
from tests.stats.test_multilevel import DATA, printed
from tests.stats.test_raking import COLUMNS, FACTORS, STAFF

STRESS = "work_related_stress"
ADJUSTED = pd.read_csv(REFERENCE / "regression_r_standardised.csv")
ADJUSTED = ADJUSTED[ADJUSTED["model"].isin(["job", "group"])]
KEYS = ["dataset", "design", "lonely"]
CASES = [tuple(key) for key in ADJUSTED[KEYS].drop_duplicates().to_numpy().tolist()]


def with_columns(survey: Survey, **columns: object) -> Survey:
    return replace(survey, responses=survey.responses.assign(**columns))


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_adjusted_gap_equals_svyglm(key: tuple[str, str, str]) -> None:
    dataset, design, lonely = key
    strata, weight, population = DESIGNS[design]
    survey = survey_from_reference(dataset, strata, population, lonely)
    medium = np.where(survey.responses["grp"].eq("medium"), "medium", "other")
    survey = with_columns(survey, job=pd.Categorical(medium))
    found = ca.adjusted_gap(
        survey, STRESS, by="grp2", adjust_for="job", reference="x", weight=weight, rule=OPEN
    )
    ours = found.estimates.table.set_index(["statistic", "group"])
    r = ADJUSTED[(ADJUSTED[KEYS] == list(key)).all(axis=1) & ADJUSTED["model"].eq("job")]
    r = r.set_index("group")
    pairs = {g: ("adjusted_percent", g) for g in "xyz"} | {"z-x": ("adjusted_difference", "z")}
    both = ["value", "se"]
    for theirs, mine in pairs.items():
        np.testing.assert_allclose(
            ours.loc[mine, both].astype(float) / 100, r.loc[theirs, both].astype(float), rtol=1e-8
        )


@pytest.mark.parametrize("model", ["null", "main"])
def test_intersections_equal_lme4(model: str) -> None:
    cells = DATA[DATA["dataset"].eq("crossed")]
    n, yes = cells["n"].to_numpy(), cells["y"].to_numpy().astype(int)
    parts = cells["z"].str.split("/", expand=True)
    characteristics = {"a": cells["x"], "b": parts[0], "c": parts[1]}
    item = ca.load_instrument().items[STRESS]
    said = np.repeat(np.tile(["Yes", "No"], len(n)), np.stack([yes, n - yes], axis=1).ravel())
    responses = pd.DataFrame(
        {
            "org": pd.Categorical(["ZZ1"] * len(said)),
            "year": np.full(len(said), 2024, dtype="int16"),
            STRESS: pd.Categorical(said, dtype=item.dtype),
            **{k: pd.Categorical(np.repeat(v.to_numpy(), n)) for k, v in characteristics.items()},
        }
    )
    survey = Survey(responses, instrument=ca.load_instrument())
    found = ca.intersections(survey, STRESS, by=["a", "b", "c"])
    assert len(found.strata) == 120
    ours = found.variance["variance"].iloc[0 if model == "null" else 1]
    # lme4 by Laplace's approximation, as here; and by ten quadrature points.
    np.testing.assert_allclose(ours, printed(("crossed", model, 1), "variance"), rtol=2e-3)
    np.testing.assert_allclose(ours, printed(("crossed", model, 10), "variance"), rtol=0.02)


@pytest.mark.parametrize("start", ["unweighted", "weighted"])
@pytest.mark.parametrize(
    ("method", "used"),
    [("rake_two", COLUMNS[:2]), ("rake_three", COLUMNS), ("post_one", COLUMNS[1:2])],
)
def test_rake_equals_r(start: str, method: str, used: list[str]) -> None:
    survey = survey_from_reference("everyone", None, None, "fail")
    named = dict(zip(COLUMNS, ["grp", "grp2", "stratum"], strict=True))
    whole = sum(STAFF["stratum"].values())  # so many times R's staff are whole numbers in each
    staff = pd.DataFrame(
        [
            {"breakdown": named[c], "group": g, "staff": 2200 * whole * s // sum(STAFF[c].values())}
            for c in used
            for g, s in STAFF[c].items()
        ]
    )
    weighted = ca.rake(survey, staff, weight="w" if start == "weighted" else None)
    r = weighted.responses
    given = r["weight"] if start == "weighted" else 1.0
    combinations = [r[named[c]] for c in COLUMNS]
    factor = (r["raked"] / given / whole).groupby(combinations, observed=True)
    factor = factor.agg(["min", "max"])
    expected = FACTORS[FACTORS["start"].eq(start) & FACTORS["method"].eq(method)]
    expected = expected.set_index(COLUMNS)["factor"]
    assert len(expected) == len(factor)
    for end in ("min", "max"):
        np.testing.assert_allclose(factor[end], expected.loc[factor.index], rtol=1e-6)
