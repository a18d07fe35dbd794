"""What notebooks show of who answered: staff in post beside the numbers of answers shown.

Like `culture_analytics.output.show`, whose names these are too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from culture_analytics.disclosure.release import Release
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.errors import DesignError
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.output import show
from culture_analytics.output.blocks import Block, Table, says_embargo
from culture_analytics.response import NOT_KNOWN, read_staff, small_groups

__all__ = ["who_answered", "with_staff"]

TOPICS = ("stress", "bullying", "discrimination")  # whose questions are put to everyone
NO_LIST = (
    "Who answered, compared with all staff, can be shown beside a list of staff in post: a csv "
    "with the columns breakdown, group, staff, given as staff."
)
ANSWERED = (
    "Answered: people who answered the question most answered in the group, among the figures that "
    "may be shown. A few more opened the survey. Staff say for themselves which group they are in; "
    "the staff list may say another."
)


def with_staff(release: Release, staff: str | Path | pd.DataFrame | None) -> Release:
    """The release with a list of staff in post beside it.

    Only numbers of answers that are shown anyway are set against the list, so it gives nothing
    hidden away.

    Parameters
    ----------
    release
        The protected tables.
    staff
        As for `culture_analytics.response.read_staff`; None leaves the release as it is.

    Returns
    -------
    Release
        With ``about["staff"]``. A breakdown in which more people of a group answered than the
        list holds is left out and named in ``about["staff_left_out"]``: staff records often hold
        fewer people with a long-term condition than say so themselves.

    Raises
    ------
    DesignError
        The list cannot be used, or no breakdown of it fits the answers.
    """
    if staff is None or (isinstance(staff, str) and not staff.strip()):
        return release
    counts = read_staff(staff)
    left_out = {}
    for breakdown, block in counts.groupby("breakdown", sort=False):
        bases = _answered(release, str(breakdown))
        over = [str(r["group"]) for r in show._rows(block)
                if bases.get(r["group"], 0.0) > r["staff"]]  # fmt: skip
        if over:
            left_out[str(breakdown)] = over
    kept = counts[~counts["breakdown"].isin(list(left_out))]
    if OVERALL in left_out or kept.empty:
        breakdown, over = next(iter(left_out.items()))
        raise DesignError(
            f"{breakdown}: more answers than staff in {', '.join(map(repr, over))}. Check that the "
            "staff list is of this organisation and of the same date, and uses the survey's groups."
        )
    told = {"staff": kept.to_dict("records"), "staff_left_out": left_out}
    return replace(release, about={**release.about, **told})


@says_embargo
def who_answered(release: Release) -> Block:
    """Table of staff in post and answers by group: response rate, and both mixes.

    Parameters
    ----------
    release
        The protected tables, opened with ``staff``.
    """
    if not release.about.get("staff"):
        return show._cannot(NO_LIST)
    counts = pd.DataFrame(release.about["staff"])
    least, sections, lacking, symbol = release.rule.base_under, [], [], SYMBOLS["suppressed"]
    for breakdown, block in counts.groupby("breakdown", sort=False):
        bases = _answered(release, str(breakdown))
        if not bases:
            lacking.append(show._lower(show._breakdown(str(breakdown))))
            continue
        named = block[block["group"].ne(NOT_KNOWN)]
        staff, people = named["staff"].sum(), sum(bases.get(g, 0.0) for g in named["group"])
        whole = all(g in bases for g in named["group"])
        # Where few staff stand alone, all less the others would say how many they are.
        hidden = small_groups(named["staff"].to_numpy(dtype=np.float64), 0, release.rule)
        rows = []
        for r, hide in zip(show._rows(named), hidden, strict=True):
            answered, many = bases.get(r["group"], np.nan), float(r["staff"])
            few = np.isnan(answered) or many < least
            rows.append([
                str(r["group"]),
                symbol if hide else f"{many:,.0f}",
                symbol if few else f"{answered:,.0f}",
                symbol if few or hide else f"{100 * answered / many:.0f}%",
                symbol if hide else f"{100 * many / staff:.1f}%",
                f"{100 * answered / people:.1f}%" if whole and not few else "",
            ])  # fmt: skip
        title = "" if breakdown == OVERALL else show._breakdown(str(breakdown))
        sections.append((title, rows))
    if not sections:
        return show._cannot(f"These results are not divided by {show._either(lacking)}.")
    any_hidden = any(cell == symbol for _, rows in sections for row in rows for cell in row)
    return Table(
        f"Who answered, {release.about['org_name']}, {_year(release)}",
        ["Group", "Staff in post", "Answered", "Response rate", "Share of staff",
         "Share of those who answered"],
        sections,
        notes=[
            *([f"{symbol} {show.STATUS_WORDS['suppressed']}."] if any_hidden else []),
            ANSWERED,
            *([f"Not in these results: {show._either(lacking)}."] if lacking else []),
            *_left_out(release),
        ],
    )  # fmt: skip


def _left_out(release: Release) -> list[str]:
    """Breakdowns of the list that do not fit what people say of themselves."""
    return [
        f"{show._breakdown(breakdown)} is left out: more people answered as "
        f"{' and '.join(map(repr, groups))} than the staff list holds. Staff records often hold "
        "fewer people than say so themselves."
        for breakdown, groups in release.about.get("staff_left_out", {}).items()
    ]


def _year(release: Release) -> int:
    return max(release.years)


def _answered(release: Release, breakdown: str) -> dict[str, float]:
    """By group the largest number of answers shown, of the latest year."""
    found: dict[str, float] = {}
    for topic in TOPICS:
        if topic not in release.topics:
            continue
        table = release[topic].table
        keep = table["breakdown"].eq(breakdown) & table["year"].eq(_year(release))
        keep &= table["org"].eq(release.about["org"]) & table["status"].eq("ok")
        for group, base in table[keep].groupby("group", observed=True)["base"].max().items():
            found[str(group)] = max(found.get(str(group), 0.0), float(base))
    return found
