"""From figures to a diagnosis: what to work on, where, and how sure we are.

The model of culture (`load_culture_model`) says which items speak to what; `scale_quality` whether
they hold together; `pooled_units` and `spots` where figures stand out, and how surely.
"""

from __future__ import annotations

from culture_analytics.diagnose.hotspots import falling_units, pooled_units, spots
from culture_analytics.diagnose.model import CultureModel, load_culture_model
from culture_analytics.diagnose.reliability import scale_quality

__all__ = [
    "CultureModel",
    "falling_units",
    "load_culture_model",
    "pooled_units",
    "scale_quality",
    "spots",
]
