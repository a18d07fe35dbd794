"""Published and calculated results of the same respondents are the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import InstrumentError
from culture_analytics.estimate import calculate, calculate_answers
from culture_analytics.estimates import Estimates, concat
from culture_analytics.instrument import Instrument
from culture_analytics.read.published import read_published
from culture_analytics.simulate.respondents import simulate_survey
from culture_analytics.simulate.workbook import write_synthetic_workbook
from culture_analytics.survey import Survey
from tests.read_published.conftest import read_with_warnings

JOIN = ["org", "measure", "answer", "breakdown", "group", "within", "within_group", "statistic"]
UNPROTECTED = Rule.none(reason="comparing with a synthetic workbook")


def joined(published: Estimates, calculated: pd.DataFrame) -> pd.DataFrame:
    both = published._frame.merge(
        calculated, on=JOIN, suffixes=("", "_calculated"), how="left", indicator=True
    )
    return both


@pytest.fixture(scope="module")
def organisational(synthetic: dict[str, Path]) -> Estimates:
    return read_published(synthetic["organisational"])


class TestRoundTrip:
    """Respondents -> workbook -> read_published equals respondents -> calculate."""

    def test_organisations(self, organisational: Estimates, respondents: Survey) -> None:
        items = sorted(set(organisational.unique("measure")) & set(respondents.items))
        calculated = concat(
            [
                calculate(respondents, sorted(organisational.select(answer="").unique("measure")),
                          rule=UNPROTECTED),
                calculate_answers(respondents, items, rule=UNPROTECTED),
            ]
        ).table  # fmt: skip
        both = joined(organisational, calculated)
        assert (both["_merge"] == "both").all()
        assert (both["status"] == "ok").mean() > 0.99
        shown = both[both["status"].eq("ok")]
        np.testing.assert_allclose(shown["value"], shown["value_calculated"], atol=1e-9)
        assert (shown["label"] == shown["label_calculated"]).all()
        assert (shown["unit"] == shown["unit_calculated"]).all()
        # The estimated base of renormalised measures is the true one, where nothing is weighted.
        np.testing.assert_array_equal(shown["base"], shown["base_calculated"])
        percents = shown[shown["unit"].eq("percent")]
        np.testing.assert_allclose(percents["lower"], percents["lower_calculated"], atol=1e-6)

    def test_england_by_breakdown(self, synthetic: dict[str, Path], respondents: Survey) -> None:
        national = read_published(synthetic["national"])
        # The national file holds trusts only: organisations with a region.
        organisations = read_published(synthetic["organisational"]).organisations
        assert organisations is not None
        trusts = list(organisations.loc[organisations["region"].notna(), "org"])
        assert 0 < len(trusts) < 12
        england = respondents.filter(org=trusts)
        by = [b for b in national.unique("breakdown") if b in respondents.instrument.breakdowns]
        measures = ["work_related_stress", "hba_reported", "burnout", "discrimination_staff"]
        calculated = calculate(england, measures, by=by, rule=UNPROTECTED).table
        calculated = calculated[calculated["org"].eq("all")].assign(org="ENG")
        mine = national.select(measure=measures, answer="", breakdown=["overall", *by])
        both = joined(mine, calculated)
        assert len(both) > 300 and (both["_merge"] == "both").all()
        shown = both[both["status"].eq("ok")]
        np.testing.assert_allclose(shown["value"], shown["value_calculated"], atol=1e-9)
        hidden = both[~both["status"].eq("ok")]
        assert len(hidden) > 0
        assert (hidden["base_calculated"] < 10).all() and hidden["value"].isna().all()

    def test_organisation_types(self, synthetic: dict[str, Path], respondents: Survey) -> None:
        types = read_published(synthetic["organisation type"])
        organisations = read_published(synthetic["organisational"]).organisations
        assert organisations is not None
        acute = "Acute and Acute & Community Trusts"
        members = list(organisations.loc[organisations["benchmark_group"].eq(acute), "org"])
        part = respondents.filter(org=members)
        expected = calculate(part, "hba_patients", by="gender", rule=UNPROTECTED).table
        expected = expected[expected["org"].eq("all")]
        whole = types.select(measure="hba_patients", answer="", breakdown="benchmark_group")
        row = whole.table.set_index("group").loc[acute]
        overall = expected[expected["breakdown"].eq("overall")].iloc[0]
        assert row["value"] == pytest.approx(overall["value"], abs=1e-9)
        assert row["org"] == "ENG" and row["within"] == "" and row["base"] == overall["base"]
        inside = types.select(
            measure="hba_patients", answer="", breakdown="gender",
            within="benchmark_group", within_group=acute,
        ).table.set_index("group")  # fmt: skip
        for group in ("Female", "Male"):
            wanted = expected.set_index("group").loc[group]
            assert inside.loc[group, "value"] == pytest.approx(wanted["value"], abs=1e-9)


class TestYears:
    """Every year's numbering, through the instrument."""

    @pytest.mark.parametrize("year", [2021, 2022, 2023, 2025])
    def test_read_back(self, tmp_path: Path, year: int, instrument: Instrument) -> None:
        (path,) = write_synthetic_workbook(
            tmp_path, year=year, organisations=10, seed=2, kinds=["organisational"]
        )
        published = read_with_warnings(path)
        table = published.estimates.table
        assert set(table["year"]) == {year}
        assert set(table["release"]) == {f"{year} detailed spreadsheets (synthetic)"}
        found = set(table["measure"]) & set(instrument.items)
        assert found == {q.item for q in instrument.questions if q.year == year}
        assert not published.warnings

    @pytest.mark.parametrize("year", [2021, 2022, 2025])
    def test_england_and_types_read_back(
        self, tmp_path: Path, year: int, instrument: Instrument
    ) -> None:
        survey = simulate_survey(3000, year=year, organisations=10, seed=4)
        paths = write_synthetic_workbook(
            tmp_path, survey=survey, kinds=["national", "organisation type"],
            breakdowns=["region", "gender", "ethnicity", "long_term_condition"],
        )  # fmt: skip
        asked = {q.item for q in instrument.questions if q.year == year}
        for path in paths:
            published = read_with_warnings(path)
            table = published.estimates.table
            assert set(table["year"]) == {year} and set(table["org"]) == {"ENG"}
            assert set(table["measure"]) & set(instrument.items) == asked
            assert not published.warnings
        types = read_published(paths[1]).table
        row = types[types["measure"].eq("work_related_stress") & types["answer"].eq("")
                    & types["group"].eq("Ambulance Trusts")]  # fmt: skip
        organisations = [o for k, o in enumerate(sorted(survey.orgs, key=lambda o: (len(o), o)))
                         if k == 3]  # fmt: skip
        expected = calculate(
            survey.filter(org=organisations), "work_related_stress", rule=UNPROTECTED
        ).table
        overall = expected[expected["breakdown"].eq("overall")]
        assert row["value"].iloc[0] == pytest.approx(overall["value"].iloc[0], abs=1e-9)

    def test_year_of_a_2025_number_with_two_meanings(
        self, tmp_path: Path, instrument: Instrument
    ) -> None:
        # Numbers 33 and 35 are other questions on the form than in results files.
        (path,) = write_synthetic_workbook(
            tmp_path, year=2025, organisations=10, seed=2, kinds=["organisational"]
        )
        assert [q.variant for q in instrument.numbers(2025)["q33"]] == ["form", "extract"]
        table = read_published(path).table
        answers = set(table.loc[table["measure"].eq("home_working"), "answer"]) - {""}
        assert answers == {"Never", "Rarely", "Sometimes", "Often", "Always"}
        assert "socio_economic_1" in set(table["measure"])


