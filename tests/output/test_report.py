"""The report of a trust with a hidden team in it, opened as a reader would open it."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.disclosure.release import BANNER
from culture_analytics.errors import ReportError
from culture_analytics.output.report import BOARD, REPORT, TABLES
from culture_analytics.resources import notebooks_folder
from culture_analytics.session import protect
from culture_analytics.survey import Survey
from tests.conftest import make_survey
from tests.output.html import Node, parse

pytestmark = pytest.mark.slow  # whole reports: once, under the newest pandas

TINY = 7  # people in the team that must not be seen
TINY_TEAM = "Team <b>tiny</b>"  # its name would be markup if it were not escaped


def planted() -> Survey:
    """Two years, with a team of seven of whom five felt unwell and two were bullied."""
    survey = make_survey(700, years=(2023, 2024), seed=3)
    responses = survey.responses.copy()
    stress = survey.instrument.items["work_related_stress"].dtype
    rows = np.flatnonzero(responses["year"] == 2024)[:TINY]
    responses["team"] = responses["team"].cat.add_categories([TINY_TEAM])
    responses.loc[rows, "team"] = TINY_TEAM
    responses.loc[rows, "directorate"] = "Directorate A"
    answers = ["Yes"] * 5 + ["No"] * 2
    responses.loc[rows, "work_related_stress"] = pd.Categorical(answers, dtype=stress)
    return Survey(
        responses,
        instrument=survey.instrument,
        units=survey.units,
        source="planted.csv",
        synthetic=True,
        names={"ZZ1": "Test & Trial NHS Trust (synthetic)"},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = ca.run_report(planted(), tmp_path_factory.mktemp("run") / "out", date="1 May 2025")
    assert written.name == REPORT
    return written.parent


@pytest.fixture(scope="module")
def released() -> ca.Release:
    return protect(planted())


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / REPORT).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Node:
    return parse(text)


@pytest.fixture(scope="module")
def tables(folder: Path) -> pd.DataFrame:
    return pd.read_csv(
        folder / TABLES, encoding="utf-8-sig", keep_default_na=False, low_memory=False
    )


def test_only_the_three_files_are_written(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == [BOARD, REPORT, TABLES]


def test_every_notebook_is_a_page_that_can_be_gone_to(page: Node) -> None:
    sections = [s.attrs["id"] for s in page.all("section", class_="page")]
    titles = [s.all("h2")[0].text for s in page.all("section", class_="page")]
    notebooks = [f.stem for f in sorted(notebooks_folder().glob("*.ipynb"))]
    assert len(notebooks) >= 4
    assert sections == [n[3:].replace("_", "-") for n in notebooks] + ["about"]
    assert titles[:4] == [
        "Start here", "Stress and burnout", "Bullying and harassment", "Discrimination",
    ]  # fmt: skip
    ids = [n.attrs["id"] for n in page.all() if "id" in n.attrs]
    assert len(ids) == len(set(ids))
    targets = {a.attrs["href"] for a in page.all("a")}
    assert targets <= {f"#{i}" for i in ids}
    nav = page.all("nav")[0]
    assert {a.attrs["href"] for a in nav.all("a")} >= {f"#{s}" for s in sections}
    # Every question of a page is in the navigation.
    questions = {h.attrs["id"] for s in page.all("section") for h in s.all("h3")}
    assert {f"#{q}" for q in questions} <= {a.attrs["href"] for a in nav.all("a")}


def test_banner_and_synthetic_mark_are_on_every_page(page: Node) -> None:
    for section in page.all("section", class_="page"):
        head = section.all("p", class_="page-banner")[0].text
        assert BANNER in head
        assert "SYNTHETIC DATA" in head
    top = page.all("div", class_="top")[0].text
    assert BANNER in top
    assert "SYNTHETIC DATA" in top


def test_banner_is_on_every_printed_sheet(text: str) -> None:
    (rule,) = re.findall(r"@page \{ @top-left \{ content: (\"[^\"]*\")", text)
    words = re.sub(r"\\([0-9a-f]+) ", lambda m: chr(int(m[1], 16)), rule)
    assert BANNER in words
    assert "SYNTHETIC DATA" in words


def test_cover_names_organisation_years_and_date(page: Node) -> None:
    cover = page.all("header", class_="cover")[0].text
    assert "Test & Trial NHS Trust (synthetic)" in cover
    assert "2023, 2024" in cover
    assert "1 May 2025" in cover


def test_pictures_are_inside_and_described(page: Node) -> None:
    pictures = page.all("img")
    assert len(pictures) > 30
    for picture in pictures:
        assert picture.attrs["src"].startswith("data:image/png;base64,")
        assert len(picture.attrs["alt"]) > 60, picture.attrs["alt"]
        assert int(picture.attrs["width"]) > 300
        assert int(picture.attrs["height"]) > 50


def test_nothing_is_loaded_from_outside(text: str, page: Node) -> None:
    for node in page.all():
        for name in ("src", "href", "srcset", "data", "poster", "action"):
            assert not re.match(r"\s*(https?:)?//", node.attrs.get(name, "")), node.attrs
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("iframe")
    for style in re.findall(r"<style>(.*?)</style>", text, re.S):
        assert "@import" not in style
        assert "url(" not in style


def test_tables_can_be_read_aloud(page: Node) -> None:
    assert len(page.all("table")) > 10
    for table in page.all("table"):
        assert table.all("caption")[0].text
        for head in table.all("th"):
            assert head.attrs["scope"] in {"col", "row", "rowgroup"}
        columns = len(table.all("thead")[0].all("th"))
        for row in table.all("tbody")[0].all("tr"):
            cells = row.all("th") + row.all("td")
            assert sum(int(c.attrs.get("colspan", 1)) for c in cells) == columns


def test_headings_do_not_skip_a_level(page: Node) -> None:
    levels = [int(n.tag[1]) for n in page.all() if re.fullmatch("h[1-6]", n.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_page_has_a_language_a_title_and_a_way_past_the_navigation(page: Node) -> None:
    assert page.all("html")[0].attrs["lang"] == "en-GB"
    assert "Test & Trial" in page.all("title")[0].text
    assert page.all("a", class_="skip")[0].attrs["href"] == "#main"
    assert page.all("main", id="main")


def test_code_is_there_but_folded_and_without_paths(page: Node, text: str) -> None:
    folded = page.all("details", class_="code")
    assert len(folded) == len(list(notebooks_folder().glob("*.ipynb")))
    assert all("ca.open_release" in d.text for d in folded)
    assert "Traceback" not in text
    assert "culture-analytics-" not in text  # the temporary folder
    assert "/tmp" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)


def test_cells_about_the_notebook_are_left_out(page: Node) -> None:
    assert "Run All" not in page.text
    assert "Copy as path" not in page.text


def test_names_are_escaped(page: Node, text: str) -> None:
    assert "Team &lt;b&gt;tiny&lt;/b&gt;" in text
    assert "<b>tiny</b>" not in text
    assert not page.all("b")


def test_the_tiny_team_is_named_without_a_number(page: Node, tables: pd.DataFrame) -> None:
    rows = [r for r in page.all("tr") if r.all("th") and r.all("th")[0].text == TINY_TEAM]
    assert rows
    for row in rows:
        assert {c.text for c in row.all("td")} <= {"[c]", ""}
        assert "[c]" in {c.text for c in row.all("td")}
    own = tables[(tables["group"] == TINY_TEAM) & (tables["year"] == 2024)]
    assert len(own) > 10
    assert set(own["status"]) <= {"suppressed", "not_asked"}
    for column in ("value", "lower", "upper", "se", "base", "weighted_base", "effective_base"):
        assert set(own[column].astype(str)) == {""}, column


def test_no_hidden_figure_is_written(text: str, tables: pd.DataFrame, released: ca.Release) -> None:
    private = pd.concat(
        [e._frame for e in (*released._tables.values(), *released._answers.values())],
        ignore_index=True,
    )
    assert private["group"].tolist() == tables["group"].tolist()
    small = (private["base"] < 11).to_numpy()
    assert small.sum() > 1000
    for column in ("value", "lower", "upper", "se", "df", "base"):
        assert set(tables.loc[small, column].astype(str)) == {""}, column
    # The bare numbers of the planted team, which stand nowhere beside its name.
    own = private[private["statistic"].eq("percent") & private["group"].eq(TINY_TEAM)]
    own = own[own["measure"].eq("work_related_stress")]
    assert set(own["value"].dropna().round(6)) == {round(500 / 7, 6)}
    shown = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
    for found in re.finditer(re.escape("Team &lt;b&gt;tiny&lt;/b&gt;"), shown):
        after = re.sub(r"<[^>]+>", " ", shown[found.end() : found.end() + 400]).split("Team")[0]
        assert not re.search(r"^\W*\d", after), after[:80]


def test_tables_hold_every_row_of_the_release(
    folder: Path, tables: pd.DataFrame, released: ca.Release
) -> None:
    table = released.table
    assert len(tables) == len(table)
    raw = (folder / TABLES).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    at = table["status"].eq("ok").to_numpy()
    got = pd.to_numeric(tables.loc[at, "value"])
    np.testing.assert_allclose(got, table.loc[at, "value"], rtol=1e-12)


def test_disclosure_is_explained(page: Node, tables: pd.DataFrame) -> None:
    about = page.all("section", id="about")[0].text
    hidden = int((tables["status"] == "suppressed").sum())
    assert "fewer than 11 valid answers are not shown" in about
    assert f"{hidden:,} are hidden" in about
    assert TABLES in about
    assert "[c]" in about


def test_the_same_data_give_the_same_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = tmp_path / "books"
    books.mkdir()
    first = notebooks_folder() / "00_start_here.ipynb"
    (books / first.name).write_bytes(first.read_bytes())
    use_notebooks(monkeypatch, books)
    one, two = (ca.run_report(planted(), tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert one.with_name(TABLES).read_bytes() == two.with_name(TABLES).read_bytes()


def test_formulas_in_names_do_not_run_in_a_spreadsheet() -> None:
    from culture_analytics.output.report import as_csv

    names = ["=cmd|' /C calc'!A0", "+1", "@x", "-2", "16-20"]
    frame = pd.DataFrame({"group": names, "value": [-1.5] * 5})
    back = pd.read_csv(io.StringIO(as_csv(frame)))
    assert back["group"].tolist() == ["'" + n for n in names[:4]] + ["16-20"]
    assert back["value"].tolist() == [-1.5] * 5


# -- when it cannot be made -----------------------------------------------------------------


def notebook(folder: Path, *cells: object) -> None:
    parameters = nbformat.v4.new_code_cell('extract = r"sample"', metadata={"tags": ["parameters"]})
    made = nbformat.v4.new_notebook(cells=[parameters, *cells])
    nbformat.write(made, folder / "01_broken.ipynb")


def use_notebooks(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("culture_analytics.resources.notebooks_folder", lambda: folder)


def test_a_failing_cell_is_named_and_the_old_report_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: ca.Release
) -> None:
    books, out = tmp_path / "books", tmp_path / "out"
    books.mkdir()
    out.mkdir()
    (out / REPORT).write_text("the old report", encoding="utf-8")
    (out / TABLES).write_text("the old tables", encoding="utf-8")
    notebook(
        books,
        nbformat.v4.new_markdown_cell("## Is this fine?"),
        nbformat.v4.new_code_cell("import culture_analytics as ca"),
        nbformat.v4.new_markdown_cell("## Does it break?\n\nText."),
        nbformat.v4.new_code_cell("ca.load_release(extract)['pay']"),
    )
    use_notebooks(monkeypatch, books)
    with pytest.raises(ReportError) as caught:
        ca.run_report(released, out)
    message = str(caught.value)
    assert "01_broken" in message
    assert "'Does it break?'" in message
    assert "The release has no topic 'pay'" in message
    assert sorted(p.name for p in out.iterdir()) == [REPORT, TABLES]
    assert (out / REPORT).read_text(encoding="utf-8") == "the old report"
    assert (out / TABLES).read_text(encoding="utf-8") == "the old tables"


def test_a_failing_run_makes_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: ca.Release
) -> None:
    books = tmp_path / "books"
    books.mkdir()
    notebook(books, nbformat.v4.new_code_cell("1 / 0"))
    use_notebooks(monkeypatch, books)
    with pytest.raises(ReportError, match="ZeroDivisionError"):
        ca.run_report(released, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_notebooks_see_no_respondent_and_no_setting_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: ca.Release
) -> None:
    books = tmp_path / "books"
    books.mkdir()
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "mine"))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "mine"))
    notebook(
        books,
        nbformat.v4.new_code_cell(
            "import os, pathlib, zipfile\n"
            "from IPython.display import HTML, display\n"
            "held = sorted(p.name for p in pathlib.Path('.').iterdir())\n"
            "inside = sorted(zipfile.ZipFile(extract).namelist())\n"
            "mine = [k for k in ('JUPYTER_PATH', 'MPLCONFIGDIR') if 'mine' in os.getenv(k, '')]\n"
            "display(HTML(f'<p id=\"seen\">{held} {inside} {mine} {year} {org}</p>'))"
        ),
    )
    use_notebooks(monkeypatch, books)
    report = ca.run_report(released, tmp_path / "out").read_text(encoding="utf-8")
    (seen,) = parse(report).all("p", id="seen")
    assert seen.text == "['release.zip'] ['release.json', 'table.parquet'] [] None None"


def test_folder_of_the_extract_is_refused(tmp_path: Path) -> None:
    extract = tmp_path / "extract.csv"
    extract.write_text("q11c\n1\n", encoding="utf-8")
    with pytest.raises(ReportError, match="nothing is written beside an extract"):
        ca.run_report(extract, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["extract.csv"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")
    with pytest.raises(ReportError, match="give the name of a folder"):
        ca.run_report("sample", tmp_path / "out")


def test_columns_do_not_go_with_data_already_read(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="columns goes with a path"):
        ca.run_report(planted(), tmp_path / "out", columns={"a": "q11c"})


# -- published results only -----------------------------------------------------------------


def test_an_organisation_with_the_published_workbooks_only(real_data: Path, tmp_path: Path) -> None:
    books = {
        name: next((real_data / "nss24_official").glob(f"*{name} results.xlsx"))
        for name in ("organisational", "national")
    }
    written = ca.run_report(
        books["organisational"], tmp_path, org="ryr", published=books["national"]
    )
    report = parse(written.read_text(encoding="utf-8"))
    assert "Sussex" in report.all("h1")[0].text
    start = report.all("section", id="start-here")[0]
    assert "England" in start.all("thead")[0].text
    stress = next(r for r in start.all("tr") if r.text.startswith("Work-related stress"))
    assert stress.all("td")[0].text == "44.9%"
    assert stress.all("td")[-1].text == "41.6%"
    # What they do not hold is said once a page, after what they do.
    for section in report.all("section", class_="page")[1:4]:
        last = section.all("h3")[-1]
        assert last.text == "What these data cannot show"
        assert "not divided by" in section.all("ul", class_="lacking")[0].text
        assert len(section.all("img")) >= 2
    discrimination = report.all("section", id="discrimination")[0]
    assert "On what grounds?" in discrimination.all("ul", class_="lacking")[0].text
    assert "defect of the file" in report.all("section", id="about")[0].text
