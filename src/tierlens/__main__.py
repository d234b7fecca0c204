"""``tierlens`` and ``python -m tierlens``: signals and errors are seen to before anything heavy is imported."""

from __future__ import annotations

import os
import sys

from tierlens import scratch, stopping


def entry() -> None:
    """Leave with the exit code of the command.

    Signals are heard before anything heavy is imported. Threads wait without spinning and linear algebra keeps to one
    thread, unless the environment says otherwise: beside a busy neighbour LightGBM stalls many times over when its
    threads spin; on a quiet machine neither costs anything.
    """
    for name, value in (("OMP_WAIT_POLICY", "passive"), ("OPENBLAS_NUM_THREADS", "1")):
        os.environ.setdefault(name, value)
    code = 1
    try:
        stopping.listen_for_signals(_end)
        _open_streams()
        from tierlens.app.cli.main import main

        code = main()
    except SystemExit:
        raise
    except BaseException as problem:
        code = _told(problem)
    stopping.ignore_signals()
    scratch.clear_scratch()  # what a thread was writing, the store for one, is nobody's now
    from tierlens.app.cli.failures import settle_streams

    settle_streams()
    sys.exit(code)


def _told(problem: BaseException) -> int:
    from tierlens.app.cli.terminal import failure_exit_code, wanted_lang

    return failure_exit_code(problem, wanted_lang(sys.argv[1:]))


def _end() -> None:
    """Do what the main thread does not come to: remove what is half written, and say that the command was stopped."""
    scratch.clear_scratch()
    _told(stopping.Stopped())


def _open_streams() -> None:
    """Open what the caller closed of stdin, stdout and stderr; else the next file would take what is printed."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    entry()
