"""Reasons and lists as frames: why a customer is at risk, whom to contact, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.api.native_frames import as_inner_frame, as_library, as_user_frame, library_of
from tierlens.api.tier_frames import as_scheme
from tierlens.errors import DataError, UsageError
from tierlens.explain.contributions import Contributions, float_matrix
from tierlens.explain.reason_columns import OUTCOMES, REASONS, columns_beside, reason_columns, with_main_reason
from tierlens.explain.reason_words import Known
from tierlens.explain.reasons import tell_reasons
from tierlens.features.catalog import WHOLE
from tierlens.features.snapshot import KEY
from tierlens.grading.scheme.scheme import Scheme
from tierlens.publish.lists.customer_lists import LANGS, Pick
from tierlens.publish.lists.customer_lists import customer_list as listed
from tierlens.publish.lists.playbook import with_next_steps
from tierlens.sources.engines import arrow_of
from tierlens.sources.tables import Currency
from tierlens.words import Lang, Text

Side = Literal["both", "raises", "lowers"]


def reasons(
    contributions: Contributions,
    features: Any,
    currency: Currency,
    *,
    tiers: Sequence[str | None] | None = None,
    side: Side = "both",
) -> Any:
    """Return the reasons of each customer's risk, as sentences in both languages with their points of risk.

    Parameters
    ----------
    contributions : Contributions
        From :func:`tierlens.explain` of a model and the same rows.
    features : frame of pandas, Polars or Arrow
        The rows explained; money in whole units. Features that the model does not read may stand in it: customers are
        compared by them too, with their own past for instance.
    currency : Currency
        Of the money: ``data.currency``.
    tiers : sequence of str, shape (n,), optional
        Tier of each customer, to compare with.
    side : {"both", "raises", "lowers"}
        Reasons either way, or only those of one side.

    Returns
    -------
    frame
        One row a reason, at most three that raise the risk and two that lower it: ``row`` (0-based row of
        ``features``), the keys, ``side``, ``rank``, ``code``, ``topic``, ``feature``, ``value``, ``compared_with``,
        ``compared`` (money in whole units), ``points`` (percentage points of risk), ``log_odds``, ``is_background``,
        ``text_en``, ``text_zh``.

    Examples
    --------
    >>> import pandas as pd
    >>> shop = pd.DataFrame({"customer_id": ["a", "b"], "recency_days": [143, 51], "interval_mean_days": [20.0, 30.0]})
    >>> found = Contributions([[1.4], [-0.1]], 0.0, ("recency_days",))
    >>> reasons(found, shop, Currency("GBP"))["text_en"][0]
    'No purchase for 143 days; usually every 20 days (+30 points)'
    """
    table = as_inner_frame(features, "features", currency)
    names = [name for name in table.column_names if name in WHOLE and WHOLE[name].unit != "text"]
    names += [name for name in contributions.names if name not in names]
    known = Known(
        {name: float_matrix(table, (name,))[:, 0] for name in names},
        currency,
        None if tiers is None else np.array(list(tiers), dtype=object),
    )
    said = tell_reasons(contributions, known).table
    said = said if side == "both" else said.filter(pc.equal(said["side"], side))
    for place, key in enumerate(key for key in KEY if key in table.column_names):
        said = said.add_column(1 + place, key, table[key].combine_chunks().take(said["row"].combine_chunks()))
    return as_library(as_user_frame(_in_units(said, currency)), library_of(features))


def _is_money(name: str) -> bool:
    return name in WHOLE and WHOLE[name].unit == "money"


def _in_units(said: pa.Table, currency: Currency) -> pa.Table:
    """Return reasons with the values of money features in whole units."""
    per = pa.array([float(currency.minor) if _is_money(name) else 1.0 for name in said["feature"].to_pylist()])
    for name in ("value", "compared"):
        said = said.set_column(said.column_names.index(name), name, pc.divide(said[name], per))
    return said


def customer_list(
    graded: Any,
    risk: Mapping[str, Any] | Any = None,
    reasons: Any = None,
    *,
    scheme: str | Path | Scheme | None = None,
    tiers: Sequence[str] = (),
    bands: Sequence[str] = (),
    top: int | None = None,
    lang: Lang = "en",
) -> Any:
    """List customers, the riskiest first, with tier, risk, reasons and next step.

    Parameters
    ----------
    graded : frame of pandas, Polars or Arrow
        From :func:`tierlens.grade`, one row a customer.
    risk : array of float, shape (n,), or mapping of str to array, optional
        Churn risks of 0 to 1 in the order of ``graded``; or ``{"churn": ..., "downgrade": ...}``. NaN where an outcome
        does not apply.
    reasons : frame, or mapping of str to frame, optional
        From :func:`reasons` of the same rows in the same order, of churn; or ``{"churn": ..., "downgrade": ...}``.
    scheme : str or Scheme, optional
        The scheme in use: its own next steps and names of tiers.
    tiers, bands : sequence of str
        Only these; by id or by name, in either language. Bands are ``high``, ``medium``, ``low``: see ``risk_band``.
    top : int, optional
        At most so many.
    lang : {"en", "zh"}
        Of sentences and headers' values.

    Returns
    -------
    frame
        Of the library of ``graded``: ``customer_id``, ``tier``, ``score``, ``churn_risk``, ``churn_band``,
        ``downgrade_risk``, ``downgrade_band``, ``risk_band``, ``reason`` (the main one), ``next_step`` and what raises
        and lowers each risk that reasons are given of. In each band
        of a risk is a share of the customers of ``graded`` who have that risk: the riskiest tenth is ``high``, the next
        fifth ``medium``; equal risks are never parted, and without a risk there is no band. ``risk_band`` is the worse
        of the two. Who may be contacted is not known here: see ``tierlens list --consent``.

    Raises
    ------
    DataError
        ``E-LI-002`` when a customer is there twice; ``E-LI-009`` when risks are not one a row, ``E-LI-011`` when one
        lies outside 0 to 1, ``E-LI-012`` when reasons are of other rows.
    UsageError
        ``E-LI-003`` when a tier or band is asked for that no customer has, ``E-LI-013`` for an outcome or a language
        that there is not.

    Examples
    --------
    >>> import pandas as pd
    >>> graded = pd.DataFrame({"customer_id": ["a", "b"], "tier": ["A", "C"], "score": [92.0, 65.0]})
    >>> customer_list(graded, [0.7, 0.1])[["customer_id", "tier", "risk_band"]].values.tolist()
    [['a', 'A', 'high'], ['b', 'C', 'low']]
    """
    rules = as_scheme(scheme) if scheme is not None else None
    table = as_inner_frame(graded, "graded").select(["customer_id", "tier", "score"])
    risks = risk if isinstance(risk, Mapping) else {"churn": risk}
    _refuse_unknown(risks, lang)
    for outcome in ("churn", "downgrade"):
        table = table.append_column(f"{outcome}_risk", _risks(risks.get(outcome), table.num_rows, outcome))
    table = _with_reasons(table, reasons)
    for part in LANGS:
        table = table.append_column(f"segment_{part}", pa.nulls(table.num_rows, pa.string()))
    customers = with_next_steps(table, scheme=rules)
    names = rules.tier_names if rules is not None else None
    found = listed(customers, Pick(tuple(tiers), tuple(bands), top=top), lang, names=names).table
    told = set(reasons) if isinstance(reasons, Mapping) else {"churn"}
    empty = [name for name in REASONS if name.partition("_")[0] not in told]
    return as_library(found.drop_columns(["segment", "contactable", *empty]), library_of(graded))


def _refuse_unknown(risks: Mapping[str, Any], lang: str) -> None:
    """Refuse outcomes that there are not, and a language that there is not."""
    for where, given, known in (("risk", list(risks), ("churn", "downgrade")), ("lang", [lang], LANGS)):
        wrong = [one for one in given if one not in known]
        if wrong:
            listed = ", ".join(known)
            raise UsageError(
                "E-LI-013",
                Text(f"{wrong[0]!r} is none of {listed}", f"{wrong[0]!r} 不在 {listed} 之中"),
                where=where,
                fix=Text(f"give {listed}", f"请填写 {listed}"),
            )


def _risks(given: Any, rows: int, name: str) -> pa.Array:
    if given is None:
        return pa.nulls(rows, pa.float64())
    values = np.asarray(given, dtype=np.float64)
    if values.shape == (rows,) and not np.all(np.isnan(values) | ((values >= 0) & (values <= 1))):
        raise DataError(
            "E-LI-011",
            Text("a risk lies outside 0 to 1", "有风险值不在 0 到 1 之间"),
            where=name,
            fix=Text("give probabilities, such as predict_proba(...)[:, 1]", "请给出 0 到 1 之间的概率"),
        )
    if values.shape != (rows,):
        raise DataError(
            "E-LI-009",
            Text(f"{rows} customers, {name} of shape {values.shape}", f"客户 {rows} 位，{name} 形状为 {values.shape}"),
            where=name,
            fix=Text("give one risk a row of graded, such as predict_proba(...)[:, 1]",
                     "请为 graded 的每一行给出一个风险，例如 predict_proba(...)[:, 1]"),
        )  # fmt: skip
    return pa.array(values, from_pandas=True)


def _refuse_others(reasons: pa.Table, table: pa.Table) -> None:
    """Refuse reasons of other rows, or of the same in another order."""
    rows = reasons["row"]
    fits = not reasons.num_rows or pc.max(rows).as_py() < table.num_rows
    if fits and "customer_id" in reasons.column_names and reasons.num_rows:
        theirs = reasons["customer_id"].cast(pa.string()).combine_chunks()
        fits = theirs.equals(table["customer_id"].cast(pa.string()).combine_chunks().take(rows.combine_chunks()))
    if not fits:
        raise DataError(
            "E-LI-012",
            Text("the reasons are of other customers, or in another order", "原因对应的客户或其顺序与评级结果不符"),
            where="reasons",
            fix=Text("explain the rows that were graded, in their order", "请按评级结果的行序解释同一批客户"),
        )


def _with_reasons(table: pa.Table, reasons: Any) -> pa.Table:
    """Put the reasons of each risk beside the customers; without any there are none of it."""
    given = reasons if isinstance(reasons, Mapping) else {"churn": reasons}
    for outcome in OUTCOMES:
        beside = {name: pa.nulls(table.num_rows, kind) for name, kind in reason_columns(outcome).items()}
        if given.get(outcome) is not None:
            said = arrow_of(given[outcome], "reasons")
            _refuse_others(said, table)
            told = columns_beside(said, table.num_rows, outcome)
            beside |= {name: told[name] for name in told.column_names}
        for name, values in beside.items():
            table = table.append_column(name, values)
    return with_main_reason(table)
