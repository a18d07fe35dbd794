"""The same respondents give the same Survey, however a file writes them."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import culture_analytics as ca
from culture_analytics.survey import Survey
from tests.read.build import as_codes, as_labels, draw, questions, words
from tests.read.mutations import Extract, to_csv, to_ods, to_parquet, to_xlsx

ROWS = 40
PLAIN = settings(
    max_examples=7, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
YEARS = (2020, 2022, 2024, 2025)
FORMATS = ("csv", "tsv", "semicolon", "xlsx", "ods", "sav", "parquet")
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16")

forms = st.sampled_from(["codes", "labels"])
written = st.tuples(st.sampled_from(FORMATS), st.sampled_from(ENCODINGS))


def written_frame(year: int, seed: int, form: str) -> pd.DataFrame:
    """A full extract of a year as text, with columns beside the questions."""
    instrument = ca.load_instrument()
    answers = draw(instrument, year, ROWS, seed)
    frame = (as_codes if form == "codes" else as_labels)(answers, instrument, year)
    frame["year"] = str(year)
    frame["Person"] = [f"P{place:02d}" for place in range(ROWS)]
    frame["Directorate"] = [("Caf\u00e9 \u2013 \u201cNorth\u201d", "South, East", "")[p % 3]
                            for p in range(ROWS)]  # fmt: skip
    frame["weight"] = [repr(1 + place / 8) for place in range(ROWS)]
    return frame


def content_of(frame: pd.DataFrame, form: str, encoding: str, path: Path) -> bytes:
    grid = [list(frame.columns), *frame.to_numpy(dtype=object).tolist()]
    if form in {"csv", "tsv", "semicolon"}:
        separator = {"csv": ",", "tsv": "\t", "semicolon": ";"}[form]
        return to_csv(grid, separator=separator, encoding=encoding)
    if form == "xlsx":
        return to_xlsx({"Data": grid})
    if form == "ods":
        return to_ods({"Data": grid})
    if form == "parquet":
        return to_parquet(Extract(0, grid[0], grid[1:], pd.DataFrame()))
    pyreadstat.write_sav(typed(frame), str(path))
    return path.read_bytes()


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """As SPSS holds it: numbers where a column has only numbers."""
    out = frame.copy()
    for name in out:
        number = pd.to_numeric(out[name], errors="coerce")
        if out[name].ne("").any() and number.notna().equals(out[name].ne("")):
            out[name] = number
    return out


def read(frame: pd.DataFrame, form: str, encoding: str, folder: Path) -> Survey:
    path = folder / f"extract.{form}"
    path.write_bytes(content_of(frame, form, encoding, path))
    return ca.read_extract(path, cache=False)


def same(mine: Survey, theirs: Survey) -> None:
    """Equal in every respondent, column, type and finding, rows and columns put in one order."""
    columns = sorted(theirs.responses.columns)
    assert sorted(mine.responses.columns) == columns
    pd.testing.assert_frame_equal(*(
        survey.responses.sort_values("person", ignore_index=True)[columns]
        for survey in (mine, theirs)
    ))  # fmt: skip
    assert mine.years == theirs.years and mine.orgs == theirs.orgs and mine.units == theirs.units
    assert mine.design == theirs.design
    assert mine.quality.set_aside == theirs.quality.set_aside
    counts = ["item", "asked", "answered", "missing", "unknown", "contradictions"]
    pd.testing.assert_frame_equal(*(
        survey.quality.items[counts].sort_values("item", ignore_index=True)
        for survey in (mine, theirs)
    ))  # fmt: skip


@PLAIN
@given(
    year=st.sampled_from(YEARS), seed=st.integers(0, 99), form=forms, order=st.randoms(),
    target=written,
)  # fmt: skip
def test_rows_and_columns_in_any_order(
    tmp_path: Path, year: int, seed: int, form: str, order, target: tuple[str, str]
) -> None:
    frame = written_frame(year, seed, form)
    rows, columns = list(range(ROWS)), list(frame.columns)
    order.shuffle(rows)
    order.shuffle(columns)
    shuffled = frame.iloc[rows][columns].reset_index(drop=True)
    plain = read(frame, "csv", "utf-8", tmp_path)
    same(read(shuffled, *target, tmp_path), plain)


@PLAIN
@given(year=st.sampled_from(YEARS), seed=st.integers(0, 99), target=written)
def test_codes_and_words_say_the_same(
    tmp_path: Path, year: int, seed: int, target: tuple[str, str]
) -> None:
    coded = read(written_frame(year, seed, "codes"), "csv", "utf-8", tmp_path)
    worded = read(written_frame(year, seed, "labels"), *target, tmp_path)
    same(worded, coded)
    truth = draw(ca.load_instrument(), year, ROWS, seed)
    for question in questions(ca.load_instrument(), year):
        assert words(worded.responses[question.item]) == words(truth[question.item])


@PLAIN
@given(
    year=st.sampled_from(YEARS), seed=st.integers(0, 99), chances=st.integers(0, 2**32 - 1)
)  # fmt: skip
def test_codes_and_words_mixed_cell_by_cell(
    tmp_path: Path, year: int, seed: int, chances: int
) -> None:
    coded, worded = (written_frame(year, seed, form) for form in ("codes", "labels"))
    pick = np.random.default_rng(chances).random(coded.shape) < 0.5
    # A tick box of codes and one of words are one spelling each: mixed by whole column.
    pick[:] = np.where([name.count("_") > 0 for name in coded], pick[:1], pick)
    same(
        read(coded.where(pick, worded), "csv", "utf-8", tmp_path),
        read(coded, "csv", "utf-8", tmp_path),
    )


@pytest.mark.parametrize("target", list(itertools.product(["csv", "tsv", "semicolon"], ENCODINGS)))
def test_every_encoding(tmp_path: Path, target: tuple[str, str]) -> None:
    frame = written_frame(2024, 1, "labels")
    same(read(frame, *target, tmp_path), read(frame, "csv", "utf-8", tmp_path))


@pytest.mark.parametrize("form", ["xlsx", "ods", "sav", "parquet"])
@pytest.mark.parametrize("written_as", ["codes", "labels"])
def test_every_format(tmp_path: Path, form: str, written_as: str) -> None:
    frame = written_frame(2024, 2, written_as)
    same(read(frame, form, "", tmp_path), read(frame, "csv", "utf-8", tmp_path))


def test_the_comparison_sees_a_change(tmp_path: Path) -> None:
    frame = written_frame(2024, 3, "codes")
    plain = read(frame, "csv", "utf-8", tmp_path)
    place = frame.index[frame["q11c"] == "1"][0]
    changed = read(frame.assign(q11c=frame["q11c"].mask(frame.index == place, "2")),
                   "csv", "utf-8", tmp_path)  # fmt: skip
    with pytest.raises(AssertionError):
        same(changed, plain)


def test_responses_written_to_parquet_in_memory_have_the_items_categories(tmp_path: Path) -> None:
    survey = read(written_frame(2024, 4, "codes"), "csv", "utf-8", tmp_path)
    stream = io.BytesIO()
    survey.responses.to_parquet(stream)
    path = tmp_path / "kept.parquet"
    path.write_bytes(stream.getvalue())
    same(ca.read_extract(path, cache=False), survey)
