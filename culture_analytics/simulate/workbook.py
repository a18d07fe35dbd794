"""A synthetic survey published: workbooks in the layout of the official detailed spreadsheets.

The figures are those of simulated respondents, tabulated by this library and protected as the
publisher does, so that what `read_published` reads can be compared with what `calculate` gives.
Marked synthetic at the top of every sheet.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import InstrumentError
from culture_analytics.estimate import calculate, calculate_answers
from culture_analytics.files import replacing_folder
from culture_analytics.instrument import Instrument, Question
from culture_analytics.read.published.definitions import Definitions, load_definitions
from culture_analytics.simulate.respondents import simulate_survey
from culture_analytics.survey import Survey

if TYPE_CHECKING:
    from xlsxwriter import Workbook

__all__ = ["KINDS", "write_synthetic_workbook"]

KINDS = ("national", "organisational", "organisation type")
LIMIT = 10  # responses; fewer are not shown
NOT_SHOWN = "-"
UNWEIGHTED = "Unweighted"
MANAGED = Rule.none(reason="protected here as the publisher does: fewer than 10 are not written")
FEWEST_ORGANISATIONS = 10
RESPONDENTS_EACH = 500

# Where each sheet begins: the first of these items that is asked.
SECTIONS = (
    ("YOUR JOB", ("patient_contact",)),
    ("YOUR JOB", ("recognition_good_work",)),
    ("YOUR TEAM", ("team_shared_objectives",)),
    ("PEOPLE IN YOUR ORGANISATION", ("teams_work_well_together",)),
    ("YOUR MANAGERS", ("manager_encourages",)),
    ("HEALTH WELLBEING SAFETY", ("contracted_hours",)),
    ("HEALTH WELLBEING SAFETY", ("burnout_emotionally_exhausting",)),
    ("HEALTH WELLBEING SAFETY", ("violence_patients",)),
    ("HEALTH WELLBEING SAFETY", ("fair_career_progression",)),
    ("HEALTH WELLBEING SAFETY", ("seen_errors", "respects_differences")),
    ("PERSONAL DEVELOPMENT", ("had_appraisal",)),
    ("YOUR ORGANISATION", ("care_top_priority",)),
    ("BACKGROUND INFORMATION", ("gender",)),
    ("BACKGROUND INFORMATION", ("long_term_condition",)),
)

# Spellings of the official headings that differ from the instrument's labels, by scale.
HEADINGS: Mapping[str, Mapping[str, str]] = {
    "count5_never": {"1-2": "1 to 2", "3-5": "3 to 5", "6-10": "6 to 10"},
    "reported5": {"Yes, both a colleague and I reported it": "Both a colleague and I reported it"},
    "orientation5": {"Prefer not to say": "I would prefer not to say"},
    "religion9": {"Prefer not to say": "I would prefer not to say"},
}

# Fictional places; what the organisations are, in turn. None stands for a hyphen.
ACUTE, SPECIALIST, MENTAL_HEALTH, COMMUNITY, AMBULANCE = range(5)
TYPES = (ACUTE, MENTAL_HEALTH, COMMUNITY, AMBULANCE, SPECIALIST, ACUTE, MENTAL_HEALTH, "ICBs",
         ACUTE, "CSUs", ACUTE, COMMUNITY)  # fmt: skip
LAST_OF_CCGS = 2021  # integrated care boards took their place in 2022
SYSTEMS = ("Mill Vale", "Upper Dale", "Three Rivers", "Saltmarsh")


@dataclass(frozen=True)
class _Line:
    """A row of a workbook: its identifiers, and the key of its figures."""

    identifiers: tuple[str, ...]
    key: tuple[str, str, str, str]  # org, breakdown, group, within group


@dataclass(frozen=True)
class _Asked:
    """A question or score of a workbook: what stands over it, and the columns below."""

    title: str
    id: str
    headings: tuple[str, ...]
    answers: tuple[str, ...]  # of the result schema


def write_synthetic_workbook(
    path: str | Path,
    *,
    year: int = 2024,
    organisations: int = 12,
    seed: int = 0,
    survey: Survey | None = None,
    kinds: Iterable[str] = ("national", "organisational"),
    breakdowns: Iterable[str] | None = None,
    digits: int | None = None,
) -> tuple[Path, ...]:
    """Write simulated results as workbooks in the official layout.

    Parameters
    ----------
    path : str or Path
        Folder to write to; made if it is not there.
    year : int, default 2024
        Survey year, 2021 to 2025: its questions, numbers and lists of answers.
    organisations : int, default 12
        Number of organisations, at least 10, with codes that cannot exist (``ZZ1`` ...): trusts
        of all benchmark groups, an integrated care board, a commissioning support unit.
    seed : int, default 0
        The same seed writes the same workbooks.
    survey : Survey, optional
        Respondents to publish instead of simulated ones: synthetic, of one year, of at least 10
        organisations; `organisations` and `seed` are then not used.
    kinds : iterable of str
        Which workbooks: ``national``, ``organisational``, ``organisation type``.
    breakdowns : iterable of str, optional
        Breakdowns of the national and organisation-type workbooks. Default: all of the official
        ones whose item was asked.
    digits : int, optional
        Decimal places of percentages and scores; at least 4. Default: all.

    Returns
    -------
    tuple of Path
        The files, in the order of `kinds`.

    Raises
    ------
    InstrumentError
        Too few organisations, respondents who are not synthetic, or an unknown kind.

    Notes
    -----
    All figures are unweighted and say so. Question wording is paraphrased.
    """
    kinds = tuple(kinds)
    if survey is None:
        _check_number(organisations)
        survey = simulate_survey(
            organisations * RESPONDENTS_EACH, year=year, organisations=organisations, seed=seed
        )
    _check(survey, kinds, digits)
    year = survey.years[0]
    folder = Path(path)
    definitions = load_definitions()
    survey, places = _placed(survey, definitions)
    published = _breakdowns(survey.instrument, year, definitions, breakdowns)
    asked = list(_questions(survey.instrument, year, definitions))
    scores = list(_scores(survey.instrument, year, definitions))
    sheets = _sheets(asked, scores, survey.instrument, year)
    names = []
    with replacing_folder(folder) as stage:
        for kind in kinds:
            lines, figures = _tabulate(kind, survey, places, published)
            names.append(f"NSS{year % 100} SYNTHETIC detailed spreadsheets {kind} results.xlsx")
            _write(stage / names[-1], kind, year, lines, figures, sheets, digits)
    return tuple(folder / name for name in names)


def _check_number(organisations: int) -> None:
    if organisations < FEWEST_ORGANISATIONS:
        raise InstrumentError(
            f"{organisations} organisations are too few for workbooks with all regions and kinds "
            f"of trust: give at least {FEWEST_ORGANISATIONS}."
        )


def _check(survey: Survey, kinds: Sequence[str], digits: int | None) -> None:
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise InstrumentError(f"No kind {unknown[0]!r} of workbook; there are: {', '.join(KINDS)}.")
    if not survey.synthetic:
        raise InstrumentError("Only synthetic respondents can be written as a synthetic workbook.")
    if len(survey.years) != 1:
        raise InstrumentError(
            f"The survey holds {len(survey.years)} years; a workbook of this layout holds one."
        )
    if digits is not None and digits < 4:
        raise InstrumentError("digits under 4 would keep answers from adding up to 100.")
    _check_number(len(survey.orgs))


# -- organisations -------------------------------------------------------------------------


def _placed(survey: Survey, definitions: Definitions) -> tuple[Survey, pd.DataFrame]:
    """Give every organisation a kind, a region and a system, and its respondents the same."""
    regions = definitions.places["region"]
    rows, trusts = [], 0
    for number, org in enumerate(sorted(survey.orgs, key=lambda o: (len(o), o))):
        kind = TYPES[number % len(TYPES)]
        if kind == "ICBs" and survey.years[0] <= LAST_OF_CCGS:
            kind = "CCGs"
        trust = isinstance(kind, int)
        group = definitions.trust_groups[_GROUP_PLACES[kind]] if isinstance(kind, int) else kind
        rows.append(
            {
                "org": org,
                "name": survey.names.get(org) or f"Fictional organisation {org} (synthetic)",
                "benchmark_group": group,
                "region": regions[trusts % len(regions)] if trust else None,
                "ics": SYSTEMS[trusts % len(SYSTEMS)] if trust and kind != AMBULANCE else None,
            }
        )
        trusts += trust
    places = pd.DataFrame(rows)
    position = survey.responses["org"].map({o: k for k, o in enumerate(places["org"])})
    columns = {
        column: pd.Categorical(places[column].to_numpy()[position.to_numpy(dtype=np.intp)])
        for column in ("benchmark_group", "region", "ics")
    }
    return replace(survey, responses=survey.responses.assign(**columns)), places


# Position of each kind of trust in the list of published.toml.
_GROUP_PLACES = {ACUTE: 0, SPECIALIST: 1, MENTAL_HEALTH: 2, COMMUNITY: 3, AMBULANCE: 4}


# -- questions -----------------------------------------------------------------------------


def _questions(
    instrument: Instrument, year: int, definitions: Definitions
) -> Iterator[tuple[Question, _Asked]]:
    """Questions of the year in the order of their numbers, under the numbers of results files."""
    chosen: dict[str, Question] = {}
    for question in instrument.questions:
        if question.year != year or question.variant == "alias":
            continue
        if question.variant == "form" and question.item in chosen:
            continue
        chosen[question.item] = question  # results files follow the numbering of extracts
    for question in sorted(chosen.values(), key=lambda q: _order(q.number)):
        item = instrument.items[question.item]
        number = question.number.replace("q", "Q", 1)
        if item.kind == "tick":
            ground = _ground_name(item.id, definitions)
            yield question, _Asked(f"{number} - {ground}", item.id, (f"% {ground}",), ("",))
            continue
        spelt = HEADINGS.get(question.scale.id, {})
        answers = tuple(question.scale.labels)
        headings = tuple(f"% {spelt.get(answer, answer)}" for answer in answers)
        yield question, _Asked(f"{number} - {item.label}", item.id, headings, answers)


def _order(number: str) -> tuple[int, str, int]:
    match = re.fullmatch(r"q(\d+)([a-z]?)(?:_(\d+))?", number)
    if match is None:
        raise InstrumentError(f"item_codes.csv: {number!r} is not a question number")
    return int(match[1]), match[2], int(match[3] or 0)


def _ground_name(item: str, definitions: Definitions) -> str:
    words = next(line["words"][0] for line in definitions.raw["grounds"] if line["item"] == item)
    return str(words).capitalize()


def _scores(instrument: Instrument, year: int, definitions: Definitions) -> Iterator[_Asked]:
    named = {code: name for name, code in reversed(definitions.raw["score_names"].items())}
    for score in instrument.scores.values():
        if score.first_year <= year:
            code = named.get(score.code, score.code)
            yield _Asked(f"{code} - {score.label}", score.id, (f"{code} - score",), ("",))


def _sheets(
    asked: Sequence[tuple[Question, _Asked]],
    scores: Sequence[_Asked],
    instrument: Instrument,
    year: int,
) -> list[tuple[str, list[_Asked]]]:
    """Questions cut into sheets, named as the official ones are."""
    starts = {
        next(item for item in items if instrument.asked(item, year)): title
        for title, items in SECTIONS
    }
    cut: list[tuple[str, list[tuple[Question, _Asked]]]] = []
    for question, one in asked:
        if question.item in starts:
            cut.append((starts[question.item], []))
        cut[-1][1].append((question, one))
    sheets = []
    for title, members in cut:
        first, last = (_order(members[end][0].number)[0] for end in (0, -1))
        span = f"Q{first}" if first == last else f"Q{first}-{last}"
        sheets.append((f"{title} {span}", [one for _, one in members]))
    is_theme = {s.id: not s.code.startswith("PP") for s in instrument.scores.values()}
    sheets.append(("PEOPLE PROMISE ELEMENTS", [s for s in scores if not is_theme[s.id]]))
    sheets.append(("THEMES", [s for s in scores if is_theme[s.id]]))
    return sheets


# -- figures -------------------------------------------------------------------------------

Figures = Mapping[tuple[str, str], Mapping[tuple[str, str, str, str], tuple[float, float]]]


def _tabulate(
    kind: str, survey: Survey, places: pd.DataFrame, breakdowns: Mapping[str, str]
) -> tuple[list[_Line], Figures]:
    """The rows of a workbook and their figures: (measure, answer) -> row -> value and base."""
    if kind == "organisational":
        lines = [
            _Line((*map(_hyphen, place), UNWEIGHTED), (str(place[0]), "overall", "All staff", ""))
            for place in places.itertuples(index=False, name=None)
        ]
        return lines, _figures(survey, by=None, within=None)
    trusts = survey.responses["region"].notna().to_numpy()
    england = survey.filter(mask=trusts) if kind == "national" else survey
    responses = england.responses.assign(org=pd.Categorical(["ENG"] * england.n))
    england = replace(england, responses=responses, units=())
    if kind == "national":
        by = list(breakdowns)
        lines = [_Line(("National", "", "", UNWEIGHTED), ("ENG", "overall", "All staff", ""))]
        lines += [
            _Line(("National", name, group, UNWEIGHTED), ("ENG", breakdown, label, ""))
            for breakdown in by
            for name, label, group in _groups(breakdown, england, breakdowns)
        ]
        return lines, _figures(england, by=by, within=None)
    by = [breakdown for breakdown in breakdowns if breakdown in survey.instrument.breakdowns]
    bases = list(dict.fromkeys(places["benchmark_group"]))
    lines = []
    for base in bases:
        lines.append(_Line((base, "", "", UNWEIGHTED), ("ENG", "benchmark_group", base, "")))
        lines += [
            _Line((base, name, group, UNWEIGHTED), ("ENG", breakdown, label, base))
            for breakdown in by
            for name, label, group in _groups(breakdown, england, breakdowns)
        ]
    whole = _figures(england, by=["benchmark_group"], within=None)
    inside = _figures(england, by=by, within="benchmark_group")
    return lines, {key: {**inside[key], **whole[key]} for key in whole}


def _hyphen(text: object) -> str:
    return str(text) if isinstance(text, str) else NOT_SHOWN


def _breakdowns(
    instrument: Instrument, year: int, definitions: Definitions, wanted: Iterable[str] | None
) -> dict[str, str]:
    """Breakdown -> its published name."""
    found = {place: spec["published"][0] for place, spec in definitions.raw["places"].items()}
    found.update(
        (breakdown.id, breakdown.published)
        for breakdown in instrument.breakdowns.values()
        if breakdown.published and instrument.asked(breakdown.item, year)
    )
    if wanted is None:
        return found
    wanted = tuple(wanted)
    unknown = [breakdown for breakdown in wanted if breakdown not in found]
    if unknown:
        raise InstrumentError(
            f"No published breakdown {unknown[0]!r} in {year}; there are: {', '.join(found)}."
        )
    return {breakdown: name for breakdown, name in found.items() if breakdown in wanted}


def _groups(
    breakdown: str, survey: Survey, names: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Published name of the breakdown, label of the group, and the group's published name."""
    name = names[breakdown]
    defined = survey.instrument.breakdowns.get(breakdown)
    if defined is None:
        for label in survey.responses[breakdown].cat.remove_unused_categories().cat.categories:
            yield name, label, label
        return
    question = survey.instrument.question(defined.item, survey.years[0])
    offered = set(question.scale.labels) if question else set()
    for group in defined.groups:
        if offered & set(group.answers):
            yield name, group.label, group.published or group.label


