"""BG/NBD, MBG/NBD and gamma-gamma: published numbers, simulation, quadrature and laws."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import beta as beta_function
from scipy.stats import beta, gamma

from tierlens.errors import DataError
from tierlens.features.btyd import BuyTillDie, Histories, _grouped, _loss, fit_btyd, fit_gamma_gamma
from tierlens.sources.tables import day_number

CDNOW = BuyTillDie(0.24259, 4.41360, 0.79292, 2.42591)
PARAMETERS = st.tuples(st.floats(0.2, 3), st.floats(1, 20), st.floats(0.2, 3), st.floats(0.5, 5), st.booleans())
CUSTOMER = st.tuples(st.integers(0, 12), st.floats(0, 1), st.floats(1, 100))


def one(x, share, T):
    return Histories(np.array([x]), np.array([T * share if x else 0.0]), np.array([T]))


@pytest.fixture(scope="module")
def cdnow(cdnow_file):
    """Purchase days and amounts of each customer up to 1997-09-30, and purchase days in the 39 weeks after."""
    end = day_number("1997-09-30")
    before: dict[str, dict[int, float]] = {}
    after: dict[str, set[int]] = {}
    with cdnow_file.open() as lines:
        for _, customer, date, _, amount in csv.reader(lines, delimiter=" ", skipinitialspace=True):
            day = day_number(f"{date[:4]}-{date[4:6]}-{date[6:]}")
            if day <= end:
                days = before.setdefault(customer, {})
                days[day] = days.get(day, 0.0) + float(amount)
            else:
                after.setdefault(customer, set()).add(day)
    customers = sorted(before)
    first, last = (np.array([pick(before[name]) for name in customers]) for pick in (min, max))
    x = np.array([len(before[name]) - 1 for name in customers], dtype=float)
    known = Histories(x, (last - first) / 7, (end - first) / 7)
    repeats = [
        [amount for day, amount in sorted(before[name].items()) if day > min(before[name])] for name in customers
    ]
    return known, np.array([len(after.get(name, ())) for name in customers]), repeats


@pytest.mark.data
def test_cdnow_gives_the_published_bg_nbd(cdnow):
    known, bought, _ = cdnow
    found = fit_btyd(known)
    digits = [f"{value:.4f}" for value in (found.r, found.alpha, found.a, found.b)]
    assert digits == ["0.2426", "4.4136", "0.7929", "2.4259"]
    assert f"{found.log_likelihood:.3f}" == "-9582.429"
    expected = found.expected(known, 39)
    assert expected.sum() == pytest.approx(1653, abs=1)
    assert np.corrcoef(expected, bought)[0, 1] == pytest.approx(0.6256, abs=5e-4)


@pytest.mark.data
def test_cdnow_gives_the_published_gamma_gamma(cdnow):
    repeats = [values for values in cdnow[2] if values]
    found = fit_gamma_gamma([len(v) for v in repeats], [float(np.mean(v)) for v in repeats])
    assert [f"{value:.4f}" for value in (found.p, found.q, found.v)] == ["6.2496", "3.7442", "15.4435"]
    assert found.log_likelihood == pytest.approx(-4055.9177, abs=1e-3)


@pytest.mark.data
def test_being_alive_ranks_backwards(cdnow):
    """One-time buyers are alive for certain in BG/NBD: why it is no risk."""
    known, bought, _ = cdnow
    alive = CDNOW.alive(known)
    assert alive[known.x == 0] == pytest.approx(1.0)
    assert (bought[known.x == 0] > 0).mean() < (bought[known.x > 0] > 0).mean()


def by_quadrature(model, x, t_x, T, horizon, gap):
    """Integrate over leaving chance and rate, given the history: the definition, without any closed form."""
    u, base, k = model.r + x, model.alpha + T, x + model.modified
    rate = gamma(u, scale=1 / base)
    leave = beta(model.a, model.b + k)
    nodes, weights = np.polynomial.legendre.leggauss(120)
    quantiles = (nodes + 1) / 2
    rates, chances = rate.ppf(quantiles), leave.ppf(quantiles)
    grid = np.exp(-np.outer(rates, chances) * gap) * (1 - np.exp(-rates * horizon))[:, None]
    buys = float(weights @ grid @ weights) / 4
    return 1 - float(model.alive(Histories(np.array([x]), np.array([t_x]), np.array([T])))[0]) * buys


@settings(deadline=None, max_examples=25)
@given(PARAMETERS, CUSTOMER, st.floats(1, 60), st.sampled_from([0.0, 5.0, 40.0]))
def test_no_purchase_is_the_integral(parameters, customer, horizon, gap):
    model, (x, share, T) = BuyTillDie(*parameters), customer
    known = one(x, share, T)
    expected = by_quadrature(model, x, float(known.t_x[0]), T, horizon, gap)
    assert model.none(known, horizon, gap)[0] == pytest.approx(expected, abs=5e-3)


@settings(deadline=None, max_examples=40)
@given(PARAMETERS, CUSTOMER, st.floats(1, 60))
def test_expected_purchases_are_the_integral(parameters, customer, horizon):
    model, (x, share, T) = BuyTillDie(*parameters), customer
    known = one(x, share, T)
    u, base, k = model.r + x, model.alpha + T, x + model.modified

    def purchases(p):
        return -np.expm1(-u * np.log1p(p * horizon / base)) / p if p > 1e-12 else u * horizon / base

    # the density's own powers go to the quadrature, which then has no singular ends to stumble over
    powers = (model.a - 1, model.b + k - 1)
    mass = quad(purchases, 0, 1, weight="alg", wvar=powers, limit=200)[0] / beta_function(model.a, model.b + k)
    whole = mass * model.alive(known)[0]
    assert model.expected(known, horizon)[0] == pytest.approx(whole, rel=1e-4)


@settings(deadline=None)
@given(PARAMETERS, CUSTOMER, st.floats(0.1, 60))
def test_probabilities_behave(parameters, customer, horizon):
    model, known = BuyTillDie(*parameters), one(*customer)
    none, later = model.none(known, horizon)[0], model.none(known, 2 * horizon)[0]
    assert 0 <= later <= none <= 1
    assert model.none(known, horizon, gap=10.0)[0] >= none - 1e-9  # who waits may leave meanwhile
    assert 0 < model.alive(known)[0] <= 1
    # Markov's bound: a purchase cannot be likelier than purchases are many
    assert 1 - none <= model.expected(known, horizon)[0] + 1e-9


@settings(deadline=None, max_examples=20)
@given(PARAMETERS, st.integers(0, 1000))
def test_the_gradient_is_that_of_the_loss(parameters, seed):
    rng = np.random.default_rng(seed)
    T = rng.uniform(5, 50, 40)
    x = rng.poisson(1.0, 40)
    known = Histories(x, np.where(x > 0, T * rng.random(40), 0.0), T)
    data, theta = _grouped(known)[0], np.log(parameters[:4])
    slope = _loss(theta, data, parameters[4])[1]
    for place in range(4):
        step = np.eye(4)[place] * 1e-5
        rise = _loss(theta + step, data, parameters[4])[0] - _loss(theta - step, data, parameters[4])[0]
        assert slope[place] == pytest.approx(rise / 2e-5, abs=1e-5)


def simulated(model, customers, seed):
    """Play the model's own story, purchase by purchase."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(customers):
        rate, leave, T = rng.gamma(model.r, 1 / model.alpha), rng.beta(model.a, model.b), rng.uniform(20, 60)
        now, x, last = 0.0, 0, 0.0
        gone = model.modified and rng.random() < leave
        while not gone and (now := now + rng.exponential(1 / rate)) < T:
            x, last, gone = x + 1, now, rng.random() < leave
        rows.append((x, last, T))
    return Histories(*np.array(rows, dtype=float).T)


