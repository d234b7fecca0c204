"""Whether a new model takes the champion's name: only where a paired interval on the same customers says so.

Beside each model the store keeps, of each test cutoff: the day, the risks that it foretold (so how many customers
there were, and how risks were spread), and a digest of who they were and what happened to them. No id and no single
outcome stands there. Digest and order of the risks are keyed with the secret of the run home
(``publish.tracking.secret``), which the store never gets: without it neither can be tried out by who knows the ids.
Who has both the secret and the ids can. Of tests kept under another secret, on another machine for instance, nothing
can be compared.
"""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.errors import UsageError
from tierlens.publish.tracking.records import Foretold, ModelRecord
from tierlens.risk.evaluation.bootstrap import Interval, Rows, metric_table, paired_difference
from tierlens.risk.evaluation.metrics import auc
from tierlens.words import Text

DRAWS = 500
DIGITS = 9
"""Places to which risks are kept; two models are compared by what is kept of both."""
Kept = Mapping[str, Mapping[str, Any]]
"""By cutoff (day number as text): ``key`` (which secret), ``rows`` (digest of customers and outcomes) and ``risk``."""


@dataclass(frozen=True)
class Decision:
    """Whether a model becomes champion, and why."""

    wins: bool
    why: Text


def kept_of(tested: Foretold, key: bytes) -> dict[str, dict[str, Any]]:
    """Return what the store keeps of a model's test: no ids, no outcomes, nothing that tells them without the secret.

    Parameters
    ----------
    tested : Foretold
    key : bytes
        The secret of the run home.

    Examples
    --------
    >>> one = Foretold(np.array(["b", "a"]), np.array([9, 9]), np.array([1, 0]), np.array([0.7, 0.2]))
    >>> kept = kept_of(one, b"secret")
    >>> sorted(kept["9"]["risk"]), len(kept["9"]["rows"]), kept["9"]["rows"] == kept_of(one, b"other")["9"]["rows"]
    ([0.2, 0.7], 64, False)
    """
    found = {}
    for day, here in _places(tested, key).items():
        rows = json.dumps([[str(tested.customers[n]), int(tested.happened[n])] for n in here])
        found[day] = {
            "key": _which(key),
            "rows": _keyed(key, f"rows {rows}"),
            "risk": np.round(tested.risk[here], DIGITS).tolist(),
        }
    return found


def _places(tested: Foretold, key: bytes) -> dict[str, npt.NDArray[np.int64]]:
    """Return the places of the rows of each cutoff, earliest first; in it they stand in an order that the key makes."""
    found = {}
    for day in np.unique(tested.cutoffs):
        here = np.flatnonzero(tested.cutoffs == day)
        # By the day too: else the place would tell which risks of two cutoffs are of one customer.
        orders = np.array([_keyed(key, f"order {int(day)} {tested.customers[n]}") for n in here])
        found[str(int(day))] = here[np.argsort(orders, kind="stable")]
    return found


def _keyed(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode("utf-8"), "sha256").hex()


def _which(key: bytes) -> str:
    """Tell secrets apart without telling anything of them."""
    return _keyed(key, "which")[:16]


def auc_difference(tested: Foretold, kept: Kept, key: bytes) -> tuple[Interval, int, int] | None:
    """Return AUC new less old on the cutoffs that both were tested on, with the rows and cutoffs; None without any."""
    mine, places = kept_of(tested, key), _places(tested, key)
    common = [day for day in mine if day in kept and _is_same(mine[day], kept[day])]
    if not common:
        return None
    order = np.concatenate([places[day] for day in common])
    new, old = (np.concatenate([one[day]["risk"] for day in common]).astype(np.float64) for one in (mine, kept))
    rows = Rows(tested.happened[order].astype(np.float64), tested.customers[order], tested.cutoffs[order])
    drawn = metric_table(auc, rows, {"new": new, "old": old}, draws=DRAWS)
    return paired_difference(drawn, "new", "old"), len(order), len(common)


