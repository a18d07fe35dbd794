"""Synthetic extracts for the reading tests: answers first, then every way of writing them.

All of it is made up. A frame of category positions is drawn once; `as_codes` and `as_labels` write
it in the two forms that files come in, so the tests know what reading has to give back.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from culture_analytics.instrument import Instrument, Question

ORG = "ZZ1"


def questions(instrument: Instrument, year: int, variant: str = "form") -> list[Question]:
    """The year's questions, one for each item, in questionnaire order."""
    asked: dict[str, Question] = {}
    for question in instrument.questions:
        if question.year == year and question.variant in {"", variant}:
            asked.setdefault(question.item, question)
    return [asked[item] for item in instrument.items if item in asked]


def draw(
    instrument: Instrument, year: int, rows: int = 60, seed: int = 1, variant: str = "form"
) -> pd.DataFrame:
    """Draw answers (labels of the year; None = no answer), routing respected."""
    rng = np.random.default_rng(seed)
    frame: dict[str, np.ndarray] = {}
    ticks: dict[str, list[str]] = {}
    for question in questions(instrument, year, variant):
        labels = np.array([*question.scale.codes.values(), None], dtype=object)
        chance = np.array([1.0] * (len(labels) - 1) + [0.15])
        frame[question.item] = rng.choice(labels, rows, p=chance / chance.sum())
        if instrument.items[question.item].kind == "tick":
            ticks.setdefault(question.number.split("_")[0], []).append(question.item)
    for item in tuple(frame):
        asked = np.zeros(rows, dtype=bool)
        gates = instrument.items[item].gates
        for gate in gates:
            asked |= np.isin(frame[gate.item], gate.answers)
        if gates:
            frame[item] = np.where(asked, frame[item], None)
    for family in ticks.values():
        chosen = np.logical_or.reduce([frame[item] == "Selected" for item in family])
        for item in family:
            picked = np.where(frame[item] == "Selected", "Selected", "Not selected")
            frame[item] = np.where(chosen, picked, None)
    # Nobody is silent throughout: such a row would be set aside.
    frame["patient_contact"] = np.array([a or "No" for a in frame["patient_contact"]], dtype=object)
    return pd.DataFrame(frame)


def as_codes(
    answers: pd.DataFrame, instrument: Instrument, year: int, variant: str = "form"
) -> pd.DataFrame:
    """Write answers as the year's codes under the year's numbers; blank = missing."""
    out = {"org_id": [ORG] * len(answers)}
    for question in questions(instrument, year, variant):
        code_of = {label: str(code) for code, label in question.scale.codes.items()}
        out[question.number] = [code_of.get(a, "") for a in answers[question.item]]
    return pd.DataFrame(out)


def as_labels(
    answers: pd.DataFrame, instrument: Instrument, year: int, variant: str = "form"
) -> pd.DataFrame:
    """Write answers in words under the year's numbers; blank = missing."""
    out = {"org_id": [ORG] * len(answers)}
    for question in questions(instrument, year, variant):
        out[question.number] = [a if isinstance(a, str) else "" for a in answers[question.item]]
    return pd.DataFrame(out)


def write_csv(frame: pd.DataFrame, path: Path, **options: object) -> Path:
    frame.to_csv(path, index=False, **{"encoding": "utf-8", **options})
    return path


def same_answers(survey: object, answers: pd.DataFrame) -> None:
    """Assert that a Survey holds exactly these answers."""
    responses = survey.responses
    for item in answers:
        assert words(responses[item]) == words(answers[item]), item


def words(column: pd.Series) -> list[str | None]:
    """A column's answers in words, None for missing."""
    return [value if isinstance(value, str) else None for value in column]


SMALL = pd.DataFrame(
    {
        "org_id": [ORG] * 6,
        "q11c": ["1", "2", "", "99", "1", "2"],
        "q14b": ["Never", "1-2", "3-5", "6-10", "More than 10", "*"],
        "q15": ["1", "9", "2", "", "Don't know", "Yes"],
        "Directorate": ["North", "North", "South", "South", "South", ""],
    }
)
