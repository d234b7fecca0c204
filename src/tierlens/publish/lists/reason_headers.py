"""What the columns of reasons are called in lists, in both languages."""

from __future__ import annotations

from tierlens.words import Text

REASONS: dict[str, Text] = {
    f"{outcome}_{side}_{number}": Text(f"{words.en} {number}", f"{words.zh}{number}")
    for outcome, side, words, most in (
        ("churn", "raised_by", Text("raises churn", "流失风险升高原因"), 3),
        ("churn", "lowered_by", Text("lowers churn", "流失风险降低原因"), 2),
        ("downgrade", "raised_by", Text("raises downgrade", "降级风险升高原因"), 3),
        ("downgrade", "lowered_by", Text("lowers downgrade", "降级风险降低原因"), 2),
    )
    for number in range(1, most + 1)
}
"""Reasons of each risk by itself."""
