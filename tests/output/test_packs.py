"""Packs by unit: one release, safe names, nothing hidden in any, all or none written."""

from __future__ import annotations

import contextlib
import hashlib
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.diagnose.tracker import column_meanings, read_tracker
from culture_analytics.errors import ReportError
from culture_analytics.files import BEFORE
from culture_analytics.output.packs import (
    INDEX,
    WRITTEN,
    make_packs,
    pack_files,
    take_over,
    unit_column,
)
from culture_analytics.output.unit_blocks import BETTER, WORSE, Units
from culture_analytics.survey import Survey
from tests.conftest import make_survey
from tests.output.html import Node, parse

STRESS = "work_related_stress"
TINY = 'Night <b>crew</b> "1/2"'  # seven people; markup and a path, were they let through
WORST = "Directorate C"
TABLES = {
    "tables": [
        {"topic": "headline", "measures": ["headline"], "by": ["units"]},
        {"topic": "scores", "measures": ["people_promise"], "by": ["units"]},
    ]
}


def planted() -> Survey:
    """Two years; a directorate of seven, and one where nine of ten are stressed in the last."""
    survey = make_survey(700, years=(2023, 2024), seed=3)
    responses = survey.responses.copy()
    late = responses["year"].eq(2024).to_numpy()
    rows = np.flatnonzero(late)[:7]
    for column in ("directorate", "team"):
        responses[column] = responses[column].cat.add_categories([TINY])
        responses.loc[rows, column] = TINY
    stress = responses[STRESS].dtype
    rng = np.random.default_rng(1)
    one = np.flatnonzero(late & responses["directorate"].eq(WORST).to_numpy())
    responses.loc[one, STRESS] = pd.Categorical(
        np.where(rng.random(one.size) < 0.9, "Yes", "No"), dtype=stress
    )
    return Survey(
        responses, instrument=survey.instrument, units=survey.units, source="planted.csv",
        synthetic=True, names={"ZZ1": "Test & Trial NHS Trust (synthetic)"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def release() -> ca.Release:
    return ca.build_release(planted(), tables=TABLES)


@pytest.fixture(scope="module")
def packs(release: ca.Release) -> dict[str, str]:
    made = make_packs(release, "directorate", date="1 May 2025")
    return {name: content.decode("utf-8") for name, content in made.items()}


@pytest.fixture(scope="module")
def pages(packs: dict[str, str]) -> dict[str, Node]:
    return {name: parse(text) for name, text in packs.items()}


def without_pictures(text: str) -> str:
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)


def test_a_pack_for_each_unit_and_an_index_that_leads_to_all(pages: dict[str, Node]) -> None:
    assert len(pages) == 6  # four directorates, the small one, the index
    index = pages[INDEX]
    links = [a for a in index.all("a") if a.attrs["href"] != "#main"]
    assert {unquote(a.attrs["href"]) for a in links} == set(pages) - {INDEX}
    for link in links:
        page = pages[unquote(link.attrs["href"])]
        assert page.all("h1")[0].text == link.text
        assert INDEX in {a.attrs["href"] for a in page.all("a")}
        anchors = {a.attrs["href"][1:] for a in page.all("a") if a.attrs["href"][0] == "#"}
        ids = [n.attrs["id"] for n in page.all() if "id" in n.attrs]
        assert len(ids) == len(set(ids))
        assert anchors <= set(ids)
        assert "1 May 2025" in page.text


def test_the_small_unit_is_named_without_a_number(
    pages: dict[str, Node], packs: dict[str, str]
) -> None:
    (name,) = [n for n in pages if n.startswith("Night")]
    assert not re.search(r'[<>"/]', name)
    page = pages[name]
    assert "cannot be shown by itself: it is too small, or" in page.text
    assert not page.all("img") and not page.all("table")
    main = page.all("main")[0].text.replace(TINY, "").replace("NHS Staff Survey 2024", "")
    # The limit, the number of units, years, the date and the version are all that is counted.
    numbers = set(re.findall(r"\d+(?:\.\d+)*", main.split("Rule")[0]))
    assert numbers <= {"11", "5", "1", "2025", "2024"}, numbers
    assert "<b>" not in packs[name] and "&lt;b&gt;crew" in packs[name]
    row = next(r for r in pages[INDEX].all("tr") if r.text.startswith("Night"))
    assert row.all("td")[0].text.startswith("not shown: too small")


def test_the_planted_unit_is_told_with_its_reasons(pages: dict[str, Node]) -> None:
    page = pages[f"{WORST}.html"]
    for anchor in ("short", "spots", "next"):
        assert "Work-related stress" in page.all("section", id=anchor)[0].text, anchor
    assert "clearly worse" in page.all("section", id="changed")[0].text
    row = next(r for r in page.all("section", id="headline")[0].all("tr")
               if r.text.startswith("Work-related stress"))  # fmt: skip
    assert row.all("td")[-1].text == WORSE
    other = pages["Directorate D.html"].all("section", id="short")[0].text
    assert "Furthest ahead: Work-related stress" in other


def test_figures_are_those_of_the_release(release: ca.Release, pages: dict[str, Node]) -> None:
    table = release["headline", "directorate"].table
    everyone = release["headline", "overall"].table
    for name in (WORST, "Directorate D"):
        rows = pages[f"{name}.html"].all("section", id="headline")[0].all("tr")
        (cells,) = [[c.text for c in r.all("td")] for r in rows
                    if r.text.startswith("Work-related stress")]  # fmt: skip
        of = table.query("group == @name and year == 2024 and measure == @STRESS").iloc[0]
        whole = everyone.query("year == 2024 and measure == @STRESS").iloc[0]
        assert cells[0] == f"{of['value']:.1f}%"
        assert cells[2] == f"{of['base']:,.0f}"
        assert cells[3] == f"{whole['value']:.1f}%"
        assert float(cells[4]) == pytest.approx(of["value"] - whole["value"], abs=0.06)


def test_no_hidden_figure_is_in_any_pack(release: ca.Release, packs: dict[str, str]) -> None:
    """Figures of the teams that must not be seen, by name and by number."""
    text = {name: without_pictures(t) for name, t in packs.items()}
    for topic in ("headline", "scores"):
        frame = release[topic]._frame
        hidden = frame[release[topic]._hidden & frame["breakdown"].eq("directorate")]
        shown = set(release[topic].table["value"].dropna().round(1))
        assert len(hidden)
        for row in hidden[hidden["year"].eq(2024)].itertuples():
            if round(row.value, 1) not in shown and row.unit == "percent":
                of_unit = text[pack_files([row.group])[row.group]]
                assert f">{row.value:.1f}%<" not in of_unit


def test_each_pack_says_what_may_be_done_with_it(
    release: ca.Release, pages: dict[str, Node]
) -> None:
    for page in pages.values():
        top = page.all("div", class_="top")[0].text
        assert release.banner in top and "SYNTHETIC DATA" in top
        for node in page.all():
            for attr in ("src", "href"):
                assert not re.match(r"\s*(https?:)?//", node.attrs.get(attr, ""))
        levels = [int(n.tag[1]) for n in page.all() if re.fullmatch("h[1-6]", n.tag)]
        assert levels[0] == 1 and set(levels[1:]) == {2}
        for picture in page.all("img"):
            assert len(picture.attrs["alt"]) > 60
    assert all(s in pages[INDEX].text for s in release.protection)


def test_changes_allow_for_all_that_were_compared(release: ca.Release) -> None:
    every = Units(release, "directorate").changes
    held = release["changes"].table
    judged = every["measure"].isin(held.loc[held["breakdown"].eq("directorate"), "measure"])
    assert 0 < judged.sum() < len(every)  # scores of units are judged in the packs alone
    for changes in (every[judged], every[~judged]):
        p = changes["p_value"].dropna().sort_values().to_numpy()
        rank = np.arange(1, len(p) + 1)
        # Benjamini and Hochberg's own rule: the largest rank whose p is under its share of 5 %.
        passed = np.flatnonzero(p <= 0.05 * rank / len(p))
        most = p[passed[-1]] if passed.size else -1.0
        clear = changes["reading"].isin(["better", "worse", "better_within", "worse_within"])
        assert (changes.loc[clear, "p_value"] <= most).all()
        perhaps = changes["reading"].eq("perhaps")
        assert (changes.loc[perhaps, "p_value"] > most).all()
        assert changes.loc[perhaps, "words"].isin(["perhaps better", "perhaps worse"]).all()
    assert every.loc[judged, "reading"].eq("worse").any()


def test_teams_get_packs_too_and_say_where_they_belong(release: ca.Release) -> None:
    units = Units(release, unit_column(release, "team"))
    name = next(n for n in units.names if units.unit(n).shown)
    unit = units.unit(name)
    assert not units.below
    assert f"Directorate {name.split()[1][0]}" in unit.about().text
    assert unit.counts[WORSE] + unit.counts[BETTER] >= 0


def test_a_pack_shows_the_actions_of_its_unit_alone(release: ca.Release, tmp_path: Path) -> None:
    head = ",".join(name for name, _ in column_meanings())
    rows = [
        f"here,{STRESS},directorate,{WORST},said this,do,,do,2024-02-01,,30,under way",
        f"there,{STRESS},directorate,Directorate D,said that,do,,do,2024-02-01,,,under way",
        f"all,{STRESS},,,said,do,,do,2024-02-01,,,under way",
    ]
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    tracker = read_tracker(tmp_path / "t.csv")
    units = Units(release, "directorate")
    block = units.unit(WORST).actions(tracker)
    assert block is not None
    told = repr(list(block.blocks))
    assert "said this" in told and "said that" not in told
    assert "clearly worse" in told
    assert units.unit("Directorate B").actions(tracker) is None
    assert units.unit(WORST).actions(None) is None


def test_a_saved_release_gives_the_same_packs(
    release: ca.Release, packs: dict[str, str], tmp_path: Path
) -> None:
    saved = ca.load_release(release.save(tmp_path / "r.zip"))
    again = make_packs(saved, "directorate", date="1 May 2025")
    assert {n: without_pictures(c.decode()) for n, c in again.items()} == {
        n: without_pictures(t) for n, t in packs.items()
    }


def test_run_report_writes_all_packs_or_none(
    release: ca.Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ca.build_release(planted(), tables={"tables": TABLES["tables"][:1]})
    index = ca.run_report(small, tmp_path / "packs", each="directorate", embargo="2030-01-01")
    assert index.name == INDEX
    assert len(list(index.parent.iterdir())) == 7  # the list of packs is the seventh
    for file in index.parent.iterdir():
        assert "not to be shared before" in file.read_text(encoding="utf-8")
    before = {f.name: f.read_bytes() for f in index.parent.iterdir()}

    def broken(*_: object) -> None:
        raise ReportError("no")

    monkeypatch.setattr("culture_analytics.output.unit_blocks.Unit.next_steps", broken)
    with pytest.raises(ReportError, match="no"):
        ca.run_report(small, tmp_path / "packs", each="directorate")
    assert {f.name: f.read_bytes() for f in index.parent.iterdir()} == before


def test_packs_of_an_earlier_run_do_not_stay_among_the_new(
    release: ca.Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "packs"
    small = ca.build_release(planted(), tables={"tables": TABLES["tables"][:1]})
    ca.run_report(small, folder, each="team")
    packs = set(pack_files(Units(small, "directorate").names).values())
    changed, *others = sorted({f.name for f in folder.glob("*.html")} - {INDEX, *packs})
    assert others
    (folder / changed).write_text("somebody's own notes", encoding="utf-8")
    (folder / "mine.html").write_text("never written by a run", encoding="utf-8")
    kept = {f.name: f.read_bytes() for f in folder.iterdir()}

    def full(source: Path, target: Path) -> None:
        if target.parent.name == BEFORE:
            raise ReportError("held open")
        source.replace(target)

    with monkeypatch.context() as broken:
        broken.setattr("culture_analytics.files._replace", full)
        with pytest.raises(ReportError, match="held open"):
            ca.run_report(small, folder, each="directorate")
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == kept  # all or nothing

    ca.run_report(small, folder, each="directorate")
    now = {f.name for f in folder.iterdir()}
    assert (folder / changed).read_text(encoding="utf-8") == "somebody's own notes"
    assert now == packs | {changed, "mine.html", INDEX, WRITTEN}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", '{"packs": 3}', '{"packs": {"a.html": 1}}', '{"packs": {"a.html": null}}',
        '{"packs": {"../victim.html": "DIGEST", "victim.html": "0", "link.html": "DIGEST"}}',
    ],
)  # fmt: skip
def test_a_list_that_somebody_edited_leads_nowhere(tmp_path: Path, text: str) -> None:
    folder, stage = tmp_path / "out", tmp_path / "stage"
    folder.mkdir()
    stage.mkdir()
    victim = tmp_path / "victim.html"
    victim.write_text("mine", encoding="utf-8")
    (folder / "victim.html").write_text("mine", encoding="utf-8")
    (folder / "a.html").write_text("mine", encoding="utf-8")
    with contextlib.suppress(OSError):  # a system that allows no links
        (folder / "link.html").symlink_to(victim)
    digest = hashlib.sha256(b"mine").hexdigest()
    (folder / WRITTEN).write_text(text.replace("DIGEST", digest), encoding="utf-8")
    assert take_over(stage, folder) == []
    assert (stage / WRITTEN).exists()


def test_a_killed_run_does_not_forget_old_packs(tmp_path: Path) -> None:
    old, stage = tmp_path / "out", tmp_path / "stage"
    for folder, name in ((old, "Old.html"), (stage, "New.html")):
        folder.mkdir()
        (folder / name).write_text(name, encoding="utf-8")
    assert take_over(old, tmp_path / "none") == []
    assert take_over(stage, old) == ["Old.html"]
    # Killed when the new files were in place and the old one was not yet removed.
    for file in stage.iterdir():
        file.replace(old / file.name)
    again = tmp_path / "again"
    again.mkdir()
    (again / "New.html").write_text("newer", encoding="utf-8")
    assert take_over(again, old) == ["Old.html"]


@pytest.mark.parametrize(
    "names",
    [
        ["A", "a", "Ａ"],
        ["Caf\u00e9", "Cafe\u0301"],
        ["../../etc/passwd", "..\\..\\etc\\passwd", "CON", "con.", "", "  ", "index", "INDEX"],
        ["x" * 300, "x" * 301],
        ["A (2)", "A", "a"],
    ],
)
def test_file_names_are_safe_and_never_clash(names: list[str]) -> None:
    import unicodedata

    files = pack_files(names)
    assert list(files) == names
    alike = {unicodedata.normalize("NFKC", f).casefold() for f in files.values()}
    assert len(alike) == len(names)
    assert INDEX not in alike
    for file in files.values():
        assert Path(file).name == file
        assert not set(file) & set('<>:"/\\|?*')
        assert file.endswith(".html") and len(file) < 120
        assert not re.fullmatch(r"(con|prn|aux|nul)\..*", file, re.I)


def test_packs_need_units(tmp_path: Path, release: ca.Release) -> None:
    with pytest.raises(ReportError, match=r"It is divided by: directorate, team"):
        make_packs(release, "ward")
    plain = make_survey(200)
    plain = Survey(plain.responses, instrument=plain.instrument, synthetic=True)
    whole = ca.build_release(plain, tables={"tables": [{**TABLES["tables"][0], "by": []}]})
    with pytest.raises(ReportError, match="not divided by units"):
        ca.run_report(whole, tmp_path / "x", each="directorate")
    assert not (tmp_path / "x").exists()
