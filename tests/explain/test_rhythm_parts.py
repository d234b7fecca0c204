"""The forecast by what it was computed from: exact, equal to brute force, and never the forecast of another rhythm."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tierlens.datasets.examples import simulated_shop
from tierlens.errors import DataError
from tierlens.explain.contributions import Contributions
from tierlens.explain.rhythm_parts import INPUTS, ITEMS, LEVEL, SEASON, rhythm_parts, with_level, with_rhythm
from tierlens.features.expected import EXPECTED
from tierlens.features.seasonal_btyd import HISTORY, Rhythm, learn_rhythm, seasonal_expectations
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import Window
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.linear import logit
from tierlens.risk.outcome import churn_outcomes

Floats = npt.NDArray[np.float64]
DAY = "2024-06-01"
GAP = Window(gap=20, horizon=60)
SHOP = simulated_shop(customers=80, seed=1).tables
WINDOWS = {"no gap": Window(), "gap": GAP}


@pytest.fixture(scope="module", params=list(WINDOWS))
def learned(request: pytest.FixtureRequest) -> tuple[Rhythm, pa.Table]:
    window = WINDOWS[request.param]
    rows = to_arrow(build_snapshots(SHOP, DAY, window, features=list(HISTORY)))
    return learn_rhythm(SHOP, DAY, window), rows


def by_orders(rhythm: Rhythm, rows: pa.Table, reference: tuple[float, ...]) -> Floats:
    """What each input adds when it arrives, over all 24 orders, by asking the forecast itself."""
    own = [np.asarray(rows[name]).astype(np.float64) for name in INPUTS]
    shares = np.zeros((rows.num_rows, 4))

    def at(here: set[int]) -> Floats:
        taken = [own[i] if i in here else np.full(rows.num_rows, reference[i]) for i in range(3)]
        return logit(rhythm.none(*taken, in_season=3 in here))

    for order in permutations(range(4)):
        here: set[int] = set()
        for one in order:
            before = at(here)
            here.add(one)
            shares[:, one] += (at(here) - before) / 24
    return shares


def test_the_parts_sum_to_the_forecast_and_are_the_mean_over_all_orders(learned: tuple[Rhythm, pa.Table]) -> None:
    rhythm, rows = learned
    parts = rhythm_parts(rhythm, rows)
    assert parts.names == (*INPUTS, SEASON)
    told = logit(rhythm.tell(rows, ["sea_p0"])["sea_p0"])
    np.testing.assert_allclose(parts.base + parts.values.sum(axis=1), told, atol=1e-9)
    np.testing.assert_allclose(parts.values, by_orders(rhythm, rows, parts.reference), atol=1e-9)
    assert np.ptp(parts.base) == 0.0
    for name, value in zip(INPUTS, parts.reference, strict=True):  # the lower median is somebody's own value
        assert value in np.asarray(rows[name])


def test_a_pause_longer_than_the_reference_is_a_customer_counts_as_all_of_its_time(
    learned: tuple[Rhythm, pa.Table],
) -> None:
    rhythm, _ = learned
    rows = pa.table({"recency_days": [5, 10, 300, 400], "repeat_days": [1, 3, 2, 0], "tenure_days": [60, 60, 350, 400],
                     "spend_ever": [1.0] * 4})  # fmt: skip
    parts = rhythm_parts(rhythm, rows)
    assert parts.reference == (10.0, 1.0, 60.0)
    assert max(rows["recency_days"].to_pylist()) > parts.reference[2]
    np.testing.assert_allclose(parts.values, by_orders(rhythm, rows, parts.reference), atol=1e-9)
    told = logit(rhythm.tell(rows, ["sea_p0"])["sea_p0"])
    np.testing.assert_allclose(parts.base + parts.values.sum(axis=1), told, atol=1e-9)
    assert np.isfinite(parts.values).all()


def test_the_reference_itself_differs_by_the_season_alone(learned: tuple[Rhythm, pa.Table]) -> None:
    rhythm, rows = learned
    middle = rhythm_parts(rhythm, rows).reference
    one = pa.table({name: [int(value)] for name, value in zip(INPUTS, middle, strict=True)})
    np.testing.assert_allclose(rhythm_parts(rhythm, one).values[:, :3], 0.0, atol=1e-12)


def test_nobody_has_no_parts(learned: tuple[Rhythm, pa.Table]) -> None:
    rhythm, rows = learned
    assert rhythm_parts(rhythm, rows.slice(0, 0)).values.shape == (0, 4)


def test_inputs_go_in_the_place_of_the_forecast_and_the_log_odds_stay(learned: tuple[Rhythm, pa.Table]) -> None:
    rhythm, rows = learned
    prior = logit(rhythm.tell(rows, ["sea_p0"])["sea_p0"])
    drawn = np.random.default_rng(0).normal(size=(rows.num_rows, 2))
    found = Contributions(np.column_stack([drawn[:, 0], prior + 0.7, drawn[:, 1]]), 0.3,
                          ("monetary", "sea_p0", "recency_days"))  # fmt: skip
    parts = rhythm_parts(rhythm, rows)
    put = with_rhythm(found, "sea_p0", parts)
    assert put.names == ("monetary", "recency_days", "repeat_days", "tenure_days", SEASON)
    np.testing.assert_allclose(put.log_odds(), found.log_odds(), atol=1e-9)
    np.testing.assert_allclose(put.values[:, 1], drawn[:, 1] + parts.values[:, 0], atol=1e-12)
    np.testing.assert_array_equal(put.values[:, 0], drawn[:, 0])
    shown = with_level(put, np.full(rows.num_rows, 0.4))
    assert shown.names[-1] == LEVEL
    np.testing.assert_allclose(shown.log_odds(), found.log_odds(), atol=1e-9)


def test_the_forecast_of_another_rhythm_is_refused(learned: tuple[Rhythm, pa.Table]) -> None:
    rhythm, rows = learned
    prior = logit(rhythm.tell(rows, ["sea_p0"])["sea_p0"])
    other = learn_rhythm(SHOP, DAY, Window(horizon=200))
    found = Contributions(prior[:, None], 0.0, ("sea_p0",))
    with pytest.raises(DataError, match=r"E-EP-006: sea_p0 is not what its inputs give: it differs by up to") as caught:
        with_rhythm(found, "sea_p0", rhythm_parts(other, rows))
    assert "与其输入推算的结果不符" in caught.value.say("zh")


def test_the_season_and_the_level_have_words_and_are_no_feature() -> None:
    assert set(ITEMS) == {SEASON, LEVEL}
    assert all(entry.title.en and entry.title.zh for entry in ITEMS.values())


@pytest.mark.parametrize("window", WINDOWS.values(), ids=list(WINDOWS))
def test_a_model_that_adds_to_the_forecast_is_explained_without_it(window: Window) -> None:
    names = ["recency_days", "frequency", "monetary", "repeat_days", "tenure_days"]
    days = ["2023-12-01", "2024-03-01", DAY]
    panel = to_arrow(build_snapshots(SHOP, days, window, features=[*names, "spend_ever"]))
    told = seasonal_expectations(SHOP, days, window, names=["sea_p0"])
    keys = ["cutoff", "customer_id"]
    both = panel.join(told, keys=keys).sort_by([(key, "ascending") for key in keys]).to_pandas()
    left = to_arrow(churn_outcomes(SHOP, days, window)).to_pandas()
    both = both.merge(left, on=keys, how="left").astype({"churn": int})
    now = both["cutoff"] == both["cutoff"].max()
    model = RiskClassifier(prior="sea_p0", seeds=1, n_jobs=1, trees={"rounds": 15, "min_data_in_leaf": 5})
    inputs = [*names, "sea_p0"]
    model.fit(both.loc[~now, inputs].astype(float), both.loc[~now, "churn"], cutoffs=both.loc[~now, "cutoff"])
    asked = both.loc[now, inputs].astype(float)
    cutoffs = both.loc[now, "cutoff"].to_numpy()
    risk = model.predict_proba(asked, cutoffs=cutoffs, base_rate=0.3)[:, 1]
    parts = model.contributions(asked, cutoffs=cutoffs, base_rate=0.3)
    rows = panel.filter(pc.equal(panel["cutoff"], int(cutoffs[0]))).sort_by("customer_id")
    forecast = rhythm_parts(learn_rhythm(SHOP, DAY, window), rows)
    whole = with_level(with_rhythm(Contributions(parts.values, parts.base, inputs), "sea_p0", forecast), parts.level)
    np.testing.assert_allclose(whole.log_odds(), logit(risk), atol=1e-6)
    assert not set(whole.names) & set(EXPECTED)
    assert set(whole.names) == {*names, SEASON, LEVEL}
    assert np.ptp(whole.base) < 1e-6  # the reference customer is the same for all
