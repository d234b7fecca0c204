"""Who the customers are on paper."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.datasets.simulate.credit import YEAR
from tierlens.datasets.simulate.drawn import as_settled_table, recording_days, texts_by_place, with_nulls
from tierlens.datasets.simulate.grid import Floats, Grid, Ints
from tierlens.datasets.simulate.lives import Lives
from tierlens.datasets.simulate.plan import ShopPlan
from tierlens.sources.declared.contracts import ALWAYS, SECTIONS

_PLACES = ("远东", "华美", "新城", "长江", "恒大兴", "金桥", "东方", "启明", "瑞丰", "中安", "海天", "同创")
_WORDS = ("精工", "实业", "科贸", "联合", "物产", "工程", "智造", "供应链", "材料", "设备")
# Sections that buy from a wholesaler, with the yearly growth that their customers report.
INDUSTRY_GROWTH = {"C": 0.05, "E": 0.02, "F": 0.04, "G": 0.06, "H": 0.03, "I": 0.12, "M": 0.08, "Q": 0.07}
_SIZES = ("小型", "中型", "大型")


def draw_traits(plan: ShopPlan, lives: Lives, block: int) -> tuple[Ints, Floats]:
    """Return each customer's industry (place in ``INDUSTRY_GROWTH``) and the yearly growth of its own business.

    Both are drawn from a stream of their own, so that every table that asks gets the same.
    """
    rng, n = plan.random("people", block), len(lives.kind)
    section = rng.integers(0, len(INDUSTRY_GROWTH), n)
    own = np.log(lives.of_type("growth")) * 6 + np.array(list(INDUSTRY_GROWTH.values()))[section]
    return section, own + 0.08 * rng.standard_normal(n)


def draw_customers(plan: ShopPlan, lives: Lives, periods: Grid, block: int, ids: pa.Array) -> pa.Table:
    """Draw the customer file: one row from the beginning, and one each year in which the employees were counted again.

    Customers of the first day hold always; others from the day on which they came.
    """
    rng, people, n = plan.random("customers", block), plan.world.customers, len(lives.kind)
    section, growth = draw_traits(plan, lives, block)
    size = lives.of_type("employees") * np.exp(people.size_spread * rng.standard_normal(n))
    row, day, years = _rows(lives, periods)
    employees = np.maximum(np.round(size[row] * np.exp(growth[row] * years)), 1).astype(np.int64)
    known = np.where(day == ALWAYS, ALWAYS, recording_days(rng, day, plan.world.late))
    name, short = _company_names(rng, plan, lives)
    blank = rng.random((4, n)) < people.unknown
    letters = np.array(list(INDUSTRY_GROWTH))[section]
    words = np.array([SECTIONS[letter].split()[0] for letter in INDUSTRY_GROWTH])[section]
    kept = known < periods.last
    columns = {
        "customer_id": ids.take(pa.array(row)),
        "name": pa.array(name[row]),
        "short_name": pa.array(short[row], mask=blank[0][row]),
        "industry": pa.array(words[row], mask=blank[1][row]),
        "industry_section": pa.array(letters[row], mask=blank[1][row]),
        "employees": with_nulls(employees, blank[2][row]),
        "company_size": texts_by_place(_SIZES, np.digitize(employees, (100, 500)), blank[2][row]).cast(pa.string()),
        "region": pa.array(np.array(plan.world.regions)[lives.region][row], mask=blank[3][row]),
        "since_day": lives.start[row],
        "contactable": (rng.random(n) < people.contactable)[row],
        "day": day,
        "known_day": known,
    }
    return as_settled_table("customers", columns).filter(pa.array(kept))


def _rows(lives: Lives, periods: Grid) -> tuple[Ints, Ints, Floats]:
    """Return customer, day from which it holds, and years since the first row, by customer and day."""
    first = np.where(lives.start <= periods.first, ALWAYS, lives.start)
    day = lives.born[:, None] + YEAR * np.arange(-(-(periods.last - periods.first) // YEAR))[None, :]
    there = (day < periods.last) & (day < lives.end[:, None])
    there[:, 0] = True
    row, year = np.nonzero(there)
    return row, np.where(year == 0, first[row], day[row, year]), year.astype(np.float64)


def _company_names(
    rng: np.random.Generator, plan: ShopPlan, lives: Lives
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    """Return full and short names, made up; several customers may share one."""
    n = len(lives.kind)
    short = np.char.add(rng.choice(np.array(_PLACES), n), rng.choice(np.array(_WORDS), n))
    region = np.array(plan.world.regions)[lives.region]
    return np.char.add(np.char.add(region, short), "有限公司"), short
