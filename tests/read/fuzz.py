"""Reads one mutated file and judges what came of it.

A reading ends well in two ways: in one of the library's own errors that quotes nobody, or in a
Survey (or Estimates) in which every respondent is kept or counted as set aside, and no answer is
another than the one given. Time and memory are bounded in both.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import culture_analytics as ca
from culture_analytics.errors import CultureAnalyticsError, PublishedWarning
from culture_analytics.survey import Survey
from tests.read.build import ORG
from tests.read.mutations import CANARY, MUTATIONS, WEIGHTS, Case, Extract

__all__ = ["LIMIT_MB", "LIMIT_SECONDS", "Outcome", "plan", "run"]

LIMIT_SECONDS = 20.0  # no input is larger than a few megabytes; a slow machine is not a fault
LIMIT_MB = 800.0


@dataclass(frozen=True)
class Outcome:
    """What came of one input."""

    mutation: str
    seed: int
    result: str  # read, refused
    seconds: float
    megabytes: float
    faults: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.mutation} #{self.seed}"


def plan(count: int, *, but: tuple[str, ...] = ()) -> list[tuple[str, int]]:
    """Share a number of inputs among the mutations, by their weights; mixed, always the same."""
    weights = {name: weight for name, weight in WEIGHTS.items() if name not in but}
    total = sum(weights.values())
    jobs = []
    for name, weight in weights.items():
        jobs += [(name, seed) for seed in range(max(1, round(count * weight / total)))]
    order = np.random.default_rng(20_240_901).permutation(len(jobs))
    return [jobs[place] for place in order]


def run(name: str, seed: int, folder: Path) -> Outcome:
    """Make an input, read it and judge the result."""
    rng = np.random.default_rng([seed, *name.encode()])
    with tempfile.TemporaryDirectory(dir=folder) as place:
        (folder / "published").mkdir(exist_ok=True)
        case = MUTATIONS[name](rng, Path(place))
        with _captured() as printed, warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            _reset_peak()
            before, start = _memory("VmRSS"), time.perf_counter()
            result, problem = _read(case)
            seconds = time.perf_counter() - start
            megabytes = max(_memory("VmHWM") - before, 0.0)
        faults = _judge_problem(problem) if problem is not None else _judge(case, result)
        faults += [f"warning: {w.category.__name__}" for w in given
                   if not issubclass(w.category, PublishedWarning)]  # fmt: skip
        said = [str(w.message) for w in given] + [printed()]
        if any(CANARY in text.casefold() for text in said):
            faults.append("a warning or printed text quotes a cell")
        if seconds > LIMIT_SECONDS:
            faults.append(f"took {seconds:.1f} s")
        if megabytes > LIMIT_MB:
            faults.append(f"took {megabytes:.0f} MB")
    ending = "read" if problem is None else "refused"
    return Outcome(name, seed, ending, seconds, megabytes, tuple(faults))


def _read(case: Case) -> tuple[Any, BaseException | None]:
    reader = ca.read_extract if case.reader == "extract" else ca.read_published
    try:
        return reader(case.path, **case.options), None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as problem:  # a panic of compiled code is no Exception
        return None, problem


def _judge_problem(problem: BaseException) -> list[str]:
    faults = []
    if not isinstance(problem, CultureAnalyticsError):
        last = traceback.extract_tb(problem.__traceback__)[-1]
        faults.append(f"{type(problem).__name__} in {Path(last.filename).name}:{last.name}")
    shown = "".join(traceback.format_exception(problem))
    if CANARY in shown.casefold():
        faults.append("the error quotes a cell")
    if not str(problem).strip():
        faults.append("the error says nothing")
    if len(str(problem)) > 5_000:
        faults.append("the error is endless")
    return faults


def _judge(case: Case, result: Any) -> list[str]:
    if isinstance(result, Survey):
        faults = _judge_survey(result)
        return faults + (_judge_answers(result, case.extract) if case.extract else [])
    return _judge_figures(result, case.figures)


def _judge_survey(survey: Survey) -> list[str]:
    faults = []
    quality = survey.quality
    if quality.rows_read != quality.rows_kept + sum(quality.set_aside.values()):
        faults.append("rows read are not rows kept and set aside")
    if quality.rows_kept != survey.n or survey.n != len(survey.responses):
        faults.append("rows kept are not the respondents")
    shown = [repr(survey), str(quality), repr(quality), quality._repr_html_(),
             quality.items.to_string()]  # fmt: skip
    if any(CANARY in text.casefold() for text in shown):
        faults.append("the report quotes a cell")
    return faults


def _judge_answers(survey: Survey, extract: Extract) -> list[str]:
    """Follow every respondent by the tag."""
    faults = []
    name = next((c for c in survey.local_columns if c.strip("_") == "row_tag"), None)
    aside = sum(survey.quality.set_aside.values())
    if name is None:
        lost = len(extract.truth) - survey.n - aside
        return [f"{lost} row(s) lost in silence"] if lost > 0 else []
    tags = survey.responses[name].astype(object)
    found = tags[tags.isin(extract.truth.index)]
    moved = sum(tag in extract.altered for tag in set(extract.truth.index) - set(found))
    lost = len(extract.truth) - found.nunique() - aside - moved
    if lost > 0:
        faults.append(f"{lost} row(s) lost in silence")
    if found.duplicated().any() and not extract.repeated:
        faults.append("a respondent stands twice")
    strange = int((~tags.isin(extract.truth.index)).sum())
    if strange > moved:
        faults.append(f"{strange} row(s) that nobody answered")
    kept, found = _unaltered(survey.responses.loc[found.index], found, extract)
    if not extract.options and set(kept["year"].unique()) - {extract.year}:
        faults.append("another year")
    if not extract.options and set(kept["org"].astype(str)) - {ORG}:
        faults.append("another organisation")
    wrong, gone = _differences(kept, extract.truth, found)
    if wrong:
        faults.append(f"{wrong} wrong answer(s)")
    # Without the column of an option, who ticked only that counts as none: the report says so.
    said = any(issue.check == "options missing" for issue in survey.quality.issues)
    if gone > int(survey.quality.items["unknown"].sum()) and not said:
        faults.append(f"{gone} answer(s) lost in silence")
    return faults


def _unaltered(
    kept: pd.DataFrame, tags: pd.Series, extract: Extract
) -> tuple[pd.DataFrame, pd.Series]:
    sure = ~tags.isin(extract.altered)
    return kept[sure.to_numpy()], tags[sure]


def _differences(kept: pd.DataFrame, truth: pd.DataFrame, tags: pd.Series) -> tuple[int, int]:
    items = list(truth.columns.intersection(kept.columns))
    read = kept[items].astype(object).to_numpy()
    true = truth.loc[tags.to_list(), items].to_numpy(dtype=object)
    held, given = pd.notna(read), pd.notna(true)
    wrong = np.count_nonzero(held & (read != true))
    return wrong, np.count_nonzero(~held & given)


KEYS = ["org", "measure", "answer", "breakdown", "group", "within", "within_group"]


def _judge_figures(result: Any, true: pd.DataFrame | None) -> list[str]:
    faults = []
    if CANARY in (repr(result) + " ".join(result.notes)).casefold():
        faults.append("the result quotes a cell")
    if true is None:
        return faults
    mine = result._frame
    if mine[KEYS].duplicated().any():
        faults.append("a figure stands twice")
    both = mine.merge(true, on=KEYS, how="left", suffixes=("", "_true"), indicator=True)
    if (both["_merge"] != "both").any():
        faults.append("figures that nobody published")
    for column in ("value", "base"):
        shown = both[column].notna() & (both["_merge"] == "both")
        differ = ~np.isclose(both.loc[shown, column], both.loc[shown, f"{column}_true"])
        if differ.any():
            faults.append(f"{int(differ.sum())} wrong {column}(s)")
    return faults


# --- memory and printed text of this process


def _reset_peak() -> None:
    # Linux: the high-water mark of this process starts again.
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _memory(what: str) -> float:
    """Megabytes of this process: now (VmRSS), or at most (VmHWM)."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(what):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


@contextmanager
def _captured() -> Iterator[Any]:
    """Catch what is printed, by compiled code too."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    text = [""]
    with tempfile.TemporaryFile() as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            yield lambda: text[0]
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, number)
                os.close(copy)
            stream.seek(0)
            text[0] = stream.read(1 << 20).decode("utf-8", errors="replace")