def _figures(survey: Survey, *, by: list[str] | None, within: str | None) -> Figures:
    instrument, year = survey.instrument, survey.years[0]
    scores = [s.id for s in instrument.scores.values() if s.first_year <= year]
    grounds = [i for i in survey.items if instrument.items[i].kind == "tick"]
    others = [
        i for i in survey.items if i not in grounds and instrument.asked(i, year)
    ]  # fmt: skip
    asked_grounds = [i for i in grounds if instrument.asked(i, year)]
    parts = [
        calculate(survey, [*scores, *asked_grounds], by=by, within=within, rule=MANAGED),
        calculate_answers(survey, others, by=by, within=within, rule=MANAGED),
    ]
    found: dict[tuple[str, str], dict[tuple[str, str, str, str], tuple[float, float]]] = {}
    for part in parts:
        table = part.table
        keep = table["status"].eq("ok") & table["base"].ge(LIMIT)
        keep &= ~_crossed_with_itself(table, instrument)
        shown = table.loc[keep]
        columns = [
            "measure",
            "answer",
            "org",
            "breakdown",
            "group",
            "within_group",
            "value",
            "base",
        ]
        for measure, answer, *key, value, base in shown[columns].itertuples(index=False, name=None):
            org, breakdown, group, inside = key
            found.setdefault((measure, answer), {})[org, breakdown, group, inside] = (value, base)
    for measure in (*scores, *asked_grounds):
        found.setdefault((measure, ""), {})
    return found


