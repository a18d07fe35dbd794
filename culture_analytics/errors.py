"""Every error this library raises on purpose.

A message says what is wrong, where, how many times, and what to do. It names files, sheets,
columns, question numbers, answer labels and counts; it never holds a respondent's values.
"""

from __future__ import annotations

__all__ = [
    "AdjustmentError",
    "CultureAnalyticsError",
    "DesignError",
    "DisclosureError",
    "ExtractError",
    "InstrumentError",
    "MeasureError",
    "PublishedError",
    "PublishedWarning",
    "ReportError",
    "TrackerError",
]


class CultureAnalyticsError(Exception):
    """Base class of the library's own errors: catch it to catch them all."""


class InstrumentError(CultureAnalyticsError):
    """The questionnaire's definition files contradict themselves."""


class ExtractError(CultureAnalyticsError):
    """A respondent-level extract cannot be read as it stands."""


class PublishedError(CultureAnalyticsError):
    """A published results workbook cannot be read as it stands."""


class MeasureError(CultureAnalyticsError):
    """A measure, breakdown or group was asked for that does not exist or does not apply."""


class DesignError(CultureAnalyticsError):
    """Weights, strata or populations cannot be used as given."""


class AdjustmentError(CultureAnalyticsError):
    """A model cannot be fitted to these answers: too few, collinear, or split completely."""


class DisclosureError(CultureAnalyticsError):
    """What was asked for would go round the protection of respondents."""


class ReportError(CultureAnalyticsError):
    """A report cannot be written as asked."""


class TrackerError(CultureAnalyticsError):
    """An improvement tracker cannot be read as it stands."""


class PublishedWarning(UserWarning):
    """Part of a published workbook is defective or not known; it was left out by name."""
