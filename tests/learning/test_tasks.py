"""What the downgrade model reads where no bound of a tier is known, and whose fall nobody knows."""

from __future__ import annotations

import dataclasses
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tierlens.errors import DataError
from tierlens.features.expected import EXPECTED
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.learning.better_baseline import baselines_of
from tierlens.learning.learn import untrained_classifier
from tierlens.learning.learnable import folds_of
from tierlens.learning.tasks import PRIOR, Task, lower_bounds, tasks_of
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import read_shop
from tierlens.workspace.study import Study, study_of


@cache
def made(scheme: str) -> Study:
    given = {"name": "t", "simulated": {"customers": 150, "months": 30}, "cutoff": "2025-03-01", "seed": 1,
             "scheme": scheme, "risk": {"first_cutoff": "2024-07-01", "tests": 1}}  # fmt: skip
    config = RunConfig.model_validate(given)
    return study_of(read_shop(config), config)


def falling(scheme: str) -> tuple[Task, Task]:
    churned, fell = tasks_of(made(scheme))
    return churned, fell


@pytest.mark.parametrize("scheme", ["classification_standard", "five_step", "relationship_guide"])
def test_tiers_that_do_not_go_by_points_have_no_bound(scheme: str) -> None:
    assert lower_bounds(load_scheme(scheme)) == {}


def test_where_no_bound_is_known_a_fall_is_learned_from_what_churn_is_learned_from() -> None:
    churned, fell = falling("classification_standard")
    assert fell.features == tuple(name for name in churned.features if name != PRIOR)
    assert set(churned.features) & set(EXPECTED) == {PRIOR}
    assert not {"need", "margin", "rule_p"} & set(fell.rows.column_names)
    assert len(set(zip(*(fell.now[name].to_pylist() for name in ("recency_days", "spend")), strict=True))) > 5
    config = made("classification_standard").config
    assert untrained_classifier(fell, {}, config).prior is None
    assert [rival.name.en for rival in baselines_of(fell)] == [
        "recency", "logistic regression on log-RFM", "LightGBM as it comes",
    ]  # fmt: skip


def test_a_fall_that_no_column_tells_is_left_out_and_said() -> None:
    _, fell = falling("classification_standard")
    same = fell.rows
    for name in fell.features:
        same = same.set_column(same.column_names.index(name), name, pa.array([0.5] * same.num_rows))
    with pytest.raises(DataError, match=r"E-RI-075 downgrade: all .* rows have the same values"):
        folds_of(dataclasses.replace(fell, rows=same), made("classification_standard").config)


@pytest.mark.slow
def test_who_is_not_graded_at_the_end_for_want_of_data_is_counted_not_fallen() -> None:
    study = made("tiered_management")
    config, prepared = study.config, study.prepared
    before = falling("tiered_management")[1]
    fallen = before.rows.filter(pc.equal(before.rows["downgrade"], 1))
    assert not before.notes
    wait = config.window.gap + config.window.horizon
    day, who = (fallen[name][0].as_py() for name in ("cutoff", "customer_id"))
    hit = pc.and_(pc.equal(prepared.later["cutoff"], day + wait), pc.equal(prepared.later["customer_id"], who))
    ranks = pc.if_else(hit, None, prepared.later["tier_rank"])
    lost = prepared.later.set_column(prepared.later.column_names.index("tier_rank"), "tier_rank", ranks)
    later, unfit = (
        lost.set_column(lost.column_names.index("flags"), "flags", pc.if_else(hit, word, lost["flags"]))
        for word in ("missing not_graded proxy", "unclassified")
    )
    tiers = prepared.tiers.filter(pc.not_equal(prepared.tiers["cutoff"], day + wait))
    assert tiers.num_rows == prepared.tiers.num_rows  # no end of a horizon is a cutoff too
    after = tasks_of(dataclasses.replace(study, prepared=dataclasses.replace(prepared, later=later)))[1]
    there = pc.sum(hit).as_py()
    assert before.rows.num_rows - after.rows.num_rows == there == len(after.notes) == 1
    assert after.notes[0].en.startswith("Downgrade: 1 rows of customers who are not graded")
    verdict = tasks_of(dataclasses.replace(study, prepared=dataclasses.replace(prepared, later=unfit)))[1]
    assert (verdict.rows.num_rows, verdict.notes) == (before.rows.num_rows, ())  # who fits no tier has fallen
