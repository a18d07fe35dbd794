"""Survey, Design and combine: what they hold and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.errors import DesignError, ExtractError, MeasureError


def test_years_stack_with_the_instruments_categories(survey_of):
    survey = survey_of(80, years=(2024, 2025))
    assert survey.years == (2024, 2025)
    for item in survey.items:
        assert survey.responses[item].dtype == survey.instrument.items[item].dtype
    only_2025 = survey.responses.loc[survey.responses["year"] == 2024, "discrimination_grounds_sex"]
    assert only_2025.isna().all()
    assert survey.units == ("directorate", "team")


def test_local_columns_take_the_union_of_their_categories(survey_of):
    a = survey_of(30, columns={"site": pd.Categorical(["North"] * 30)})
    b = survey_of(30, years=(2025,), columns={"site": pd.Categorical(["South"] * 30)})
    site = ca.combine([a, b]).responses["site"]
    assert list(site.cat.categories) == ["North", "South"]
    assert site.value_counts().tolist() == [30, 30]
    c = survey_of(30, years=(2023,))
    assert ca.combine([a, c]).responses["site"].isna().sum() == 30


def test_the_same_year_twice_is_refused(survey_of):
    with pytest.raises(ExtractError, match="1 organisation-years stand in more than one survey"):
        ca.combine([survey_of(20), survey_of(20, seed=2)])


def test_strings_are_not_answers(survey_of):
    survey = survey_of(20)
    wrong = survey.responses.assign(work_related_stress="Yes")
    with pytest.raises(ExtractError, match="work_related_stress"):
        ca.Survey(wrong, instrument=survey.instrument)


def test_filter_keeps_or_says_what_there_is(survey_of):
    survey = survey_of(50, orgs=("ZZ1", "ZZ2"))
    one = survey.filter(org="ZZ2")
    assert one.orgs == ("ZZ2",)
    assert one.n + survey.filter(org="ZZ1").n == 50
    with pytest.raises(MeasureError, match="Organisations: ZZ1, ZZ2"):
        survey.filter(org="RXX")


def test_units_must_nest(survey_of):
    survey = survey_of(60)
    assert survey.with_units(["directorate", "team"]).units == ("directorate", "team")
    with pytest.raises(MeasureError, match="4 units of 'directorate' lie in more than one 'team'"):
        survey.with_units(["team", "directorate"])
    with pytest.raises(MeasureError, match="No unit column 'ward'"):
        survey.with_units(["ward"])


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1.0, -1.0], "1 negative"),
        ([np.nan, 1.0], "1 of 2 respondents have no usable number"),
        ([np.inf, 1.0], "1 infinite"),
        ([0.0, 0.0], "all are zero"),
        (["a", "b"], "2 of 2 respondents have no usable number"),
    ],
)
def test_bad_weights_are_counted_not_shown(survey_of, weights, says):
    survey = survey_of(2, columns={"bad": np.array(weights)})
    with pytest.raises(DesignError, match=says):
        survey.with_design(ca.Design(weights="bad"))


def test_design_columns_must_exist_and_be_complete(survey_of):
    n = 10
    survey = survey_of(
        n, columns={
            "stratum": pd.Categorical(["a"] * 5 + [None] * 5),
            "few": np.full(n, 4.0), "uneven": np.arange(n) + 20.0,
        },
    )  # fmt: skip
    with pytest.raises(DesignError, match="no column 'nothing'"):
        survey.with_design(ca.Design(strata="nothing"))
    with pytest.raises(DesignError, match="5 respondents have none"):
        survey.with_design(ca.Design(strata="stratum"))
    with pytest.raises(DesignError, match="under the number of respondents in 1 strata"):
        survey.with_design(ca.Design(population="few"))
    with pytest.raises(DesignError, match="differs within 1 strata"):
        survey.with_design(ca.Design(population="uneven"))
    with pytest.raises(DesignError, match="lonely='centre'"):
        ca.Design(lonely="centre")


def test_finite_population_narrows_the_limits(survey_of):
    n = 200
    survey = survey_of(n, columns={"eligible": np.full(n, 400.0)})
    plain = ca.calculate(survey, "work_related_stress").table.iloc[0]
    fpc = survey.with_design(ca.Design(population="eligible"))
    half = ca.calculate(fpc, "work_related_stress").table.iloc[0]
    assert half["se"] == pytest.approx(plain["se"] * np.sqrt(0.5), rel=1e-12)
    assert half["method"] == "logit"
    assert half["upper"] - half["lower"] < plain["upper"] - plain["lower"]
