"""`compare_years`: figures by hand, the guard, hidden parents, families."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.compare import compare_years
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.stats.multiplicity import adjust_p
from tests.compare.made import figure, published, results

STRESS, FAIR = "work_related_stress", "fair_career_progression"


def differences(estimates: Estimates, **options: Any) -> pd.DataFrame:
    table = compare_years(estimates, **options).table
    return table[table["statistic"] == "difference"].reset_index(drop=True)


def one(*rows: dict[str, Any]) -> pd.Series:
    table = differences(results(rows))
    assert len(table) == 1
    return table.iloc[0]


# -- figures --------------------------------------------------------------------------------


def test_percentages_by_hand() -> None:
    # Newcombe's example: 56 of 70 and 48 of 80, printed limits 0.0524 and 0.3339.
    found = compare_years(
        results([figure(2023, STRESS, 60, 80), figure(2024, STRESS, 80, 70)])
    ).table
    row, official = found.iloc[0], found.iloc[1]
    assert (row["year"], row["reference"], row["unit"], row["status"]) == (
        2024, "2023", "points", "ok",
    )  # fmt: skip
    assert row["value"] == pytest.approx(20)
    assert [row["lower"], row["upper"]] == pytest.approx([5.24, 33.39], abs=0.005)
    assert row["se"] == pytest.approx(100 * (0.8 * 0.2 / 69 + 0.6 * 0.4 / 79) ** 0.5)
    assert row["base"] == 70
    # R: prop.test(c(56, 48), c(70, 80), correct = FALSE)$p.value
    assert row["p_value"] == pytest.approx(0.00804508136820, rel=1e-9)
    assert official["statistic"] == "official_test"
    assert official["p_value"] == pytest.approx(row["p_value"])
    assert official["value"] == row["value"] and np.isnan(official["p_adjusted"])


def test_scores_by_hand() -> None:
    # SD 1.6 in both years: t as in a published benchmark report's example (2.2).
    rows = [
        figure(2023, "staff_engagement", 7.74, 2033, statistic="score", se=1.6 / 2033**0.5),
        figure(2024, "staff_engagement", 7.63, 2017, statistic="score", se=1.6 / 2017**0.5),
    ]
    table = compare_years(results(rows)).table
    row, official = table.iloc[0], table.iloc[1]
    se = 1.6 * (1 / 2033 + 1 / 2017) ** 0.5
    assert row["method"] == "welch_t" and official["method"] == "two_sample_t"
    assert row["value"] == pytest.approx(-0.11)
    assert row["se"] == pytest.approx(se) and official["se"] == pytest.approx(se)
    assert -0.11 / se == pytest.approx(-2.19, abs=0.005)
    assert row["p_value"] == pytest.approx(0.0288, abs=1e-4)
    assert official["df"] == 2033 + 2017 - 2
    assert (row["lower"] + row["upper"]) / 2 == pytest.approx(-0.11)
    assert row["upper"] < 0


def test_weighted_percentages_count_for_less() -> None:
    plain = [figure(2023, STRESS, 40, 400), figure(2024, STRESS, 47, 400)]
    weighted = [{**row, "se": 2 * row["se"], "weighting": "w"} for row in plain]
    a, b = differences(results(plain)).iloc[0], differences(results(weighted)).iloc[0]
    assert a["p_value"] < 0.05 < b["p_value"]
    # Twice the standard error is a quarter of the answers.
    quarter = [figure(2023, STRESS, 40, 100), figure(2024, STRESS, 47, 100)]
    assert b["p_value"] == pytest.approx(differences(results(quarter)).iloc[0]["p_value"], rel=1e-9)
    official = compare_years(results(weighted)).select(statistic="official_test").table.iloc[0]
    assert official["p_value"] == pytest.approx(a["p_value"], rel=1e-9)


def test_published_scores_have_a_difference_and_no_test() -> None:
    rows = [
        published(y, "staff_engagement", v, 900, statistic="score", release="one", lower=np.nan)
        for y, v in [(2023, 6.8), (2024, 7.0)]
    ]
    for row in rows:
        row["lower"] = row["upper"] = row["level"] = np.nan
    changed = compare_years(results(rows))
    row = changed.table.iloc[0]
    assert row["value"] == pytest.approx(0.2)
    assert np.isnan(row["p_value"]) and np.isnan(row["lower"]) and row["family"] == ""
    assert any("1 changes of published scores" in note for note in changed.notes)


def test_nobody_and_everybody_have_limits() -> None:
    table = differences(
        results(
            [
                figure(y, m, v, 40)
                for m, pair in {"hba_managers": (0, 0), STRESS: (100, 0)}.items()
                for y, v in zip((2023, 2024), pair, strict=True)
                if y != 2023 or m != "hba_managers"
            ]
            + [figure(2022, "hba_managers", 0, 40), figure(2022, STRESS, 0, 40)]
        ),
        baseline=2022,
    )
    ok = table[table["status"] == "ok"]
    assert len(ok) == 3 and (ok["lower"] < ok["upper"]).all()
    assert ok["p_value"].between(0, 1).all()


def test_on_the_sample_every_figure_is_the_later_less_the_earlier() -> None:
    parents = ca.calculate(
        ca.load_sample(), ["headline", "people_promise"], by=["ethnicity", "age"]
    )
    table = differences(parents)
    keys = ["org", "measure", "breakdown", "group"]
    shown = parents.table.set_index([*keys, "year"])["value"]
    for row in table[table["status"] == "ok"].itertuples():
        key = (row.org, row.measure, row.breakdown, row.group)
        assert row.value == pytest.approx(
            shown[(*key, row.year)] - shown[(*key, int(row.reference))]
        )
        assert row.lower < row.value < row.upper
    assert set(zip(table["year"], table["reference"], strict=True)) == {
        (2024, "2023"), (2025, "2024"),
    }  # fmt: skip
    assert not table.duplicated([*keys, "year", "reference"]).any()


# -- families -------------------------------------------------------------------------------


def test_families_are_the_publishable_cells_of_a_table() -> None:
    measures = [STRESS, "hba_managers", "hba_colleagues", "presenteeism"]
    rows = []
    for k, measure in enumerate(measures):
        rows += [figure(2023, measure, 40, 300), figure(2024, measure, 44 + 2 * k, 300)]
        small = {"breakdown": "ethnicity", "group": "White"}
        base = 9 if measure == STRESS else 300
        rows += [figure(2023, measure, 40, base, **small), figure(2024, measure, 50, 300, **small)]
    table = differences(results(rows))
    shown = table[table["status"] == "ok"]
    sizes = shown.groupby("breakdown")["family"].first().str.extract(r": (\d+) comparisons")[0]
    assert sizes.to_dict() == {"overall": "4", "ethnicity": "3"}
    for _, family in shown.groupby("family"):
        wanted = adjust_p(family["p_value"].to_numpy())
        assert family["p_adjusted"].to_numpy() == pytest.approx(wanted)
    bh = differences(results(rows), adjust="bh")
    assert (
        bh["p_adjusted"].dropna() <= shown.set_index(bh.index[bh["status"] == "ok"])["p_adjusted"]
    ).all()
    with pytest.raises(MeasureError, match="adjust"):
        compare_years(results(rows), adjust="bonferroni")


# -- hidden parents -------------------------------------------------------------------------


@pytest.mark.parametrize("small", [2023, 2024])
def test_a_difference_dies_with_either_figure(small: int) -> None:
    rows = [figure(y, STRESS, 40, 10 if y == small else 500) for y in (2023, 2024)]
    changed = compare_years(results(rows))
    numbers = ["value", "lower", "upper", "se", "df", "p_value", "p_adjusted", "base"]
    assert set(changed.table["status"]) == {"suppressed"}
    assert changed.table[numbers].isna().all(axis=None)
    assert (changed.table[["method", "family"]] == "").all(axis=None)


def test_a_difference_dies_with_figures_hidden_together() -> None:
    rows = [
        figure(y, STRESS, 40, 500, breakdown="age", group=g) for y in (2023, 2024) for g in "ab"
    ]
    parent = results(rows)._hiding(np.array([True, False, False, False]))
    changed = compare_years(parent)
    status = changed.table.set_index("group")["status"]
    assert set(status["a"]) == {"suppressed"} and set(status["b"]) == {"ok"}
    assert ca.concat([parent, changed])._suppressed_together
    apart = results(rows)
    assert not compare_years(apart)._suppressed_together
    assert len(ca.concat([apart, compare_years(apart)])) == 8


def test_nothing_hidden_is_left_in_what_leaves(tmp_path: Any) -> None:
    rows = [figure(2023, STRESS, 37.5, 8), figure(2024, STRESS, 43.21, 512)]
    changed = compare_years(results(rows))
    text = changed.to_csv(tmp_path / "x.csv").read_text(encoding="utf-8-sig")
    text += repr(changed) + changed._repr_html_() + " ".join(changed.notes)
    assert "5.71" not in text and "37.5" not in text and "512" not in text


# -- the guard ------------------------------------------------------------------------------


def refused(rows: list[dict[str, Any]], because: str) -> None:
    changed = compare_years(results(rows))
    assert set(changed.table["status"]) == {"not_comparable"}
    assert changed.table[["value", "p_value", "base", "se"]].isna().all(axis=None)
    said = [n for n in changed.notes if n.startswith("Not compared") and because in n]
    assert len(said) == 1, changed.notes
    assert said[0].count(". ") == 0 and said[0].endswith(".")  # one plain sentence


def marked(rows: list[dict[str, Any]], because: str, *, start: str = "Compare with care") -> None:
    changed = compare_years(results(rows))
    assert set(changed.table["status"]) == {"ok"}
    assert [n for n in changed.notes if n.startswith(start) and because in n], changed.notes


def test_adjustments_2021_to_2022() -> None:
    rows = [figure(y, "reasonable_adjustments", 70, 300) for y in (2021, 2022)]
    refused(rows, "adequate")
    fine = [figure(y, "reasonable_adjustments", 70, 300) for y in (2022, 2023)]
    assert one(*fine)["status"] == "ok"
    across = [figure(y, "reasonable_adjustments", 70, 300) for y in (2021, 2024)]
    refused(across, "adequate")


def test_positive_action_is_another_question_before_2021() -> None:
    rows = [
        figure(2020, "org_positive_action_wellbeing", np.nan, np.nan, status="not_asked"),
        figure(2021, "org_positive_action_wellbeing", 58, 300),
    ]
    refused(rows, "three answers up to 2020")


def test_fair_progression_base() -> None:
    rows = [
        published(y, FAIR, v, 3000, release=r)
        for y, v, r in [(2020, 84, "2020 x"), (2021, 56, "2021 x")]
    ]
    changed = compare_years(results(rows))
    assert set(changed.table["status"]) == {"not_comparable"}
    assert any('"don\'t know" out of the base' in n for n in changed.notes)
    # One release restates its history.
    rows = [published(y, FAIR, 56, 3000, release="2021 benchmark workbook") for y in (2020, 2021)]
    assert one(*rows)["status"] == "ok"
    marked([figure(y, FAIR, 56, 300) for y in (2020, 2021)], "don't know", start="Note")
    marked([figure(y, FAIR, 56, 300) for y in (2024, 2025)], "the wording now lists examples")


def test_published_results_before_2021_are_another_series() -> None:
    rows = [published(y, STRESS, 45, 3000, weighting="unweighted") for y in (2020, 2021)]
    refused(rows, "up to 2020 are unweighted")
    marked([figure(y, STRESS, 45, 300) for y in (2020, 2021)], "rebuilt in 2021")


def test_published_results_of_two_limits_are_put_together_and_refused_as_a_series() -> None:
    """Up to 2020 the publisher's limit was 11 and is 10 since: the stricter holds for both."""
    old, new = (
        Estimates(pd.DataFrame(rows), rule=load_rule(rule))
        for rows, rule in (
            ([published(2020, STRESS, 45, 3000, weighting="unweighted")], "nss-2018"),
            ([published(2021, STRESS, 45, 3000), published(2021, FAIR, 50, 10)], "nss-2024"),
        )
    )
    both = ca.concat([old, new])
    assert both.rule == old.rule
    assert both.select(year=2021, measure=FAIR).table["status"].tolist() == ["suppressed"]
    changes = compare_years(both)
    assert changes.select(measure=STRESS).table["value"].isna().all()
    assert any("up to 2020 are unweighted" in note for note in changes.notes)


