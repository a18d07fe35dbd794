"""What goes with an outcome: shares by an independent route, item overlap, units drawn again."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.diagnose import drivers, scale_quality
from culture_analytics.diagnose.driving import ALL_ELEMENTS, EXPLAINED, SHARE, WHAT
from culture_analytics.errors import AdjustmentError, DesignError, MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument.culture import OUTCOMES


@pytest.fixture(scope="module")
def sample() -> ca.Survey:
    return ca.load_sample(2024)


@pytest.fixture(scope="module")
def found(sample: ca.Survey) -> Estimates:
    return drivers(sample, draws=200)


def rows(estimates: Estimates, measure: str, statistic: str = SHARE) -> pd.Series:
    t = estimates.table
    return t[t["measure"].eq(measure) & t["statistic"].eq(statistic)].set_index("group")["value"]


def mean_points(survey: ca.Survey, items: tuple[str, ...], least: int) -> np.ndarray:
    table = pd.DataFrame({
        i: survey.responses[i].astype(object).map(
            dict(zip(survey.instrument.items[i].labels, survey.instrument.items[i].scale.scores,
                     strict=True)))
        for i in items
    }).astype(float)  # fmt: skip
    return table.mean(axis=1).where(table.notna().sum(axis=1) >= least).to_numpy()


def explained(y: np.ndarray, x: np.ndarray) -> float:
    design = np.column_stack([np.ones(len(y)), x])
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - left.var() / y.var()


def test_shares_by_adding_elements_in_every_order(sample: ca.Survey, found: Estimates) -> None:
    """Least squares on the scores, an element at a time, averaged over all 720 orders."""
    model = ca.load_culture_model()
    columns, names = [], []
    for outcome in model.set_against:
        score = sample.instrument.scores[outcome.measure]
        parts = [sample.instrument.scores[p] for p in score.parts]
        if parts:
            points = pd.DataFrame([mean_points(sample, p.items, p.min_items) for p in parts]).T
            y = points.mean(axis=1).where(points.notna().sum(axis=1) >= score.min_parts).to_numpy()
        else:
            y = mean_points(sample, score.items, score.min_items)
        columns.append(y)
        for element in model.elements:
            items = model.element_items(element, against=outcome.id)
            least = int(np.ceil(model.least_answered * len(items) - 1e-9))
            columns.append(mean_points(sample, items, least))
            names.append((outcome.measure, model.elements[element].label))
    table = np.column_stack(columns)
    table = table[np.isfinite(table).all(axis=1)]
    for place, outcome in enumerate(model.set_against):
        if outcome.id == "leaving":  # two are enough of 2,160 regressions
            continue
        block = table[:, 7 * place : 7 * place + 7]
        subsets: dict[frozenset[int], float] = {frozenset(): 0.0}
        rise = np.zeros(6)
        for order in permutations(range(6)):
            before: frozenset[int] = frozenset()
            for element in order:
                after = before | {element}
                if after not in subsets:
                    subsets[after] = explained(block[:, 0], block[:, 1:][:, sorted(after)])
                rise[element] += subsets[after] - subsets[before]
                before = after
        whole = subsets[frozenset(range(6))]
        expected = 100 * rise / rise.sum()
        np.testing.assert_allclose(rows(found, outcome.measure), expected, atol=0.051)
        assert rows(found, outcome.measure, EXPLAINED)[ALL_ELEMENTS] == pytest.approx(
            100 * whole, abs=0.051
        )


def test_an_element_does_not_count_what_the_outcome_is_made_of(sample: ca.Survey) -> None:
    """An item of the outcome that is made to run with it must not lift its element's share."""
    before = rows(drivers(sample, draws=100), "staff_engagement")
    answers = sample.responses.copy()
    random = np.random.default_rng(2)
    model = ca.load_culture_model()
    shared = set(model.elements["vision_and_values"].items) & set(
        model.outcomes["engagement"].items
    )
    assert shared == {"care_top_priority", "recommend_place_to_work", "recommend_care"}
    for item in shared:  # noise alone: had they counted, the share would collapse
        answers[item] = answers[item].array[random.permutation(len(answers))]
    after = rows(drivers(replace(sample, responses=answers), draws=100), "staff_engagement")
    items = model.element_items("vision_and_values", against="engagement")
    assert not shared & set(items) and len(items) == 3
    ratio = after["Teamwork"] / after["Vision and values"]
    assert ratio == pytest.approx(before["Teamwork"] / before["Vision and values"], rel=0.25)


