"""Synthetic surveys: people who do not exist, with the percentages and gaps of the real survey."""

from __future__ import annotations

from culture_analytics.simulate.respondents import hot_spots, simulate_survey

__all__ = ["hot_spots", "simulate_survey"]
