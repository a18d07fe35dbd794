"""`diagnose_culture`: what to work on, where, and how sure we are.

A Diagnosis is read from a Release, so that everything in it was protected and audited together with
everything else that leaves; `diagnosis_of` makes it of a release that was saved, too.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from culture_analytics.compare.groups import ALL, REST
from culture_analytics.diagnose import driving, reliability
from culture_analytics.diagnose.conditions import conditions, evidence
from culture_analytics.diagnose.driving import METHODS, drivers
from culture_analytics.diagnose.findings import findings
from culture_analytics.diagnose.held import SCORES, Held
from culture_analytics.diagnose.hotspots import falling_units, spots
from culture_analytics.diagnose.leaving import (
    CHANGES,
    CULTURE,
    DIFFERENCES,
    DRIVERS,
    ITEMS,
    LEADERS,
    OVERALL,
    QUALITY,
    SPOTS,
)
from culture_analytics.diagnose.model import (
    CultureModel,
    load_culture_model,
    usable_culture_model,
)
from culture_analytics.diagnose.priorities import priorities
from culture_analytics.diagnose.stressors import stressors
from culture_analytics.disclosure.release import Release, build_release
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument.culture import EVIDENCE, OUTCOMES
from culture_analytics.instrument.culture import LEADERS as LEADER_MEASURES
from culture_analytics.survey import Survey

__all__ = ["Diagnosis", "diagnose_culture", "diagnosis_of"]

MODEL = "culture_model"
_SCORES = ("people_promise", "sub_scores")


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """What the survey says of an organisation's culture; made by `diagnose_culture`.

    Every part is made of protected figures. Parts that the data do not allow are None, or tables
    without rows, and `notes` say why.

    Attributes
    ----------
    release
        The protected tables that everything here was made of.
    model
        The model of culture.
    by
        The unit column, or empty.
    year
        The latest year, which everything is about but `elements`, `quality` and `changes`.
    elements
        Scores of the elements, outcomes, concerns and stressors, of everyone and by unit, in every
        year.
    sub_scores
        Official scores and sub-scores, of everyone and by unit; None if the release has none.
    differences
        Each unit less the organisation (``reference="all"``), with limits and adjusted p-values.
    pooled
        Partially pooled figures of units and what stands out: `pooled_units`.
    changes
        Differences of the last two years, of everyone and by unit.
    quality
        ``alpha``, ``omega`` and ``item_rest`` of each scale, by year and large unit.
    drivers
        Shares of what the elements explain of each outcome: see `diagnose.driving.drivers`.
    leaders
        Groups that stand for leaders less everyone else.
    items
        Percentages of the single items behind elements and conditions, of everyone.
    spots, falling
        Units that stand out, and those that are worse and have become worse, in words.
    priorities, conditions, evidence, stressors, findings
        Tables: see `priorities`, `conditions`, `stressors`, `findings` in `culture_analytics.
        diagnose`.
    notes
        What could not be done, and why; what to keep in mind.
    """

    release: Release
    model: CultureModel
    by: str
    year: int
    elements: Estimates | None
    sub_scores: Estimates | None
    differences: Estimates | None
    pooled: Estimates | None
    changes: Estimates | None
    quality: Estimates | None
    drivers: Estimates | None
    leaders: Estimates | None
    items: Estimates | None
    spots: pd.DataFrame
    falling: pd.DataFrame
    priorities: pd.DataFrame
    conditions: pd.DataFrame
    evidence: pd.DataFrame
    stressors: pd.DataFrame
    findings: pd.DataFrame
    notes: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        counts = self.findings["kind"].value_counts()
        said = ", ".join(f"{n} {kind}" for kind, n in counts.items())
        unit = f" by {self.by}" if self.by else ""
        return (
            f"<Diagnosis{unit}: {self.release.about['title']}; {len(self.findings)} findings "
            f"({said}). {self.release.banner}.>"
        )

    def _repr_html_(self) -> str:
        shown = self.findings[["kind", "topic", "sentence", "doubt"]]
        table = shown.to_html(index=False, border=0, classes="ca-table")
        return table + "".join(f"<p>{html.escape(n)}</p>" for n in self.notes)

    @property
    def concerns(self) -> Estimates | None:
        """Figures of the framework's concerns, and of pride and joy."""
        ids = [m for c in self.model.concerns.values() for m in c.measures]
        return _of(self.elements, measures=ids)


