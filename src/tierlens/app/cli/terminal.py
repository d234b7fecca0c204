"""Talking to the terminal: progress on stderr, results on stdout, errors for people, exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any

from tierlens import stopping
from tierlens.app.cli.failures import failure_of, settle_streams
from tierlens.words import Lang, Text
from tierlens.workspace import notice

SLIP = "E-US-038"
"""Code of a slip on the command line: an unknown command or option, a missing argument, a value that cannot be."""


EXIT_CODES = """Exit codes: 0 done; 1 a fault of tierlens or of the machine (disk, memory); 2 what was typed or
configured is wrong (command, path, run file, scheme); 3 data that must not be used; 4 busy; 5 an optional package is
missing; 130 interrupted by Ctrl-C, 143 by SIGTERM."""


def path_of_slip(problem: Any) -> str:
    """Return the command that a slip was made in; the whole program where typer knows none."""
    context = getattr(problem, "ctx", None)
    return "tierlens" if context is None else str(context.command_path)


def wanted_lang(arguments: Sequence[str]) -> Lang:
    """Return the language of messages: ``--lang``, else ``TIERLENS_LANG``, else English.

    Examples
    --------
    >>> wanted_lang(["run", "--lang", "zh"]), wanted_lang(["run", "--lang=zh"])
    ('zh', 'zh')
    """
    given = os.environ.get("TIERLENS_LANG", "en")
    for at, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            given = argument.removeprefix("--lang=")
        elif argument == "--lang" and at + 1 < len(arguments):
            given = arguments[at + 1]
    return "zh" if given == "zh" else "en"


def print_line(line: str, *, aside: bool = False) -> None:
    """Write one line to stdout, or aside to stderr; where stderr cannot be written, nobody is told.

    The first line of plain output says that data are simulated, where they are.
    """
    if not aside and (first := notice.first_line()) is not None:
        line = f"{first}\n{line}"
    with suppress(OSError) if aside else nullcontext():
        print(line, file=sys.stderr if aside else sys.stdout, flush=True)


def print_progress(text: Text, lang: Lang) -> None:
    """Say one line of progress on stderr."""
    print_line(text.say(lang), aside=True)


def print_result(result: Mapping[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Write a result to stdout: as one JSON object, or as lines for people."""
    if as_json:
        said = notice.command_notice()
        notice.first_line()  # said in the object
        told = result if said is None else {"notice": said, **result}
        print_line(json.dumps(told, ensure_ascii=False, indent=2, default=str))
    else:
        print_line("\n".join(lines))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """Print a table to stdout."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Plain

    shown = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    numeric = [all(isinstance(row[at], int | float) for row in rows) for at in range(len(headers))]
    for header, right in zip(headers, numeric, strict=True):
        shown.add_column(header, justify="right" if right else "left")
    for row in rows:
        # Text from the data is never read as markup.
        shown.add_row(*(Plain(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    if (first := notice.first_line()) is not None:
        print_line(first)
    console = Console()
    try:
        console.print(shown) if console.is_terminal else Console(width=160).print(shown)
    except SystemExit:
        raise BrokenPipeError from None  # rich ends the program as failed where the reader went away


def exit_code_of(run: Callable[[], int | None], lang: Lang) -> int:
    """Run a command and return its exit code; whatever goes wrong is told in one line, without a traceback."""
    try:
        return run() or 0
    except SystemExit:
        raise
    except BaseException as problem:
        return failure_exit_code(problem, lang)


def failure_exit_code(problem: BaseException, lang: Lang) -> int:
    """Tell in one line what ended a command, and return the exit code.

    Parameters
    ----------
    problem : BaseException
        Of tierlens, of the machine, a fault, or a wish to stop.
    lang : {"en", "zh"}
    """
    # A library in whose midst a signal came may make another error of it.
    if stopping.is_asked() or isinstance(problem, KeyboardInterrupt):
        print_line(stopping.SAID.say(lang), aside=True)
        return stopping.exit_code()
    settle_streams()
    if isinstance(problem, BrokenPipeError):
        return 0  # the reader of our output went away (a pipe into head): nothing is wrong
    failure = failure_of(problem)
    print_line(" ".join(failure.said.say(lang).split()), aside=True)
    return failure.exit_code


def plain_output() -> None:
    """Write UTF-8 whatever the locale says."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
