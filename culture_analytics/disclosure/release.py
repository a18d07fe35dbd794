"""The `Release`: every table that leaves together, protected and audited together.

It is the only door to the report.
"""

from __future__ import annotations

import io
import json
import tomllib
import zipfile
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from culture_analytics.disclosure.derived import orphans
from culture_analytics.disclosure.populations import unit_tree
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.disclosure.structure import round_people
from culture_analytics.disclosure.together import suppress_together
from culture_analytics.errors import DisclosureError, MeasureError
from culture_analytics.estimate import calculate_answers
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.estimates import CONTRACTOR, HIDE, UNPROTECTED, Estimates, concat
from culture_analytics.files import replacing
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.read.arrow import in_arrow
from culture_analytics.read.validate import NOT_OF_ANSWERS
from culture_analytics.survey import Survey

if TYPE_CHECKING:
    from culture_analytics.diagnose.model import CultureModel

__all__ = ["BANNER", "PUBLISHED_BANNER", "Release", "build_release", "load_release"]

BANNER = "Small groups suppressed, and the tables together proved to give none of them back"
PUBLISHED_BANNER = "Officially published results, as protected by their publisher"

MEASURES, ANSWERS = "measures", "answers"  # kinds of tables

ANNUAL, QUARTERLY = "NHS Staff Survey", "National Quarterly Pulse Survey"

# What results that are not of respondents are: words behind the title.
RESULTS = {
    "published": "published results",
    "contractor": "the survey contractor's tables, not published",
}

