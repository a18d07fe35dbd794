"""Rules as data, what each hides first, and rounded figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.disclosure.audit import protect
from culture_analytics.disclosure.leaks import attack
from culture_analytics.disclosure.precision import rounded
from culture_analytics.disclosure.rules import hidden_rows
from culture_analytics.disclosure.structure import (
    BASE,
    NUMERATOR,
    Counts,
    Protection,
    Structure,
    attacker_view,
    round_people,
)
from culture_analytics.disclosure.suppress import suppress
from culture_analytics.errors import DisclosureError
from tests.conftest import make_survey
from tests.disclosure.attackers import enumerate_tables
from tests.disclosure.releases import random_release


def rows(base, numerator, *, measure="hba_any", statistic="percent", answer=""):
    base, numerator = np.array(base, dtype=float), np.array(numerator, dtype=float)
    n = len(base)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(
            base > 0, (100 if statistic == "percent" else 1) * numerator / base, np.nan
        )
    return pd.DataFrame(
        {
            "source": "extract", "status": "ok", "statistic": statistic, "measure": measure,
            "answer": answer, "value": value, "lower": value - 5, "upper": value + 5, "se": 2.0,
            "level": 0.95, "method": "wilson", "base": base, "weighting": "unweighted",
            "_numerator": numerator, "group": [f"G{i}" for i in range(n)],
        }
    )  # fmt: skip


def test_shipped_rules_state_their_protection():
    for name in ("default", "nss-2018", "nss-2024", "strict", "rounded"):
        rule = ca.load_rule(name)
        protection = rule.protection
        assert (protection.base_span, protection.numerator_span) == (5, 3)
        assert protection.base_under == rule.base_under >= 10
        assert rule == ca.load_rule(name) and hash(rule) == hash(ca.load_rule(name))
    assert ca.load_rule("strict").protection.numerator_under == 3
    assert ca.load_rule("rounded").protection.round_base == 5
    assert ca.load_rule("strict") != ca.Rule(name="ours", base_under=11, numerator_under=3)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"base_under": 5}, "bases under 10"),
        ({"base_under": 11, "base_span": 2}, "fewer than 5 values"),
        ({"base_under": 11, "numerator_span": 1}, "fewer than 3 values"),
        ({"base_under": 11, "round_base": 0}, "round_base is 1"),
        ({"base_under": 11, "numerator_under": -1}, "means nothing"),
        ({"base_under": 11, "base_span": 12}, "cannot have 12 values"),
    ],
)
def test_a_weaker_rule_needs_a_reason_and_sense(numbers, said):
    with pytest.raises(DisclosureError, match=said):
        ca.Rule(name="ours", **numbers)


def test_a_reason_is_kept_and_a_shipped_name_is_not_lent():
    rule = ca.Rule(name="ours", base_under=5, base_span=3, reason="agreed with the board")
    assert rule.reason and rule.protection.base_span == 3
    with pytest.raises(DisclosureError, match="another name"):
        ca.Rule(name="strict", base_under=11)
    assert ca.Rule.none(reason="checking").protection.numerator_span == 0


def test_default_hides_small_bases_only():
    frame = rows([10, 11, 200, np.nan], [5, 5, 1, np.nan])
    frame.loc[3, "status"] = "not_asked"
    assert hidden_rows(frame, ca.load_rule("default")).tolist() == [True, False, False, False]


def test_strict_hides_one_or_two_people_and_all_or_nearly_all():
    frame = rows([10, 50, 50, 50, 50, 50, 50, 50], [5, 0, 1, 2, 3, 47, 48, 50])
    hidden = hidden_rows(frame, ca.load_rule("strict"))
    # nobody was bullied: that may be said
    assert hidden.tolist() == [True, False, True, True, False, False, True, True]
    good = hidden_rows(frame.assign(measure="enough_staff"), ca.load_rule("strict"))
    assert good[1]  # nobody said there are enough staff: everyone did not
    answer = hidden_rows(frame.assign(answer="Never"), ca.load_rule("strict"))
    assert answer[1]
    weighted = frame.drop(columns="_numerator").assign(weighting="w")
    with pytest.raises(DisclosureError, match="unweighted counts"):
        hidden_rows(weighted, ca.load_rule("strict"))


def test_strict_hides_scores_of_everyone_at_one_end_only():
    frame = rows([20, 20, 20], [0, 200, 60], measure="burnout", statistic="score")
    assert hidden_rows(frame, ca.load_rule("strict")).tolist() == [True, True, False]


def test_strict_in_a_table_protects_what_it_hides():
    structure = Structure.one_way(["A", "B", "C"])
    counts = Counts.of(structure, [150, 50, 50, 40, 10], [40, 2, 20, 15, 3])
    rule = ca.load_rule("strict").protection
    only = np.array([[False, True, False, False, False]])
    assert not suppress(structure, counts, Protection()).any()
    leaking = attack(structure, counts, only, rule)[1]
    hidden = suppress(structure, counts, rule)
    assert hidden[0, 1] and not attack(structure, counts, hidden, rule)[1].any.any()
    assert hidden.sum() > 1 or not leaking.any.any()


def test_strict_over_whole_results():
    survey = make_survey(700, seed=4)
    frame = ca.calculate(
        survey, ["hba_managers", "hba_colleagues", "hba_patients", "hba_any"],
        by=["ethnicity_detailed", "units"],
    )._frame  # fmt: skip
    rule = ca.load_rule("strict")
    hide, report = protect(frame, survey.instrument, protection=rule.protection)
    first = hidden_rows(frame, rule)
    assert hide[first].all() and report.ok
    assert first.sum() > hidden_rows(frame, ca.load_rule("default")).sum()


def test_rounded_figures_are_functions_of_rounded_people():
    frame = rows([37, 38, 200, 12, 63], [10, 12, 1, 12, 30])
    shown = rounded(frame, ca.load_rule("rounded"))
    assert shown["base"].tolist() == [35, 40, 200, 10, 65]
    assert shown["value"].tolist() == [29, 25, 0, 100, 46]
    assert shown["se"].isna().all() and frame["se"].notna().all()
    assert (shown["lower"] <= shown["value"]).all() and (shown["upper"] >= shown["value"]).all()
    assert (shown["lower"] % 1 == 0).all() and (shown["upper"] % 1 == 0).all()
    # The same rounded people give the same row, whatever the true numbers are.
    other = rounded(rows([33, 42, 202, 8, 67], [12, 8, 0, 8, 31]), ca.load_rule("rounded"))
    columns = ["base", "value", "lower", "upper", "method"]
    pd.testing.assert_frame_equal(shown[columns], other[columns])


def test_exact_rule_leaves_rows_alone_and_scores_lose_decimals():
    frame = rows([37], [10])
    pd.testing.assert_frame_equal(rounded(frame, ca.load_rule("default")), frame)
    score = rows([37], [233.1], measure="burnout", statistic="score")
    shown = rounded(score, ca.load_rule("rounded"))
    assert shown["value"].tolist() == [6.3] and shown["base"].tolist() == [35]
    assert shown["lower"].iloc[0] <= score["lower"].iloc[0]


@pytest.mark.parametrize(
    "rule", [Protection(round_base=5), Protection(decimals=0), Protection(round_base=10)]
)
def test_rounded_releases_are_audited_on_intervals(rule):
    """What an attacker takes from a shown cell holds the truth; hidden ones keep their room."""
    fewer = 0
    for seed in range(40):
        structure, counts = random_release(np.random.default_rng(500 + seed))
        hidden = suppress(structure, counts, rule)
        view = attacker_view(structure, counts, hidden, rule)
        truth = np.stack([counts.numerator, counts.base - counts.numerator, counts.base], axis=-1)
        known = ~np.isnan(truth)
        assert (view.lower[known] <= truth[known]).all()
        assert (view.upper[known] >= truth[known]).all()
        assert not attack(structure, counts, hidden, rule)[1].any.any()
        fewer += int(suppress(structure, counts, Protection()).sum()) - int(hidden.sum())
    assert fewer > 0  # rounding hides in itself, so that fewer groups need to go


def test_intervals_of_a_rounded_table_equal_enumeration():
    rule = Protection(base_under=4, base_span=2, numerator_span=2, round_base=3)
    structure = Structure.one_way(["A", "B"], not_stated=False)
    counts = Counts.of(structure, [11, 3, 8], [4, 1, 3])
    hidden = np.array([[False, True, False]])
    view = attacker_view(structure, counts, hidden, rule)
    box, _ = attack(structure, counts, hidden, rule)
    tables = np.array(list(enumerate_tables(structure, view, most=14)))
    assert np.array_equal(box.lower[0], tables.min(axis=0))
    assert np.array_equal(box.upper[0], tables.max(axis=0))
    assert box.span(BASE)[0, 1] > 1 and box.span(NUMERATOR)[0, 1] > 1


def test_people_are_rounded_halves_up():
    assert round_people(np.array([0.0, 2, 3, 7, 8, 12.0]), 5).tolist() == [0, 0, 5, 5, 10, 10]
    assert round_people(np.array([4.0, 5, 14, 15]), 10).tolist() == [0, 10, 10, 20]


def test_changes_of_a_rounded_release_are_those_of_its_rounded_figures():
    tables = [{"topic": "headline", "measures": ["headline"], "by": ["directorate"]}]
    survey = make_survey(300, years=(2023, 2024), seed=4)
    release = ca.build_release(survey, rule="rounded", tables={"tables": tables})
    keys = ["breakdown", "group", "measure"]
    shown = release["headline"].table.pivot_table("value", keys, "year")
    changes = release["changes"].table
    changes = changes[changes["statistic"].eq("difference") & changes["status"].eq("ok")]
    assert len(changes) > 10
    of_shown = (shown[2024] - shown[2023]).loc[pd.MultiIndex.from_frame(changes[keys])]
    assert np.allclose(changes["value"], of_shown)
    exact = ca.compare_years(ca.calculate(survey, "headline", by="directorate")).table
    exact = exact[exact["statistic"].eq("difference")].set_index(keys)["value"]
    far = (exact.loc[pd.MultiIndex.from_frame(changes[keys])].to_numpy() - changes["value"]).abs()
    assert far.max() > 0.5  # the exact change would say more
    assert ca.audit(release).ok