def test_incidents_2023_first_release() -> None:
    def rows(release: str, *extra: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            published(2023, "hba_managers", 10.17, 3000, release=release),
            published(2024, "hba_managers", 9.5, 3000, release="2024 detailed spreadsheets"),
            *extra,
        ]

    refused(rows("2023 detailed spreadsheets"), "first release")
    violence = published(2023, "violence_managers", 0.8, 3000)
    table = differences(results(rows("2023 detailed spreadsheets", violence)))
    assert table.set_index("measure")["status"]["hba_managers"] == "ok"
    withheld = {**violence, "status": "unavailable", "value": np.nan}
    table = differences(results(rows("2023 detailed spreadsheets", withheld)))
    assert table.set_index("measure")["status"]["hba_managers"] == "not_comparable"
    marked(rows("2024 benchmark workbook"), "corrected")
    fine = [figure(y, "hba_managers", 10, 500) for y in (2022, 2024)]
    assert not [n for n in compare_years(results(fine)).notes if "2023" in n]


def test_grounds_2025() -> None:
    race = "discrimination_grounds_race"
    refused([figure(y, race, 50, 300) for y in (2024, 2025)], "Equality Act")
    age = "discrimination_grounds_age"
    marked([figure(y, age, 20, 300) for y in (2024, 2025)], "Equality Act")


