"""The run file: what is accepted, and what a slip is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierlens.errors import UsageError
from tierlens.publish.lists.bands import Bounds
from tierlens.sources.tables import day_date
from tierlens.workspace.config import RunConfig, load_config

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAIN = """
name: Shop
source:
  files: orders.csv
  currency: CNY
cutoff: "2026-07-01"
risk:
  first_cutoff: "2025-07-01"
"""


def config_of(folder: Path, text: str) -> RunConfig:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_a_run_file(path: Path) -> None:
    config = load_config(path)
    assert config.learning_cutoffs()
    assert config.otherwise is None or Path(config.otherwise).is_file()


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    config = config_of(tmp_path, PLAIN + "scheme: ours.yaml\n")
    assert config.source is not None
    assert config.source.files == (str(tmp_path / "orders.csv"),)
    assert config.scheme == str(tmp_path / "ours.yaml")


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    config = config_of(tmp_path, PLAIN)
    assert (config.window.observe, config.window.gap, config.window.horizon) == (365, 0, 90)
    assert (config.scheme, config.seed, config.track) == ("relationship_rating", 0, True)


def test_only_cutoffs_with_a_closed_horizon_are_learned_from(tmp_path: Path) -> None:
    config = config_of(tmp_path, PLAIN)
    days = [str(day_date(day)) for day in config.learning_cutoffs()]
    assert days[0] == "2025-07-01"
    # 2026-04-02 + 90 days is 2026-07-01: the first of April is the last that has closed
    assert days[-1] == "2026-04-01"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN + "sede: 3\n", "did you mean 'seed'"),
        (PLAIN.replace("2026-07-01", "tomorrow"), "cutoff"),
        (PLAIN.replace("2026-07-01", "2024-07-01"), "is not before the cutoff"),
        (PLAIN + "simulated:\n  customers: 500\n", "either 'source' or 'simulated'"),
        (PLAIN.replace("CNY", "yuan"), "currency"),
        (PLAIN + "window:\n  horizon: 0\n", "horizon"),
        (PLAIN + "lists:\n  - name: ../up\n", "name"),
        (PLAIN + "lists:\n  - name: a\n    bands: [hihg]\n", "Input should be 'high', 'medium' or 'low'"),
        (PLAIN + "lists:\n  - name: a\n    churn_bands: [hihg]\n", "Input should be 'high', 'medium' or 'low'"),
        (PLAIN + "lists:\n  - name: a\n    by: luck\n", "Input should be 'risk' or 'value_at_risk'"),
        (PLAIN + "bands: {churn: {high: {share: 1.5}, medium: 0.2}}\n", "bands.churn.high.share: "),
        (PLAIN + "bands: {churn: {high: {share: -0.1}, medium: 0.2}}\n", "bands.churn.high.share: "),
        (PLAIN + "bands: {churn: {high: {share: 0.7}, medium: {share: 0.4}}}\n", "more than 1 together (0.7 and 0.4)"),
        (PLAIN + "bands: {churn: {high: {share: 0.1, at_least: 0.6}, medium: 0.2}}\n", "give either 'share'"),
        (PLAIN + "bands: {downgrade: {high: {shar: 0.1}, medium: 0.2}}\n", "did you mean 'share'"),
        (PLAIN + "bands: {chrun: {high: 0.5, medium: 0.2}}\n", "did you mean 'churn'"),
        (PLAIN + "bands: {churn: {high: 0.5}}\n", "bands.churn.medium"),
        (PLAIN + "seed: -1\n", "seed"),
        (PLAIN + "seed: 1\nseed: 2\n", "seed"),
    ],
)
def test_a_slip_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        config_of(tmp_path, text)
    assert words in str(caught.value)
    assert "run.yaml" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_run_keeps_its_configuration_so_that_it_can_be_read_again(tmp_path: Path) -> None:
    bands = "bands: {churn: {high: {share: 0.05}, medium: 0.4}}\nlists: [{name: a, churn_bands: [高], by: 风险金额}]\n"
    for columns in ("", "\n  columns: {kind: null, time: 时间}"):
        config = config_of(tmp_path, PLAIN.replace("source:", f"source:{columns}") + bands)
        assert config.bands.churn == Bounds(high={"share": 0.05}, medium={"at_least": 0.4})
        assert (config.lists[0].churn_bands, config.lists[0].by) == (("high",), "value_at_risk")
        again = RunConfig.model_validate(config.model_dump(mode="json"))
        assert again == config
        assert config.source is not None
        assert again.source is not None
        assert again.source.columns.declared == config.source.columns.declared
