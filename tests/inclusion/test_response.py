"""`response_profile`, `rake` and staff lists: by hand, refusals, protection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.errors import DesignError, MeasureError
from culture_analytics.response import (
    NOT_KNOWN,
    effect_of_weights,
    rake,
    read_staff,
    response_profile,
)
from culture_analytics.survey import Survey

OTHERS = "All other ethnic groups combined"


def staff(**groups: dict[str, int]) -> pd.DataFrame:
    rows = [(b, g, n) for b, of in groups.items() for g, n in of.items()]
    return pd.DataFrame(rows, columns=["breakdown", "group", "staff"])


@pytest.fixture(scope="module")
def survey() -> Survey:
    return ca.load_sample(2024)


BOTH = staff(gender={"Female": 6000, "Male": 2600, NOT_KNOWN: 100},
             ethnicity={"White": 5800, OTHERS: 2900})  # fmt: skip


# -- staff lists ----------------------------------------------------------------------------


def test_csv_of_a_staff_system(tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_bytes('\ufeffBreakdown,Group ,Staff\r\ngender,Female,"5,200"\r\n'.encode())
    assert read_staff(file).values.tolist() == [["gender", "Female", 5200.0]]


def test_lists_as_excel_saves_them(tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_bytes("breakdown;group;staff\r\nteam;Café;12\r\n;;\r\n".encode("cp1252"))
    assert read_staff(file).values.tolist() == [["team", "Café", 12.0]]
    for content in (b"", b'a,b\n"1,2\n3,4,5,6\n'):
        file.write_bytes(content)
        with pytest.raises(DesignError, match=r"staff\.csv (is empty|cannot be read as a table)"):
            read_staff(file)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"breakdown": ["a"], "group": ["b"]}), r"column\(s\) missing: staff"),
        (staff(gender={"Female": -1}), "1 of 1 rows have no whole number"),
        (
            pd.concat([staff(gender={"Female": 1})] * 2),
            "1 groups stand in it twice: gender 'Female'",
        ),
        (staff(gender={}), "only the line of column names"),
    ],
)
def test_wrong_staff_lists(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        read_staff(frame)
    with pytest.raises(DesignError, match="no file named none.csv"):
        read_staff("none.csv")


# -- who answered ---------------------------------------------------------------------------


def test_profile_by_hand(survey: Survey) -> None:
    found = response_profile(survey, BOTH).set_index("group")
    people = survey.responses["gender"].value_counts()
    women = found.loc["Female"]
    assert women["respondents"] == people["Female"] and women["staff"] == 6000
    assert women["rate"] == pytest.approx(100 * people["Female"] / 6000)
    assert women["lower"] < women["rate"] < women["upper"]
    both = people["Female"] + people["Male"]
    assert women["share_of_respondents"] == pytest.approx(100 * people["Female"] / both)
    assert women["share_of_staff"] == pytest.approx(100 * 6000 / 8600)
    assert women["ratio"] == pytest.approx(women["share_of_respondents"] / women["share_of_staff"])
    assert NOT_KNOWN not in found.index


def test_small_groups_and_one_more_are_hidden(survey: Survey) -> None:
    many = {"Female": 6000, "Male": 2600, "Non-binary": 20, "Prefer to self-describe": 30}
    found = response_profile(survey, staff(gender=many)).set_index("group")
    hidden = found["status"].eq("suppressed")
    assert found.index[hidden].tolist()[-2:] == ["Non-binary", "Prefer to self-describe"]
    shown = ["respondents", "rate", "lower", "upper", "share_of_respondents", "ratio"]
    assert found.loc[hidden, shown].isna().all(axis=None)
    # Everyone of a known group less those shown is not one small group.
    known = survey.responses["gender"].notna().sum() - found["respondents"].sum()
    assert known >= 11


@pytest.mark.parametrize("small", [["Non-binary"], ["Non-binary", "Prefer to self-describe"]])
def test_shares_do_not_give_the_hidden_away(survey: Survey, small: list[str]) -> None:
    found = response_profile(
        survey, staff(gender={"Female": 6000, "Male": 2600} | dict.fromkeys(small, 30))
    ).set_index("group")
    assert found["status"].eq("suppressed")[small].all()
    assert found.loc[["Female", "Male"], ["respondents", "rate"]].notna().all(axis=None)
    # Respondents over their share are all of the list's groups, less those shown the hidden ones.
    assert found[["share_of_respondents", "ratio"]].isna().all(axis=None)


def test_profile_refusals(survey: Survey) -> None:
    with pytest.raises(DesignError, match="more respondents than staff in 'Female'"):
        response_profile(survey, staff(gender={"Female": 100, "Male": 2600}))
    with pytest.raises(MeasureError, match="'Women' of the staff list are no groups"):
        response_profile(survey, staff(gender={"Women": 100}))
    with pytest.raises(MeasureError, match="one organisation and year"):
        response_profile(ca.load_sample(), BOTH)


# -- weights --------------------------------------------------------------------------------


def test_groups_add_up_to_the_staff(survey: Survey) -> None:
    weighted = rake(survey, BOTH)
    w, r = weighted.responses["raked"], weighted.responses
    assert w.sum() == pytest.approx(8700)
    ethnicity = ca.calculate(weighted, "hba_staff", by="ethnicity", weight="raked")
    assert ethnicity.table["weighting"].unique().tolist() == ["raked"]
    white = r["ethnic_group"].astype("str").str.startswith("White") & r["ethnic_group"].notna()
    others = r["ethnic_group"].notna() & ~white
    assert w[white].sum() / w[others].sum() == pytest.approx(2)
    women, men = (w[r["gender"].eq(g)].sum() for g in ("Female", "Male"))
    assert women / men == pytest.approx(6000 / 2600)
    # Those who did not say keep their share.
    outside = ~r["gender"].isin(["Female", "Male"])
    assert w[outside].sum() / w.sum() == pytest.approx(outside.mean())


def test_post_stratification_is_a_factor_a_group(survey: Survey) -> None:
    weighted = rake(survey, staff(ethnicity={"White": 3000, OTHERS: 3000}), name="ps")
    r = weighted.responses
    assert r["ps"].nunique() == 3
    plain = ca.calculate(survey, "hba_staff", by="ethnicity").table.set_index("group")["value"]
    ours = ca.calculate(weighted, "hba_staff", by="ethnicity", weight="ps").table
    assert ours.set_index("group")["value"].drop("All staff").to_dict() == pytest.approx(
        plain.drop("All staff").to_dict()
    )
    effect = effect_of_weights(weighted, "hba_staff", weight="ps").iloc[0]
    assert effect["change"] == pytest.approx(effect["weighted"] - effect["unweighted"])
    assert effect["change"] > 0 and effect["design_effect"] > 1  # more of those bullied more


def test_the_survey_itself_is_unchanged(survey: Survey) -> None:
    before = list(survey.responses.columns)
    weighted = rake(survey, BOTH)
    assert list(survey.responses.columns) == before and "raked" not in survey.design.weights
    again = rake(weighted, BOTH, name="twice", weight="raked")
    assert np.allclose(again.responses["twice"], weighted.responses["raked"])


def test_rake_refusals(survey: Survey) -> None:
    with pytest.raises(DesignError, match="do not have the same number of staff"):
        rake(survey, staff(gender={"Female": 6000, "Male": 2600}, ethnicity={"White": 100}))
    with pytest.raises(DesignError, match="already"):
        rake(survey, BOTH, name="directorate")
    with pytest.raises(DesignError, match="no weight 'x'"):
        rake(survey, BOTH, weight="x")
    with pytest.raises(MeasureError, match="one organisation and year"):
        rake(ca.load_sample(), BOTH)
    nobody = survey.filter(mask=survey.responses["gender"].ne("Male"))
    with pytest.raises(DesignError, match="staff but no respondents in 'Male'"):
        rake(nobody, BOTH)
