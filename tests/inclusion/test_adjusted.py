"""`adjusted_gap`: against statsmodels, known confounding, refusals, words, protection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.adjusted import TOGETHER, adjusted_gap
from culture_analytics.compare.sides import FEW
from culture_analytics.disclosure.rules import load_rule
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.survey import Survey
from tests.conftest import make_survey

FAIR, OTHERS = "fair_career_progression", "All other ethnic groups combined"
DISCRIMINATION = "discrimination_staff"


def confounded(n: int = 4000, *, own: float = 0.0, seed: int = 8) -> Survey:
    """Jobs that differ in discrimination and in who has them; `own` is the group's log-odds."""
    survey = make_survey(n, seed=seed)
    rng = np.random.default_rng(seed)
    items = survey.instrument.items
    other = rng.random(n) < 0.3
    job = np.where(rng.random(n) < np.where(other, 0.7, 0.2), "night", "day")
    eta = -2.5 + 1.6 * (job == "night") + own * other
    said = rng.random(n) < 1 / (1 + np.exp(-eta))

    def column(item: str, labels: np.ndarray) -> pd.Categorical:
        return pd.Categorical(labels, dtype=items[item].dtype)

    white, asian = items["ethnic_group"].labels[0], "Asian: Indian"
    responses = survey.responses.assign(
        ethnic_group=column("ethnic_group", np.where(other, asian, white)),
        discrimination_staff=column("discrimination_staff", np.where(said, "Yes", "No")),
        job=pd.Categorical(job),
    )
    return Survey(responses, instrument=survey.instrument, design=survey.design)


def test_equal_to_statsmodels() -> None:
    import statsmodels.api as sm

    survey = confounded(own=0.5)
    found = adjusted_gap(survey, DISCRIMINATION, by="ethnicity", adjust_for=["job", "directorate"])
    r = survey.responses
    group = r["ethnic_group"].astype("str").eq("Asian: Indian").to_numpy(float)
    dummies = pd.get_dummies(r[["job", "directorate"]].astype("str"), drop_first=True, dtype=float)
    x = np.column_stack([np.ones(len(r)), group, dummies])
    fit = sm.GLM(
        r["discrimination_staff"].eq("Yes").to_numpy(float), x, sm.families.Binomial()
    ).fit()
    margins = []
    for value in (0.0, 1.0):
        put = x.copy()
        put[:, 1] = value
        margins.append(100 * fit.predict(put).mean())
    assert found.table["adjusted"].tolist() == pytest.approx(margins, rel=1e-8)
    gap = found.table["adjusted_gap"].iloc[1]
    assert gap == pytest.approx(margins[1] - margins[0], rel=1e-8)
    # Model-based standard error by numerical delta method; the design-based one is close to it.
    gradient = np.empty(x.shape[1])
    for k in range(x.shape[1]):
        moved = []
        for step in (-1e-5, 1e-5):
            beta = fit.params.copy()
            beta[k] += step
            p = []
            for value in (0.0, 1.0):
                put = x.copy()
                put[:, 1] = value
                p.append((1 / (1 + np.exp(-put @ beta))).mean())
            moved.append(p[1] - p[0])
        gradient[k] = (moved[1] - moved[0]) / 2e-5
    se = 100 * float(gradient @ fit.cov_params() @ gradient) ** 0.5
    row = found.estimates._frame.query("statistic == 'adjusted_difference'").iloc[0]
    assert row["se"] == pytest.approx(se, rel=0.05)


def test_job_mix_alone_explains_the_gap() -> None:
    found = adjusted_gap(confounded(), DISCRIMINATION, by="ethnicity", adjust_for="job")
    row = found.table.set_index("group").loc[OTHERS]
    assert row["plain_gap"] > 5 and row["plain_gap_p_value"] < 1e-6
    assert row["adjusted_gap_lower"] < 0 < row["adjusted_gap_upper"]
    (sentence,) = found.sentences
    assert "With the same mix of job in both groups" in sentence
    assert "no longer show a clear difference" in sentence and "does not prove" in sentence
    assert any("do not say why" in note for note in found.notes)


