"""Nothing hidden can be seen through any door of the library."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.errors import DisclosureError, MeasureError
from culture_analytics.estimates import NUMBERS, SCHEMA
from culture_analytics.instrument.culture import TOPICS
from tests.conftest import make_survey


@pytest.fixture(scope="module")
def survey_with_tiny_group():
    """400 respondents: 10 in team "tiny", 11 in "just", everyone answered, all tiny ones yes."""
    instrument = ca.load_instrument()
    n = 400
    team = pd.Categorical(["tiny"] * 10 + ["just"] * 11 + ["large"] * (n - 21))
    answer = pd.Categorical(
        ["Yes"] * 10 + ["No"] * 7 + ["Yes"] * 4 + ["No"] * (n - 21),
        dtype=instrument.items["work_related_stress"].dtype,
    )
    return make_survey(n, columns={"team": team, "work_related_stress": answer})


@pytest.fixture
def estimates(survey_with_tiny_group):
    return ca.calculate(survey_with_tiny_group, "work_related_stress", by="team")


def test_base_under_11_loses_every_number(estimates):
    rows = estimates.table.set_index("group")
    assert rows.loc["tiny", "status"] == "suppressed"
    assert rows.loc["tiny", list(NUMBERS)].isna().all()
    assert rows.loc["just", "status"] == "ok"
    assert rows.loc["just", "base"] == 11


def test_a_group_of_nobody_looks_like_any_small_group(survey_of):
    survey = survey_of(300, columns={"team": pd.Categorical(["a"] * 300, categories=["a", "b"])})
    table = ca.calculate(survey, "work_related_stress", by="ethnicity_detailed").table
    small = table[table["status"].isin(["suppressed", "not_computable"])]
    assert set(small["status"]) <= {"suppressed"}


def test_the_method_does_not_say_what_is_hidden(survey_of):
    """Under strata the method is "beta" at 0 and 100 % only; a group of nobody has none."""
    n = 300
    instrument = ca.load_instrument()
    team = pd.Categorical(["yes"] * 5 + ["mixed"] * 5 + ["large"] * (n - 10))
    answer = pd.Categorical(
        ["Yes"] * 8 + ["No"] * (n - 8), dtype=instrument.items["work_related_stress"].dtype
    )
    survey = survey_of(n, columns={"team": team, "work_related_stress": answer})
    stratified = survey.with_design(ca.Design(strata="directorate"))
    hidden = ca.calculate(stratified, "work_related_stress", by=["team", "religion"]).select(
        status="suppressed"
    )
    assert {"yes", "mixed"} <= set(hidden.unique("group"))
    rows = hidden.table.drop(columns=["breakdown", "group"])
    assert len(rows.drop_duplicates()) == 1
    assert set(rows["method"]) == {""}


def test_a_copy_counts_what_it_hides(estimates):
    assert "1 suppressed" in repr(estimates)
    assert "1 suppressed" in repr(pickle.loads(pickle.dumps(estimates)))


def test_weighted_bases_are_not_released(survey_with_tiny_group):
    table = ca.calculate(survey_with_tiny_group, "work_related_stress", weight="w").table
    assert table[["weighted_base", "effective_base"]].isna().all().all()


def test_no_door_shows_the_hidden_row(estimates, tmp_path):
    """The tiny group is all yes: 100 % on a base of 10 must appear nowhere."""
    doors = {
        "repr": repr(estimates),
        "html": estimates._repr_html_(),
        "csv": estimates.to_csv(tmp_path / "t.csv").read_text(encoding="utf-8-sig"),
        "select": repr(estimates.select(group="tiny").table.to_dict()),
        "pickle": repr(pickle.loads(pickle.dumps(estimates))._frame.to_dict()),
        "copy": repr(copy.copy(estimates)._frame[["value", "base"]].to_dict()),
        "bytes": pickle.dumps(estimates).decode("latin-1"),
    }
    for door, text in doors.items():
        assert "100.0" not in text, door
        assert "tiny" in text or door == "copy", door
    assert "[c]" in doors["repr"]


def test_a_suppressed_row_can_be_found_only_by_its_status(estimates):
    assert estimates.select(status="suppressed").unique("group") == ["tiny"]
    with pytest.raises(MeasureError, match="cannot be selected by 'base'"):
        estimates.select(base=10)


def test_table_is_a_copy(estimates):
    table = estimates.table
    table["value"] = 0
    assert not estimates.table["value"].eq(0).all()
    assert list(table.columns) == list(SCHEMA)


def test_rules_are_data_with_a_floor():
    assert ca.load_rule("default").base_under == 11
    assert ca.load_rule("nss-2018").base_under == 11
    assert ca.load_rule("nss-2024").base_under == 10
    with pytest.raises(DisclosureError, match=r"there are: default, nss-2018, nss-2024"):
        ca.load_rule("loose")
    with pytest.raises(DisclosureError, match="needs a recorded reason"):
        ca.Rule("own", base_under=5)
    assert ca.Rule("own", base_under=5, reason="agreed by the board").base_under == 5
    with pytest.raises(DisclosureError, match="needs a reason in words"):
        ca.Rule.none(reason=" ")
    with pytest.raises(DisclosureError, match="name of another|another name"):
        ca.Rule("default", base_under=0, reason="a borrowed name")
    with pytest.raises(DisclosureError, match="means nothing"):
        ca.Rule("own", base_under=-1, reason="none")


def test_the_reason_for_no_protection_is_printed(survey_with_tiny_group):
    rule = ca.Rule.none(reason="checking one figure by hand")
    shown = ca.calculate(survey_with_tiny_group, "work_related_stress", by="team", rule=rule)
    assert shown.select(group="tiny").table["base"].iloc[0] == 10
    assert "checking one figure by hand" in repr(shown)
    assert "checking one figure by hand" in shown._repr_html_()


def test_results_under_different_rules_do_not_mix(survey_with_tiny_group):
    a = ca.calculate(survey_with_tiny_group, "work_related_stress")
    b = ca.calculate(survey_with_tiny_group, "presenteeism", rule="nss-2024")
    with pytest.raises(DisclosureError, match="different rules"):
        ca.concat([a, b])


def test_survey_shows_counts_and_is_not_pickled(survey_with_tiny_group):
    text = repr(survey_with_tiny_group)
    assert "400 respondents" in text
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(survey_with_tiny_group)


@pytest.fixture(scope="module")
def release(survey_with_tiny_group):
    tables = [
        {"topic": "stress", "measures": ["stress"], "by": ["equality", "units"]},
        {"topic": "bullying", "measures": ["bullying"], "by": ["units"]},
    ]
    return ca.build_release(survey_with_tiny_group, tables={"tables": tables})


def test_release_holds_the_standard_tables():
    release = ca.build_release(ca.load_sample(2024))
    assert release.topics[:6] == (
        "headline",
        "stress",
        "bullying",
        "discrimination",
        "grounds",
        "scores",
    )
    inclusion = {"standards", "ladder", "medical", "leaders", "crossings", "gaps", "adjusted"}
    inclusion |= {f"gaps_{name}" for name in ("wres", "wdes", "edi", "medical", "leaders")}
    assert inclusion <= set(release.topics)
    assert {*TOPICS} <= set(release.topics)
    assert ("bullying", "ethnicity") in release
    assert ("bullying", "colour") not in release
    assert {"ethnicity", "gender", "directorate", "team"} <= set(release.breakdowns("stress"))
    assert release["stress", "overall"].unique("group") == ["All staff"]
    assert release.answers("bullying").unique("answer")[0] == "Never"
    assert "proved" in release.banner
    with pytest.raises(MeasureError, match="no topic 'stres'"):
        release["stres"]
    with pytest.raises(MeasureError, match="no table of 'stress' by 'colour'"):
        release["stress", "colour"]


def test_saved_release_is_the_protected_view_and_opens_again(release, tmp_path):
    path = release.save(tmp_path / "trust.release")
    again = ca.load_release(path)
    pd.testing.assert_frame_equal(again.table, release.table)
    assert again.about == release.about
    assert again["stress"].organisations.to_dict("list") == {"org": ["ZZ1"], "name": [""]}
    assert again["stress"].notes == release["stress"].notes
    assert again.rule == release.rule
    tiny = again.table[(again.table["group"] == "tiny")]
    assert len(tiny) > 5 and tiny["value"].isna().all()
    assert [p.name for p in tmp_path.iterdir()] == ["trust.release"]


def test_a_file_that_is_no_release_is_refused(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("hello", encoding="utf-8")
    with pytest.raises(DisclosureError, match=r"notes\.txt is not a saved release"):
        ca.load_release(other)


def test_own_set_of_tables(survey_with_tiny_group, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[tables]]\ntopic = "short"\nmeasures = ["work_related_stress"]\nby = ["gender"]\n',
        encoding="utf-8",
    )
    release = ca.build_release(survey_with_tiny_group, tables=path)
    assert release.topics == ("short",)
    assert release.breakdowns("short") == ("gender",)
    with pytest.raises(MeasureError, match="there are: standard"):
        ca.build_release(survey_with_tiny_group, tables="standrad")


def test_published_results_are_released_as_they_stand():
    frame = pd.DataFrame(
        {
            "year": 2024, "org": "ENG", "measure": ["work_related_stress", "hba_managers"],
            "label": "", "breakdown": "overall", "group": "All staff", "statistic": "percent",
            "unit": "percent", "value": [41.6, 9.5], "base": [740911.0, 739000.0],
            "status": "ok", "source": "published", "release": "2024", "weighting": "size",
        }
    )  # fmt: skip
    published = ca.Estimates(frame, rule=ca.load_rule("nss-2024"))
    release = ca.build_release(published)
    assert release.about["kind"] == "published"
    assert release.banner == "Officially published results, as protected by their publisher"
    assert release.about["org_name"] == "England"
    assert release["stress", "overall"].table["value"].tolist() == [41.6]
    two = ca.Estimates(pd.concat([frame, frame.assign(org="ZZ9")]), rule=ca.load_rule("nss-2024"))
    with pytest.raises(DisclosureError, match="2 organisations"):
        ca.build_release(two)
    assert not np.isnan(release.table["value"]).any()


@pytest.mark.slow
def test_a_small_organisation_gets_a_release_that_holds():
    release = ca.build_release(ca.simulate_survey(60, year=2024, seed=60))
    assert release.hidden()["ok"] > 1000
    assert ca.audit(release).ok
