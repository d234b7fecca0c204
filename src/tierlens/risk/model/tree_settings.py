"""Which settings of the trees may be given, and between which bounds: one table for run files, models and searches."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import NamedTuple

from tierlens.errors import UsageError
from tierlens.words import Text


class Bound(NamedTuple):
    """Least and greatest value of a setting, whether it is a whole number, and whether the least itself is allowed."""

    low: float
    high: float
    is_whole: bool = False
    with_low: bool = True

    def admits(self, value: object) -> bool:
        """Say whether a value lies within the bounds and is of the right kind."""
        if isinstance(value, bool) or not isinstance(value, Integral if self.is_whole else Real):
            return False
        number = float(value)
        return math.isfinite(number) and (self.low < number or (self.with_low and self.low == number)) and (
            number <= self.high
        )  # fmt: skip

    def say(self) -> Text:
        """Say what is allowed."""
        kind = Text("a whole number", "整数") if self.is_whole else Text("a number", "数值")
        least = Text("from", "不小于") if self.with_low else Text("above", "大于")
        return Text(
            f"{kind.en} {least.en} {self.low:g} up to {self.high:g}",
            f"{least.zh} {self.low:g} 且不超过 {self.high:g} 的{kind.zh}",
        )


_SHARE = Bound(0, 1, with_low=False)
_WEIGHT = Bound(0, 1e6)
ALLOWED: dict[str, Bound] = {
    "num_leaves": Bound(2, 4096, is_whole=True),
    "max_depth": Bound(-1, 64, is_whole=True),
    "learning_rate": _SHARE,
    "rounds": Bound(1, 10_000, is_whole=True),
    "patience": Bound(0, 10_000, is_whole=True),
    "max_bin": Bound(2, 65_535, is_whole=True),
    "min_data_in_leaf": Bound(1, 10_000_000, is_whole=True),
    "min_gain_to_split": _WEIGHT,
    "min_sum_hessian_in_leaf": _WEIGHT,
    "feature_fraction": _SHARE,
    "feature_fraction_bynode": _SHARE,
    "bagging_fraction": _SHARE,
    "bagging_freq": Bound(0, 10_000, is_whole=True),
    "lambda_l1": _WEIGHT,
    "lambda_l2": _WEIGHT,
    "path_smooth": _WEIGHT,
    "linear_lambda": _WEIGHT,
}
"""Settings by name."""
SEARCHED = frozenset(ALLOWED) - {"patience", "max_bin"}
"""Settings that may be searched; those that belong to the bins, or to watched rows, may not: all trials share them."""


def fault_of(name: str, value: object) -> tuple[Text, Text] | None:
    """Return what is wrong with a setting and what to do about it; None where it is allowed.

    Examples
    --------
    >>> fault_of("num_leafs", 4)[1].en
    "did you mean 'num_leaves'?"
    >>> fault_of("num_leaves", 1)[0].en
    'num_leaves is 1'
    """
    if name not in ALLOWED:
        near = difflib.get_close_matches(str(name), ALLOWED, n=1, cutoff=0.6)
        names = ", ".join(sorted(ALLOWED))
        fix = Text(f"did you mean {near[0]!r}?", f"是否指 {near[0]!r}？") if near else Text(
            f"the settings are {names}", f"可用的设置：{names}")  # fmt: skip
        return Text(f"there is no setting {str(name)!r} of trees", f"树没有名为 {str(name)!r} 的设置"), fix
    if not ALLOWED[name].admits(value):
        asked = ALLOWED[name].say()
        return Text(f"{name} is {value!r}", f"{name} 为 {value!r}"), Text(f"give {asked.en}", f"请给出{asked.zh}")
    return None


def check_settings(settings: object) -> None:
    """Refuse settings of trees that are unknown or out of bounds.

    Raises
    ------
    UsageError
        ``E-RI-074`` with the nearest name or the bounds.
    """
    if settings is None:
        return
    if not isinstance(settings, Mapping):
        what = Text(f"settings are given as {type(settings).__name__}", f"设置以 {type(settings).__name__} 给出")
        raise UsageError(
            "E-RI-074", what, where="trees", fix=Text("give a mapping of name to number", "请给出名称到数值的映射")
        )
    for name, value in settings.items():
        fault = fault_of(name, value)
        if fault is not None:
            raise UsageError("E-RI-074", fault[0], where="trees", fix=fault[1])


def check_whole(name: str, value: object, least: int, *, none: bool = False) -> None:
    """Refuse a parameter that is no whole number, or below the least.

    Raises
    ------
    UsageError
        ``E-RI-073`` with the name and the value.
    """
    if none and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise UsageError(
            "E-RI-073",
            Text(f"{name} is {value!r}", f"{name} 为 {value!r}"),
            where=name,
            fix=Text(f"give a whole number of at least {least}", f"请给出不小于 {least} 的整数"),
        )
