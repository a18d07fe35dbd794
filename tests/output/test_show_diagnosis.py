"""What is shown of the diagnosis, on the board's pages and in its files."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.cli import main
from culture_analytics.diagnose import read_tracker, write_tracker_template
from culture_analytics.disclosure.derived import orphans
from culture_analytics.errors import ReportError, TrackerError
from culture_analytics.output import show, show_board, show_diagnosis
from culture_analytics.output.blocks import Picture, Points, Sentence, Several, Table
from culture_analytics.output.diagnosis_files import (
    DIAGNOSIS,
    NOTEBOOKS,
    TABLES,
    WORKBOOK,
    _diagnosis,
    _workbook,
    diagnosis_tables,
)
from culture_analytics.output.pages import Page, block_html, make_page
from culture_analytics.output.report import render
from culture_analytics.resources import notebooks_folder
from tests.output.html import parse

STANDARD: dict[str, Any] = {
    "tables": [
        {"topic": "headline", "measures": ["headline"], "by": ["units"]},
        {"topic": "stress", "measures": ["work_related_stress"],
         "by": ["ethnicity", "long_term_condition"]},
        {"topic": "culture", "measures": ["culture"], "by": ["units"]},
        {"topic": "culture_leaders", "measures": ["culture_leaders"],
         "by": ["occupation_detailed"]},
        {"topic": "culture_items", "measures": ["culture_evidence"], "by": []},
    ]
}  # fmt: skip
ONLY_ABSENT = ("falling", "doubts", "tracker")  # may be a sentence where all is well


def flat(block: Any) -> Iterator[Any]:
    yield from block.blocks if isinstance(block, Several) else [block]


def text_of(block: Any) -> str:
    return " ".join(map(repr, flat(block)))


@pytest.fixture(scope="module")
def sample() -> ca.Survey:
    return ca.load_sample()


@pytest.fixture(scope="module")
def saved(sample: ca.Survey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    release = ca.build_release(sample.filter(year=[2024, 2025]), tables=STANDARD)
    return release.save(tmp_path_factory.mktemp("release") / "r.zip")


@pytest.fixture(scope="module")
def release(saved: Path) -> ca.Release:
    """As a notebook sees it: two years, units, no respondent."""
    return ca.load_release(saved)


@pytest.fixture(scope="module")
def plain(sample: ca.Survey) -> ca.Release:
    """One year, no units."""
    one = sample.filter(year=2025)
    bare = ca.Survey(one.responses, instrument=one.instrument, units=(), synthetic=True)
    tables = [{**t, "by": [b for b in t["by"] if b != "units"]} for t in STANDARD["tables"]]
    return ca.build_release(bare, tables={"tables": tables})


@pytest.fixture(scope="module")
def published() -> ca.Release:
    from culture_analytics.resources import sample_folder

    files = sorted(sample_folder().glob("NSS24*.xlsx"))
    national, every = sorted(files, key=lambda f: "organisational" in f.name)
    return ca.open_release(every, org="ZZ1", published=national)


def blocks_of(release: ca.Release) -> dict[str, Any]:
    names = [*show_diagnosis.__all__, *show_board.__all__]
    return {n: getattr(ca.show, n)(release, *([None] if n == "tracker" else [])) for n in names}


@pytest.fixture(scope="module")
def blocks(release: ca.Release) -> dict[str, Any]:
    return blocks_of(release)


def test_every_name_is_offered_and_shows_something(blocks: dict[str, Any]) -> None:
    assert set(blocks) <= set(show.__all__)
    for name, block in blocks.items():
        if name in ONLY_ABSENT:
            continue
        for one in flat(block):
            assert not (isinstance(one, Sentence) and one.absent), (name, one)
    for name in ("elements", "concerns", "priorities"):
        assert any(isinstance(b, Picture) for b in flat(blocks[name])), name
    for name in ("pooled", "drivers", "board_standing"):
        assert isinstance(blocks[name], Picture), name


@pytest.mark.parametrize("which", ["plain", "published"])
def test_what_cannot_be_answered_is_said(which: str, request: pytest.FixtureRequest) -> None:
    release: ca.Release = request.getfixturevalue(which)
    made = blocks_of(release)
    for block in made.values():
        assert list(flat(block))
        assert "Traceback" not in text_of(block)
    for name in ("spots", "pooled", "falling", "board_where"):
        (one,) = flat(made[name])
        assert isinstance(one, Sentence) and one.absent, name
    assert isinstance(made["board_changes"], Sentence) and made["board_changes"].absent


def test_where_is_told_from_the_spots_of_the_release(
    release: ca.Release, blocks: dict[str, Any]
) -> None:
    found = ca.diagnosis_of(release).spots
    assert found["kind"].eq("hot spot").any() and found["kind"].eq("bright spot").any()
    board, table = text_of(blocks["board_where"]), blocks["spots"]
    hot = found[found["kind"].eq("hot spot")]
    for name in hot["group"].unique():
        assert name in board
    rows = {r[0]: r[1] for title, part in table.sections for r in part if "Worse" in title}
    assert set(rows) == set(hot["group"])
    first = hot.iloc[0]
    assert f"{first['difference']:+.1f}"[:3] in rows[first["group"]]


def test_what_comes_first_is_told_with_its_lowest_answers(
    release: ca.Release, blocks: dict[str, Any]
) -> None:
    table = ca.diagnosis_of(release).priorities
    first = table[table["kind"].eq("look at first")].iloc[0]
    (points, *_) = flat(blocks["board_first"])
    assert points.items[0].startswith(f"{first['area']}: scores {first['score']:.1f} of 10")
    assert f"share {first['importance']:.0f}%" in points.items[0]
    assert ". Least favourable: " in points.items[0]
    assert len(points.items) == show_board.MOST_FIRST


def test_where_shares_are_hidden_the_rest_is_shown_and_that_is_said(plain: ca.Release) -> None:
    drivers = plain["drivers"]
    hidden = drivers._hiding(np.ones(len(drivers), dtype=bool))
    held = replace(plain, _tables={**plain._tables, "drivers": hidden})
    first = show.priorities(held)
    assert [type(b) for b in flat(first)] == [Table]
    assert "The order is by how far the score lies under ten." in text_of(first)
    assert "not shown" in text_of(show.drivers(held))
    notes = " ".join(ca.diagnosis_of(held).notes)
    assert "Burnout" in notes and "what goes with it is not shown" in notes


def test_what_goes_with_an_outcome_dies_with_that_outcome_alone(plain: ca.Release) -> None:
    frame = pd.concat([plain["culture"]._frame, plain["drivers"]._frame], ignore_index=True)
    burnout = frame["measure"].eq("burnout").to_numpy(dtype=bool)
    of_staff = frame["statistic"].eq("variance_share").to_numpy(dtype=bool)
    lone = orphans(frame, burnout & ~of_staff)
    assert lone[burnout & of_staff].all()
    assert not lone[frame["measure"].eq("staff_engagement")].any()


def test_what_is_hidden_is_not_called_unremarkable_or_absent() -> None:
    """Five people in four directorates: nobody may read that no directorate stands out."""
    few = ca.build_release(ca.simulate_survey(5, year=2024, seed=1), tables=STANDARD)
    said = {
        name: text_of(getattr(show, name)(few))
        for name in ("spots", "board_where", "priorities", "elements", "stressors", "board_first",
                     "board_groups")
    }  # fmt: skip
    for name in ("spots", "board_where"):
        assert "None of 4 directorates can be shown" in said[name]
    for name in ("priorities", "elements", "stressors", "board_first"):
        assert "Too few answers to show" in said[name], said[name]
    assert "too few people answered" in said["board_groups"]
    one = replace(few, about={**few.about, "units": ["directorate"]})
    assert "divided by directorate alone" in text_of(show.spots(one, "team"))


def test_the_groups_of_the_board_are_those_with_clear_gaps(
    release: ca.Release, blocks: dict[str, Any]
) -> None:
    table = blocks["board_groups"]
    assert isinstance(table, Table)
    rows = [r for _, part in table.sections for r in part]
    (row,) = [r for r in rows if r[0].startswith("With a long-term") and "stress" in r[1]]
    stress = release["stress", "long_term_condition"].table.query("year == 2025")
    of, answers = (stress.set_index("group")[c] for c in ("value", "base"))
    for name, figure in (row[0], row[2]), (row[3], row[4]):
        assert figure == f"{of[name]:.1f}%\n{answers[name]:,.0f}"
    assert float(row[5].split("\n")[0]) == pytest.approx(of[row[0]] - of[row[3]], abs=0.06)


def test_the_board_reads_one_verdict_on_what_changed(
    release: ca.Release, blocks: dict[str, Any]
) -> None:
    """What is headline and outcome at once is not clear in one sentence and unclear in another."""
    first, *others = blocks["board_changes"].items
    changes = ca.diagnosis_of(release).changes
    assert changes is not None
    table = changes.table
    judged = table[table["breakdown"].eq("overall")].set_index("measure")["p_adjusted"]
    headline = release["changes", "overall"].table.query("statistic == 'difference'")
    for row in headline.itertuples():
        if row.measure in judged.index:
            assert judged[row.measure] == row.p_adjusted
    clear = headline["p_adjusted"].le(0.05).sum()
    assert first.startswith("None of") == (clear == 0)
    assert all("culture" in text for text in others[-1:])


def test_common_doubts_are_said_once(blocks: dict[str, Any]) -> None:
    table = blocks["findings"]
    doubts = [r[1] for _, part in table.sections for r in part if r[1]]
    assert all(doubts.count(d) < show_diagnosis.MOST_SAID for d in doubts)
    assert any(n.startswith("To keep in mind") for n in table.notes)
    assert " %" not in repr(table)


def test_no_word_claims_a_cause(blocks: dict[str, Any]) -> None:
    said = " ".join(text_of(b) for b in blocks.values()).lower()
    for word in ("because of this", "caused by", "leads to", "driven by", "impact of", "due to"):
        assert word not in said, word


# -- the tracker ------------------------------------------------------------------------------


def test_a_tracker_is_shown_with_its_figures(release: ca.Release, tmp_path: Path) -> None:
    file = write_tracker_template(tmp_path)
    block = ca.show.tracker(release, str(file))
    parts = list(flat(block))
    said, did, chart = parts[0], parts[1], parts[-1]
    assert [r[0] for r in did.sections[0][1]] == ["example-1", "example-2"]
    of = release["headline", "overall"].table.query("measure == 'hba_colleagues'")
    of = of.set_index("year")["value"]
    cells = did.sections[0][1][0]
    assert cells[2] == f"{of[2024]:.1f}% (2024)"
    assert cells[3] == f"{of[2025]:.1f}% (2025)"
    assert isinstance(chart, Picture) and isinstance(said, Table)
    assert text_of(ca.show.tracker(release, read_tracker(file))) == text_of(block)
    with pytest.raises(TrackerError):
        ca.show.tracker(release, tmp_path / "nowhere.csv")


def test_an_action_is_linked_to_the_findings_about_its_figure(
    release: ca.Release, tmp_path: Path
) -> None:
    findings = ca.diagnosis_of(release).findings
    hot = findings[findings["topic"].eq("units") & findings["kind"].eq("concern")].iloc[0]
    file = write_tracker_template(tmp_path)
    table = pd.read_csv(file, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    table.loc[0, ["measure", "breakdown", "group", "target"]] = [
        hot["measure"], hot["breakdown"], hot["group"], "",
    ]  # fmt: skip
    table.to_csv(file, index=False)
    linked = [b for b in flat(ca.show.tracker(release, file)) if isinstance(b, Points)]
    assert linked[0].items[0] == f"example-1: {hot['sentence'].replace(' %', '%')}"


# -- files ------------------------------------------------------------------------------------


def test_tables_and_workbook_hold_the_protected_figures(release: ca.Release) -> None:
    diagnosis = _diagnosis(release, "team")
    tables = diagnosis_tables(diagnosis)
    assert {"findings", "priorities", "elements", "pooled", "drivers"} <= set(tables) <= set(TABLES)
    hidden = tables["elements"]["status"].eq("suppressed")
    assert hidden.any()
    assert tables["elements"].loc[hidden, ["value", "lower", "upper", "base"]].isna().all().all()
    few = pd.concat([tables["elements"][hidden].head(40), tables["elements"][~hidden].head(40)])
    tables = {"findings": tables["findings"], "elements": few}
    content = _workbook(diagnosis, tables)
    assert content == _workbook(diagnosis, tables)
    sheets = pd.read_excel(io.BytesIO(content), sheet_name=None, engine="calamine")
    assert list(sheets) == ["Read me", *tables]
    front = " ".join(map(str, sheets["Read me"].to_numpy().ravel()))
    assert "SYNTHETIC" in front and release.banner in front
    got = sheets["elements"]["value"].to_numpy(dtype=float)
    np.testing.assert_allclose(got, tables["elements"]["value"].to_numpy(dtype=float), rtol=1e-12)


def test_a_workbook_runs_no_formula_of_a_name(release: ca.Release) -> None:
    table = pd.DataFrame({"group": ["=1+1", "@x"], "value": [1.5, np.inf], "flag": [True, False]})
    content = _workbook(ca.diagnosis_of(release), {"spots": table})
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(content))["spots"]
    assert [sheet["A2"].data_type, sheet["A2"].value] == ["s", "=1+1"]
    assert (sheet["B2"].value, sheet["B3"].value) == (1.5, "inf")


def test_units_that_are_not_there_are_refused(release: ca.Release, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"by='ward'.*divided by: directorate, team"):
        ca.write_diagnosis(release, tmp_path / "x", by="ward")
    with pytest.raises(TrackerError, match="There is no file"):
        ca.write_diagnosis(release, tmp_path / "x", tracker=tmp_path / "none.csv")
    assert not (tmp_path / "x").exists()


def test_the_command_writes_everything_and_says_where(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pages(*_: object, only: object = ()) -> list[Page]:
        assert only == NOTEBOOKS
        return [Page(i, i, (), f"<h2 id='{i}-title'>{i}</h2>", ()) for i in
                ("culture-diagnosis", "board-summary")]  # fmt: skip

    monkeypatch.setattr("culture_analytics.output.diagnosis_files.run_pages", pages)
    out = tmp_path / "made"
    assert main(["diagnose", str(saved), "--by", "team", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert str(out / DIAGNOSIS) in said
    names = {f.name for f in out.iterdir()}
    assert {DIAGNOSIS, WORKBOOK, "board_summary.html", "findings.csv", "priorities.csv"} <= names
    assert names - {DIAGNOSIS, WORKBOOK, "board_summary.html"} <= {f"{t}.csv" for t in TABLES}
    page = parse((out / DIAGNOSIS).read_text(encoding="utf-8"))
    assert "culture diagnosis" in page.all("h1")[0].text and WORKBOOK in page.text
    spots = pd.read_csv(out / "spots.csv", encoding="utf-8-sig")
    assert set(spots["breakdown"]) == {"team"}
    assert main(["diagnose", str(saved), "--by", "ward", "--out", str(tmp_path / "no")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: by='ward'") and "--by" in error
    assert not (tmp_path / "no").exists()


# -- two pages --------------------------------------------------------------------------------


def board_html(release: ca.Release) -> str:
    """The file for the board, made of the notebook's cells without a kernel."""
    book = nbformat.read(notebooks_folder() / "08_board_summary.ipynb", as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code" and not cell.metadata.get("tags"):
            shown = eval(cell.source, {"ca": ca, "release": release})
            for block in flat(shown):
                data, about = (
                    block._repr_mimebundle_()
                    if isinstance(block, Picture)
                    else ({"text/html": block._repr_html_()}, {})
                )
                cell.outputs.append(nbformat.v4.new_output("display_data", data, metadata=about))
    return render("board.html", release, date=None, page=make_page(book, "08_board_summary"))


@pytest.mark.parametrize("which", ["release", "plain", "published"])
def test_the_board_summary_prints_on_two_pages(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    release: ca.Release = request.getfixturevalue(which)
    html = board_html(release)
    page = parse(html)
    questions = [h.text for h in page.all("h3")]
    assert questions[0] == "Where do we stand?"
    last = {"release": "How sure are we?"}.get(which, "What these data cannot show")
    assert questions[-1] == last
    assert release.banner in page.all("div", class_="top")[0].text
    assert not re.search(r'(src|href)="https?:', html)
    browser, counter = shutil.which("chromium"), shutil.which("pdfinfo")
    if browser is None or counter is None:
        pytest.skip("no chromium and pdfinfo here to print with")
    file, pdf = tmp_path / "b.html", tmp_path / "b.pdf"
    file.write_text(html, encoding="utf-8")
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
         f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={pdf}", file.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    told = subprocess.run([counter, str(pdf)], check=True, capture_output=True, text=True).stdout
    assert int(re.findall(r"Pages:\s+(\d+)", told)[0]) <= 2
    assert "A4" in told


def test_points_are_escaped_and_numbered() -> None:
    block = Points(["<b>one</b>", "two"], lead="A & B", numbered=True)
    node = parse(block_html(block))
    assert [li.text for li in node.all("li")] == ["<b>one</b>", "two"]
    assert node.all("ol") and not node.all("b")
    assert repr(block) == "A & B\n1. <b>one</b>\n2. two"


def test_a_change_of_a_unit_is_called_the_same_wherever_it_is_shown(release: ca.Release) -> None:
    from culture_analytics.output.unit_blocks import Units

    units = Units(release, "directorate")
    packs = units.changes
    clear = packs["reading"].isin(["better", "worse", "better_within", "worse_within"])
    told = dict(zip(zip(packs["measure"], packs["group"], strict=True), clear, strict=True))
    headline = release["headline"].unique("measure")
    compared = 0
    for measure in headline:
        table = ca.show.unit_changes(release, measure)
        if not isinstance(table, Table):
            continue
        for row in table.sections[0][1]:
            if row[3]:
                compared += 1
                assert (row[3] == "yes") == told[measure, row[0]], (measure, row)
    assert compared > 50
    # The diagnosis judges some of the same: by the same p.
    both = [release[t].table for t in ("changes", "culture_changes")]
    keys = ["year", "reference", "measure", "breakdown", "group", "statistic"]
    same = both[0].merge(both[1], on=keys).query("breakdown == 'directorate'")
    assert len(same) > 20
    np.testing.assert_array_equal(same["p_adjusted_x"], same["p_adjusted_y"])


def test_a_worry_that_is_clearly_worse_is_named_for_the_board(
    release: ca.Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = "And of the worries that the framework names"
    quiet = show_board.board_first(release)
    assert lead not in [b.lead for b in flat(quiet) if isinstance(b, Points)]
    found = show_diagnosis.diagnosis(release)
    assert found is not None
    findings = found.findings.copy()
    one = findings["topic"].eq("concerns") & findings["finding"].eq("concerns/bullying")
    assert one.sum() == 1
    worse = "Bullied by managers is clearly worse than 2024 by 4.0 points."
    better = "As published, Bullied by patients is clearly better than in England by 5.0 points."
    findings.loc[one, "kind"] = "concern"
    findings.loc[one, "sentence"] = f"Bullying: Bullied by managers 14 % (3,000). {worse} {better}"
    monkeypatch.setattr(
        show_board, "diagnosis", lambda _: dataclasses.replace(found, findings=findings)
    )
    points = [b for b in flat(show_board.board_first(release)) if isinstance(b, Points)]
    (named,) = [list(b.items) for b in points if b.lead == lead]
    assert named == [f"Bullying: {worse}"]


def test_shares_that_are_all_hidden_are_a_sentence_and_no_chart(
    release: ca.Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = show_diagnosis.diagnosis(release)
    assert found is not None and found.drivers is not None
    numbers = dict.fromkeys(["value", "lower", "upper", "base"], np.nan)
    shares = found.drivers._with(found.drivers._frame.assign(status="suppressed", **numbers))
    hidden = dataclasses.replace(found, drivers=shares)
    monkeypatch.setattr(show_diagnosis, "diagnosis", lambda *_: hidden)
    drivers = show_diagnosis.drivers(release)
    assert isinstance(drivers, Sentence) and drivers.absent
    shown = list(flat(show_diagnosis.priorities(release)))
    assert shown and not any(isinstance(b, Picture) for b in shown)


def test_a_small_organisation_is_told_what_is_hidden() -> None:
    small = ca.build_release(ca.simulate_survey(60, year=2025, seed=5), tables=STANDARD)
    blocks_of(small)  # none of them fails
    table = ca.show.figures(small)
    assert isinstance(table, Table)
    held = small["headline"].table
    overall = held[held["breakdown"].eq("overall") & held["status"].isin(["ok", "suppressed"])]
    hidden = int(overall["status"].eq("suppressed").sum())
    rows = table.sections[0][1]
    assert hidden and len(rows) == len(overall)
    assert sum(row[1] == "[c]" for row in rows) == hidden
    picture = ca.show.headline(small)
    assert isinstance(picture, Picture) and picture.alt.count("hidden to protect people") >= 1