def _is_same(mine: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    return bool(kept["rows"] == mine["rows"] and len(kept["risk"]) == len(mine["risk"]))


def readable_test(found: object) -> Kept | None:
    """Return what a store kept of a test, as it was read from JSON; None where it has another shape.

    Examples
    --------
    >>> readable_test({"1": 5}), readable_test({"9": {"rows": "ab", "risk": [0.5]}})
    (None, {'9': {'rows': 'ab', 'risk': [0.5]}})
    """
    return found if isinstance(found, dict) and all(_is_cutoff(*pair) for pair in found.items()) else None


def _is_cutoff(day: object, kept: object) -> bool:
    if not isinstance(day, str) or not isinstance(kept, dict) or not isinstance(kept.get("rows"), str):
        return False
    risks = kept.get("risk")
    return isinstance(risks, list) and all(type(one) in (int, float) and math.isfinite(one) for one in risks)


def decide_champion(model: ModelRecord, standing: Mapping[str, str] | None, kept: Kept | None, key: bytes) -> Decision:
    """Decide whether a model takes the place of the standing champion.

    Parameters
    ----------
    model : ModelRecord
    standing : mapping of str to str, optional
        The champion's tags; None when there is no champion.
    kept : mapping, optional
        What the store kept of the champion's test; see ``kept_of``.
    key : bytes
        The secret of the run home.

    Examples
    --------
    >>> from pathlib import Path
    >>> new = ModelRecord("churn", Path("."), (), "auc", 0.80)
    >>> standing = {"metric": "auc", "value": "0.10"}
    >>> decide_champion(new, None, None, b"").wins, decide_champion(new, standing, None, b"").why.en
    (True, 'the champion stays: nothing is kept of one of the two tests, so that they cannot be compared')
    """
    if standing is None:
        first = math.isfinite(model.value)
        return Decision(first, Text("it is the first of its name", "该名称下的首个模型") if first else
                        Text("it has no figure to be judged by", "没有可供评判的指标"))  # fmt: skip
    if standing.get("metric") != model.metric:
        return Decision(False, Text("the champion stays: the two are judged by different metrics",
                                    "保留现用模型：两者评判指标不同"))  # fmt: skip
    if model.tested is None or kept is None:
        return Decision(False, Text(
            "the champion stays: nothing is kept of one of the two tests, so that they cannot be compared",
            "保留现用模型：其中一方未保存检验结果，无法比较",
        ))  # fmt: skip
    return _compared(model.tested, kept, key)


def _compared(tested: Foretold, kept: Kept, key: bytes) -> Decision:
    if all(one.get("key") != _which(key) for one in kept.values()):
        return Decision(False, Text(
            "the champion stays: its test was kept under the secret of another run home or machine, so that the two "
            "cannot be compared",
            "保留现用模型：其检验结果以另一运行目录或另一台机器的密钥保存，无法比较",
        ))  # fmt: skip
    try:
        found = auc_difference(tested, kept, key)
    except UsageError as problem:  # common cutoffs with one outcome only, say: no fault of the run
        return Decision(False, Text(
            f"the champion stays: the two cannot be compared: {problem.what.en}",
            f"保留现用模型：两者无法比较：{problem.what.zh}",
        ))  # fmt: skip
    if found is None:
        return Decision(False, Text(
            "the champion stays: the two were tested on no cutoff with the same customers and outcomes",
            "保留现用模型：两者没有客户与结果相同的共同检验截止日",
        ))  # fmt: skip
    return _by_interval(*found)


def _by_interval(edge: Interval, rows: int, cutoffs: int) -> Decision:
    wins = edge.above(0.0)
    en = "it ranks customers better" if wins else "the champion stays: the new one does not rank customers better"
    zh = "排序更好" if wins else "保留现用模型：新模型的排序并未更好"
    figures = f"{edge.value:+.4f} ({edge.low:+.4f} .. {edge.high:+.4f})"
    return Decision(wins, Text(
        f"{en}; AUC new less old {figures}, {rows:,} rows of {cutoffs} common cutoffs",
        f"{zh}；AUC 之差（新减旧）{figures}，{cutoffs} 个共同截止日共 {rows:,} 行",
    ))  # fmt: skip
