"""`compare_groups` and `verdict`: figures by hand, references, hidden parents, false findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as t_distribution

import culture_analytics as ca
from culture_analytics.compare import ALL, REST, compare_groups, compare_years, verdict
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import KEY, Estimates
from culture_analytics.stats import kish, ratio_score, wilson
from culture_analytics.stats.multiplicity import adjust_p
from culture_analytics.survey import Survey
from tests.compare.made import figure, published, results

BULLIED, FAIR = "hba_managers", "fair_career_progression"
OTHERS = "All other ethnic groups combined"
BOTH = ["difference", "ratio"]


def by(group: str, value: float, base: float, breakdown: str = "ethnicity", **other: Any) -> Any:
    row = figure(2024, other.pop("measure", BULLIED), value, base, **other)
    return row | {"breakdown": breakdown, "group": group}


def two(value: float, base: float, value0: float, base0: float, **other: Any) -> Estimates:
    return results([by("White", value0, base0, **other), by(OTHERS, value, base, **other)])


def one(estimates: Estimates, **options: Any) -> pd.Series:
    table = compare_groups(estimates, **options).table
    assert len(table) == 1
    return table.iloc[0]


# -- figures --------------------------------------------------------------------------------


def test_difference_by_hand() -> None:
    # Newcombe's example: 56 of 70 and 48 of 80, printed limits 0.0524 and 0.3339.
    row = one(two(80, 70, 60, 80))
    assert (row["statistic"], row["unit"], row["group"], row["reference"]) == (
        "difference", "points", OTHERS, "White",
    )  # fmt: skip
    assert row["value"] == pytest.approx(20)
    assert [row["lower"], row["upper"]] == pytest.approx([5.24, 33.39], abs=0.005)
    # Between the z test and Fisher's: R prop.test 0.00805, fisher.test 0.0084 (two-sided).
    assert 0.00804 < row["p_value"] < 0.0125
    assert row["base"] == 70


def test_ratio_by_hand() -> None:
    row = one(two(30, 200, 20, 300), statistic="ratio")
    assert row["value"] == pytest.approx(1.5) and row["unit"] == "ratio"
    # Katz: exp(log 1.5 -+ 1.96 sqrt(0.7/60 + 0.8/60)), with n - 1 for n in the standard error.
    se = (0.7 / (0.3 * 199) + 0.8 / (0.2 * 299)) ** 0.5
    assert np.log([row["lower"], row["upper"]]) == pytest.approx(
        [np.log(1.5) - 1.9647 * se, np.log(1.5) + 1.9647 * se], abs=1e-4
    )
    assert row["method"] == "log_ratio"


def test_ratio_of_few_has_score_limits() -> None:
    row = one(two(100 * 7 / 34, 34, 100 * 1 / 34, 34), statistic="ratio")
    low, high = ratio_score(7 / 34, 34, 1 / 34, 34, skewness=True)
    assert row["method"].startswith("ratio_score")
    assert [row["lower"], row["upper"]] == pytest.approx([float(low), float(high)], rel=1e-9)


def test_there_is_no_ratio_to_nobody() -> None:
    table = compare_groups(two(10, 100, 0, 100), statistic=BOTH).table
    assert table["status"].tolist() == ["ok", "not_applicable"]
    assert np.isnan(table["value"].iloc[1])


def test_scores_by_the_less_sure_of_two_t_tests() -> None:
    def pair(se: float) -> Estimates:
        other = {"measure": "staff_engagement", "statistic": "score"}
        return results(
            [by("White", 6.5, 900, se=0.08, **other), by(OTHERS, 6.9, 400, se=se, **other)]
        )

    row = one(pair(0.16), statistic=BOTH)  # no ratio of scores; wide spread in the small group
    assert row["method"] == "welch_t" and row["value"] == pytest.approx(0.4)
    assert row["se"] == pytest.approx((0.16**2 + 0.08**2) ** 0.5)
    # A small group whose answers are alike: standard deviations of 0.2 and 2.4, by hand.
    row = one(pair(0.01), statistic=BOTH)
    common = ((399 * 0.2**2 + 899 * 2.4**2) / 1298 * (1 / 400 + 1 / 900)) ** 0.5
    assert row["method"] == "pooled_t" and row["df"] == 1298
    assert row["se"] == pytest.approx(common)
    assert row["p_value"] == pytest.approx(2 * t_distribution.sf(0.4 / common, 1298))
    assert row["upper"] == pytest.approx(0.4 + t_distribution.ppf(0.975, 1298) * common)
    pair = pair(0.08)
    with pytest.raises(MeasureError, match="scores alone"):
        compare_groups(pair, statistic="ratio")


def test_small_groups_are_not_tested_as_if_normal() -> None:
    # 10 of 30 against 200 of 2000. Exact tail of the hypergeometric by scipy.
    from scipy.stats import hypergeom

    row = one(two(100 / 3, 30, 10, 2000))
    tail = hypergeom(2030, 210, 30)
    mid = 2 * (float(tail.sf(10)) + float(tail.pmf(10)) / 2)
    assert row["p_value"] == pytest.approx(mid, rel=1e-6)
    z = 0.2333333 / (210 / 2030 * 1820 / 2030 * (1 / 30 + 1 / 2000)) ** 0.5
    assert z > 4 and row["p_value"] > 10 * 2.4e-5  # what z alone would say


def test_direction_of_counting_does_not_matter() -> None:
    a, b = one(two(100 / 3, 30, 10, 2000)), one(two(200 / 3, 30, 90, 2000))
    assert a["p_value"] == pytest.approx(b["p_value"], rel=1e-6)
    assert a["value"] == pytest.approx(-b["value"])


# -- the rest, and everyone -----------------------------------------------------------------


def test_rest_and_all_equal_a_survey_of_them(survey_of: Callable[..., Survey]) -> None:
    survey = survey_of(900, seed=4)
    results_ = ca.calculate(survey, [FAIR, "staff_engagement"], by="directorate")
    rest = compare_groups(results_, reference=REST).table.set_index(["measure", "group"])
    everyone = compare_groups(results_, reference=ALL).table.set_index(["measure", "group"])
    for name in survey.responses["directorate"].cat.categories:
        inside = survey.responses["directorate"].eq(name).to_numpy()
        recoded = survey.responses.assign(
            side=pd.Categorical(np.where(inside, "in", "out"), categories=["in", "out"])
        )
        import dataclasses

        halves = dataclasses.replace(survey, responses=recoded)
        direct = compare_groups(
            ca.calculate(halves, [FAIR, "staff_engagement"], by="side"), reference="out"
        ).table.set_index("measure")
        for measure in (FAIR, "staff_engagement"):
            got, want = rest.loc[(measure, name)], direct.loc[measure]
            for column in ("value", "lower", "upper", "p_value"):
                assert got[column] == pytest.approx(want[column], rel=2e-3, abs=1e-6), column
            part = everyone.loc[(measure, name)]
            share = part["value"] / got["value"]
            assert 0 < share < 1 and part["p_value"] == got["p_value"]
            assert part["upper"] == pytest.approx(share * got["upper"])
    value = results_.select(measure=FAIR).table.set_index("group")["value"]
    gap = everyone.loc[FAIR]["value"]
    assert gap.to_dict() == pytest.approx((value - value["All staff"]).drop("All staff").to_dict())


def test_ratio_to_everyone(survey_of: Callable[..., Survey]) -> None:
    found = ca.calculate(survey_of(900, seed=4), FAIR, by="directorate")
    ratio = compare_groups(found, reference=ALL, statistic="ratio").table.set_index("group")
    value = found.table.set_index("group")["value"]
    want = (value / value["All staff"]).drop("All staff").to_dict()
    assert ratio["value"].to_dict() == pytest.approx(want)
    assert (ratio["lower"] < ratio["value"]).all() and (ratio["value"] < ratio["upper"]).all()


def test_weighted_rest(survey_of: Callable[..., Survey]) -> None:
    survey = survey_of(800, seed=9)
    found = ca.calculate(survey, FAIR, by="directorate", weight="w")
    row = compare_groups(found, reference=REST).table.iloc[0]
    out = survey.responses["directorate"].ne(row["group"]) & survey.responses[FAIR].notna()
    w = survey.responses.loc[out, "w"].to_numpy()
    yes = survey.responses.loc[out, FAIR].eq("Yes").to_numpy()
    p = float((w * yes).sum() / w.sum())
    mine = found._frame.set_index("group")["value"][row["group"]]
    assert row["value"] == pytest.approx(mine - 100 * p)
    _, high = wilson(p, float(kish(w.sum(), (w**2).sum())))
    own = found._frame.set_index("group").loc[row["group"]]
    reach = np.hypot(own["value"] - own["lower"], 100 * (float(high) - p))
    assert row["lower"] == pytest.approx(row["value"] - reach)


# -- references -----------------------------------------------------------------------------


def test_standard_reference_of_every_breakdown() -> None:
    found = ca.calculate(ca.load_sample(2024), BULLIED, by=["equality", "occupation_detailed"])
    gaps = compare_groups(found)
    table, instrument = gaps.table, ca.load_instrument()
    for name, rows in table.groupby("breakdown"):
        breakdown = instrument.breakdowns[str(name)]
        assert set(rows["reference"]) == {breakdown.reference or REST}
        assert breakdown.reference not in set(rows["group"])
        assert not {g.label for g in breakdown.groups if not g.contrast} & set(rows["group"])
    assert any("kept out of comparisons" in note for note in gaps.notes)
    assert any("occupation_detailed: no standard reference" in note for note in gaps.notes)
    assert not table.duplicated(list(KEY)).any()


def test_crossing_is_compared_with_both_references() -> None:
    found = ca.calculate(ca.load_sample(2024), BULLIED, by="ethnicity:long_term_condition")
    table = compare_groups(found).table
    assert set(table["reference"]) == {"White | Without a long-term condition or illness"}
    assert len(table) == 3


def test_named_group_and_unknown_one() -> None:
    found = ca.calculate(ca.load_sample(2024), BULLIED, by=["ethnicity_broad", "gender"])
    gaps = compare_groups(found, reference="Asian or Asian British")
    assert set(gaps.table["breakdown"]) == {"ethnicity_broad"}
    assert any("gender: no group" in note for note in gaps.notes)
    with pytest.raises(MeasureError, match="is a group of no breakdown here"):
        compare_groups(found, reference="Martian")


def test_published_wholes_on_other_weights_are_no_reference() -> None:
    rows = [
        published(2024, BULLIED, 10, 900),
        published(2024, BULLIED, 12, 400, weighting="organisation size")
        | {"breakdown": "ethnicity", "group": OTHERS},
    ]
    gaps = compare_groups(results(rows), reference=ALL)
    assert gaps.table["status"].tolist() == ["unavailable"]
    assert any("nothing to be compared with" in note for note in gaps.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"statistic": "odds"}, "there are .difference., .ratio., .association."),
     ({"adjust": "bonferroni"}, "there are 'holm'"), ({"statistic": []}, "statistic=")],
)  # fmt: skip
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MeasureError, match=message):
        compare_groups(two(20, 100, 10, 100), **options)


def test_nothing_to_compare() -> None:
    with pytest.raises(MeasureError, match="figures by group"):
        compare_groups(results([figure(2024, BULLIED, 10, 100)]))
    with pytest.raises(MeasureError, match="No group is left"):
        compare_groups(results([by("White", 10, 100)]))


# -- families and verdicts ------------------------------------------------------------------


def test_family_is_every_publishable_comparison_of_a_table() -> None:
    rows = [by("White", 10, 500, measure=m) for m in (BULLIED, FAIR, "hba_colleagues")]
    rows += [by(OTHERS, v, 300, measure=m) for m, v in ((BULLIED, 16), (FAIR, 12))]
    rows += [by(OTHERS, 50, 10, measure="hba_colleagues")]  # hidden: no member of the family
    rows += [by(g, 10, 400, "gender") for g in ("Male", "Female")]
    table = compare_groups(results(rows), statistic=BOTH).table
    gaps = table[(table["statistic"] == "difference") & (table["breakdown"] == "ethnicity")]
    assert gaps["family"].tolist() == ["ZZ1 2024, ethnicity with White: 2 comparisons"] * 2 + [""]
    shown = gaps[gaps["status"] == "ok"]
    assert shown["p_adjusted"].tolist() == pytest.approx(adjust_p(shown["p_value"]).tolist())
    both = table.pivot_table(
        index=["measure", "breakdown"], columns="statistic", values="p_adjusted"
    )
    assert np.allclose(both["difference"], both["ratio"])
    bh = compare_groups(results(rows), adjust="bh").table
    kept = bh[(bh["breakdown"] == "ethnicity") & (bh["status"] == "ok")]
    assert kept["p_adjusted"].tolist() == pytest.approx(
        adjust_p(shown["p_value"], method="bh").tolist()
    )


@pytest.mark.parametrize(
    ("estimates", "words"),
    [
        (two(30, 300, 15, 900), "a clear gap"),
        (two(16, 300, 15, 900), "no clear difference"),
        (two(100 * 9 / 40, 40, 3, 3000), "too few to judge"),  # nine people, p under 0.001
        (two(97.5, 80, 70, 3000), "too few to judge"),  # two who did not
        (two(25, 40, 3, 3000), "a clear gap"),  # ten people
        (two(50, 9, 10, 900), "not shown"),
    ],
)
def test_verdicts(estimates: Estimates, words: str) -> None:
    gaps = compare_groups(estimates, statistic=BOTH)
    assert verdict(gaps) == [words] * 2


def test_verdicts_outlive_a_protected_view() -> None:
    import pickle

    gaps = compare_groups(
        ca.calculate(ca.load_sample(2024), "bullying", by="ethnicity_detailed"), statistic=BOTH
    )
    again = pickle.loads(pickle.dumps(gaps))
    assert verdict(again) == verdict(gaps)
    assert {"too few to judge", "no clear difference", "not shown"} <= set(verdict(gaps))


def test_verdict_needs_comparisons() -> None:
    with pytest.raises(MeasureError, match="no comparison"):
        verdict(two(10, 100, 10, 100))
    years = compare_years(results([figure(y, BULLIED, 10, 100) for y in (2023, 2024)]))
    with pytest.raises(MeasureError, match="no comparison"):
        verdict(years)


def test_null_families_seldom_give_a_clear_gap() -> None:
    rng, families, measures = np.random.default_rng(5), 60, 40
    sizes = np.array([2000, 15, 30, 60, 120, 400])
    said = rng.binomial(sizes, 0.15, size=(families, measures, len(sizes)))
    share = said / sizes
    low, high = wilson(share, np.broadcast_to(sizes, share.shape))
    axes = np.indices(share.shape).reshape(3, -1)
    labels = np.array(["White", "a", "b", "c", "d", "e"])
    frame = pd.DataFrame(
        {
            "year": 2024, "org": [f"ZZ{i}" for i in axes[0]], "measure": [f"m{i}" for i in axes[1]],
            "label": "", "breakdown": "ethnicity", "group": labels[axes[2]], "answer": "",
            "within": "", "within_group": "", "statistic": "percent", "unit": "percent",
            "value": 100 * share.ravel(), "lower": 100 * low.ravel(), "upper": 100 * high.ravel(),
            "level": 0.95, "base": sizes[axes[2]].astype(float), "weighting": "unweighted",
            "se": 100 * np.sqrt(share * (1 - share) / (sizes - 1)).ravel(), "status": "ok",
            "source": "extract", "release": "", "method": "wilson",
        }
    )  # fmt: skip
    gaps = compare_groups(results(frame.to_dict("records")))
    table = gaps.table.assign(verdict=verdict(gaps))
    assert set(table["family"].str.extract(r": (\d+) comparisons")[0]) == {"200"}
    false = table[table["verdict"] == "a clear gap"]["org"].nunique() / families
    assert false <= 0.05 + 2 * (0.05 * 0.95 / families) ** 0.5
    covered = table["lower"].le(0) & table["upper"].ge(0)
    assert covered.mean() >= 0.945
    assert covered.groupby(table["group"]).mean().min() >= 0.92


def test_under_strong_weights_the_test_holds_its_level() -> None:
    # 400 organisations of 300, a group of 45 each, Kish's effect 2.25; nothing but chance.
    rng, people, orgs = np.random.default_rng(7), 300, 400
    n, instrument = people * orgs, ca.load_instrument()
    dtype = instrument.items["discrimination_staff"].dtype
    said = np.where(rng.random(n) < 0.4, "Yes", "No")
    frame = pd.DataFrame(
        {
            "org": pd.Categorical(np.repeat([f"ZZ{i:03d}" for i in range(orgs)], people)),
            "year": np.full(n, 2024, dtype="int16"),
            "discrimination_staff": pd.Categorical(said, dtype=dtype),
            "side": pd.Categorical(np.where(rng.random(n) < 0.15, "b", "a")),
            "w": np.exp(rng.normal(0, 0.9, n)),
        }
    )
    survey = Survey(frame, instrument=instrument, design=ca.Design(weights={"w": "w"}))
    found = ca.calculate(survey, "discrimination_staff", by="side", weight="w")
    table = compare_groups(found, reference="a", statistic=BOTH).table
    table = table[table["org"] != "all"]
    gaps, ratios = (table[table["statistic"] == s] for s in BOTH)
    spread = (0.05 * 0.95 / orgs) ** 0.5
    assert gaps["p_value"].lt(0.05).mean() <= 0.05 + 2 * spread
    assert (gaps["lower"].le(0) & gaps["upper"].ge(0)).mean() >= 0.92
    assert (ratios["lower"].le(1) & ratios["upper"].ge(1)).mean() >= 0.92


# -- protection -----------------------------------------------------------------------------


def test_a_row_dies_with_either_figure() -> None:
    rows = [by("White", 10, 500), by(OTHERS, 20, 300), by("White", 30, 8, measure=FAIR),
            by(OTHERS, 40, 300, measure=FAIR)]  # fmt: skip
    table = compare_groups(results(rows), statistic=BOTH).table
    numbers = ["value", "lower", "upper", "se", "p_value", "p_adjusted", "base"]
    hidden = table[table["measure"] == FAIR]
    assert hidden["status"].eq("suppressed").all() and hidden[numbers].isna().all(axis=None)
    assert table[table["measure"] == BULLIED]["status"].eq("ok").all()


def test_the_rest_is_hidden_when_it_is_small() -> None:
    rows = [figure(2024, BULLIED, 20, 105), by("White", 20, 100)]
    for reference in (REST, ALL):
        table = compare_groups(results(rows), reference=reference).table
        assert table["status"].tolist() == ["suppressed"], reference


def test_comparing_before_and_after_suppression_hides_the_same() -> None:
    plain = ca.calculate(ca.load_sample(2024), "bullying", by="ethnicity_detailed")
    together = compare_groups(ca.suppress(plain), statistic=BOTH)
    assert verdict(together).count("not shown") >= 2
    hidden = set(ca.suppress(plain).table.query("status == 'suppressed'")["group"])
    of = together.table.query("status == 'suppressed'")
    assert set(of["group"]) <= hidden | set(of["reference"])
    report = ca.audit([ca.suppress(ca.concat([plain, compare_groups(plain, statistic=BOTH)]))])
    assert "ok" in repr(report).splitlines()[0]


def test_without_protection() -> None:
    rule = Rule.none(reason="test")
    frame = pd.DataFrame([by("White", 10, 50), by(OTHERS, 20, 5)])
    assert compare_groups(Estimates(frame, rule=rule)).table["status"].tolist() == ["ok"]
