"""What notebooks 04 and 05 show, read as an EDI lead would read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics import show
from culture_analytics.output import show_standards
from culture_analytics.output.blocks import Picture, Sentence, Several, Table
from culture_analytics.output.standard_files import write_standard
from culture_analytics.resources import notebooks_folder, sample_folder
from culture_analytics.standards import equality_standard

OTHERS, WHITE = "All other ethnic groups combined", "White"
# What would be unexplained, a claim of cause, or a word the field has left.
UNWANTED = re.compile(
    r"p-value|statistically|significan|\bVPC\b|\bPCV\b|MAIHDA|log-odds|Wilson|Holm\b|\bBAME\b|"
    r"ethnic minorit|\bdue to\b|caused by|leads to|result of|adverse|suffer|\bnan\b|"
    r"\bNone\b(?! (differs|clearly|of))",
)


def blocks(found: Any) -> list[Any]:
    return list(found) if isinstance(found, Several) else [found]


def everything(release: ca.Release) -> Iterator[tuple[str, Any]]:
    for name in ("wres", "wdes", "edi", "medical", "leaders"):
        for block in blocks(getattr(show, name)(release)):
            yield name, block
    for name in ("wres", "wdes"):
        for made in (show.gap_chart, show.ratio_chart, show.adjusted, show.gap_years,
                     show.reconcile):  # fmt: skip
            for block in blocks(made(release, name)):
                yield made.__name__, block
    for made in (show.detailed, show.elsewhere, show.coverage, show.not_said, show.clear_gaps):
        for block in blocks(made(release)):
            yield made.__name__, block
    for block in (
        show.gaps(release, "ethnicity"), show.gaps(release, "age", ["work_related_stress"]),
        *show.intersections(release, "discrimination_staff"),
        *show.grounds_by_group(release, "ethnicity", "gender"),
        show.ladder(release, "bullying"), show.ladder(release, "violence", "gender"),
    ):  # fmt: skip
        yield "inclusion", block


@pytest.fixture(scope="module")
def shown(sample_release: ca.Release) -> list[tuple[str, Any]]:
    return list(everything(sample_release))


@pytest.fixture(scope="module")
def beside() -> ca.Release:
    """The sample's WRES beside the synthetic workbook of organisations."""
    (book,) = sample_folder().glob("NSS24*organisational*.xlsx")
    table = {"topic": "standards", "by": ["ethnicity", "ethnicity_detailed"],
             "measures": ["hba_patients", "hba_staff", "fair_career_progression",
                          "discrimination_staff"]}  # fmt: skip
    official = ca.read_published(book)
    return ca.build_release(ca.load_sample(2024), tables={"tables": [table]}, published=official)


@pytest.fixture(scope="module")
def of_one_workbook() -> ca.Release:
    (book,) = sample_folder().glob("NSS24*organisational*.xlsx")
    return ca.open_release(book, org="ZZ1")


def words(block: Any) -> str:
    if isinstance(block, Picture):
        return block.alt
    return repr(block) if isinstance(block, Table) else block.text


def test_no_unexplained_term_and_no_cause(shown: list[tuple[str, Any]]) -> None:
    assert len(shown) > 25
    for name, block in shown:
        found = UNWANTED.search(words(block))
        assert not found, (name, words(block)[max(found.start() - 60, 0) : found.end() + 60])


def test_notebooks_claim_no_cause() -> None:
    import nbformat

    for file in sorted(notebooks_folder().glob("0[45]_*.ipynb")):
        for cell in nbformat.read(file, as_version=4).cells:
            if cell.cell_type == "markdown":
                assert not UNWANTED.search(cell.source), (file.stem, cell.source)


def test_all_is_shown_of_an_extract(shown: list[tuple[str, Any]]) -> None:
    absent = {name for name, block in shown if isinstance(block, Sentence) and block.absent}
    assert absent == {"gap_years", "reconcile"}  # of one year, without a workbook
    pictures = [block for _, block in shown if isinstance(block, Picture)]
    assert len(pictures) >= 10
    assert all(len(p.alt) > 60 and "SYNTHETIC" in p.alt for p in pictures)


