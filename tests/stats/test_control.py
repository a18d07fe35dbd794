"""Process control against examples worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats.control import control

# Twelve points. Moving ranges 2 3 1 4 2 1 3 2 4 1 3: sum 26, mean 26/11; none exceeds
# 3.267 * 26/11 = 7.72. Sum of points 612, mean 51.
TWELVE = [50, 52, 49, 50, 54, 52, 51, 48, 50, 54, 53, 50]


def test_limits_by_hand() -> None:
    x = np.array(TWELVE)
    assert np.abs(np.diff(x)).tolist() == [2, 3, 1, 4, 2, 1, 3, 2, 4, 1, 3]
    found = control(x, improvement="up")
    assert set(found.kind) == {"xmr_provisional"}
    assert found.centre[0] == pytest.approx(613 / 12)
    assert found.upper[0] == pytest.approx(613 / 12 + 2.66 * 26 / 11)
    assert found.lower[0] == pytest.approx(613 / 12 - 2.66 * 26 / 11)
    assert set(found.variation) == {"common"} and not found.side.any()


@pytest.mark.parametrize(
    ("points", "kind"),
    [(5, "too_few_points"), (6, "run_chart"), (11, "run_chart"), (12, "xmr_provisional"),
     (19, "xmr_provisional"), (20, "xmr"), (0, "too_few_points")],
)  # fmt: skip
def test_kind_by_number_of_points(points: int, kind: str) -> None:
    x = np.tile([1.0, 3.0, 2.0], 7)[:points]
    found = control(x, improvement="up")
    assert set(found.kind) <= {kind} and len(found.kind) == points
    assert np.isfinite(found.lower).all() == kind.startswith("xmr") or points == 0
    assert not points or np.isfinite(found.centre).all() == (kind != "too_few_points")
    with_gap = control(np.append(x, np.nan), improvement="up")
    assert set(with_gap.kind) == {kind}  # a period without a figure is no point


def test_run_chart_has_the_median_and_no_limits() -> None:
    found = control([3, 9, 4, 8, 5, 7], improvement="down")
    assert found.centre[0] == 6
    assert np.isnan(found.lower).all() and np.isnan(found.upper).all()
    assert not found.side.any()


def test_one_point_beyond_the_limits_is_screened_out_of_the_range() -> None:
    # Ranges: eleven of 1, then a jump of 19 to the last. Mean 30/12 = 2.5; 19 > 3.267 * 2.5, so
    # the second mean is 1. Mean of the points: (6 * 10 + 6 * 11 + 30) / 13 = 12.
    x = [10, 11] * 6 + [30]
    found = control(x, improvement="up")
    assert found.centre[0] == pytest.approx(12)
    assert found.upper[0] == pytest.approx(14.66)
    assert found.lower[0] == pytest.approx(9.34)
    assert found.rule[-1] == "beyond_limits" and found.variation[-1] == "improvement"
    plain = control(x, improvement="up", screen=False)
    assert plain.upper[0] == pytest.approx(12 + 2.66 * 2.5)


def test_shift_needs_seven_on_one_side() -> None:
    # Alternating ends keep the moving range wide, so that no point is near a limit.
    base = [1, 9, 1, 9, 1, 9, 1, 9, 1, 9]
    for length in (6, 7):
        x = np.array([*base, *[6] * length, 1])
        found = control(x, improvement="up")
        run = slice(10, 10 + length)
        assert (found.centre[0] < 6) and found.rule[9] in ("", "shift")
        # The 9 before the run is above the middle too: a run of length + 1.
        assert (found.rule[run] == "shift").all()
        assert found.rule[9] == "shift" and found.rule[8] == "" and found.rule[-1] == ""
    six = control([*base, 1, *[6] * 6, 1], improvement="up")
    assert not six.side.any()
    seven = control([*base, 1, *[6] * 7, 1], improvement="down")
    assert (seven.rule[11:18] == "shift").all() and np.count_nonzero(seven.side) == 7
    assert set(seven.variation[11:18]) == {"concern"}


def test_a_point_on_the_mean_breaks_a_run() -> None:
    # Twenty points that add up to 100. Seven low ones in a row are a shift ...
    swing = [1, 9] * 4
    whole = [*swing, 3, 4, 3, 4, 3, 4, 3, 9, 9, 9, 5, 4]
    assert sum(whole) == 100 and len(whole) == 20
    assert (control(whole, improvement="up").rule[8:15] == "shift").all()
    # ... with one on the mean between them they are runs of three and four.
    broken = [*swing, 3, 4, 3, 5, 4, 3, 4, 3, 9, 9, 7, 6]
    assert sum(broken) == 100 and len(broken) == 20
    assert not control(broken, improvement="up").side[8:16].any()


def test_trend_needs_six_points_each_higher_than_the_last() -> None:
    five = [5, 1, 2, 3, 4, 5, 5, 1]
    assert not control(five, improvement="up").side.any()
    six = [7, 1, 2, 3, 4, 5, 6, 2]
    found = control(six, improvement="down")
    assert found.rule.tolist() == ["", *["trend"] * 6, ""]
    assert found.variation[1:7].tolist() == ["concern"] * 6
    falling = control([-v for v in six], improvement="down")
    assert falling.side.tolist() == [0, *[-1] * 6, 0]
    assert falling.variation[1] == "improvement"
    level = control([7, 1, 2, 3, 3, 4, 5, 6, 2], improvement="up")
    assert not level.side.any()


def test_two_of_three_near_a_limit() -> None:
    # 22 points, sum 9 + 2.9 + 1 + 2.9 + 1 = 16.8. Ranges: 17 of 1 and 4 of 1.9, mean 24.6 / 21.
    # Limit 16.8 / 22 + 2.66 * 24.6 / 21 = 3.880; two thirds of the way to it 2.841.
    y = np.array([0, 1] * 9 + [2.9, 1, 2.9, 1])
    found = control(y, improvement="down")
    assert found.upper[0] == pytest.approx(16.8 / 22 + 2.66 * 24.6 / 21)
    assert np.flatnonzero(found.rule == "two_of_three").tolist() == [18, 20]
    assert found.variation[18] == "concern" and found.variation[19] == "common"
    neighbours = control([*[0, 1] * 9, 2.9, 2.9, 1, 0], improvement="down")
    assert np.flatnonzero(neighbours.rule == "two_of_three").tolist() == [18, 19]
    # Three points apart they are no signal.
    apart = control([*[0, 1] * 8, 2.9, 1, 0, 2.9, 1, 0], improvement="down")
    assert apart.upper[0] * 2 / 3 + apart.centre[0] / 3 < 2.9 < apart.upper[0]
    assert not apart.side.any()


def test_direction() -> None:
    x = [*TWELVE, 51, 70]
    for improvement, meaning in [
        ("up", "improvement"),
        ("down", "concern"),
        ("neither", "neutral"),
    ]:
        found = control(x, improvement=improvement)
        assert found.variation[-1] == meaning and found.side[-1] == 1
        assert found.variation[0] == "common"


def test_rebase_starts_limits_afresh() -> None:
    first, second = [*TWELVE], [v + 20 for v in TWELVE]
    together = control(first + second, improvement="up")
    assert together.side.any()
    found = control(first + second, improvement="up", rebase=[12])
    assert not found.side.any()
    assert found.centre[12] - found.centre[11] == pytest.approx(20)
    assert found.segment.tolist() == [0] * 12 + [1] * 12
    alone = control(second, improvement="up")
    assert found.upper[12:] == pytest.approx(alone.upper)
    few = control(first + second[:4], improvement="up", rebase=[12])
    assert few.kind[-1] == "too_few_points" and np.isnan(few.centre[-1])
    same = control(first, improvement="up", rebase=[0])
    assert same.upper == pytest.approx(control(first, improvement="up").upper)


def test_limits_stay_on_the_scale_but_signals_do_not_move() -> None:
    x = [9.0, 9.9, 9.1, 9.8] * 4
    wide = control(x, improvement="up")
    held = control(x, improvement="up", bounds=(0, 10))
    assert wide.upper[0] > 10 and held.upper[0] == 10
    assert held.rule.tolist() == wide.rule.tolist()


def test_missing_periods_and_a_constant_series() -> None:
    x = [np.nan, *TWELVE[:6], np.nan, *TWELVE[6:]]
    found = control(x, improvement="up")
    assert found.upper[0] == pytest.approx(control(TWELVE, improvement="up").upper[0])
    assert found.variation[0] == "common" and found.rule[7] == ""
    still = control([5.0] * 15, improvement="up")
    assert not still.side.any()


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([1, 2, 3], {"improvement": "higher"}, "which way is better"),
        ([[1, 2], [3, 4]], {"improvement": "up"}, "One series"),
        ([1, 2, 3], {"improvement": "up", "rebase": [3]}, "1 of 1 re-bases"),
    ],
)
def test_refusals(values: list, options: dict, message: str) -> None:
    with pytest.raises(CultureAnalyticsError, match=message):
        control(values, **options)


@pytest.mark.parametrize("flat", [6.123734, 0.1, 41.7, 0.0])
def test_a_series_that_never_moves_has_no_signal(flat: float) -> None:
    """The mean of equal figures may differ from them in its last digit."""
    for points in (12, 20, 37):
        found = control([flat] * points, improvement="up")
        assert not found.side.any() and set(found.variation) == {"common"}


def test_a_lone_jump_in_a_flat_series_is_the_only_signal() -> None:
    found = control([5.0] * 15 + [6.0] + [5.0] * 4, improvement="up")
    # By hand: mean 5.05, average range 2/19, limits 5.05 +- 2.66 x 0.1053.
    assert found.upper[0] == pytest.approx(5.05 + 2.66 * 2 / 19)
    assert np.flatnonzero(found.rule == "beyond_limits").tolist() == [15]
