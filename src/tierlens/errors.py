"""The few exceptions worth catching.

Every error says what is wrong, which value, where, and what to do now, in both languages, under a stable code.
"""

from __future__ import annotations

from typing import ClassVar

from tierlens.passwords import without_passwords
from tierlens.words import Lang, Text


class TierlensError(Exception):
    """Base of every error that tierlens raises on purpose; its texts never hold a password.

    Parameters
    ----------
    code : str
        Stable code such as ``E-TX-012``; documentation and tests refer to it.
    what : Text
        What is wrong, naming the value.
    where : str, optional
        Place: ``file:line:column``, a key, a parameter.
    fix : Text, optional
        What the reader can do now.

    Examples
    --------
    >>> raise DataError("E-TX-001", Text("the file is empty", "文件为空"), where="a.csv",
    ...                 fix=Text("export it again", "请重新导出"))
    Traceback (most recent call last):
    tierlens.errors.DataError: E-TX-001 a.csv: the file is empty; export it again
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, what: Text, *, where: str = "", fix: Text | None = None) -> None:
        self.code = code
        self.what = Text(*map(without_passwords, what))
        self.where = without_passwords(where)
        self.fix = None if fix is None else Text(*map(without_passwords, fix))
        super().__init__(self.say("en"))

    def __reduce__(self) -> tuple[object, ...]:
        """Say how to make the error again: scikit-learn's worker processes send theirs pickled."""
        return _again, (type(self), self.code, self.what, self.where, self.fix)

    def say(self, lang: Lang) -> str:
        """Return the whole message in one language."""
        place = f" {self.where}" if self.where else ""
        colon, stop = (": ", "; ") if lang == "en" else ("：", "；")
        advice = f"{stop}{self.fix.say(lang)}" if self.fix else ""
        return f"{self.code}{place}{colon}{self.what.say(lang)}{advice}"


def _again(kind: type[TierlensError], code: str, what: Text, where: str, fix: Text | None) -> TierlensError:
    error = kind.__new__(kind)
    TierlensError.__init__(error, code, what, where=where, fix=fix)
    return error


class UsageError(TierlensError, ValueError):
    """An option, argument or configuration that cannot be used (exit code 2)."""

    exit_code: ClassVar[int] = 2


class DataError(TierlensError, ValueError):
    """Data that must not be used as it stands (exit code 3)."""

    exit_code: ClassVar[int] = 3


class SchemeError(UsageError):
    """A scheme that is not there, or a scheme file that breaks the scheme language (exit code 2)."""


class BusyError(TierlensError):
    """Somebody else holds the project (exit code 4)."""

    exit_code: ClassVar[int] = 4


class MissingExtraError(TierlensError, ImportError):
    """An optional package is needed and not installed (exit code 5)."""

    exit_code: ClassVar[int] = 5

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(
            "E-EX-001",
            Text(f"{package} is not installed", f"未安装 {package}"),
            fix=Text(f"pip install 'tierlens[{extra}]'", f"请运行 pip install 'tierlens[{extra}]'"),
        )