def _crossed_with_itself(table: pd.DataFrame, instrument: Instrument) -> np.ndarray[Any, Any]:
    """Rows of an item by the breakdown that is made of it, answer for answer."""
    items = {
        breakdown.id: breakdown.item
        for breakdown in instrument.breakdowns.values()
        if all(len(group.answers) == 1 for group in breakdown.groups)
    }
    crossed = table["breakdown"].map(items).eq(table["measure"])
    return np.asarray(crossed.fillna(False).to_numpy(dtype=bool))


# -- writing -------------------------------------------------------------------------------


def _write(
    path: Path,
    kind: str,
    year: int,
    lines: Sequence[_Line],
    figures: Figures,
    sheets: Sequence[tuple[str, list[_Asked]]],
    digits: int | None,
) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties(
            {
                "title": f"SYNTHETIC staff survey {year}, {kind} results",
                "comments": "SYNTHETIC: simulated respondents of organisations that do not exist.",
                "created": dt.datetime(year, 12, 1),  # a fixed date: the same bytes each time
            }
        )
        _write_notes(book, kind, year)
        for name, asked in sheets:
            _write_sheet(book, name, kind, year, lines, figures, asked, digits)


def _rounded(value: float, digits: int) -> float:
    """The same whatever the order in which the figure was added up: halves are settled first."""
    return round(round(value, 10), digits)


