"""The search: the default comes first, the same seed finds the same, a study goes on where it ended."""

from __future__ import annotations

import sys

import pytest

from tests.risk.shop import snapshots
from tierlens.errors import MissingExtraError, UsageError
from tierlens.features.windows import Window
from tierlens.risk.evaluation.split import SnapshotSplit
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.space import Range, load_space
from tierlens.risk.tuning import Search, tune_trees

SPACE = {
    "num_leaves": Range(low=3, high=8),
    "learning_rate": Range(low=0.01, high=0.1, log=True),
    "rounds": Range(low=10, high=40),
}
SPLIT = SnapshotSplit(Window(horizon=60))
MODEL = RiskClassifier(prior="prior", n_jobs=1, seeds=1)


@pytest.fixture(scope="module")
def shop():
    return snapshots(customers=150)


def run(shop, **settings):
    told = []
    search = Search(**{"trials": 4, "folds": 2, "space": SPACE} | settings)
    found = tune_trees(MODEL, shop.X, shop.y, shop.cutoffs, SPLIT, search, lambda *news: told.append(news))
    return found, told


def test_nothing_found_is_worse_than_the_default(shop):
    found, told = run(shop)
    assert found.value >= found.default > 0.5
    assert [news[:2] for news in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert told[-1][2] == found.value
    for trial in found.trials:
        assert all(SPACE[name].low <= trial.settings[name] <= SPACE[name].high for name in SPACE)


def test_a_space_of_worse_settings_finds_nothing(shop):
    poor = {"learning_rate": Range(low=1e-7, high=1e-6, log=True)}
    found, _ = run(shop, space=poor, trials=2)
    assert found.settings == {} or found.value > found.default


def test_the_same_seed_finds_the_same(shop):
    assert run(shop, seed=3)[0] == run(shop, seed=3)[0]


def test_a_kept_study_goes_on_where_it_ended(shop, tmp_path):
    store = tmp_path / "studies.db"
    first, _ = run(shop, trials=2, store=store)
    second, told = run(shop, trials=4, store=store)
    assert second.trials[:2] == first.trials
    assert len(second.trials) == 4
    assert len(told) == 2
    third, told = run(shop, trials=4, store=store)
    assert told == []
    assert third == second


def test_no_trial_starts_when_time_is_up(shop):
    found, _ = run(shop, trials=50, seconds=0.01)
    assert len(found.trials) < 50
    assert found.value >= found.default


def test_what_is_found_serves_the_model(shop):
    found, _ = run(shop)
    model = RiskClassifier(prior="prior", n_jobs=1, seeds=1, trees=found.settings)
    assert model.fit(shop.X, shop.y, cutoffs=shop.cutoffs).members_ == ("ranks", "small")


def test_without_folds_it_says_so(shop):
    with pytest.raises(UsageError, match="E-RI-004"):
        tune_trees(MODEL, shop.X, shop.y, shop.cutoffs, SnapshotSplit(Window(horizon=900)))


def test_without_optuna_it_names_the_extra(shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tierlens\[tune\]'"):
        run(shop)


def test_a_space_is_read_and_what_is_wrong_in_it_is_named(tmp_path):
    assert load_space()["num_leaves"] == Range(low=3, high=16, log=True)
    file = tmp_path / "space.yaml"
    file.write_text("settings:\n  num_leaves: {low: 4, high: 9}\n  learning_rate: {low: 0.01, high: 0.2}\n")
    space = load_space(file)
    assert space["num_leaves"].is_whole
    assert not space["learning_rate"].is_whole
    for wrong, said in (
        ("max_bin: {low: 15, high: 63}", "max_bin"),
        ("rounds: {low: 9, high: 3}", "low must lie below"),
    ):
        file.write_text(f"settings:\n  {wrong}\n")
        with pytest.raises(UsageError, match=f"E-YA-020.*{said}"):
            load_space(file)
