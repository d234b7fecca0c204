"""The rules of reasons, each over every reason of every customer of a run: the tiny shop, and a simulated one."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.tiny_shop import write_shop
from tierlens.app.cli.main import main
from tierlens.explain.comparisons import CUSTOMER_FOR, KINDS, OWN_PAST
from tierlens.explain.reason_columns import OUTCOMES, PARTS, SIDES
from tierlens.explain.reason_words import SILENT, topic_of
from tierlens.explain.reasons import MOST, RAISES, reason_code
from tierlens.explain.scheme_homes import OUTSIDE, SCORE
from tierlens.features.catalog import WHOLE
from tierlens.features.expected import EXPECTED
from tierlens.learning.tasks import STANDING
from tierlens.segments.figures import say_value
from tierlens.sources.tables import Currency
from tierlens.workspace import run_folder

SIMULATED = """
name: Simulated shop
simulated: {customers: 150, months: 30}
cutoff: "2025-03-01"
scheme: tiered_management
risk: {first_cutoff: "2024-07-01", tests: 1, seeds: 1, draws: 0, resamples: 50, trees: {rounds: 20}}
seed: 1
"""
LEARNED = {*EXPECTED, "rule_p", "fall_p", "fall_odds"}
"""What was itself learned or forecast; no reason may rest on it by name."""
CATALOG = {**WHOLE, **STANDING}
CNY = Currency("CNY")
TEXT = {"en": re.compile(r"[^{}]+ \([+-]\d+ points?\)"), "zh": re.compile(r"[^{}]+（风险[+-]\d+个百分点）")}


@dataclass(frozen=True)
class Told:
    """Reasons and customers of a run, row by row, and what the customers' features are."""

    reasons: list[dict[str, Any]]
    customers: dict[str, dict[str, Any]]
    features: dict[str, dict[str, Any]]


def run_of(file: Path) -> Told:
    out = file.parent / "out"
    assert main(["run", str(file), "--out", str(out), "--no-track"]) == 0
    reasons = pq.read_table(out / run_folder.REASONS).to_pylist()
    customers = pq.read_table(out / run_folder.CUSTOMERS).to_pylist()
    panel = pq.read_table(out / run_folder.SNAPSHOTS)
    last = max(panel["cutoff"].to_pylist())
    features = {row["customer_id"]: row for row in panel.to_pylist() if row["cutoff"] == last}
    return Told(reasons, {row["customer_id"]: row for row in customers}, features)


@pytest.fixture(scope="module", params=["tiny", pytest.param("simulated", marks=pytest.mark.slow)])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp(request.param)
    file = write_shop(folder) if request.param == "tiny" else folder / "run.yaml"
    if request.param == "simulated":
        file.write_text(SIMULATED, encoding="utf-8")
    return run_of(file)


