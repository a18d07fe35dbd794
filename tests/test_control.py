"""`control_chart`: quarters in order, one series only, hidden periods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from culture_analytics.control import control_chart
from culture_analytics.errors import MeasureError
from tests.compare.made import figure, published, results

VALUES = [6.5, 6.6, 6.4, 6.5, 6.7, 6.6, 6.5, 6.4, 6.5, 6.7, 6.6, 6.5, 5.5]


def quarter(place: int, value: float, **other: Any) -> dict[str, Any]:
    start, number = 2020 + place // 4, place % 4 + 1
    release = f"{start}-{(start + 1) % 100:02d} Q{number} National Quarterly Pulse Survey"
    given = {"statistic": "score", "source": "pulse", "release": release, "se": 0.0}
    return figure(start + (number == 4), "staff_engagement", value, 300, **{**given, **other})


def series(**other: Any) -> list[dict[str, Any]]:
    return [quarter(k, v, **other) for k, v in enumerate(VALUES)]


def test_quarters_in_order_and_a_signal() -> None:
    rows = series()
    chart = control_chart(results(rows[::-1]), "staff_engagement")
    table = chart.table
    assert table["period"].tolist()[:5] == [
        "2020-21 Q1", "2020-21 Q2", "2020-21 Q3", "2020-21 Q4", "2021-22 Q1",
    ]  # fmt: skip
    assert table["value"].tolist() == VALUES
    ranges = np.abs(np.diff(VALUES))
    kept = ranges[ranges <= 3.267 * ranges.mean()]
    assert len(kept) == 11  # without the jump to 5.5
    assert table["lower"].iloc[0] == pytest.approx(np.mean(VALUES) - 2.66 * kept.mean())
    assert chart.improvement == "up" and set(table["kind"]) == {"xmr_provisional"}
    assert chart.signals["period"].tolist() == ["2023-24 Q1"]
    assert chart.signals["variation"].tolist() == ["concern"]
    assert "13 points; limits from the usual step between neighbours, provisional" in " ".join(
        chart.notes
    )
    assert control_chart(results(rows), "staff_engagement", improvement="down").signals[
        "variation"
    ].tolist() == ["improvement"]


def test_rebase_at_a_quarter() -> None:
    chart = control_chart(results(series()), "staff_engagement", rebase="2021-22 Q3")
    assert chart.rebased == ("2021-22 Q3",)
    assert chart.table["segment"].tolist() == [0] * 6 + [1] * 7
    assert set(chart.table["kind"]) == {"run_chart"}
    assert any("start afresh at 2021-22 Q3" in note for note in chart.notes)
    with pytest.raises(MeasureError, match="2019-20 Q1"):
        control_chart(results(series()), "staff_engagement", rebase=["2019-20 Q1"])


@pytest.mark.parametrize(
    ("rebase", "period"),
    [
        ("2021-10-01", "2021-22 Q3"), ("2021-12-31", "2021-22 Q3"), ("2022-01-01", "2021-22 Q4"),
        ("2022-03-31", "2021-22 Q4"), ("2022-04-01", "2022-23 Q1"),
    ],
)  # fmt: skip
def test_rebase_at_a_date(rebase: str, period: str) -> None:
    assert control_chart(results(series()), "staff_engagement", rebase=rebase).rebased == (period,)


def test_rebase_in_a_quarter_without_a_survey_is_at_the_next() -> None:
    rows = [row for k, row in enumerate(series()) if k % 4 != 2]
    for rebase in ("2021-22 Q3", "2021-11-15"):
        chart = control_chart(results(rows), "staff_engagement", rebase=rebase)
        assert chart.rebased == ("2021-22 Q4",)


@pytest.mark.parametrize("rebase", ["2020-03-31", "2023-07-01", "soon", "2024", "2021-22 Q5"])
def test_rebase_outside_the_series_is_refused(rebase: str) -> None:
    with pytest.raises(MeasureError, match=f"no period of the series: {rebase}"):
        control_chart(results(series()), "staff_engagement", rebase=rebase)


def test_years_that_are_not_one_series_need_a_rebase() -> None:
    rows = [
        published(y, "work_related_stress", 40, 900, weighting="unweighted")
        for y in range(2016, 2025)
    ]
    with pytest.raises(MeasureError, match="not one series at 2021: .*rebase='2021'"):
        control_chart(results(rows), "work_related_stress")
    for rebase in ("2021", 2021, "2021-01-31"):
        chart = control_chart(results(rows), "work_related_stress", rebase=rebase)
        assert chart.table["segment"].tolist() == [0] * 5 + [1] * 4
    assert any(n.startswith("Not compared, 2021 with 2020") for n in chart.notes)


def test_a_merger_within_a_series_is_said() -> None:
    listed = pd.DataFrame({"old": ["ZZ2"], "new": ["ZZ1"], "date": ["2021-07-01"]}, dtype="str")
    chart = control_chart(results(series()), "staff_engagement", successors=listed)
    assert any("ZZ2 became ZZ1 on 1 July 2021" in note for note in chart.notes)
    later = listed.assign(date="2025-07-01")
    whole = control_chart(results(series()), "staff_engagement", successors=later)
    assert not any("became" in note for note in whole.notes)


def test_hidden_quarters_have_no_point() -> None:
    rows = series()
    rows[4] = {**quarter(4, 1.0), "base": 5}  # would be far beyond the limits
    table = control_chart(results(rows), "staff_engagement").table
    assert np.isnan(table["value"].iloc[4]) and table["status"].iloc[4] == "suppressed"
    assert np.isnan(table["base"].iloc[4]) and np.isfinite(table["centre"].iloc[4])
    rest = control_chart(results(rows[:4] + rows[5:]), "staff_engagement").table
    assert table["lower"].iloc[0] == pytest.approx(rest["lower"].iloc[0])
    assert table["rule"].iloc[4] == "" and table["side"].iloc[4] == 0


def test_pulse_and_annual_figures_are_never_one_series() -> None:
    annual = figure(2024, "staff_engagement", 6.9, 900, statistic="score", se=0.1)
    with pytest.raises(MeasureError, match="never one series"):
        control_chart(results([*series(), annual]), "staff_engagement")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"org": "ZZ2"}, {}, "2 values of 'org'"),
        ({"weighting": "w"}, {}, "2 values of 'weighting'"),
        ({"release": "2020-21 Q1 National Quarterly Pulse Survey"}, {}, "two figures"),
        ({"release": "spring"}, {}, "do not say their quarter"),
        ({}, {"improvement": "higher"}, "which way is better"),
        ({}, {"org": "ZZ9"}, "No figure"),
    ],
)
def test_refusals(change: dict[str, Any], options: dict[str, Any], message: str) -> None:
    rows = series()
    rows[3] = {**rows[3], **change}
    with pytest.raises(MeasureError, match=message):
        control_chart(results(rows), "staff_engagement", **options)


def test_annual_percentages_and_a_measure_without_a_better_way() -> None:
    rows = [
        figure(y, "work_related_stress", v, 500)
        for y, v in zip(range(2018, 2025), VALUES, strict=False)
    ]
    chart = control_chart(results(rows), "work_related_stress")
    assert chart.improvement == "down" and chart.unit == "percent"
    assert chart.table["period"].tolist()[0] == "2018"
    context = [figure(y, "patient_contact", 70, 500) for y in range(2018, 2025)]
    assert control_chart(results(context), "patient_contact").improvement == "neither"
