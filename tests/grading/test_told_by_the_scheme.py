"""What a scheme says of a column, a value or a clause, and the triggers that fired, held against slow look-ups."""

from __future__ import annotations

from typing import Any

import duckdb
import narwhals as nw
import pyarrow as pa
import pytest

from tests.grading.conftest import on_duckdb, random_customers, rows_of
from tests.grading.test_scheme import LABEL
from tests.grading.test_scoring import TINY
from tierlens import strict_yaml
from tierlens.grading.clauses import cited_clauses, stated_at
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scoring import grade
from tierlens.grading.sql import _split, to_sql
from tierlens.grading.triggers import fired_triggers, rows_behind
from tierlens.grading.value_words import CHINESE, value_word
from tierlens.sources.tables import Currency, Tables
from tierlens.words import Text

YUAN = Currency("CNY")
NAMES = scheme_names()
Graded = dict[str, tuple[pa.Table, pa.Table]]


@pytest.fixture(scope="module")
def graded() -> Graded:
    """Random customers of each scheme, and what the grader says of them."""
    found = {}
    for name in NAMES:
        table = random_customers(load_scheme(name), 60, seed=4)
        found[name] = (table, grade(on_duckdb(table), load_scheme(name), YUAN).collect("pyarrow").to_native())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_grading_gave_has_a_clause_of_the_document(name: str, graded: Graded) -> None:
    scheme = load_scheme(name)
    known = {part.source for part in scheme.tiers} | {part.source for part in scheme.labels}
    known |= {part.source for part in scheme.triggers} | {part.source for part in scheme.tags}
    known |= {rule.source for label in scheme.labels for rule in label.rules}
    for row in graded[name][1].to_pylist():
        due = {f"label_{label.id}": row[f"label_{label.id}"] for label in scheme.labels}
        due |= {f"trigger_{one.id}": True for one in scheme.triggers if row[f"trigger_{one.id}"]}
        due |= {column: row[column] for column in ("tier", "tags") if row[column]}
        for column, value in due.items():
            found = list(cited_clauses(scheme, column, value))
            assert set(found) <= known, (column, value)
            assert found, (column, value)


@pytest.mark.parametrize("name", NAMES)
def test_points_and_scores_cite_what_they_are_points_and_scores_of(name: str) -> None:
    scheme = load_scheme(name)
    for dimension, indicator in scheme.indicators:
        assert list(cited_clauses(scheme, f"points_{indicator.id}", 1)) == [indicator.source]
        assert list(cited_clauses(scheme, f"score_{dimension.id}", 1)) == [dimension.source]
    assert list(cited_clauses(scheme, "points_nothing", 1)) == list(cited_clauses(scheme, "coverage", 1)) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_member_is_found_by_its_name_and_by_its_place(name: str) -> None:
    scheme = load_scheme(name)
    for place, tier in enumerate(scheme.tiers):
        assert stated_at(scheme, f"tiers.{tier.id}.label") == stated_at(scheme, f"tiers.{place}.label") == (
            tier.label, tier.source
        )  # fmt: skip
    for place, label in enumerate(scheme.labels):
        for number, rule in enumerate(label.rules):
            found = stated_at(scheme, f"labels.{place}.rules.{number}.value")
            assert found == (rule.value, rule.source)
    assert stated_at(scheme, f"tiers.{len(scheme.tiers)}.label")[0] is None


TAGS = """
tags:
  - {id: short, name: Short, label: 客户, source: of the short one, when: {monetary: {above: 1}}}
  - {id: long, name: Long, label: 客户价值, source: of the long one, of: mark, suffix: 分}
"""


@pytest.mark.parametrize(
    ("tags", "due"),
    [
        ("[客户][客户价值:7分]", ["of the short one", "of the long one"]),
        ("[客户价值:7分]", ["of the long one"]),
        ("[客户]", ["of the short one"]),
        ("", []),
    ],
)
def test_a_tag_is_cited_by_its_whole_name(tags: str, due: list[str]) -> None:
    scheme = strict_yaml.build_model(Scheme, TINY + TAGS)
    assert list(cited_clauses(scheme, "tags", tags)) == due


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_a_label_is_called_by_its_title(name: str) -> None:
    scheme = load_scheme(name)
    for label in scheme.labels:
        for value in label.values:
            assert value_word(scheme, f"label_{label.id}", value.id) == Text(value.name, value.label)
            assert value_word(scheme, "monetary", value.id).en == value.id
    assert value_word(scheme, "anything", True) == Text("yes", "是")
    assert value_word(scheme, "anything", False) == Text("no", "否")


SCALES = [
    ("{high: 10, 高: 10, low: 4, 低: 4}", {"high": "高", "low": "低", "高": "高", "other": "other"}),
    ("{one: 10, 甲: 10, 甲等: 10}", {"one": "甲"}),
    ("{one: 10, two: 10, 甲: 10, 乙: 10}", {"one": "甲", "two": "乙"}),
    # Three words for two cannot be told apart: each stays as it is.
    ("{one: 10, two: 10, three: 10, 甲: 10, 乙: 10}", {"one": "one", "three": "three"}),
    ("{AAA: 10, AA: 8}", {"AAA": "AAA", "AA": "AA"}),
]


@pytest.mark.parametrize(("scale", "due"), SCALES)
def test_a_word_is_called_as_the_chinese_word_of_the_same_points(scale: str, due: dict[str, str]) -> None:
    scheme = strict_yaml.build_model(Scheme, TINY.replace("{AAA: 10, B: 4}", scale))
    assert {word: value_word(scheme, "grade", word).zh for word in due} == due
    assert {value_word(scheme, "grade", word).en for word in due} == set(due)


