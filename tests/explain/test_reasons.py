"""Reasons: the right families in the right order, told by the right feature, in sentences that are true."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.explain.models import NAMES, trained
from tierlens.errors import DataError
from tierlens.explain import Contributions, explain
from tierlens.explain.contributions import family_of
from tierlens.explain.phrases import PHRASES
from tierlens.explain.reasons import Wording, customer_reasons, reason_code, reason_sentence, side_by_side
from tierlens.features.catalog import WHOLE
from tierlens.sources.tables import Currency

POUND = Currency("GBP")
WORDING = Wording(POUND, WHOLE, PHRASES)
SHOP = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c"],
        "cutoff": np.array([15126] * 3, dtype=np.int32),
        "recency_days": [143, 51, 7],
        "overdue_ratio": [4.0, np.nan, 0.3],
        "frequency": [1, 5, 12],
        "monetary": [41_250, 62_900, 990_000],
        "return_share": [0.0, 0.118, np.nan],
        "warehouse": [1.0, 2.0, 3.0],
    }
)


def made(*rows):
    return Contributions(np.array(rows, dtype=float), 0.0, NAMES)


FOUND = made([0.9, 0.2, 0.3, 0.0, -0.1, 0.0], [-0.2, 0.0, 0.0, 0.05, 0.6, 0.4], [0.3, -0.8, 0.1, -0.9, 0.0, 0.0])


def said(**options):
    return customer_reasons(FOUND, SHOP, currency=POUND, **options).to_pylist()


def test_the_whole_table():
    assert [(row["customer_id"], row["rank"], row["code"], row["feature"], row["effect"]) for row in said()] == [
        ("a", 1, "R-RECENCY", "recency_days", "raises"),
        ("a", 2, "R-FREQUENCY", "frequency", "raises"),
        ("a", 3, "R-RETURNS", "return_share", "lowers"),
        ("b", 1, "R-RETURNS", "return_share", "raises"),
        ("b", 2, "R-WAREHOUSE", "warehouse", "raises"),
        ("b", 3, "R-RECENCY", "recency_days", "lowers"),
        ("c", 1, "R-AMOUNT", "monetary", "lowers"),
        ("c", 2, "R-RECENCY", "overdue_ratio", "lowers"),
        ("c", 3, "R-FREQUENCY", "frequency", "raises"),
    ]
    assert [row["contribution"] for row in said()[:2]] == pytest.approx([1.1, 0.3])
    assert {row["cutoff"] for row in said()} == {15126}


def test_the_sentences_in_both_languages():
    rows = said()
    assert [row["text_en"] for row in rows[:5]] == [
        "No purchase for 143 days (half of customers: 51): raises the risk",
        "1 order in the window (half of customers: 5): raises the risk",
        "Returns 0% of purchases (half of customers: 5.9%): lowers the risk",
        "Returns 11.8% of purchases (half of customers: 5.9%): raises the risk",
        "warehouse: 2 (half of customers: 2): raises the risk",
    ]
    assert [row["text_zh"] for row in rows[:2]] == [
        "已143天未购买（客户中位数51天），风险上升",
        "窗口内下单1单（客户中位数5单），风险上升",
    ]


def test_values_and_medians_stand_beside_the_words():
    row = said()[0]
    assert (row["value"], row["median"]) == (143.0, 51.0)
    assert said(medians={"recency_days": 60.0})[0]["median"] == 60.0
    other = said(medians={})[0]
    assert other["median"] is None
    assert other["text_en"] == "No purchase for 143 days: raises the risk"


@pytest.mark.parametrize(("side", "effects"), [("raises", {"raises"}), ("lowers", {"lowers"})])
def test_one_side_only(side, effects):
    rows = said(side=side)
    assert {row["effect"] for row in rows} == effects
    assert [row["rank"] for row in rows if row["customer_id"] == "a"] == list(range(1, 3 if side == "raises" else 2))


def test_a_family_is_told_by_a_member_that_pushes_its_way_and_has_a_phrase():
    names = ("regularity", "interval_mean_days", "longest_gap_days")
    table = pd.DataFrame([[0.4, 30.0, 90.0]], columns=names)
    for values, speaker in (
        ([0.9, 0.1, -0.2], "interval_mean_days"),  # regularity is stronger but has no phrase of its own
        ([0.9, -0.1, -0.2], "regularity"),  # no member with a phrase pushes this way
        ([-0.9, 0.1, 0.2], "regularity"),
        ([0.1, 0.1, 0.2], "longest_gap_days"),
    ):
        row = customer_reasons(Contributions([values], 0.0, names), table, currency=POUND).to_pylist()
        assert [one["feature"] for one in row] == [speaker]


def test_nothing_moves_the_risk_no_reason():
    table = customer_reasons(made([0.0] * 6, [1e-15] * 6, [0.0] * 6), SHOP, currency=POUND)
    assert table.num_rows == 0
    assert table.schema.field("text_en").type == pa.string()
    empty = customer_reasons(Contributions(np.empty((0, 6)), 0.0, NAMES), SHOP.head(0), currency=POUND)
    assert empty.num_rows == 0


def test_ties_go_by_name_and_a_table_needs_no_keys():
    table = customer_reasons(made([0.5, 0.0, 0.5, -0.5, 0.0, 0.5]), SHOP[list(NAMES)].head(1), currency=POUND)
    assert table["family"].to_pylist() == ["amount", "frequency", "recency"]
    assert "customer_id" not in table.column_names


def test_rows_and_columns_must_match():
    with pytest.raises(DataError, match="E-EP-005: 3 rows of contributions for 2 customers"):
        customer_reasons(FOUND, SHOP.head(2), currency=POUND)
    with pytest.raises(DataError, match="E-EP-004: missing columns: frequency"):
        customer_reasons(FOUND, SHOP.drop(columns="frequency"), currency=POUND)


# --- laws

rounded = st.integers(-400, 400).map(lambda number: number / 100)
drawn = hnp.arrays(np.float64, st.just((3, len(NAMES))), elements=rounded).map(lambda values: made(*values))


def slowly(found: Contributions, top: int) -> list[tuple[int, str, float]]:
    """Customer by customer: the strongest families, the obvious way."""
    rows = []
    for at, values in enumerate(found.values):
        sums: dict[str, float] = {}
        for name, value in zip(found.names, values, strict=True):
            sums[family_of(name)] = sums.get(family_of(name), 0.0) + value
        order = sorted((item for item in sums.items() if abs(item[1]) > 1e-12), key=lambda it: (-abs(it[1]), it[0]))
        rows += [(at, family, strength) for family, strength in order[:top]]
    return rows


@settings(max_examples=100, deadline=None)
@given(found=drawn, top=st.integers(1, 6))
def test_oracle_customer_by_customer(found, top):
    rows = customer_reasons(found, SHOP, currency=POUND, top=top).to_pylist()
    assert [(row["row"], row["family"], row["contribution"]) for row in rows] == slowly(found, top)


@settings(max_examples=100, deadline=None)
@given(found=drawn)
def test_law_no_family_twice_and_every_sentence_is_true(found):
    rows = customer_reasons(found, SHOP, currency=POUND).to_pylist()
    assert len({(row["row"], row["family"]) for row in rows}) == len(rows)
    for row in rows:
        own = SHOP[row["feature"]].iloc[row["row"]]
        assert row["value"] == own or (row["value"] is None and np.isnan(own))
        assert (row["effect"] == "raises") == (row["contribution"] > 0)
        assert row["text_en"].endswith(f": {row['effect']} the risk")
        assert row["text_zh"].endswith("风险上升" if row["contribution"] > 0 else "风险下降")
        # the member that speaks pushes the way that the sentence says
        pushed = found.values[row["row"], found.names.index(row["feature"])]
        assert np.sign(pushed) == np.sign(row["contribution"])
        value, median = row["value"], row["median"]
        again = reason_sentence(
            math.nan if value is None else value, median, row["feature"], row["effect"] == "raises", WORDING
        )
        assert again == (row["text_en"], row["text_zh"])


def test_law_the_order_of_rows_and_columns_changes_no_reason():
    rows, columns = [2, 0, 1], [5, 3, 1, 0, 2, 4]
    other = Contributions(FOUND.values[rows][:, columns], 0.0, tuple(NAMES[column] for column in columns))
    medians = {"recency_days": 50.0}
    one = customer_reasons(FOUND, SHOP, currency=POUND, medians=medians).to_pandas().drop(columns="row")
    two = customer_reasons(other, SHOP.iloc[rows], currency=POUND, medians=medians).to_pandas().drop(columns="row")
    pd.testing.assert_frame_equal(one, two.sort_values(["customer_id", "rank"], ignore_index=True))


# --- words


@pytest.mark.parametrize("name", WHOLE)
def test_every_feature_of_the_catalog_can_be_said(name):
    for value, median in ((1234.5, 10.0), (0.25, math.nan), (math.nan, 1.0)):
        text = reason_sentence(value, median, name, True, WORDING)
        for words in text:
            assert "{" not in words
            assert not re.search(r"\bnan\b", words)
        assert text.en[0].isupper() or text.en[0].isdigit()
        assert ("无数据" in text.zh) == math.isnan(value)


SENTENCES = [
    ("monetary", 41_250, 62_900, "Net amount 412 GBP in the window (half of customers: 629 GBP)",
     "窗口内净交易额412 GBP（客户中位数629 GBP）"),
    ("growth_yoy", -0.41, 0.02, "Change on the year before: -41% (half of customers: 2%)",
     "同比变化-41%（客户中位数2%）"),
    ("active_months", 1, 4, "Bought in 1 month of the last year (half of customers: 4)",
     "近一年有1个月购买（客户中位数4个月）"),
    ("order_rate", 0.02, 0.04, "A pace of 7.3 orders a year (half of customers: 15 orders a year)",
     "下单节奏每年7.3单（客户中位数每年15单）"),
    ("orders_decay_30", 0.4, 1.25, "Recent orders, the latest counting most: 0.4 orders (half of customers: 1.2)",
     "近期订单（越近权重越高）0.4单（客户中位数1.2单）"),
    ("longest_gap_days", math.nan, 91, "Longest pause between purchases: no data (half of customers: 91)",
     "最长购买间隔：无数据（客户中位数91天）"),
]  # fmt: skip


@pytest.mark.parametrize(("feature", "value", "median", "english", "chinese"), SENTENCES)
def test_sentences(feature, value, median, english, chinese):
    raised, lowered = (reason_sentence(value, median, feature, raises, WORDING) for raises in (True, False))
    assert raised == (f"{english}: raises the risk", f"{chinese}，风险上升")
    assert lowered == (f"{english}: lowers the risk", f"{chinese}，风险下降")


def test_codes_are_short_stable_and_distinct():
    families = {family_of(name) for name in WHOLE}
    codes = {reason_code(family) for family in families}
    assert {"R-RECENCY", "R-AMOUNT", "R-ORDER-VALUE"} <= codes
    assert len(codes) == len(families)


# --- for lists


def test_side_by_side_keeps_rows_without_reasons():
    found = made(FOUND.values[0], [0.0] * 6, FOUND.values[2])
    wide = side_by_side(customer_reasons(found, SHOP, currency=POUND), customers=3, top=2).to_pylist()
    assert [row["reason_1_code"] for row in wide] == ["R-RECENCY", None, "R-AMOUNT"]
    assert wide[2]["reason_2_zh"].startswith("当前停购为平均间隔的0.3倍")
    assert list(wide[0]) == [f"reason_{number}_{name}" for number in (1, 2) for name in ("code", "en", "zh")]
    nobody = customer_reasons(made([0.0] * 6), SHOP.head(1), currency=POUND)
    assert side_by_side(nobody, customers=1, top=1).to_pylist() == [
        {"reason_1_code": None, "reason_1_en": None, "reason_1_zh": None}
    ]


def test_reasons_of_a_trained_model_from_end_to_end():
    model, table = trained()
    found = explain(model, table)
    rows = customer_reasons(found, table, currency=POUND)
    assert rows["rank"].to_pylist().count(1) == len(table)
    longest = int(table["recency_days"].argmax())
    first = rows.filter((pa.compute.field("row") == longest) & (pa.compute.field("rank") == 1)).to_pylist()[0]
    assert first["text_en"].startswith(f"No purchase for {table['recency_days'].max()} days (half of customers: ")
    assert first["effect"] == "raises"


def test_a_hundred_thousand_customers_need_a_sentence_each_only_once(monkeypatch):
    from tierlens.explain import reasons as module

    made_up, calls = np.random.default_rng(0), []
    real = module.reason_sentence
    monkeypatch.setattr(module, "reason_sentence", lambda *given: calls.append(1) or real(*given))
    names = ("recency_days", "frequency", "active_months")
    table = pd.DataFrame({name: made_up.integers(1, 13, 100_000) for name in names})
    found = Contributions(made_up.normal(size=(100_000, 3)), 0.0, names)
    rows = customer_reasons(found, table, currency=POUND)
    assert rows.num_rows == 200_000  # frequency and active_months are one family
    assert len(calls) <= 12 * 3 * 2
