"""Changes of the data that must not change the numbers, or must change them in a known way."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import culture_analytics as ca
from tests.conftest import make_survey

OPEN = ca.Rule.none(reason="comparing figures in a test")
MEASURES = [
    "work_related_stress",
    "hba_staff",
    "pressure_from_manager",
    "burnout",
    "safe_and_healthy",
]
FIGURES = ["value", "lower", "upper", "se", "df", "base", "weighted_base", "effective_base"]


def figures(survey, by=None, weight="w", **rows):
    result = ca.calculate(survey, MEASURES, by=by, weight=weight, rule=OPEN)
    return result.select(**rows).table if rows else result.table


@pytest.fixture(scope="module")
def survey():
    return make_survey(900)


def test_group_equals_filter_but_for_the_design_it_belongs_to(survey):
    """A group's figures are those of its own members; only n/(n-1) knows of the others."""
    grouped = figures(survey, by="directorate", group="Directorate B")
    mask = survey.responses["directorate"] == "Directorate B"
    alone = figures(survey.filter(mask=mask), breakdown="overall")
    n, n_alone = survey.n, int(mask.sum())
    factor = np.sqrt((n / (n - 1)) / (n_alone / (n_alone - 1)))
    np.testing.assert_allclose(grouped["se"], alone["se"] * factor, rtol=1e-10)
    percent = (grouped["unit"] == "percent").to_numpy()
    for column in ("value", "base", "weighted_base", "effective_base", "df"):
        np.testing.assert_allclose(grouped[column], alone[column], rtol=1e-10)
    for column in ("lower", "upper"):
        np.testing.assert_allclose(grouped.loc[percent, column], alone.loc[percent, column])


def test_organisations_together_equal_each_alone():
    both = make_survey(800, orgs=("ZZ1", "ZZ2"))
    together = figures(both, by="gender", org="ZZ2")
    alone = figures(both.filter(org="ZZ2"), by="gender")
    pd.testing.assert_frame_equal(together, alone, rtol=1e-10)


def test_years_stack_in_any_order():
    a, b = make_survey(300, years=(2023,)), make_survey(300, years=(2024,), seed=2)
    key = ["year", "measure", "breakdown", "group"]
    first = figures(ca.combine([a, b]), by="age").sort_values(key, ignore_index=True)
    second = figures(ca.combine([b, a]), by="age").sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(first, second, rtol=1e-10)
    own = figures(a, by="age").sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(first[first["year"] == 2023].reset_index(drop=True), own)


