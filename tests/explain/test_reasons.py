"""Reasons: each topic told once a side by a value that says so, in points that sum to the risk, in true sentences."""

from __future__ import annotations

import math
import re
import string
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.explain.models import NAMES, trained
from tierlens.explain import Contributions, explain
from tierlens.explain.comparisons import KINDS, OWN_PAST, compared_values
from tierlens.explain.contributions import family_of
from tierlens.explain.phrases import FAMILIES, PHRASES
from tierlens.explain.reason_columns import OUTCOMES, reason_columns, reasons_beside, with_main_reason
from tierlens.explain.reason_words import (
    MERGED,
    SILENT,
    Known,
    Said,
    lacking_data,
    say_reason,
    speakers_of,
    topic_of,
)
from tierlens.explain.reasons import (
    DIRECTIONS,
    LEAST,
    LOWERS,
    MOST,
    RAISES,
    SCHEMA,
    points_of,
    reason_code,
    tell_reasons,
)
from tierlens.explain.rhythm_parts import ITEMS, LEVEL, SEASON
from tierlens.features.catalog import WHOLE
from tierlens.features.expected import EXPECTED
from tierlens.segments.figures import say_value
from tierlens.sources.tables import Currency
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
POUND = Currency("GBP")
SHOP = {
    "recency_days": np.array([143.0, 51, 7]),
    "interval_mean_days": np.array([30.0, np.nan, 20]),
    "frequency": np.array([1.0, 5, 12]),
    "monetary": np.array([41_250.0, 62_900, 990_000]),
    "return_share": np.array([0.0, 0.118, np.nan]),
    "warehouse": np.array([1.0, 2.0, 3.0]),
}
READ = ("recency_days", "frequency", "monetary", "return_share", "warehouse")
FOUND = Contributions(
    [[1.1, 0.3, 0.0, -0.2, -0.1], [-0.2, 0.01, 0.05, 0.6, 0.4], [-0.7, 0.1, -0.9, 0.3, 0.2]], 0.0, READ
)
KNOWN = Known(SHOP, POUND)


def expit(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def told(found: Contributions = FOUND, known: Known = KNOWN) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = tell_reasons(found, known).table.to_pylist()
    return rows


def test_the_whole_table() -> None:
    assert [(row["row"], row["side"], row["rank"], row["code"], row["compared_with"]) for row in told()] == [
        (0, "raises", 1, "R-RECENCY", "own past"),
        (0, "raises", 2, "R-FREQUENCY", "all customers"),
        (0, "lowers", 1, "R-RETURNS", "all customers"),
        (0, "lowers", 2, "R-WAREHOUSE", "all customers"),
        (1, "raises", 1, "R-RETURNS", "all customers"),
        # Warehouse 2 and recency 51 are the middle of all: nothing can be said of them.
        (2, "raises", 1, "R-WAREHOUSE", "all customers"),
        (2, "lowers", 1, "R-AMOUNT", "all customers"),
        (2, "lowers", 2, "R-RECENCY", "own past"),
        # Returns of nobody knows how many, and 12 orders that would raise the risk: neither is a reason.
    ]  # fmt: skip
    assert tell_reasons(FOUND, KNOWN).table.schema == SCHEMA


def test_the_sentences_in_both_languages() -> None:
    rows = told()
    assert [row["text_en"] for row in rows] == [
        "No purchase for 143 days; usually every 30 days (+25 points)",
        "1 order in the window (half of customers: 5 orders) (+7 points)",
        "Returns 0% of purchases (half of customers: 5.9%) (-5 points)",
        "Background: warehouse: 1 (half of customers: 2) (-2 points)",
        "Returns 11.8% of purchases (half of customers: 5.9%) (+14 points)",
        "Background: warehouse: 3 (half of customers: 2) (+5 points)",
        "Net amount 9,900 GBP in the window (half of customers: 629 GBP) (-21 points)",
        "No purchase for 7 days; usually every 20 days (-16 points)",
    ]
    assert [row["text_zh"] for row in rows[:3]] == [
        "已143天未购买，平时平均每30天一次（风险+25个百分点）",
        "窗口内下单1单（客户中位数5单）（风险+7个百分点）",
        "退货占购买额0%（客户中位数5.9%）（风险-5个百分点）",
    ]
    assert [row["is_background"] for row in rows] == [row["topic"] == "warehouse" for row in rows]


def test_points_of_one_customer_by_hand() -> None:
    slope = 100 * (expit(1.1) - 0.5) / 1.1
    first = [row["points"] for row in told() if row["row"] == 0]
    assert first == pytest.approx([1.1 * slope, 0.3 * slope, -0.2 * slope, -0.1 * slope])
    reasons = tell_reasons(FOUND, KNOWN)
    assert reasons.base.tolist() == [0.5] * 3
    assert reasons.level.tolist() == [0.0] * 3
    assert reasons.other[0] == pytest.approx(0.0)


def test_season_and_level_are_items_of_their_own() -> None:
    found = Contributions([[1.0, 0.4, -0.5]], -1.0, ("recency_days", SEASON, LEVEL))
    known = Known({"recency_days": np.array([74.0]), "interval_mean_days": np.array([20.0])}, POUND)
    reasons = tell_reasons(found, known)
    start, end = expit(-1.5), expit(-0.1)
    slope = 100 * (end - start) / 1.4
    assert reasons.base[0] == pytest.approx(expit(-1.0))
    assert reasons.level[0] == pytest.approx(100 * (start - expit(-1.0)) + 0.4 * slope)
    assert reasons.table["points"].to_pylist() == pytest.approx([slope])
    assert reasons.other[0] == pytest.approx(0.0)
    assert reasons.table["topic"].to_pylist() == ["recency"]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.booleans())
