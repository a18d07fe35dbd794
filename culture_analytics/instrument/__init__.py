"""The NHS Staff Survey questionnaire, 2018-2025, as data."""

from culture_analytics.instrument.loader import list_measures, load_instrument
from culture_analytics.instrument.model import (
    Breakdown,
    Gate,
    Group,
    Instrument,
    Item,
    Measure,
    Question,
    Scale,
    Score,
)

__all__ = [
    "Breakdown",
    "Gate",
    "Group",
    "Instrument",
    "Item",
    "Measure",
    "Question",
    "Scale",
    "Score",
    "list_measures",
    "load_instrument",
]