def diagnose_culture(
    survey: Survey,
    *,
    by: str | Sequence[str] | None = None,
    published: Estimates | None = None,
    model: CultureModel | str | Path | None = None,
    rule: str | Rule = "default",
    method: str = "lmg",
    cut_offs: str | Path | pd.DataFrame | None = None,
) -> Diagnosis:
    """What to work on, where, and how sure we are.

    Parameters
    ----------
    survey
        Respondents of one year or several; the latest is diagnosed, the year before compared.
    by
        Unit column, or several; findings are of the first. Default: the survey's unit columns,
        findings of the largest units.
    published
        Published results to stand beside: England and, with organisations', the benchmark group.
    model
        Model of culture, or the path of its file; default the package's own.
    rule
        Disclosure rule.
    method
        ``"lmg"`` or ``"johnson"``: how what goes with an outcome is shared out.
    cut_offs
        Your own cut-offs for the stressors: see `diagnose.stressors.load_cut_offs`.

    Returns
    -------
    Diagnosis
        Protected tables, priorities and findings. What cannot be done (no such column, units too
        small, an outcome that does not vary) is said in its `notes`, and the rest is done.

    Raises
    ------
    InstrumentError
        The model's file is faulty. Items and measures that the questionnaire does not have are
        left out and named in the `notes`; other faults are listed all at once.
    MeasureError
        No such method, faulty cut-offs, or nothing of the model is in the extract.

    Notes
    -----
    This is a release by itself (tables "culture"). What leaves together with a report is better
    read from that report's release with `diagnosis_of`.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> diagnosis = ca.diagnose_culture(ca.load_sample(2024), by="directorate")
    >>> diagnosis.findings["topic"].iloc[0]
    'standing'
    """
    if method not in METHODS:
        raise MeasureError(f"method={method!r}: there are {', '.join(map(repr, METHODS))}.")
    notes: list[str] = []
    if model is not None and not isinstance(model, CultureModel):
        model, left_out = usable_culture_model(model, instrument=survey.instrument)
        notes += left_out
    units = _unit_columns(survey, by, notes)
    release = build_release(
        survey,
        tables=_tables(units, model or load_culture_model()),
        rule=rule,
        published=published,
        model=model,
    )
    if method != "lmg":
        release = _with_drivers(release, survey, model, rule, method)
    found = diagnosis_of(release, by=units[0] if units else None, model=model, cut_offs=cut_offs)
    return replace(found, notes=tuple(dict.fromkeys([*notes, *found.notes])))


def diagnosis_of(
    release: Release,
    *,
    by: str | None = None,
    model: CultureModel | None = None,
    cut_offs: str | Path | pd.DataFrame | None = None,
) -> Diagnosis:
    """The diagnosis that a release holds, built just now or opened from its file.

    Parameters
    ----------
    release
        With the topic ``culture``, as the standard tables have it.
    by
        Unit column the findings are about; default the largest units it has.
    model
        The model it was made with; default the package's own.
    cut_offs
        Your own cut-offs for the stressors.

    Returns
    -------
    Diagnosis

    Raises
    ------
    MeasureError
        The release has no culture tables.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> release = ca.build_release(ca.load_sample(2024), tables="culture")
    >>> ca.diagnosis_of(release, by="team").by
    'team'
    """
    if CULTURE not in release.topics:
        raise MeasureError(
            "This release has no culture tables (topic 'culture'). Build it with the standard "
            "tables, or with tables='culture'."
        )
    model = model or load_culture_model()
    notes = _model_notes(release, model)
    by = _unit_of(release, by, notes)
    held = Held(release, model, by)
    notes += _gaps(held)
    falling = _falling(held)
    prior = priorities(held)
    return Diagnosis(
        release=release,
        model=model,
        by=by,
        year=held.year,
        elements=_of(held.estimates(CULTURE), breakdowns=[OVERALL, by]),
        sub_scores=_of(held.estimates(SCORES), breakdowns=[OVERALL, by]),
        differences=_of(held.estimates(DIFFERENCES), breakdowns=[by], references=[ALL]),
        pooled=_of(held.estimates(SPOTS), breakdowns=[by]),
        changes=_of(held.estimates(CHANGES), breakdowns=[OVERALL, by]),
        quality=held.estimates(QUALITY),
        drivers=held.estimates(DRIVERS),
        leaders=_of(
            held.estimates(DIFFERENCES),
            breakdowns=[model.leaders.breakdown] if model.leaders else [],
            references=[REST],
        ),
        items=_of(held.estimates(ITEMS), breakdowns=[OVERALL]),
        spots=_spots(held),
        falling=falling,
        priorities=prior,
        conditions=conditions(held),
        evidence=evidence(held),
        stressors=stressors(held, cut_offs=cut_offs),
        findings=findings(held, priorities=prior, falling=falling),
        notes=tuple(dict.fromkeys(notes)),
    )


