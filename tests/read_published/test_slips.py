"""A score divided by ten, and an element unlike its sub-scores, are taken out by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from culture_analytics.errors import PublishedWarning
from culture_analytics.instrument import load_instrument
from culture_analytics.read.published.slips import FEW, GAP, LOW, without_slips
from tests.read_published.conftest import Published, read_with_warnings, sheet_with
from tests.read_published.layouts import benchmark, read_cells, themes, write_csv

SCORES = load_instrument().scores


@pytest.fixture(params=["national", "organisational"])
def real(request: pytest.FixtureRequest) -> pd.DataFrame:
    """Rows of an official workbook of 2024."""
    read: Published = request.getfixturevalue(f"real_{request.param}")
    return read.estimates._frame


def scores_of(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["statistic"].eq("score") & frame["status"].eq("ok")]


class TestReal:
    def test_no_false_alarm_and_far_from_one(self, real: pd.DataFrame) -> None:
        same, warnings = without_slips(real)
        assert same is real and warnings == ()
        scores = scores_of(real)
        share = scores["value"] / scores.groupby("measure")["value"].transform("median")
        assert share.min() > 2 * LOW
        keys = ["org", "breakdown", "group", "within", "within_group"]
        wide = scores.pivot_table(index=keys, columns="measure", values="value")
        gaps = [
            (wide[s.id] - wide[list(s.parts)].mean(axis=1, skipna=False)).abs().max()
            for s in SCORES.values()
            if s.parts
        ]
        assert len(gaps) == 8 and max(gaps) < GAP / 4

    def test_any_one_score_divided_by_ten_is_found(self, real: pd.DataFrame) -> None:
        scores = scores_of(real)
        rng = np.random.default_rng(3)
        for score in SCORES:
            at = int(rng.choice(scores.index[scores["measure"].eq(score)]))
            altered = real.assign(value=real["value"].where(real.index != at, real["value"] / 10))
            found, (warning,) = without_slips(altered)
            assert found.loc[at, "status"] == "unavailable" and np.isnan(found.loc[at, "value"])
            assert found.loc[at, "base"] == real.loc[at, "base"]
            assert "1 score lies far below" in warning and str(real.loc[at, "org"]) in warning
            rest = found.index != at
            pd.testing.assert_frame_equal(found[rest], real[rest])

    def test_two_columns_exchanged_are_found(self, real: pd.DataFrame) -> None:
        names = {"staff_engagement": "safe_and_healthy", "safe_and_healthy": "staff_engagement"}
        altered = real.assign(measure=real["measure"].replace(names).astype("str"))
        found, (warning,) = without_slips(altered)
        assert "not the mean of the sub-scores" in warning
        lost = found["status"].eq("unavailable") & altered["status"].eq("ok")
        assert lost.sum() > 0.9 * real["measure"].eq("staff_engagement").sum()


class TestFiles:
    def test_detailed(self, altered: Callable[..., Path], synthetic: dict[str, Path]) -> None:
        def change(book: Workbook) -> None:
            sheet, column = sheet_with(book, "PP2 -")
            cell = sheet.cell(7, column)
            cell.value = float(cell.value) / 10  # type: ignore[arg-type]

        read = read_with_warnings(altered(change))
        (warning,) = [w for w in read.warnings if "divided by ten" in w]
        assert "recognised" in warning.casefold()
        rows = read.estimates._frame.query("measure == 'recognised_and_rewarded'")
        assert rows["status"].eq("unavailable").sum() == 1
        assert any("divided by ten" in note for note in read.estimates.notes)
        assert not any("divided" in w for w in read_with_warnings(synthetic["national"]).warnings)

    def test_benchmark_workbook(self) -> None:
        sheets, _ = benchmark()
        rows = sheets["Acute Specialist Trusts"]
        column = rows[0].index("PP4_1_2023")
        rows[3][column] /= 10  # type: ignore[operator]
        with pytest.warns(PublishedWarning, match="1 score lies far below .*2023"):
            estimates = read_cells(sheets)
        lost = scores_lost(estimates._frame)
        assert list(zip(lost["org"], lost["year"], strict=True)) == [(rows[3][0], 2023)]

    def test_benchmark_workbook_element_unlike_its_parts(self) -> None:
        sheets, _ = benchmark()
        rows = sheets["Acute Specialist Trusts"]
        column = rows[0].index("PP3_2024")
        rows[3][column] = 10 - rows[3][column]  # type: ignore[operator]
        with pytest.warns(PublishedWarning, match="1 score is not the mean"):
            estimates = read_cells(sheets)
        lost = scores_lost(estimates._frame)
        assert set(lost["measure"]) == {"voice_that_counts", *SCORES["voice_that_counts"].parts}
        assert set(lost["org"]) == {rows[3][0]}

    def test_contractors_table(self, tmp_path: Path) -> None:
        rows, _ = themes()
        rows[1][-1] = float(rows[1][-1]) / 10  # type: ignore[arg-type]
        read = read_with_warnings(write_csv(rows, tmp_path / "SYNTHETIC.csv"))
        assert any("divided by ten" in w for w in read.warnings)
        assert len(scores_lost(read.estimates._frame)) == 1


def scores_lost(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["statistic"].eq("score") & frame["status"].eq("unavailable")]


def test_one_person_of_ten_may_have_answered_some_sub_scores_only() -> None:
    parts = SCORES["team"].parts
    values = {"team": 6.6, parts[0]: 6.0, parts[1]: 6.4}
    rows = pd.DataFrame(
        [
            {"year": 2024, "org": "ZZ1", "breakdown": "overall", "group": "All staff",
             "within": "", "within_group": "", "weighting": "w", "release": "r", "measure": m,
             "statistic": "score", "status": "ok", "value": v, "base": 10.0,
             "lower": np.nan, "upper": np.nan}
            for m, v in values.items()
        ]
    )  # fmt: skip
    assert without_slips(rows)[1] == ()
    assert without_slips(rows.assign(base=500.0))[1] != ()
    # Of two rows there is no telling which is unusual.
    pair = rows.head(1).loc[[0, 0]].assign(value=[6.6, 0.66], org=["ZZ1", "ZZ2"])
    assert FEW == 3 and without_slips(pair.reset_index(drop=True))[1] == ()
