"""Figures of a contractor's table: positive shares, scores, and whole distributions of answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument, Question
from culture_analytics.read.headers import fold
from culture_analytics.read.published.assemble import ESTIMATED, assemble
from culture_analytics.read.published.checks import check_blocks
from culture_analytics.read.published.contractor_rows import Meaning
from culture_analytics.read.published.definitions import load_definitions
from culture_analytics.read.published.figures import Figures, figure_rows
from culture_analytics.read.published.grid import STATUSES, quoted
from culture_analytics.read.published.questions import Block, match_answer
from culture_analytics.read.published.rows import Rows
from culture_analytics.read.values import excel_pair

__all__ = ["Work", "answer_rows", "bad_numbers", "read_numbers", "score_rows"]

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
OK, SUPPRESSED = STATUSES.index("ok"), STATUSES.index("suppressed")
UNAVAILABLE = STATUSES.index("unavailable")
MISSING = "(missing)"


@dataclass(frozen=True, eq=False)
class Work:
    """Rows of the table, an array a column."""

    name: str
    instrument: Instrument
    years: NDArray[np.int64]
    meanings: Sequence[Meaning | None]
    places: pd.DataFrame
    values: Floats
    status: NDArray[np.int8]
    bases: Floats
    known: NDArray[np.bool_]


def read_numbers(texts: Texts) -> tuple[Floats, NDArray[np.int64]]:
    """Figures and statuses of a column; -1 where a text is neither. A blank is suppressed."""
    marks = load_definitions().marks
    unique, inverse = np.unique(texts.astype(str), return_inverse=True)
    values, states = np.full(len(unique), np.nan), np.zeros(len(unique), dtype=np.int64)
    for place, text in enumerate(unique):
        plain = fold(text)
        if not plain:
            states[place] = SUPPRESSED
        elif plain in marks:
            states[place] = STATUSES.index(marks[plain])
        else:
            try:
                values[place] = float(plain)
            except ValueError:
                states[place] = -1
            if not np.isfinite(values[place]):
                states[place] = -1
    return values[inverse], states[inverse]


def bad_numbers(status: NDArray[np.int64], values: Floats, bases: Floats) -> list[str]:
    """Tell which figures and bases cannot be what they say."""
    problems = []
    strange = int(np.count_nonzero(status == -1))
    if strange:
        problems.append(f"{strange:,} figure(s) are neither a number nor a known mark")
    known = bases[~np.isnan(bases)]
    odd = int(np.count_nonzero((known < 0) | (np.abs(known - np.round(known)) > 1e-6)))
    if odd:
        problems.append(f"{odd:,} base(s) that are no whole number of responses")
    alone = int(np.count_nonzero(~np.isnan(values) & np.isnan(bases)))
    if alone:
        problems.append(f"{alone:,} figure(s) without a base")
    return problems


def _bounds(values: Floats, top: float, what: str) -> list[str]:
    shown = values[~np.isnan(values)]
    outside = int(np.count_nonzero((shown < 0) | (shown > top)))
    if not outside:
        return []
    if top == 1 and shown.max() <= 100 and shown.min() >= 0:
        return [
            f"{what}: percentages (0 to 100) where shares (0 to 1) belong, {outside:,} figure(s)"
        ]
    return [f"{what}: {outside:,} figure(s) outside 0 to {top:g}"]


def score_rows(
    work: Work, problems: list[str]
) -> tuple[pd.DataFrame, list[str], NDArray[np.bool_]]:
    """Rows of a table of positive shares, or of scores.

    Where everybody who did not answer positively gave the reported answer (harassed at least
    once, felt unwell), the reported figure is 100 less the positive share and a row too. Also
    gives notes, and which of the table's rows were read.
    """
    positive = {m: _positive(m, work.instrument) for m in {m for m in work.meanings if m}}
    measures = [positive[m] if m else "" for m in work.meanings]
    statistics = [m.statistic if m else "" for m in work.meanings]
    score = np.array([s == "score" for s in statistics])
    read = np.array([bool(m) for m in measures]) & work.known
    shares = work.values[read & ~score]
    points = work.values[read & score]
    problems += _bounds(shares, 1, "positive shares")
    problems += _bounds(points, 10, "scores")
    if len(points) and np.nanmax(points, initial=0) <= 1 and not np.isnan(points).all():
        problems.append("all scores lie between 0 and 1, where scores from 0 to 10 belong")
    for name, figures in (("positive shares", shares), ("scores", points)):
        shown = figures[~np.isnan(figures)]
        if len(shown) >= 10 and np.ptp(shown) == 0:
            problems.append(f"{name}: every figure is the same")
    keys = work.places.assign(
        year=work.years,
        measure=pd.Series(measures, dtype="str"),
        answer="",
        statistic=pd.Series(statistics, dtype="str"),
        status=np.array(STATUSES)[work.status],
    )[read]
    double = ["year", "org", "measure", "breakdown", "group"]
    twice = int(keys.duplicated(double).sum())
    if twice:
        problems.append(f"{twice:,} row(s) name what another row names")
    value = np.where(score, work.values, 100 * work.values)[read]
    rest = {m: _rest(m, work.instrument) for m in positive}
    reported = pd.Series([rest[m] if m else "" for m in work.meanings], dtype="str")[read]
    other = reported.ne("").to_numpy(dtype=bool)
    both = Figures(
        pd.concat([keys, keys[other].assign(measure=reported[other])]),
        np.concatenate([value, 100 - value[other]]),
        np.concatenate([work.bases[read], work.bases[read][other]]),
    )
    notes = []
    if other.any():
        notes.append(
            f"{reported[other].nunique()} question(s) of which everybody who did not answer "
            "positively gave the reported answer: that figure is 100 less the positive share"
        )
    return figure_rows(both, instrument=work.instrument), notes, read


def _rest(meaning: Meaning, instrument: Instrument) -> str:
    """Measure of all valid answers that are not positive, if it is the one reported."""
    if meaning.question is None:
        return ""
    item = instrument.items[meaning.question.item]
    valid = set(meaning.question.scale.labels) - set(item.excluded)
    others = valid - set(item.positive)
    whole = set(item.positive) < valid and others == valid & set(item.reported)
    apart = f"{item.id}_positive" in instrument.measures and item.id in instrument.measures
    return item.id if whole and apart else ""


def _positive(meaning: Meaning, instrument: Instrument) -> str:
    """Measure that a contractor's score of a question is."""
    if meaning.question is None:
        return meaning.measure
    item = instrument.items[meaning.question.item]
    named = f"{item.id}_positive"
    if named in instrument.measures:
        return named
    same = bool(item.positive) and set(item.positive) == set(item.reported)
    return item.id if same and item.id in instrument.measures else ""


