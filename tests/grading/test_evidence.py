"""Evidence names rule, clause, points and raw value, in both languages; the fired rule is the one that was compiled."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import on_polars, random_customers
from tests.grading.test_scoring import POUND, YUAN, keyed, tiny
from tierlens.errors import DataError
from tierlens.grading.evidence import Teller, finite_or_none, grade_evidence, number_text
from tierlens.grading.feature_columns import Columns, kinds_of
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency
from tierlens.words import Lang


def told(table: pa.Table, scheme: Scheme, lang: Lang = "en", currency: Currency = YUAN) -> list[list[str]]:
    graded = grade(on_polars(table), scheme, currency).collect("pyarrow").to_native()
    return grade_evidence(graded, table, scheme, currency, lang)


CARD = keyed(monetary=[60000000], points_tenure=[8.0], growth_yoy=[0.25], complaints_12m=[2])


def test_a_card_is_told_in_english():
    lines = told(CARD, load_scheme("relationship_rating"))[0]
    span = "is at least 500,000 CNY and below 1,000,000 CNY"
    assert lines[:2] == [
        f"Annual amount: 600,000.00 CNY {span}: 7 points (通用分段：50万-100万)",
        "Tenure: 8 points, given by hand (评分模板（权重25%）)",
    ]
    assert lines[2].startswith("Complaints (last year): 2 times against the graded customers (z-score): 5.5 points (")
    assert lines[3].startswith("Expansion speed of the customer (last 2 years): 25.0% against the graded customers")
    assert (
        "Proxy: Growth of the last half-year on the same half-year before. The customer's own size is not known;"
        in lines[3]
    )
    assert lines[4].startswith("No data, 66% of the weight: Average order value, Profit contribution, Renewal rate")
    assert lines[4].endswith("Fit with new demand; left out, the weights of the others grow")
    reached = "Score 63.88 is at least 60 and below 75: tier C Potential customers; 34% of the weight had data"
    assert lines[5:] == [f"{reached} (等级划分：60-74分，占比30%-35%)"]


def test_a_card_is_told_in_chinese():
    lines = told(CARD, load_scheme("relationship_rating"), "zh")[0]
    assert lines[0] == "年交易额：600,000.00 CNY（≥500,000 CNY且＜1,000,000 CNY）：7分（通用分段：50万-100万）"
    assert lines[1] == "合作时长：8分，人工评定（评分模板（权重25%））"
    assert lines[-1].startswith("综合得分 63.88 ≥60且＜75：C级 潜力客户；34% 的权重有数据")


def test_the_data_keep_their_currency_and_the_rule_keeps_its_own():
    line = told(keyed(monetary=[98039_21]), load_scheme("relationship_rating"), currency=POUND)[0][0]
    assert line.startswith("Annual amount: 98,039.21 GBP is at least 500,000 CNY and below 1,000,000 CNY: 7 points")


def test_labels_flags_and_triggers_say_why():
    table = keyed(monetary=[70000_00], tenure_days=[400], recency_days=[100], nps=[10], dependence=["never heard of"])
    lines = told(table, load_scheme("relationship_guide"))[0]
    assert "Satisfaction: 10 score is at least 0 and below 30: 3 points (健康度：最近NPS≥50得5分)".replace(
        " score", " points", 1
    )
    assert "Dependence: never heard of is no value that the scheme knows (健康度：独家供应商得5分)" in lines
    assert "Tier Low value (维护策略：低价值客户)" in lines
    assert (
        "Value: Low value, because Annual amount 70,000.00 CNY is at least 50,000 CNY and below 100,000 CNY "
        "(价值维度（5万-10万文档未列）) Flag: in a band that the document leaves out." in lines
    )
    assert (
        "Stage: Lost, because Days since the last purchase 100 days is above 91.25 days (流失客户：近3个月无交易)"
        in lines
    )
    assert "Demand: none, as no rule holds (需求维度)" in lines
    assert "Health: Fair, because Health 3 is at least 2.5 and below 3.5 (一般：2.5-3.4分)" in lines
    assert lines[-1].startswith("Trigger: Renewal risk: Days since the last purchase 100 days is above 91.25 days")


def test_missing_values_and_other_scales_are_told():
    scheme = tiny("missing: worst\n")
    lines = told(keyed(grade=["AAA"], mark=[3.0]), scheme)[0]
    assert lines[:3] == [
        "Rating: AAA in the table of the scheme: 10 points (c)",
        "Mark: 3 score on its scale of 1 to 5: 5.5 points (c)",
        "No data, 50% of the weight: Amount; counts as the worst",
    ]
    strict = told(keyed(grade=["AAA"]), tiny("missing: not_graded\n"))[0]
    assert strict[-1] == "Not graded (not graded; indicators without data)"


def test_a_row_without_features_is_refused():
    graded = grade(on_polars(CARD), load_scheme("five_step"), YUAN).collect("pyarrow").to_native()
    with pytest.raises(DataError, match="E-GR-003: customer C0 was graded without features"):
        grade_evidence(graded, CARD.slice(0, 0), load_scheme("five_step"), YUAN, "en")


@pytest.mark.parametrize("name", scheme_names())
@given(seed=st.integers(0, 10**6))
@settings(max_examples=5, deadline=None)
def test_the_rule_that_is_told_is_the_rule_that_was_compiled(name: str, seed: int):
    scheme = load_scheme(name)
    table = random_customers(scheme, 40, seed)
    graded = grade(on_polars(table), scheme, POUND).collect("pyarrow").to_native()
    teller = Teller(Columns(scheme, POUND, kinds_of(table.schema)), "en")
    values = {(row["customer_id"], row["cutoff"]): row for row in table.to_pylist()}
    for row in graded.to_pylist():
        both = teller.everything(row, values[row["customer_id"], row["cutoff"]])
        for label in scheme.labels:
            rule = teller.fired(label, both)
            assert row[f"label_{label.id}"] == (label.otherwise if rule is None else rule.value)
        for trigger in scheme.triggers:
            assert row[f"trigger_{trigger.id}"] == (teller.alternative(trigger.when, both) is not None)


def test_evidence_of_every_scheme_is_one_line_a_sentence():
    for name in scheme_names():
        scheme = load_scheme(name)
        table = random_customers(scheme, 30)
        for lang in ("en", "zh"):
            for lines in told(table, scheme, lang, POUND):
                assert all(line and "\n" not in line and "{}" not in line for line in lines)


def test_numbers_are_short():
    assert number_text(2.50) == "2.5"
    assert number_text(1234567.0) == "1,234,567"
    assert number_text(Decimal("1.5")) == "1.5"
    assert finite_or_none(float("nan")) is None
    assert finite_or_none("a") == "a"
