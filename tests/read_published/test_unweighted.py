"""The detailed spreadsheets of 2018 to 2020: unweighted, means of organisations."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import PublishedError, PublishedWarning
from culture_analytics.estimates import KEY, Estimates
from culture_analytics.instrument import Instrument
from culture_analytics.read.detect import recognise
from culture_analytics.read.published import read_published
from culture_analytics.read.published.cells import read_source
from culture_analytics.read.published.unweighted import MEANS, parse_unweighted
from tests.read_published.layouts import Sheets, Truth, old_detailed, read_cells, write_xls

SHEET = "abuse_sheet5_mean"
NAMES = {
    "abuse": "ST18 - abuse_sheet5 - religion.xls",
    "health": "ST18 - health_sheet4-religion.xls",
    "job": "ST18 - job1_sheet1 - religion.xls",
}


def real_path(real_data: Path, name: str) -> Path:
    path = real_data / "nss18_official_edited" / NAMES[name]
    if not path.is_file():
        pytest.skip(f"the official 2018 workbook {NAMES[name]} is not held here; see README")
    return path


def one(table: pd.DataFrame, measure: str, answer: str = "", breakdown: str = "overall") -> float:
    rows = table[table["measure"].eq(measure) & table["answer"].eq(answer)
                 & table["breakdown"].eq(breakdown) & table["org"].eq("ENG")]  # fmt: skip
    assert len(rows) == 1
    return float(rows["value"].iloc[0])


class TestReal:
    def test_stress_of_2018(self, real_data: Path) -> None:
        estimates = read_published(real_path(real_data, "health"))
        row = estimates.select(measure="work_related_stress", answer="", breakdown="overall").table
        assert row["value"].iloc[0] == pytest.approx(39.91, abs=0.005)
        assert row["year"].iloc[0] == 2018 and row["weighting"].iloc[0] == MEANS
        assert row["method"].iloc[0] == "mean_of_organisations"
        assert row[["lower", "upper", "level"]].isna().all(axis=None)
        assert estimates.rule.base_under == 11

    def test_harassment_of_2018(self, real_data: Path) -> None:
        table = read_published(real_path(real_data, "abuse")).table
        never = [
            one(table, f"hba_{who}", "Never") for who in ("patients", "managers", "colleagues")
        ]
        np.testing.assert_allclose(never, [71.681, 87.035, 81.414], atol=0.0005)
        at_least_once = one(table, "hba_managers")
        assert at_least_once == pytest.approx(100 - never[1], abs=1e-9)

    @pytest.mark.parametrize("name", list(NAMES))
    def test_every_cell_by_an_independent_reader(
        self, real_data: Path, name: str, instrument: Instrument
    ) -> None:
        """Fixed positions, another parser's defaults, question numbers by eye."""
        path = real_path(real_data, name)
        raw = pd.read_excel(path, sheet_name=1, header=None, engine="calamine").to_numpy(object)
        units = raw[4]
        first = next(k for k, u in enumerate(units) if str(u).strip() in ("%", "n"))
        frame = read_published(path)._frame
        whole = frame["answer"].ne("") | frame["measure"].str.contains("_grounds_")
        frame = frame[whole].set_index(["measure", "answer", "breakdown", "group"])
        groups = {"Christian staff": "Christian", "Other religion": "Any other religion",
                  "I would prefer not to say": "Prefer not to say"}  # fmt: skip
        number, part, cells = "", "", 0
        letters: list[str] = []
        for k in range(first, raw.shape[1]):
            if isinstance(raw[0, k], str):
                number, part = raw[0, k].strip().lower(), ""
            part = raw[2, k] if isinstance(raw[2, k], str) else part
            letter = re.match(r"([a-z])\)", part)
            question = number + (letter[1] if letter else "")
            option = str(raw[3, k]).strip()
            for line in range(5, raw.shape[0]):
                label = next(str(c).strip() for c in raw[line, :first] if str(c).strip() != "nan"
                             and str(c).strip())  # fmt: skip
                plain = groups.get(label, label.removesuffix(" staff"))
                where = (
                    ("overall", "All staff") if label == "ALL TRUSTS"
                    else ("benchmark_group", "Acute Trusts") if label == "ACUTE TRUSTS"
                    else ("religion", plain)
                )  # fmt: skip
                value = float(raw[line, k])
                if units[k] == "n":
                    item = next(q.item for q in instrument.numbers(2018).get(question, ())
                                or instrument.numbers(2018)[f"{question}_1"])  # fmt: skip
                    mine = frame.xs(item, level="measure")["base"]
                    bases = mine.xs(where, level=("breakdown", "group"))
                    assert (bases == value).all()
                elif f"{question}_1" in instrument.numbers(2018):
                    place = letters.index(option) if option in letters else len(letters)
                    letters += [option] if option not in letters else []
                    item = instrument.numbers(2018)[f"{question}_{place + 1}"][0].item
                    assert frame.loc[(item, "", *where), "value"] == pytest.approx(value, abs=1e-9)
                else:
                    item = instrument.numbers(2018)[question][0].item
                    spelt = {"1 - 2": "1-2", "3 - 5": "3-5", "6 - 10": "6-10",
                             "6 - 10 hours": "6-10 hours", "Don't Know": "Don't know"}  # fmt: skip
                    key = (item, spelt.get(option, option), *where)
                    assert frame.loc[key, "value"] == pytest.approx(value, abs=1e-9)
                cells += 1
        assert cells == {"abuse": 726, "health": 350, "job": 1000}[name]

    @pytest.mark.parametrize("name", list(NAMES))
    def test_every_cell_is_accounted_for(self, real_data: Path, name: str) -> None:
        path = real_path(real_data, name)
        report = parse_unweighted(read_source(recognise(path))).report
        sheets = pd.read_excel(path, sheet_name=None, header=None, engine="calamine")
        filled = sum(
            int(pd.notna(c) and bool(str(c).strip()))
            for s in sheets.values()
            for c in s.to_numpy().flat
        )
        assert report.total == filled == sum(report.cells.values())
        assert report.unread == 0 and report.marks_mapped == 0
        assert report.figures_mapped == {"abuse": 726, "health": 350, "job": 1000}[name]

    def test_summary_rows_are_no_percentages_of_people(self, real_data: Path) -> None:
        """The proof of the label: a percentage of people would be a count of the base."""
        table = read_published(real_path(real_data, "abuse")).table
        rows = table[table["answer"].ne("")]
        people = rows["value"] * rows["base"] / 100
        assert ((people - people.round()).abs() < 0.001).mean() < 0.05

    def test_groups_are_of_all_trusts_though_acute_trusts_stand_above(
        self, real_data: Path
    ) -> None:
        table = read_published(real_path(real_data, "abuse")).table
        religion = table[table["breakdown"].eq("religion")]
        assert religion["within"].eq("").all() and religion["group"].nunique() == 9


