"""The bundled sample can be made again, is marked, and reads back as what was drawn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics import resources
from culture_analytics.errors import ExtractError, ReportError
from culture_analytics.read import read_extract
from culture_analytics.sample import load_sample
from culture_analytics.simulate.__main__ import main
from culture_analytics.simulate.model import DATA
from culture_analytics.simulate.sample_files import RESPONDENTS, csv_name, sample_survey
from culture_analytics.survey import Survey

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLE = CHECKOUT / "data" / "sample"


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole sample, made again."""
    folder = tmp_path_factory.mktemp("again") / "sample"
    assert main(["--out", str(folder)]) == 0
    return folder


def same_answers(one: Survey, two: Survey) -> None:
    assert set(one.items) == set(two.items)
    assert one.units == two.units == ("directorate", "team")
    for column in (*one.items, *one.units, "org", "year"):
        left, right = one.responses[column].astype(object), two.responses[column].astype(object)
        pd.testing.assert_series_equal(left, right, check_names=False, check_dtype=False)


@pytest.mark.slow
def test_the_same_files_are_made(again: Path) -> None:
    made = {p.name for p in again.iterdir()}
    assert made == {p.name for p in SAMPLE.iterdir() if not p.name.startswith(".")}
    assert {csv_name(y) for y in RESPONDENTS} < made


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(csv_name(y) for y in RESPONDENTS), "README.md"])
def test_text_is_made_again_byte_for_byte(again: Path, name: str) -> None:
    assert (again / name).read_bytes() == (SAMPLE / name).read_bytes()
    assert b"\r" not in (SAMPLE / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".sav", ".xlsx"])
def test_other_formats_hold_the_same_respondents(again: Path, suffix: str) -> None:
    name = f"synthetic_trust_2024{suffix}"
    drawn = sample_survey(2024)
    same_answers(read_extract(SAMPLE / name), drawn)
    same_answers(read_extract(again / name), drawn)


@pytest.mark.slow
def test_workbooks_are_made_again_by_content(again: Path) -> None:
    from python_calamine import CalamineWorkbook

    books = sorted(p.name for p in SAMPLE.glob("NSS24*.xlsx"))
    assert len(books) == 2
    for name in books:
        old = CalamineWorkbook.from_path(str(SAMPLE / name))
        new = CalamineWorkbook.from_path(str(again / name))
        assert old.sheet_names == new.sheet_names
        for sheet in old.sheet_names:
            assert (
                old.get_sheet_by_name(sheet).to_python() == new.get_sheet_by_name(sheet).to_python()
            ), f"{name}: {sheet}"


@pytest.mark.parametrize("year", RESPONDENTS)
def test_csv_reads_back_as_what_was_drawn_without_being_told_the_year(year: int) -> None:
    survey = read_extract(SAMPLE / csv_name(year))
    assert survey.years == (year,)
    same_answers(survey, sample_survey(year))


def test_everything_says_synthetic_and_is_small() -> None:
    files = [p for p in SAMPLE.iterdir() if not p.name.startswith(".")]
    assert sum(p.stat().st_size for p in files) < 6_000_000
    for path in files:
        assert "synthetic" in path.name.lower() or path.name == "README.md"
    for year in RESPONDENTS:
        lines = (SAMPLE / csv_name(year)).read_text(encoding="utf-8").splitlines()
        assert len(lines) == RESPONDENTS[year] + 1
        assert all(line.endswith(",SYNTHETIC") for line in lines[1:])
        assert all(line.startswith("ZZ1,") for line in lines[1:])
    assert "# SYNTHETIC" in (SAMPLE / "README.md").read_text(encoding="utf-8")


def test_load_sample_by_year_and_all_together() -> None:
    parts = {year: load_sample(year) for year in RESPONDENTS}
    for year, survey in parts.items():
        assert (survey.n, survey.years, survey.orgs) == (RESPONDENTS[year], (year,), ("ZZ1",))
        assert survey.synthetic
        assert survey.units == ("directorate", "team")
        assert "synthetic" in survey.names["ZZ1"]
    everyone = load_sample()
    assert everyone.n == sum(RESPONDENTS.values())
    assert everyone.years == tuple(RESPONDENTS)
    assert everyone.units == ("directorate", "team")
    assert everyone.synthetic


def test_a_loaded_sample_is_the_callers_own() -> None:
    mine = load_sample(2024)
    mine.responses.loc[:, "year"] = 1999
    assert load_sample(2024).years == (2024,)


def test_a_year_without_a_sample_is_refused() -> None:
    with pytest.raises(ExtractError, match="no sample of 2019; there are: 2023, 2024, 2025"):
        load_sample(2019)


def test_published_workbook_of_the_sample_agrees_with_the_extract() -> None:
    path = next(SAMPLE.glob("NSS24*organisational*.xlsx"))
    published = ca.read_published(path)
    own = ca.calculate(load_sample(2024), ["bullying", "stress", "discrimination"])
    figures = own.table.set_index("measure")["value"]
    given = published.select(org="ZZ1", breakdown="overall", statistic="percent").table
    given = given[given["answer"] == ""].set_index("measure")["value"]
    both = figures.index.intersection(given.dropna().index)
    assert {"hba_managers", "work_related_stress", "discrimination_staff"} <= set(both)
    for measure in both:
        if "grounds" not in measure and figures.notna()[measure]:
            assert given[measure] == pytest.approx(figures[measure], abs=1e-3), measure


def test_sample_is_found_in_a_checkout_and_in_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resources.sample_folder() == SAMPLE
    package = tmp_path / "site" / "culture_analytics"
    bundled = package / "_bundled" / "sample"
    monkeypatch.setattr(resources, "_PACKAGE", package)
    with pytest.raises(ReportError, match="missing"):
        resources.sample_folder()
    bundled.mkdir(parents=True)
    assert resources.sample_folder() == bundled


def test_facts_come_from_the_official_workbook(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location(
        "derive_sample_targets", CHECKOUT / "benchmarks" / "derive_sample_targets.py"
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "DATA", tmp_path)
    book = real_data / "nss24_official" / "NSS24 detailed spreadsheets national results.xlsx"
    script.main(book)
    for name in ("targets.csv", "targets_groups.csv", "nonresponse.csv", "demographic_pairs.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name
