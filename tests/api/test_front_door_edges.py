"""``import tierlens as tl`` at its edges: order of rows, populations, missing keys, kinds of dates, slips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tierlens as tl
from tierlens.errors import DataError, UsageError
from tierlens.explain.contributions import Contributions
from tierlens.features.catalog import available_features
from tierlens.risk.model.input_checks import days_of
from tierlens.sources.tables import Currency

DAY = "2025-06-01"
MONEY: dict[str, list[Any]] = {"customer_id": ["a", "b"], "cutoff": [DAY] * 2}
ROW = pd.DataFrame({"customer_id": ["a"], "tier": ["A"], "score": [9.0]})
ORDERS = pd.DataFrame({"customer_id": ["a"], "time": ["2025-01-05"], "amount": [1.0]})


@pytest.fixture(scope="module")
def shop() -> tl.Dataset:
    return tl.simulate(150, seed=9)


def test_spend_is_what_was_bought_in_the_horizon_in_whole_units() -> None:
    days = ["2024-12-30", "2025-01-02", "2025-02-01", "2025-04-20", DAY]
    orders = pd.DataFrame({"customer_id": "a", "time": days, "amount": [7.0, 1.5, 2.25, 100.0, 3.0]})
    found = tl.outcomes(tl.from_frame(orders, "CNY"), "2025-01-01", outcome="spend")
    assert found.to_dict("list") == {
        "customer_id": ["a"], "cutoff": [pd.Timestamp("2025-01-01")], "spend": [3.75],
    }  # fmt: skip


def test_grades_keep_the_order_of_the_rows_so_that_risks_fit(shop: tl.Dataset) -> None:
    features = tl.snapshots(shop, DAY).sample(frac=1, random_state=2).reset_index(drop=True)
    graded = tl.grade(features, "tiered_management", shop.currency)
    assert graded["customer_id"].tolist() == features["customer_id"].tolist()
    straight = tl.grade(features.sort_values("customer_id"), "tiered_management", shop.currency)
    scores = graded.set_index("customer_id")["score"].sort_index()
    assert scores.equals(straight.set_index("customer_id")["score"].sort_index())
    risk = features["recency_days"].to_numpy() / 1000
    listed = tl.customer_list(graded, risk).set_index("customer_id")["churn_risk"]
    wanted = dict(zip(features["customer_id"], risk, strict=True))
    assert all(abs(value - wanted[customer]) < 1e-9 for customer, value in listed.items())


def test_who_did_not_buy_is_no_part_of_the_population(shop: tl.Dataset) -> None:
    schemes = ("tiered_management", "relationship_rating", "five_step")
    read = available_features(
        shop.tables, {"frequency", *(name for one in schemes for name in tl.load_scheme(one).features)}
    )
    few, known = (tl.snapshots(shop, DAY, features=read, everyone=everyone) for everyone in (False, True))
    assert len(known) > len(few)
    for scheme in schemes:
        one, other = (tl.grade(rows, scheme, shop.currency).set_index("customer_id") for rows in (few, known))
        assert one["tier"].equals(other["tier"].loc[one.index])
        if scheme != "five_step":
            assert one["score"].equals(other["score"].loc[one.index])


def test_reasons_of_frames_are_in_whole_units_and_lists_take_those_of_the_same_customers_only() -> None:
    frame = pd.DataFrame({"customer_id": ["a", "b", "c"], "recency_days": [3, 200, 90], "monetary": [10.0, 5_000, 900]})
    why = Contributions([[-0.9, 0.2], [0.8, -0.1], [0.0, 0.0]], 0.0, ("recency_days", "monetary"))
    said = tl.reasons(why, frame, Currency("CNY"))
    money = said.loc[said["feature"] == "monetary", ["customer_id", "side", "value", "compared", "compared_with"]]
    assert money.values.tolist() == [["a", "raises", 10, 900, "all customers"], ["b", "lowers", 5000, 900,
                                                                                "all customers"]]  # fmt: skip
    assert set(tl.reasons(why, frame, Currency("CNY"), side="lowers")["side"]) == {"lowers"}
    graded = pd.DataFrame({"customer_id": ["a", "b", "c"], "tier": ["A", "B", "B"], "score": [90.0, 80.0, 75.0]})
    risks = [0.7, 0.6, 0.5]
    listed = tl.customer_list(graded, risks, said).set_index("customer_id")
    assert listed.loc["a", "churn_raised_by_1"] == money_text(said, "a")
    assert listed.loc["a", "reason"] == f"Churn: {money_text(said, 'a')}"
    assert listed.loc["a", "churn_lowered_by_1"].startswith("No purchase for 3 days")
    assert listed.loc["b", "reason"].startswith("Churn: No purchase for 200 days")
    assert pd.isna(listed.loc["c", "reason"])
    assert listed[[name for name in listed if name.startswith("downgrade_r")]].isna().all(axis=None)
    falls = tl.customer_list(graded, {"churn": risks, "downgrade": [0.9, 0.1, 0.2]}, {"downgrade": said})
    first = falls.set_index("customer_id")
    assert first.loc["a", "reason"] == f"Downgrade: {money_text(said, 'a')}"
    assert pd.isna(first.loc["b", "reason"])  # churn is the greater risk, and nothing is told of it
    assert "churn_raised_by_1" not in first.columns
    with pytest.raises(DataError, match="E-LI-012"):
        tl.customer_list(graded.iloc[::-1], risks, said)


def money_text(said: pd.DataFrame, customer: str) -> str:
    """Return the sentence of the amount of one customer."""
    (text,) = said.loc[(said["feature"] == "monetary") & (said["customer_id"] == customer), "text_en"]
    assert "Net amount 10 CNY in the window (half of customers: 900 CNY)" in text
    return str(text)


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -float("inf"), None])
def test_missing_money_of_any_kind_is_missing(amount: float | None) -> None:
    frame = pl.DataFrame({**MONEY, "monetary": [600_000.0, amount]})
    found = tl.grade(frame, "relationship_rating", "CNY")
    assert found["score"].to_list() == [70.0, None]


@pytest.mark.parametrize(
    "cutoff", [pd.Timestamp(DAY, tz="Asia/Shanghai"), np.datetime64(DAY), pd.Timestamp(f"{DAY} 23:00"), DAY]
)
def test_a_cutoff_is_its_own_day_at_every_door(shop: tl.Dataset, cutoff: Any) -> None:
    assert tl.snapshots(shop, cutoff, features=["recency_days"])["cutoff"].unique().tolist() == [pd.Timestamp(DAY)]
    assert days_of(pd.Series([cutoff, cutoff]), 2).tolist() == [20240, 20240]
    with pytest.raises(DataError, match="E-RI-021"):
        days_of(pd.Series([pd.Timestamp(DAY), pd.NaT]), 2)


BAD: dict[str, dict[str, list[Any]]] = {
    "E-US-039 features: customer_id is missing in 1 rows": {"customer_id": ["a", None]},
    "E-US-039 features: 1 rows are of a customer": {"customer_id": ["a", "a"]},
    "E-US-035 features": {"cutoff": [1.5, 2.5]},
    "E-US-040 features.monetary": {"monetary": ["x", "y"]},
}


@pytest.mark.parametrize("said", list(BAD))
def test_bad_keys_and_amounts_are_refused(said: str) -> None:
    frame = pd.DataFrame({**MONEY, "monetary": [1.0, 2.0], **BAD[said]})
    with pytest.raises((DataError, UsageError)) as caught:
        tl.grade(frame, "relationship_rating", "CNY")
    assert str(caught.value).startswith(said)


def test_whole_numbers_are_ids_too() -> None:
    frame = pd.DataFrame({**MONEY, "customer_id": [7, 8], "monetary": [600_000.0, 1.0]})
    assert tl.grade(frame, "relationship_rating", "CNY")["customer_id"].tolist() == ["7", "8"]


def test_evidence_needs_the_features_that_were_graded() -> None:
    frame = pd.DataFrame({**MONEY, "monetary": [600_000.0, 1.0]})
    graded = tl.grade(frame, "relationship_rating", "CNY")
    with pytest.raises(DataError, match="E-GR-003 features: 1 graded rows"):
        tl.evidence(graded, frame.iloc[:1], "relationship_rating", "CNY")


def test_other_slips_of_lists_and_tables(shop: tl.Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="E-LI-013 risk: 'chrun'"):
        tl.customer_list(ROW, {"chrun": [0.1]})
    with pytest.raises(UsageError, match="E-LI-013 lang: 'fr'"):
        tl.customer_list(ROW, [0.1], lang="fr")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="E-LI-011"):
        tl.customer_list(ROW, [7.0])
    with pytest.raises(UsageError, match=r"E-US-033 tables: there is no table '\.\./x'"):
        tl.from_frame(ORDERS, "GBP", tables={"../x": ROW})
    with pytest.raises(UsageError, match="E-US-033 timezone"):
        tl.from_frame(ORDERS, "GBP", timezone="Nope")
    with pytest.raises(DataError, match="E-RI-001"):
        tl.outcomes(shop, "2026-01-01", outcome="downgrade", scheme="tiered_management")
    with pytest.raises(UsageError, match="E-US-034"):
        tl.run(tmp_path / "none.yaml", tmp_path / "out", frames="dask")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="E-US-035"):
        tl.snapshots(shop, [None])  # type: ignore[list-item]


def test_a_whole_run_from_python(tmp_path: Path) -> None:
    from tests.tiny_shop import write_shop

    done = tl.run(write_shop(tmp_path), tmp_path / "out", track=False)
    assert done.report.is_file()
    assert set(done.verdicts) <= {"churn", "downgrade"}
    assert done.table()["customer_id"].is_unique
    assert len(done.table("tiers")) >= 1
    with pytest.raises(UsageError, match="E-RU-004"):
        done.table("nothing")
