"""A prior moves the risk by its own log-odds alone; models kept when members still read it stay as they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.linear import logit
from tierlens.risk.model.saved import FORMAT, MODEL, READ_PRIOR, load_classifier

Floats = npt.NDArray[np.float64]
OLD = Path(__file__).parent / "format_1"
"""A model of format 1 and what it told, made by tierlens of commit ef9393a."""


def shop(seed: int = 3, rows: int = 300) -> tuple[pd.DataFrame, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The truth bends the prior: a member that read it would learn that."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "p": rng.uniform(0.02, 0.98, rows)})
    chance = 1 / (1 + np.exp(-(table["a"] + 8 * (table["p"] - 0.5) ** 2 - 1)))
    return table, (rng.random(rows) < chance).to_numpy().astype(np.int64), np.repeat([100, 130, 160], rows // 3)


@pytest.fixture(scope="module")
def fitted() -> RiskClassifier:
    table, left, days = shop()
    asked = RiskClassifier(prior="p", seeds=1, n_jobs=1, trees={"rounds": 10, "min_data_in_leaf": 10})
    return asked.fit(table, left, cutoffs=days)


def without_rate(model: RiskClassifier, table: pd.DataFrame) -> Floats:
    return logit(model.predict_proba(table)[:, 1])


def test_another_prior_moves_every_risk_by_the_difference_of_its_log_odds(fitted: RiskClassifier) -> None:
    table = shop()[0].head(50)
    other = table.assign(p=1 - table["p"] ** 2)
    moved = without_rate(fitted, other) - without_rate(fitted, table)
    np.testing.assert_allclose(moved, logit(other["p"]) - logit(table["p"]), atol=1e-9)


def test_its_contribution_is_its_own_log_odds_less_one_number(fitted: RiskClassifier) -> None:
    table, _, days = shop()
    parts = fitted.contributions(table, cutoffs=days, base_rate=0.3)
    own = parts.values[:, 2] - logit(table["p"])
    assert np.ptp(own) < 1e-9
    assert own[0] == pytest.approx(-fitted.prior_mean_)
    at_rate = fitted.predict_proba(table, cutoffs=days, base_rate=0.3)[:, 1]
    np.testing.assert_allclose(parts.base + parts.values.sum(axis=1), logit(at_rate), atol=1e-9)


def test_the_level_is_the_part_of_the_base_that_cutoffs_and_base_rate_set(fitted: RiskClassifier) -> None:
    table, _, days = shop()
    one, other = (fitted.contributions(table, cutoffs=days, base_rate=rate) for rate in (0.2, 0.6))
    np.testing.assert_allclose(one.base - one.level, other.base - other.level, atol=1e-9)
    assert (other.level > one.level).all()
    np.testing.assert_array_equal(one.values, other.values)


def test_members_learn_the_same_whatever_stands_in_the_column_as_long_as_the_offset_does(
    fitted: RiskClassifier,
) -> None:
    table, left, days = shop()
    twice = fitted.fit(table, left, cutoffs=days)
    copied = RiskClassifier(prior="p", seeds=1, n_jobs=1, trees={"rounds": 10, "min_data_in_leaf": 10})
    copied.fit(table.assign(copy=table["p"]), left, cutoffs=days)
    # A copy is what lets members bend a prior: then it is a feature like any other.
    asked = table.head(60)
    bent = without_rate(copied, asked.assign(copy=asked["p"])) - without_rate(twice, asked)
    assert np.ptp(bent) > 0.05
    assert twice.reads_prior_ is False


def test_a_model_that_is_kept_reads_its_prior_as_it_did(fitted: RiskClassifier, tmp_path: Path) -> None:
    back = load_classifier(fitted.save(tmp_path / "model"))
    table = shop()[0]
    assert back.reads_prior_ is False
    np.testing.assert_array_equal(back.predict_proba(table), fitted.predict_proba(table))


# --- format 1


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((OLD / "told.json").read_text("utf-8"))
    return found


def test_a_model_of_format_1_tells_what_it_told(told: dict[str, Any]) -> None:
    model = load_classifier(OLD)
    asked = pd.DataFrame(told["asked"], dtype=float)
    assert json.loads((OLD / MODEL).read_text("utf-8"))["format"] == READ_PRIOR == 1
    assert model.reads_prior_ is True
    np.testing.assert_allclose(model.predict_proba(asked)[:, 1], told["risk"], rtol=1e-12)
    days = np.full(len(asked), 130)
    at_rate = model.predict_proba(asked, cutoffs=days, base_rate=0.4)[:, 1]
    np.testing.assert_allclose(at_rate, told["risk_at_rate"], rtol=1e-12)
    parts = model.contributions(asked, cutoffs=days, base_rate=0.4)
    np.testing.assert_allclose(parts.values, told["values"], atol=1e-12)
    np.testing.assert_allclose(parts.base, told["base"], atol=1e-12)
    np.testing.assert_allclose(parts.base + parts.values.sum(axis=1), logit(at_rate), atol=1e-9)


def test_its_members_do_read_the_prior(told: dict[str, Any], tmp_path: Path) -> None:
    asked = pd.DataFrame(told["asked"], dtype=float)
    folder = shutil.copytree(OLD, tmp_path / "new")
    as_new = json.loads((folder / MODEL).read_text("utf-8")) | {"format": FORMAT}
    (folder / MODEL).write_text(json.dumps(as_new), "utf-8")
    blind = load_classifier(folder).predict_proba(asked)[:, 1]
    assert np.abs(blind - told["risk"]).max() > 1e-3


def test_a_model_of_format_1_that_is_kept_again_still_tells_the_same(told: dict[str, Any], tmp_path: Path) -> None:
    asked = pd.DataFrame(told["asked"], dtype=float)
    again = load_classifier(load_classifier(OLD).save(tmp_path / "again"))
    np.testing.assert_allclose(again.predict_proba(asked)[:, 1], told["risk"], rtol=1e-12)
