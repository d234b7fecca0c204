"""A business-to-business shop whose truth is known: who each customer is, how likely it leaves, what made it leave.

Five types of customers with a latent health that drives orders, tickets, payments and surveys; shocks on known days
that hit known customers; a season; returns; rows that were recorded late; raw files with dirty rows on request.

Every number is invented and listed with unit and reason by :func:`world_parameters`; nothing is estimated from real
data. What is simplified: orders come as a Poisson process, so that buyers differ in rate but not in rhythm; contracts
do not hold a customer back; customers do not influence each other, and none comes back.

Random numbers are drawn in whole columns for 4,000 customers at a time, from one stream a table: the same plan gives
the same rows, whatever is held in memory at once.
"""

from tierlens.datasets.simulate.plan import ShopPlan
from tierlens.datasets.simulate.raw import RawShop, write_raw
from tierlens.datasets.simulate.risks import truth_at
from tierlens.datasets.simulate.shop import Simulated, open_shop, simulated_shop, write_shop
from tierlens.datasets.simulate.world import (
    SEASON,
    SHOCKS,
    TYPES,
    CustomerType,
    Parameter,
    Shock,
    World,
    world_parameters,
)

__all__ = [
    "SEASON",
    "SHOCKS",
    "TYPES",
    "CustomerType",
    "Parameter",
    "RawShop",
    "Shock",
    "ShopPlan",
    "Simulated",
    "World",
    "open_shop",
    "simulated_shop",
    "truth_at",
    "world_parameters",
    "write_raw",
    "write_shop",
]