@pytest.fixture(scope="module")
def made() -> tuple[Sheets, Truth]:
    return old_detailed()


class TestSynthetic:
    @pytest.mark.parametrize("year", [2018, 2019, 2020])
    def test_every_year_reads_back(self, year: int) -> None:
        sheets, truth = old_detailed(year)
        estimates = read_cells(sheets)
        assert estimates.unique("year") == [year]
        check(estimates, truth)

    def test_through_an_xls_file(self, made: tuple[Sheets, Truth], tmp_path: Path) -> None:
        check(read_published(write_xls(made[0], tmp_path / "SYNTHETIC.xls")), made[1])

    def test_rows(self, made: tuple[Sheets, Truth]) -> None:
        estimates = read_cells(made[0])
        table = estimates.table
        assert not table.duplicated(list(KEY)).any()
        labels = table.groupby("org")["weighting"].unique()
        assert list(labels["ENG"]) == [MEANS] and list(labels["ZZ0"]) == ["unweighted"]
        own = table[table["org"].eq("ZZ0") & table["status"].eq("ok")]
        assert own["lower"].notna().all() and set(own["method"]) >= {"base_only"}
        groups = set(table.loc[table["breakdown"].eq("benchmark_group"), "group"])
        assert groups == {"Acute Trusts", "Ambulance Trusts"}
        organisations = estimates.organisations
        assert organisations is not None and list(organisations["org"]) == [
            "ENG", "ZZ0", "ZZ1", "ZZ2"]  # fmt: skip

    def test_two_answers_at_once_are_not_added_up(self, made: tuple[Sheets, Truth]) -> None:
        table = read_cells(made[0]).table
        measure = table[table["measure"].eq("hba_reported") & table["answer"].eq("")]
        assert len(measure) and set(measure["status"]) == {"unavailable"}
        assert measure["value"].isna().all()


