"""Triggers that fired, with the values and the transactions behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from tierlens.features.windows import known_rows, looked_back, trailing_rows
from tierlens.grading.evidence import Teller
from tierlens.grading.feature_columns import Columns, Frame, kinds_of
from tierlens.grading.scheme.parts import Trigger
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.tables import Currency, Tables
from tierlens.words import Lang

if TYPE_CHECKING:
    import pyarrow as pa


def fired_triggers(graded: pa.Table, features: pa.Table, scheme: Scheme, currency: Currency, lang: Lang) -> pa.Table:
    """Return the triggers that fired, each with the values that let it fire.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``.
    features : pyarrow.Table
        The feature table that was graded.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency whose minor units the money columns are in.
    lang : {"en", "zh"}
        Language of the sentence.

    Returns
    -------
    pyarrow.Table
        ``customer_id``, ``cutoff``, ``trigger``, ``title``, ``because`` and ``source``, sorted by cutoff, customer and
        the order of the scheme.
    """
    import pyarrow as pa

    teller = Teller(Columns(scheme, currency, kinds_of(features.schema)), lang)
    values = {(row["customer_id"], row["cutoff"]): row for row in features.to_pylist()}
    rows = []
    for row in graded.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")]).to_pylist():
        key = {name: row[name] for name in ("customer_id", "cutoff")}
        for trigger in scheme.triggers:
            if row[f"trigger_{trigger.id}"]:
                because = teller.because(trigger.when, teller.everything(row, values.get(tuple(key.values()), {})))
                told = {"title": trigger.title.say(lang), "because": because, "source": trigger.source}
                rows.append({**key, "trigger": trigger.id, **told})
    texts = ("customer_id", "trigger", "title", "because", "source")
    kinds = {"cutoff": pa.int32(), **dict.fromkeys(texts, pa.string())}
    order = ("customer_id", "cutoff", "trigger", "title", "because", "source")
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, kinds[name]) for name in order]))


def rows_behind(tables: Tables, graded: Frame, trigger: Trigger) -> Frame:
    """Return the transactions that a trigger looked at, for the customers for whom it fired.

    Parameters
    ----------
    tables : Tables
        The project's tables; the same engine as ``graded``.
    graded : narwhals.LazyFrame
        From ``grade``.
    trigger : Trigger
        With ``rows_days``; without it every known transaction is returned.

    Returns
    -------
    narwhals.LazyFrame
        The transactions known at the cutoff, with ``cutoff`` and ``age`` beside them.
    """
    where = nw.col(f"trigger_{trigger.id}")
    caught = graded.filter(where).select("customer_id", "cutoff")
    paired = looked_back(tables.transactions.join(caught, on="customer_id", how="inner").filter(known_rows()))
    return paired.filter(trailing_rows(trigger.rows_days)) if trigger.rows_days is not None else paired