def test_an_effect_of_its_own_stays() -> None:
    found = adjusted_gap(confounded(own=0.9), DISCRIMINATION, by="ethnicity", adjust_for="job")
    row = found.table.set_index("group").loc[OTHERS]
    assert row["adjusted_gap_p_value"] < 0.001 and row["adjusted_gap"] < row["plain_gap"]
    assert "part of the gap goes with differences in job, part does not" in found.sentences[0]


def said_of(plain: float, adjusted: float, method: str = "newcombe") -> str:
    """The sentence of a clear plain and a clear adjusted gap of these sizes."""
    found = adjusted_gap(confounded(own=0.9), DISCRIMINATION, by="ethnicity", adjust_for="job")
    frame = found.estimates._frame.copy()
    for statistic, gap in (("difference", plain), ("adjusted_difference", adjusted)):
        at = frame["statistic"].eq(statistic)
        frame.loc[at, ["value", "lower", "upper", "p_value"]] = [gap, gap - 1, gap + 1, 1e-4]
    frame["method"] = frame["method"].mask(frame["statistic"].eq("difference"), method)
    (sentence,) = replace(found, estimates=found.estimates._with(frame)).sentences
    return sentence


def test_a_gap_that_turns_round_is_not_called_one_that_goes_with_the_mix() -> None:
    assert "a clear difference, the other way round" in said_of(6.0, -5.0)
    assert "most of the gap goes with" in said_of(40.0, 2.0)


def test_nothing_is_said_of_a_gap_of_a_few_people() -> None:
    sentence = said_of(8.0, 7.0, method=f"newcombe, {FEW}")
    assert "too few people gave, or did not give, the answer to judge" in sentence
    assert "clear" not in sentence and "goes with" not in sentence


def test_plain_figures_are_those_of_calculate() -> None:
    survey = ca.load_sample(2024)
    found = adjusted_gap(survey, FAIR, by="ethnicity", adjust_for=["occupation", "age"])
    direct = ca.calculate(survey, FAIR, by="ethnicity").table.set_index("group")
    mine = found.table.set_index("group")
    assert mine["plain"].tolist() == direct["value"].loc[mine.index].tolist()
    assert mine["base"].tolist() == direct["base"].loc[mine.index].tolist()
    assert mine["reference"].to_dict() == {"White": "", OTHERS: "White"}


def test_everyone_with_a_plain_figure_has_an_adjusted_one() -> None:
    # Not stated and small jobs stand together: nobody is dropped between the two columns.
    survey = ca.load_sample(2024)
    found = adjusted_gap(survey, FAIR, by="ethnicity", adjust_for="occupation_detailed")
    assert any(TOGETHER in note for note in found.notes)
    rows = found.estimates._frame
    base = rows[rows["statistic"] == "percent"].set_index("group")["base"]
    adjusted = rows[rows["statistic"] == "adjusted_percent"].set_index("group")["base"]
    assert adjusted.to_dict() == {g: base[g] for g in adjusted.index}


def test_weighted(survey_of: Callable[..., Survey]) -> None:
    found = adjusted_gap(
        survey_of(3000, seed=5), FAIR, by="directorate", adjust_for="working_pattern", weight="w"
    )
    table = found.table
    direct = ca.calculate(survey_of(3000, seed=5), FAIR, by="directorate", weight="w").table
    assert sorted(table["plain"]) == pytest.approx(
        sorted(direct[direct["breakdown"] == "directorate"]["value"])
    )
    assert (table["adjusted"] - table["plain"]).abs().max() < 1  # nothing to allow for
    assert table["reference"].iloc[1] == found.reference and len(found.sentences) == 3