@pytest.mark.parametrize("modified", [False, True])
def test_a_fit_finds_what_was_simulated(modified):
    truth = BuyTillDie(0.8, 6.0, 0.9, 2.5, modified)
    known = simulated(truth, 6000, seed=1)
    found = fit_btyd(known, modified=modified)
    assert found.r / found.alpha == pytest.approx(truth.r / truth.alpha, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(truth.a / (truth.a + truth.b), rel=0.2)
    assert found.none(known, 10.0).mean() == pytest.approx(truth.none(known, 10.0).mean(), abs=0.01)


def test_the_unit_of_time_does_not_matter():
    known = simulated(CDNOW, 800, seed=2)
    weeks, days = fit_btyd(known), fit_btyd(Histories(known.x, known.t_x * 7, known.T * 7))
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-4)
    assert (days.r, days.a, days.b) == pytest.approx((weeks.r, weeks.a, weeks.b), rel=1e-4)
    assert days.log_likelihood == pytest.approx(weeks.log_likelihood - known.x.sum() * np.log(7), abs=1e-3)


def test_the_order_of_customers_changes_nothing():
    known = simulated(CDNOW, 300, seed=3)
    back = Histories(known.x[::-1], known.t_x[::-1], known.T[::-1])
    assert fit_btyd(known) == fit_btyd(back)


def test_one_time_buyers_only_are_no_trouble():
    known = Histories(np.zeros(50), np.zeros(50), np.linspace(10, 400, 50))
    for modified in (False, True):
        none = fit_btyd(known, modified=modified).none(known, 90)
        assert np.isfinite(none).all()
        assert none.min() > 0.9


@pytest.mark.parametrize(("x", "t_x", "T"), [(1, 5, 4), (-1, 0, 4), (0, 0, 0), (1, -1, 4), (np.nan, 0, 1)])
def test_impossible_histories_are_refused(x, t_x, T):
    with pytest.raises(DataError, match=r"E-FE-020 x, t_x, T: purchase histories that cannot be"):
        Histories(np.array([x]), np.array([t_x]), np.array([T]))


def test_nobody_to_learn_from():
    none = np.empty(0)
    with pytest.raises(DataError, match="E-FE-021: there are no customers to learn from"):
        fit_btyd(Histories(none, none, none))
    with pytest.raises(DataError, match="E-FE-021"):
        fit_gamma_gamma([0, 2], [5.0, 0.0])
