"""A short pack for each unit: an HTML file each, and an index page.

All packs are taken from one Release, whose tables were protected and attacked together, so that
nothing hidden in one can be worked out from the others. No notebook is run for them.
"""

from __future__ import annotations

import hashlib
import html
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from culture_analytics.diagnose.tracker import Tracker
from culture_analytics.disclosure.release import Release
from culture_analytics.errors import ReportError
from culture_analytics.files import file_name
from culture_analytics.output.pages import block_html
from culture_analytics.output.unit_blocks import (
    BETTER,
    CULTURE,
    HEADLINE,
    SCORES,
    WORSE,
    Unit,
    Units,
)
from culture_analytics.progress import progress

__all__ = ["INDEX", "WRITTEN", "make_packs", "pack_files", "take_over", "unit_column"]

INDEX = "index.html"
WRITTEN = "packs_written.json"
SUFFIX = ".html"

NOT_TOLD = {
    "table": "Each figure is of the people here who answered. The interval beside it says how far "
    "the figure of everyone here may lie from it. Units differ also because their work and their "
    "people differ.",
    "culture": "The elements are this project's proposal of which questions speak to which part of "
    "culture. A score is the mean of the answers' points, 10 always best.",
    "smaller": "Orange is worse and blue better than all staff; a triangle marks a difference that "
    "is more than chance in that figure alone. The smaller the team, the more a figure moves by "
    "luck. In a small team people may guess who is meant: handle with care.",
}


@dataclass(frozen=True)
class Section:
    """A question of a pack, and what answers it.

    Attributes
    ----------
    id, title : str
        Anchor, and the question.
    body : str
        HTML.
    """

    id: str
    title: str
    body: str


def unit_column(release: Release, each: str) -> str:
    """The unit column that packs are made for.

    Parameters
    ----------
    release
        The protected tables.
    each
        ``"directorate"`` for the largest units, ``"team"`` for the smallest, whatever the extract
        calls them, or the name of a unit column.

    Raises
    ------
    ReportError
        The release is not divided by it.
    """
    units = release.units()
    if each in ("directorate", "team") and units and each not in units:
        return units[0] if each == "directorate" else units[-1]
    if each in units and (HEADLINE, each) in release:
        return each
    there = f"It is divided by: {', '.join(units)}." if units else "It is not divided by units."
    raise ReportError(
        f"each={each!r}: there is no pack for each of these. {there} Packs need an extract with a "
        "column for directorates, departments or teams."
    )


def pack_files(names: Sequence[str]) -> dict[str, str]:
    """A file name for each unit: fit for every system, and no two alike anywhere.

    Parameters
    ----------
    names
        Names of units.

    Returns
    -------
    dict of str to str
        Unit to file name, also where two names differ in their case, accents' spelling or forbidden
        characters alone.

    Examples
    --------
    >>> pack_files(["Ward 1/2", "ward 1:2", "Index"])
    {'Ward 1/2': 'Ward 1_2.html', 'ward 1:2': 'ward 1_2 (2).html', 'Index': 'Index (2).html'}
    """
    taken = {_alike(INDEX)}
    found = {}
    for name in names:
        stem = file_name(unicodedata.normalize("NFC", name))
        chosen, number = stem + SUFFIX, 1
        while _alike(chosen) in taken:
            number += 1
            chosen = f"{stem} ({number}){SUFFIX}"
        taken.add(_alike(chosen))
        found[name] = chosen
    return found


def _alike(name: str) -> str:
    """What a file system that minds neither case nor the spelling of accents sees."""
    return unicodedata.normalize("NFKC", name).casefold()


def take_over(stage: Path, folder: Path, *, about: str = "") -> list[str]:
    """Note which packs are written into a folder, and find those of earlier runs to remove.

    A pack that was not protected together with the others must not lie among them. One is known by
    the list that the run before left, and only if its content is still what was written: a file of
    another name, or one that somebody changed, is never touched.

    Parameters
    ----------
    stage
        Folder with the new packs; the list is written into it.
    folder
        Folder that they go into.
    about
        Words to print in the list, such as an embargo.

    Returns
    -------
    list of str
        Names of packs in `folder` to remove.
    """
    new = {f.name: _digest(f) for f in stage.glob("*" + SUFFIX) if f.name != INDEX}
    old = {
        name: digest
        for name, digest in _written(folder).items()
        if name not in new and _digest(folder / name) == digest
    }
    said = {
        "about": " ".join(filter(None, [
            "Packs that culture_analytics wrote into this folder: the next run removes those "
            "that it does not write again. Not to be handed out.", about])),
        # Those to be removed too, so that a run that is killed before does not forget them.
        "packs": {**old, **new},
    }  # fmt: skip
    text = json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True)
    (stage / WRITTEN).write_text(text + "\n", encoding="utf-8", newline="\n")
    return sorted(old)


