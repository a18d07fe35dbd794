"""NHS (England) staff-survey extracts in, a culture diagnosis out.

Four nouns and plain functions between them::

     extract (csv xlsx ods sav parquet)                official workbooks
            | read_extract                                   | read_published
            v                                                v
         Survey --calculate--> Estimates <-------------------+
            ^                      |
       Instrument                  v
     (all years, as data)       Release: every table that leaves together
                                   |
                                run_report

* `Survey`: respondents, one row each; columns by stable item id, whatever the year's numbering.
* `Instrument`: the questionnaire of 2018-2025 as data.
* `Estimates`: results in one tidy schema, shown only through a disclosure rule.
* `Release`: the tables of a report, protected and audited together.

>>> import culture_analytics as ca
>>> survey = ca.load_sample(2024)
>>> stress = ca.calculate(survey, "stress", by="equality")
>>> stress.unique("breakdown")[:3]
['overall', 'gender', 'gender_identity']
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from culture_analytics.design import Design
from culture_analytics.disclosure.release import Release, build_release, load_release
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.disclosure.together import audit, suppress
from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.estimate import calculate, calculate_answers
from culture_analytics.estimates import Estimates, concat
from culture_analytics.instrument import Instrument, list_measures, load_instrument
from culture_analytics.survey import Survey, combine

if TYPE_CHECKING:
    from culture_analytics import plots
    from culture_analytics.adjusted import adjusted_gap
    from culture_analytics.compare import (
        ALL,
        REST,
        biggest_movers,
        compare_benchmark,
        compare_groups,
        compare_years,
        funnel,
        roll_up,
        system,
        top_and_bottom,
        trend,
        verdict,
    )
    from culture_analytics.control import ControlChart, control_chart
    from culture_analytics.diagnose import (
        Diagnosis,
        answers_needed,
        before_after,
        detectable_change,
        diagnose_culture,
        diagnosis_of,
        follow_up,
        load_culture_model,
        read_tracker,
    )
    from culture_analytics.experience import (
        discrimination_grounds,
        equality_coverage,
        experience_ladder,
    )
    from culture_analytics.intersectional import intersections
    from culture_analytics.output import show
    from culture_analytics.output.diagnosis_files import write_diagnosis
    from culture_analytics.output.report import run_report
    from culture_analytics.read import read_extract
    from culture_analytics.read.published import read_published
    from culture_analytics.read.published.england import load_england
    from culture_analytics.read.published.successors import load_successors
    from culture_analytics.response import effect_of_weights, rake, response_profile
    from culture_analytics.sample import load_sample
    from culture_analytics.session import open_release
    from culture_analytics.simulate import simulate_survey
    from culture_analytics.standards import (
        edi_metrics,
        equality_standard,
        wdes_metrics,
        wres_indicators,
    )

__version__ = "0.1.0"

__all__ = [
    "ALL",
    "REST",
    "ControlChart",
    "CultureAnalyticsError",
    "Design",
    "Diagnosis",
    "Estimates",
    "Instrument",
    "Release",
    "Rule",
    "Survey",
    "adjusted_gap",
    "answers_needed",
    "audit",
    "before_after",
    "biggest_movers",
    "build_release",
    "calculate",
    "calculate_answers",
    "combine",
    "compare_benchmark",
    "compare_groups",
    "compare_years",
    "concat",
    "control_chart",
    "detectable_change",
    "diagnose_culture",
    "diagnosis_of",
    "discrimination_grounds",
    "edi_metrics",
    "effect_of_weights",
    "equality_coverage",
    "equality_standard",
    "experience_ladder",
    "follow_up",
    "funnel",
    "intersections",
    "list_measures",
    "load_culture_model",
    "load_england",
    "load_instrument",
    "load_release",
    "load_rule",
    "load_sample",
    "load_successors",
    "open_release",
    "plots",
    "rake",
    "read_extract",
    "read_published",
    "read_tracker",
    "response_profile",
    "roll_up",
    "run_report",
    "show",
    "simulate_survey",
    "suppress",
    "system",
    "top_and_bottom",
    "trend",
    "verdict",
    "wdes_metrics",
    "wres_indicators",
    "write_diagnosis",
]

# Imported when first used, so that `import culture_analytics` stays quick.
_WHEN_USED = {
    "ALL": "culture_analytics.compare",
    "ControlChart": "culture_analytics.control",
    "Diagnosis": "culture_analytics.diagnose",
    "REST": "culture_analytics.compare",
    "adjusted_gap": "culture_analytics.adjusted",
    "answers_needed": "culture_analytics.diagnose",
    "before_after": "culture_analytics.diagnose",
    "biggest_movers": "culture_analytics.compare",
    "compare_benchmark": "culture_analytics.compare",
    "compare_groups": "culture_analytics.compare",
    "compare_years": "culture_analytics.compare",
    "control_chart": "culture_analytics.control",
    "diagnose_culture": "culture_analytics.diagnose",
    "diagnosis_of": "culture_analytics.diagnose",
    "discrimination_grounds": "culture_analytics.experience",
    "detectable_change": "culture_analytics.diagnose",
    "edi_metrics": "culture_analytics.standards",
    "effect_of_weights": "culture_analytics.response",
    "equality_coverage": "culture_analytics.experience",
    "equality_standard": "culture_analytics.standards",
    "experience_ladder": "culture_analytics.experience",
    "follow_up": "culture_analytics.diagnose",
    "funnel": "culture_analytics.compare",
    "intersections": "culture_analytics.intersectional",
    "load_culture_model": "culture_analytics.diagnose",
    "load_england": "culture_analytics.read.published.england",
    "load_sample": "culture_analytics.sample",
    "load_successors": "culture_analytics.read.published.successors",
    "open_release": "culture_analytics.session",
    "plots": "culture_analytics",
    "rake": "culture_analytics.response",
    "read_extract": "culture_analytics.read",
    "read_published": "culture_analytics.read.published",
    "read_tracker": "culture_analytics.diagnose",
    "response_profile": "culture_analytics.response",
    "roll_up": "culture_analytics.compare",
    "run_report": "culture_analytics.output.report",
    "write_diagnosis": "culture_analytics.output.diagnosis_files",
    "show": "culture_analytics.output",
    "simulate_survey": "culture_analytics.simulate",
    "system": "culture_analytics.compare",
    "top_and_bottom": "culture_analytics.compare",
    "trend": "culture_analytics.compare",
    "verdict": "culture_analytics.compare",
    "wdes_metrics": "culture_analytics.standards",
    "wres_indicators": "culture_analytics.standards",
}


def __getattr__(name: str) -> Any:
    if name not in _WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _WHEN_USED[name]
    if name in ("plots", "show"):  # modules themselves
        found: Any = import_module(f"{home}.{name}")
    else:
        found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
