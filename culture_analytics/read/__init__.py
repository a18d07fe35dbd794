"""Readers: respondent-level extracts, and published results."""

from culture_analytics.read.extract import read_extract
from culture_analytics.read.validate import Issue, ValidationReport

__all__ = ["Issue", "ValidationReport", "read_extract"]