def answer_rows(
    work: Work, codes: Texts, texts: Texts, problems: list[str]
) -> tuple[pd.DataFrame, list[str], NDArray[np.bool_]]:
    """Rows of a table of answers: whole distributions, and the measures added up from them.

    Also gives notes, and which of the table's rows were read.
    """
    frames, notes = [], []
    ticked = {i.id for i in work.instrument.items.values() if i.kind == "tick"}
    answered = np.array(
        [bool(m and m.question and m.question.item not in ticked) for m in work.meanings]
    )
    table = work.places.assign(
        year=work.years,
        item=[m.question.item if m and m.question else "" for m in work.meanings],
        code=codes,
        text=texts,
        value=100 * work.values,
        status=work.status,
        base=work.bases,
    )[answered]
    problems += _bounds(work.values[answered], 1, "answers")
    shares = work.values[answered]
    tolerance = _rounding(shares[~np.isnan(shares)])
    questions = {
        (int(year), m.question.item): m.question
        for year, m in zip(work.years, work.meanings, strict=True)
        if m and m.question and m.question.item not in ticked
    }
    dated: set[str] = set()
    for (year, item), question in questions.items():
        rows = table[table["year"].eq(year) & table["item"].eq(item)]
        read = _block(question, rows, work.instrument, tolerance, problems, dated)
        if read is None:
            continue
        block, places, estimated = read
        problems += check_blocks([block], 0).problems
        frame = assemble(
            [block], places, year=year, release="", instrument=work.instrument, file=work.name
        )
        if estimated:
            frame["method"] = frame["method"].where(frame["method"].eq(""), ESTIMATED)
        frames.append(frame)
    if dated:
        notes.append(
            f"answers that a spreadsheet had made dates, read back: {quoted(sorted(dated))}"
        )
    if not frames:
        if not problems:
            problems.append("no question of the table is known")
        return pd.DataFrame(), notes, answered
    return pd.concat(frames, ignore_index=True), notes, answered


def _rounding(shares: Floats) -> float:
    """Most that the answers of a question, rounded as they are, may miss 100 by."""
    for digits in range(2, 7):
        if np.allclose(shares, np.round(shares, digits), rtol=0, atol=1e-9):
            return max(0.01, 0.5 * 10.0 ** (2 - digits) * 10)
    return 0.01


