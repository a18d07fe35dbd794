"""Elements of culture as measures: by hand from the answers, over the years, in every reader."""

from __future__ import annotations

import shutil
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.compare.comparable import Guard, Side
from culture_analytics.disclosure.families import base_families, linked_measures
from culture_analytics.errors import InstrumentError
from culture_analytics.instrument.culture import ELEMENTS, PREFIX
from culture_analytics.instrument.loader import DATA

ELEMENT = f"{PREFIX}support_and_compassion"
LEAST = 0.667


@pytest.fixture(scope="module")
def sample() -> ca.Survey:
    return ca.load_sample(2024)


def by_hand(survey: ca.Survey, items: tuple[str, ...]) -> pd.Series:
    """Mean of the points of those who answered enough, worked out with pandas."""
    points = pd.DataFrame(
        {
            i: survey.responses[i].astype(object).map(
                dict(zip(survey.instrument.items[i].labels, survey.instrument.items[i].scale.scores,
                         strict=True))
            )
            for i in items
        }
    ).astype(float)  # fmt: skip
    enough = points.notna().sum(axis=1) >= ceil(LEAST * len(items) - 1e-9)
    return points.mean(axis=1)[enough]


def test_an_element_is_the_mean_of_the_points_of_those_who_answered_enough(
    sample: ca.Survey,
) -> None:
    items = ca.load_culture_model().elements["teamwork"].items
    # A third of the answers of some people are taken away: 6 of 10 answered is not enough, 7 is.
    answers = sample.responses.copy()
    for i, item in enumerate(items[:4]):
        answers.loc[: 300 * (i + 1), item] = np.nan
    survey = replace(sample, responses=answers)
    expected = by_hand(survey, items)
    assert 200 < survey.n - len(expected) < survey.n / 2
    row = ca.calculate(survey, f"{PREFIX}teamwork").table.iloc[0]
    assert row["value"] == pytest.approx(expected.mean(), abs=1e-10)
    assert row["base"] == len(expected)
    assert (row["unit"], row["statistic"]) == ("score", "score")
    groups = ca.calculate(survey, f"{PREFIX}teamwork", by="directorate").table
    means = expected.groupby(survey.responses["directorate"][expected.index], observed=True).mean()
    found = groups[groups["breakdown"].eq("directorate")].set_index("group")["value"]
    np.testing.assert_allclose(found[means.index], means, atol=1e-10)


def test_elements_are_a_collection_of_scores_apart_from_the_official_ones(
    instrument: ca.Instrument,
) -> None:
    measures = instrument.resolve_measures(ELEMENTS)
    assert [m.id.removeprefix(PREFIX) for m in measures] == list(ca.load_culture_model().elements)
    assert all(m.unit == "score" and m.better == "higher" for m in measures)
    assert not set(instrument.culture) & set(instrument.scores)
    assert all(not s.code for s in instrument.culture.values())  # read from no workbook
    assert all("proposal" in m.source and m.confidence == "low" for m in measures)
    names = [*instrument.measures, *instrument.domains, *instrument.collections]
    assert len(names) == len(set(names))


def test_a_score_exists_where_enough_of_its_items_were_asked(instrument: ca.Instrument) -> None:
    survey = ca.combine([ca.simulate_survey(300, year=y, seed=4) for y in (2021, 2022)])
    table = ca.calculate(survey, ELEMENTS).table
    assert table["status"].eq("ok").all()
    # In 2021 four of fourteen items were not asked, so those asked are counted.
    asked = [i for i in instrument.culture[f"{PREFIX}learning_and_innovation"].items
             if instrument.asked(i, 2021)]  # fmt: skip
    assert len(asked) == 10
    old = survey.filter(year=2021)
    row = ca.calculate(old, f"{PREFIX}learning_and_innovation").table.iloc[0]
    assert row["value"] == pytest.approx(by_hand(old, tuple(asked)).mean(), abs=1e-10)
    # Under 2021's questionnaire ten of twenty-one of support and compassion is not enough.
    score = instrument.culture[ELEMENT]
    assert sum(instrument.asked(i, 2020) for i in score.items) == 10 < score.needed(21)


