"""What a run could not make of its data: named, with the reason and with what would make it possible."""

from __future__ import annotations

from dataclasses import dataclass

from tierlens.words import Text


@dataclass(frozen=True)
class LeftOut:
    """A part that a run leaves out.

    Parameters
    ----------
    part : str
        ``segments``, or the outcome that was not learned: ``churn``, ``downgrade``.
    title : Text
    reason : Text
        Why it cannot be made.
    fix : Text
        What would make it possible.
    code : str
        Code of the error that a command ends in which makes this part alone.

    Examples
    --------
    >>> why, fix = Text("nobody left", "无人流失"), Text("wait", "请等待")
    >>> LeftOut("churn", Text("Churn", "流失"), why, fix, "E-RI-072").said.en
    'Churn is left out: nobody left; to have it, wait.'
    """

    part: str
    title: Text
    reason: Text
    fix: Text
    code: str

    @property
    def said(self) -> Text:
        """One sentence for the terminal and the report."""
        fix = self.fix.zh.removeprefix("请")
        is_left, it = ("are", "them") if self.part == "segments" else ("is", "it")
        return Text(
            f"{self.title.en} {is_left} left out: {self.reason.en}; to have {it}, {self.fix.en}.",
            f"未包含{self.title.zh}：{self.reason.zh}；如需得到，请{fix}。",
        )
