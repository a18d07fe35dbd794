"""`intersections`: known truth, agreement with the model, protection, refusals, speed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics import plots
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.intersectional import MORE, NOT_SHOWN, intersections
from culture_analytics.stats import maihda, treatment_coding
from culture_analytics.survey import Survey

DISCRIMINATION = "discrimination_staff"


def made(n: int, groups: tuple[int, int], *, extra: float = 0.0, seed: int = 3) -> Survey:
    """Two local characteristics whose effects add up, but for one stratum."""
    instrument, rng = ca.load_instrument(), np.random.default_rng(seed)
    a, b = (rng.integers(0, size, n) for size in groups)
    eta = -1.5 + np.linspace(0, 0.8, groups[0])[a] + np.linspace(0, 0.5, groups[1])[b]
    eta = eta + extra * ((a == 0) & (b == groups[1] - 1))
    said = rng.random(n) < 1 / (1 + np.exp(-eta))
    item = instrument.items[DISCRIMINATION]
    frame = pd.DataFrame(
        {
            "org": pd.Categorical(["ZZ1"] * n),
            "year": np.full(n, 2024, dtype="int16"),
            DISCRIMINATION: pd.Categorical(np.where(said, "Yes", "No"), dtype=item.dtype),
            "first": pd.Categorical([f"A{k:02d}" for k in a]),
            "second": pd.Categorical([f"B{k:02d}" for k in b]),
            "w": rng.uniform(0.5, 2, n),
        }
    )
    return Survey(frame, instrument=instrument, design=ca.Design(weights={"w": "w"}))


def test_equal_to_the_model_on_counts() -> None:
    survey = made(4000, (4, 5))
    found = intersections(survey, DISCRIMINATION, by=["first", "second"])
    cells = survey.responses.assign(y=survey.responses[DISCRIMINATION].eq("Yes")).groupby(
        ["first", "second"], observed=True
    )["y"]
    n, yes = cells.size(), cells.sum()
    codes = np.array([(int(first[1:]), int(second[1:])) for first, second in n.index])
    x, _ = treatment_coding(codes, ["abcd", "vwxyz"], ["first", "second"])
    model = maihda(n, yes, np.arange(20), x)
    assert found.model.vpc == pytest.approx(model.vpc, rel=1e-4)
    assert found.variance["vpc"].iloc[0] == pytest.approx(100 * model.vpc, rel=1e-4)
    strata = found.strata.set_index("group")
    names = [" | ".join(pair) for pair in n.index]
    assert strata["shrunken"].loc[names].tolist() == pytest.approx(
        (100 * model.rates.rate).tolist(), rel=1e-3
    )
    assert strata["plain"].loc[names].tolist() == pytest.approx((100 * yes / n).tolist())


def test_effects_that_add_up_leave_nothing() -> None:
    found = intersections(made(6000, (5, 5)), DISCRIMINATION, by="first:second")
    assert found.variance["pcv"].iloc[1] > 80
    assert not found.strata["verdict"].str.startswith("more than").any()
    assert "None of 25 combinations shown clearly differs" in found.sentence


def test_a_stratum_beyond_its_parts_is_found() -> None:
    found = intersections(made(9000, (5, 5), extra=1.5), DISCRIMINATION, by="first:second")
    strata = found.strata.set_index("group")
    out = strata[strata["verdict"] == MORE]
    assert out.index.tolist() == ["A00 | B04"]
    row = out.iloc[0]
    assert row["beyond"] > 5 and row["beyond_lower"] > 0 and row["p_adjusted"] < 0.05
    assert "1 of 25 combinations shown differ beyond their parts" in found.sentence
    assert found.variance["p_value"].iloc[1] < 0.01


def test_of_a_few_people_no_combination_is_judged() -> None:
    # One combination far above the others, in which hardly anybody did not say yes.
    survey = made(9000, (5, 5), extra=3.5)
    r = survey.responses
    there = (r["first"].eq("A00") & r["second"].eq("B04")).to_numpy()
    said = r[DISCRIMINATION].eq("Yes").to_numpy()
    few = np.flatnonzero(there & said)[:100].tolist() + np.flatnonzero(there & ~said)[:8].tolist()
    kept = ~there
    kept[few] = True
    found = intersections(survey.filter(mask=pd.Series(kept)), DISCRIMINATION, by="first:second")
    row = found.strata.set_index("group").loc["A00 | B04"]
    assert row["base"] == 108 and row["p_adjusted"] < 0.05 and row["beyond"] > 5
    assert row["verdict"] == "too few to judge"
    assert "None of 25" in found.sentence and "In 1 of them too few people" in found.sentence
    ax = plots.intersections(found.estimates)
    assert "None differs clearly beyond its parts" in plots.alt_text(ax)


def test_small_strata_are_drawn_in() -> None:
    found = intersections(ca.load_sample(2024), DISCRIMINATION, by=["ethnicity_broad", "age"])
    shown = found.strata[found.strata["status"].eq("ok")]
    small, large = shown[shown["base"] < 40], shown[shown["base"] > 300]
    assert len(small) >= 3 and len(large) >= 3
    moved = (shown["shrunken"] - shown["plain"]).abs()
    assert moved[small.index].mean() > 3 * moved[large.index].mean()
    width = shown["shrunken_upper"] - shown["shrunken_lower"]
    assert (width < shown["plain_upper"] - shown["plain_lower"])[small.index].mean() > 0.8


def test_weights_count_for_effective_bases() -> None:
    survey = made(4000, (4, 5))
    found = intersections(survey, DISCRIMINATION, by="first:second", weight="w")
    direct = ca.calculate(survey, DISCRIMINATION, by="first:second", weight="w")
    value = direct.table.set_index("group")["value"]
    strata = found.strata.set_index("group")
    assert strata["plain"].to_dict() == pytest.approx({g: value[g] for g in strata.index})
    plain = intersections(survey, DISCRIMINATION, by="first:second")
    assert found.model.main.loglik != plain.model.main.loglik


def test_prefer_not_to_say_and_tiny_groups_are_left_out() -> None:
    found = intersections(ca.load_sample(2024), DISCRIMINATION, by=["gender", "age"])
    assert not found.strata["group"].str.contains("Prefer not to say|Non-binary").any()
    assert any(note.startswith("2 group(s) left out of the model") for note in found.notes)


# -- protection -----------------------------------------------------------------------------


def test_hidden_strata_show_nothing() -> None:
    found = intersections(ca.load_sample(2024), DISCRIMINATION, by="ethnicity_broad:gender:age")
    strata = found.strata
    hidden = strata["status"].eq("suppressed")
    assert hidden.sum() >= 3 and set(strata.loc[hidden, "verdict"]) == {NOT_SHOWN}
    numbers = strata.columns.difference(["group", "status", "verdict"])
    assert strata.loc[hidden, numbers].isna().all(axis=None)
    table = found.estimates.table
    family = table.loc[table["statistic"].eq("beyond_parts") & table["status"].eq("ok"), "family"]
    assert set(family) == {
        f"ZZ1 2024, ethnicity_broad:gender:age beyond its parts: {(~hidden).sum()} combinations"
    }


def test_released_with_its_own_table() -> None:
    found = intersections(ca.load_sample(2024), DISCRIMINATION, by=["ethnicity_broad", "age"])
    assert "ok" in repr(ca.audit([ca.suppress(found.estimates)])).splitlines()[0]


# -- refusals, speed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "options", "error", "message"),
    [
        (DISCRIMINATION, {"by": "ethnicity"}, MeasureError, "two or three"),
        (DISCRIMINATION, {"by": ["a", "b", "c", "d"]}, MeasureError, "two or three"),
        ("staff_engagement", {"by": "ethnicity:age"}, MeasureError, "is a score"),
        ("bullying", {"by": "ethnicity:age"}, MeasureError, "stands for"),
        (DISCRIMINATION, {"by": "ethnicity:carer"}, AdjustmentError, "5 are needed"),
        (DISCRIMINATION, {"by": "ethnicity:age", "adjust": "x"}, MeasureError, "there are 'holm'"),
    ],
)
def test_refusals(
    measure: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        intersections(ca.load_sample(2024), measure, **options)


def test_several_years_are_refused() -> None:
    with pytest.raises(MeasureError, match="needs one year"):
        intersections(ca.load_sample(), DISCRIMINATION, by="ethnicity:age")


@pytest.mark.slow
def test_all_of_england() -> None:
    survey = made(775_000, (50, 40))
    found = intersections(survey, DISCRIMINATION, by="first:second")
    assert len(found.strata) == 2000
