"""Everybody is counted once, by activity, tier and reason, and lists and next steps tell the activities apart."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.publish.samples import make_customers
from tierlens.errors import UsageError
from tierlens.publish.lists.activities import ACTIVITIES, known_of
from tierlens.publish.lists.customer_lists import BAND_COLUMNS, Pick, customer_list
from tierlens.publish.lists.playbook import with_next_steps

KINDS = pa.chunked_array([["active", "active", "lapsed", "prospect", "prospect"]])
GRADED = pa.table({
    "tier": ["A", "B", "B", None, None],
    "flags": ["", "borderline", "missing", "no_history not_graded missing", "short_tenure"],
})  # fmt: skip


def test_everybody_is_counted_once_with_the_plainest_reason() -> None:
    known = known_of(KINDS, GRADED, ("A", "B"))
    assert [line.by_tier for line in known.lines] == [(1, 1), (0, 1), (0, 0)]
    assert known.customers == 5
    assert known.lines[2].told.en == (
        "1 not graded: no history: never bought before the cutoff; 1 not graded: known for too short"
    )
    assert known.lines[0].told.zh == "已评级 2"


def with_activity(count: int = 9) -> pa.Table:
    return make_customers(count).append_column("activity", pa.array([list(ACTIVITIES)[n % 3] for n in range(count)]))


def test_a_list_takes_the_activities_asked_for_and_counts_the_others() -> None:
    chosen = customer_list(with_activity(), Pick(activities=("沉睡", "PROSPECT")), "zh")
    assert set(chosen.table["activity"].to_pylist()) == {"沉睡", "潜在"}
    assert [(text.en, n) for text, n in chosen.counts] == [
        ("customers", 9),
        ("another activity", 3),
        ("on the list", 6),
    ]


@pytest.mark.parametrize(
    ("table", "asked", "code"),
    [(with_activity(), "asleep", "E-LI-008"), (make_customers(9), "lapsed", "E-LI-010")],
)
def test_an_activity_that_is_none_and_a_table_without_any_are_refused(table: pa.Table, asked: str, code: str) -> None:
    with pytest.raises(UsageError, match=code):
        customer_list(table, Pick(activities=(asked,)))


def test_who_does_not_buy_gets_the_step_for_that_whatever_the_tier() -> None:
    plain = with_activity().drop_columns([*BAND_COLUMNS, "next_step_en", "next_step_zh", "next_step_source"])
    told, without = with_next_steps(plain), with_next_steps(plain.drop_columns(["activity"]))
    for row, usual in zip(told.to_pylist(), without.to_pylist(), strict=True):
        own = {"lapsed": "Wake", "prospect": "Learn what is needed"}.get(row["activity"])
        assert row["next_step_en"].startswith(own) if own else row["next_step_en"] == usual["next_step_en"]