def _written(folder: Path) -> dict[str, str]:
    """Names and digests of the packs that an earlier run noted; none where there is no list."""
    try:
        packs = json.loads((folder / WRITTEN).read_text(encoding="utf-8"))["packs"]
        # A list that somebody edited must not lead to a file of another folder.
        return {
            name: digest for name, digest in packs.items()
            if Path(name).name == name and name.endswith(SUFFIX) and name != INDEX
        }  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _digest(file: Path) -> str:
    """Of a plain file's content; nothing of a link or of what cannot be read."""
    try:
        return "" if file.is_symlink() else hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def make_packs(
    release: Release, each: str, *, date: str | None = None, tracker: Tracker | None = None
) -> dict[str, bytes]:
    """The packs of all units, and their index.

    Parameters
    ----------
    release
        The protected tables.
    each
        As for `unit_column`.
    date
        A date or other words to print.
    tracker
        An improvement tracker: each pack shows the actions of its unit.

    Returns
    -------
    dict of str to bytes
        File name to content; the index last.

    Raises
    ------
    ReportError
        The release is not divided by it, or has no unit.
    """
    units = Units(release, unit_column(release, each))
    if not units.names:
        raise ReportError(f"each={each!r}: no unit answered in {units.year}.")
    from culture_analytics.output.report import report_environment

    environment = report_environment()
    pack, index = environment.get_template("pack.html"), environment.get_template("packs.html")
    files = pack_files(units.names)
    common = {**_common(release, date), "index": INDEX}
    made: dict[str, bytes] = {}
    listed: list[Mapping[str, Any]] = []
    for name in progress(units.names, "Making packs", len(units.names)):
        unit = units.unit(name)
        made[files[name]] = pack.render(
            **common,
            name=name,
            word=units.word,
            year=units.year,
            shown=unit.shown,
            sections=list(_sections(unit, tracker)),
        ).encode("utf-8")
        listed.append({"name": name, "file": quote(files[name]), **_listed(unit)})
    made[INDEX] = index.render(**common, word=units.word, year=units.year, packs=listed).encode(
        "utf-8"
    )
    return made


def _common(release: Release, date: str | None) -> dict[str, Any]:
    from culture_analytics import __version__

    return {
        "about": release.about,
        "banner": release.banner,
        "synthetic": bool(release.about.get("synthetic")),
        "rule": release.rule,
        "protection": release.protection,
        "date": date,
        "version": __version__,
    }


def _listed(unit: Unit) -> dict[str, Any]:
    """What the index says of a unit."""
    if not unit.shown:
        return {"shown": False, "answers": "", "worse": "", "better": "", "hidden": ""}
    hidden, every = unit.hidden
    return {
        "shown": True,
        "answers": f"{unit.answers:,}",
        "worse": str(unit.counts[WORSE]),
        "better": str(unit.counts[BETTER]),
        "hidden": f"{hidden} of {every}",
    }


def _sections(unit: Unit, tracker: Tracker | None) -> Iterator[Section]:
    """The questions of a pack with their answers."""
    if not unit.shown:
        yield _section("about", "Which unit is this?", unit.about(), unit.too_small())
        return
    yield _section("short", "In short", unit.about(), unit.in_short())
    yield _section(
        "headline", "How do we compare with the organisation?", unit.chart(),
        *(unit.table(t) for t in unit.units.topics if t == HEADLINE), told="table",
    )  # fmt: skip
    for topic, question in (
        (CULTURE, "What is our culture like?"),
        (SCORES, "How do the scores look?"),
    ):
        if topic in unit.units.figures:
            told = "culture" if topic == CULTURE else "table"
            yield _section("culture", question, unit.table(topic), told=told)
    yield _section("spots", "What stands out?", unit.stands_out())
    if unit.units.below:
        yield _section("smaller", "How do our teams look?", unit.smaller(), told="smaller")
    yield _section("changed", "What changed since last year?", unit.changed())
    actions = unit.actions(tracker)
    if actions is not None:
        yield _section("actions", "What was said, what was done, and did it show?", actions)
    yield _section("next", "What to do next?", unit.next_steps())
    yield _section("hidden", "What is hidden, and why?", unit.what_is_hidden())


def _section(anchor: str, title: str, *blocks: object, told: str = "") -> Section:
    parts = [block_html(b) for b in blocks]
    if told:
        parts.append(
            "<p><strong>What this does and does not tell you.</strong> "
            f"{html.escape(NOT_TOLD[told], quote=False)}</p>"
        )
    return Section(anchor, title, "\n".join(parts))
