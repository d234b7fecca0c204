"""How many examples the longest tests take: all of them by ``make slow-full``, a fifth in CI."""

from __future__ import annotations

import os

IS_FULL = bool(os.environ.get("TIERLENS_FULL"))
"""Whether the environment asks for tests at their full size."""


def sized(examples: int) -> int:
    """Return the number of examples of a test that is as long as it is large."""
    return examples if IS_FULL else examples // 5