@settings(max_examples=15, deadline=None)
@given(constant=st.floats(1e-3, 1e4), seed=st.integers(0, 50))
def test_weights_times_a_constant(constant, seed):
    survey = make_survey(150, seed=seed)
    scaled = dataclasses.replace(
        survey, responses=survey.responses.assign(w=survey.responses["w"] * constant)
    )
    before, after = figures(survey, by="gender"), figures(scaled, by="gender")
    for column in ("value", "lower", "upper", "se", "df", "base", "effective_base"):
        np.testing.assert_allclose(after[column], before[column], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(after["weighted_base"], before["weighted_base"] * constant)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_rows_shuffled(seed):
    survey = make_survey(200)
    order = np.random.default_rng(seed).permutation(survey.n)
    shuffled = dataclasses.replace(
        survey, responses=survey.responses.iloc[order].reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(
        figures(survey, by=["gender", "team"]), figures(shuffled, by=["gender", "team"]), rtol=1e-9
    )


def test_disjoint_groups_merge(survey):
    """Two groups together are their bases added and their percentages base-weighted."""
    letters = survey.responses["directorate"].astype(str).str[-1]
    merged = pd.Categorical(np.where(letters.isin(["A", "B"]), "A or B", "C or D"))
    half = dataclasses.replace(survey, responses=survey.responses.assign(half=merged))
    whole = figures(half, by="half", weight=None, group="A or B").set_index("measure")
    parts = figures(half, by="directorate", weight=None, group=["Directorate A", "Directorate B"])
    for measure, rows in parts.groupby("measure"):
        assert whole.loc[measure, "base"] == rows["base"].sum()
        added = (rows["value"] * rows["base"]).sum() / rows["base"].sum()
        assert whole.loc[measure, "value"] == pytest.approx(added, rel=1e-12)


def test_an_empty_group_changes_nothing_else(survey):
    column = survey.responses["directorate"].cat.add_categories(["Directorate E"])
    padded = dataclasses.replace(survey, responses=survey.responses.assign(directorate=column))
    pd.testing.assert_frame_equal(
        figures(padded, by="directorate"), figures(survey, by="directorate")
    )


def test_equal_weights_are_no_weights(survey):
    equal = dataclasses.replace(survey, responses=survey.responses.assign(w=2.5))
    weighted, plain = figures(equal, by="age"), figures(survey, by="age", weight=None)
    for column in ("value", "lower", "upper", "se", "df", "base", "effective_base"):
        np.testing.assert_allclose(weighted[column], plain[column], rtol=1e-10)


def test_groups_and_those_who_did_not_say_add_up_to_everyone(survey):
    rows = figures(survey, by="religion", weight=None, measure="work_related_stress")
    stated = survey.responses["religion"].notna()
    answered = survey.responses["work_related_stress"].notna()
    groups = rows[rows["breakdown"] == "religion"]["base"].sum()
    everyone = rows[rows["breakdown"] == "overall"]["base"].iloc[0]
    assert groups == int((stated & answered).sum())
    assert everyone == int(answered.sum())


def test_one_stratum_is_no_strata(survey):
    one = dataclasses.replace(
        survey,
        responses=survey.responses.assign(s=pd.Categorical(["only"] * survey.n)),
        design=ca.Design(weights={"w": "w"}, strata="s"),
    )
    stratified, plain = figures(one, by="age"), figures(survey, by="age")
    for column in ("value", "se", "df", "base"):
        np.testing.assert_allclose(stratified[column], plain[column], rtol=1e-10)


@pytest.mark.parametrize("weight", [None, "w"])
def test_everyone_does_not_depend_on_the_breakdowns_asked(survey, weight):
    alone = figures(survey, weight=weight)
    beside = figures(survey, by=["religion", "team"], weight=weight, breakdown="overall")
    pd.testing.assert_frame_equal(alone, beside, rtol=1e-10)
    inside = ca.calculate(survey, MEASURES, within="directorate", weight=weight, rule=OPEN)
    with_by = ca.calculate(
        survey, MEASURES, by="gender", within="directorate", weight=weight, rule=OPEN
    )
    pd.testing.assert_frame_equal(
        inside.select(within="directorate").table,
        with_by.select(within="directorate", breakdown="overall").table,
        rtol=1e-10,
    )


@pytest.fixture(scope="module")
def kept():
    """Two years of the sample, with weights; blanks and codes as an extract has them."""
    both = ca.combine([ca.load_sample(2023), ca.load_sample(2024)])
    weights = np.random.default_rng(3).uniform(0.3, 4, both.n)
    return dataclasses.replace(
        both,
        responses=both.responses.assign(weight=weights),
        design=ca.Design(weights={"weight": "weight"}),
    )


def saved(responses, path, **options):
    responses.to_parquet(path, **options)
    return ca.read_extract(path, cache=False)


def same_numbers(one, other):
    by = ["gender", "ethnicity", "age", "directorate"]
    for weight in (None, "weight"):
        pd.testing.assert_frame_equal(
            figures(one, by=by, weight=weight), figures(other, by=by, weight=weight),
            check_exact=True,
        )  # fmt: skip
    items = ["work_related_stress", "discrimination_grounds_race", "hba_managers"]
    answers = [
        ca.calculate_answers(each, items, by="age", rule=OPEN).table for each in (one, other)
    ]
    pd.testing.assert_frame_equal(*answers, check_exact=True)


@pytest.mark.parametrize("row_group_size", [None, 1_000])
def test_saved_to_parquet_and_read_back(kept, tmp_path, row_group_size):
    back = saved(kept.responses, tmp_path / "kept.parquet", row_group_size=row_group_size)
    pd.testing.assert_frame_equal(
        back.responses[list(kept.responses)], kept.responses, check_exact=True
    )
    assert (back.design, back.units, back.years, back.orgs, back.synthetic) == (
        kept.design, kept.units, kept.years, kept.orgs, kept.synthetic
    )  # fmt: skip
    assert back.quality.set_aside == {} and back.n == kept.n
    same_numbers(back, kept)


def test_saved_with_columns_and_categories_in_another_order(kept, tmp_path):
    rng = np.random.default_rng(4)
    responses = kept.responses[list(rng.permutation(list(kept.responses)))].copy()
    for name in responses.columns[responses.dtypes == "category"]:
        categories = list(responses[name].cat.categories)
        responses[name] = responses[name].cat.reorder_categories(rng.permutation(categories))
    same_numbers(saved(responses, tmp_path / "kept.parquet"), kept)


def test_saved_as_plain_text(kept, tmp_path):
    responses = kept.responses.copy()
    for name in responses.columns[responses.dtypes == "category"]:
        responses[name] = responses[name].astype("str")
    same_numbers(saved(responses, tmp_path / "kept.parquet"), kept)