def test_points_sum_to_the_risk_whatever_they_are(seed: int, still: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(scale=2, size=(6, 4))
    if still:
        values[:, 0] = -values[:, 1:3].sum(axis=1)  # the customer's own cancel
    found = Contributions(values, rng.normal(size=6), ("recency_days", "frequency", "monetary", LEVEL))
    points, base = points_of(found)
    risk = [expit(value) for value in found.log_odds().tolist()]
    np.testing.assert_allclose(100 * base + points.sum(axis=1), 100 * np.array(risk), atol=1e-6)
    assert (np.sign(points) == np.sign(values)).all()
    order = np.argsort(values[:, :3], axis=1)
    np.testing.assert_array_equal(order, np.argsort(points[:, :3], axis=1))


# --- the slow way

POOL = ("recency_days", "interval_mean_days", "frequency", "orders_90", "orders_prev_90", "orders_decay_30", "monetary",
        "spend", "return_share", "gap_squares", "regularity", "products", "lines_per_order", "own_column",
        LEVEL)  # fmt: skip


def made(seed: int, rows: int = 45) -> tuple[Contributions, Known]:
    rng = np.random.default_rng(seed)
    columns = {name: np.where(rng.random(rows) < 0.15, np.nan, rng.integers(0, 9, rows) * 1.0) for name in POOL[:-1]}
    read = [name for name in POOL if rng.random() < 0.7 or name == LEVEL]
    tiers = rng.choice(np.array(["A", "B", None], dtype=object), rows, p=[0.7, 0.2, 0.1])
    values = rng.normal(scale=0.4, size=(rows, len(read))).round(2)
    return Contributions(values, -0.5, tuple(read)), Known(columns, POUND, tiers, {"A": Text("Core", "核心")})


def slowly(found: Contributions, known: Known) -> list[tuple[int, str, str, float]]:
    """Customer by customer, topic by topic: row, side, topic, points; by rank."""
    points, _ = points_of(found)
    rows: list[tuple[int, str, str, float]] = []
    for row in range(len(found)):
        total: dict[str, float] = {}
        for name, value in zip(found.names, points[row].tolist(), strict=True):
            if name != LEVEL:
                topic = topic_of(name, WHOLE)
                total[topic] = total.get(topic, 0.0) + value
        for side, most in ((RAISES, 3), (LOWERS, 2)):
            mine = [(topic, value) for topic, value in total.items() if (value > 0) == (side == RAISES)]
            strong = sorted((one for one in mine if abs(one[1]) >= 1), key=lambda one: (-round(abs(one[1]), 9), one[0]))
            said = [(row, side, topic, value) for topic, value in strong if can_be_told(topic, row, side, known)]
            rows += said[:most]
    return rows


def can_be_told(topic: str, row: int, side: str, known: Known) -> bool:
    """Whether any member of a topic has a value that says what the side says."""
    members = [name for name in known.columns if topic_of(name, WHOLE) == topic and name not in SILENT]
    for name in members:
        entry = WHOLE.get(name)
        direction = DIRECTIONS[entry.direction] if entry else 0
        sign = np.full(len(known.columns[name]), direction * (-1 if side == RAISES else 1), dtype=np.int8)
        unit = (entry.unit if entry else "", known.currency)
        if compared_values(name, known.columns, known.tiers, sign, unit).kind[row] >= 0:
            return True
    return False


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_oracle_customer_by_customer(seed: int) -> None:
    found, known = made(seed)
    rows = told(found, known)
    assert [(row["row"], row["side"], row["topic"]) for row in rows] == [one[:3] for one in slowly(found, known)]
    assert [row["points"] for row in rows] == pytest.approx([one[3] for one in slowly(found, known)])


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_law_every_sentence_is_true_and_all_sums_to_the_risk(seed: int) -> None:
    found, known = made(seed)
    reasons = tell_reasons(found, known)
    rows = reasons.table.to_pylist()
    assert len({(row["row"], row["topic"]) for row in rows}) == len(rows)
    sums = np.zeros(len(found))
    for row in rows:
        sums[row["row"]] += row["points"]
        assert abs(row["points"]) >= LEAST
        assert row["value"] == known.columns[row["feature"]][row["row"]]
        assert row["rank"] <= MOST[row["side"]]
        assert row["feature"] not in SILENT
        entry = WHOLE.get(row["feature"])
        unit = entry.unit if entry else ""
        own, other = (say_value(row[name], unit, POUND) for name in ("value", "compared"))
        assert own != other
        assert own.en in row["text_en"]
        assert other.zh in row["text_zh"]
        assert row["text_en"].endswith(f" ({row['points']:+.0f} points)")
        assert row["text_zh"].endswith(f"（风险{row['points']:+.0f}个百分点）")
        if row["compared_with"] == "tier" and known.tiers is not None and known.tiers[row["row"]] == "A":
            assert "half of tier Core: " in row["text_en"]
        direction = DIRECTIONS[entry.direction] if entry else 0
        assert row["is_background"] == (direction == 0)
        if direction:
            assert (row["side"] == RAISES) == ((row["value"] < row["compared"]) == (direction > 0))
    risk = 100 * np.array([expit(value) for value in found.log_odds()])
    np.testing.assert_allclose(100 * reasons.base + reasons.level + sums + reasons.other, risk, atol=1e-6)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_law_the_order_of_rows_and_columns_changes_no_reason(seed: int) -> None:
    found, known = made(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(found)), rng.permutation(len(found.names))
    names = tuple(found.names[column] for column in columns)
    other = Contributions(found.values[rows][:, columns], found.base[rows], names)
    assert known.tiers is not None
    mixed = Known({name: values[rows] for name, values in reversed(known.columns.items())}, POUND, known.tiers[rows],
                  known.tier_names)  # fmt: skip
    one = tell_reasons(found, known).table.to_pandas()
    two = tell_reasons(other, mixed).table.to_pandas()
    two["row"] = rows[two["row"]]
    keys = ["row", "side", "rank"]
    sides = [frame.sort_values(keys, ignore_index=True) for frame in (one, two)]
    pd.testing.assert_frame_equal(*sides, atol=1e-9)


def test_equal_strength_goes_by_the_name_of_the_topic() -> None:
    columns = {name: np.array([100.0, 900.0, 900.0]) for name in ("monetary", "frequency", "tenure_days")}
    found = Contributions([[0.5, 0.5, 0.5], [0, 0, 0], [0, 0, 0]], 0.0, ("tenure_days", "monetary", "frequency"))
    assert [row["topic"] for row in told(found, Known(columns, POUND))] == ["amount", "frequency", "tenure"]


def test_nothing_moves_the_risk_no_reason() -> None:
    still = tell_reasons(Contributions(np.zeros((3, 5)), 0.0, READ), KNOWN)
    assert (still.table.num_rows, still.table.schema) == (0, SCHEMA)
    assert still.other.tolist() == [0.0] * 3
    empty = tell_reasons(Contributions(np.empty((0, 5)), 0.0, READ), Known({name: np.empty(0) for name in SHOP}, POUND))
    assert (empty.table.num_rows, len(empty.base)) == (0, 0)


def test_less_than_a_point_is_left_unsaid_but_counted() -> None:
    found = Contributions([[0.039, 0.0, 0.0, 0.0, 0.0], [0.0] * 5, [0.0] * 5], 0.0, READ)
    reasons = tell_reasons(found, KNOWN)
    assert reasons.table.num_rows == 0
    assert reasons.other[0] == pytest.approx(100 * (expit(0.039) - 0.5))


def test_a_learned_or_silent_name_is_told_by_another_of_its_topic() -> None:
    assert topic_of("orders_decay_30", WHOLE) == "frequency"
    columns = {"orders_decay_30": np.array([0.1, 2.0, 2.0]), "frequency": np.array([1.0, 5.0, 5.0])}
    found = Contributions([[0.5], [0.0], [0.0]], 0.0, ("orders_decay_30",))
    (row,) = told(found, Known(columns, POUND))
    assert (row["feature"], row["topic"]) == ("frequency", "frequency")
    alone = tell_reasons(found, Known({"orders_decay_30": columns["orders_decay_30"]}, POUND))
    assert alone.table.num_rows == 0
    assert alone.other[0] == pytest.approx(100 * (expit(0.5) - 0.5))


def test_a_topic_that_has_its_sentence_is_told_by_it_where_the_sides_agree() -> None:
    words = Text("Will be 4.2 points short", "将差4.2分")
    said = [Said("need", 4.2, 0.0, RAISES, words), Said("need", 4.2, 0.0, RAISES, words), None]
    found = Contributions([[0.5], [-0.5], [0.5]], 0.0, ("margin",))
    catalog = {**WHOLE, "margin": replace(WHOLE["monetary"], name="margin", family="standing")}
    known = Known({"margin": np.array([1.0, 2.0, 3.0])}, POUND, catalog=catalog, said={"standing": said})
    (row,) = told(found, known)
    assert (row["row"], row["code"], row["compared_with"], row["compared"]) == (0, "R-STANDING", "the scheme", 0.0)
    assert row["text_en"] == "Will be 4.2 points short (+12 points)"
    assert row["text_zh"] == "将差4.2分（风险+12个百分点）"


# --- words


@pytest.mark.parametrize("name", [name for name in WHOLE if WHOLE[name].unit != "text"])
def test_every_feature_of_the_catalog_can_be_said(name: str) -> None:
    for value, other, kind in ((1234.5, 10.0, 1), (0.25, 1e6, 2), (3.0, 2.0, 0)):
        if kind == 0 and name not in OWN_PAST:
            continue
        text = say_reason(name, value, (kind, other), -7.4, ("A", KNOWN))
        for words in text:
            assert "{" not in words
            assert not re.search(r"\bnan\b", words)
        assert text.en[0].isupper() or text.en[0].isdigit()
        assert text.en.endswith(" (-7 points)")
        assert (WHOLE[name].direction == "none" and kind > 0) == text.en.startswith("Background: ")
        assert text.en.startswith("Background: ") == text.zh.startswith("背景：")


SENTENCES = [
    ("monetary", 41_250, 62_900, "Net amount 412 GBP in the window (half of customers: 629 GBP)",
     "窗口内净交易额412 GBP（客户中位数629 GBP）"),
    ("growth_yoy", -0.41, 0.02, "Change on the year before: -41% (half of customers: 2%)",
     "同比变化-41%（客户中位数2%）"),
    ("active_months", 1, 4, "Bought in 1 month of the last year (half of customers: 4 months)",
     "近一年有1个月购买（客户中位数4个月）"),
    ("order_rate", 0.02, 0.04, "A pace of 7.3 orders a year (half of customers: 15 orders a year)",
     "下单节奏每年7.3单（客户中位数每年15单）"),
]  # fmt: skip


@pytest.mark.parametrize(("feature", "value", "median", "english", "chinese"), SENTENCES)
def test_sentences(feature: str, value: float, median: float, english: str, chinese: str) -> None:
    text = say_reason(feature, value, (KINDS.index("all customers"), median), 4.0, (None, KNOWN))
    background = WHOLE[feature].direction == "none"
    assert text.en == f"{'Background: ' * background}{english} (+4 points)"
    assert text.zh == f"{'背景：' * background}{chinese}（风险+4个百分点）"


def test_codes_are_short_stable_and_distinct() -> None:
    families = {family_of(name) for name in WHOLE}
    codes = {reason_code(family) for family in families}
    assert {"R-RECENCY", "R-AMOUNT", "R-ORDER-VALUE"} <= codes
    assert len(codes) == len(families)


def test_every_topic_of_the_catalog_has_a_title_and_somebody_to_speak() -> None:
    for name in WHOLE:
        topic = topic_of(name, WHOLE)
        assert topic in FAMILIES
        assert topic not in MERGED
        assert speakers_of(topic, WHOLE)
        assert not set(speakers_of(topic, WHOLE)) & SILENT
    assert set(WHOLE) >= SILENT
    assert not set(ITEMS) & set(WHOLE)


def test_a_phrase_has_one_place_for_a_value_in_either_language() -> None:
    for feature, phrase in PHRASES.items():
        assert feature in WHOLE
        for text in phrase:
            assert [field for _, field, _, _ in string.Formatter().parse(text) if field is not None] == ["value"]


def test_what_there_is_no_data_for_is_said_apart() -> None:
    columns = {"nps": np.array([9.0, np.nan, np.nan]), "recency_days": np.array([1.0, 2.0, np.nan]),
               "complaints_12m": np.full(3, np.nan)}  # fmt: skip
    said = lacking_data(list(columns), Known(columns, POUND))
    assert [text.zh for text in said] == ["", "调研", "距上次购买时间、调研"]
    assert said[2].en == "time since the last purchase, surveys"


# --- for lists


def test_reasons_beside_customers_are_those_of_the_table() -> None:
    reasons = tell_reasons(FOUND, KNOWN)
    beside = reasons_beside(reasons, "churn")
    assert {name: beside.schema.field(name).type for name in beside.column_names} == reason_columns("churn")
    wide = beside.to_pylist()
    assert [row["churn_raised_by_1_code"] for row in wide] == ["R-RECENCY", "R-RETURNS", "R-WAREHOUSE"]
    assert [row["churn_raised_by_2_code"] for row in wide] == ["R-FREQUENCY", None, None]
    assert wide[2]["churn_lowered_by_2_zh"] == "已7天未购买，平时平均每20天一次（风险-16个百分点）"
    assert [name for name in beside.column_names if not name.startswith("churn_")] == []
    assert wide[0]["churn_base"] == 0.5
    nobody = reasons_beside(tell_reasons(Contributions([[0.0]], 0.0, ("monetary",)),
                                         Known({"monetary": np.array([1.0])}, POUND)), "downgrade")  # fmt: skip
    assert nobody.num_rows == 1
    assert sum(column.null_count for column in nobody.columns) == nobody.num_columns - 3


@pytest.mark.parametrize(
    ("leave", "fall", "first"),
    [(0.2, 0.9, "Downgrade"), (0.9, 0.2, "Churn"), (0.5, 0.5, "Churn"), (None, 0.1, "Downgrade"), (0.1, None, "Churn"),
     (None, None, "Churn")],
)  # fmt: skip
def test_the_main_reason_is_the_strongest_of_the_greater_risk(
    leave: float | None, fall: float | None, first: str
) -> None:
    table = {
        f"{outcome}_raised_by_1_{end}": [f"{outcome} {end}"] for outcome in OUTCOMES for end in ("code", "en", "zh")
    }
    risks = {"churn_risk": pa.array([leave], pa.float64()), "downgrade_risk": pa.array([fall], pa.float64())}
    (row,) = with_main_reason(pa.table({**table, **risks})).to_pylist()
    assert row["reason_en"] == f"{first}: {first.lower()} en"
    assert row["reason_zh"] == f"{ {'Churn': '流失', 'Downgrade': '降级'}[first] }：{first.lower()} zh"
    assert row["reason_code"] == f"{first.lower()} code"
    nothing = {name: pa.nulls(1, pa.string()) for name in table}
    assert with_main_reason(pa.table({**nothing, **risks}))["reason_en"].null_count == 1


def test_reasons_of_a_trained_model_from_end_to_end() -> None:
    model, table = trained()
    found = explain(model, table)
    columns = {name: table[name].to_numpy(dtype=np.float64) for name in NAMES}
    reasons = tell_reasons(found, Known(columns, POUND))
    longest = int(table["recency_days"].argmax())
    first = next(row for row in reasons.table.to_pylist() if row["row"] == longest and row["side"] == RAISES)
    assert first["topic"] == "recency"
    assert first["text_en"].startswith(f"No purchase for {table['recency_days'].max()} days (half of customers: ")
    assert not set(reasons.table["feature"].to_pylist()) & set(EXPECTED)