def test_shares_add_up_and_their_mean_is_of_the_outcomes(found: Estimates) -> None:
    measures = [o.measure for o in ca.load_culture_model().set_against]
    assert measures == ["staff_engagement", "burnout", "thinking_about_leaving"]
    each = pd.concat([rows(found, m) for m in measures], axis=1)
    np.testing.assert_allclose(each.sum(), 100, atol=0.31)
    np.testing.assert_allclose(rows(found, OUTCOMES), each.mean(axis=1), atol=0.11)
    t = found.table
    assert ((t["lower"] <= t["value"]) & (t["value"] <= t["upper"])).all()
    assert t["status"].eq("ok").all()


def test_nothing_exact_is_given_away(found: Estimates) -> None:
    t = found.table
    assert (t["base"] % 50 == 0).all() and (t["base"] <= ca.load_sample(2024).n).all()
    for column in ("value", "lower", "upper"):
        np.testing.assert_allclose(t[column], t[column].round(1), atol=1e-12)
    assert t[["se", "p_value", "weighted_base", "effective_base"]].isna().all().all()


def test_limits_are_of_units_drawn_again(sample: ca.Survey, found: Estimates) -> None:
    assert found.table["method"].str.contains("units drawn again: team").all()
    assert found.table.equals(drivers(sample, draws=200).table)  # the same on every run
    with pytest.raises(MeasureError, match="No column 'ward'"):
        drivers(sample, unit="ward")
    none = drivers(sample.with_units(()), draws=100)
    assert none.table["method"].str.contains("staff drawn again").all()
    assert any("probably too narrow" in n for n in none.notes)
    np.testing.assert_allclose(none.table["value"], found.table["value"])


def test_people_of_one_unit_that_answer_alike_widen_the_limits() -> None:
    survey = ca.load_sample(2024)
    answers = survey.responses.copy()
    copies = answers.iloc[np.repeat(np.arange(300), 6)].reset_index(drop=True)
    # Six copies of each person: no more is known than of three hundred.
    copies["team"] = pd.Categorical(np.repeat(np.arange(300), 6).astype(str))
    again = replace(survey, responses=copies, units=("team",))
    clustered = drivers(again, draws=200).table
    alone = drivers(again.with_units(()), draws=200).table
    width = (clustered["upper"] - clustered["lower"]) / (alone["upper"] - alone["lower"])
    assert 1.9 < width.median() < 3.1  # the square root of six is 2.45


def test_rows_hold_the_organisations_name(sample: ca.Survey, found: Estimates) -> None:
    assert found.organisations is not None
    assert found.organisations["org"].tolist() == list(sample.orgs)
    assert found.organisations["name"].tolist() == [sample.names[o] for o in sample.orgs]
    assert not [n for n in found.notes if n.startswith(WHAT)]


def with_weights(survey: ca.Survey, weights: np.ndarray, *names: str) -> ca.Survey:
    responses = survey.responses.assign(w=weights)
    design = ca.Design(weights=dict.fromkeys(names or ("own",), "w"))
    return replace(survey, responses=responses, design=design)


def test_a_weight_of_two_is_two_people(sample: ca.Survey) -> None:
    """Shares, and limits from the same units drawn again."""
    rng = np.random.default_rng(5)
    times = rng.integers(0, 4, sample.n)
    found = drivers(with_weights(sample, times.astype(float)), weight="own", draws=100)
    rows = sample.responses.iloc[np.repeat(np.arange(sample.n), times)].reset_index(drop=True)
    again = drivers(replace(sample, responses=rows), draws=100)
    # The same teams, in the same order of their first respondent.
    columns = ["value", "lower", "upper"]
    np.testing.assert_allclose(found.table["value"], again.table["value"], atol=0.051)
    np.testing.assert_allclose(
        found.table[columns[2]] - found.table[columns[1]],
        again.table[columns[2]] - again.table[columns[1]],
        rtol=0.35,
    )
    assert (found.table["weighting"] == "own").all()
    assert (found.table["base"] < again.table["base"]).all()


