"""The search space of the trees as data: settings with their bounds, in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from tierlens import strict_yaml
from tierlens.errors import UsageError

DEFAULT = Path(__file__).with_name("space.yaml")
SEARCHED = frozenset({
    "num_leaves", "max_depth", "learning_rate", "rounds", "min_data_in_leaf", "min_gain_to_split", "feature_fraction",
    "feature_fraction_bynode", "bagging_fraction", "bagging_freq", "lambda_l1", "lambda_l2", "path_smooth",
    "min_sum_hessian_in_leaf", "linear_lambda",
})  # fmt: skip
"""Settings that may be searched; those that belong to the bins may not, as all trials share them."""


def _as_float(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


Number = Annotated[int | float, BeforeValidator(_as_float)]


class Range(BaseModel):
    """Values that a setting may take; whole numbers when both bounds are, on a logarithmic scale when ``log``.

    Examples
    --------
    >>> Range(low=3, high=16, log=True).is_whole
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Number
    high: Number
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Say whether whole numbers are searched."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @model_validator(mode="after")
    def _hangs_together(self) -> Range:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"no range: {self.low} to {self.high}; low must lie below high, and above 0 with log")
        return self


class SpaceFile(BaseModel):
    """A file of ranges by setting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, Range]

    @model_validator(mode="after")
    def _known(self) -> SpaceFile:
        strange = sorted(set(self.settings) - SEARCHED)
        if strange or not self.settings:
            raise ValueError(
                f"{strange[0] if strange else 'nothing'!r} cannot be searched; {', '.join(sorted(SEARCHED))} can"
            )
        return self


def load_space(path: Path | None = None) -> Mapping[str, Range]:
    """Read a search space; the shipped one where no file is named.

    Raises
    ------
    UsageError
        ``E-YA-...`` with the place, when something is wrong in it.

    Examples
    --------
    >>> sorted(load_space())[:2]
    ['feature_fraction', 'lambda_l2']
    """
    return strict_yaml.build(SpaceFile, path or DEFAULT, error=UsageError).settings