def test_wres_table_says_what_the_standard_says(sample_release: ca.Release) -> None:
    table = show.wres(sample_release)
    assert isinstance(table, Table)
    direct = equality_standard("wres", ca.load_sample(2024)).table
    rows = table.sections[0][1]
    assert [r[0].split(":")[0] for r in rows] == direct["indicator"].tolist()
    for row, (_, want) in zip(rows, direct.iterrows(), strict=True):
        assert row[1] == f"{want['compared_value']:.1f}%\n{want['compared_base']:,.0f}"
        assert row[2] == f"{want['reference_value']:.1f}%\n{want['reference_base']:,.0f}"
        assert row[4].startswith(f"{want['gap']:+.1f}\n")
        assert row[5].startswith(f"{want['ratio']:.2f}\n")
        clear = want["verdict"] == "a clear gap"
        assert row[6].startswith("A clear gap") == clear
        whom = "first" if want["worse_for"] == OTHERS else "second"
        assert (f"worse for the {whom} group" in row[6]) == clear
    assert table.heads[-1].startswith("England")
    notes = " ".join(table.notes)
    assert "made for how likely events are" in notes and "4 comparisons" in notes


def test_one_row_of_a_standard_is_called_by_its_name(shown: list[tuple[str, Any]]) -> None:
    heads = {b.heads[0] for name, b in shown if name in ("wres", "wdes") and isinstance(b, Table)}
    assert heads == {"Indicator", "Metric"}


def test_clear_gaps_stand_with_both_figures_and_their_answers(
    sample_release: ca.Release, shown: list[tuple[str, Any]]
) -> None:
    (table,) = [b for name, b in shown if name == "clear_gaps"]
    assert isinstance(table, Table)
    held = sample_release["stress"].table
    held = held[held["measure"].eq("work_related_stress") & held["status"].eq("ok")]
    figures = {
        f"{r.group}\n{r.value:.1f}% of {r.base:,.0f}" for r in held.itertuples()
    }  # fmt: skip
    rows = next(rows for title, rows in table.sections if title == "Work-related stress")
    for row in rows:
        assert row[0] in figures and row[2] in figures, row


def test_medical_staff_are_not_called_all_staff(shown: list[tuple[str, Any]]) -> None:
    heads = {name: b.heads[3] for name, b in shown if name in ("wres", "medical")}
    assert heads == {"wres": "All staff", "medical": "All: Medical and dental"}


def test_few_people_are_never_judged(shown: list[tuple[str, Any]]) -> None:
    few = 0
    for name, block in shown:
        if name in ("medical", "leaders") and isinstance(block, Table):
            for row in (r for _, rows in block.sections for r in rows):
                if row[6] == "Too few to judge":
                    few += 1
                    outside = [n for n in block.notes if n.startswith("Ratio outside")]
                    own = row[0].split(":")[0]
                    listed = [i for n in outside for i in n.rstrip(".").split(": ")[1].split("; ")]
                    assert own not in listed
    assert few >= 2


def test_groups_hidden_in_the_release_are_hidden_here(sample_release: ca.Release) -> None:
    table = show.detailed(sample_release)
    assert isinstance(table, Table)
    held = sample_release["standards"].table
    held = held[held["breakdown"].eq("ethnicity_detailed") & held["measure"].eq("hba_patients")]
    hidden = set(held.loc[held["status"].eq("suppressed"), "group"])
    (rows,) = [rows for title, rows in table.sections if title == "Ethnicity (detailed)"]
    assert hidden and {r[0] for r in rows if r[1] == "[c]"} == hidden


def test_official_figures_stand_beside(beside: ca.Release) -> None:
    table = show.reconcile(beside, "wres")
    assert isinstance(table, Table)
    rows = table.sections[0][1]
    everyone = next(r for r in rows if r[0].startswith("5:") and r[1] == "All staff")
    assert everyone[2] == everyone[3] and everyone[5] == "Rounding"


def test_gaps_over_the_years() -> None:
    survey = ca.load_sample()
    tables = {"tables": [{"topic": "standards", "by": ["ethnicity"],
                          "measures": ["hba_patients", "discrimination_staff"]}]}  # fmt: skip
    release = ca.build_release(survey, tables=tables)
    table = show.gap_years(release, "wres")
    assert isinstance(table, Table)
    assert list(table.heads[1:]) == ["2023", "2024", "2025"]
    for year in (2023, 2025):
        want = equality_standard("wres", survey, year=year).table.iloc[0]["gap"]
        row = table.sections[0][1][0]
        assert row[1 + year - 2023].startswith(f"{want:+.1f}\n")


def test_a_workbook_of_one_organisation_says_what_it_lacks(of_one_workbook: ca.Release) -> None:
    lacking = {n: b for n, b in everything(of_one_workbook)
               if isinstance(b, Sentence) and b.absent}  # fmt: skip
    assert {"wres", "wdes", "edi", "medical", "adjusted", "clear_gaps"} <= set(lacking)
    assert "not divided by ethnicity" in lacking["wres"].text
    assert isinstance(show.coverage(of_one_workbook), Table)


