"""Before and after against R, and what each reading may be said of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.diagnose import answers_needed, before_after, detectable_change
from culture_analytics.diagnose.change import WORDS
from culture_analytics.errors import CultureAnalyticsError, DesignError, MeasureError
from culture_analytics.stats.power import READINGS, equivalence
from culture_analytics.stats.proportion import wilson
from tests.plots.made import estimates

STRESS, SCORE = "work_related_stress", "staff_engagement"

# tests/reference/before_after.R
R_PERCENT = {  # yes, of, yes before, of: limits at 95 %, at 90 %, p-value
    (50, 120, 40, 118): (-4.5095885385, 19.7111851801, -2.5551724614, 17.8536591964, 0.2165866262),
    (0, 15, 0, 18): (-17.5879223647, 20.3883301036, -13.0667589580, 15.2807704610, 1.0),
    (700, 2000, 640, 2100): (1.6507566166, 7.3898422004, 2.1126537446, 6.9300199780, 0.0020229730),
    (3, 40, 12, 44): (-35.1556720680, -3.2724454605, -32.6846865798, -6.1011610134, 0.0181200439),
}
R_LATER = [6.1, 5.2, 7.3, 6.6, 4.9, 8.0, 6.7, 5.5, 7.1, 6.0, 6.4, 5.8]
R_EARLIER = [5.0, 4.1, 6.6, 5.9, 5.2, 6.1, 4.8, 5.7, 6.3, 5.5, 4.4]
R_SCORE = (0.1446462547, 1.6189901089, 0.2718684864, 1.4917678772, 0.0213414263)


def percent(year: int, yes: float, n: float, **keys: Any) -> dict[str, Any]:
    p = yes / n
    low, high = (100 * float(x) for x in wilson(p, n))
    se = 100 * np.sqrt(p * (1 - p) / (n - 1))
    return {"year": year, "value": 100 * p, "lower": low, "upper": high, "se": se, "df": n - 1,
            "base": float(n), **keys}  # fmt: skip


def score(year: int, values: list[float]) -> dict[str, Any]:
    n = len(values)
    return {"year": year, "measure": SCORE, "statistic": "score", "unit": "score",
            "value": float(np.mean(values)), "se": float(np.std(values, ddof=1) / np.sqrt(n)),
            "df": n - 1.0, "base": float(n), "method": "t"}  # fmt: skip


@pytest.mark.parametrize(("counts", "expected"), list(R_PERCENT.items()))
def test_percentages_equal_r(counts: tuple[int, ...], expected: tuple[float, ...]) -> None:
    yes, n, yes0, n0 = counts
    row = before_after(estimates([percent(2023, yes0, n0), percent(2024, yes, n)])).iloc[0]
    got = row[["lower", "upper", "margin_lower", "margin_upper", "p_value"]].astype(float)
    np.testing.assert_allclose(got, expected, atol=1e-8)
    assert (row["before_base"], row["after_base"]) == (n0, n)


def test_scores_equal_r() -> None:
    row = before_after(estimates([score(2023, R_EARLIER), score(2024, R_LATER)])).iloc[0]
    got = row[["lower", "upper", "margin_lower", "margin_upper", "p_value"]].astype(float)
    np.testing.assert_allclose(got, R_SCORE, atol=1e-8)
    # The same reading as the tests of `equivalence` on the same numbers.
    se = np.hypot(np.std(R_LATER, ddof=1) / np.sqrt(12), np.std(R_EARLIER, ddof=1) / np.sqrt(11))
    told = equivalence(row["change"], se, margin=0.2, df=20.9).reading
    assert row["reading"] == told == "better"


def test_nobody_in_either_year_is_not_called_the_same() -> None:
    """A standard error of nought is no certainty: 0 of 15 may hide a fifth of the staff."""
    row = before_after(estimates([percent(2023, 0, 18), percent(2024, 0, 15)])).iloc[0]
    assert row["reading"] == "unclear"
    assert "too few answers to say more" in row["sentence"]


@pytest.mark.parametrize(
    ("yes", "yes0", "n", "margin", "reading"),
    [
        (4000, 4600, 10_000, 2.0, "better"),
        (4450, 4600, 10_000, 5.0, "better_within"),
        (4600, 4000, 10_000, 2.0, "worse"),
        (4600, 4450, 10_000, 5.0, "worse_within"),
        (4000, 4000, 10_000, 2.0, "same"),
        (430, 450, 1_000, 3.0, "no_worse"),
        (450, 430, 1_000, 3.0, "no_better"),
        (20, 20, 50, 2.0, "unclear"),
    ],
)
def test_readings_of_a_figure_that_is_better_lower(
    yes: int, yes0: int, n: int, margin: float, reading: str
) -> None:
    made = estimates([percent(2023, yes0, n), percent(2024, yes, n)])
    row = before_after(made, margin=margin).iloc[0]
    assert row["reading"] == reading
    assert set(WORDS) == set(READINGS)
    assert row["words"] and "{" not in row["words"]
    # Turned round, better is worse.
    turned = {"better": "worse", "worse": "better", "no_worse": "no_better",
              "no_better": "no_worse", "better_within": "worse_within",
              "worse_within": "better_within"}  # fmt: skip
    other = estimates(
        [percent(2023, yes0, n, measure="had_appraisal"),
         percent(2024, yes, n, measure="had_appraisal")]
    )  # fmt: skip
    assert ca.load_instrument().measures["had_appraisal"].better == "higher"
    assert before_after(other, margin=margin).iloc[0]["reading"] == turned.get(reading, reading)


def test_a_hidden_year_gives_no_number() -> None:
    made = estimates([percent(2023, 2, 5), percent(2024, 40, 90)])
    row = before_after(made).iloc[0]
    assert row["status"] == "suppressed"
    numbers = [c for c in row.index if c.startswith(("before", "change", "lower", "upper",
                                                     "p_value", "margin_"))]  # fmt: skip
    assert row[numbers].isna().all()
    assert "cannot be compared" in row["sentence"]


def test_protected_figures_give_the_same_as_private_ones(tmp_path: Any) -> None:
    survey = ca.load_sample()
    release = ca.build_release(
        survey, tables={"tables": [{"topic": "t", "measures": [STRESS], "by": ["directorate"]}]}
    )
    view = ca.load_release(release.save(tmp_path / "r.zip"))
    pd.testing.assert_frame_equal(before_after(release["t"]), before_after(view["t"]))


def test_a_margin_of_nothing_and_one_year_are_refused() -> None:
    made = estimates([percent(2023, 40, 90), percent(2024, 40, 90)])
    with pytest.raises(MeasureError, match="margin must be above 0"):
        before_after(made, margin=0)
    with pytest.raises(MeasureError, match="two years"):
        before_after(estimates([percent(2024, 40, 90)]))


# -- how large a change, how many answers -----------------------------------------------------


def test_detectable_change_and_answers_needed_equal_r() -> None:
    made = estimates([percent(2024, 18, 60)])  # 30 % of 60 answers
    found = detectable_change(made).iloc[0]
    assert found["rise"] == pytest.approx(25.03940387, abs=1e-5)
    assert found["improvement"] == found["fall"]
    need = answers_needed(made, target=40, staff={"All staff": 900}).iloc[0]
    assert need["answers"] == 356  # R: 355.94
    assert need["response_rate"] == pytest.approx(100 * 356 / 900)
    assert not need["enough"]
    values = np.tile([4.0, 8.0], 100)
    values = 6 + (values - 6) / np.std(values, ddof=1) * 2  # mean 6, SD 2
    scored = answers_needed(estimates([score(2024, values.tolist())]), target={SCORE: 6.5})
    assert scored["answers"].tolist() == [253]  # R: 252.13


def test_a_response_rate_needs_staff_and_staff_at_least_the_answers() -> None:
    made = estimates([percent(2024, 18, 60)])
    more = detectable_change(made, staff={"All staff": 100}, response_rate=90)["fall"].iloc[0]
    less = detectable_change(made, staff={"All staff": 100}, response_rate=40)["fall"].iloc[0]
    assert more < detectable_change(made)["fall"].iloc[0] < less
    with pytest.raises(MeasureError, match="response rate needs the staff"):
        detectable_change(made, response_rate=50)
    with pytest.raises(MeasureError, match="1 of 1 units have more answers than staff"):
        detectable_change(made, staff={"All staff": 50})
    assert detectable_change(made, staff={"Other": 50}).empty
    with pytest.raises(DesignError):
        detectable_change(made, staff="nowhere.csv")
    with pytest.raises(MeasureError, match="No target"):
        answers_needed(made, target={SCORE: 6})


def test_hidden_units_are_left_out_without_a_word_of_their_numbers() -> None:
    made = estimates([percent(2024, 3, 6), percent(2024, 30, 90, breakdown="team", group="T")])
    assert detectable_change(made)["group"].tolist() == ["T"]
    with pytest.raises(CultureAnalyticsError):
        answers_needed(estimates([percent(2024, 3, 6)]), target=40)
