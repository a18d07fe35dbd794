"""Who answered: only numbers of answers that are shown anyway stand beside the staff list."""

from __future__ import annotations

import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics import show
from culture_analytics.errors import DesignError
from culture_analytics.output.blocks import Sentence, Table
from culture_analytics.output.show_response import with_staff


def staff_list(**more: int) -> pd.DataFrame:
    groups = {"Female": 6500, "Male": 2100, "Non-binary": 30, **more}
    rows = [("gender", g, n) for g, n in groups.items()]
    rows += [("overall", "All staff", 8700), ("ethnicity", "White", 6100),
             ("ethnicity", "All other ethnic groups combined", 2400),
             ("ethnicity", "Not known", 200), ("shoe_size", "42", 100)]  # fmt: skip
    return pd.DataFrame(rows, columns=["breakdown", "group", "staff"])


def test_rates_are_of_what_is_shown(sample_release: ca.Release) -> None:
    table = show.who_answered(with_staff(sample_release, staff_list()))
    assert isinstance(table, Table)
    rows = {r[0]: r for _, part in table.sections for r in part}
    held = pd.concat([sample_release[t].table for t in ("stress", "bullying", "discrimination")])
    held = held[held["status"].eq("ok")]
    most = held.groupby(["breakdown", "group"])["base"].max()
    for breakdown, group, staff in (("gender", "Female", 6500), ("ethnicity", "White", 6100),
                                    ("overall", "All staff", 8700)):  # fmt: skip
        answered = most[breakdown, group]
        assert rows[group][1:4] == [
            f"{staff:,}", f"{answered:,.0f}", f"{100 * answered / staff:.0f}%",
        ]  # fmt: skip
    assert rows["White"][4] == f"{100 * 6100 / 8500:.1f}%"  # of those whose group is known
    assert "Not known" not in rows
    assert any("Not in these results: shoe size" in n for n in table.notes)


def test_a_hidden_group_has_no_rate(sample_release: ca.Release) -> None:
    held = sample_release["stress", "gender"].table
    seen = set(held.loc[held["status"].eq("ok"), "group"])
    hidden = "Prefer to self-describe"
    assert hidden not in seen
    table = show.who_answered(with_staff(sample_release, staff_list(**{hidden: 40})))
    assert isinstance(table, Table)
    row = next(r for _, part in table.sections for r in part if r[0] == hidden)
    assert row[1:4] == ["40", "[c]", "[c]"]
    # With one group hidden the shares of the others would give its number.
    female = next(r for _, part in table.sections for r in part if r[0] == "Female")
    assert female[5] == ""


def test_few_staff_are_not_shown(sample_release: ca.Release) -> None:
    table = show.who_answered(
        with_staff(sample_release, staff_list(**{"Prefer to self-describe": 4}))
    )
    assert isinstance(table, Table)
    row = next(r for _, part in table.sections for r in part if r[0] == "Prefer to self-describe")
    assert row[1:5] == ["[c]"] * 4
    # All staff less the other groups would be the few: the next smallest is not told either.
    hidden = [r[0] for _, part in table.sections for r in part if r[1] == "[c]"]
    assert hidden == ["Non-binary", "Prefer to self-describe"]


def test_a_list_of_too_few_staff_is_refused(sample_release: ca.Release) -> None:
    of_another = staff_list().assign(
        staff=lambda t: t["staff"].where(t["breakdown"].ne("overall"), 90)
    )
    with pytest.raises(DesignError, match="overall: more answers than staff in 'All staff'"):
        with_staff(sample_release, of_another)
    with pytest.raises(DesignError, match="gender: more answers than staff in 'Male'"):
        only = staff_list(Male=50)
        with_staff(sample_release, only[only["breakdown"].eq("gender")])


def test_a_breakdown_that_does_not_fit_is_left_out_by_name(sample_release: ca.Release) -> None:
    condition, without = "With a long-term condition or illness", "Without a long-term condition"
    fewer = pd.DataFrame(
        {
            "breakdown": "long_term_condition",
            "group": [condition, f"{without} or illness"],
            "staff": [40, 9000],
        }
    )
    table = show.who_answered(with_staff(sample_release, pd.concat([staff_list(), fewer])))
    assert isinstance(table, Table)
    assert [title for title, _ in table.sections] == ["Gender", "", "Ethnicity"]
    (note,) = [n for n in table.notes if "left out" in n]
    assert condition in note and "40" not in note


def test_without_a_list_it_is_said_what_to_give(sample_release: ca.Release) -> None:
    said = show.who_answered(with_staff(sample_release, None))
    assert isinstance(said, Sentence) and said.absent and "columns breakdown" in said.text