def test_weighting_source_and_release() -> None:
    both = [
        published(2023, STRESS, 40, 900, weighting="unweighted", release="r"),
        published(2024, STRESS, 42, 900, release="r"),
    ]
    refused(both, "weighted differently (unweighted; occupation group)")
    refused([figure(2023, STRESS, 40, 900), published(2024, STRESS, 42, 900)], "calculated from")
    marked([published(y, STRESS, 40, 900) for y in (2023, 2024)], "two releases")
    one_release = [published(y, STRESS, 40, 900, release="r") for y in (2023, 2024)]
    assert not [n for n in compare_years(results(one_release)).notes if "releases" in n]


def test_a_weighting_under_its_former_name_is_the_same_weighting() -> None:
    """The national file of 2021 says "trust size" where later ones say "organisation size"."""
    for old, new in (
        ("trust size", "organisation size"),
        ("trust size and occupation group", "organisation size and occupation group"),
    ):
        rows = [
            published(2021, STRESS, 46, 9000, org="ENG", weighting=old),
            published(2022, STRESS, 44, 9000, org="ENG", weighting=new),
        ]
        marked(rows, f"two names ({old}; {new})", start="Note")
    rows[0]["weighting"] = "trust size"
    refused(rows, "weighted differently (trust size; organisation size and occupation group)")