# -- from respondents -------------------------------------------------------------------------


def _unit_columns(
    survey: Survey, by: str | Sequence[str] | None, notes: list[str]
) -> tuple[str, ...]:
    """The unit columns asked for that are there."""
    wanted = survey.units if by is None else (by,) if isinstance(by, str) else tuple(by)
    if not wanted:
        notes.append(
            "No unit column: nothing is said of where. Try: read_extract(..., units=...) or "
            "survey.with_units(['directorate'])."
        )
    there = [
        u for u in wanted if u in survey.responses.columns or u in survey.instrument.breakdowns
    ]
    for name in wanted:
        if name not in there:
            known = ", ".join(survey.units or survey.local_columns) or "none"
            notes.append(
                f"No column {name!r}, so nothing is said of where. Columns that could hold units: "
                f"{known}."
            )
    return tuple(there)


def _tables(units: Sequence[str], model: CultureModel) -> Mapping[str, Any]:
    """The tables of a diagnosis, by these units."""
    tables = [
        {"topic": SCORES, "measures": list(_SCORES), "by": list(units)},
        {"topic": CULTURE, "measures": [CULTURE], "by": list(units)},
        {"topic": ITEMS, "measures": [EVIDENCE], "by": []},
    ]
    if model.leaders is not None:
        by = [model.leaders.breakdown]
        tables.append({"topic": LEADERS, "measures": [LEADER_MEASURES], "by": by})
    return {"tables": tables}


def _with_drivers(
    release: Release, survey: Survey, model: CultureModel | None, rule: str | Rule, method: str
) -> Release:
    latest = survey.filter(year=max(survey.years))
    try:
        found = drivers(latest, model=model, method=method, rule=rule)
    except AdjustmentError:
        return release
    return release._with(DRIVERS, found)


# -- from a release ---------------------------------------------------------------------------


def _model_notes(release: Release, model: CultureModel) -> list[str]:
    made = release.about.get(MODEL)
    if not made or made["digest"] == model.digest:
        return []
    return [
        f"The release was made with the model {made['id']} {made['version']}, and is read with "
        f"{model.id} {model.version}: give the same one as model."
    ]


def _unit_of(release: Release, by: str | None, notes: list[str]) -> str:
    there = [b for b in release[CULTURE].unique("breakdown") if b != OVERALL]
    if by is None or by in there:
        return by or (there[0] if there else "")
    notes.append(
        f"The release has no culture tables by {by!r}; it has: {', '.join(there) or 'none'}."
    )
    return there[0] if there else ""


def _gaps(held: Held) -> list[str]:
    """What is missing from the diagnosis, and why."""
    notes = []
    notes += _element_gaps(held)
    notes += _unit_gaps(held)
    if held.release.rule.rounds:
        notes.append(
            f"The rule {held.release.rule.name!r} rounds what it shows, so differences between "
            "units, years and leaders are left out: exact ones would undo the rounding."
        )
    shares = held.rows(DRIVERS)
    if shares.empty:
        notes.append(
            "What goes with burnout and other outcomes could not be worked out: too few "
            "respondents have all the answers, or these do not vary."
            if held.release.about["kind"] == "extract"
            else "What goes with an outcome needs respondents; these are published results."
        )
    if held.rows(QUALITY).empty and held.release.about["kind"] == "extract":
        notes.append(f"{reliability.WHAT} is not judged: too few respondents.")
    for topic, what in ((DRIVERS, driving.WHAT), (QUALITY, reliability.WHAT)):
        made = held.estimates(topic)
        if made is not None:  # what the survey's weights do
            notes += [n for n in made.notes if n.startswith(f"{what}:")]
    done = set(shares["measure"])
    secret = shares[shares["status"].eq("suppressed") & shares["measure"].ne(OUTCOMES)]
    if not secret.empty:
        names = ", ".join(held.name(str(m)) for m in pd.unique(secret["measure"]))
        notes.append(
            f"{names}: what goes with it is not shown, as its figure of all staff is hidden so "
            "that those of small groups cannot be worked out."
        )
    missing = [o.label for o in held.model.set_against if o.measure not in done]
    if done and missing:
        notes.append(
            f"{', '.join(missing)}: nothing can go with it, as it was not asked or does not vary."
        )
    if held.earlier is None:
        notes.append("One year only: nothing is said of changes.")
    return notes


