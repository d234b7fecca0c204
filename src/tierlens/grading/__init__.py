"""Documented tiers: schemes as data, and one expression that grades customers by them."""

from tierlens.grading.evidence import grade_evidence
from tierlens.grading.labels import having_tags, say_flags
from tierlens.grading.reference import Reference, fit_reference
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scoring import grade, graded_columns
from tierlens.grading.sql import to_sql

__all__ = [
    "Reference",
    "Scheme",
    "fit_reference",
    "grade",
    "grade_evidence",
    "graded_columns",
    "having_tags",
    "load_scheme",
    "say_flags",
    "scheme_names",
    "to_sql",
]