# -- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"by": "gender", "adjust_for": "age"}, AdjustmentError, "fewer than 50 answers"),
        ({"by": "ethnicity", "adjust_for": "age"}, AdjustmentError, "rarer kind"),
        ({"by": "ethnicity", "adjust_for": "team"}, AdjustmentError, "rarer kind|no group has"),
        ({"by": "ethnicity", "adjust_for": "ethnicity"}, MeasureError, "other than 'ethnicity'"),
        ({"by": "ethnicity", "adjust_for": []}, MeasureError, "one or more breakdowns"),
        ({"by": "ethnicity", "adjust_for": "age", "groups": ["x"]}, MeasureError, "no group of"),
        ({"by": "ethnicity", "adjust_for": "age", "groups": ["White"]}, MeasureError, "two groups"),
        ({"by": "ethnicity", "adjust_for": "age", "reference": "x"}, MeasureError, "not among"),
        ({"by": "ethnicity", "adjust_for": "planet"}, MeasureError, "No breakdown 'planet'"),
    ],
)
def test_refusals(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        adjusted_gap(ca.load_sample(2024), "violence_managers", **options)


def test_scores_domains_and_several_years_are_refused() -> None:
    survey = ca.load_sample()
    with pytest.raises(MeasureError, match="needs one year"):
        adjusted_gap(survey, FAIR, by="ethnicity", adjust_for="age")
    survey = survey.filter(year=2024)
    with pytest.raises(MeasureError, match="is a score"):
        adjusted_gap(survey, "staff_engagement", by="ethnicity", adjust_for="age")
    with pytest.raises(MeasureError, match="stands for"):
        adjusted_gap(survey, "bullying", by="ethnicity", adjust_for="age")


def test_what_tells_the_groups_apart_is_refused() -> None:
    with pytest.raises(AdjustmentError, match="told apart"):
        adjusted_gap(ca.load_sample(2024), FAIR, by="ethnicity", adjust_for="ethnicity_broad")


def test_separation_is_refused() -> None:
    survey = confounded()
    said = survey.responses["discrimination_staff"].where(survey.responses["job"].ne("day"), "No")
    responses = survey.responses.assign(
        discrimination_staff=said.astype(survey.instrument.items["discrimination_staff"].dtype)
    )
    split = Survey(responses, instrument=survey.instrument, design=survey.design)
    with pytest.raises(AdjustmentError, match="separation"):
        adjusted_gap(split, DISCRIMINATION, by="ethnicity", adjust_for="job")


def test_two_groups_of_many() -> None:
    found = adjusted_gap(
        ca.load_sample(2024), FAIR, by="gender", adjust_for="age", groups=["Male", "Female"]
    )
    assert found.table["group"].tolist() == ["Female", "Male"] and found.reference == "Male"


# -- protection -----------------------------------------------------------------------------


def test_adjusted_rows_die_with_plain_ones() -> None:
    survey = ca.load_sample(2024)
    strict = replace(load_rule("default"), name="mine", base_under=2000)
    found = adjusted_gap(survey, FAIR, by="ethnicity", adjust_for="age", rule=strict)
    row = found.table.set_index("group").loc[OTHERS]
    numbers = ["plain", "adjusted", "plain_gap", "adjusted_gap", "adjusted_gap_p_value", "base"]
    assert row["status"] == "suppressed" and row[numbers].isna().all()
    assert found.sentences == [f"{OTHERS}: not shown, to protect the people in it."]


def test_released_with_its_own_table() -> None:
    found = adjusted_gap(ca.load_sample(2024), FAIR, by="ethnicity", adjust_for="age")
    assert "ok" in repr(ca.audit([ca.suppress(found.estimates)])).splitlines()[0]


def test_the_groups_compared_are_not_allowed_for_under_another_division() -> None:
    with pytest.raises(AdjustmentError, match="'ethnicity_broad' divides staff by the same quest"):
        ca.adjusted_gap(
            ca.load_sample(2024), "hba_managers", by="ethnicity",
            adjust_for=["age", "ethnicity_broad"],
        )  # fmt: skip
