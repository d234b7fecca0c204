"""What a reviewer asks, where the answer is known by hand: refusals, customers without a way, the words of a scheme."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tierlens.errors import UsageError
from tierlens.grading import load_scheme, scheme_names
from tierlens.review.questions import NO_WAY, _no_way, _only, _with_horizon_ends, explained_scheme
from tierlens.words import Lang
from tierlens.workspace.config import RunConfig
from tierlens.workspace.known_customers import Everybody

LANGS: tuple[Lang, ...] = ("en", "zh")


def config_of(gap: int, horizon: int, first: str = "2025-01-01") -> RunConfig:
    return RunConfig.model_validate({
        "name": "a", "simulated": {}, "cutoff": "2025-09-01", "window": {"gap": gap, "horizon": horizon},
        "risk": {"first_cutoff": first},
    })  # fmt: skip


@pytest.mark.parametrize(("gap", "horizon"), [(0, 1), (0, 90), (30, 60), (10, 200)])
def test_a_scheme_is_replayed_at_each_closed_cutoff_and_where_its_horizon_ends(gap: int, horizon: int) -> None:
    config = config_of(gap, horizon)
    days, learning = _with_horizon_ends(config), config.learning_cutoffs()
    assert sorted(days) == sorted([day + add for day in learning for add in (0, gap + horizon)])
    assert max(days) <= config.cutoff_day


def test_a_run_whose_horizons_are_all_open_has_nothing_to_replay() -> None:
    with pytest.raises(UsageError, match="E-RU-031"):
        _with_horizon_ends(config_of(0, 90, "2025-08-01"))


@pytest.mark.parametrize("customer", ["a", "b"])
def test_one_customer_is_picked_by_the_whole_id(customer: str) -> None:
    table = pa.table({"customer_id": ["a", "b", "ab"], "score": [1, 2, 3]})
    assert _only(table, customer, "CUSTOMER").to_pylist() == [
        row for row in table.to_pylist() if row["customer_id"] == customer
    ]


def test_a_customer_who_is_not_there_is_told_with_three_who_are() -> None:
    table = pa.table({"customer_id": ["a", "b", "c", "d"]})
    with pytest.raises(UsageError, match=r"E-RU-005 --customer: there is no customer 'x' .*: a, b, c$") as caught:
        _only(table, "x", "--customer")
    assert caught.value.say("zh").endswith("例如：a, b, c")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("activity", "tier", "score"), [("lapsed", "C", 60.0), ("prospect", None, None)])
def test_who_must_buy_first_is_told_so_with_tier_and_score_where_there_is_one(
    activity: str, tier: str | None, score: float | None, lang: Lang
) -> None:
    scheme = load_scheme("tiered_management")
    graded = pa.table({"customer_id": ["x"], "tier": pa.array([tier], pa.string()), "score": [60.0]})
    one = Everybody(pa.table({"recency_days": [400]}), graded, pa.array([activity]))
    found = _no_way(one, scheme, lang)
    assert (found["tier"], found["score"], found["steps"], found["roll_off"]) == (tier, score, [], [])
    assert found["note"] == NO_WAY[activity].fill(days=400).say(lang)
    assert ("400" in found["note"]) == (activity == "lapsed")
    names = {each.id: each.short.say(lang) for each in scheme.tiers}
    assert found["tier_name"] == (names[tier] if tier else "-")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", scheme_names())
def test_every_row_of_an_explained_scheme_has_a_cell_for_each_header_and_none_is_missing(name: str, lang: Lang) -> None:
    tables = explained_scheme(name, lang)
    assert len({title for title, _, _ in tables}) == len(tables) > 1
    for _, headers, rows in tables:
        assert all(len(row) == len(headers) for row in rows)
        assert not [cell for row in rows for cell in row if cell is None]
