"""The laws of a point in time themselves: what each change does to tables, and what it leaves as it is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.crowd import crowd
from tests.other_tables import tables_with
from tierlens.features.audit import any_late, changed_features, sampled_customers
from tierlens.features.laws import LATER, LAWS, MONEY, SHIFT, Law, Raw, adding_rows, is_known
from tierlens.sources.declared.contracts import ALWAYS

CUTOFF = 800
BY_NAME = {law.name: law for law in LAWS}
ADDING = ("future_added", "at_the_cutoff", "recorded_late")


@pytest.fixture(scope="module")
def raw() -> Raw:
    return sampled_customers(tables_with(crowd(3, CUTOFF, customers=25)))


def changed(name: str, raw: Raw, seed: int = 0) -> Raw:
    return BY_NAME[name].change(raw, CUTOFF, np.random.default_rng(seed))


def counted(table: pa.Table) -> Counter[Any]:
    return Counter(tuple(row.values()) for row in table.to_pylist())


def as_known(name: str, table: pa.Table) -> list[dict[str, Any]]:
    """What the rows said at the cutoff, row by row."""
    found = []
    for row in table.to_pylist():
        if row["day"] < CUTOFF and row["known_day"] < CUTOFF:
            since, columns = LATER.get(name, ("day", ()))
            is_open = row[since] is None or row[since] >= CUTOFF
            found.append(row | dict.fromkeys(columns) if is_open else row)
    return found


@pytest.mark.parametrize("law", [law.name for law in LAWS])
def test_no_law_touches_what_it_was_given_or_the_form_of_a_table(law: str, raw: Raw) -> None:
    before = {name: table.to_pylist() for name, table in raw.items()}
    found = changed(law, raw)
    assert {name: table.to_pylist() for name, table in raw.items()} == before
    assert {name: table.schema for name, table in found.items()} == {name: table.schema for name, table in raw.items()}


@pytest.mark.parametrize("law", ["future_dropped", "future_scrambled", *ADDING])
def test_what_was_known_at_the_cutoff_is_what_it_was(law: str, raw: Raw) -> None:
    """The rows known, as they were known, are the same in the same number."""
    found = changed(law, raw)
    for name, table in raw.items():
        one, two = (Counter(tuple(row.values()) for row in as_known(name, each)) for each in (table, found[name]))
        assert one == two, name


def test_dropping_leaves_nothing_to_drop_and_something_was_there(raw: Raw) -> None:
    once = changed("future_dropped", raw)
    twice = changed("future_dropped", once)
    for name, table in once.items():
        assert is_known(table, CUTOFF).all()
        assert 0 < table.num_rows < raw[name].num_rows
        assert twice[name].equals(table)


def test_scrambling_changes_most_of_what_was_not_known(raw: Raw) -> None:
    sales, found = raw["transactions"], changed("future_scrambled", raw)["transactions"]
    future = ~is_known(sales, CUTOFF)
    assert future.sum() > 50
    old, new = (np.array(table["amount"].to_pylist()) for table in (sales, found))
    assert (new[future] == 3 * old[future]).all()
    names = [np.array(table["customer_id"].to_pylist()) for table in (sales, found)]
    assert (names[0][future] != names[1][future]).mean() > 0.5


@pytest.mark.parametrize("law", ADDING)
def test_added_rows_were_not_known_and_stand_after_those_that_were_there(law: str, raw: Raw) -> None:
    for name, table in changed(law, raw).items():
        rows = raw[name].num_rows
        assert table.slice(0, rows).equals(raw[name])
        new = table.slice(rows)
        assert new.num_rows >= rows
        assert not is_known(new, CUTOFF).any()
        happened = np.array(new["day"].to_pylist()) < CUTOFF
        assert happened.all() if law == "recorded_late" else not happened.any()


@pytest.mark.parametrize("times", [0.0, 0.5, 2.0])
def test_as_many_rows_are_added_as_were_asked_for(times: float, raw: Raw) -> None:
    found = adding_rows(times)(raw, CUTOFF, np.random.default_rng(0))
    assert {name: table.num_rows for name, table in found.items()} == {
        name: table.num_rows + int(table.num_rows * times) for name, table in raw.items()
    }


def test_shuffling_keeps_every_row_and_moves_most(raw: Raw) -> None:
    found = changed("rows_shuffled", raw)
    for name, table in raw.items():
        assert counted(found[name]) == counted(table)
    assert found["transactions"].to_pylist() != raw["transactions"].to_pylist()


def test_a_third_of_the_customers_stays_with_all_of_their_rows(raw: Raw) -> None:
    def people(tables: Raw) -> set[str]:
        return {name for table in tables.values() for name in table["customer_id"].to_pylist()}

    found = changed("others_removed", raw)
    kept = people(found)
    assert len(kept) == -(-len(people(raw)) // 3)
    for name, table in raw.items():
        assert found[name].to_pylist() == [row for row in table.to_pylist() if row["customer_id"] in kept]


def test_new_names_lead_back_to_the_old_ones_and_no_two_become_one(raw: Raw) -> None:
    found, back = changed("ids_renamed", raw), BY_NAME["ids_renamed"].original
    for name, table in raw.items():
        old, new = table["customer_id"].to_pylist(), found[name]["customer_id"].to_pylist()
        assert [back(called) for called in new] == old
        assert not set(old) & set(new)
        assert (
            found[name]
            .drop_columns([c for c in table.column_names if c.endswith("_id")])
            .equals(table.drop_columns([c for c in table.column_names if c.endswith("_id")]))
        )
    products = [table["transactions"]["product_id"].to_pylist() for table in (raw, found)]
    assert [one is None for one in products[0]] == [one is None for one in products[1]]


def test_ten_times_the_money_is_money_and_nothing_else(raw: Raw) -> None:
    found = changed("money_tenfold", raw)
    for name, table in raw.items():
        money = MONEY.get(name, ())
        for column in table.column_names:
            values = table[column].to_pylist()
            tenfold = [None if value is None else 10 * value for value in values] if column in money else values
            assert found[name][column].to_pylist() == tenfold, (name, column)


def test_all_days_move_by_whole_weeks_but_the_beginning_of_time(raw: Raw) -> None:
    found = changed("days_moved", raw)
    assert SHIFT % 7 == 0
    held = raw["customers"]["day"].to_pylist()
    assert ALWAYS in held
    assert found["customers"]["day"].to_pylist() == [day if day == ALWAYS else day + SHIFT for day in held]
    for column in ("day", "known_day", "paid_day"):
        moved = [None if day is None else day + SHIFT for day in raw["payments"][column].to_pylist()]
        assert found["payments"][column].to_pylist() == moved


# --- comparing


def features(ids: list[str], values: list[float | None], cutoff: int = CUTOFF, name: str = "spend") -> pa.Table:
    return pa.table({"customer_id": ids, "cutoff": pa.array([cutoff] * len(ids), pa.int32()), name: values})


def breaches(law: Law, before: pa.Table, after: pa.Table) -> list[tuple[str, str, Any, Any, int]]:
    found = changed_features(law, CUTOFF, before, after)
    return [(breach.feature, breach.customer, breach.before, breach.after, breach.customers) for breach in found]


def test_rows_are_compared_by_customer_whatever_their_order_and_other_cutoffs_do_not_count() -> None:
    law = BY_NAME["among_cutoffs"]
    after = pa.concat_tables([features(["b", "a"], [2.0, 1.0]), features(["a"], [9.0], CUTOFF + 28)])
    assert breaches(law, features(["a", "b"], [1.0, 2.0]), after) == []


def test_a_difference_names_the_first_customer_and_counts_the_others() -> None:
    law = BY_NAME["rows_shuffled"]
    before, after = features(["a", "b", "c"], [1.0, 2.0, None]), features(["a", "b", "c"], [1.0, 2.5, 0.0])
    assert breaches(law, before, after) == [("spend", "b", 2.0, 2.5, 2)]


def test_customers_may_be_gone_only_where_they_were_removed() -> None:
    before, after = features(["a", "b"], [1.0, 2.0]), features(["b"], [2.0])
    assert breaches(BY_NAME["others_removed"], before, after) == []
    assert breaches(BY_NAME["future_added"], before, after) == [("customers", "a", 2, 1, 1)]
    assert breaches(BY_NAME["future_added"], after, before) == [("customers", "a", 1, 2, 1)]


@pytest.mark.parametrize(("name", "kept"), [("spend", 10.0), ("average_order_value", 10.0), ("frequency", 1.0)])
def test_only_money_becomes_ten_times_as_much(name: str, kept: float) -> None:
    law = BY_NAME["money_tenfold"]
    assert breaches(law, features(["a"], [1.0], name=name), features(["a"], [kept], name=name)) == []
    assert len(breaches(law, features(["a"], [1.0], name=name), features(["a"], [11.0 - kept], name=name))) == 1


def test_moved_cutoffs_and_new_names_are_traced_back() -> None:
    assert breaches(BY_NAME["days_moved"], features(["a"], [1.0]), features(["a"], [1.0], CUTOFF + SHIFT)) == []
    assert breaches(BY_NAME["ids_renamed"], features(["ab"], [1.0]), features(["客户 ba"], [1.0])) == []


def test_late_rows_are_seen_where_there_are_any() -> None:
    assert any_late(sampled_customers(tables_with(crowd(3, CUTOFF))))
    assert not any_late(sampled_customers(tables_with(crowd(3, CUTOFF, late=False))))
