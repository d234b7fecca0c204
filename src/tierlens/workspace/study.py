"""What travels together through a run: the run file, the data it names, and the tables that were built of them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from tierlens.features.windows import Window
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.tables import Currency, Tables
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import Prepared, Shop, prepare_tables


@dataclass(frozen=True)
class Study:
    """One shop, seen at the cutoff of a run and at those that it learns from.

    Parameters
    ----------
    config : RunConfig
        What the run file says.
    shop : Shop
        The data.
    prepared : Prepared
        Snapshots and tiers at every cutoff.
    """

    config: RunConfig
    shop: Shop
    prepared: Prepared

    @property
    def tables(self) -> Tables:
        """The settled tables."""
        return self.shop.tables

    @property
    def currency(self) -> Currency:
        """The currency of all amounts."""
        return self.shop.tables.currency

    @property
    def scheme(self) -> Scheme:
        """The scheme by which customers are graded."""
        return self.prepared.scheme

    @property
    def window(self) -> Window:
        """Days that are observed, left out and predicted."""
        return self.config.span

    @property
    def cutoff(self) -> int:
        """The cutoff of the run, in days since 1970-01-01."""
        return self.config.cutoff_day

    @property
    def learning(self) -> list[int]:
        """The cutoffs whose outcome was known by the cutoff of the run, in order."""
        return self.config.learning_cutoffs()

    @property
    def seed(self) -> int:
        """The seed of everything that is drawn."""
        return self.config.seed

    def rows_now(self, table: pa.Table) -> pa.Table:
        """Return the rows of a keyed table at the cutoff of the run."""
        return self.prepared.at(table, self.cutoff)


def study_of(shop: Shop, config: RunConfig) -> Study:
    """Build and grade what learning and reporting need.

    Raises
    ------
    DataError
        ``E-RU-001`` when nobody bought anything in the window before the cutoff.
    """
    return Study(config, shop, prepare_tables(shop, config))
