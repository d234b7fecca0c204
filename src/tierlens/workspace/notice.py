"""The line that says that data are simulated: the first of every plain output, and a key of every JSON output."""

from __future__ import annotations

from dataclasses import dataclass

from tierlens.sources.report.simulated_note import SIMULATED
from tierlens.words import Lang, Text


@dataclass
class _Command:
    """What the command that runs must say, in which language, and whether it was said."""

    lang: Lang = "en"
    notice: Text | None = None
    is_said: bool = False


_command = _Command()


def begin_notices(lang: Lang) -> None:
    """Forget what an earlier command of this process had to say."""
    _command.lang, _command.notice, _command.is_said = lang, None, False


def note_simulated(name: str) -> None:
    """Note that what the command shows comes of simulated data.

    Parameters
    ----------
    name : str
        What the data are called.

    Examples
    --------
    >>> begin_notices("en")
    >>> note_simulated("Simulated shop")
    >>> first_line()
    'Simulated shop: simulated data, no real customers'
    >>> first_line(), command_notice()
    (None, 'Simulated shop: simulated data, no real customers')
    >>> begin_notices("en")
    """
    _command.notice = Text(f"{name}: {SIMULATED.en}", f"{name}：{SIMULATED.zh}")


def first_line() -> str | None:
    """Return the notice when it has not been printed yet; from then on nothing."""
    if _command.is_said:
        return None
    _command.is_said = _command.notice is not None
    return command_notice()


def command_notice() -> str | None:
    """Return the notice of the command in its language; None for data of one's own."""
    return _command.notice.say(_command.lang) if _command.notice is not None else None