_FORMAT = 1

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, eq=False, repr=False)
class Release:
    """A declared set of tables under one disclosure rule.

    Made by `build_release`; opened again with `load_release`.

    Parameters
    ----------
    rule
        The one rule of every table.
    about
        What it is about: ``kind`` (``"extract"``, ``"published"`` or ``"contractor"``), ``org``,
        ``org_name``, ``years``, ``respondents`` by year (None where there are too few to say),
        ``source``, ``synthetic``, ``survey``, ``title``; ``results``, in words, if not of
        respondents.
    quality
        What reading the extract found, as counts; None for published results.
    banner
        One line on what was done to protect respondents.
    protection
        What was hidden and what the audit proved, in sentences.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> release = ca.build_release(ca.load_sample(2024))
    >>> release.topics[:2]
    ('headline', 'stress')
    >>> release["bullying", "ethnicity"].unique("group")
    ['White', 'All other ethnic groups combined']
    """

    rule: Rule
    about: Mapping[str, Any]
    quality: pd.DataFrame | None = None
    banner: str = BANNER
    protection: tuple[str, ...] = ()
    _tables: Mapping[str, Estimates] = field(default_factory=dict)
    _answers: Mapping[str, Estimates] = field(default_factory=dict)

    def __repr__(self) -> str:
        rows = sum(len(e) for e in (*self._tables.values(), *self._answers.values()))
        return (
            f"<Release {self.about['title']}: {len(self._tables)} topics, {rows:,} rows; "
            f"rule {self.rule.name}. {self.banner}.>"
        )

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics with tables, in order."""
        return tuple(self._tables)

    @property
    def years(self) -> tuple[int, ...]:
        """Survey years, ascending."""
        return tuple(self.about["years"])

    def breakdowns(self, topic: str) -> tuple[str, ...]:
        """Breakdowns of a topic with at least one group that was asked about."""
        estimates = self._topic(topic)
        return tuple(b for b in estimates.unique("breakdown") if b != OVERALL)

    def units(self) -> tuple[str, ...]:
        """Unit columns the release has tables for."""
        return tuple(self.about.get("units", ()))

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple) or len(key) != 2:
            return False
        topic, breakdown = key
        return topic in self._tables and breakdown in self._tables[topic].unique("breakdown")

    def __getitem__(self, key: tuple[str, str] | str) -> Estimates:
        """The table of a topic by a breakdown (``"overall"`` for everyone), or a whole topic."""
        if isinstance(key, str):
            return self._topic(key)
        topic, breakdown = key
        estimates = self._topic(topic)
        if breakdown not in estimates.unique("breakdown"):
            raise MeasureError(
                f"The release has no table of {topic!r} by {breakdown!r}. "
                f"It has: {', '.join(map(str, estimates.unique('breakdown')))}."
            )
        return estimates.select(breakdown=breakdown)

    def answers(self, topic: str) -> Estimates:
        """Answer distributions of a topic, everyone together."""
        if topic not in self._answers:
            raise MeasureError(
                f"The release has no answers for {topic!r}. "
                f"It has: {', '.join(self._answers) or 'none'}."
            )
        return self._answers[topic]

    def has_answers(self, topic: str) -> bool:
        """Whether the release holds answer distributions of a topic."""
        return topic in self._answers

    def _topic(self, topic: str) -> Estimates:
        if topic not in self._tables:
            raise MeasureError(
                f"The release has no topic {topic!r}. It has: {', '.join(self.topics) or 'none'}."
            )
        return self._tables[topic]

    def _with(self, topic: str, made: Estimates) -> Release:
        """With this in a topic's place, hidden where a figure it rests on is."""
        tables = {**self._tables, topic: made}
        return replace(self, _tables=_without_orphans(tables) if self.rule.base_under else tables)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every protected row, with its topic, in one table."""
        parts = []
        for kind, tables in self._kinds():
            for topic, estimates in tables.items():
                part = estimates.table
                part.insert(0, "topic", topic)
                part.insert(1, "kind", kind)
                parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def _kinds(self) -> tuple[tuple[str, Mapping[str, Estimates]], ...]:
        return (MEASURES, self._tables), (ANSWERS, self._answers)

    def _estimates(self) -> list[Estimates]:
        """Everything in it, table by table."""
        return [*self._tables.values(), *self._answers.values()]

    def hidden(self) -> dict[str, int]:
        """How many rows each status has, over the whole release."""
        return {str(k): int(v) for k, v in self.table["status"].value_counts().items()}

    def save(self, path: str | Path) -> Path:
        """Write the protected tables to one file (a zip of parquet and json).

        Nothing hidden is in it. `load_release` opens it, also as ``extract`` in the notebooks.

        Raises
        ------
        ReportError
            The file cannot be written; one that was there stays as it was.
        """
        path = Path(path)
        meta = {
            "format": _FORMAT,
            "about": dict(self.about),
            "banner": self.banner,
            "protection": list(self.protection),
            "together": {
                kind: [t for t, e in tables.items() if e._suppressed_together]
                for kind, tables in self._kinds()
            },
            "rule": asdict(self.rule),
            "notes": {
                kind: {t: list(e.notes) for t, e in tables.items()}
                for kind, tables in self._kinds()
            },
            "organisations": {
                kind: {t: _organisation_records(e) for t, e in tables.items()}
                for kind, tables in self._kinds()
            },
        }
        with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("release.json", json.dumps(meta))
            z.writestr("table.parquet", _parquet(self.table))
            if self.quality is not None:
                z.writestr("quality.parquet", _parquet(self.quality))
        return path


def load_release(path: str | Path) -> Release:
    """Open a file written by `Release.save`.

    Raises
    ------
    DisclosureError
        The file is not a saved release.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as z:
            meta = json.loads(z.read("release.json"))
            table = _from_parquet(z.read("table.parquet"))
            quality = (
                _from_parquet(z.read("quality.parquet"))
                if "quality.parquet" in z.namelist()
                else None
            )
    except PermissionError:
        raise DisclosureError(
            f"{path.name} cannot be opened: another program has it open, or you may not read it. "
            "Close it there and run this again."
        ) from None
    except (OSError, KeyError, zipfile.BadZipFile, json.JSONDecodeError) as error:
        raise DisclosureError(
            f"{path.name} is not a saved release. Releases are written by release.save(path)."
        ) from error
    rule = Rule(**meta["rule"])

    def one(kind: str, topic: str) -> Estimates:
        rows = table[(table["kind"] == kind) & (table["topic"] == topic)].reset_index(drop=True)
        if topic in meta.get("together", {}).get(kind, ()):
            rows[HIDE] = rows["status"].eq("suppressed").to_numpy(dtype=bool)
        return Estimates(
            rows,
            rule=rule,
            organisations=_organisations_of(meta, kind, topic),
            notes=meta["notes"][kind].get(topic, ()),
            view=True,
        )

    def tables(kind: str) -> dict[str, Estimates]:
        topics = map(str, pd.unique(table.loc[table["kind"] == kind, "topic"]))
        return {topic: one(kind, topic) for topic in topics}

    return Release(
        rule=rule,
        about=meta["about"],
        quality=quality,
        banner=meta["banner"],
        protection=tuple(meta.get("protection", ())),
        _tables=tables(MEASURES),
        _answers=tables(ANSWERS),
    )