def test_a_contractors_table_says_what_it_lacks(tmp_path: Path) -> None:
    from tests.read_published.layouts import positive, write_csv

    release = ca.open_release(write_csv(positive()[0], tmp_path / "SYNTHETIC t.csv"), org="OWN")
    assert "internal use" in release.banner
    seen = [block for _, block in everything(release)]
    assert sum(isinstance(b, Sentence) and b.absent for b in seen) > 8
    wdes = show.wdes(release)
    assert isinstance(wdes, Table)
    assert any(row[6].startswith("Not compared") for row in wdes.sections[0][1])


def test_england_is_not_set_beside_itself() -> None:
    (book,) = sample_folder().glob("NSS24*national*.xlsx")
    release = ca.open_release(book)
    table = show.wres(release)
    assert isinstance(table, Table)
    assert not any("England:" in head for head in table.heads)
    six = next(r for r in table.sections[0][1] if r[0].startswith("6:"))
    assert six[1] == "[u]"
    assert any("cannot be added" in n for n in table.notes)
    assert show.adjusted(release, "wres").blocks[0].absent  # type: ignore[union-attr]


def test_rarity_in_words() -> None:
    said = [show_standards.rarity(p) for p in (0.0004, 0.004, 0.04, 0.4, np.nan)]
    assert said == ["under 1 in 1,000", "under 1 in 100", "under 1 in 20", "not rare", ""]


def test_files_of_a_standard(beside: ca.Release, tmp_path: Path) -> None:
    files = write_standard(beside, "wres", tmp_path / "out")
    assert [f.name for f in files] == ["wres.xlsx", "wres.csv", "wres_groups.csv"]
    sheets = pd.read_excel(files[0], sheet_name=None, header=3, engine="calamine")
    assert list(sheets) == [
        "Indicators", "Groups", "Job mix", "Official and here", "Not from the survey", "Notes",
    ]  # fmt: skip
    want = equality_standard("wres", ca.load_sample(2024)).table
    np.testing.assert_allclose(sheets["Indicators"]["Gap (points)"], want["gap"])
    groups = pd.read_csv(files[2], encoding="utf-8-sig")
    hidden = groups["status"].eq("suppressed")
    assert hidden.sum() > 3
    assert groups.loc[hidden, ["value", "lower", "base", "gap", "p_adjusted"]].isna().all(axis=None)
    assert set(groups["synthetic"]) == {"SYNTHETIC DATA"}
    again = write_standard(beside, "wres", tmp_path / "again")
    assert [f.read_bytes() for f in files] == [f.read_bytes() for f in again]


def test_a_standard_that_is_not_there_is_not_written(
    of_one_workbook: ca.Release, tmp_path: Path
) -> None:
    with pytest.raises(ca.errors.ReportError, match="not divided by ethnicity"):
        write_standard(of_one_workbook, "wres", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# -- small and rounded extracts -------------------------------------------------------------------


def small_release(survey: ca.Survey, rule: str = "default") -> ca.Release:
    table = {"topic": "standards",
             "measures": ["hba_managers", "hba_staff", "fair_career_progression"],
             "by": ["ethnicity", "ethnicity_broad", "long_term_condition"]}  # fmt: skip
    return ca.build_release(survey, tables={"tables": [table]}, rule=rule)


def test_the_improvement_plan_where_no_group_compared_can_be_shown() -> None:
    everyone = ca.load_sample(2024)
    conditions = everyone.responses["long_term_condition"].astype("str")
    keep = np.zeros(everyone.n, dtype=bool)
    for answer, many in (("No", 60), ("Yes", 5)):
        keep[np.flatnonzero(conditions.eq(answer))[:many]] = True
    release = small_release(everyone.filter(mask=pd.Series(keep)))
    figures = release["standards"].table
    with_one = figures["group"].eq("With a long-term condition or illness")
    assert figures.loc[with_one, "value"].isna().all() and with_one.any()
    made = [b for b in blocks(show.edi(release)) if isinstance(b, Table)]
    cells = [row[1] for b in made for _, rows in b.sections for row in rows]
    assert made and "[c]" in cells


def test_a_rounded_release_says_why_groups_are_not_compared() -> None:
    release = small_release(ca.load_sample(2024), "rounded")
    table, beneath = show.wres(release), show.detailed(release)
    assert isinstance(table, Table) and isinstance(beneath, Table)
    said = {row[6] for _, rows in table.sections for row in rows if "%" in row[1]}
    assert said == {"Not compared: figures are rounded to protect people"}
    assert not any(note.startswith("[u]") for note in table.notes)  # no cell has the symbol
    assert any("rounded" in note for note in beneath.notes)
    assert not any("[g]" in note for note in beneath.notes)