def test_the_words_of_a_rule_are_translated_where_they_stand_side_by_side() -> None:
    rule = LABEL.replace("{monetary: {at_least: 5}}", "{grade: {in: [retail, 零售, 批发, wholesale]}}")
    scheme = strict_yaml.build_model(Scheme, TINY + rule)
    assert value_word(scheme, "grade", "retail") == Text("retail", "零售")
    assert value_word(scheme, "grade", "wholesale").zh == "批发"


@pytest.mark.parametrize("name", NAMES)
def test_no_english_word_of_a_scale_is_left_in_chinese_where_the_scheme_has_one(name: str) -> None:
    scheme = load_scheme(name)
    for _, indicator in scheme.indicators:
        for word, points in (indicator.ordinal or {}).items():
            alike = [other for other, earned in (indicator.ordinal or {}).items() if earned == points]
            chinese = [other for other in alike if CHINESE.search(other)]
            said = value_word(scheme, indicator.feature, word).zh
            assert said == word or (said in chinese and not CHINESE.search(word))
            assert not (len(alike) == 2 and len(chinese) == 1) or said == chinese[0]


@pytest.mark.parametrize("name", [name for name in NAMES if load_scheme(name).triggers])
def test_every_trigger_that_fired_is_told_once_with_its_values(name: str, graded: Graded) -> None:
    scheme, (table, rows) = load_scheme(name), graded[name]
    due = [
        (row["cutoff"], row["customer_id"], trigger.id)
        for row in sorted(rows.to_pylist(), key=lambda row: (row["cutoff"], row["customer_id"]))
        for trigger in scheme.triggers
        if row[f"trigger_{trigger.id}"]
    ]
    assert due
    shuffled = rows.take(list(reversed(range(rows.num_rows))))
    for lang in ("en", "zh"):
        found = fired_triggers(shuffled, table, scheme, YUAN, lang).to_pylist()
        assert [(row["cutoff"], row["customer_id"], row["trigger"]) for row in found] == due
        titles = {trigger.id: trigger.title.say(lang) for trigger in scheme.triggers}
        assert all(row["title"] == titles[row["trigger"]] and row["because"] for row in found)
        assert bool(CHINESE.search("".join(row["because"] for row in found))) == (lang == "zh")


def lines() -> list[dict[str, Any]]:
    """A purchase every ten days of three customers; one of them is known late."""
    return [
        {"customer_id": name, "order_id": f"{name}{day}", "time": None, "day": day, "known_day": day + late,
         "amount": 100 * day, "kind": "purchase"}
        for name, late in (("a", 0), ("b", 30), ("c", 0))
        for day in range(0, 120, 10)
    ]  # fmt: skip


@pytest.mark.parametrize("days", [None, 25, 90])
def test_the_rows_behind_a_trigger_are_those_known_in_its_days(days: int | None) -> None:
    trigger = load_scheme("five_step").triggers[0].model_copy(update={"rows_days": days})
    with duckdb.connect() as connection:
        table = pa.Table.from_pylist(lines(), schema=pa.schema([
            ("customer_id", pa.string()), ("order_id", pa.string()), ("time", pa.timestamp("us")), ("day", pa.int32()),
            ("known_day", pa.int32()), ("amount", pa.int64()), ("kind", pa.string()),
        ]))  # fmt: skip
        keys = pa.table({"customer_id": ["a", "b", "c", "a"], "cutoff": pa.array([100, 100, 100, 50], pa.int32()),
                         f"trigger_{trigger.id}": [True, True, False, True]})  # fmt: skip
        tables = Tables(nw.from_native(connection.from_arrow(table)), YUAN, "test")
        behind = rows_behind(tables, nw.from_native(connection.from_arrow(keys)), trigger)
        found = behind.select("order_id", "cutoff", "age").collect("pyarrow").to_native().to_pylist()
    due = {
        (line["order_id"], cutoff, cutoff - line["day"])
        for line in lines()
        for name, cutoff in (("a", 100), ("b", 100), ("a", 50))
        if line["customer_id"] == name
        and max(line["day"], line["known_day"]) < cutoff
        and (days is None or cutoff - line["day"] <= days)
    }
    assert {(row["order_id"], row["cutoff"], row["age"]) for row in found} == due
    assert len(found) == len(due)


@pytest.mark.parametrize("feature", ["order", "group", "select", "monetary_2", "values"])
def test_the_sql_runs_by_hand_whatever_the_columns_are_called(feature: str) -> None:
    scheme = strict_yaml.build_model(Scheme, (TINY + LABEL).replace("monetary", feature))
    table = pa.table({"customer_id": ["a", "b"], "cutoff": pa.array([1, 1], pa.int32()), feature: [900, 20000],
                      "grade": ["B", "AAA"]})  # fmt: skip
    sql = to_sql(on_duckdb(table), scheme, YUAN)
    with duckdb.connect() as connection:
        connection.register("features", table)
        by_hand = connection.sql(sql).to_arrow_table().sort_by("customer_id").to_pylist()
    assert by_hand == rows_of(grade(on_duckdb(table), scheme, YUAN))


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("a, b", ["a", "b"]),
        ("f(a, b), c", ["f(a, b)", "c"]),
        ("'x, y' AS n, ((a), (b, c)) AS m", ["'x, y' AS n", "((a), (b, c)) AS m"]),
        ("'(' AS left, 'it''s, so' AS text", ["'(' AS left", "'it''s, so' AS text"]),
        ("a", ["a"]),
    ],
)
def test_columns_are_parted_at_commas_outside_brackets_and_quotes(text: str, due: list[str]) -> None:
    assert _split(text) == due