def check(estimates: Estimates, truth: Truth) -> None:
    """Every figure made stands in the result, under the keys of its row."""
    frame = estimates._frame
    whole = frame["answer"].ne("") | frame["measure"].str.contains("_grounds_")
    lines = frame.groupby(["measure", "answer"], sort=False).cumcount()
    mine = frame.assign(line=lines)[whole].set_index(["line", "measure", "answer"])
    assert len(mine) == len(truth)
    order = pd.MultiIndex.from_tuples(list(truth))
    values = np.array(list(truth.values()))
    np.testing.assert_allclose(mine.loc[order, "value"], values[:, 0], atol=1e-9)
    np.testing.assert_array_equal(mine.loc[order, "base"], values[:, 1])


Change = Callable[[Sheets], None]


def altered(made: tuple[Sheets, Truth], change: Change) -> Sheets:
    sheets = copy.deepcopy(made[0])
    change(sheets)
    return sheets


def column(sheets: Sheets, number: str, part: str = "") -> int:
    """First column of a question, or of a part of it."""
    rows = sheets[SHEET]
    start = rows[0].index(number)
    return start if not part else rows[2].index(part, start)


def refused(sheets: Sheets) -> str:
    with pytest.raises(PublishedError) as caught:
        read_cells(sheets)
    return str(caught.value)


