"""Why a risk is what it is, on a whole small shop: no forecast among the names, and every log-odds accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from tests.learning.made_tasks import made_task
from tests.tiny_shop import write_shop
from tierlens.explain.contributions import Contributions
from tierlens.explain.fall_parts import FALL
from tierlens.explain.reason_words import Known
from tierlens.explain.reasons import LOWERS, RAISES, tell_reasons
from tierlens.explain.rhythm_parts import ITEMS
from tierlens.features.expected import EXPECTED
from tierlens.features.seasonal_btyd import learn_rhythm
from tierlens.learning.learn import model_inputs, untrained_classifier
from tierlens.learning.tasks import FALLING, FALLING_BY_SPEND, PRIOR, Task, tasks_of
from tierlens.learning.why import (
    KNOWN,
    Asked,
    explained_risk,
    falls_of,
    homes_for,
    known_of,
    points_lost,
    reason_rows,
    standings,
    value_table,
)
from tierlens.risk.model.linear import logit
from tierlens.sources.tables import Currency
from tierlens.words import Text
from tierlens.workspace.config import RunConfig, load_config
from tierlens.workspace.prepare import read_shop
from tierlens.workspace.study import Study, study_of


@dataclass(frozen=True)
class Case:
    """An outcome, its rows explained, and what the model says of them."""

    study: Study
    task: Task
    found: Contributions
    odds: np.ndarray


def study_by(scheme: str, gap: int = 0) -> Study:
    given = {"name": "t", "simulated": {"customers": 120, "months": 26}, "cutoff": "2025-03-01", "seed": 1,
             "scheme": scheme, "window": {"observe": 365, "gap": gap, "horizon": 90},
             "risk": {"first_cutoff": "2024-08-01", "tests": 1, "seeds": 1, "trees": {"rounds": 8}}}  # fmt: skip
    config = RunConfig.model_validate(given)
    return study_of(read_shop(config), config)


def explained(study: Study, place: int) -> Case:
    task = tasks_of(study)[place]
    model = untrained_classifier(task, dict(study.config.risk.trees), study.config)
    table, cutoffs = model_inputs(task, task.rows)
    model.fit(table, task.rows[task.outcome].to_numpy(), cutoffs=cutoffs)
    asked, now = model_inputs(task, task.now)
    level = 0.2 if place == 0 else None
    rhythm = learn_rhythm(study.tables, study.cutoff, study.window, [PRIOR])
    found = explained_risk(task, model, Asked(asked, now, level), rhythm, study)
    return Case(study, task, found, logit(model.predict_proba(asked, cutoffs=now, base_rate=level)[:, 1]))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny shop: orders alone, so that it is quick."""
    config = load_config(write_shop(tmp_path_factory.mktemp("tiny")))
    return study_of(read_shop(config), config)


@pytest.fixture(scope="module", params=[0, 1], ids=["churn", "downgrade"])
def case(request: pytest.FixtureRequest, study: Study) -> Case:
    return explained(study, request.param)


def test_base_and_contributions_are_the_log_odds_of_every_customer(case: Case) -> None:
    assert len(case.odds) > 20
    np.testing.assert_allclose(case.found.log_odds(), case.odds, atol=1e-6)


def test_nothing_learned_is_among_the_names(case: Case) -> None:
    assert not set(case.found.names) & {*EXPECTED, *FALLING, *FALLING_BY_SPEND}
    assert {*ITEMS} & {*case.found.names}


def test_every_name_has_a_home_and_words(case: Case) -> None:
    homes = homes_for(case.study, case.task.own)
    words = {**KNOWN, **falls_of(case.study)}
    for name in case.found.names:
        assert name in homes
        assert words[name].title.en
        assert words[name].title.zh


def test_points_lost_add_up_to_the_fall_of_the_score(study: Study) -> None:
    _, falling = tasks_of(study)
    lost = points_lost(falling.now, study)
    assert set(lost) == {indicator.id for _, indicator in study.scheme.indicators}
    margin, need = (falling.now[name].to_numpy(zero_copy_only=False) for name in ("margin", "need"))
    np.testing.assert_allclose(sum(lost.values()) - margin, need, atol=1e-9)
    assert {FALL.format(name) for name in lost} == set(falls_of(study))


def test_the_rows_of_reasons_are_those_of_their_customers(case: Case) -> None:
    homes = homes_for(case.study, case.task.own)
    known = known_of(case.task, case.study)
    reasons = tell_reasons(case.found, known)
    rows = reason_rows(reasons, case.task, homes)
    assert rows.num_rows == reasons.table.num_rows > 0
    ids = case.task.now["customer_id"].to_pylist()
    for row, place in zip(rows.to_pylist(), reasons.table["row"].to_pylist(), strict=True):
        assert (row["customer_id"], row["risk"]) == (ids[place], case.task.outcome)
        home = homes[row["feature"]]
        assert (row["indicator"], row["dimension"], row["clause"], row["weight"]) == (
            home.indicator, home.dimension, home.clause, home.weight
        )  # fmt: skip


