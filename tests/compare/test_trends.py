"""`trend`: lines over the years that are one series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.compare import trend
from culture_analytics.errors import MeasureError
from tests.compare.made import figure, published, results

STRESS = "work_related_stress"
R = pd.read_csv(Path(__file__).parents[1] / "reference" / "trend.csv")


def test_unweighted_equals_prop_trend_test() -> None:
    def r(name: str) -> np.ndarray:
        return R[R["case"].eq("trend_rise") & R["name"].eq(name)]["value"].to_numpy(dtype=float)

    yes, base, year = r("yes"), r("base"), r("year")
    rows = [figure(int(y), STRESS, 100 * a / n, n) for y, a, n in zip(year, yes, base, strict=True)]
    row = trend(results(rows)).table.iloc[0]
    assert row["p_value"] == pytest.approx(r("p")[0], rel=1e-9)
    assert row["value"] == pytest.approx(100 * r("slope")[0], rel=1e-9)
    assert row["reference"] == "2021-2024 (4 years)" and row["base"] == base.min()
    assert row["lower"] < row["value"] < row["upper"] and row["unit"] == "points a year"


def test_a_line_goes_back_to_the_last_break() -> None:
    rows = [figure(y, "reasonable_adjustments", v, 400)
            for y, v in enumerate([10, 20, 30, 70, 71, 72, 73], start=2019)]  # fmt: skip
    line = trend(results(rows))
    row = line.table.iloc[0]
    assert row["reference"] == "2022-2025 (4 years)" and row["value"] == pytest.approx(1)
    assert any(n.startswith("Not compared") and "adequate" in n for n in line.notes)
    few = trend(results(rows[:5])).table.iloc[0]  # two years since the break
    assert few["status"] == "not_comparable" and np.isnan(few["value"])


def test_years_without_a_figure_take_no_part() -> None:
    rows = [figure(y, STRESS, 40 + y - 2021, 300) for y in (2021, 2023, 2024)]
    rows.append(figure(2022, STRESS, np.nan, np.nan, status="not_asked"))
    row = trend(results(rows)).table.iloc[0]
    assert row["reference"] == "2021-2024 (3 years)" and row["value"] == pytest.approx(1)
    two = trend(results(rows[1:])).table.iloc[0]
    assert two["status"] == "unavailable" and np.isnan(two["value"])
    assert two["reference"] == "2023-2024 (2 years)"


@pytest.mark.parametrize(
    ("small", "status", "years"),
    [(2024, "suppressed", ""), (2022, "suppressed", "2020-2024 (4 years)"),
     (2020, "ok", "2021-2024 (4 years)")],
)  # fmt: skip
def test_a_hidden_year_on_the_line_hides_it(small: int, status: str, years: str) -> None:
    rows = [figure(y, STRESS, 20 + y - 2020, 8 if y == small else 300) for y in range(2020, 2025)]
    row = trend(results(rows)).table.iloc[0]
    assert row["status"] == status and np.isnan(row["value"]) == (status == "suppressed")
    assert not years or row["reference"] == years
    assert np.isnan(row["base"]) == (status == "suppressed")


def test_hidden_together() -> None:
    rows = [figure(y, STRESS, 40 + y - 2021, 300) for y in range(2021, 2025)]
    parent = results(rows)._hiding(np.array([False, False, False, True]))
    line = trend(parent)
    assert line._suppressed_together and line.table["status"].tolist() == ["suppressed"]


def test_scores() -> None:
    values = [6.81, 6.84, 6.97, 6.93]
    errors = [0.031, 0.028, 0.035, 0.029]
    rows = [
        figure(y, "staff_engagement", v, 2000, statistic="score", se=s)
        for y, v, s in zip(range(2021, 2025), values, errors, strict=True)
    ]
    row = trend(results(rows)).table.iloc[0]
    wanted = R[R["case"].eq("score")].set_index("name")["value"]
    assert row["value"] == pytest.approx(wanted["slope"], rel=1e-9)
    assert row["se"] == pytest.approx(wanted["slope_se"], rel=1e-9)
    plain = [
        {**published(y, "staff_engagement", v, 2000, statistic="score", release="r"),
         "lower": np.nan, "upper": np.nan, "se": np.nan}
        for y, v in zip(range(2021, 2025), values, strict=True)
    ]  # fmt: skip
    row = trend(results(plain)).table.iloc[0]
    assert row["value"] == pytest.approx(np.polyfit(range(2021, 2025), values, 1)[0])
    assert row["method"] == "line" and np.isnan(row["p_value"])


def test_weightings_are_never_mixed() -> None:
    rows = [published(y, STRESS, 40, 900, release="r", weighting=w)
            for y, w in [(2021, "unweighted"), (2022, "a"), (2023, "a"), (2024, "a")]]  # fmt: skip
    assert trend(results(rows)).table["reference"].tolist() == ["2022-2024 (3 years)"]


def test_families_and_refusals() -> None:
    line = trend(ca.calculate(ca.load_sample(), "stress", by="ethnicity")).table
    shown = line[line["p_value"].notna()]
    assert set(shown.groupby("family").size().astype(str)) == set(
        shown["family"].str.extract(r": (\d+) trends")[0]
    )
    assert (shown["p_adjusted"] >= shown["p_value"]).all()
    with pytest.raises(MeasureError, match="three years"):
        trend(results([figure(y, STRESS, 40, 99) for y in (2023, 2024)]))
    with pytest.raises(MeasureError, match="adjust"):
        trend(results([figure(2024, STRESS, 40, 99)]), adjust="no")