class TestUnderstood:
    def test_sheet_renamed(self, made: tuple[Sheets, Truth]) -> None:
        sheets = {"Notes": made[0]["Notes"], "Sheet1": made[0][SHEET]}
        check(read_cells(sheets), made[1])

    def test_rows_shifted(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            width = len(sheets[SHEET][0])
            sheets[SHEET].insert(0, [""] * width)
            sheets[SHEET].insert(6, [""] * width)
            sheets[SHEET].insert(9, [""] * width)

        check(read_cells(altered(made, change)), made[1])

    def test_columns_shifted(self, made: tuple[Sheets, Truth]) -> None:
        sheets = altered(made, lambda s: [row.insert(0, "") for row in s[SHEET]] and None)
        check(read_cells(sheets), made[1])

    def test_remarks_on_parts(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][2] = [f"{c} (PROXY)" if c else c for c in sheets[SHEET][2]]

        check(read_cells(altered(made, change)), made[1])

    @pytest.mark.parametrize("mark", ["-", "*", "[c]", "<11", "[z]", "n/a"])
    def test_marks_are_statuses(self, made: tuple[Sheets, Truth], mark: str) -> None:
        def change(sheets: Sheets) -> None:
            start = column(sheets, "Q12")
            for k in range(6):
                sheets[SHEET][8][start + k] = mark

        table = read_cells(altered(made, change)).table
        rows = table[table["measure"].eq("violence_patients") & table["group"].eq("No religion")]
        expected = {"-": "unavailable", "[z]": "not_applicable", "n/a": "not_applicable"}
        assert (
            set(rows["status"]) == {expected.get(mark, "suppressed")} and rows["value"].isna().all()
        )

    def test_limit_where_no_note_says_it(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][3][0] = "Note"

        assert read_cells(altered(made, change)).rule.base_under == 11

    def test_small_base_is_hidden(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][-1][column(sheets, "Q12") + 5] = 10.0

        with pytest.warns(PublishedWarning, match="fewer than 11"):
            table = read_cells(altered(made, change)).table
        rows = table[table["measure"].eq("violence_patients") & table["org"].eq("ZZ2")]
        assert set(rows["status"]) == {"suppressed"} and rows["value"].isna().all()


class TestRefused:
    def test_answer_column_deleted(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            place = column(sheets, "Q13") + 1
            for row in sheets[SHEET]:
                del row[place]

        message = refused(altered(made, change))
        assert "Q13a" in message and "add up to 100" in message

    def test_base_column_deleted(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            place = column(sheets, "Q13") + 5
            for row in sheets[SHEET]:
                del row[place]

        assert "Q13a: its base column is missing" in refused(altered(made, change))

    @pytest.mark.parametrize(("number", "width"), [("Q12", 6), ("Q15", 3)])
    def test_question_deleted(self, made: tuple[Sheets, Truth], number: str, width: int) -> None:
        def change(sheets: Sheets) -> None:
            place = column(sheets, number)
            sheets[SHEET][0][place + width] = number
            for row in sheets[SHEET]:
                del row[place : place + width]

        message = refused(altered(made, change))
        assert f"{number.lower()}a" in message and "missing" in message

    def test_option_respelled(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][3][column(sheets, "Q12") + 1] = "Once"

        message = refused(altered(made, change))
        assert "Q12a" in message and "'% Once'" in message

    def test_ground_respelled(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][3] = ["Faith" if c == "Religion" else c for c in sheets[SHEET][3]]

        assert "'Faith'" in refused(altered(made, change))

    def test_proportions(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            rows = sheets[SHEET]
            for k, unit in enumerate(rows[4]):
                if unit == "%":
                    for row in rows[5:]:
                        row[k] = float(row[k]) / 100  # type: ignore[arg-type]

        assert "proportions (0 to 1) where percentages belong" in refused(altered(made, change))

    def test_unit_row_contradicts(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][4][column(sheets, "Q12") + 5] = "%"

        assert "does not go with unit" in refused(altered(made, change))

    def test_units_lost(self, made: tuple[Sheets, Truth]) -> None:
        message = refused(altered(made, lambda s: s[SHEET].pop(4) and None))
        assert "five rows of headings, the last of units" in message

    def test_numbers_lost(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][0][2:] = [""] * (len(sheets[SHEET][0]) - 2)

        assert "no row of question numbers" in refused(altered(made, change))

    def test_part_heading_lost(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][2][column(sheets, "Q12") + 6] = ""

        assert "2 base columns" in refused(altered(made, change))

    @pytest.mark.parametrize(
        ("label", "words"),
        [("ALL TRUSTS", "row of all trusts"), ("Hindu staff", "'Hindu'")],
    )
    def test_row_lost(self, made: tuple[Sheets, Truth], label: str, words: str) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET] = [row for row in sheets[SHEET] if label not in row[:2]]

        assert words in refused(altered(made, change))

    def test_label_not_known(self, made: tuple[Sheets, Truth]) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][9][1] = "Jedi staff"

        assert "'Jedi staff'" in refused(altered(made, change))

    def test_groups_that_could_be_of_a_type(self, made: tuple[Sheets, Truth]) -> None:
        """As many people in the groups as fit both rows above: nobody can tell whose they are."""

        def change(sheets: Sheets) -> None:
            rows = sheets[SHEET]
            places = [k for k, unit in enumerate(rows[4]) if unit == "n"]
            for k in places:
                rows[7][k] = rows[5][k]  # the ambulance trusts as large as all trusts

        assert "fit several rows above" in refused(altered(made, change))

    def test_figures_on_a_sheet_without_headings(self, made: tuple[Sheets, Truth]) -> None:
        sheets = {**made[0], "Extra": [["A", 1.5]]}
        assert "'Extra'" in refused(sheets)

    def test_year_contradicts(self, made: tuple[Sheets, Truth]) -> None:
        with pytest.raises(PublishedError, match="holds 2018, but year=2019"):
            read_cells(made[0], year=2019)