def test_groups_that_hold_other_people() -> None:
    other = {"breakdown": "ethnicity_detailed", "group": "Asian: Any other Asian"}
    instrument = ca.load_instrument()
    known = {g.label for g in instrument.breakdowns["ethnicity_detailed"].groups}
    label = next(g for g in known if "ny other Asian" in g)
    rows = [figure(y, STRESS, 40, 90, **{**other, "group": label}) for y in (2024, 2025)]
    refused(rows, "Filipino")
    # The five groups hold Filipino and any other Asian together.
    broad = next(
        g.label for g in instrument.breakdowns["ethnicity_broad"].groups if "Asian" in g.label
    )
    rows = [
        figure(y, STRESS, 40, 90, breakdown="ethnicity_broad", group=broad) for y in (2024, 2025)
    ]
    assert one(*rows)["status"] == "ok"
    crossed = {"breakdown": "gender:ethnicity_detailed", "group": f"Female | {label}"}
    refused([figure(y, STRESS, 40, 90, **crossed) for y in (2024, 2025)], "Filipino")
    inside = {"within": "ethnicity_detailed", "within_group": label}
    refused([figure(y, STRESS, 40, 90, **inside) for y in (2024, 2025)], "Filipino")


def test_scores_survive_the_change_of_one_question() -> None:
    rows = [
        figure(y, "diversity_and_equality", 8.1, 500, statistic="score", se=0.05)
        for y in (2024, 2025)
    ]
    marked(rows, "one of its questions changed in 2025")