def test_what_the_shop_has_in_common_has_no_value_of_a_customers_own() -> None:
    shown = value_table(made_task([10]).now, ("recency_days", "season_ahead"), cast(Any, None))
    assert np.isnan(shown["season_ahead"].to_numpy()).all()
    assert shown["recency_days"].to_numpy().min() >= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "place"),
    [("tiered_management", 0), ("tiered_management", 1), ("relationship_rating", 1), ("relationship_guide", 1),
     ("classification_standard", 1)],
)  # fmt: skip
def test_with_a_gap_and_by_other_schemes_all_is_accounted_for_too(scheme: str, place: int) -> None:
    case = explained(study_by(scheme, gap=15), place)
    np.testing.assert_allclose(case.found.log_odds(), case.odds, atol=1e-6)
    homes = homes_for(case.study, case.task.own)
    assert set(case.found.names) <= set(homes)
    if case.task.features != FALLING_BY_SPEND:
        assert not set(case.found.names) & {*EXPECTED, *FALLING}


# --- the user's own columns


def test_a_column_of_the_users_own_is_told_under_its_name() -> None:
    task = made_task([10], customers=30)
    now = task.now.append_column("visits", pa.array(np.arange(30) % 7, pa.int64()))
    columns = {"visits": now["visits"].to_numpy().astype(float)}
    found = Contributions(np.full((30, 1), 0.5), 0.0, ("visits",))
    rows = tell_reasons(found, Known(columns, Currency("GBP"))).table.to_pylist()
    assert {row["feature"] for row in rows} == {"visits"}
    assert all(row["is_background"] and row["text_en"].startswith("Background: visits: ") for row in rows)


# --- the standing in words

NAMES = {"middle": Text("Middle value", "中价值客户")}
A = np.array(["A"], dtype=object)


@pytest.mark.parametrize(
    ("need", "side", "english", "chinese"),
    [
        (4.25, RAISES, "Will be 4.2 points short of tier A at the end of the horizon unless more is bought",
         "若不再购买，预测期末距A级将差4.2分"),
        (-3.0, LOWERS, "Keeps tier A by 3.0 points at the end of the horizon even if nothing more is bought",
         "即使不再购买，预测期末仍高出A级下限3.0分"),
    ],
)  # fmt: skip
def test_what_is_lacking_or_left_is_told_in_points(need: float, side: str, english: str, chinese: str) -> None:
    (said,) = standings(pa.table({"need": [need]}), A, {}, Currency("CNY"))
    assert said is not None
    assert (said.words, said.side, said.value, said.compared) == (Text(english, chinese), side, need, 0.0)


@pytest.mark.parametrize(("need", "tier"), [(0.04, "A"), (-0.04, "A"), (None, "A"), (4.0, None)])
def test_what_would_be_written_as_nothing_is_not_told(need: float | None, tier: str | None) -> None:
    rows = pa.table({"need": pa.array([need], pa.float64())})
    assert list(standings(rows, np.array([tier], dtype=object), {}, Currency("CNY"))) == [None]


def test_the_tier_is_named_as_the_scheme_does() -> None:
    (said,) = standings(pa.table({"need": [4.25]}), np.array(["middle"], dtype=object), NAMES, Currency("CNY"))
    assert said is not None
    assert "short of tier Middle value" in said.words.en
    assert "距中价值客户将差4.2分" in said.words.zh


def test_where_tiers_go_by_the_amount_the_fall_is_told_in_money_and_days() -> None:
    rows = pa.table({"need": [0.25, -0.5, 0.25, 0.1], "need_money": [341_250.0, -5.0, 200.0, None],
                     "need_days": pa.array([42, None, None, 3], pa.int64())})  # fmt: skip
    first, kept, *others = standings(rows, np.array(["high"] * 4, dtype=object), {}, Currency("GBP"))
    assert first is not None
    assert kept is not None
    assert first.side == RAISES
    assert first.words.en.startswith("Falls below tier high in 42 days unless more is bought, 3,412 GBP")
    assert first.words.zh.startswith("42天后将低于high级，预测期末前须再消费3,412 GBP")
    assert (kept.side, kept.words.en) == (
        LOWERS, "Keeps tier high to the end of the horizon even if nothing more is bought"
    )  # fmt: skip
    assert others == [None, None]
