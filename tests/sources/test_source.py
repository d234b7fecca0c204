"""The source section of a run file: what is accepted, and what is refused in words."""

from __future__ import annotations

from decimal import Decimal
from string import Formatter
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from tierlens.sources.declared.source import Source
from tierlens.sources.messages.refusals import _REFUSALS, file_refusal
from tierlens.sources.messages.row_reasons import FLAGS, NORMALISED, QUARANTINE, REASONS, REPEATS


def test_a_whole_section_validates() -> None:
    source = Source.model_validate(
        {
            "name": "shop",
            "files": ["a.csv", "b/*.xlsx"],
            "columns": {"customer_id": "客户", "kind": None},
            "currency": {"code": "GBP", "rates": {"CNY": "10.2"}},
            "timezone": "Europe/London",
            "policies": {
                "returns": "order_prefix",
                "non_products": {"codes": "POST"},
                "limits": {"missing_customer": 0.3},
            },
        }
    )
    assert source.currency.currency().rates == {"CNY": Decimal("10.2")}
    assert source.columns.declared == {"customer_id": "客户", "kind": None}
    assert source.policies.non_products.codes == ("POST",)


def test_defaults_are_those_of_a_chinese_shop() -> None:
    source = Source(files="a.csv", currency="CNY")
    assert (source.timezone, source.policies.reject_limit, source.currency.minor) == ("Asia/Shanghai", 0.01, 100)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "a.csv"}, "Extra inputs"),
        ({"columns": {"customer": "x"}}, "Extra inputs"),
        ({"policies": {"return": "kind"}}, "Extra inputs"),
        ({"timezone": "China"}, "is no time zone"),
        ({"encoding": "utf-9"}, "is no encoding"),
        ({"currency": "yuan"}, "no currency code such as CNY"),
        ({"currency": {"code": "GBP", "rates": {"CNY": 10.2}}}, "write the number as text"),
        ({"currency": {"code": "GBP", "rates": {"CNY": "-1"}}}, "greater than 0"),
        ({"currency": {"code": "GBP", "rates": {"CNY": "nan"}}}, "finite"),
        ({"policies": {"limits": {"no_customer": 0.3}}}, "is no reason to quarantine a line"),
        ({"policies": {"reject_limit": 1.5}}, "less than or equal to 1"),
        ({"files": []}, "at least 1"),
        ({"separator": "x"}, "Input should be"),
    ],
)
def test_what_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Source.model_validate({"files": "a.csv", "currency": "CNY"} | change)


def test_a_source_is_frozen() -> None:
    source = Source(files="a.csv", currency="CNY")
    with pytest.raises(ValidationError, match="frozen"):
        source.name = "other"  # type: ignore[misc]


def test_relative_paths_are_those_of_the_run_file() -> None:
    source = Source(files=["a.csv", "/b.csv", "data:c"], currency="CNY").under("/runs")
    assert source.files == ("/runs/a.csv", "/b.csv", "data:c")


def test_codes_are_stable_and_reasons_speak_both_languages() -> None:
    assert len(REASONS) == len(QUARANTINE) + len(REPEATS) + len(NORMALISED) + len(FLAGS)
    for key, reason in REASONS.items():
        assert reason.key == key
        assert reason.code.startswith("E-TX-")
        assert reason.text.en
        assert reason.text.zh
    codes = [reason.code for reason in (*QUARANTINE.values(), *REPEATS.values())]
    assert len(set(codes)) == len(codes)


def test_every_refusal_can_be_said() -> None:
    for code, texts in _REFUSALS.items():
        fields = [field for text in texts for part in text for _, field, _, _ in Formatter().parse(part) if field]
        values: dict[str, Any] = {field: 5 if field in ("found", "width") else "x" for field in fields}
        error = file_refusal(code, "a.csv:1", **values)
        assert error.exit_code == 3
        assert error.say("zh").startswith(f"{code} a.csv:1：")
        assert error.say("en").startswith(f"{code} a.csv:1: ")


def test_a_pattern_leaves_the_shared_connection_free() -> None:
    rows = duckdb.sql("select 1 as x")
    Source(files="a.csv", currency="CNY", policies={"non_products": {"pattern": "A.*"}})
    assert rows.fetchall() == [(1,)]