def build_release(
    data: Survey | Estimates,
    *,
    tables: str | Path | Mapping[str, Any] = "standard",
    rule: str | Rule = "default",
    published: Estimates | None = None,
    seconds: float | None = None,
    model: CultureModel | None = None,
) -> Release:
    """All the tables of a report at once.

    Parameters
    ----------
    data
        Respondents, or published results of one organisation (or England): the tables their data
        allow.
    tables
        ``"standard"``, the path of a TOML file like ``release.toml``, or its content.
    rule
        Disclosure rule. Published results keep their publisher's unless this one is stricter
        than the default.
    published
        Published results to stand beside respondents' (England and the organisation's own row).
    seconds
        Time to prove crossings in; what is not proved by then is left out whole and named in
        `Release.protection`. Default: as long as it takes, and the same result everywhere.
    model
        Model of culture that the culture tables follow (`load_culture_model`); default the
        package's own.

    Raises
    ------
    MeasureError
        A table asks for an unknown measure or breakdown, or nothing can be shown.
    DisclosureError
        Published results of several organisations without a choice of one; or tables in which a
        hidden figure could still be worked out.
    """
    definition = _definition(tables)
    if isinstance(data, Survey):
        return _from_survey(data, definition, load_rule(rule), published, seconds, model)
    return _from_published(_at_least(data, load_rule(rule)), definition, published)


