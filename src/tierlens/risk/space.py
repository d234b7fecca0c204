"""The search space of the trees as data: settings with their bounds, in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from tierlens import strict_yaml
from tierlens.errors import UsageError
from tierlens.risk.model.tree_settings import ALLOWED, SEARCHED

DEFAULT = Path(__file__).with_name("space.yaml")


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
        for name, asked in self.settings.items():
            if not (ALLOWED[name].admits(asked.low) and ALLOWED[name].admits(asked.high)):
                raise ValueError(
                    f"{name}: {asked.low} to {asked.high} is out of bounds; {ALLOWED[name].say().en} is due"
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
    return strict_yaml.build_model(SpaceFile, path or DEFAULT, error=UsageError).settings
