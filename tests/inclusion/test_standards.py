"""WRES and WDES tables: England as published, respondents by hand, reconciliation, protection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.errors import MeasureError
from culture_analytics.read.published import read_published
from culture_analytics.standards import Standard, wdes_metrics, wres_indicators
from culture_analytics.survey import Survey

OTHERS, WHITE = "All other ethnic groups combined", "White"


@pytest.fixture(scope="module")
def national(real_data: Path) -> ca.Estimates:
    path = real_data / "nss24_official" / "NSS24 detailed spreadsheets national results.xlsx"
    if not path.is_file():
        pytest.skip("the official 2024 national workbook is not held here; see README")
    return read_published(path)


@pytest.fixture(scope="module")
def wres() -> Standard:
    return wres_indicators(ca.load_sample(2024))


@pytest.fixture(scope="module")
def wdes() -> Standard:
    return wdes_metrics(ca.load_sample(2024))


def row_of(standard: Standard, indicator: str) -> pd.Series:
    rows = standard.table[standard.table["indicator"] == indicator]
    assert len(rows) == 1
    return rows.iloc[0]


# -- England, as published ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indicator", "white", "others"), [("5", 23.51, 28.63), ("7", 58.85, 49.51), ("8", 6.77, 15.20)]
)
def test_england_2024_by_ethnicity(
    national: ca.Estimates, indicator: str, white: float, others: float
) -> None:
    row = row_of(wres_indicators(national), indicator)
    assert (row["org"], row["reference"], row["compared"]) == ("ENG", WHITE, OTHERS)
    assert round(row["reference_value"], 2) == white
    assert round(row["compared_value"], 2) == others
    assert row["gap"] == pytest.approx(others - white, abs=0.011)
    assert row["gap_lower"] < row["gap"] < row["gap_upper"]
    assert (row["verdict"], row["worse_for"]) == ("a clear gap", OTHERS)


def test_england_has_no_indicator_6(national: ca.Estimates) -> None:
    standard = wres_indicators(national)
    row = row_of(standard, "6")
    assert row["status"] == "unavailable" and np.isnan(row["compared_value"])
    assert any("cannot be added" in note for note in standard.notes)


@pytest.mark.parametrize(
    ("metric", "yes", "no"), [("4a ii", 14.06, 7.75), ("8", 75.12, None), ("9a", 6.44, 6.99)]
)
def test_england_2024_by_long_term_condition(
    national: ca.Estimates, metric: str, yes: float, no: float | None
) -> None:
    row = row_of(wdes_metrics(national), metric)
    assert round(row["compared_value"], 2) == yes
    assert (
        np.isnan(row["reference_value"]) if no is None else round(row["reference_value"], 2) == no
    )
    # Adjustments are of disabled staff alone; the spread of published scores is not known.
    assert row["verdict"] == {"4a ii": "a clear gap", "8": "", "9a": "not tested"}[metric]


# -- respondents ----------------------------------------------------------------------------


def test_either_or_from_respondents(wres: Standard) -> None:
    responses = ca.load_sample(2024).responses
    managers, colleagues = (responses[f"hba_{who}"] for who in ("managers", "colleagues"))
    yes = (managers.notna() & managers.ne("Never")) | (colleagues.notna() & colleagues.ne("Never"))
    base = yes | (managers.notna() & colleagues.notna())
    white = responses["ethnic_group"].astype("str").str.startswith("White")
    row = row_of(wres, "6")
    assert row["reference_base"] == (base & white).sum()
    assert row["reference_value"] == pytest.approx(100 * (yes & white).sum() / (base & white).sum())


def test_all_indicators_in_order(wres: Standard, wdes: Standard) -> None:
    assert wres.table["indicator"].tolist() == ["5", "6", "7", "8"]
    assert wdes.table["indicator"].tolist() == [
        "4a i", "4a ii", "4a iii", "4b", "5", "6", "7", "8", "9a",
    ]  # fmt: skip
    for standard, elsewhere in ((wres, "1 2 3 4 9"), (wdes, "1 2 3 9b 10")):
        assert standard.elsewhere["indicator"].tolist() == elsewhere.split()
        assert set(standard.elsewhere["status"]) == {"not from the survey"}


def test_figures_are_those_of_calculate(wdes: Standard) -> None:
    survey = ca.load_sample(2024)
    mine = wdes.table.set_index("measure")
    direct = ca.calculate(survey, list(mine.index), by="long_term_condition").table
    for side in ("compared", "reference"):
        label = mine[side].iloc[0]
        theirs = direct[direct["group"] == label].set_index("measure")
        for column in ("value", "lower", "upper", "base"):
            found = mine[f"{side}_{column}"].rename(column)
            pd.testing.assert_series_equal(found, theirs[column].loc[mine.index], check_index=False)


def test_ratio_stands_so_that_above_one_is_worse_for_the_group_compared(wres: Standard) -> None:
    for _, row in wres.table.iterrows():
        if row["indicator"] == "7":  # a good answer: White over all others
            assert row["ratio_of"] == f"{WHITE} / {OTHERS}"
            assert row["ratio"] == pytest.approx(row["reference_value"] / row["compared_value"])
        else:
            assert row["ratio_of"] == f"{OTHERS} / {WHITE}"
            assert row["ratio"] == pytest.approx(row["compared_value"] / row["reference_value"])
        assert row["ratio_lower"] < row["ratio"] < row["ratio_upper"]
        worse = (row["gap"] < 0) == (row["better"] == "higher")
        assert worse == (row["ratio"] > 1)
        inside = 0.8 <= row["ratio"] <= 1.25
        assert row["guidance"] == f"{'inside' if inside else 'outside'} 0.80-1.25 (guidance)"
    assert any("made for how likely events are" in note for note in wres.notes)


def test_family_is_the_indicators_tested(wres: Standard, wdes: Standard) -> None:
    assert set(wres.table["family"]) == {"ZZ1 2024, ethnicity with White: 4 comparisons"}
    assert wdes.table["family"].str.contains("8 comparisons").sum() == 8
    assert row_of(wdes, "8")["family"] == ""


def test_detailed_groups_stand_beneath(wres: Standard) -> None:
    groups = wres.groups
    beneath = groups[groups["indicator"] == "5"]
    assert beneath["breakdown"].unique().tolist() == [
        "overall", "ethnicity", "ethnicity_broad", "ethnicity_detailed",
    ]  # fmt: skip
    detailed = beneath[beneath["breakdown"] == "ethnicity_detailed"]
    listed = ca.load_instrument().breakdowns["ethnicity_detailed"].groups
    assert detailed["group"].tolist() == [g.label for g in listed]
    assert "too few to judge" in set(detailed["verdict"])
    hidden = detailed["status"].eq("suppressed")
    assert hidden.any() and detailed.loc[hidden, ["value", "base", "gap"]].isna().all(axis=None)


def test_nothing_adverse_is_said_of_a_few(survey_of: Callable[..., Survey]) -> None:
    table = wres_indicators(survey_of(70, seed=2)).table
    few = table[table["verdict"].eq("too few to judge")]
    assert len(few) >= 1
    assert set(few["guidance"]) == {"too few to judge"} and set(few["worse_for"]) == {""}


def test_england_stands_beside(wres: Standard) -> None:
    row = row_of(wres, "8")
    assert round(row["england_reference"], 2) == 6.77 and round(row["england_compared"], 2) == 15.20
    assert row["england_gap"] == pytest.approx(15.1982 - 6.7661, abs=1e-3)


def test_years(wres: Standard) -> None:
    survey = ca.load_sample()
    assert wres_indicators(survey).year == 2025
    early = wres_indicators(survey, year=2023)
    assert early.year == 2023 and set(early.table["year"]) == {2023} and early.england is None
    assert wres.table["england_all"].notna().any()
    with pytest.raises(MeasureError, match="year=2019: the data are of 2023, 2024, 2025"):
        wdes_metrics(survey, year=2019)


def test_results_without_the_indicators() -> None:
    stress = ca.calculate(ca.load_sample(2024), "work_related_stress")
    with pytest.raises(MeasureError, match="hold none of its indicators"):
        wres_indicators(stress)


# -- official figures, and protection -------------------------------------------------------


def test_reconciliation_says_why() -> None:
    survey = ca.load_sample(2024)
    folder = Path(__file__).parents[2] / "data" / "sample"
    official = read_published(
        folder / "NSS24 SYNTHETIC detailed spreadsheets organisational results.xlsx"
    )
    found = wres_indicators(survey).reconcile(official).set_index(["indicator", "group"])
    everyone = found.loc[("5", "All staff")]
    assert everyone["why"] == "rounding" and abs(everyone["difference"]) < 0.005
    assert found.loc[("5", WHITE)]["why"] == "no official figure in the file given"
    assert "cannot be added" in found.loc[("6", WHITE)]["why"]
    rng = np.random.default_rng(1)
    other = survey.filter(mask=rng.random(survey.n) < 0.9)
    partly = wres_indicators(other).reconcile(official).set_index(["indicator", "group"])
    assert partly.loc[("5", "All staff")]["why"].startswith(
        "other answers counted: 3,876 there, 3,"
    )
    with pytest.raises(MeasureError, match="hold no row of ZZ1 in 2023"):
        wres_indicators(ca.load_sample(2023)).reconcile(official)


def test_tables_suppressed_together_pass_the_audit(wres: Standard) -> None:
    report = ca.audit([ca.suppress(wres.estimates)])
    assert "ok" in repr(report).splitlines()[0]


def test_from_protected_tables_nothing_more_is_shown(wres: Standard) -> None:
    protected = wres_indicators(ca.suppress(wres.figures))
    before, after = wres.groups, protected.groups
    hidden = after["status"].eq("suppressed")
    assert hidden.sum() >= before["status"].eq("suppressed").sum()
    assert after.loc[hidden, ["value", "base", "gap", "p_adjusted"]].isna().all(axis=None)
    pd.testing.assert_series_equal(protected.table["compared_value"], wres.table["compared_value"])


def test_shown_as_text_and_page(wres: Standard) -> None:
    assert repr(wres).startswith("<Workforce Race Equality Standard (WRES): survey of 2024, 4 ind")
    assert "a clear gap" in wres._repr_html_()


def test_definitions_name_what_the_instrument_has() -> None:
    import tomllib

    from culture_analytics.instrument.loader import DATA

    with (DATA / "standards.toml").open("rb") as f:
        definitions = tomllib.load(f)
    instrument = ca.load_instrument()
    for name in ("wres", "wdes"):
        standard = definitions[name]
        groups = [g.label for g in instrument.breakdowns[standard["breakdown"]].groups]
        assert {standard["compared"], standard["reference"]} == set(groups)
        assert instrument.breakdowns[standard["breakdown"]].reference == standard["reference"]
        assert set(standard["detailed"]) <= set(instrument.breakdowns)
        for indicator in standard["indicators"]:
            measure = instrument.measures[indicator["measure"]]
            want = {"lower": "compared", "higher": "reference"}[measure.better]
            alone = measure.unit == "score" or indicator.get("one_group")
            assert indicator["ratio"] == ("" if alone else want)
    for ladder in definitions["ladders"].values():
        assert all(step["measure"] in instrument.measures for step in ladder["steps"])
    assert all(g in instrument.items for c in definitions["coverage"] for g in c["grounds"])


def test_from_a_view_that_was_saved(wres: Standard) -> None:
    import pickle

    view = pickle.loads(pickle.dumps(ca.suppress(wres.figures)))
    again = wres_indicators(view)
    assert again.table["verdict"].tolist() == wres.table["verdict"].tolist()
    hidden = again.groups["status"].eq("suppressed")
    assert hidden.any() and again.groups.loc[hidden, ["value", "gap"]].isna().all(axis=None)