def test_years_with_other_questions_are_not_compared(instrument: ca.Instrument) -> None:
    guard = Guard(instrument)

    def strengths(measure: str, earlier: int, later: int) -> set[str]:
        sides = (Side(y, "extract", "unweighted", "") for y in (earlier, later))
        return {r.strength for r in guard.reasons(measure, (), *sides)}

    assert "no" in strengths(f"{PREFIX}learning_and_innovation", 2021, 2022)
    assert "no" not in strengths(f"{PREFIX}learning_and_innovation", 2022, 2023)
    assert "no" not in strengths(f"{PREFIX}teamwork", 2021, 2022)
    survey = ca.combine([ca.simulate_survey(300, year=y, seed=4) for y in (2021, 2022)])
    change = ca.compare_years(ca.calculate(survey, ELEMENTS)).table
    change = change[change["statistic"].eq("difference")].set_index("measure")["status"]
    assert change[f"{PREFIX}learning_and_innovation"] == "not_comparable"
    assert change[f"{PREFIX}teamwork"] == "ok"


def test_questions_that_the_extract_lacks(sample: ca.Survey) -> None:
    items = ca.load_culture_model().elements["teamwork"].items
    some = replace(sample, responses=sample.responses.drop(columns=list(items[:3])))
    row = ca.calculate(some, f"{PREFIX}teamwork").table.iloc[0]
    assert row["status"] == "ok"
    kept = by_hand(sample, items[3:])
    answered = some.responses[list(items[3:])].notna().sum(axis=1)
    assert row["base"] == (answered >= 7).sum()  # of the ten asked, not of the seven there
    assert row["value"] == pytest.approx(kept[answered >= 7].mean(), abs=1e-10)
    few = replace(sample, responses=sample.responses.drop(columns=list(items[:4])))
    assert ca.calculate(few, f"{PREFIX}teamwork").table["status"].tolist() == ["unavailable"]


def test_a_model_of_ones_own_takes_the_place_of_the_packages(
    sample: ca.Survey, tmp_path: Path
) -> None:
    text = (DATA / "culture.toml").read_text(encoding="utf-8")
    own = tmp_path / "ours.toml"
    own.write_text(text.replace("[elements.teamwork]", "[elements.together]")
                   .replace("[[elements.teamwork.sets]]", "[[elements.together.sets]]"),
                   encoding="utf-8")  # fmt: skip
    extended = ca.load_culture_model(own).extend(sample.instrument)
    assert f"{PREFIX}together" in extended.measures
    assert f"{PREFIX}teamwork" not in extended.measures
    assert f"{PREFIX}teamwork" in sample.instrument.measures
    survey = replace(sample, instrument=extended)
    row = ca.calculate(survey, f"{PREFIX}together").table.iloc[0]
    same = ca.calculate(sample, f"{PREFIX}teamwork").table.iloc[0]
    assert row["value"] == same["value"] and row["base"] == same["base"]
    whole = ca.load_culture_model().extend()
    packages = ca.load_instrument()
    assert whole.collections == packages.collections and whole.culture == packages.culture
    assert whole.measures == packages.measures and whole.labels == packages.labels


def test_a_folder_without_a_model_takes_the_packages(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA, tmp_path / "instrument"))
    (folder / "culture.toml").unlink()
    assert ELEMENT in ca.load_instrument(folder).measures
    (folder / "culture.toml").write_text("elements = 3", encoding="utf-8")
    folder = Path(shutil.copytree(folder, tmp_path / "broken"))
    with pytest.raises(InstrumentError, match="load_culture_model"):
        ca.load_instrument(folder)


def test_elements_are_protected_like_any_figure(
    sample: ca.Survey, instrument: ca.Instrument
) -> None:
    keys = [(ELEMENT, ""), ("hba_managers", ""), ("work_related_stress", "")]
    assert base_families(keys, instrument).tolist() == [0, 0, 0]
    # Twenty-one items say nothing of one of them; two would.
    assert len(set(linked_measures(keys, instrument))) == 3
    score = instrument.culture[ELEMENT]
    two = replace(score, items=("hba_managers", "hba_colleagues"))
    small = replace(instrument, culture={**instrument.culture, ELEMENT: two})
    linked = linked_measures([*keys, ("hba_colleagues", "")], small)
    assert linked[0] == linked[1] == linked[3] != linked[2]
    found = ca.calculate(sample, [ELEMENTS, "bullying"], by=["directorate", "team"])
    safe = ca.suppress(found)
    assert ca.audit(safe).ok and not ca.audit(found).ok
    assert safe.table["status"].eq("suppressed").any()
