"""How long each step takes, told as it begins and kept for ``run.json``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tierlens.words import Text

Tell = Callable[[Text], None]

STAGES: dict[str, Text] = {
    "read": Text("read", "读取"),
    "settled": Text("settled", "保存表"),
    "features and tiers": Text("features and tiers", "特征与等级"),
    "levels": Text("levels", "分位与节奏"),
    "segments": Text("segments", "客群"),
    "rhythm": Text("rhythm", "购买节奏"),
    "leak gate": Text("leak gate", "泄漏检查"),
    "churn": Text("churn", "流失"),
    "downgrade": Text("downgrade", "降级"),
    "score": Text("score", "评分"),
    "reasons": Text("reasons", "原因"),
    "files": Text("files", "文件"),
    "report": Text("report", "报告"),
    "tracking": Text("tracking", "跟踪记录"),
}
"""What people call the steps of a run; the keys stand in ``run.json``."""


def say_times(seconds: Mapping[str, float]) -> Text:
    """Say how long each step took.

    Examples
    --------
    >>> say_times({"read": 0.91, "features and tiers": 5.0})
    Text(en='read 0.9, features and tiers 5.0', zh='读取 0.9，特征与等级 5.0')
    """
    named = [(STAGES.get(key, Text(key, key)), f"{value:.1f}") for key, value in seconds.items()]
    return Text(", ".join(f"{name.en} {told}" for name, told in named),
                "，".join(f"{name.zh} {told}" for name, told in named))  # fmt: skip


class Clock:
    """Times steps.

    Parameters
    ----------
    tell : callable
        Called with the name of each step as it begins.

    Examples
    --------
    >>> clock = Clock(lambda text: None)
    >>> with clock.step("read", Text("reading", "读取")):
    ...     pass
    >>> list(clock.seconds)
    ['read']
    """

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, key: str, name: Text) -> Iterator[None]:
        """Tell that a step begins, and keep how long it took."""
        self.tell(name)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[key] = round(self.seconds.get(key, 0.0) + time.perf_counter() - started, 3)
