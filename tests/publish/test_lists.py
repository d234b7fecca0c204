"""Lists take whom they should, count whom they leave out, and let nobody be called without consent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.publish.samples import make_customers
from tierlens.errors import DataError, UsageError
from tierlens.publish.lists.bands import BandLine
from tierlens.publish.lists.contact import CONSENT, contact_allowed
from tierlens.publish.lists.customer_lists import BAND_COLUMNS, HEADERS, OPTIONAL, Pick, customer_list, list_headers
from tierlens.publish.lists.list_files import write_list
from tierlens.words import Lang

CUSTOMERS = make_customers(60)


def consent_of(values: dict[str, object]) -> pa.Table:
    texts = [None if value is None else str(value) for value in values.values()]
    return pa.table({"customer_id": list(values), "contactable": texts})


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("yes", "yes"), (" YES ", "yes"), ("是", "yes"), ("同意", "yes"), ("1", "yes"), ("True", "yes"),
        ("no", "no"), ("否", "no"), ("N", "no"), ("0", "no"),
        ("unknown", "unreadable"), ("maybe", "unreadable"), ("yes?", "unreadable"),
        ("不同意", "no"), ("", "unknown"), ("  ", "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_only_the_allow_list_is_consent(value: str | None, answer: str) -> None:
    assert contact_allowed(pa.table({"customer_id": ["1"]}), consent_of({"1": value})).to_pylist() == [answer]


@pytest.mark.parametrize(
    ("column", "answers"), [([True, False, None], ["yes", "no", "unknown"]), ([1, 0, None], ["yes", "no", "unknown"])]
)
def test_booleans_and_numbers(column: list[object], answers: list[str]) -> None:
    consent = pa.table({"customer_id": ["1", "2", "3"], "contactable": column})
    assert contact_allowed(consent, consent).to_pylist() == answers


@given(st.text())
def test_anything_else_is_no_consent(value: str) -> None:
    found = contact_allowed(pa.table({"customer_id": ["1"]}), pa.table({"customer_id": ["1"], "contactable": [value]}))
    assert (found.to_pylist() == ["yes"]) == (value.strip().casefold() in CONSENT)


@given(st.permutations(["yes", "no", "yes"]))
def test_one_refusal_is_enough(values: list[str]) -> None:
    consent = pa.table({"customer_id": ["1"] * 3, "contactable": values})
    assert contact_allowed(pa.table({"customer_id": ["1"]}), consent).to_pylist() == ["no"]


@pytest.mark.parametrize(
    ("values", "answer"), [(("yes", "maybe"), "unreadable"), (("maybe", "no"), "no"), (("maybe", None), "unreadable")]
)
def test_of_several_answers_the_one_that_allows_least_counts(values: tuple[str | None, ...], answer: str) -> None:
    consent = pa.table({"customer_id": ["1"] * len(values), "contactable": list(values)})
    assert contact_allowed(pa.table({"customer_id": ["1"]}), consent).to_pylist() == [answer]


@pytest.mark.parametrize(("lang", "line"), [("en", "consent not readable"), ("zh", "同意状态无法识别")])
def test_what_nobody_can_read_is_no_consent_and_counted_by_itself(lang: Lang, line: str) -> None:
    consent = consent_of({f"{place:05d}": ("yes", "no", "maybe")[place % 3] for place in range(60)})
    chosen = customer_list(CUSTOMERS, Pick(contactable_only=True), lang, consent)
    assert chosen.table.num_rows == 20
    assert {why.say(lang): count for why, count in chosen.counts}[line] == 20
    assert line in customer_list(CUSTOMERS, lang=lang, consent=consent).table["contactable"].to_pylist()


def test_own_allow_list() -> None:
    consent = consent_of({"1": "ok", "2": "yes"})
    assert contact_allowed(consent, consent, frozenset({"ok"})).to_pylist() == ["yes", "no"]


def test_without_data_nobody_is_contactable_and_it_says_so() -> None:
    chosen = customer_list(CUSTOMERS)
    assert set(chosen.table["contactable"].to_pylist()) == {"unknown: no contact data"}
    none = customer_list(CUSTOMERS, Pick(contactable_only=True))
    assert none.table.num_rows == 0
    assert [(why.en, count) for why, count in none.counts] == [
        ("customers", 60), ("unknown: no contact data", 60), ("on the list", 0)
    ]  # fmt: skip


def test_consent_at_export_wins_over_the_column_of_the_snapshot() -> None:
    customers = CUSTOMERS.append_column("contactable", pa.array(["yes"] * 60))
    assert set(customer_list(customers).table["contactable"].to_pylist()) == {"yes"}
    left = customer_list(customers, consent=consent_of({"00001": "no"})).table
    assert set(left["contactable"].to_pylist()) == {"no", "unknown: no contact data"}


@given(
    tiers=st.lists(st.sampled_from("ABCD"), unique=True),
    bands=st.lists(st.sampled_from(["high", "medium", "low"]), unique=True),
    top=st.none() | st.integers(0, 80),
    only=st.booleans(),
)
def test_counts_close_and_equal_the_slow_loop(tiers: list[str], bands: list[str], top: int | None, only: bool) -> None:
    consent = consent_of({f"{place:05d}": ("yes", "no")[place % 2] for place in range(40)})
    pick = Pick(tuple(tiers), tuple(bands), contactable_only=only, top=top)
    chosen = customer_list(CUSTOMERS, pick, consent=consent)
    rows = [row for row in CUSTOMERS.to_pylist()
            if (not tiers or row["tier"] in tiers) and (not bands or row["risk_band"] in bands)
            and (not only or (int(row["customer_id"]) < 40 and int(row["customer_id"]) % 2 == 0))]  # fmt: skip
    rows.sort(key=lambda row: (-row["churn_risk"], row["customer_id"]))
    assert (
        chosen.table["customer_id"].to_pylist()
        == [row["customer_id"] for row in rows][: top if top is not None else 99]
    )
    numbers = [count for _, count in chosen.counts]
    assert numbers[0] == sum(numbers[1:]) == 60
    assert numbers[-1] == chosen.table.num_rows


@given(st.permutations(range(60)))
def test_order_of_rows_changes_nothing(order: list[int]) -> None:
    assert customer_list(CUSTOMERS.take(pa.array(order))).table.equals(customer_list(CUSTOMERS).table)


def test_riskiest_first_and_missing_risk_last() -> None:
    risks = pa.array([None if place < 5 else place / 60 for place in range(60)], pa.float64())
    place = CUSTOMERS.schema.get_field_index("churn_risk")
    found = customer_list(CUSTOMERS.set_column(place, "churn_risk", risks)).table["churn_risk"].to_pylist()
    assert found[-5:] == [None] * 5
    assert found[:-5] == sorted(found[:-5], reverse=True)


WITH_MONEY = CUSTOMERS.append_column("monetary", pa.array([(place * 37 % 60) * 1000 for place in range(60)]))


@pytest.mark.parametrize(
    ("pick", "outcome"),
    [
        (Pick(by="value_at_risk"), "churn"),
        (Pick(by="风险金额", churn_bands=("high", "low")), "churn"),
        (Pick(by="Value at risk", downgrade_bands=("high", "低")), "downgrade"),
        (Pick(by="value_at_risk", churn_bands=("low",), downgrade_bands=("high", "low")), "churn"),
        (Pick(by="value_at_risk", top=7), "churn"),
    ],
)
def test_by_value_at_risk_those_with_the_most_to_lose_come_first(pick: Pick, outcome: str) -> None:
    def money(row: dict[str, Any]) -> float | None:
        risk = row[f"{outcome}_risk"]
        return None if risk is None else risk * row["monetary"] / 100

    def fits(row: dict[str, Any]) -> bool:
        asked = {"churn": pick.churn_bands, "downgrade": pick.downgrade_bands}
        words = {"低": "low"}
        return all(not bands or row[f"{one}_band"] in [words.get(band, band) for band in bands]
                   for one, bands in asked.items())  # fmt: skip

    rows = [row for row in WITH_MONEY.to_pylist() if fits(row)]
    rows.sort(key=lambda row: (-(money(row) if money(row) is not None else -1e9), row["customer_id"]))  # type: ignore[operator]
    found = customer_list(WITH_MONEY, pick).table
    assert found["customer_id"].to_pylist() == [row["customer_id"] for row in rows][: pick.top]
    assert found["value_at_risk"].to_pylist() == pytest.approx([money(row) for row in rows][: pick.top])


def test_by_risk_the_order_is_as_ever_and_no_value_is_shown() -> None:
    plain, asked = customer_list(WITH_MONEY).table, customer_list(WITH_MONEY, Pick(by="风险")).table
    assert plain.equals(asked)
    assert "value_at_risk" not in plain.column_names


def test_rows_in_any_order_give_the_same_list_by_value() -> None:
    turned = WITH_MONEY.take(pa.array(range(60)[::-1]))
    pick = Pick(by="value_at_risk")
    assert customer_list(turned, pick).table.equals(customer_list(WITH_MONEY, pick).table)


@pytest.mark.parametrize(
    ("pick", "words"),
    [
        (Pick(by="luck"), "E-LI-014 --by: a list cannot be ranked by 'luck'"),
        (Pick(by="value_at_risk"), "E-LI-015 by: value_at_risk: the customers' table does not hold the amount"),
        (Pick(churn_bands=("hihg",)), "E-LI-003 --churn-band: no customer has the churn band hihg; did you mean high?"),
        (Pick(downgrade_bands=("x",)), "E-LI-003 --downgrade-band: no customer has the downgrade band x"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(pick: Pick, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        customer_list(CUSTOMERS, pick)
    assert str(caught.value).startswith(words)
    assert not caught.value.say("zh").isascii()


def test_a_table_of_an_earlier_version_has_no_bands_of_one_risk() -> None:
    earlier = CUSTOMERS.drop_columns(["churn_band", "downgrade_band"])
    assert "churn_band" not in customer_list(earlier).table.column_names
    with pytest.raises(DataError, match="E-LI-001: the customers' table has no column 'downgrade_band'"):
        customer_list(earlier, Pick(downgrade_bands=("high",)))


def test_the_header_of_a_band_tells_where_it_begins(tmp_path: Path) -> None:
    lines = [BandLine("churn", "high", 0.8347, 6, 60, 0.1), BandLine("churn", "medium", 0.6, 12, 60, None, 0.6),
             BandLine("churn", "low", None, 42, 60)]  # fmt: skip
    headers = list_headers(lines, "GBP")
    for lang, said in (("en", "churn band (high: 0.8347 and more; medium: 0.6 and more)"),
                       ("zh", "流失风险档（高：不低于 0.8347；中：不低于 0.6）")):  # fmt: skip
        chosen = customer_list(WITH_MONEY, Pick(by="value_at_risk"), "zh" if lang == "zh" else "en")
        first = write_list(chosen, tmp_path / f"{lang}.csv", headers).read_text("utf-8-sig").splitlines()[0]
        assert said in first
        assert ("value at risk, GBP" if lang == "en" else "风险金额，GBP") in first


def test_both_languages() -> None:
    english, chinese = (customer_list(CUSTOMERS, lang=lang).table for lang in ("en", "zh"))
    shown = [name for name in HEADERS if name not in OPTIONAL or name in BAND_COLUMNS]
    assert english.column_names == chinese.column_names == shown
    assert english["segment"][0].as_py() == "steady, medium amounts"
    assert chinese["segment"][0].as_py() == "稳定中等客户"
    assert set(chinese["risk_band"].to_pylist()) <= {"高", "中", "低", "未知"}
    assert set(chinese["downgrade_band"].to_pylist()) == {"高", "中", "低", None}
    assert pc.all(pc.equal(english["score"], chinese["score"])).as_py()


@pytest.mark.parametrize("name", ["steady, medium amounts", "稳定中等客户"])
def test_segments_by_either_name(name: str) -> None:
    assert customer_list(CUSTOMERS, Pick(segments=(name,))).table.num_rows == 60


@pytest.mark.parametrize("pick", [Pick(tiers=("Z",)), Pick(bands=("hihg",)), Pick(segments=("nobody",))])
def test_a_wish_that_nobody_meets_is_refused(pick: Pick) -> None:
    with pytest.raises(
        UsageError, match=r"E-LI-003 --(tier|band|segment): no customer has the .*the names in use are "
    ):
        customer_list(CUSTOMERS, pick)


def test_a_slip_is_told_with_the_nearest_name_in_one_language() -> None:
    with pytest.raises(UsageError) as caught:
        customer_list(CUSTOMERS, Pick(bands=("hihg",)))
    english, chinese = str(caught.value), caught.value.say("zh")
    assert english.startswith(
        "E-LI-003 --band: no customer has the risk band hihg; did you mean high? the names in use"
    )
    assert chinese.startswith("E-LI-003 --band：没有客户的风险档为 hihg；是否指高？可用的名称：")
    assert "; " in english.split("in use are ")[1]
    with pytest.raises(UsageError) as caught:
        customer_list(CUSTOMERS, Pick(segments=("steady, medium amount",)))
    assert "did you mean steady, medium amounts?" in str(caught.value)
    assert "稳定" not in str(caught.value)
    assert "steady, medium amounts" not in caught.value.say("zh")


def test_missing_column_and_double_customer_are_refused() -> None:
    with pytest.raises(DataError, match="E-LI-001: the customers' table has no column 'churn_risk'"):
        customer_list(CUSTOMERS.drop_columns(["churn_risk"]))
    with pytest.raises(DataError, match="E-LI-002: 60 customers are there more than once"):
        customer_list(pa.concat_tables([CUSTOMERS, CUSTOMERS]))


def test_a_list_of_nobody_has_its_columns() -> None:
    found = customer_list(CUSTOMERS.slice(0, 0)).table
    assert found.num_rows == 0
    assert "contactable" in found.column_names


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_note_on_the_risks_stands_on_the_list_where_there_is_one(lang):
    customers = make_customers()
    some = [
        {"risk_note_en": "note en", "risk_note_zh": "note zh"} if row % 2 else {} for row in range(customers.num_rows)
    ]
    notes = pa.Table.from_pylist(some, schema=pa.schema([(f"risk_note_{one}", pa.string()) for one in ("en", "zh")]))
    for name in notes.column_names:
        customers = customers.append_column(name, notes[name])
    assert set(customer_list(customers, lang=lang).table["risk_note"].to_pylist()) == {f"note {lang}", None}
    without = customers.filter(pc.is_null(customers["risk_note_en"]))
    assert "risk_note" not in customer_list(without, lang=lang).table.column_names
