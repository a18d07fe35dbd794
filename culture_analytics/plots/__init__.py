"""Charts of protected results.

Each takes `Estimates`, draws the limits they hold, and returns matplotlib `Axes`; none sees a
hidden number. Each carries a description in plain English for readers who cannot see it.

* `groups`: one or more measures by a breakdown, a dot and an interval a group.
* `measures`: several measures for everyone, with England beside them if given.
* `likert`: whole answer distributions, diverging.
* `heatmap`: groups by measures, coloured by the difference from all staff.
* `trend`: by survey year, joined only where the years are one series.
* `gaps`: two groups joined by a line, the gap and its verdict beside; `ratios`: the same as
  ratios, with the guidance range; `adjusted`: plain gap and gap with the same mix of something.
* `intersections`: characteristics crossed, as answered and steadied.
* `pooled`: units, hot spots and bright spots marked; `drivers`: what goes with an outcome;
  `priorities`: that against how well each element does.
* `position`: between worst and best of the benchmark group; `funnel`: organisations by size.
* `spc`: a run chart or control chart of one series.
* `alt_text`, `save`: the description of a chart; a file that holds it.

>>> import culture_analytics as ca
>>> from culture_analytics import plots
>>> stress = ca.calculate(ca.load_sample(2024), "work_related_stress", by="age")
>>> ax = plots.groups(stress)
>>> plots.alt_text(ax).split(":")[0]
'Dot and interval chart'
"""

from culture_analytics.plots.adjusted import adjusted
from culture_analytics.plots.alt import alt_text, save
from culture_analytics.plots.control import spc
from culture_analytics.plots.drivers import drivers
from culture_analytics.plots.funnel import funnel
from culture_analytics.plots.gaps import gaps
from culture_analytics.plots.groups import groups
from culture_analytics.plots.heatmap import heatmap
from culture_analytics.plots.intersections import intersections
from culture_analytics.plots.likert import likert
from culture_analytics.plots.measures import measures
from culture_analytics.plots.pooled import pooled
from culture_analytics.plots.position import position
from culture_analytics.plots.priorities import priorities
from culture_analytics.plots.ratios import ratios
from culture_analytics.plots.trend import trend

__all__ = [
    "adjusted",
    "alt_text",
    "drivers",
    "funnel",
    "gaps",
    "groups",
    "heatmap",
    "intersections",
    "likert",
    "measures",
    "pooled",
    "position",
    "priorities",
    "ratios",
    "save",
    "spc",
    "trend",
]
