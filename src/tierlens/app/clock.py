"""How long each step takes, told as it begins and kept for ``run.json``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tierlens.words import Text

Tell = Callable[[Text], None]


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
