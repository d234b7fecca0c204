"""One customer of a finished run in words: money in whole units, one language, and a word for whatever is missing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.publish.samples import make_customers, make_findings
from tierlens.errors import UsageError
from tierlens.explain.reason_columns import REASONS
from tierlens.pipeline.explaining import CODES, NONE, lines_of, row_of
from tierlens.publish.files.atomic import write_parquet
from tierlens.publish.files.run_json import write_folder_record
from tierlens.publish.report.findings_file import write_findings
from tierlens.words import Lang
from tierlens.workspace import run_folder

LANGS: tuple[Lang, ...] = ("en", "zh")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of five customers; amounts are in pence."""
    folder = tmp_path_factory.mktemp("run")
    table = (
        make_customers(5)
        .sort_by("customer_id")
        .append_column("monetary", pa.array([123_456, None, 0, 5, 100], pa.int64()))
    )
    table = table.append_column("need_money", pa.array([34_125.0, None, -50.0, 0.0, 1.0]))
    write_parquet(folder / run_folder.CUSTOMERS, table)
    write_findings(make_findings(), folder / run_folder.FINDINGS)
    write_folder_record(folder, run_folder.RUN)
    return folder


def customer_at(out: Path, place: int) -> str:
    from pyarrow import parquet

    return str(parquet.read_table(out / run_folder.CUSTOMERS)["customer_id"][place])


@pytest.mark.parametrize(
    ("place", "amount", "need"), [(0, 1234.56, 341.25), (1, None, None), (2, 0, -0.5), (3, 0.05, 0), (4, 1, 0.01)]
)
def test_money_is_told_in_whole_units_with_its_currency(
    out: Path, place: int, amount: float | None, need: float | None
) -> None:
    row = row_of(out, customer_at(out, place), "en")
    assert (row["monetary"], row["need_money"], row["currency"]) == (amount, need, "GBP")


@pytest.mark.parametrize("lang", LANGS)
def test_a_row_holds_the_texts_of_one_language_under_names_without_it(out: Path, lang: Lang) -> None:
    row = row_of(out, customer_at(out, 0), lang)
    assert not [key for key in row if key.endswith(("_en", "_zh"))]
    assert row["segment"] == {"en": "steady, medium amounts", "zh": "稳定中等客户"}[lang]
    assert {"reason", "churn_raised_by_1", "churn_raised_by_3", "churn_lowered_by_2", "next_step"} <= set(row)


def test_a_customer_who_is_not_in_the_run_is_told_with_some_who_are(out: Path) -> None:
    with pytest.raises(UsageError, match=f"E-RU-005 {out}: the run has no customer 'C'; .*instance") as caught:
        row_of(out, "C", "en")
    assert customer_at(out, 0) in caught.value.say("zh")


@pytest.mark.parametrize("lang", LANGS)
def test_each_line_is_a_title_and_a_value_and_codes_are_for_programs(out: Path, lang: Lang) -> None:
    row = row_of(out, customer_at(out, 1), lang)
    lines = lines_of(row, out, lang)
    colon = {"en": ": ", "zh": "："}[lang]
    assert all(colon in line for line in lines)
    empty = [key for key in REASONS if row[key] is None]
    assert set(empty) == {name for name in REASONS if "lowered" in name or name.startswith("downgrade")}
    assert len(lines) == len([key for key in row if key not in (*CODES, *empty, "currency")])
    said = "\n".join(lines)
    assert not [code for code in CODES if code in said]
    assert "None" not in said
    assert "nan" not in said


def line(out: Path, key: str, value: Any, lang: Lang = "en") -> str:
    (found,) = lines_of({key: value}, out, lang)
    return found


@pytest.mark.parametrize("value", [None, "", math.nan])
@pytest.mark.parametrize("key", ["tier", "flags", "activity", "score", "monetary", "recency_days", "churn_risk", "x"])
def test_whatever_is_missing_is_none_in_words(out: Path, key: str, value: Any) -> None:
    for lang in LANGS:
        assert line(out, key, value, lang).endswith(NONE.say(lang))


@pytest.mark.parametrize(
    ("key", "value", "en", "zh"),
    [
        ("tier", "A", "tier: A core", "等级：A 核心客户"),
        ("tier", "unheard", "tier: unheard", "等级：unheard"),
        ("score", 70.456, "score: 70.46", "评分：70.46"),
        ("need", 4.25, "points lacking at the end of the horizon: 4.2", "预测期末所差分数：4.2"),
        ("need_money", 1234.5, "to be spent by the end of the horizon: 1,234.50 GBP", "预测期末前须消费：1,234.50 GBP"),
        ("downgrade_risk_low", 0.125, "downgrade risk, at least: 12.5%", "降级风险下限：12.5%"),
        ("activity", "lapsed", "activity: lapsed", "活跃状态：沉睡"),
        ("coverage", 1.0, "weight with data: 100.0%", "有数据的权重：100.0%"),
        (
            "churn_base",
            0.25,
            "churn risk before anything of the customer is looked at: 25.0%",
            "未考虑该客户自身情况时的流失风险：25.0%",
        ),
        (
            "churn_other_points",
            -3.25,
            "churn risk by all else, points: -3.2",
            "流失风险中其余因素合计（个百分点）：-3.2",
        ),
        (
            "downgrade_level_points",
            0.5,
            "downgrade risk by the level of the month, points: +0.5",
            "降级风险中整体水平的影响（个百分点）：+0.5",
        ),
        ("own_column", 7, "own_column: 7", "own_column：7"),
        ("evidence", "one\ntwo", "evidence of the tier:\n  one\n  two", "评级依据：\n  one\n  two"),
    ],
)
def test_a_value_is_written_as_a_person_reads_it(out: Path, key: str, value: Any, en: str, zh: str) -> None:
    assert line(out, key, value) == en
    assert line(out, key, value, "zh") == zh


def test_a_band_that_has_no_words_stays_as_it_is(out: Path) -> None:
    assert line(out, "risk_band", "high", "zh").endswith("：高")
    assert line(out, "risk_band", "unheard", "zh").endswith("：unheard")
