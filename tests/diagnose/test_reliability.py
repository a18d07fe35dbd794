"""Scales are judged on large groups, and said not to hold together where they do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import culture_analytics as ca
from culture_analytics.diagnose.model import load_culture_model
from culture_analytics.diagnose.reliability import LARGE, READINGS, scale_quality
from culture_analytics.errors import MeasureError
from culture_analytics.stats.reliability import item_covariance, reliability


@pytest.fixture(scope="module")
def survey() -> ca.Survey:
    return ca.load_sample(2024)


def test_figures_are_those_of_the_answers(survey: ca.Survey) -> None:
    found = scale_quality(survey, missing="complete").set_index("scale").loc["burnout"]
    items = load_culture_model().outcomes["burnout"].items
    points = np.column_stack(
        [
            survey.responses[i].astype("str").map(
                dict(zip(survey.instrument.items[i].scale.labels,
                         survey.instrument.items[i].scale.scores, strict=True))
            ).to_numpy(dtype=float)
            for i in items
        ]
    )  # fmt: skip
    whole = points[np.isfinite(points).all(axis=1)]
    assert found["base"] == len(whole)
    expected = reliability(item_covariance(points).covariance)
    assert found["alpha"] == pytest.approx(expected.alpha)
    assert found["omega"] == pytest.approx(expected.omega)
    assert found["weakest"] == items[int(np.argmin(expected.item_rest))]
    assert found["lower"] < found["alpha"] < found["upper"]


def test_every_scale_of_two_items_or_more_in_every_year() -> None:
    found = scale_quality(ca.load_sample())
    model = load_culture_model()
    assert set(found["scale"]) == {*model.elements, *model.outcomes} - {"stress", "engagement"}
    assert set(found["year"]) == {2023, 2024, 2025}
    assert found["alpha"].between(0.5, 1).all()


def test_small_groups_have_no_figure(survey: ca.Survey) -> None:
    found = scale_quality(survey, by=["directorate", "team"], least=5)
    assert set(found["breakdown"]) == {"overall", "directorate", "team"}
    few = found[found["reading"].eq("too few to say")]
    assert len(few) and few[["base", "alpha", "omega", "item_rest"]].isna().all(axis=None)
    assert found["base"].dropna().min() >= LARGE
    assert found.loc[found["breakdown"].eq("directorate"), "alpha"].notna().mean() > 0.9


def test_items_that_do_not_belong_together_are_said_so(survey: ca.Survey, tmp_path: Path) -> None:
    path = tmp_path / "culture.toml"
    path.write_text(
        '[model]\nid = "odd"\nversion = "1"\nlabel = "Odd"\n[elements.odd]\nlabel = "Odd"\n'
        '[[elements.odd.sets]]\nitems = ["pay_satisfaction", "violence_patients", '
        '"nutritious_food", "msk_problems"]\nstatus = "proposal"\nreason = "none at all"\n',
        encoding="utf-8",
    )
    found = scale_quality(survey, model=load_culture_model(path)).iloc[0]
    assert found["alpha"] < 0.6
    assert found["reading"] == READINGS[-1][1]


def test_answers_all_alike_cannot_be_judged(survey: ca.Survey) -> None:
    item = load_culture_model().elements["teamwork"].items[0]
    responses = survey.responses.copy()
    responses[item] = responses[item].cat.set_categories(responses[item].cat.categories)
    responses.loc[:, item] = responses[item].cat.categories[0]
    found = scale_quality(replace(survey, responses=responses)).set_index("scale")
    assert found.loc["teamwork", "reading"] == "cannot be judged here"
    assert np.isnan(found.loc["teamwork", "alpha"])
    assert found.loc["burnout", "alpha"] > 0.8


def test_a_column_that_is_not_there(survey: ca.Survey) -> None:
    with pytest.raises(MeasureError, match="'ward'.*directorate, team"):
        scale_quality(survey, by="ward")