def each_side(told: Told) -> Iterator[tuple[tuple[str, str, str], list[dict[str, Any]]]]:
    """Reasons of each customer, risk and side, in the order of the file."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in told.reasons:
        found[row["customer_id"], row["risk"], row["side"]].append(row)
    yield from found.items()


def test_there_are_reasons_of_both_risks_and_both_sides(told: Told) -> None:
    many = Counter((row["risk"], row["side"]) for row in told.reasons)
    assert min(many["churn", "raises"], many["churn", "lowers"], many["downgrade", "raises"]) >= 10
    explained = {row["customer_id"] for row in told.reasons}
    risky = {name for name, row in told.customers.items() if row["churn_risk"] is not None}
    assert len(explained & risky) > 0.8 * len(risky)


def test_no_value_is_written_like_what_it_is_compared_with(told: Told) -> None:
    for row in told.reasons:
        points = row["feature"] == "need" or row["feature"].startswith("fall_")
        unit = CATALOG[row["feature"]].unit if row["feature"] in CATALOG else "points" if points else "money"
        own, other = (say_value(row[name], unit, CNY) for name in ("value", "compared"))
        assert own.en != other.en
        assert own.zh != other.zh
        if row["compared_with"] != "the scheme":
            assert own.en in row["text_en"]
            assert other.en in row["text_en"]


def test_the_side_agrees_with_the_declared_direction_or_it_is_background(told: Told) -> None:
    for row in told.reasons:
        if row["compared_with"] == "the scheme":
            assert (row["side"] == RAISES) == (row["value"] > 0)
            continue
        direction = CATALOG[row["feature"]].direction
        assert row["is_background"] == (direction == "none")
        assert row["is_background"] == row["text_en"].startswith("Background: ") or row["compared_with"] == "own past"
        if direction != "none":
            is_worse = row["value"] < row["compared"] if direction == "up" else row["value"] > row["compared"]
            assert is_worse == (row["side"] == RAISES), row["text_en"]


def test_the_side_is_that_of_the_points_and_none_is_below_one(told: Told) -> None:
    for row in told.reasons:
        assert abs(row["points"]) >= 1.0
        assert (row["points"] > 0) == (row["log_odds"] > 0) == (row["side"] == RAISES)


def test_nothing_missing_is_a_reason_and_the_value_is_the_customers_own(told: Told) -> None:
    for row in told.reasons:
        assert row["value"] is not None
        assert row["compared"] is not None
        assert row["value"] == row["value"]
        assert row["compared"] == row["compared"]
        assert "no data" not in row["text_en"]
        assert "无数据" not in row["text_zh"]
        own = told.features[row["customer_id"]]
        if row["feature"] in own:
            assert row["value"] == pytest.approx(float(own[row["feature"]]))
        if row["compared_with"] == "own past":
            past = OWN_PAST[row["feature"]]
            assert row["compared"] == pytest.approx(float(own[past.feature]) * past.times)
        if row["feature"] in CUSTOMER_FOR:
            assert own["tenure_days"] >= CUSTOMER_FOR[row["feature"]]


def test_at_most_three_raise_and_two_lower_the_strongest_first(told: Told) -> None:
    for (_, _, side), rows in each_side(told):
        assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) <= MOST[side] == {"raises": 3, "lowers": 2}[side]
        strengths = [abs(row["points"]) for row in rows]
        assert strengths == pytest.approx(sorted(strengths, reverse=True), abs=1e-9)


def test_no_forecast_and_no_name_of_the_house_is_told(told: Told) -> None:
    titles = {CATALOG[name].title for name in (*LEARNED, *SILENT) if name in CATALOG}
    for row in told.reasons:
        assert row["feature"] not in LEARNED | SILENT
        assert not [title for title in titles if title.en in row["text_en"] or title.zh in row["text_zh"]]
        assert not [name for name in CATALOG if "_" in name and name in row["text_en"]]


def test_base_level_told_and_other_points_are_the_risk(told: Told) -> None:
    points: Counter[tuple[str, str]] = Counter()
    for row in told.reasons:
        points[row["customer_id"], row["risk"]] += row["points"]
    for name, row in told.customers.items():
        for risk in OUTCOMES:
            parts = [row[f"{risk}_{end}"] for end in ("base", "level_points", "other_points")]
            assert [part is None for part in parts] == [row[f"{risk}_risk"] is None] * 3
            if row[f"{risk}_risk"] is not None:
                whole = 100 * parts[0] + parts[1] + parts[2] + points[name, risk]
                assert whole == pytest.approx(100 * row[f"{risk}_risk"], abs=1e-6)
            else:
                assert points[name, risk] == 0


def test_every_reason_has_a_home_under_the_scheme_or_outside_of_it(told: Told) -> None:
    for row in told.reasons:
        assert row["dimension"]
        if row["dimension"] == OUTSIDE:
            assert (row["indicator"], row["clause"], row["weight"]) == (None, "", None)
        elif row["indicator"] is None:
            assert row["dimension"] == SCORE or row["dimension"].startswith(("label_", "trigger_", "tag_"))
            assert row["clause"]
        else:
            assert row["clause"]
            assert 0 <= row["weight"] <= 1


def test_both_languages_are_there_and_say_the_same_strength(told: Told) -> None:
    for row in told.reasons:
        assert TEXT["en"].fullmatch(row["text_en"]), row["text_en"]
        assert TEXT["zh"].fullmatch(row["text_zh"]), row["text_zh"]
        number = f"{row['points']:+.0f}"
        assert f"({number} {'point' if number in ('+1', '-1') else 'points'})" in row["text_en"]
        assert f"（风险{row['points']:+.0f}个百分点）" in row["text_zh"]
        assert not re.search("[\u4e00-\u9fff]", row["text_en"])


def test_a_topic_is_told_once_and_under_its_own_code(told: Told) -> None:
    for row in told.reasons:
        assert row["code"] == reason_code(row["topic"])
        assert row["compared_with"] in KINDS
        assert row["topic"] == (topic_of(row["feature"], CATALOG) if row["feature"] in CATALOG else "standing")
    for (_, _, _), rows in each_side(told):
        assert len({row["topic"] for row in rows}) == len(rows)
    sides = Counter((row["customer_id"], row["risk"], row["topic"]) for row in told.reasons)
    assert max(sides.values()) == 1  # not under both sides either


def test_the_columns_of_customers_are_the_reasons_of_the_file(told: Told) -> None:
    names = dict(SIDES)
    found = {(row["customer_id"], row["risk"], names[row["side"]], row["rank"]): row for row in told.reasons}
    for name, row in told.customers.items():
        for risk in OUTCOMES:
            for side, words in SIDES:
                for rank in range(1, MOST[side] + 1):
                    one = found.pop((name, risk, words, rank), dict.fromkeys(part for part, _ in PARTS))
                    for part, end in PARTS:
                        assert row[f"{risk}_{words}_{rank}_{end}"] == one[part]
    assert not found


def test_the_main_reason_is_the_first_of_the_greater_risk(told: Told) -> None:
    for row in told.customers.values():
        risk = "downgrade" if (row["downgrade_risk"] or 0) > (row["churn_risk"] or 0) else "churn"
        assert row["reason_code"] == row[f"{risk}_raised_by_1_code"]
        text = row[f"{risk}_raised_by_1_en"]
        assert row["reason_en"] == (None if text is None else f"{risk.capitalize()}: {text}")
