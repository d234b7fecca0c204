"""Everybody known at the cutoff of a run, with features and grades: who buys, who bought before, who never did.

Who buys forms the population that percentiles and models rest on; the others are placed in it and change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.features.catalog import available_features
from tierlens.features.snapshot import KEY, build_snapshots, to_arrow
from tierlens.features.windows import at_cutoffs
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.scoring import grade
from tierlens.publish.lists.activities import Known, known_of
from tierlens.words import Text
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import Shop, arrow_as_frame, graded_features

SHOWN = ("recency_days", "frequency", "monetary", "average_order_value", "tenure_days", "trend_12")
"""Features that stand beside tier and risk; all of them are in ``snapshots.parquet``."""

NO_RISK: dict[str, Text] = {
    "lapsed": Text(
        "No risk: churn and downgrade are foretold of customers with a purchase in the window; the last purchase lies "
        "{days} days before the cutoff.",
        "无风险值：流失与降级仅对窗口内有购买的客户预测，该客户最近一次购买距截止日 {days} 天。",
    ),
    "prospect": Text(
        "No risk: churn and downgrade are foretold of customers with a purchase in the window; there was none yet.",
        "无风险值：流失与降级仅对窗口内有购买的客户预测，该客户尚未购买。",
    ),
}
"""Why a customer has no risk, by activity."""


@dataclass(frozen=True)
class Everybody:
    """All customers known at a cutoff, in the order of ``customer_id``.

    Parameters
    ----------
    features : pyarrow.Table
        What the scheme reads and what is shown.
    graded : pyarrow.Table
        From ``grade``, the same rows.
    activity : pyarrow.Array of str
        A key of ``publish.lists.activities.ACTIVITIES`` for each row.
    returned_only : int
        Customers with returns but no purchase of whom no table of customers tells: they are not among the rows.
    """

    features: pa.Table
    graded: pa.Table
    activity: pa.Array
    returned_only: int = 0

    def others(self) -> Everybody:
        """Return those who bought nothing in the window."""
        return self._where(pc.not_equal(self.activity, "active"))

    def only(self, customer: str) -> Everybody:
        """Return one customer; no row where he is not known."""
        return self._where(pc.equal(self.features["customer_id"].combine_chunks(), customer))

    def counted(self, scheme: Scheme) -> Known:
        """Count them by activity and tier."""
        return known_of(self.activity, self.graded, tuple(tier.id for tier in scheme.tiers), self.returned_only)

    def why_no_risk(self, row: int) -> Text:
        """Say why one of the others has no risk."""
        return NO_RISK[self.activity[row].as_py()].fill(days=self.features["recency_days"][row].as_py())

    def _where(self, mask: pa.Array) -> Everybody:
        return Everybody(*(part.filter(mask) for part in (self.features, self.graded, self.activity)))


def everybody_at(shop: Shop, config: RunConfig, scheme: Scheme) -> Everybody:
    """Build and grade everybody known at the cutoff of a run.

    Known is who bought anything before the cutoff, and who stands in the table of customers, where there is one.
    """
    wanted = available_features(shop.tables, {*graded_features(shop.tables, scheme), *SHOWN})
    table = to_arrow(build_snapshots(shop.tables, config.cutoff_day, config.span, features=wanted, everyone=True))
    never = pc.is_null(table["tenure_days"])
    listed = _listed(shop, config, table) if shop.tables.has("customers") else pa.scalar(False)
    nobody = pc.and_(never, pc.invert(listed))
    returned_only = int(pc.sum(nobody).as_py() or 0)
    table = table.filter(pc.invert(nobody))
    graded = to_arrow(grade(arrow_as_frame(table), scheme, shop.tables.currency, among=nw.col("frequency") > 0))
    return Everybody(table, graded, activity_of(table), returned_only)


def _listed(shop: Shop, config: RunConfig, table: pa.Table) -> pa.ChunkedArray:
    """Say of each row whether the table of customers told of it before the cutoff."""
    rows = at_cutoffs(shop.tables.others["customers"], [config.cutoff_day]).select(*KEY).unique()
    return pc.is_in(table["customer_id"], value_set=to_arrow(rows)["customer_id"].combine_chunks())


def without_idle_scores(graded: pa.Table) -> pa.Table:
    """Leave out the scores of rows without a tier: such a score says nothing.

    Examples
    --------
    >>> without_idle_scores(pa.table({"score": [70.0, 20.0], "tier": ["C", None]}))["score"].to_pylist()
    [70.0, None]
    """
    score = pc.if_else(pc.is_valid(graded["tier"]), graded["score"], pa.scalar(None, graded["score"].type))
    return graded.set_column(graded.column_names.index("score"), "score", score)


def activity_of(features: pa.Table) -> pa.Array:
    """Return the activity of each row: by its purchases in the window, else by whether there was ever one.

    Examples
    --------
    >>> activity_of(pa.table({"frequency": [2, 0, 0], "tenure_days": [9, 900, None]})).to_pylist()
    ['active', 'lapsed', 'prospect']
    """
    buys = np.asarray(pc.fill_null(features["frequency"], 0)) > 0
    never = np.asarray(pc.is_null(features["tenure_days"]))
    return pa.array(np.where(buys, "active", np.where(never, "prospect", "lapsed")).tolist(), pa.string())