def _definition(tables: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(tables, Mapping):
        return tables
    with (DATA / "release.toml").open("rb") as f:
        shipped: dict[str, Any] = tomllib.load(f)
    if isinstance(tables, str) and tables in shipped:
        found: Mapping[str, Any] = shipped[tables]
        return found
    path = Path(tables)
    if not path.is_file():
        raise MeasureError(
            f"No set of tables {str(tables)!r}; there are: {', '.join(shipped)}, "
            "or give the path of a TOML file."
        )
    with path.open("rb") as f:
        own = tomllib.load(f)
    return own if "tables" in own else next(iter(own.values()))


def _at_least(published: Estimates, rule: Rule) -> Estimates:
    """Published results under a rule stricter than the usual one, if such a rule is asked for."""
    if rule.base_under <= max(published.rule.base_under, load_rule("default").base_under):
        return published
    return published._with(published._frame, rule)


def _from_survey(
    survey: Survey,
    definition: Mapping[str, Any],
    rule: Rule,
    published: Estimates | None,
    seconds: float | None,
    model: CultureModel | None,
) -> Release:
    from culture_analytics.diagnose.leaving import diagnosis_topics
    from culture_analytics.inclusion_leaving import inclusion, table_of
    from culture_analytics.standards import with_senior_band

    survey = with_senior_band(survey)
    if model is not None:
        survey = replace(survey, instrument=model.extend(survey.instrument))
    tables: dict[tuple[str, str], Estimates] = {}
    for table in definition["tables"]:
        figures = table_of(survey, table, rule)
        if figures is not None:
            _add(tables, (MEASURES, table["topic"]), figures)
    for a in definition.get("answers", ()):
        tables[ANSWERS, a["topic"]] = calculate_answers(survey, a["items"], rule=rule)
    banner = UNPROTECTED
    protection: tuple[str, ...] = (f"Nothing was hidden: {rule.reason}.",)
    if rule.base_under:
        tables, report = suppress_together(tables, instrument=survey.instrument, seconds=seconds)
        banner, protection = BANNER, report.sentences()
    found = _of_kind(tables, MEASURES)
    compared = _with_comparisons(found, survey.orgs, published, rule)
    found = {
        **compared,
        **inclusion(found, survey=survey, published=published, orgs=survey.orgs, rule=rule),
        **diagnosis_topics(compared, survey, rule=rule, model=model),
    }
    return Release(
        rule=rule,
        about=_about_survey(survey, rule) | _about_model(found, model),
        quality=_protected_counts(_quality_table(survey.quality), survey, rule),
        banner=banner,
        protection=protection,
        _tables=_without_orphans(found) if rule.base_under else found,
        _answers=_of_kind(tables, ANSWERS),
    )


def _without_orphans(tables: dict[str, Estimates]) -> dict[str, Estimates]:
    """Hide what is made of a figure that is hidden anywhere in the release."""
    frame = pd.concat([e._frame for e in tables.values()], ignore_index=True)
    hide = np.concatenate([e._hidden for e in tables.values()])
    parts = np.split(hide | orphans(frame, hide), np.cumsum([len(e) for e in tables.values()])[:-1])
    return {
        topic: e._hiding(part) if e._has(source="extract") else e
        for (topic, e), part in zip(tables.items(), parts, strict=True)
    }


def _add(tables: dict[Name, Estimates], topic: Name, figures: Estimates) -> None:
    """Put figures in a topic's table, after those it has: a topic may have several tables."""
    tables[topic] = concat([tables[topic], figures]) if topic in tables else figures


def _of_kind(tables: Mapping[tuple[str, str], Estimates], kind: str) -> dict[str, Estimates]:
    return {topic: estimates for (k, topic), estimates in tables.items() if k == kind}


def _with_comparisons(
    found: dict[str, Estimates], orgs: Sequence[str], published: Estimates | None, rule: Rule
) -> dict[str, Estimates]:
    """The tables with what they are compared with; see `compare.leaving`."""
    from culture_analytics.compare.leaving import comparisons, without_pulse

    compared = comparisons(found, published, orgs=orgs, rule=rule)
    annual = without_pulse(published)
    if annual is not None:
        found = {**found, "published": _beside(orgs, annual, rule)}
    return {**found, **compared}


def _beside(held: Sequence[str], published: Estimates, rule: Rule) -> Estimates:
    """Published overall figures of England and of the organisations held."""
    orgs = [o for o in dict.fromkeys(("ENG", *held)) if published._has(org=o)]
    if not orgs or not published._has(org=orgs, breakdown=OVERALL, answer=""):
        raise MeasureError(
            "The published results hold neither England nor this organisation "
            f"({', '.join(held[:5])}). Check the workbook, or leave it out."
        )
    chosen = published.select(org=orgs, breakdown=OVERALL, answer="")
    return chosen._with(chosen._frame, rule)


def _from_published(
    data: Estimates, definition: Mapping[str, Any], published: Estimates | None = None
) -> Release:
    orgs = data.unique("org")
    if len(orgs) > 1:
        raise DisclosureError(
            f"The published results hold {len(orgs)} organisations. Choose one first: "
            "published.select(org='...')."
        )
    from culture_analytics.diagnose.leaving import published_topics
    from culture_analytics.inclusion_leaving import inclusion

    instrument = load_instrument()
    units = _published_units(instrument, data)
    found: dict[str, Estimates] = {}
    for table in definition["tables"]:
        if "years" in table:  # of respondents alone
            continue
        wanted = [m.id for m in instrument.resolve_measures(table["measures"])]
        groups = table.get("published_by", table["by"])
        by = [OVERALL, *_published_breakdowns(instrument, data, groups, units)]
        if data._has(measure=wanted, breakdown=by, answer=""):
            chosen = data.select(measure=wanted, breakdown=by, answer="")
            _add(found, table["topic"], _in_order(chosen, wanted))
    answers = {}
    for spec in definition.get("answers", ()):
        rows = data._frame["measure"].isin(spec["items"]) & data._frame["answer"].ne("")
        rows &= data._frame["breakdown"].eq(OVERALL)
        if rows.any():
            answers[spec["topic"]] = data._rows(rows.to_numpy())
    if not found:
        raise MeasureError("The published results hold none of the release's measures.")
    of_groups = inclusion(
        found, survey=None, published=published, orgs=list(map(str, orgs)), rule=data.rule
    )
    compared = _with_comparisons(found, orgs, published, data.rule)
    found = {**compared, **of_groups, **published_topics(compared)}
    about = {**_about_published(data, str(orgs[0])), "units": units}
    return Release(
        rule=data.rule,
        banner=CONTRACTOR if about["kind"] == "contractor" else PUBLISHED_BANNER,
        about=about,
        _tables=found,
        _answers=answers,
    )


def _in_order(estimates: Estimates, measures: Sequence[str]) -> Estimates:
    """Rows in the order of the measures asked for, not of the workbook's sheets."""
    place = {m: i for i, m in enumerate(measures)}
    frame = estimates._frame
    frame = frame.iloc[frame["measure"].map(place).argsort(kind="stable")].reset_index(drop=True)
    return estimates._with(frame)


def _published_breakdowns(
    instrument: Instrument, data: Estimates, by: Sequence[str], units: Sequence[str]
) -> list[str]:
    there = data.unique("breakdown")
    names = [
        i for b in by for i in (units if b == "units" else instrument.breakdown_ids(b) or (b,))
    ]
    return [b for b in dict.fromkeys(names) if b in there]


def _published_units(instrument: Instrument, data: Estimates) -> list[str]:
    """A contractor's breakdowns of the organisation's own, such as directorates."""
    if not data._has(source="contractor"):
        return []
    known = {OVERALL, *instrument.breakdowns}
    return [str(b) for b in data.unique("breakdown") if b not in known]


def _about_survey(survey: Survey, rule: Rule) -> dict[str, Any]:
    counts = survey.responses["year"].value_counts().sort_index()
    held = np.asarray(counts, dtype=np.float64)
    people = round_people(held, rule.round_base)
    org = survey.orgs[0] if len(survey.orgs) == 1 else "all"
    name = survey.names.get(org, org) if org != "all" else f"{len(survey.orgs)} organisations"
    years = [int(y) for y in survey.years]
    return {
        "kind": "extract",
        "org": org,
        "org_name": name,
        "years": years,
        "respondents": {
            # 11 people are enough to say so, also where they are rounded to 10.
            str(y): int(shown) if n >= rule.base_under else None
            for y, n, shown in zip(counts.index, held, people, strict=True)
        },
        "units": list(survey.units),
        "parents": _parents(survey),
        "source": survey.source,
        "synthetic": survey.synthetic,
        "survey": ANNUAL,
        "title": f"{name}, {ANNUAL} {_span(years)}",
    }


def _parents(survey: Survey) -> dict[str, dict[str, list[str]]]:
    """For each smaller unit column, which larger unit or units each unit lies in, latest year."""
    responses = survey.responses
    latest = responses[responses["year"].eq(responses["year"].max())]
    return {
        column: {u: [up] if isinstance(up, str) else list(up) for u, up in above.items()}
        for column, (larger, above) in unit_tree(survey.units, latest).items()
        if larger
    }


def _about_published(data: Estimates, org: str) -> dict[str, Any]:
    name = "England" if org == "ENG" else org
    table = data.organisations
    if table is not None and (table["org"] == org).any():
        name = str(table.loc[table["org"] == org, "name"].iloc[0])
    years = sorted(int(y) for y in data.unique("year"))
    synthetic = any("synthetic" in n.lower() for n in data.notes)
    kind = "contractor" if data._has(source="contractor") else "published"
    quarterly = bool(data._frame["source"].eq("pulse").all())
    survey = QUARTERLY if quarterly else ANNUAL
    return {
        "kind": kind,
        "results": RESULTS[kind],
        "survey": survey,
        "org": org,
        "org_name": name,
        "years": years,
        "respondents": {},
        "units": [],
        "source": ", ".join(map(str, data.unique("release"))),
        "synthetic": synthetic,
        "title": f"{name}, {survey} {_span(years)} ({RESULTS[kind]})",
    }


def _about_model(tables: Mapping[str, Estimates], model: CultureModel | None) -> dict[str, Any]:
    """Which model of culture the tables follow."""
    from culture_analytics.diagnose.model import load_culture_model

    if "culture" not in tables:
        return {}
    model = model or load_culture_model()
    return {"culture_model": {"id": model.id, "version": model.version, "digest": model.digest}}


def _span(years: Sequence[int]) -> str:
    return str(years[0]) if len(years) == 1 else f"{years[0]}-{years[-1]}"


def _quality_table(quality: Any) -> pd.DataFrame | None:
    reports = [q for q in (quality if isinstance(quality, list) else [quality]) if q is not None]
    tables = [r.table for r in reports]
    return pd.concat(tables, ignore_index=True) if tables else None


def _protected_counts(
    quality: pd.DataFrame | None, survey: Survey, rule: Rule
) -> pd.DataFrame | None:
    """The findings of reading, under the rule: their counts are of people too.

    A count of fewer people than the rule shows figures of is missing. Under a rule that rounds
    all counts are rounded.
    """
    if quality is None or survey.responses["year"].value_counts().min() < rule.base_under:
        return None
    counts = np.asarray(quality["count"], dtype=np.float64)
    few = ~quality["check"].isin(NOT_OF_ANSWERS) & quality["count"].lt(rule.base_under)
    if rule.rounds:
        counts = round_people(counts, rule.round_base)
    shown = pd.Series(counts, index=quality.index).astype("Int64").mask(few)
    kept = quality.assign(count=shown)
    return kept.assign(detail="") if rule.rounds else kept  # the details repeat the counts


def _organisation_records(estimates: Estimates) -> list[dict[str, str]]:
    """Names of the organisations that have rows, as json takes them."""
    table = estimates.organisations
    if table is None:
        return []
    held = table[table["org"].isin(estimates.unique("org"))].astype(object)
    filled = held.where(held.notna(), "").to_dict("records")
    return [{str(k): str(v) for k, v in record.items()} for record in filled]


def _organisations_of(meta: Mapping[str, Any], kind: str, topic: str) -> pd.DataFrame | None:
    records = meta.get("organisations", {}).get(kind, {}).get(topic)
    return pd.DataFrame(records) if records else None


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _from_parquet(content: bytes) -> pd.DataFrame:
    import pyarrow as pa

    return pd.read_parquet(pa.BufferReader(in_arrow(content)))
