"""Grounds of discrimination, the experience ladder and Equality Act coverage."""

from __future__ import annotations

import pytest

import culture_analytics as ca
from culture_analytics.errors import MeasureError
from culture_analytics.experience import (
    discrimination_grounds,
    equality_coverage,
    experience_ladder,
)


def test_every_protected_characteristic_of_2024() -> None:
    found = equality_coverage(2024).set_index("characteristic")["coverage"]
    assert found.to_dict() == {
        "age": "measured", "disability": "measured", "gender reassignment": "measured",
        "marriage and civil partnership": "not measured", "pregnancy and maternity": "not measured",
        "race": "measured", "religion or belief": "measured", "sex": "measured",
        "sexual orientation": "measured",
    }  # fmt: skip


def test_2025_asks_for_more_grounds() -> None:
    found = equality_coverage(2025).set_index("characteristic")
    ground_only = found.index[found["coverage"].eq("as a ground only")].tolist()
    assert ground_only == ["marriage and civil partnership", "pregnancy and maternity"]
    assert "self-described gender" in found.loc["sex", "note"]
    with pytest.raises(MeasureError, match="a survey year from 2018 to 2025, not 2030"):
        equality_coverage(2030)


@pytest.mark.parametrize(("year", "grounds"), [(2023, 7), (2024, 7), (2025, 10)])
def test_grounds_asked_each_year(year: int, grounds: int) -> None:
    found = discrimination_grounds(ca.load_sample(year))
    assert len(found) == grounds and found["measure"].is_unique
    assert found["value"].is_monotonic_decreasing and found["value"].sum() > 100
    assert found["base"].nunique() == 1  # the same people for every ground


def test_grounds_by_group_keep_the_order_of_everyone() -> None:
    survey = ca.load_sample(2024)
    found = discrimination_grounds(survey, by="ethnicity")
    order = found.groupby(["breakdown", "group"], sort=False)["measure"].apply(tuple)
    assert len(order) == 3 and order.nunique() == 1
    again = discrimination_grounds(ca.calculate(survey, "discrimination_grounds", by="ethnicity"),
                                   by="ethnicity")  # fmt: skip
    assert again.equals(found)


def test_ladder_by_group() -> None:
    survey = ca.load_sample(2024)
    found = experience_ladder(survey, by="ethnicity")
    assert found["step"].tolist() == [1, 2, 3] * 3
    assert found["group"].unique().tolist()[0] == "All staff"
    direct = ca.calculate(survey, ["hba_any", "hba_reported", "confident_concern_addressed"]).table
    assert found["value"].head(3).tolist() == direct["value"].tolist()
    assert found["base"].iloc[1] < found["base"].iloc[0]
    assert experience_ladder(survey, "violence")["measure"].tolist()[0] == "violence_any"


def test_refusals() -> None:
    with pytest.raises(MeasureError, match="there are 'bullying', 'violence'"):
        experience_ladder(ca.load_sample(2024), "stress")
    stress = ca.calculate(ca.load_sample(2024), "work_related_stress")
    with pytest.raises(MeasureError, match="hold none of"):
        discrimination_grounds(stress)
