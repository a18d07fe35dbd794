"""Years, England, the benchmark group and the embargo, in releases and in what is shown of them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.compare.leaving import comparisons
from culture_analytics.embargo import embargo_text, embargoed
from culture_analytics.errors import ReportError
from culture_analytics.estimates import KEY, NUMBERS, Estimates
from culture_analytics.output.blocks import Picture, Points, Sentence, Several, Table, says_embargo
from culture_analytics.output.report import TABLES
from culture_analytics.plots.layout import root_figure
from culture_analytics.resources import notebooks_folder, sample_folder
from culture_analytics.session import compared_with
from culture_analytics.survey import Survey
from tests.compare.made import RULE, published, results
from tests.conftest import make_survey
from tests.output.html import parse
from tests.read_published.layouts import benchmark, positive, write_csv, write_xlsx
from tests.test_control import VALUES, quarter

STRESS = "work_related_stress"
TABLES_OF_A_FEW: dict[str, Any] = {
    "tables": [
        {"topic": "headline", "measures": ["headline"], "by": ["directorate"]},
        {"topic": "stress", "measures": ["stress"], "by": ["gender"]},
        {"topic": "scores", "measures": ["people_promise", "sub_scores"], "by": []},
    ]
}


def survey_of_years(*years: int) -> Survey:
    """With a directorate of seven people in the last year."""
    survey = make_survey(500, years=years, seed=5)
    responses = survey.responses.copy()
    rows = np.flatnonzero(responses["year"] == years[-1])[:7]
    responses["directorate"] = responses["directorate"].cat.add_categories(["Tiny"])
    responses.loc[rows, "directorate"] = "Tiny"
    return Survey(
        responses, instrument=survey.instrument, units=("directorate",), source="made.csv",
        synthetic=True, names={"ZZ1": "Test NHS Trust"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def several() -> ca.Release:
    return ca.build_release(survey_of_years(2022, 2024, 2025), tables=TABLES_OF_A_FEW)


@pytest.fixture(scope="module")
def workbooks() -> Estimates:
    """The bundled synthetic workbooks: twelve organisations, ZZ1 among them, and the country."""
    files = sorted(sample_folder().glob("NSS24*.xlsx"))
    assert len(files) == 2
    return ca.concat([ca.read_published(f) for f in files])


@pytest.fixture(scope="module")
def beside(workbooks: Estimates) -> ca.Release:
    return ca.build_release(
        survey_of_years(2024), tables=TABLES_OF_A_FEW, published=workbooks
    )  # fmt: skip


def with_england(*years: int, published: Estimates | None = None) -> ca.Release:
    survey = survey_of_years(*years)
    return ca.build_release(
        survey, tables=TABLES_OF_A_FEW, published=compared_with(survey, published)
    )


# -- changes in the release -------------------------------------------------------------------


def test_changes_are_differences_of_what_is_shown_and_die_with_it(several: ca.Release) -> None:
    changes = several["changes"].table
    figures = pd.concat([several[t].table for t in ("headline", "stress", "scores")])
    figures = figures.drop_duplicates(list(KEY))
    cell = ["measure", "breakdown", "group"]
    at = figures.set_index([*cell, "year"])[["value", "status"]]
    looked = hidden = 0
    for row in changes[changes["statistic"].eq("difference")].itertuples():
        key = (row.measure, row.breakdown, row.group)
        now = at.loc[(*key, row.year)]
        earlier = (*key, int(row.reference))
        before = at.loc[earlier] if earlier in at.index else None
        if row.status == "ok":
            assert row.value == pytest.approx(now["value"] - before["value"], abs=1e-12)
            looked += 1
        sides = [s["status"] for s in (now, before) if s is not None]
        if "suppressed" in sides:
            assert row.status != "ok", key
            assert all(np.isnan(getattr(row, n)) for n in NUMBERS)
            hidden += row.status == "suppressed"
    assert looked > 100
    assert hidden > 5
    assert set(changes["statistic"]) == {"difference", "official_test", "trend"}


def test_changes_are_audited_with_the_rest_and_stand_once(several: ca.Release) -> None:
    assert ca.audit(several).ok
    assert not several["changes"].table.duplicated(list(KEY)).any()


def test_an_attack_on_a_change_of_a_hidden_figure_is_found(several: ca.Release) -> None:
    """The audit would speak up, were a change shown beside one shown and one hidden figure."""
    found = several["changes"]
    frame = found._frame
    dead = found.table["status"].eq("suppressed") & frame["statistic"].eq("difference")
    assert dead.sum() > 5
    shown = frame.assign(_hide=frame["_hide"] & ~dead, base=frame["base"].mask(dead, 99.0))
    kept = [several[t] for t in ("headline", "stress", "scores")]
    assert not ca.audit([*kept, found._with(shown)]).ok


def test_each_topic_is_a_family_and_sub_scores_are_their_own(several: ca.Release) -> None:
    table = several["changes"].table
    overall = table[table["breakdown"].eq("overall") & table["p_adjusted"].notna()]
    names = {str(f).split(",")[0] for f in overall["family"]}
    assert names == {"headline", "stress", "scores", "sub_scores"}
    promise = {m.id for m in ca.load_instrument().resolve_measures("people_promise")}
    of_scores = set(overall.loc[overall["family"].str.startswith("scores,"), "measure"])
    assert of_scores == promise
    # Holm within the family, as the formula has it.
    part = overall[overall["family"].str.startswith("scores, ZZ1 2025 with 2024")]
    p = np.sort(part["p_value"].to_numpy())
    holm = np.minimum(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), 1)
    np.testing.assert_allclose(np.sort(part["p_adjusted"]), holm, rtol=1e-12)


def test_one_year_has_no_changes_and_says_so() -> None:
    release = ca.build_release(survey_of_years(2024), tables=TABLES_OF_A_FEW)
    assert "changes" not in release.topics
    for block in (ca.show.trends(release), ca.show.changes(release), ca.show.movers(release),
                  ca.show.steady(release), ca.show.unit_changes(release, STRESS)):  # fmt: skip
        assert isinstance(block, Sentence) and block.absent
        assert "one year" in block.text


def test_what_is_shown_of_changes(several: ca.Release) -> None:
    assert isinstance(ca.show.trends(several, "headline", [STRESS]), Picture)
    table = ca.show.changes(several, [STRESS])
    assert isinstance(table, Table)
    ((_, (cells,)),) = table.sections
    figures = several["headline", "overall"].select(measure=STRESS).table.set_index("year")
    gap = figures.loc[2025, "value"] - figures.loc[2024, "value"]
    assert cells[:4] == [
        "Work-related stress", f"{figures.loc[2024, 'value']:.1f}%",
        f"{figures.loc[2025, 'value']:.1f}%", f"{gap:+.1f}",
    ]  # fmt: skip
    units = ca.show.unit_changes(several, STRESS)
    assert isinstance(units, Table)
    tiny = next(r for r in units.sections[0][1] if r[0] == "Tiny")
    assert list(tiny[1:]) == ["[c]", "", "", ""]
    assert isinstance(ca.show.movers(several), Table)
    lines = ca.show.steady(several)
    assert isinstance(lines, Table)
    assert "2022-2025 (3 years)" in repr(lines)


def test_a_saved_release_shows_the_same(several: ca.Release, tmp_path: Path) -> None:
    again = ca.load_release(several.save(tmp_path / "release.zip"))
    pd.testing.assert_frame_equal(again.table, several.table)
    assert repr(ca.show.changes(again)) == repr(ca.show.changes(several))
    assert repr(ca.show.trends(again)) == repr(ca.show.trends(several))


# -- other organisations ----------------------------------------------------------------------


def test_the_benchmark_group_is_in_the_release(beside: ca.Release, workbooks: Estimates) -> None:
    assert {"published", "benchmark", "group", "system"} <= set(beside.topics)
    everyone = workbooks.table
    everyone = everyone[
        everyone["measure"].eq(STRESS) & everyone["breakdown"].eq("overall")
        & everyone["answer"].eq("") & everyone["org"].ne("ENG")
    ].set_index("org")  # fmt: skip
    places = workbooks.organisations.drop_duplicates("org").set_index("org")["benchmark_group"]
    peers = everyone[everyone.index.map(places) == places["ZZ1"]]["value"]
    table = beside["benchmark"].table
    mine = table[table["measure"].eq(STRESS)].drop_duplicates("statistic").set_index("statistic")
    assert mine.loc["rank", "value"] == (peers < peers["ZZ1"]).sum() + 1
    assert mine.loc["benchmark_best", "value"] == peers.min()
    own = beside["headline", "overall"].select(measure=STRESS).table["value"].iloc[0]
    assert mine.loc["local_difference", "value"] == pytest.approx(own - peers["ZZ1"], abs=1e-9)
    assert set(beside["group"].table["org"]) == set(peers.index)
    assert ca.audit(beside).ok


def test_top_and_bottom_are_chosen_among_all_published_questions(
    beside: ca.Release, workbooks: Estimates
) -> None:
    """Not among the questions alone that the release has tables of."""
    everything = ca.top_and_bottom(ca.compare_benchmark(workbooks.select(org="ZZ1"), workbooks))
    weighted = workbooks.select(org="ZZ1", measure=STRESS, answer="").table["weighting"].iloc[0]
    expected = everything.select(weighting=weighted).table.set_index("measure")["value"]
    found = ca.top_and_bottom(beside["benchmark"]).table.set_index("measure")
    assert set(found.index) - set(beside["headline"].table["measure"])
    pd.testing.assert_series_equal(found["value"], expected)
    shown = ca.show.top_and_bottom(beside)
    assert isinstance(shown, Table)
    assert sum(len(rows) for _, rows in shown.sections) == len(expected) == 10


def test_what_is_shown_of_other_organisations(beside: ca.Release) -> None:
    picture = ca.show.position(beside, ["headline"])
    assert isinstance(picture, Picture)
    assert "Work-related stress" in picture.alt and "of 4" in picture.alt
    assert isinstance(ca.show.top_and_bottom(beside), Table)
    assert ", not weighted." in " ".join(t.get_text() for t in picture.figure.texts)
    # All of the synthetic workbooks are unweighted.
    assert "are not weighted either" in repr(ca.show.local_differences(beside))
    assert "single questions, unweighted." in repr(ca.show.top_and_bottom(beside))
    tables = ca.show.system(beside)
    assert isinstance(tables, Several)
    first = next(iter(tables))
    assert isinstance(first, Table)
    assert [h for h in first.heads if "(ICS)" in h] and [h for h in first.heads if "region" in h]
    assert first.heads[-1] == "England"
    said = " ".join(first.notes)
    assert "Weighted by: " in said and "England: " in said
    assert "Not weighted as " not in said  # all of the synthetic workbooks are unweighted
    (too_few,) = ca.show.funnels(beside, STRESS)
    assert isinstance(too_few, Sentence) and "ten organisations" in too_few.text


def test_a_system_on_other_weights_says_so_and_england_is_not_one() -> None:
    whole = "organisation size and occupation group"
    rows = [
        *(published(2024, STRESS, v, 900, org=o) for o, v in (("ZZ1", 40.0), ("ZZ2", 44.0))),
        published(2024, STRESS, 41.0, 9000, org="ENG", weighting=whole),
        published(2024, STRESS, 42.0, 2000, org="ENG", breakdown="ics", group="I",
                  weighting="organisation size"),
    ]  # fmt: skip
    places = pd.DataFrame({"org": ["ZZ1", "ZZ2"], "name": ["One", "Two"],
                           "benchmark_group": "A", "region": None, "ics": "I"})  # fmt: skip
    release = ca.build_release(
        survey_of_years(2024), tables=TABLES_OF_A_FEW,
        published=results(rows, organisations=places),
    )  # fmt: skip
    assert "will differ from your benchmark report" in repr(ca.show.local_differences(release))
    first, neighbours, *lacking = ca.show.system(release)
    assert isinstance(first, Table) and isinstance(neighbours, Table)
    assert first.caption == "Test NHS Trust beside its system, 2024"
    assert list(first.heads) == ["Measure", "One", "I (ICS)", "England"]
    ((_, (cells,)),) = first.sections
    assert list(cells) == ["Work-related stress", "40.0%", "42.0%", "41.0%"]
    assert any(n.startswith("Not weighted as One: I (ICS).") for n in first.notes)
    assert [r[0] for r in neighbours.sections[0][1]] == ["One", "Two"]
    assert any("no region" in str(s) for s in lacking)


def test_without_a_workbook_the_reader_is_told_what_to_give(several: ca.Release) -> None:
    for found in (ca.show.position(several), ca.show.top_and_bottom(several),
                  ca.show.local_differences(several), *ca.show.system(several),
                  *ca.show.funnels(several, STRESS)):  # fmt: skip
        assert isinstance(found, Sentence) and found.absent
        assert "organisational results workbook" in found.text


def test_funnel_of_a_group_of_ten() -> None:
    rng = np.random.default_rng(3)
    orgs = [f"ZZ{k}" for k in range(1, 16)]
    rows = [published(2024, STRESS, 40 + rng.normal(0, 2), 900, org=o) for o in orgs]
    places = pd.DataFrame(
        {"org": orgs, "name": orgs, "benchmark_group": "A", "region": "N", "ics": "I"}
    )
    release = ca.build_release(
        survey_of_years(2024), tables=TABLES_OF_A_FEW,
        published=results(rows, organisations=places),
    )  # fmt: skip
    (picture,) = ca.show.funnels(release, STRESS)
    assert isinstance(picture, Picture)
    assert "15 organisations" in picture.alt


# -- England ----------------------------------------------------------------------------------


def test_england_is_shown_without_another_file() -> None:
    release = with_england(2024)
    held = release["published"].select(measure=STRESS).table
    assert held[["org", "source"]].drop_duplicates().to_numpy().tolist() == [["ENG", "published"]]
    assert held["value"].iloc[0] == pytest.approx(41.63, abs=0.005)
    picture = ca.show.england(release, "headline", [STRESS])
    assert isinstance(picture, Picture)
    assert "41.6%" in picture.alt
    said = " ".join(t.get_text() for t in picture.figure.texts)
    assert "published, 2024" in said
    assert "not strictly comparable" in said


def test_england_of_an_earlier_year_is_dated_and_none_is_from_the_future() -> None:
    later = with_england(2025)
    picture = ca.show.england(later, "headline", [STRESS])
    assert isinstance(picture, Picture)
    assert "2024 41.6%" in picture.alt
    before = with_england(2022, 2023)
    assert "published" not in before.topics
    assert isinstance(ca.show.england(before), Sentence)


def test_england_given_is_not_replaced(workbooks: Estimates) -> None:
    release = with_england(2024, published=workbooks)
    table = release["published"].select(org="ENG", measure=STRESS).table
    assert len(table) == 1
    assert table["value"].iloc[0] != pytest.approx(41.63, abs=0.005)  # the synthetic country
    assert compared_with(workbooks.select(org="ENG")) is None


# -- pulse ------------------------------------------------------------------------------------


def test_pulse_figures_are_never_beside_annual_ones() -> None:
    quarters = results([quarter(k, v) for k, v in enumerate(VALUES)])
    annual = results([published(2024, STRESS, 40.0, 900)])
    places = pd.DataFrame({"org": ["ZZ1"], "name": ["T"], "benchmark_group": ["A"],
                           "region": ["N"], "ics": ["I"]})  # fmt: skip
    both = Estimates(pd.concat([quarters._frame, annual._frame]), rule=RULE, organisations=places)
    release = ca.build_release(survey_of_years(2024), tables=TABLES_OF_A_FEW, published=both)
    assert len(release["pulse"]) == len(VALUES)
    assert set(release["published"].table["source"]) == {"published"}
    (picture,) = ca.show.pulse(release)
    assert isinstance(picture, Picture)
    assert picture.alt.startswith("Control chart: Staff engagement") or "13 points" in picture.alt
    (told,) = ca.show.pulse(ca.build_release(survey_of_years(2024), tables=TABLES_OF_A_FEW))
    assert isinstance(told, Sentence) and told.absent


def test_pulse_workbooks_alone_leave_england_as_shipped() -> None:
    quarters = results([quarter(k, v) for k, v in enumerate(VALUES)])
    release = with_england(2024, published=quarters)
    assert {"pulse", "published"} <= set(release.topics)
    assert set(release["published"].table["org"]) == {"ENG"}


def test_comparisons_want_no_published_results(several: ca.Release) -> None:
    tables = {t: several[t] for t in ("headline", "stress")}
    assert set(comparisons(tables, None, orgs=["ZZ1"], rule=RULE)) == {"changes"}


# -- embargo ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("2026-03-12", "EMBARGOED until 12 March 2026"),
        (" 2026-03-12 09:30 ", "EMBARGOED until 9:30 on 12 March 2026"),
        (datetime.date(2026, 3, 1), "EMBARGOED until 1 March 2026"),
        (datetime.datetime(2026, 3, 1, 0, 5), "EMBARGOED until 0:05 on 1 March 2026"),
    ],
)
def test_words_of_an_embargo(given: str | datetime.date, said: str) -> None:
    assert embargo_text(given) == said


@pytest.mark.parametrize("given", ["12/03/2026", "2026-02-30", "soon", "2026"])
def test_what_is_no_date_is_refused(given: str) -> None:
    with pytest.raises(ReportError, match="embargo='2026-03-12'"):
        embargo_text(given)


def test_everything_that_is_shown_says_an_embargo() -> None:
    silent = {"first_held", "STATUS_WORDS"}  # an id and a table of words
    shown = {name: getattr(ca.show, name) for name in ca.show.__all__ if name not in silent}
    assert [n for n, function in shown.items() if not hasattr(function, "__wrapped__")] == []


def test_lists_and_tables_say_an_embargo(several: ca.Release, sample_release: ca.Release) -> None:
    under, diagnosed = (embargoed(r, "2026-03-12") for r in (several, sample_release))
    said = "EMBARGOED until 12 March 2026"
    units = list(ca.show.board_where(diagnosed))
    assert units and not any(isinstance(block, Sentence) and block.absent for block in units)
    points = says_embargo(lambda _: Points(["One.", "Two."], lead="What we found"))(under)
    assert repr(points).splitlines()[0] == f"What we found ({said})"
    wres = ca.show.wres(diagnosed)  # made by another function that says it too
    for block in (*units, ca.show.board_sure(under), ca.show.changes(under), wres):
        assert repr(block).count(said) == 1, block


def test_a_release_under_embargo_says_so_wherever_it_goes(
    several: ca.Release, tmp_path: Path
) -> None:
    under = embargoed(several, "2026-03-12")
    said = "EMBARGOED until 12 March 2026"
    again = ca.load_release(under.save(tmp_path / "release.zip"))
    for release in (under, again):
        assert said in repr(release)
        assert release.about["embargo"] == said
        assert said in repr(ca.show.about(release))
        blocks = [
            ca.show.headline(release),
            ca.show.trends(release),
            *ca.show.heatmap(release, "headline", "directorate"),
            *ca.show.groups(release, "headline", STRESS, "directorate"),
        ]
        for block in blocks:
            assert isinstance(block, Picture)
            assert said in " ".join(t.get_text() for t in block.figure.texts)
        assert said in repr(release["headline"]) and said in release["headline"]._repr_html_()
        file = release["headline"].to_csv(tmp_path / "headline.csv")
        marks = pd.read_csv(file, encoding="utf-8-sig")["protection"]
        assert marks.str.startswith(f"{said}. ").all()
    pd.testing.assert_frame_equal(under.table, several.table)
    assert ca.audit(under).ok  # the private sums went along
    twice = embargoed(again, "2026-04-01")
    assert said not in repr(twice)
    assert "EMBARGOED until 1 April 2026. Small groups" in twice.banner
    assert all(sum(n.startswith("EMBARGOED") for n in twice[t].notes) == 1 for t in twice.topics)
    assert embargoed(several, None) is several


# Everything that is shown of a release, but for what no picture, table or sentence can come of.
SHOWN: dict[str, tuple[object, ...]] = {
    "about": (), "respondents": (), "quality": (), "hidden": (), "headline": (),
    "years": ("headline",), "figures": (), "sentence": ("headline", STRESS),
    "answers": ("stress",), "groups": ("headline", STRESS, "directorate"),
    "heatmap": ("headline", "directorate"), "group_table": ("headline", STRESS, "directorate"),
    "unit_table": ("headline", [STRESS], "directorate"),
    "standing_apart": ("headline", STRESS, "directorate"), "trends": (), "changes": (),
    "unit_changes": (STRESS,), "movers": (), "steady": (), "england": (), "position": (),
    "top_and_bottom": (), "local_differences": (), "funnels": (STRESS,), "system": (),
    "pulse": (),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_whatever_is_shown_says_the_embargo(name: str, several: ca.Release) -> None:
    shown = getattr(ca.show, name)(embargoed(several, "2026-03-12"), *SHOWN[name])
    said = "EMBARGOED until 12 March 2026"
    for block in shown if isinstance(shown, Several) else [shown]:
        if isinstance(block, Picture):
            assert said in " ".join(t.get_text() for t in block.figure.texts)
        elif isinstance(block, Table):
            assert [n for n in block.notes if said in n] == [f"{said}."]
            assert said in block._repr_html_()
        elif not block.absent and not repr(block).startswith("SYNTHETIC"):
            assert block.text.count(said) == 1
    plain = getattr(ca.show, name)(several, *SHOWN[name])
    assert "EMBARGOED" not in repr(plain)


def test_control_charts_carry_the_embargo() -> None:
    quarters = results([quarter(k, v) for k, v in enumerate(VALUES)])
    release = ca.build_release(survey_of_years(2024), tables=TABLES_OF_A_FEW, published=quarters)
    (picture,) = ca.show.pulse(embargoed(release, "2026-03-12"))
    assert isinstance(picture, Picture)
    assert "EMBARGOED until 12 March 2026" in " ".join(t.get_text() for t in picture.figure.texts)
    assert root_figure(picture.figure.axes[0]) is picture.figure


def test_the_report_prints_the_embargo_on_every_page_and_in_every_row(
    several: ca.Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = tmp_path / "books"
    books.mkdir()
    name = "07_trends_and_benchmarks.ipynb"
    (books / name).write_bytes((notebooks_folder() / name).read_bytes())
    monkeypatch.setattr("culture_analytics.resources.notebooks_folder", lambda: books)
    written = ca.run_report(several, tmp_path / "out", embargo="2026-03-12")
    text = written.read_text(encoding="utf-8")
    page = parse(text)
    said = "EMBARGOED until 12 March 2026"
    assert said in page.all("header", class_="cover")[0].text
    assert said in page.all("div", class_="top")[0].text
    for section in page.all("section", class_="page"):
        assert said in section.all("p", class_="page-banner")[0].text
    assert "EMBARGOED" in text.split("@page { @top-left", 1)[1].split("}")[0]
    rows = pd.read_csv(written.with_name(TABLES), encoding="utf-8-sig", usecols=["embargo"])
    assert set(rows["embargo"]) == {said}
    assert len(rows) == len(several.table)
    # The page holds what the data allow, and says at its end what they do not.
    questions = [h.text for h in page.all("section", class_="page")[0].all("h3")]
    assert questions[0] == "How have the main figures moved?"
    assert questions[-1] == "What these data cannot show"
    lacking = page.all("ul", class_="lacking")[0].text
    assert "Where do we stand in our benchmark group?" in lacking


def test_a_wrong_embargo_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="not a date"):
        ca.run_report(tmp_path / "not there.csv", tmp_path / "out", embargo="March")
    assert not (tmp_path / "out").exists()


def test_a_contractors_table_under_its_organisations_code(tmp_path: Path) -> None:
    rows, _ = positive()
    table = write_csv(rows, tmp_path / "SYNTHETIC table.csv")
    (book,) = sample_folder().glob("NSS24*organisational*.xlsx")
    release = ca.open_release(table, org="ZZ1", published=book)
    assert release.about["org"] == "ZZ1" and release.about["kind"] == "contractor"
    places = release["benchmark"].table
    mine = places[places["measure"].eq("work_related_stress")].set_index("statistic")
    assert mine.loc["rank", "source"] == "published"
    assert mine.loc["local_difference", "source"] == "contractor"
    said = ca.show.local_differences(release)
    assert isinstance(said, Table) and said.heads[1] == "Contractor's table"
    # Without a code it stays what the table says: the organisation, whichever it is.
    assert ca.open_release(table).about["org"] == "OWN"


def test_what_a_series_goes_through_is_said_under_every_table(tmp_path: Path) -> None:
    """One release restates its history, so the years are joined: with a sentence each time."""
    sheets, _ = benchmark(years=4)
    book = write_xlsx(sheets, tmp_path / "SYNTHETIC benchmark.xlsx")
    listed = tmp_path / "mine.csv"
    listed.write_text("old,new,date,source\nZZ90,ZZ3,2024-04-01,made up\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CULTURE_ANALYTICS_SUCCESSORS", str(listed))
        release = ca.open_release(book, org="ZZ3")
        drawn = ca.show.trends(release)
    sentence = "ZZ90 became ZZ3 on 1 April 2024"
    assert isinstance(drawn, Picture) and sentence in drawn.alt
    scores = ca.show.changes(release, ["people_promise"])
    for table in (
        ca.show.changes(release),
        scores,
        ca.show.movers(release),
        ca.show.steady(release),
    ):
        assert isinstance(table, Table)
        assert any(sentence in note for note in table.notes)
    # Published scores: empty columns are explained, and no test is spoken of.
    assert isinstance(scores, Table)
    assert any("is not published" in n for n in scores.notes)
    assert not any("Beyond chance" in n for n in scores.notes)
