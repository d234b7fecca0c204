"""Stopping on a signal: one exception in the main thread, never in the middle of a swap, and an end in any case.

Ctrl-C (SIGINT), SIGTERM and SIGHUP ask a command to stop. The first of them raises ``Stopped`` in the main thread, so
that what is half written is removed on the way out; those that follow are ignored. A library may compute for long
without returning to Python, or catch the exception: after ``GRACE`` seconds a thread cleans up and ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from tierlens.words import Text

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
AGAIN = 0.01
"""Seconds after which ``Stopped`` is raised again where the interpreter could not raise it."""
GRACE = 5.0
"""Seconds that the main thread has to end by itself."""
SAID = Text("interrupted; what was there before is intact", "已中断；原有文件未受影响")


class Stopped(BaseException):
    """A signal asked this process to stop.

    No ``KeyboardInterrupt``: some libraries catch that one and go on.
    """


class _Asked:
    """What signals have asked of this process; a signal meets the process as a whole, so there is one such state."""

    number: int | None = None
    unbroken: int = 0
    waits: bool = False
    lost: bool = False
    over: bool = False


_asked = _Asked()


def listen_for_signals(last: Callable[[], None]) -> None:
    """Turn signals into ``Stopped``; those that the caller ignores (``nohup``) stay ignored.

    Parameters
    ----------
    last : callable
        What has to be done before the process ends, where the main thread does not end in time.
    """
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    for number in numbers:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.unraisablehook = _again(sys.unraisablehook)
    if os.name != "posix":
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_end_in_time, args=(reading, numbers, last), daemon=True).start()


def _again(hook: Callable[[sys.UnraisableHookArgs], object]) -> Callable[[sys.UnraisableHookArgs], object]:
    """Return a hook that raises ``Stopped`` again where it came while an object was taken down, and was lost there."""

    def lost(what: sys.UnraisableHookArgs) -> None:
        if what.exc_type is not Stopped or _asked.number is None:
            hook(what)
            return
        _asked.lost = True
        again = threading.Timer(AGAIN, os.kill, (os.getpid(), _asked.number))
        again.daemon = True
        again.start()

    return lost


def _stop(number: int, frame: FrameType | None) -> None:
    if _asked.over or (_asked.number is not None and not _asked.lost):
        return
    _asked.number, _asked.lost = number, False
    if _asked.unbroken:
        _asked.waits = True
    else:
        raise Stopped


@contextmanager
def unbroken_block() -> Iterator[None]:
    """Let no signal break a block; one that came meanwhile raises ``Stopped`` at its end.

    Examples
    --------
    >>> with unbroken_block():
    ...     pass
    """
    if threading.current_thread() is not threading.main_thread():  # signals are raised in the main thread only
        yield
        return
    _asked.unbroken += 1
    try:
        yield
    finally:
        _asked.unbroken -= 1
        if _asked.waits and not _asked.unbroken:
            _asked.waits = False
            raise Stopped


def is_asked() -> bool:
    """Say whether a signal has asked this process to stop."""
    return _asked.number is not None


def exit_code() -> int:
    """Return 128 and the number of the signal, as shells do: 130 for Ctrl-C, 143 for SIGTERM.

    Examples
    --------
    >>> exit_code()
    130
    """
    return 128 + (_asked.number or signal.SIGINT)


def ignore_signals() -> None:
    """Hear no signal any more: the command is over, and only the interpreter has to end."""
    _asked.over = True
    for name in NAMES:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _end_in_time(reading: int, numbers: list[int], last: Callable[[], None]) -> None:
    """Wait for a signal, then for the main thread to end; end the process where it does not."""
    while os.read(reading, 1)[0] not in numbers:
        pass
    time.sleep(GRACE)
    while _asked.unbroken:
        time.sleep(0.05)
    last()
    os._exit(exit_code())
