"""The list of organisations that became others, and names of benchmark groups by year."""

from __future__ import annotations

from pathlib import Path

import pytest

from culture_analytics.errors import PublishedError
from culture_analytics.read.published.definitions import load_definitions
from culture_analytics.read.published.successors import load_successors, successor
from tests.read_published.conftest import Published
from tests.read_published.layouts import ACUTE

HEAD = "old,new,date,source\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_own_list(tmp_path: Path) -> None:
    path = write(tmp_path, "# mine\n" + HEAD + "ZZ2,ZZ3,2024-04-01,me\nZZ1,ZZ2,2021-04-01,me\n")
    listed = load_successors(path)
    assert list(listed["old"]) == ["ZZ1", "ZZ2"]
    days = {"2020-10-01": "ZZ1", "2021-04-01": "ZZ2", "2023-10-01": "ZZ2", "2024-10-01": "ZZ3"}
    for day, code in days.items():
        assert successor("ZZ1", on=day, successors=listed) == code


def test_codes_stay_text(tmp_path: Path) -> None:
    listed = load_successors(write(tmp_path, HEAD + "001,1E2,2020-01-01,me\n"))
    assert list(listed.iloc[0]) == ["001", "1E2", "2020-01-01", "me"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [("ZZ1,,2020-01-01,x", "without both codes"), ("ZZ1,ZZ2,April 2020,x", "no date"),
     ("ZZ1,ZZ2,2020-01-01,x\nZZ1,ZZ3,2020-01-01,x", "more than one successor for: ZZ1"),
     ("ZZ1,ZZ2,2020-01-01,x\nZZ2,ZZ1,2021-01-01,x", "becomes itself")],
)  # fmt: skip
def test_refused(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(PublishedError, match=words):
        load_successors(write(tmp_path, HEAD + rows + "\n"))


def test_column_missing(tmp_path: Path) -> None:
    with pytest.raises(PublishedError, match="column.* missing: source"):
        load_successors(write(tmp_path, "old,new,date\nZZ1,ZZ2,2020-01-01\n"))


def test_shipped_list_against_the_official_organisations(real_organisational: Published) -> None:
    """Who had become another by the survey of 2024 is not in it, and the others are."""
    organisations = real_organisational.estimates.organisations
    assert organisations is not None
    listed = load_successors()
    codes = set(organisations["org"])
    assert len(listed) > 10
    assert not set(listed["old"]) & codes
    assert {successor(old, on="2024-10-01") for old in listed["old"]} <= codes


class TestBenchmarkGroupNames:
    def test_of_2024_are_those_of_the_workbook(self, real_organisational: Published) -> None:
        organisations = real_organisational.estimates.organisations
        assert organisations is not None
        known = set(load_definitions().benchmark_groups_of(2024).values())
        assert set(organisations["benchmark_group"]) == known

    def test_change_with_the_years(self) -> None:
        definitions = load_definitions()
        assert "ccgs" in definitions.benchmark_groups_of(2021)
        assert "ccgs" not in definitions.benchmark_groups_of(2022)
        assert definitions.benchmark_groups_of(2018)["acute trusts"] == "Acute Trusts"
        assert "acute trusts" not in definitions.benchmark_groups_of(2024)
        assert ACUTE in definitions.trust_groups and len(definitions.trust_groups) == 5

    def test_weighting_is_that_of_the_workbook(self, real_organisational: Published) -> None:
        estimates = real_organisational.estimates
        assert estimates.organisations is not None
        rows = estimates.select(measure="work_related_stress", answer="").table.merge(
            estimates.organisations, on="org"
        )
        expected = rows["benchmark_group"].map(load_definitions().group_weighting)
        assert (rows["weighting"] == expected).all()
