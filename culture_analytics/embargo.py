"""The embargo: a date before which results may not be shared, printed wherever they go."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from culture_analytics.errors import ReportError
from culture_analytics.estimates import EMBARGOED, Estimates

if TYPE_CHECKING:
    from culture_analytics.disclosure.release import Release

__all__ = ["EMBARGOED", "embargo_text", "embargoed"]

# Whatever language the machine speaks.
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def embargo_text(embargo: str | date) -> str:
    """Give the words of an embargo.

    Parameters
    ----------
    embargo
        ``"2026-03-12"``, with a time ``"2026-03-12 09:30"``, or a date.

    Returns
    -------
    str
        As ``"EMBARGOED until 9:30 on 12 March 2026"``.

    Raises
    ------
    ReportError
        It is not a date.

    Examples
    --------
    >>> embargo_text("2026-03-12")
    'EMBARGOED until 12 March 2026'
    """
    if isinstance(embargo, date):
        found = embargo
    else:
        text = str(embargo).strip()
        try:
            found = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        except ValueError:
            raise ReportError(
                f"embargo={text!r} is not a date. Write year, month, day: embargo='2026-03-12', "
                "or with a time: '2026-03-12 09:30'."
            ) from None
    day = f"{found.day} {MONTHS[found.month - 1]} {found.year}"
    if isinstance(found, datetime):
        day = f"{found.hour}:{found.minute:02d} on {day}"
    return EMBARGOED + day


def embargoed(release: Release, embargo: str | date | None) -> Release:
    """Put a release under embargo: its banner, and a note with every table.

    Parameters
    ----------
    release
        The protected tables.
    embargo
        As for `embargo_text`; None or an empty text leaves the release as it is.

    Returns
    -------
    Release
        With ``about["embargo"]``. An embargo it was under before is replaced.

    Raises
    ------
    ReportError
        It is not a date.
    """
    if embargo is None or embargo == "":
        return release
    said = embargo_text(embargo)
    before = release.about.get("embargo")
    banner = release.banner.removeprefix(f"{before}. ") if before else release.banner

    def under(estimates: Estimates) -> Estimates:
        kept = [n for n in estimates.notes if not n.startswith(EMBARGOED)]
        return Estimates(
            estimates._frame,
            rule=estimates.rule,
            organisations=estimates.organisations,
            notes=[f"{said}: not to be shared before", *kept],
            origin=estimates._origin,
            view=estimates._is_view,
        )

    return replace(
        release,
        about={**release.about, "embargo": said},
        banner=f"{said}. {banner}",
        _tables={topic: under(e) for topic, e in release._tables.items()},
        _answers={topic: under(e) for topic, e in release._answers.items()},
    )