class TestWriter:
    def test_says_synthetic_on_every_sheet(self, synthetic: dict[str, Path]) -> None:
        for path in synthetic.values():
            book = openpyxl.load_workbook(path, read_only=True)
            for sheet in book.worksheets:
                top = [str(c) for row in sheet.iter_rows(max_row=4, values_only=True) for c in row]
                assert any("SYNTHETIC" in text for text in top), sheet.title
            assert "SYNTHETIC" in path.name

    def test_codes_cannot_exist(self, synthetic: dict[str, Path]) -> None:
        organisations = read_published(synthetic["organisational"]).organisations
        assert organisations is not None
        assert organisations["org"].str.startswith("ZZ").all()

    def test_same_seed_same_content(self, tmp_path: Path) -> None:
        options = {"organisations": 10, "seed": 5, "kinds": ["organisational"], "digits": 4}
        (first,) = write_synthetic_workbook(tmp_path / "a", **options)
        (second,) = write_synthetic_workbook(tmp_path / "b", **options)
        assert first.read_bytes() == second.read_bytes()
        read_published(first)  # rounded figures still add up

    def test_nothing_on_fewer_than_ten(self, synthetic: dict[str, Path]) -> None:
        frame = read_published(synthetic["national"])._frame
        shown = frame["value"].notna() & frame["answer"].ne("")
        assert frame.loc[shown, "base"].min() >= 10
        assert (frame["status"] == "unavailable").any()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"organisations": 4}, "at least 10"),
            ({"kinds": ["regional"]}, "'regional'"),
            ({"digits": 2}, "digits"),
        ],
    )
    def test_refusals(self, tmp_path: Path, options: dict[str, object], message: str) -> None:
        with pytest.raises(InstrumentError, match=message):
            write_synthetic_workbook(tmp_path, **options)

    def test_real_respondents_are_refused(self, tmp_path: Path, survey_of: object) -> None:
        orgs = tuple(f"ZZ{k}" for k in range(10))
        survey = survey_of(200, orgs=orgs)  # type: ignore[operator]
        assert not survey.synthetic
        with pytest.raises(InstrumentError, match="synthetic"):
            write_synthetic_workbook(tmp_path, survey=survey)