def test_the_named_weight_is_used_and_said(sample: ca.Survey, found: Estimates) -> None:
    even = with_weights(sample, np.full(sample.n, 2.5))
    again = drivers(even, weight="own", draws=200)
    pd.testing.assert_frame_equal(again.table.drop(columns="weighting"),
                                  found.table.drop(columns="weighting"))  # fmt: skip
    assert f"{WHAT}: calculated with the weight 'own'." in again.notes
    uneven = with_weights(sample, np.linspace(0.05, 4, sample.n), "one", "other")
    none = drivers(uneven, draws=200)
    pd.testing.assert_frame_equal(none.table, found.table)
    assert any("weights are not used" in n for n in none.notes)
    other = drivers(uneven, weight="other", draws=200)
    assert (other.table["value"] != found.table["value"]).any()
    with pytest.raises(DesignError, match="no weight 'third'; it has: one, other"):
        drivers(uneven, weight="third")


def test_a_few_heavy_respondents_are_too_few(sample: ca.Survey) -> None:
    heavy = with_weights(sample, np.where(np.arange(sample.n) % 1000, 1.0, 5000.0))
    with pytest.raises(AdjustmentError, match="fewer than 100 .* weights leave them worth fewer"):
        drivers(heavy, weight="own")
    assert scale_quality(heavy, weight="own")["reading"].eq("too few to say").all()
    assert scale_quality(heavy)["alpha"].notna().all()


def test_a_diagnosis_says_that_weights_are_not_used(sample: ca.Survey) -> None:
    weighted = with_weights(sample, np.linspace(0.5, 1.5, sample.n))
    tables = {"tables": [{"topic": "culture", "measures": ["culture"], "by": ["directorate"]}]}
    diagnosis = ca.diagnosis_of(ca.build_release(weighted, tables=tables))
    plain = ca.diagnosis_of(ca.build_release(sample, tables=tables))
    said = "the survey's weights are not used; everyone who answered counts once."
    assert f"{WHAT}: {said}" in diagnosis.notes
    assert f"How well scales hold together: {said}" in diagnosis.notes
    assert not [n for n in plain.notes if "weights" in n]
    for part in ("drivers", "quality"):
        pd.testing.assert_frame_equal(getattr(diagnosis, part).table, getattr(plain, part).table)


def test_johnson_is_close_and_unknown_methods_are_refused(
    sample: ca.Survey, found: Estimates
) -> None:
    johnson = drivers(sample, method="johnson", draws=100)
    assert johnson.table["method"].str.startswith("johnson").all()
    np.testing.assert_allclose(johnson.table["value"], found.table["value"], atol=5)
    with pytest.raises(MeasureError, match="'lmg', 'johnson'"):
        drivers(sample, method="beta")
    with pytest.raises(MeasureError, match="one year"):
        drivers(ca.load_sample())


def test_what_cannot_be_worked_out(sample: ca.Survey) -> None:
    model = ca.load_culture_model()
    answers = sample.responses.copy()

    def all_alike(items: tuple[str, ...]) -> None:
        for i in items:
            item = sample.instrument.items[i]
            answers[i] = pd.Categorical([item.labels[1]] * len(answers), dtype=item.dtype)

    all_alike(model.outcomes["burnout"].items)
    some = drivers(replace(sample, responses=answers), draws=100)
    assert "burnout" not in set(some.table["measure"])
    assert any(n.startswith("Burnout does not vary") for n in some.notes)
    for outcome in model.set_against:
        all_alike(outcome.items)
    with pytest.raises(AdjustmentError, match="Nothing to set the elements against"):
        drivers(replace(sample, responses=answers))
    with pytest.raises(AdjustmentError, match="too few to say"):
        drivers(sample.filter(mask=np.arange(sample.n) < 90))
    lacking = ["choice_how_to_work", "involved_in_changes", "manager_asks_opinion"]
    without = drivers(replace(sample, responses=sample.responses.drop(columns=lacking)), draws=100)
    assert "Collective leadership" not in set(without.table["group"])
    assert any("fewer than two of its items" in n for n in without.notes)


def test_a_yes_or_no_can_be_an_outcome(sample: ca.Survey) -> None:
    model = ca.load_culture_model()
    stress = replace(model.outcomes["stress"], set_against=True)
    one = replace(model, outcomes={"stress": stress})
    found = drivers(sample, model=one, draws=100)
    assert rows(found, "work_related_stress").sum() == pytest.approx(100, abs=0.31)
    assert 0 < rows(found, "work_related_stress", EXPLAINED).iloc[0] < 60
