"""Cases 52-56: scores, surveys, and what cannot be grouped or learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.bad_inputs.kit import GOOD, HEADER, Case, Do, Got, Take, closed, expect, read_files, refusal_of
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading import grade, load_scheme
from tierlens.risk.evaluation.drift import measure_drift
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.input_columns import learn_columns
from tierlens.segments import CustomerSegmenter
from tierlens.sources.tables import Currency
from tierlens.workspace.prepare import arrow_as_frame

SURVEY = "customer_id,time,recommend,满意度\n"
RATING = "customer_id,name,value,judged_at\n"


def _missing_score(folder: Path) -> Got:
    """A blank score follows the scheme's rule for what is missing; it is never a zero."""
    text = "customer_id,time,kind,满意度\nC1,2026-01-05,咨询,\n"
    files = {"orders.csv": HEADER + GOOD, "tickets.csv": text}
    tables, quality = read_files(folder, files, {"tickets": "tickets.csv"}, {})
    names = ["frequency", "monetary", "tenure_days", "service_satisfaction"]
    table = to_arrow(build_snapshots(tables, "2026-02-01", features=names))
    expect([None], table["service_satisfaction"].to_pylist(), "satisfaction")
    row = to_arrow(grade(arrow_as_frame(table), load_scheme("relationship_rating"), tables.currency)).to_pylist()[0]
    found = (row["points_service_satisfaction"], "missing" in row["flags"].split())
    expect((None, True), found, "points and flag")
    return Got(closes=closed(quality.others["tickets"]))


def _survey_age(folder: Path) -> Got:
    """An answer counts at a cutoff only if it was given before it, and not too long before."""
    text = "customer_id,time,nps\nC1,2025-01-10,10\nC1,2026-03-01,90\n"
    files = {"orders.csv": HEADER + GOOD, "surveys.csv": text}
    tables, quality = read_files(folder, files, {"surveys": "surveys.csv"}, {})
    found = [to_arrow(build_snapshots(tables, day, features=["nps"]))["nps"].to_pylist() for day in
             ("2026-01-06", "2026-02-01", "2026-03-02")]  # fmt: skip
    expect([[10.0], [None], [90.0]], found, "NPS at three cutoffs")
    return Got(closes=closed(quality.others["surveys"]))


def _alike(folder: Path) -> Got:
    """Customers that are all alike, or fewer than the segments asked for."""
    same = pd.DataFrame({"recency_days": [5.0] * 50, "monetary": [100.0] * 50})
    got = refusal_of(lambda: CustomerSegmenter(3).fit(same), "E-SG-002")
    few = refusal_of(lambda: CustomerSegmenter(8).fit(same.head(3)), "E-SG-001")
    return Got((*got.codes, *few.codes))


def _ties(folder: Path) -> Got:
    """Equal values get equal points, in any order of rows."""
    import pyarrow as pa

    graded = []
    for order in (1, -1):
        numbers = list(range(40))[::order]
        table = pa.table({
            "customer_id": [f"C{n}" for n in numbers], "cutoff": pa.array([20000] * 40, pa.int32()),
            "frequency": [3] * 40, "monetary": [1000] * 40, "recency_days": [9] * 40,
        })  # fmt: skip
        frame = grade(arrow_as_frame(table), load_scheme("five_step"), Currency("CNY"))
        graded.append(to_arrow(frame).drop_columns(["customer_id"]).to_pylist())
    expect(graded[0], graded[1], "grades in two orders")
    expect(1, len({str(row) for row in graded[0]}), "different grades")
    return Got()


def _one_class(folder: Path) -> Got:
    """Without a customer who left, or without one who stayed, there is nothing to learn."""
    table = pd.DataFrame({"a": np.arange(30.0)})
    got = refusal_of(lambda: RiskClassifier(seeds=1).fit(table, np.ones(30)), "E-RI-020", "y")
    try:
        RiskClassifier(seeds=1).fit(table, np.zeros(30))
    except ValueError as error:
        expect(True, "0.0: 30" in str(error) and "longer horizon" in str(error), "counts and a longer horizon")
    return got


def _unseen(folder: Path) -> Got:
    """A category that training never saw is missing to the model, and raises the alarm of drift."""
    old = pd.DataFrame({"kind": ["a", "b"] * 200})
    new = pd.DataFrame({"kind": ["a", "b", "催单", "催单"] * 100})
    expect(200, int(np.isnan(learn_columns(old).matrix(new)).sum()), "unseen values")
    (found,) = measure_drift(old, new)
    expect((True, ("催单",)), (found.alarm, found.new_levels), "drift")
    return Got()


CASES = (
    Case(52, "score 0, 11, 7.5, 8分, blank", "QUARANTINE out of range; scheme's rule",
         (Take(SURVEY + "C1,2026-01-05,11,\nC1,2026-01-06,7.5,\nC1,2026-01-07,,0\nC1,2026-01-08,8分,\n", 2,
               {"out_of_range": 2, "number_form": 1}, {"recommend": [7.5, 8.0]}, "surveys.csv:2:recommend",
               "surveys.csv", "surveys"),
          Take(RATING + "C1,新需求匹配度,0,2026-01-05\nC1,新需求匹配度,8分,2026-01-06\n", 1, {"out_of_range": 1},
               {"score": [8.0]}, "ratings.csv:2:value", "ratings.csv", "ratings"),
          Do(_missing_score))),
    Case(53, "a survey of another year, or after the snapshot", "out of features", (Do(_survey_age),)),
    Case(54, "all customers alike; fewer than segments", "REJECT; ties deterministic", (Do(_alike), Do(_ties))),
    Case(55, "one class only", "REJECT with counts", (Do(_one_class),)),
    Case(56, "a category never seen", "NORMALISE to other, drift alarm",
         (Take("customer_id,time,kind\nC1,2026-01-05,催单\n", 1, {"other_word": 1}, {"kind": ["other"]},
               name="tickets.csv", table="tickets"), Do(_unseen))),
)  # fmt: skip
