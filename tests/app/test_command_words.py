"""What the commands print of what they are given: moves, shares, comparisons, and a language for every command."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.app.cli.group_lang import language_defaults
from tierlens.app.cli.model_commands import _plain
from tierlens.app.cli.review_commands import _band, _changes, _moves, _score
from tierlens.app.cli.terminal import wanted_lang
from tierlens.risk.evaluation.bootstrap import Interval
from tierlens.risk.evaluation.compare import Compared


def move(customer: str, gained: int | None, *, scores: tuple[float, float] | None = (60.0, 72.5)) -> dict[str, Any]:
    before, after = scores or (None, None)
    return {"customer_id": customer, "tier_before": "B", "tier_after": "A", "tiers_gained": gained,
            "score_before": before, "score_after": after, "score_change": None if scores is None else after,
            "reasons": ["r1", "r2", "r3", "r4"], "triggers": ["t"]}  # fmt: skip


TIERS = {"A": "core", "B": "important"}


@settings(max_examples=40)
@given(st.lists(st.sampled_from([-2, -1, 1, 3, None]), max_size=12), st.integers(0, 12))
def test_moves_are_counted_by_direction_and_the_rest_beyond_the_top_is_told(gained: list[int | None], top: int) -> None:
    moves = [move(f"c{place}", one) for place, one in enumerate(gained)]
    lines = list(_moves({"moved": moves, "tiers": TIERS}, top, "en"))
    up, down = sum((one or 0) > 0 for one in gained), sum((one or 0) < 0 for one in gained)
    assert lines[0].startswith(f"{up} moved up, {down} moved down, {gained.count(None)} were graded at one date")
    assert [line.split("  ")[0] for line in lines if line.startswith("c")] == [
        one["customer_id"] for one in moves[:top]
    ]
    rest = len(moves) - top
    assert (f"{rest} more customers moved" in lines[-1]) == (rest > 0)


def test_a_move_is_told_with_names_scores_three_reasons_and_triggers() -> None:
    found: dict[str, Any] = {"moved": [move("c1", 1), move("c2", None, scores=None)], "tiers": TIERS}
    assert list(_moves(found, 9, "en"))[1:] == [
        "c1  important -> core  score 60.0 -> 72.5", "    r1", "    r2", "    r3", "    Trigger: t",
        "c2  important -> core", "    r1", "    r2", "    r3", "    Trigger: t",
    ]  # fmt: skip
    assert list(_moves(found, 1, "zh"))[1] == "c1  important -> core  评分 60.0 -> 72.5"


def test_changes_are_told_with_their_signs() -> None:
    found = {"by_dimension": {"value": 1.5, "credit": -0.25}, "mean_change": 1.25, "triggers": {"late": 1200}}
    assert list(_changes(found, "en")) == [
        "-: not graded", "mean change of the score +1.250: value +1.500, credit -0.250", "late: 1,200"
    ]  # fmt: skip
    assert list(_changes(found, "zh"))[1:] == ["评分平均变化 +1.250：value +1.500，credit -0.250", "late：1,200"]


@pytest.mark.parametrize(
    ("share", "said"),
    [(None, "-"), ((Decimal("0.1"), Decimal("0.15")), "10-15%"), ((Decimal(0), Decimal(1)), "0-100%")],
)
def test_a_suggested_share_is_told_in_whole_per_cents(share: tuple[Decimal, Decimal] | None, said: str) -> None:
    assert _band(share) == said


@pytest.mark.parametrize(("score", "said"), [(None, "-"), (0.0, "0.0"), (71.5, "71.5")])
def test_a_score_of_nought_is_a_score(score: float | None, said: str) -> None:
    assert _score(score) == said


def test_the_json_of_a_comparison_holds_each_figure_of_both_sides_and_the_bounds_between_them() -> None:
    one, two, apart = Interval(0.7, 0.6, 0.8), Interval(0.75, 0.65, 0.85), Interval(0.05, 0.01, 0.09)
    given: Any = SimpleNamespace(better="challenger", rows=9, cutoffs=2, champion={"auc": one},
                                 challenger={"auc": two}, apart={"auc": apart})  # fmt: skip
    assert _plain(given) == {
        "better": "challenger", "rows": 9, "cutoffs": 2,
        "auc": {"champion": 0.7, "challenger": 0.75, "difference": 0.05, "low": 0.01, "high": 0.09},
    }  # fmt: skip
    assert {"better", "rows", "cutoffs", "champion", "challenger", "apart"} <= set(dir(Compared)) | set(
        Compared.__dataclass_fields__
    )


TREES = st.recursive(
    st.none(), lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3), max_leaves=8
)


def command_of(tree: Any) -> Any:
    if tree is None:
        return SimpleNamespace()
    return SimpleNamespace(commands={name: command_of(inner) for name, inner in tree.items()})


@settings(max_examples=40)
@given(TREES)
def test_a_language_before_a_command_reaches_every_command_at_any_depth(tree: Any) -> None:
    def reached(found: dict[str, Any], inner: Any) -> None:
        assert found["lang"] == "zh"
        assert set(found) - {"lang"} == set(inner or {})
        for name, one in (inner or {}).items():
            reached(found[name], one)

    reached(language_defaults(command_of(tree), "zh"), tree)


@pytest.mark.parametrize(
    ("environment", "arguments", "lang"),
    [
        ("zh", [], "zh"),
        ("zh", ["--lang", "en"], "en"),
        ("en", ["--lang=en", "run", "--lang", "zh"], "zh"),
        ("zh", ["run", "--lang"], "zh"),
        ("xx", ["run"], "en"),
        ("en", ["--lang=xx"], "en"),
    ],
)
def test_the_last_language_given_goes_before_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: str, arguments: list[str], lang: str
) -> None:
    monkeypatch.setenv("TIERLENS_LANG", environment)
    assert wanted_lang(arguments) == lang
