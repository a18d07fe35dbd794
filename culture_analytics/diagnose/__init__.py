"""From figures to a diagnosis: what to work on, where, and how sure we are.

The model of culture (`load_culture_model`) says which items speak to what; `scale_quality` whether
they hold together; `pooled_units` and `spots` where figures stand out, and how surely; `drivers`
what goes with an outcome. `diagnose_culture` puts all of it together, `diagnosis_of` reads it from
a release.
"""

from __future__ import annotations

from culture_analytics.diagnose.change import answers_needed, before_after, detectable_change
from culture_analytics.diagnose.diagnosis import Diagnosis, diagnose_culture, diagnosis_of
from culture_analytics.diagnose.driving import drivers
from culture_analytics.diagnose.hotspots import falling_units, pooled_units, spots
from culture_analytics.diagnose.model import CultureModel, load_culture_model
from culture_analytics.diagnose.reliability import scale_quality
from culture_analytics.diagnose.stressors import load_cut_offs
from culture_analytics.diagnose.tracker import (
    Tracker,
    follow_up,
    read_tracker,
    tracked_figures,
    write_tracker_template,
)

__all__ = [
    "CultureModel",
    "Diagnosis",
    "Tracker",
    "answers_needed",
    "before_after",
    "detectable_change",
    "diagnose_culture",
    "diagnosis_of",
    "drivers",
    "falling_units",
    "follow_up",
    "load_culture_model",
    "load_cut_offs",
    "pooled_units",
    "read_tracker",
    "scale_quality",
    "spots",
    "tracked_figures",
    "write_tracker_template",
]
