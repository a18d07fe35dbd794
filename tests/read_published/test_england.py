"""England's shipped figures, and the script that refreshes them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from culture_analytics.errors import PublishedError
from culture_analytics.estimates import KEY
from culture_analytics.instrument.loader import DATA
from culture_analytics.read.published.england import FILE, load_england
from tests.read_published.conftest import Published

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "refresh_england.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh_england", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figure(measure: str, breakdown: str = "overall", group: str = "All staff") -> pd.Series:
    rows = load_england().select(measure=measure, breakdown=breakdown, group=group).table
    assert len(rows) == 1
    return rows.iloc[0]


class TestFigures:
    @pytest.mark.parametrize(
        ("measure", "value", "base"),
        [("work_related_stress", 41.63, 740_911), ("hba_managers", 9.46, 735_810),
         ("discrimination_staff", 9.22, 733_934), ("fair_career_progression", 55.93, 736_960),
         ("recognised_and_rewarded", 5.99, None)],
    )  # fmt: skip
    def test_as_england_reported(self, measure: str, value: float, base: int | None) -> None:
        row = figure(measure)
        assert row["value"] == pytest.approx(value, abs=0.0051)
        assert base is None or row["base"] == base
        assert row["weighting"] == "organisation size and occupation group"

    def test_by_ethnicity(self) -> None:
        white = figure("discrimination_staff", "ethnicity", "White")
        others = figure("discrimination_staff", "ethnicity", "All other ethnic groups combined")
        assert (round(white["value"], 2), round(others["value"], 2)) == (6.77, 15.20)
        assert white["weighting"] == "organisation size"
        assert white["lower"] < white["value"] < white["upper"]

    def test_rows_are_those_of_the_schema(self) -> None:
        table = load_england().table
        assert not table.duplicated(list(KEY)).any()
        assert set(table["org"]) == {"ENG"} and table["label"].ne("").all()
        assert table["measure"].nunique() >= 30 and table["breakdown"].nunique() >= 12
        assert table.loc[table["status"].eq("ok"), "base"].min() >= 10
        assert "hba_staff" not in set(table["measure"])  # a union: never rebuilt

    def test_equal_to_the_official_workbook(self, real_national: Published) -> None:
        keys = ["measure", "breakdown", "group"]
        official = real_national.estimates.select(answer="", within="").table.set_index(keys)
        mine = load_england().table.set_index(keys)
        theirs = official.loc[mine.index]
        assert len(theirs) == len(mine)
        assert (mine["value"] - theirs["value"]).abs().max() <= 0.00005 + 1e-12
        pd.testing.assert_series_equal(mine["base"], theirs["base"])
        for column in ("status", "weighting", "method", "label", "unit", "release"):
            assert (mine[column] == theirs[column]).all(), column

    def test_other_year(self) -> None:
        with pytest.raises(PublishedError, match="England's figures of 2024, not of 2019"):
            load_england(2019)

    def test_file_without_a_column(self, tmp_path: Path) -> None:
        (tmp_path / "e.csv").write_text("year,measure\n2024,burnout\n", encoding="utf-8")
        with pytest.raises(PublishedError, match=r"column\(s\) missing: breakdown"):
            load_england(path=tmp_path / "e.csv")


class TestRefresh:
    def test_writes_the_shipped_file(
        self, script: ModuleType, real_national: Published, tmp_path: Path
    ) -> None:
        script.refresh(real_national.path, tmp_path / FILE)
        assert (tmp_path / FILE).read_bytes() == (DATA / FILE).read_bytes()

    def test_keeps_other_years(
        self, script: ModuleType, synthetic: dict[str, Path], tmp_path: Path
    ) -> None:
        target = tmp_path / FILE
        target.write_bytes((DATA / FILE).read_bytes())
        script.refresh(synthetic["small national"], target)  # of 2023
        assert len(load_england(2024, path=target)) == len(load_england())
        assert set(load_england(2023, path=target).table["release"]) == {
            "2023 detailed spreadsheets (synthetic)"
        }

    def test_synthetic_figures_never_become_the_shipped_ones(
        self, script: ModuleType, synthetic: dict[str, Path]
    ) -> None:
        with pytest.raises(SystemExit, match="synthetic"):
            script.refresh(synthetic["small national"], DATA / FILE)