def test_own_groups_are_compared_by_name() -> None:
    rows = [figure(y, STRESS, 40, 90, breakdown="team", group="A") for y in (2023, 2024)]
    marked(rows, "groups of your own (team)", start="Note")


def test_every_break_names_things_that_exist() -> None:
    from culture_analytics.compare.comparable import _data

    instrument = ca.load_instrument()
    for entry in _data()["breaks"]:
        for measure in entry.get("measures", []):
            assert measure in instrument.measures or measure in instrument.items, measure
        for item in entry.get("items", []):
            assert item in instrument.items, item
        assert entry["source"] and entry["confidence"] in ("high", "medium", "low")
        assert not re.search(r"\bq\d", entry["reason"])
    assert set(_data()["general"]["words"]) == {q.comparable for q in instrument.questions} - {
        "yes",
        "first",
    }


# -- rows without a partner, and refusals -----------------------------------------------------


def test_rows_without_a_partner_are_named_not_dropped() -> None:
    rows = [
        figure(2023, STRESS, 40, 300),
        figure(2024, STRESS, 42, 300),
        figure(2024, "hba_staff", 20, 300),
        figure(2023, "presenteeism", 50, 300),
        figure(2024, STRESS, 41, 300, org="ZZ2"),
    ]
    changed = compare_years(results(rows))
    table = changed.table[changed.table["statistic"] == "difference"].set_index("measure")
    assert table["status"].to_dict() == {STRESS: "ok", "hba_staff": "unavailable"}
    assert "1 organisation(s) of 2024 have no figure in 2023." in changed.notes
    assert "1 figures of 2023 have no counterpart in 2024." in changed.notes


def test_pulse_figures_are_left_out_and_said() -> None:
    rows = [
        figure(y, "staff_engagement", 6.8, 300, statistic="score", se=0.1) for y in (2023, 2024)
    ]
    pulse = [{**r, "source": "pulse", "release": f"{r['year']} Q1"} for r in rows]
    changed = compare_years(results([*rows, *pulse]))
    assert len(changed) == 2 and "2 rows of the quarterly pulse survey" in " ".join(changed.notes)
    with pytest.raises(MeasureError, match="control_chart"):
        compare_years(results(pulse))


@pytest.mark.parametrize(
    ("years", "baseline", "message"),
    [((2024,), None, "needs two years"), ((2023, 2024), 2019, "2023, 2024"),
     ((2023, 2024), 2024, "latest")],
)  # fmt: skip
def test_refusals(years: tuple[int, ...], baseline: int | None, message: str) -> None:
    with pytest.raises(MeasureError, match=message):
        compare_years(results([figure(y, STRESS, 40, 99) for y in years]), baseline=baseline)


def test_order_of_rows_does_not_matter() -> None:
    parents = ca.calculate(ca.load_sample(), "stress", by=["ethnicity", "team"])
    shuffled = Estimates(
        parents._frame.sample(frac=1, random_state=3).reset_index(drop=True), rule=parents.rule
    )
    keys = ["year", "measure", "breakdown", "group"]
    a, b = (
        differences(e).sort_values(keys, ignore_index=True)[
            [*keys, "value", "p_adjusted", "status"]
        ]
        for e in (parents, shuffled)
    )
    pd.testing.assert_frame_equal(a, b)


def test_the_rule_and_the_synthetic_mark_go_with_the_results() -> None:
    stress = ca.calculate(ca.load_sample(), STRESS, rule=Rule("ours", base_under=20))
    changed = compare_years(stress)
    assert changed.rule.name == "ours" and set(changed.table["rule"]) == {"ours"}
    assert any("SYNTHETIC" in note for note in changed.notes)
    assert changed.organisations is not None
