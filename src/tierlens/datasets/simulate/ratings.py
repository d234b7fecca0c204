"""What people and agencies judge of a customer, once a year: health, growth and size, each with noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tierlens.datasets.simulate.credit import profit_share
from tierlens.datasets.simulate.drawn import as_settled_table, draw_answers, mood_on, recording_days, texts_by_place
from tierlens.datasets.simulate.grid import Floats, Grid, Ints
from tierlens.datasets.simulate.lives import Lives, customer_health
from tierlens.datasets.simulate.people import INDUSTRY_GROWTH, draw_traits
from tierlens.datasets.simulate.plan import ShopPlan
from tierlens.sources.declared.contracts import JUDGED, SCORED

_MADE = 0.5  # share of the judgements that are made, of those that could be
_SPAN = 1.8  # spreads of an answer between the middle and the best or worst word
_DEMANDS = ("product", "service", "custom")


class _Judged(NamedTuple):
    """One kind of judgement: texts, and numbers where it is one (NaN where not)."""

    name: str
    values: pa.Array
    scores: Floats


def draw_ratings(plan: ShopPlan, lives: Lives, periods: Grid, block: int, customers: pa.Array) -> pa.Table:
    """Draw the judgements of a block; a customer is judged on one day each year, half of what could be.

    Parameters
    ----------
    plan : ShopPlan
    lives : Lives
    periods : Grid
    block : int
    customers : pyarrow array
        Ids of the block.
    """
    rng, every = plan.random("ratings", block), plan.world.credit.rating_days
    turns = -(-(periods.last - periods.first) // every)
    moment = lives.born[:, None] + every * np.arange(turns)[None, :] + rng.integers(0, every, (len(lives.kind), 1))
    customer, turn = np.nonzero((moment < periods.last) & (moment < lives.end[:, None]))
    judged_at = moment[customer, turn]
    judged = _judgements(rng, plan, lives, periods, block, (customer, judged_at))
    which, kind = np.nonzero(rng.random((len(customer), len(judged))) < _MADE)
    known = recording_days(rng, judged_at[which], plan.world.late)
    in_time = known < periods.last
    which, kind, known = which[in_time], kind[in_time], known[in_time]
    place = kind * len(customer) + which
    return as_settled_table(
        "ratings",
        {
            "customer_id": texts_by_place(customers, customer[which]),
            "name": texts_by_place([each.name for each in judged], kind),
            "value": pa.concat_arrays([each.values for each in judged]).take(pa.array(place)),
            "day": judged_at[which],
            "known_day": known,
            "score": pa.array(np.concatenate([each.scores for each in judged])[place], from_pandas=True),
        },
    )


def _judgements(
    rng: np.random.Generator, plan: ShopPlan, lives: Lives, periods: Grid, block: int, at: tuple[Ints, Ints]
) -> list[_Judged]:
    """Return every kind of judgement of customers ``at[0]`` on days ``at[1]``."""
    customer, day = at
    section, growth = draw_traits(plan, lives, block)
    section, growth = section[customer], growth[customer]
    industry = np.array(list(INDUSTRY_GROWTH.values()))[section]
    mood, weight = mood_on(customer_health(lives, periods), periods, customer, day), plan.world.health.answering
    outlook: Floats = (industry - 0.06) / 0.03
    noise = rng.standard_normal((4, len(customer)))
    return [
        _word("credit_rating", draw_answers(rng, mood, weight)),
        _word("financial_position", draw_answers(rng, mood, weight)),
        _word("industry_outlook", draw_answers(rng, outlook, weight)),
        _number("industry_growth", industry + 0.01 * noise[0]),
        _number("business_growth", np.expm1(growth + 0.05 * noise[1])),
        _word("new_business_likelihood", draw_answers(rng, (growth - 0.05) / 0.15, weight)),
        _number("new_demand_fit", np.round(5.5 + 2 * draw_answers(rng, mood, weight)), 0),
        _number("expansion_2y", np.expm1(2 * growth + 0.05 * noise[2])),
        _number("profit_contribution", profit_share(plan, lives)[customer] * np.exp(0.2 * noise[3]), 6),
        _word("dependence", draw_answers(rng, mood, weight)),
        _Judged(
            "demand_kind",
            texts_by_place(_DEMANDS, rng.integers(0, 3, len(customer))).cast(pa.string()),
            np.full(len(customer), np.nan),
        ),
    ]


def _word(name: str, said: Floats) -> _Judged:
    """Return answers as words: the best for the highest."""
    words: Sequence[str] = tuple(JUDGED[name])
    place = np.floor((_SPAN - said) / (2 * _SPAN) * len(words)).astype(np.int64)
    texts = texts_by_place(words, np.clip(place, 0, len(words) - 1)).cast(pa.string())
    return _Judged(name, texts, np.full(len(said), np.nan))


def _number(name: str, values: Floats, digits: int = 3) -> _Judged:
    """Return numbers within the bounds of the contract, and the texts they stand in."""
    _, least, most = SCORED[name]
    # Adding zero turns -0.0, which would read "-0", into 0.0.
    rounded = np.round(np.clip(values, least, most), digits).astype(np.float64) + 0.0
    return _Judged(name, pa.array(rounded).cast(pa.string()), rounded)
