"""Data to try things on: two real shops and a simulated one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.datasets.examples import fetch_retail
    from tierlens.datasets.simulate import ShopPlan, simulated_shop

_HOMES = {
    "ShopPlan": "simulate",
    "simulated_shop": "simulate",
    "fetch_retail": "examples",
}

__all__ = [
    "ShopPlan",
    "fetch_retail",
    "simulated_shop",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