def _write_notes(book: Workbook, kind: str, year: int) -> None:
    sheet = book.add_worksheet("Notes")
    for row, text in enumerate(
        (
            f"NHS Staff Survey {year} - SYNTHETIC detailed spreadsheets, not real data",
            f"{kind.capitalize()} results",
            "SYNTHETIC: simulated respondents of organisations that do not exist, written in the "
            "layout of the official workbooks so that readers of it can be tried and shown.",
            "All figures are unweighted.",
        )
    ):
        sheet.write_string(row + 1, 1, text)


def _write_sheet(
    book: Workbook,
    name: str,
    kind: str,
    year: int,
    lines: Sequence[_Line],
    figures: Figures,
    asked: Sequence[_Asked],
    digits: int | None,
) -> None:
    sheet = book.add_worksheet(name)
    layout = "organisational" if kind == "organisational" else "national"
    names = [spellings[0] for spellings in load_definitions().detailed[layout].values()]
    sheet.write_string(0, 0, f"NHS Staff Survey {year} - SYNTHETIC results, not real data")
    sheet.write_string(1, 0, name)
    sheet.write_string(
        2, 0, f"Note: figures on fewer than {LIMIT} responses to a question are not displayed"
    )
    for column, heading in enumerate(names):
        sheet.write_string(4, column, heading)
    for row, line in enumerate(lines, start=5):
        for column, text in enumerate(line.identifiers):
            if text:
                sheet.write_string(row, column, text)
    column = len(names)
    base_heading = load_definitions().detailed["base_headers"][0]
    for one in asked:
        last = column + len(one.headings)
        sheet.merge_range(0, column, 3, last, one.title)
        for offset, heading in enumerate((*one.headings, base_heading)):
            sheet.write_string(4, column + offset, heading)
        cells = [figures.get((one.id, answer), {}) for answer in one.answers]
        for row, line in enumerate(lines, start=5):
            found = [cell.get(line.key) for cell in cells]
            for offset, figure in enumerate(found):
                if figure is None:
                    sheet.write_string(row, column + offset, NOT_SHOWN)
                else:
                    value = figure[0] if digits is None else _rounded(figure[0], digits)
                    sheet.write_number(row, column + offset, value)
            shown = next((figure for figure in found if figure is not None), None)
            if shown is None:
                sheet.write_string(row, last, NOT_SHOWN)
            else:
                sheet.write_number(row, last, shown[1])
        column = last + 1
