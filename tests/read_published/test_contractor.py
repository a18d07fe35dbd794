"""Contractors' long tables: shares, scores and answers; dates where "1-2" stood."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import PublishedError, PublishedWarning
from culture_analytics.estimates import KEY, Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.read.published import read_published
from tests.read_published.layouts import (
    Truth,
    options,
    positive,
    themes,
    write_csv,
    write_xlsx,
)

Rows = list[list[object]]


def read(rows: Rows, folder: Path, **how: str) -> Estimates:
    with pytest.warns(PublishedWarning, match="National Breakdown 2"):
        return read_published(write_csv(rows, folder / "SYNTHETIC table.csv", **how))


def refused(rows: Rows, folder: Path) -> str:
    with pytest.raises(PublishedError) as caught:
        read_published(write_csv(rows, folder / "SYNTHETIC table.csv"))
    return str(caught.value)


def check(estimates: Estimates, truth: Truth, keys: list[str]) -> None:
    frame = estimates._frame
    whole = frame[frame["answer"].ne("")] if "answer" in keys else frame
    mine = whole.set_index(keys)
    assert len(mine) == len(truth) and mine.index.is_unique
    order = pd.MultiIndex.from_tuples(list(truth), names=keys)
    values = np.array(list(truth.values()))
    np.testing.assert_allclose(mine.loc[order, "value"], values[:, 0], atol=1e-9)
    np.testing.assert_array_equal(mine.loc[order, "base"], values[:, 1])


MEASURE = ["org", "measure", "breakdown", "group"]
ANSWER = ["org", "measure", "answer", "breakdown", "group"]
Change = Callable[[Rows], None]


def altered(rows: Rows, change: Change) -> Rows:
    rows = copy.deepcopy(rows)
    change(rows)
    return rows


class TestPositive:
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
    def test_every_figure(self, tmp_path: Path, encoding: str) -> None:
        rows, truth = positive()
        estimates = read(rows, tmp_path, encoding=encoding)
        check(estimates, truth, MEASURE)
        table = estimates.table
        assert not table.duplicated(list(KEY)).any()
        assert set(table["source"]) == {"contractor"} and set(table["weighting"]) == {"unweighted"}
        assert estimates.rule.base_under == 11

    @pytest.mark.parametrize("year", [2021, 2022, 2025])
    def test_other_years(self, tmp_path: Path, year: int) -> None:
        rows, truth = positive(year)
        check(read(rows, tmp_path), truth, MEASURE)

    def test_as_a_workbook(self, tmp_path: Path) -> None:
        rows, truth = positive()
        path = write_xlsx({"Export": rows}, tmp_path / "SYNTHETIC.xlsx")
        with pytest.warns(PublishedWarning, match="own breakdowns"):
            check(read_published(path), truth, MEASURE)

    def test_every_cell_is_accounted_for(self, tmp_path: Path) -> None:
        rows, _ = positive()
        estimates = read(rows, tmp_path)
        cells = len(rows) * len(rows[0])
        assert any(f"{cells:,} cells accounted for" in note for note in estimates.notes)

    def test_blank_score_is_suppressed(self, tmp_path: Path) -> None:
        def change(rows: Rows) -> None:
            rows[3][-1] = ""
            rows[4][-1] = "*"
            rows[5][-1] = "-"

        table = read(altered(positive()[0], change), tmp_path).table
        assert list(table["status"][2:5]) == ["suppressed", "suppressed", "unavailable"]
        assert table["value"][2:5].isna().all()
        # Nor does the reported figure, 100 less it, say what is hidden.
        hidden = table[table["status"].ne("ok")]
        assert sorted(hidden["measure"].value_counts()) == [3, 3] and len(hidden) == 6
        assert hidden[["value", "lower", "upper"]].isna().all(axis=None)

    def test_what_lies_between_positive_and_reported_is_not_guessed(self, tmp_path: Path) -> None:
        def change(rows: Rows) -> None:
            number = load_instrument().number("burnout_burnt_out", 2024)
            rows.append([2024, number, "SYNTHETIC", "Organisation", "Organisation", 90, 0.5])

        table = read(altered(positive()[0], change), tmp_path).table
        found = table[table["measure"].str.startswith("burnout")]["measure"]
        assert list(found) == ["burnout_burnt_out_positive"]

    def test_unknown_question_is_left_out_by_name(self, tmp_path: Path) -> None:
        def change(rows: Rows) -> None:
            rows.append([2024, "99z", "Local question", "Organisation", "Organisation", 100, 0.5])

        with pytest.warns(PublishedWarning) as given:
            estimates = read_published(
                write_csv(altered(positive()[0], change), tmp_path / "SYNTHETIC.csv")
            )
        assert any("99z (2024)" in str(w.message) for w in given)
        assert len(estimates) == len(positive()[1])

    def test_question_without_a_positive_share_is_left_out_by_name(self, tmp_path: Path) -> None:
        def change(rows: Rows) -> None:
            rows.append(
                [2024, "16c_1", "SYNTHETIC ground", "Organisation", "Organisation", 90, 0.5]
            )

        with pytest.warns(PublishedWarning) as given:
            estimates = read_published(
                write_csv(altered(positive()[0], change), tmp_path / "SYNTHETIC.csv")
            )
        assert any("'16c_1'" in str(w.message) and "not read" in str(w.message) for w in given)
        assert len(estimates) == len(positive()[1])
        assert any("1 not read" in note for note in estimates.notes)

    @pytest.mark.filterwarnings("ignore:.*own breakdowns")
    def test_unknown_group_is_kept_as_written(self, tmp_path: Path) -> None:
        def change(rows: Rows) -> None:
            for row in rows:
                row[4] = "Women" if row[4] == "Female" else row[4]

        with pytest.warns(PublishedWarning, match="group.*of 'Gender' not known"):
            path = write_csv(altered(positive()[0], change), tmp_path / "SYNTHETIC.csv")
            assert "Women" in read_published(path).unique("group")


class TestThemes:
    def test_by_code_and_by_name(self, tmp_path: Path) -> None:
        rows, truth = themes()
        estimates = read(rows, tmp_path)
        check(estimates, truth, MEASURE)
        table = estimates.table
        assert set(table["unit"]) == {"score"} and table["lower"].isna().all()


class TestOptions:
    @pytest.mark.parametrize("dates", ["", "text", "month first", "iso"])
    def test_every_figure(self, tmp_path: Path, dates: str) -> None:
        rows, truth = options(dates=dates)
        estimates = read(rows, tmp_path)
        check(estimates, truth, ANSWER)
        told = any("had made dates" in note for note in estimates.notes)
        assert told == bool(dates)

    def test_measures_are_added_up(self, tmp_path: Path) -> None:
        rows, truth = options()
        table = read(rows, tmp_path).table
        overall = table[table["org"].eq("OWN") & table["breakdown"].eq("overall")]
        figures = overall[overall["answer"].eq("")].set_index("measure")["value"]
        never = truth["OWN", "hba_managers", "Never", "overall", "All staff"][0]
        assert figures["hba_managers"] == pytest.approx(100 - never, abs=1e-9)
        yes = truth["OWN", "work_related_stress", "Yes", "overall", "All staff"][0]
        assert figures["work_related_stress"] == pytest.approx(yes, abs=1e-9)

    @pytest.mark.parametrize("missing", ["beside", "within"])
    def test_those_who_did_not_answer(self, tmp_path: Path, missing: str) -> None:
        rows, truth = options(missing=missing)
        estimates = read(rows, tmp_path)
        check(estimates, truth, ANSWER)
        methods = set(estimates.table["method"])
        assert ("base_only, base estimated" in methods) or missing == "beside"

    def test_an_answer_nobody_gave_may_have_no_row(self, tmp_path: Path) -> None:
        rows, _ = options()
        own = [r for r in rows[1:] if r[1] == rows[1][1] and r[5:7] == ["Gender", "Female"]]
        zero, other = own[-1], own[0]
        other[-1] = float(other[-1]) + float(zero[-1])  # type: ignore[arg-type]
        rows.remove(zero)
        table = read(rows, tmp_path).table
        row = table[table["measure"].eq("hba_managers") & table["group"].eq("Female")
                    & table["answer"].eq("More than 10")]  # fmt: skip
        assert list(row["value"]) == [0] and list(row["status"]) == ["ok"]

    def test_suppressed_answers(self, tmp_path: Path) -> None:
        rows, _ = options()
        for row in rows[1:6]:
            row[-1] = ""
        table = read(rows, tmp_path).table
        own = table[table["measure"].eq("hba_managers") & table["org"].eq("OWN")
                    & table["breakdown"].eq("overall")]  # fmt: skip
        assert set(own["status"]) == {"suppressed"} and own["value"].isna().all()

    def test_rounded_shares(self, tmp_path: Path) -> None:
        rows, truth = options()
        for row in rows[1:]:
            row[-1] = round(float(row[-1]), 3)  # type: ignore[arg-type]
        table = read(rows, tmp_path).table
        mine = table[table["answer"].ne("")].set_index(ANSWER)["value"]
        assert all(abs(mine[key] - value) <= 0.05 + 1e-9 for key, (value, _) in truth.items())


class TestRefused:
    @pytest.mark.parametrize("make", [positive, options])
    def test_percentages(self, tmp_path: Path, make: Callable[[], tuple[Rows, Truth]]) -> None:
        rows, _ = make()
        for row in rows[1:]:
            row[-1] = 100 * float(row[-1])  # type: ignore[arg-type]
        assert "percentages (0 to 100) where shares (0 to 1)" in refused(rows, tmp_path)

    def test_scores_as_shares(self, tmp_path: Path) -> None:
        rows, _ = themes()
        for row in rows[1:]:
            row[-1] = float(row[-1]) / 10  # type: ignore[arg-type]
        assert "all scores lie between 0 and 1" in refused(rows, tmp_path)

    @pytest.mark.parametrize("column", ["BaseSize", "Year"])
    def test_column_deleted(self, tmp_path: Path, column: str) -> None:
        rows, _ = positive()
        place = rows[0].index(column)
        rows = [[c for k, c in enumerate(row) if k != place] for row in rows]
        assert f"column(s) are missing: '{column}'" in refused(rows, tmp_path)

    def test_option_text_deleted(self, tmp_path: Path) -> None:
        rows, _ = options()
        rows = [[c for k, c in enumerate(row) if k != 4] for row in rows]
        assert "'OptionText'" in refused(rows, tmp_path)

    def test_option_respelled(self, tmp_path: Path) -> None:
        rows, _ = options()
        for row in rows:
            row[4] = "Hardly ever" if row[4] == "Never" else row[4]
        assert "'Hardly ever'" in refused(rows, tmp_path)

    def test_code_and_text_contradict(self, tmp_path: Path) -> None:
        rows, _ = options()
        for row in rows[1:]:
            if row[1] == rows[1][1]:
                row[3] = {1: 2, 2: 1}.get(int(str(row[3])), row[3])
        assert "not among those of hba_managers" in refused(rows, tmp_path)

    def test_answers_that_do_not_add_up(self, tmp_path: Path) -> None:
        rows, _ = options()
        rows[1][-1] = float(rows[1][-1]) + 0.05  # type: ignore[arg-type]
        assert "do not add up to 100 in 1 of 5 row(s)" in refused(rows, tmp_path)

    def test_row_twice(self, tmp_path: Path) -> None:
        for make, words in ((positive, "1 row(s) name what"), (options, "stand twice")):
            rows, _ = make()
            assert words in refused([*rows, rows[1]], tmp_path)

    @pytest.mark.parametrize(
        ("place", "value", "words"),
        [(-1, "about half", "neither a number"), (-2, 12.5, "no whole number"),
         (-2, "", "without a base"), (0, "last year", "year is not a year"),
         (-1, -0.2, "outside 0 to 1")],
    )  # fmt: skip
    def test_impossible_cell(self, tmp_path: Path, place: int, value: object, words: str) -> None:
        rows, _ = positive()
        rows[2][place] = value
        message = refused(rows, tmp_path)
        assert words in message and "about half" not in message

    def test_year_contradicts(self, tmp_path: Path) -> None:
        path = write_csv(positive()[0], tmp_path / "SYNTHETIC.csv")
        with pytest.raises(PublishedError, match="holds 2024, but year=2023"):
            read_published(path, year=2023)


class TestNumbering:
    """Tables of several years: each under its own numbers, or all under the latest ones."""

    @staticmethod
    def rows(*lines: tuple[int, str, str]) -> Rows:
        head = positive()[0][0]
        return [head, *([year, number, text, "National Breakdown 2", "Surgery", 90, 0.25]
                        for year, number, text in lines)]  # fmt: skip

    def test_each_year_its_own(self, tmp_path: Path) -> None:
        rows = self.rows((2022, "24a", "SYNTHETIC leaving"), (2024, "24a", "SYNTHETIC learning"))
        table = read(rows, tmp_path).table.set_index("year")["measure"]
        assert table[2022].startswith("think_about_leaving")
        assert not table[2024].startswith("think_about_leaving")

    def test_all_under_the_latest(self, tmp_path: Path) -> None:
        rows = self.rows((2022, "26a", "SYNTHETIC leaving"), (2024, "26a", "SYNTHETIC leaving"))
        estimates = read(rows, tmp_path)
        assert {m.removesuffix("_positive") for m in estimates.unique("measure")} == {
            "think_about_leaving"
        }
        assert any("under the question numbers of 2024" in note for note in estimates.notes)

    def test_cannot_be_told(self, tmp_path: Path) -> None:
        rows = self.rows((2022, "24a", ""), (2024, "24a", ""))
        assert "do not say whether each year has its own" in refused(rows, tmp_path)
