"""`open_release`: whatever a trust holds, by one call."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.errors import ExtractError, ReportError
from culture_analytics.estimates import CONTRACTOR
from culture_analytics.output.report import render
from culture_analytics.resources import sample_folder
from culture_analytics.session import open_data, recognise_file
from tests.read_published import layouts

CSV_2024 = sample_folder() / "synthetic_trust_2024.csv"


@pytest.fixture(scope="module")
def national(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_folder() / "NSS24 SYNTHETIC detailed spreadsheets national results.xlsx"


@pytest.fixture(scope="module")
def organisational() -> Path:
    return sample_folder() / "NSS24 SYNTHETIC detailed spreadsheets organisational results.xlsx"


@pytest.mark.parametrize("word", [None, "sample", " SAMPLE ", '"sample"', ""])
def test_no_path_is_the_sample(word: str | None) -> None:
    found = open_data(word, year=2024)
    assert isinstance(found, ca.Survey)
    assert found.synthetic
    assert (found.years, found.n) == ((2024,), ca.load_sample(2024).n)


def test_the_sample_as_a_release(sample_release: ca.Release) -> None:
    assert sample_release.about["synthetic"]
    assert sample_release.years == (2024,)
    assert sample_release.about["respondents"] == {"2024": ca.load_sample(2024).n}


def test_sample_has_its_own_organisation() -> None:
    with pytest.raises(ReportError, match="ZZ1"):
        ca.open_release("sample", org="RXX")


@pytest.mark.parametrize("form", ['"{}"', " {} ", "'{}'", "\u201c{}\u201d"])
def test_pasted_paths_open(form: str, tmp_path: Path) -> None:
    spaced = tmp_path / "My Documents" / "survey extract.csv"
    spaced.parent.mkdir()
    spaced.write_bytes(CSV_2024.read_bytes())
    found = open_data(form.format(spaced))
    assert isinstance(found, ca.Survey)
    assert found.n == ca.load_sample(2024).n
    assert sorted(p.name for p in spaced.parent.iterdir()) == [spaced.name]


def test_several_extracts_are_stacked() -> None:
    files = [sample_folder() / f"synthetic_trust_{y}.csv" for y in (2023, 2024)]
    found = open_data(files)
    assert isinstance(found, ca.Survey)
    assert found.years == (2023, 2024)


def test_several_extracts_say_their_own_years() -> None:
    files = [sample_folder() / f"synthetic_trust_{y}.csv" for y in (2023, 2024)]
    with pytest.raises(ReportError, match="Leave year out"):
        open_data(files, year=2024)


def test_workbooks_do_not_go_among_extracts(national: Path) -> None:
    with pytest.raises(ReportError, match="national"):
        open_data([CSV_2024, national])


def test_files_are_told_apart_by_content(
    tmp_path: Path, national: Path, organisational: Path, sample_release: ca.Release
) -> None:
    saved = sample_release.save(tmp_path / "release.dat")
    disguised = tmp_path / "results.csv"
    disguised.write_bytes(national.read_bytes())
    assert recognise_file(CSV_2024) == "extract"
    assert recognise_file(sample_folder() / "synthetic_trust_2024.sav") == "extract"
    assert recognise_file(sample_folder() / "synthetic_trust_2024.xlsx") == "extract"
    assert recognise_file(saved) == "release"
    assert recognise_file(disguised) == "published"
    assert recognise_file(organisational) == "published"


def test_a_saved_release_comes_back_protected_and_named(
    tmp_path: Path, sample_release: ca.Release
) -> None:
    release = sample_release
    saved = release.save(tmp_path / "r.zip")
    again = ca.open_release(f'"{saved}"')
    assert again.topics == release.topics
    assert again.about["org_name"] == release.about["org_name"]
    assert again["stress"].organisations is not None
    assert again["stress"].organisations["name"].tolist() == [release.about["org_name"]]
    pd.testing.assert_frame_equal(again.table, release.table)
    hidden = again["stress"]._frame["status"] == "suppressed"
    assert again["stress"]._frame.loc[hidden, ["value", "base", "se"]].isna().all(axis=None)


def test_arguments_that_a_saved_release_does_not_take(
    tmp_path: Path, sample_release: ca.Release
) -> None:
    saved = sample_release.save(tmp_path / "r.zip")
    with pytest.raises(ReportError, match="year"):
        ca.open_release(saved, year=2024)
    with pytest.raises(ReportError, match="published"):
        ca.open_release(saved, published="x.xlsx")


def test_england_is_taken_from_the_national_workbook(national: Path) -> None:
    release = ca.open_release(national)
    assert release.about["org"] == "ENG"
    assert release.about["kind"] == "published"
    assert "ethnicity" in release.breakdowns("stress")


def test_the_organisation_must_be_chosen(organisational: Path) -> None:
    with pytest.raises(ReportError, match="ODS code"):
        ca.open_release(organisational)
    with pytest.raises(ReportError, match="no organisation 'QQQ'"):
        ca.open_release(organisational, org="QQQ")
    release = ca.open_release(organisational, org="zz1")
    assert release.about["org"] == "ZZ1"


def test_published_results_stand_beside_an_extract(national: Path, organisational: Path) -> None:
    release = ca.open_release(CSV_2024, published=[f'"{national}"', str(organisational)])
    beside = release["published"]
    assert set(beside.unique("org")) == {"ENG", "ZZ1"}
    assert beside.unique("breakdown") == ["overall"]


def test_published_results_stand_beside_published_results(
    national: Path, organisational: Path
) -> None:
    release = ca.open_release(organisational, org="ZZ1", published=national)
    assert "ENG" in release["published"].unique("org")


def test_published_results_of_another_year_are_refused(national: Path) -> None:
    with pytest.raises(ReportError, match="2024"):
        ca.open_release("sample", year=2023, published=national)


def test_rows_of_a_published_release_are_in_the_order_asked(organisational: Path) -> None:
    release = ca.open_release(organisational, org="ZZ1")
    wanted = [
        m for m in ca.load_instrument().domains["stress"] if release["stress"]._has(measure=m)
    ]
    assert release["stress"].unique("measure") == wanted


def test_a_path_that_is_not_there() -> None:
    with pytest.raises(ExtractError, match="There is no file"):
        ca.open_release(r"C:\Users\nobody\extract.csv")


@pytest.mark.parametrize("kind", ["positive", "themes", "options"])
def test_contractors_tables_are_not_called_published(kind: str, tmp_path: Path) -> None:
    made = {"positive": layouts.positive, "themes": layouts.themes, "options": layouts.options}
    file = layouts.write_csv(made[kind]()[0], tmp_path / "SYNTHETIC table.csv")
    release = ca.open_release(file)
    assert release.about["kind"] == "contractor"
    assert release.about["org"] == "OWN"  # what it is compared with is no organisation
    assert release.banner == CONTRACTOR
    assert "(published results)" not in release.about["title"]
    said = repr(ca.show.about(release))
    assert "not published" in said and "officially published" not in said
    assert repr(ca.show.respondents(release)).startswith("Tables of the survey contractor do not")
    assert "tables of the survey contractor" in repr(ca.show.quality(release))
    assert "No figure here is calculated" in repr(ca.show.local_differences(release))
    # Its own breakdowns are its units.
    assert release.units() == ("national_breakdown_2",)
    held = [t for t in release.topics if (t, "national_breakdown_2") in release]
    assert held
    again = ca.load_release(release.save(tmp_path / "r.zip"))
    assert again.about == release.about and again.banner == release.banner
    cover = render("report.html", again, date=None, pages=[])
    assert "the survey contractor&#39;s tables, not published</p>" in cover
    assert "publish nothing made of them" in cover
    assert "published already" not in cover


def test_published_results_are_called_published(national: Path) -> None:
    release = ca.open_release(national)
    assert (
        release.about["title"] == "England, all trusts, NHS Staff Survey 2024 (published results)"
    )
    assert "taken from the officially published results" in repr(ca.show.about(release))
    cover = render("report.html", release, date=None, pages=[])
    assert "NHS Staff Survey 2024, published results</p>" in cover
    assert "published already" in cover
    assert "contractor" not in cover


def test_the_quarterly_survey_is_not_called_the_annual_one(tmp_path: Path) -> None:
    file = layouts.write_xlsx(layouts.pulse("Quarter 2 2024/25")[0], tmp_path / "SYNTHETIC.xlsx")
    release = ca.open_release(file, org="ZZ1")
    assert release.about["title"].endswith(
        ", National Quarterly Pulse Survey 2024 (published results)"
    )
    cover = _render(release, [], date=None)
    assert '<p class="lead">National Quarterly Pulse Survey 2024, published results</p>' in cover


def test_extracts_are_called_nothing_of_the_kind(sample_release: ca.Release) -> None:
    cover = render("report.html", sample_release, date=None, pages=[])
    assert '<p class="lead">NHS Staff Survey 2024</p>' in cover
    assert "published results" not in cover