def _element_gaps(held: Held) -> list[str]:
    rows = held.rows(CULTURE)
    rows = rows[rows["breakdown"].eq(OVERALL) & rows["year"].eq(held.year)]
    status = dict(zip(rows["measure"], rows["status"], strict=True))
    lacking: dict[str, list[str]] = {}
    for measure, label in held.elements.items():
        lacking.setdefault(_WHY.get(status.get(measure, ""), ""), []).append(label)
    notes = [f"No score of {', '.join(names)}: {why}." for why, names in lacking.items() if why]
    changes = held.rows(CHANGES)
    apart = changes[changes["breakdown"].eq(OVERALL) & changes["status"].eq("not_comparable")]
    broken = [held.name(m) for m in pd.unique(apart["measure"]) if m in held.elements]
    if broken:
        notes.append(
            f"{', '.join(broken)}: not compared with {held.earlier}, when other questions were "
            "asked."
        )
    return notes


def _unit_gaps(held: Held) -> list[str]:
    if not held.by:
        return []
    rows = held.rows(CULTURE)
    rows = rows[rows["breakdown"].eq(held.by) & rows["year"].eq(held.year)]
    rows = rows[rows["measure"].isin(held.elements)]
    groups = int(rows["group"].nunique())
    shown = int(rows.loc[rows["status"].eq("ok"), "group"].nunique())
    under = held.release.rule.base_under
    if groups == 1:
        return [f"One {held.by} only: there is nothing to compare it with."]
    if groups and not shown:
        return [
            f"None of {groups} units in {held.by!r} can be shown: each has fewer than {under} "
            "answers, or would give away one that has. Try: larger units."
        ]
    if shown < groups:
        return [
            f"{groups - shown} of {groups} units in {held.by!r} are not shown: fewer than {under} "
            "answers, or hidden so that these cannot be worked out."
        ]
    return []


def _spots(held: Held) -> pd.DataFrame:
    pooled = held.estimates(SPOTS)
    found = spots(pooled) if pooled is not None else pd.DataFrame(columns=_SPOTS)
    return found[found["breakdown"].eq(held.by)].reset_index(drop=True)


_WHY = {
    "": "these results hold no such figures",
    "suppressed": "too few answers to be shown",
    "not_asked": "too many of its questions were not asked that year",
    "unavailable": "too many of its questions are not in the extract",
    "not_computable": "nobody answered enough of its questions",
}
_SPOTS = ["year", "org", "breakdown", "group", "measure", "kind", "difference", "lower", "upper",
          "p_adjusted", "base", "reason"]  # fmt: skip
_FALLING = ["year", "org", "breakdown", "group", "measure", "difference", "change", "since",
            "kind", "base"]  # fmt: skip


def _falling(held: Held) -> pd.DataFrame:
    pooled, changes = held.estimates(SPOTS), held.estimates(CHANGES)
    if pooled is None or changes is None or not held.by:
        return pd.DataFrame(columns=_FALLING)
    try:
        found = falling_units(pooled, changes)
    except MeasureError:  # no change that can be shown
        return pd.DataFrame(columns=_FALLING)
    return found[found["breakdown"].eq(held.by)].reset_index(drop=True)


def _of(
    estimates: Estimates | None,
    *,
    measures: Sequence[str] | None = None,
    breakdowns: Sequence[str] | None = None,
    references: Sequence[str] | None = None,
) -> Estimates | None:
    """Some rows of an estimate; None where there are none."""
    if estimates is None:
        return None
    keep = pd.Series(True, index=estimates._frame.index)
    wanted = {"measure": measures, "breakdown": breakdowns, "reference": references}
    for column, values in wanted.items():
        if values is not None:
            keep &= estimates._frame[column].isin(values)
    return estimates._rows(keep.to_numpy(dtype=bool)) if keep.any() else None
