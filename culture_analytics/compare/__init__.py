"""What changed, and where an organisation stands: results set against other results.

* `compare_years`, `trend`: one organisation over time, where the years are one series.
* `compare_benchmark`, `funnel`, `roll_up`, `system`: organisations beside each other.
* `compare_groups`, `verdict`: groups of staff beside each other.
* `top_and_bottom`, `biggest_movers`: the rows to look at first.

Each takes `Estimates` and returns `Estimates`; a row is hidden with any figure it is made of.
"""

from __future__ import annotations

from culture_analytics.compare.benchmark import compare_benchmark
from culture_analytics.compare.funnels import funnel
from culture_analytics.compare.groups import ALL, REST, compare_groups, verdict
from culture_analytics.compare.ranking import biggest_movers, top_and_bottom
from culture_analytics.compare.rollup import roll_up, system
from culture_analytics.compare.trends import trend
from culture_analytics.compare.years import compare_years

__all__ = [
    "ALL",
    "REST",
    "biggest_movers",
    "compare_benchmark",
    "compare_groups",
    "compare_years",
    "funnel",
    "roll_up",
    "system",
    "top_and_bottom",
    "trend",
    "verdict",
]