def _block(
    question: Question,
    rows: pd.DataFrame,
    instrument: Instrument,
    tolerance: float,
    problems: list[str],
    dated: set[str],
) -> tuple[Block, Rows, bool] | None:
    """Put the answers of one question side by side, a row a group."""
    where = f"{question.number.replace('q', 'Q', 1)} of {question.year}"
    labels = question.scale.labels
    pairs = rows[["code", "text"]].drop_duplicates()
    meant = {
        (code, text): _answer(str(code), str(text), question, instrument, dated)
        for code, text in pairs.itertuples(index=False, name=None)
    }
    strange = [text or code for (code, text), label in meant.items() if label is None]
    if strange:
        problems.append(
            f"{where}: {len(strange)} answer(s) not among those of {question.item}: "
            f"{quoted([str(s) for s in strange])}"
        )
        return None
    columns = [*labels, MISSING]
    column = np.array(
        [columns.index(str(meant[pair])) for pair in zip(rows["code"], rows["text"], strict=True)]
    )
    keys = rows[["org", "breakdown", "group"]].reset_index(drop=True)
    unique = keys.drop_duplicates(ignore_index=True)
    order = {key: k for k, key in enumerate(unique.itertuples(index=False, name=None))}
    line = np.array([order[key] for key in keys.itertuples(index=False, name=None)])
    if len(set(zip(line, column, strict=True))) < len(line):
        problems.append(f"{where}: answers stand twice for a group")
        return None
    shape = (len(unique), len(columns))
    values, status = np.full(shape, np.nan), np.full(shape, UNAVAILABLE, dtype=np.int8)
    values[line, column] = rows["value"].to_numpy()
    status[line, column] = rows["status"].to_numpy()
    listed = np.zeros(shape, dtype=bool)
    listed[line, column] = True
    base = np.full(len(unique), np.nan)
    base[line] = rows["base"].to_numpy()
    if (base[line] != rows["base"].to_numpy()).any():
        problems.append(f"{where}: the answers of a group have different bases")
        return None
    missing, values, status = values[:, -1], values[:, :-1], status[:, :-1]
    # Answers nobody gave have no row: zero wherever those that have one add up to everybody.
    sums = np.nansum(values, axis=1)
    lost = np.nan_to_num(missing)
    listed = listed[:, :-1]
    shown = ~(listed & np.isnan(values)).any(axis=1)
    complete = shown & (np.abs(sums - 100) <= tolerance)
    shared = shown & ~complete & (lost > 0) & (np.abs(sums + lost - 100) <= tolerance) & (sums > 0)
    filled = (complete | shared)[:, np.newaxis] & ~listed
    values = np.where(filled, 0.0, values)
    status = np.where(filled, OK, status).astype(np.int8)
    scale = np.where(shared, 100 / np.where(sums > 0, sums, 1), 1.0)
    wrong = int(np.count_nonzero(shown & ~complete & ~shared))
    if wrong:
        problems.append(
            f"{where}: answers do not add up to 100 in {wrong:,} of {len(sums):,} row(s)"
        )
        return None
    block = Block(
        sheet="",
        number=question.number,
        kind="answers",
        id=question.item,
        answers=tuple(labels),
        values=values * scale[:, np.newaxis],
        status=status,
        base=np.where(shared, np.round(base * sums / 100), base),
        base_status=np.zeros(len(base), dtype=np.int8),
        weighting=("unweighted",) * len(base),
        tolerance=tolerance,
    )
    n = len(unique)
    places = Rows(
        org=tuple(unique["org"]),
        breakdown=tuple(unique["breakdown"]),
        group=tuple(unique["group"]),
        within=("",) * n,
        within_group=("",) * n,
        kept=np.arange(n),
        organisations=pd.DataFrame(),
    )
    return block, places, bool(shared.any())


def _answer(
    code: str, text: str, question: Question, instrument: Instrument, dated: set[str]
) -> str | None:
    """Find the answer that a code and a text name; both must agree where both say something."""
    spec = load_definitions().raw["contractor"]
    number = int(float(code)) if re.fullmatch(r"-?\d+(\.0+)?", code.strip()) else None
    if number in spec["missing_options"] or fold(text) == "missing":
        return MISSING
    item = instrument.items[question.item]
    coded = question.scale.codes.get(number) if number is not None else None
    worded = match_answer(text, question, item) if text else None
    if worded is None and text:
        worded = _from_date(text, question)
        if worded is not None:
            dated.add(worded)
    if coded is not None and worded is not None and coded != worded:
        return None
    if text and worded is None:
        return None
    return worded or coded


def _from_date(text: str, question: Question) -> str | None:
    """Find the answer that a spreadsheet turned into a date, such as ``01-Feb`` for "1-2"."""
    pair = excel_pair(text)
    if pair is None:
        return None
    found = [
        label
        for label in question.scale.labels
        if (match := re.fullmatch(r"(\d+)-(\d+)", label))
        and {int(match[1]), int(match[2])} == set(pair.day_and_month)
    ]
    return found[0] if len(found) == 1 else None
